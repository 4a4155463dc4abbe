//! What the files of `crds:` say: which fields of custom resources are labels, annotations, names or references.

use super::{FieldSpec, NameBackReference, TransformerConfig, merge_one};
use onepane_diagnostics::Result;
use onepane_yaml::Node;
use std::borrow::Cow;

/// Definitions may refer to each other; a chain longer than this is a circle.
const DEEPEST: usize = 32;

/// Reads one file: a map from type names to OpenAPI definitions with `x-kubernetes-…` extensions.
pub(crate) fn read_crds(node: &Node) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for (name, definition) in node.entries().unwrap_or_default() {
        let Some(name) = name.as_str() else { continue };
        let Some(properties) = properties(definition) else { continue };
        if !["kind", "apiVersion", "metadata"].iter().all(|key| properties.get(key).is_some()) {
            continue;
        }
        let kind = name.rsplit('.').next().unwrap_or(name);
        let mut reader = Reader { definitions: node, kind, config: &mut config, path: Vec::new() };
        reader.definition(name)?;
    }
    Ok(config)
}

fn properties(definition: &Node) -> Option<&Node> {
    definition.get("Schema").or_else(|| definition.get("schema"))?.get("properties")
}

struct Reader<'a> {
    definitions: &'a Node,
    kind: &'a str,
    config: &'a mut TransformerConfig,
    path: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn definition(&mut self, name: &str) -> Result<()> {
        let Some(properties) = self.definitions.get(name).and_then(properties) else { return Ok(()) };
        if self.path.len() >= DEEPEST {
            return Ok(());
        }
        for (key, property) in properties.entries().unwrap_or_default() {
            let Some(key) = key.as_str() else { continue };
            let text = |name: &str| property.get(name).and_then(Node::as_str);
            self.path.push(key);
            if text("x-kubernetes-annotation").is_some() {
                let field = self.field();
                merge_one(&mut self.config.common_annotations, &field)?;
            }
            if text("x-kubernetes-label-selector").is_some() {
                let field = self.field();
                merge_one(&mut self.config.common_labels, &field)?;
            }
            if text("x-kubernetes-identity").is_some() {
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
