//! The hash of a generated resource's content, which its name ends with.

use crate::scalar::{NodeExt, Scalar};
use crate::stamp::Stamp;
use onepane_diagnostics::{Origin, Step};
use onepane_resource::{Resource, ResourceSet};
use onepane_yaml::{Content, Node};
use sha2::{Digest, Sha256};

/// Appends the hash to the names of the resources that are to have one.
pub(crate) fn add_hashes(resources: &mut ResourceSet, origins: bool) {
    for position in 0..resources.len() {
        resources.update(position, |resource| {
            if !resource.needs_hash {
                return;
            }
            let name = format!("{}-{}", resource.name(), hash(resource));
            resource.store_previous_id();
            // The line that asks for the resource asks for the hash.
            let span = resource.node().history.0.span();
            let stamp = Stamp::new(origins, Step::Generator, span).noted("content hash");
            let previous = resource.node().at(&["metadata", "name"]).map_or(Origin::UNKNOWN, Node::origin);
            let mut node = Node::scalar(name);
            if let Some(old) = resource.node().at(&["metadata", "name"]) {
                node.style = old.style;
            }
            let hashed = if origins { origins_below(resource.node()) } else { Vec::new() };
            node.history = onepane_yaml::History(stamp.over(previous, hashed));
            resource.set_name(node);
        });
    }
}

/// Where what is hashed is from.
fn origins_below(resource: &Node) -> Vec<Origin> {
    let data = ["data", "binaryData", "stringData", "type"];
    let parts = data.iter().filter_map(|key| resource.get(key));
    let values = parts.flat_map(|part| match part.entries() {
        Some(entries) => entries.iter().map(|(_, value)| value).collect(),
        None => vec![part],
    });
    values.map(Node::origin).filter(Origin::is_known).collect()
}

/// Ten characters of the SHA-256 of the content as JSON with sorted keys; digits and letters that could spell words
/// are replaced, as Kubernetes does.
fn hash(resource: &Resource) -> String {
    let node = resource.node();
    let mut json = String::with_capacity(1024);
    // The name is looked up by a key that no manifest has, so it is always empty.
    let fields: &[(&str, Field)] = match resource.kind() {
        "ConfigMap" => &[
            ("binaryData", Field::Map),
            ("data", Field::Any),
            ("kind", Field::Text("ConfigMap")),
            ("name", Field::Text("")),
        ],
        "Secret" => &[
            ("data", Field::Any),
            ("kind", Field::Text("Secret")),
            ("name", Field::Text("")),
            ("stringData", Field::Map),
            ("type", Field::Any),
        ],
        _ => &[],
    };
    if fields.is_empty() {
        write(node, &mut json);
    } else {
        json.push('{');
        let mut first = true;
        for (key, field) in fields {
            let value = node.get(key);
            let is_map = value.is_some_and(|value| value.entries().is_some());
            if matches!(field, Field::Map) && !is_map {
                continue;
            }
            if !std::mem::take(&mut first) {
                json.push(',');
            }
            quote(key, &mut json);
            json.push(':');
            match (field, value) {
                (Field::Text(text), _) => quote(text, &mut json),
                (_, None) => quote("", &mut json),
                (_, Some(value)) => match value.as_str() {
                    Some(text) => quote(text, &mut json),
                    None => write(value, &mut json),
                },
            }
        }
        json.push('}');
    }
    let digest = Sha256::digest(json.as_bytes());
    digest[..5].iter().flat_map(|byte| [byte >> 4, byte & 15]).map(letter).collect()
}

enum Field {
    /// Whatever is there, or an empty text.
    Any,
    /// Only if it is a mapping.
    Map,
    /// This text.
    Text(&'static str),
}

fn letter(nibble: u8) -> char {
    match char::from_digit(u32::from(nibble), 16).unwrap_or('0') {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    }
}

/// JSON as Go writes it: keys sorted, characters that mean something to HTML escaped.
fn write(node: &Node, json: &mut String) {
    match &node.content {
        Content::Mapping(entries) => {
            let mut sorted: Vec<(&str, &Node)> =
                entries.iter().map(|(key, value)| (key.as_str().unwrap_or_default(), value)).collect();
            sorted.sort_by_key(|(key, _)| *key);
            json.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                quote(key, json);
                json.push(':');
                write(value, json);
            }
            json.push('}');
        }
        Content::Sequence(items) => {
            json.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write(item, json);
            }
            json.push(']');
        }
        _ => match node.scalar_1_2() {
            Some(Scalar::String(text)) => quote(&text, json),
            Some(Scalar::Bool(value)) => json.push_str(if value { "true" } else { "false" }),
            Some(Scalar::Int(value)) => json.push_str(&value.to_string()),
            Some(Scalar::Float(value)) => json.push_str(&value.to_string()),
            Some(Scalar::Uint(value)) => json.push_str(&value.to_string()),
            Some(Scalar::Timestamp(text)) => quote(&text, json),
            Some(Scalar::Binary(_) | Scalar::Null) | None => json.push_str("null"),
        },
    }
}

fn quote(text: &str, json: &mut String) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kind: &str, fields: Vec<(Node, Node)>) -> Resource {
        let mut entries =
            vec![(Node::scalar("apiVersion"), Node::scalar("v1")), (Node::scalar("kind"), Node::scalar(kind))];
        entries.extend(fields);
        Resource::new(Node::mapping(entries))
    }

    fn data(field: &str, pairs: &[(&str, &str)]) -> (Node, Node) {
        let pairs = pairs.iter().map(|(key, value)| (Node::scalar(*key), Node::string(*value))).collect();
        (Node::scalar(field), Node::mapping(pairs))
    }

    // The hashes are those that kustomize 5.8.1 gives.
    #[test]
    fn hashes_are_those_of_kustomize() {
        for (resource, wanted) in [
            (resource("ConfigMap", vec![]), "6ct58987ht"),
            (resource("ConfigMap", vec![data("data", &[("one", "")])]), "9g67k2htb6"),
            (resource("ConfigMap", vec![data("data", &[("two", "2"), ("one", ""), ("three", "3")])]), "f5h7t85m9b"),
        ] {
            assert_eq!(hash(&resource), wanted);
        }
    }
}
