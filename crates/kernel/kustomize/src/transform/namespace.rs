//! `namespace:`.

use crate::accumulate::located;
use crate::config::FieldSpec;
use crate::scalar::NodeExt;
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{Resource, ResourceSet};
use onepane_yaml::{Content, Node};

/// The namespace to set, and where not to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamespaceChange<'a> {
    pub(crate) namespace: &'a str,
    /// Only where none is set.
    pub(crate) unset_only: bool,
    pub(crate) subjects: RoleBindingSubjects,
}

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoleBindingSubjects {
    /// Those named `default`.
    #[default]
    DefaultOnly,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

impl RoleBindingSubjects {
    /// From the word in a configuration.
    ///
    /// # Errors
    /// `kustomize-namespace` for any other word.
    pub(crate) fn parse(word: &str) -> Result<Self> {
        match word {
            "" | "defaultOnly" => Ok(Self::DefaultOnly),
            "allServiceAccounts" => Ok(Self::AllServiceAccounts),
            "none" => Ok(Self::None),
            _ => {
                let message = format!(
                    "invalid value \"{word}\" for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \
                     \"allServiceAccounts\""
                );
                Err(Diagnostic::error("kustomize-namespace", message).hint("without it, `defaultOnly` is meant"))
            }
        }
    }
}

/// Puts all namespaced resources into the namespace.
///
/// # Errors
/// `kustomize-namespace` when two resources have the same id then.
pub(crate) fn set_namespace(
    resources: &mut ResourceSet,
    change: NamespaceChange<'_>,
    fields: &[FieldSpec],
    stamp: &Stamp,
) -> Result<()> {
    if change.namespace.is_empty() {
        return Ok(());
    }
    let metadata = FieldSpec::any("metadata/namespace", true);
    let metadata = Path::new(&metadata);
    let paths = Path::all(fields);
    for position in 0..resources.len() {
        let outcome = resources.update(position, |resource| {
            if resource.is_empty() || resource.helm_generated {
                return Ok(false);
            }
            resource.store_previous_id();
            change.apply(resource, &metadata, &paths, stamp).map(|()| true)
        });
        if !outcome.unwrap_or(Ok(false))? {
            continue;
        }
        let Some(resource) = resources.get(position) else { continue };
        let same = resources.positions_by_current_id(resource.id());
        if same.len() != 1 {
            let message = format!("namespace transformation produces ID conflict: {}", resource.id());
            let mut error = Diagnostic::error("kustomize-namespace", message);
            for at in same {
                if let Some(span) = resources.get(*at).and_then(|resource| resource.node().span) {
                    error = error.label(span, "one of them");
                }
            }
            return Err(error.hint("give one of them another name: in one namespace names must differ"));
        }
    }
    Ok(())
}

impl NamespaceChange<'_> {
    fn apply(&self, resource: &mut Resource, metadata: &Path<'_>, paths: &[Path<'_>], stamp: &Stamp) -> Result<()> {
        let core = resource.api_version() == "v1";
        let mut set = |node: &mut Node| self.set(node, stamp);
        if !resource.id().is_cluster_scoped() {
            metadata.apply(resource, Create::Scalar, &mut set)?;
        }
        let binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        if binding {
            self.subjects(resource.node_mut(), stamp)?;
        }
        for path in paths {
            let spec = path.spec;
            let skipped = spec.path == "metadata/namespace"
                || (!core && spec.path == "metadata/name")
                || (binding
                    && spec.path == "subjects/namespace"
                    && matches!(&*spec.kind, "RoleBinding" | "ClusterRoleBinding"));
            if !skipped {
                path.apply(resource, Create::Scalar, &mut set)?;
            }
        }
        Ok(())
    }

    fn subjects(&self, node: &mut Node, stamp: &Stamp) -> Result<()> {
        let Some(subjects) = node.get_mut("subjects").filter(|subjects| !subjects.is_null()) else { return Ok(()) };
        let span = subjects.span;
        let Some(subjects) = subjects.items_mut() else {
            let error = Diagnostic::error(
                "kustomize-namespace",
                "setting namespace on (cluster)role binding subjects: not a list",
            );
            return Err(located(error, span).hint("start each subject with `- kind: …`"));
        };
        for subject in subjects {
            let text = |key: &str| subject.get(key).and_then(Node::as_str);
            let chosen = match self.subjects {
                RoleBindingSubjects::None => false,
                RoleBindingSubjects::DefaultOnly => text("name") == Some("default"),
                RoleBindingSubjects::AllServiceAccounts => text("kind") == Some("ServiceAccount"),
            };
            if !chosen {
                continue;
            }
            if subject.get("namespace").is_none() {
                subject.set("namespace", Node::scalar(""));
            }
            if let Some(namespace) = subject.get_mut("namespace") {
                self.set(namespace, stamp)?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node, stamp: &Stamp) -> Result<()> {
        let null = node.is_null();
        if !matches!(node.content, Content::Scalar(_)) {
            let error = Diagnostic::error("kustomize-namespace", "namespace field specs must target scalar nodes");
            return Err(located(error, node.span).hint("a namespace is a single text"));
        }
        if self.unset_only && !null && node.as_str().is_some_and(|text| !text.is_empty()) {
            return Ok(());
        }
        stamp.set_scalar(node, self.namespace, Some("!!str"));
        Ok(())
    }
}

/// Sets the namespace of a single resource, without configured fields.
pub(super) fn apply_without_fields(resource: &mut Resource, change: NamespaceChange<'_>, stamp: &Stamp) -> Result<()> {
    let metadata = FieldSpec::any("metadata/namespace", true);
    change.apply(resource, &Path::new(&metadata), &[], stamp)
}
