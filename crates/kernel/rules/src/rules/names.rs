//! Names, labels and annotations that the API server refuses.

use crate::scene::Item;
use crate::{Finding, Scene};
use onepane_resource::{Tree, pods};
use onepane_yaml::Node;

const CODE: &str = "name-invalid";

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        if let Some(name) = item.node().at(&["metadata", "name"])
            && let Some(why) = refused_name(item, item.resource.name())
        {
            found.push(Finding::new(CODE, name, format!("{item}: its name {why}")));
        }
        let nodes = [Some(item.node()), item.template().filter(|template| !std::ptr::eq(*template, item.node()))];
        for node in nodes.into_iter().flatten() {
            labels(item, node, found);
        }
        if let Some(template) = item.template() {
            containers(item, template, found);
        }
    }
}

fn refused_name(item: &Item<'_>, name: &str) -> Option<&'static str> {
    match (item.group(), item.resource.kind()) {
        ("rbac.authorization.k8s.io", _) => {
            let is_segment = !name.contains(['/', '%']) && name != "." && name != "..";
            (!is_segment).then_some("may not be `.` or `..` or have `/` or `%` in it")
        }
        ("", "Namespace" | "Service") if !is_label(name) => Some(LABEL),
        _ if !is_subdomain(name) => Some(
            "has to be of lower-case letters, digits, `-` and `.`, 253 at most, with a letter or digit at both ends",
        ),
        _ => None,
    }
}

fn labels(item: &Item<'_>, node: &Node, found: &mut Vec<Finding>) {
    for (key, value) in node.at(&["metadata", "labels"]).and_then(Node::entries).unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        if !is_key(name) {
            found.push(Finding::new(CODE, key, format!("{item}: the label `{name}` {KEY}")));
        }
        if !value.text().is_none_or(|text| text.is_empty() || is_name(text)) {
            let why = "has to be of letters, digits, `-`, `_` and `.`, 63 at most, with a letter or digit at both ends";
            found.push(Finding::new(CODE, value, format!("{item}: the value of the label `{name}` {why}")));
        }
    }
    for (key, _) in node.at(&["metadata", "annotations"]).and_then(Node::entries).unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        if !is_key(&name.to_ascii_lowercase()) {
            found.push(Finding::new(CODE, key, format!("{item}: the annotation `{name}` {KEY}")));
        }
    }
}

fn containers(item: &Item<'_>, template: &Node, found: &mut Vec<Finding>) {
    for container in pods::containers(template) {
        if let Some(name) = container.get("name")
            && let Some(text) = name.text().filter(|text| !is_label(text))
        {
            found.push(Finding::new(CODE, name, format!("{item}: the name of the container `{text}` {LABEL}")));
        }
        for port in container.list_at(&["ports"]) {
            let Some(name) = port.get("name") else { continue };
            let Some(text) = name.text().filter(|text| !is_port_name(text)) else { continue };
            let why = "has to be of lower-case letters, digits and `-`, 15 at most, one of them a letter";
            found.push(Finding::new(CODE, name, format!("{item}: the name of the port `{text}` {why}")));
        }
    }
}

const LABEL: &str = "has to be of lower-case letters, digits and `-`, 63 at most, with a letter or digit at both ends";
const KEY: &str =
    "has to be a name of letters, digits, `-`, `_` and `.`, 63 at most, after a domain and a `/` if need be";

fn is_inside(text: &str, most: usize, inner: fn(u8) -> bool, outer: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().is_some_and(|byte| outer(*byte)) && bytes.last().is_some_and(|byte| outer(*byte));
    ends && bytes.len() <= most && bytes.iter().all(|byte| inner(*byte))
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    is_inside(text, 63, |byte| is_lower(byte) || byte == b'-', is_lower)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| is_inside(part, 253, |byte| is_lower(byte) || byte == b'-', is_lower))
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    is_inside(text, 63, inner, |byte| byte.is_ascii_alphanumeric())
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_name(name),
        None => is_name(text),
    }
}

fn is_port_name(text: &str) -> bool {
    is_inside(text, 15, |byte| is_lower(byte) || byte == b'-', is_lower)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
}
