//! Sets of fields of an object: [`FieldSet`], written as `FieldsV1`.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Some of the fields of an object, as a tree whose branches are named as in `FieldsV1`: `f:` with the name of a field,
/// `k:` with the keys of a list's item, `v:` with the value of an item of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    /// Whether this very place is in the set, and not only places below it.
    pub(crate) own: bool,
    pub(crate) children: BTreeMap<String, FieldSet>,
}

/// How deeply a set may be nested, as sets come from clients.
const DEEPEST: usize = 100;

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        !self.own && self.children.values().all(Self::is_empty)
    }

    pub(crate) fn child(&mut self, element: String) -> &mut Self {
        self.children.entry(element).or_default()
    }

    /// Removes a place and all below it.
    pub(crate) fn cut(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.children.remove(*last);
            }
            [first, rest @ ..] => {
                if let Some(child) = self.children.get_mut(*first) {
                    child.cut(rest);
                }
            }
        }
    }

    /// What is in either.
    pub(crate) fn add(&mut self, other: &Self) {
        self.own |= other.own;
        for (element, child) in &other.children {
            self.child(element.clone()).add(child);
        }
    }

    /// Takes what is in `other` out.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.own &= !other.own;
        self.children.retain(|element, child| {
            if let Some(other) = other.children.get(element) {
                child.subtract(other);
            }
            !child.is_empty()
        });
    }

    /// What is in both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let mut common = Self { own: self.own && other.own, children: BTreeMap::new() };
        for (element, child) in &self.children {
            if let Some(other) = other.children.get(element) {
                let child = child.common(other);
                if !child.is_empty() {
                    common.children.insert(element.clone(), child);
                }
            }
        }
        common
    }

    /// The places in the set, written as `.spec.containers[name="a"].image`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_paths(String::new(), &mut found);
        found
    }

    fn collect_paths(&self, path: String, found: &mut Vec<String>) {
        if self.own {
            found.push(path.clone());
        }
        for (element, child) in &self.children {
            child.collect_paths(format!("{path}{}", shown(element)), found);
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        for (element, child) in &self.children {
            if child.is_empty() {
                continue;
            }
            let mut below = child.to_json();
            if let Value::Object(below) = &mut below
                && child.own
                && !below.is_empty()
            {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            fields.insert(element.clone(), below);
        }
        Value::Object(fields)
    }

    /// Reads what [`FieldSet::to_json`] writes; what is none is left out.
    pub(crate) fn from_json(value: &Value) -> Self {
        let mut set = Self::read(value, 0);
        set.own = false;
        set
    }

    fn read(value: &Value, depth: usize) -> Self {
        let mut set = Self::default();
        let Some(fields) = value.as_object().filter(|_| depth < DEEPEST) else { return set };
        set.own = fields.is_empty() || fields.contains_key(".");
        for (element, below) in fields.iter().filter(|(element, _)| *element != ".") {
            set.children.insert(canonical(element), Self::read(below, depth + 1));
        }
        set
    }
}

/// An item of a list, by its keys.
pub(crate) fn key_element(keys: &Map<String, Value>) -> String {
    format!("k:{}", serde_json::to_string(keys).unwrap_or_default())
}

/// An item of a set.
pub(crate) fn value_element(value: &Value) -> String {
    format!("v:{value}")
}

/// Clients may write keys in any order and with spaces.
fn canonical(element: &str) -> String {
    match element.split_once(':') {
        Some((prefix @ ("k" | "v"), json)) => match serde_json::from_str::<Value>(json) {
            Ok(value) => format!("{prefix}:{value}"),
            Err(_) => element.to_owned(),
        },
        _ => element.to_owned(),
    }
}

/// A step of a path as messages have it.
fn shown(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("i", index)) => format!("[{index}]"),
        Some(("k", json)) => {
            let keys: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        _ => format!(".{element}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_set_is_read_as_it_was_written() {
        let json = json!({"f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}});
        let set = FieldSet::from_json(&json);
        assert_eq!(set.to_json(), json);
        let paths = [
            ".metadata.labels",
            ".metadata.labels.app",
            ".spec.containers[name=\"a\"]",
            ".spec.containers[name=\"a\"].image",
        ];
        assert_eq!(set.paths(), paths);
        let mut less = set.clone();
        less.subtract(&FieldSet::from_json(
            &json!({"f:spec": {"f:containers": {"k:{ \"name\": \"a\"}": {"f:image": {}}}}}),
        ));
        assert_eq!(less.paths(), &paths[..3]);
        assert_eq!(set.common(&less), less);
    }
}
