//! What tests share.

use onepane_diagnostics::FileId;
use onepane_yaml::{Content, Dialect, Node, Scalar, resolve};

/// The first document of a text.
pub(crate) fn yaml(text: &str) -> Node {
    onepane_yaml::read(text, FileId::new("test.yaml")).expect("tests are well-formed").swap_remove(0)
}

/// A node as JSON with sorted keys: what Kustomize's output depends on.
pub(crate) fn json(node: &Node) -> String {
    match &node.content {
        Content::Mapping(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(k, v)| format!("{}:{}", json_key(k), json(v))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Content::Sequence(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Content::Alias(name) => format!("*{name}"),
        Content::Scalar(_) => match resolve(node, Dialect::V3) {
            Ok(Scalar::Null) => "null".to_owned(),
            Ok(Scalar::Bool(value)) => value.to_string(),
            Ok(Scalar::Int(value)) => value.to_string(),
            Ok(Scalar::Uint(value)) => value.to_string(),
            Ok(Scalar::Float(value)) => value.to_string(),
            Ok(Scalar::String(text)) => format!("{text:?}"),
            Ok(Scalar::Timestamp(text)) => format!("{text:?}"),
            Ok(Scalar::Binary(bytes)) => format!("{bytes:?}"),
            Err(message) => format!("<{message}>"),
        },
    }
}

fn json_key(key: &Node) -> String {
    key.as_str().map_or_else(|| json(key), |text| format!("{text:?}"))
}
