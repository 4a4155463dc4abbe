//! `namePrefix:` and `nameSuffix:`.

use crate::config::FieldSpec;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::Result;
use onepane_resource::{Resource, ResourceSet};

/// What is put around names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Affix<'a> {
    /// Before them.
    Prefix(&'a str),
    /// Behind them.
    Suffix(&'a str),
}

/// Puts `affix` around the names of all resources but the kinds whose name is fixed: custom resource definitions, API
/// services and namespaces.
pub(crate) fn add_affix(
    resources: &mut ResourceSet,
    affix: Affix<'_>,
    fields: &[FieldSpec],
    stamp: &Stamp,
) -> Result<()> {
    let paths = Path::all(fields);
    for resource in resources.iter_mut() {
        let original = resource.original_id().gvk;
        if is_fixed(&original.group, &original.kind) {
            continue;
        }
        for path in &paths {
            if !path.spec.is_for(&original.group, &original.version, &original.kind) {
                continue;
            }
            if path.spec.path == "metadata/name" {
                remember(resource, affix);
            }
            path.apply(resource, Create::Scalar, &mut |node| {
                let old = node.as_str().unwrap_or_default();
                let new = match affix {
                    Affix::Prefix(prefix) => format!("{prefix}{old}"),
                    Affix::Suffix(suffix) => format!("{old}{suffix}"),
                };
                stamp.set_scalar(node, new, None);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn is_fixed(group: &str, kind: &str) -> bool {
    matches!(kind, "CustomResourceDefinition" | "Namespace")
        || (kind == "APIService" && group == "apiregistration.k8s.io")
}

fn remember(resource: &mut Resource, affix: Affix<'_>) {
    let (text, list) = match affix {
        Affix::Prefix(text) => (text, &mut resource.prefixes),
        Affix::Suffix(text) => (text, &mut resource.suffixes),
    };
    if !text.is_empty() {
        list.push(text.into());
        resource.store_previous_id();
    }
}
