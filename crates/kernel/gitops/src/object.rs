//! Questions that are asked of objects.

use onepane_diagnostics::Span;
use onepane_resource::Resource;
use onepane_yaml::Node;

/// What tells an object from others of its kind: namespace and name.
pub(crate) type Name = (String, String);

/// The text at the end of a chain of keys; empty where there is none.
pub(crate) fn text<'n>(node: &'n Node, keys: &[&str]) -> &'n str {
    node.at(keys).and_then(Node::as_str).unwrap_or_default()
}

/// The items at the end of a chain of keys.
pub(crate) fn items<'n>(node: &'n Node, keys: &[&str]) -> &'n [Node] {
    node.at(keys).and_then(Node::items).unwrap_or_default()
}

/// The entries at the end of a chain of keys, whose values are texts.
pub(crate) fn pairs<'n>(node: &'n Node, keys: &[&str]) -> Vec<(&'n str, &'n str)> {
    let entries = node.at(keys).and_then(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?))).collect()
}

/// Whether the value is `true`.
pub(crate) fn is_true(node: &Node, keys: &[&str]) -> bool {
    text(node, keys) == "true"
}

/// The API group; empty for the core one.
pub(crate) fn group(resource: &Resource) -> &str {
    resource.api_version().split_once('/').map_or("", |(group, _)| group)
}

/// Namespace and name.
pub(crate) fn name(resource: &Resource) -> Name {
    (resource.namespace().to_owned(), resource.name().to_owned())
}

/// `Kustomization flux-system/apps`
pub(crate) fn shown(resource: &Resource) -> String {
    let slash = if resource.namespace().is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", resource.kind(), resource.namespace(), resource.name())
}

/// Where an object stands; of one that a chart rendered, the chart: no file has its lines.
pub(crate) fn place(resource: &Resource) -> Option<Span> {
    let span = resource.node().span?;
    Some(if resource.helm_generated { Span::file(span.file.path()) } else { span })
}
