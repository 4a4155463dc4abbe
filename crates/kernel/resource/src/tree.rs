//! What the two forms of a manifest have in common: [`Tree`].

use onepane_yaml::{Dialect, Node, Scalar, resolve};
use serde_json::Value;

/// A manifest to look things up in: the nodes of a build, which know where they are from, or JSON.
pub trait Tree {
    /// The value of a key, if this is a mapping that has one.
    fn child(&self, key: &str) -> Option<&Self>;
    /// The items; none where this is no list.
    fn list(&self) -> Vec<&Self>;
    /// Keys and values; none where this is no mapping.
    fn pairs(&self) -> Vec<(&str, &Self)>;
    /// The text of a scalar, of a string for sure; `None` for null.
    fn text(&self) -> Option<&str>;
    /// Whether it is the boolean.
    fn is_true(&self) -> bool;

    /// The value at the end of a chain of keys.
    fn below(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |tree, key| tree.child(key))
    }

    /// The text at the end of a chain of keys.
    fn text_at(&self, keys: &[&str]) -> Option<&str> {
        self.below(keys)?.text()
    }

    /// The items at the end of a chain of keys.
    fn list_at(&self, keys: &[&str]) -> Vec<&Self> {
        self.below(keys).map(Self::list).unwrap_or_default()
    }
}

impl Tree for Value {
    fn child(&self, key: &str) -> Option<&Self> {
        self.get(key)
    }

    fn list(&self) -> Vec<&Self> {
        self.as_array().into_iter().flatten().collect()
    }

    fn pairs(&self) -> Vec<(&str, &Self)> {
        self.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect()
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

impl Tree for Node {
    fn child(&self, key: &str) -> Option<&Self> {
        self.get(key)
    }

    fn list(&self) -> Vec<&Self> {
        self.items().into_iter().flatten().collect()
    }

    fn pairs(&self) -> Vec<(&str, &Self)> {
        let entries = self.entries().unwrap_or_default();
        entries.iter().filter_map(|(key, value)| Some((key.as_str()?, value))).collect()
    }

    fn text(&self) -> Option<&str> {
        self.as_str().filter(|_| resolve(self, Dialect::V3) != Ok(Scalar::Null))
    }

    fn is_true(&self) -> bool {
        resolve(self, Dialect::V3) == Ok(Scalar::Bool(true))
    }
}
