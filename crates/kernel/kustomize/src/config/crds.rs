//! What the files of `crds:` say: which fields of custom resources are labels, annotations, names or references.

use super::{FieldSpec, NameBackReference, TransformerConfig, merge_one};
use crate::accumulate::located;
use crate::scalar::NodeExt;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;
use std::borrow::Cow;

/// Definitions may refer to each other; a chain longer than this is a circle, in which Kustomize never ends.
const DEEPEST: usize = 32;

type Entries<'n> = &'n [(Node, Node)];

/// Reads one file: a map from type names to OpenAPI definitions with `x-kubernetes-…` extensions.
///
/// # Errors
/// `kustomize-crds` for a file of another shape, such as the manifest of a custom resource definition, and those of
/// [`merge_one`].
pub(crate) fn read_crds(node: &Node) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    let mut definitions = Vec::new();
    for (name, definition) in entries(node)? {
        let schema = entries(definition)?.iter().find(|(key, _)| is(key, "schema"));
        let properties = schema.map(|(_, schema)| entries(schema)).transpose()?;
        let properties =
            properties.and_then(|schema| schema.iter().find(|(key, _)| key.as_str() == Some("properties")));
        let properties = properties.map(|(_, properties)| entries(properties)).transpose()?.unwrap_or_default();
        properties.iter().try_for_each(|(_, property)| entries(property).map(drop))?;
        definitions.push((name.as_str().unwrap_or_default(), properties));
    }
    for (name, properties) in &definitions {
        let has = |wanted: &str| properties.iter().any(|(key, _)| key.as_str() == Some(wanted));
        if !["kind", "apiVersion", "metadata"].into_iter().all(has) {
            continue;
        }
        let kind = name.rsplit('.').next().unwrap_or(name);
        let mut reader = Reader { definitions: &definitions, kind, config: &mut config, path: Vec::new() };
        reader.definition(name)?;
    }
    Ok(config)
}

/// The entries of a mapping; null has none.
fn entries(node: &Node) -> Result<Entries<'_>> {
    match node.entries() {
        Some(entries) => Ok(entries),
        None if node.is_null() => Ok(&[]),
        None => {
            let file = node.span.map(|span| span.file.path().as_str()).unwrap_or_default();
            let message = format!("unable to parse open API definition from '{file}': this must be a mapping");
            let error = located(Diagnostic::error("kustomize-crds", message), node.span);
            Err(error.hint("`crds:` lists OpenAPI definitions; manifests of CRDs go into `resources:`"))
        }
    }
}

/// Whether a key names a field of Go's, in whatever case.
fn is(key: &Node, field: &str) -> bool {
    key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(field))
}

struct Reader<'a, 'c> {
    definitions: &'a [(&'a str, Entries<'a>)],
    kind: &'a str,
    config: &'c mut TransformerConfig,
    path: Vec<&'a str>,
}

impl Reader<'_, '_> {
    fn definition(&mut self, name: &str) -> Result<()> {
        let Some((_, properties)) = self.definitions.iter().find(|(known, _)| *known == name) else { return Ok(()) };
        if self.path.len() >= DEEPEST {
            return Ok(());
        }
        for (key, property) in *properties {
            let Some(key) = key.as_str() else { continue };
            let text = |name: &str| property.get(name).and_then(Node::as_str);
            let is_text = |name: &str| property.get(name).is_some_and(NodeExt::is_string);
            self.path.push(key);
            if is_text("x-kubernetes-annotation") {
                let field = self.field();
                merge_one(&mut self.config.common_annotations, &field)?;
            }
            if is_text("x-kubernetes-label-selector") {
                let field = self.field();
                merge_one(&mut self.config.common_labels, &field)?;
            }
            if is_text("x-kubernetes-identity") {
                let field = self.field();
                merge_one(&mut self.config.name_prefix, &field)?;
            }
            if let (Some(version), Some(kind)) =
                (text("x-kubernetes-object-ref-api-version"), text("x-kubernetes-object-ref-kind"))
            {
                self.path.push(text("x-kubernetes-object-ref-name-key").unwrap_or("name"));
                let reference = NameBackReference {
                    group: Cow::Borrowed(""),
                    version: version.to_owned().into(),
                    kind: kind.to_owned().into(),
                    referrers: vec![self.field()],
                };
                self.config.add_reference(&reference)?;
                self.path.pop();
            }
            if let Some(target) = text("$ref") {
                self.definition(target)?;
            }
            self.path.pop();
        }
        Ok(())
    }

    fn field(&self) -> FieldSpec {
        FieldSpec { kind: self.kind.to_owned().into(), path: self.path.join("/").into(), ..FieldSpec::default() }
    }
}
