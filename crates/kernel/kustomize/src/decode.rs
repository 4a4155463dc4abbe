//! From YAML to the types of this crate, as strictly as Go's JSON decoder reads Kustomize's own types.

use crate::scalar::{NodeExt, Scalar};
use onepane_diagnostics::{Diagnostic, Result, Span};
use onepane_yaml::Node;

/// Reads nodes as values of certain types.
pub(crate) struct Decoder {
    /// Whether a field that is not known is an error.
    strict: bool,
    /// Whether a number or a boolean may stand for a string: sigs.k8s.io/yaml knows what Go's type wants, but not
    /// when it reads a kustomization.
    converts: bool,
    /// What is being read, for messages.
    what: &'static str,
}

/// A text and where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Located {
    pub(crate) text: String,
    pub(crate) span: Option<Span>,
}

impl Decoder {
    /// A field that is not known is an error.
    pub(crate) fn strict(what: &'static str) -> Self {
        Self { strict: true, converts: false, what }
    }

    /// A field that is not known is an error, and a number may stand for a string: files of `configurations:`.
    pub(crate) fn strict_converting(what: &'static str) -> Self {
        Self { strict: true, converts: true, what }
    }

    /// A field that is not known is skipped: the configurations of built-in plugins.
    pub(crate) fn lenient(what: &'static str) -> Self {
        Self { strict: false, converts: true, what }
    }

    /// Reads a mapping: `take` gets each of the `known` fields, whose names are matched as Go does, exactly or else
    /// without regard to case. null is a mapping without fields.
    pub(crate) fn fields<'n>(
        &self,
        node: &'n Node,
        known: &[&'static str],
        mut take: impl FnMut(&'static str, &'n Node) -> Result<()>,
    ) -> Result<()> {
        let Some(entries) = node.entries() else {
            return if node.is_null() { Ok(()) } else { Err(self.mismatch(node, "a mapping")) };
        };
        for (key, value) in entries {
            let name = key.as_str().unwrap_or_default();
            match known_field(name, known) {
                Some(field) => take(field, value).map_err(|mut error| {
                    if error.primary.is_none()
                        && let Some(span) = value.span.or(key.span)
                    {
                        error = error.at(span);
                    }
                    error
                })?,
                None if self.strict => return Err(self.unknown(name, key, known)),
                None => {}
            }
        }
        Ok(())
    }

    /// A list; null is an empty one.
    pub(crate) fn list<'n, T>(&self, node: &'n Node, read: impl FnMut(&'n Node) -> Result<T>) -> Result<Vec<T>> {
        match node.items() {
            Some(items) => items.iter().map(read).collect(),
            None if node.is_null() => Ok(Vec::new()),
            None => Err(self.mismatch(node, "a list")),
        }
    }

    /// A string; null is the empty one.
    pub(crate) fn string(&self, node: &Node) -> Result<String> {
        match self.scalar(node) {
            Some(Scalar::String(text)) => Ok(text.into_owned()),
            Some(Scalar::Null) => Ok(String::new()),
            Some(Scalar::Bool(value)) if self.converts => Ok(value.to_string()),
            Some(Scalar::Int(value)) if self.converts => Ok(value.to_string()),
            Some(Scalar::Uint(value)) if self.converts => Ok(value.to_string()),
            Some(Scalar::Float(value)) if self.converts => Ok(onepane_yaml::format_float(value)),
            _ => Err(self.mismatch(node, "a string")),
        }
    }

    /// A string of a type that is part of another: sigs.k8s.io/yaml does not know that it is one, so that no number
    /// stands for it.
    pub(crate) fn embedded_string(&self, node: &Node) -> Result<String> {
        Self { converts: false, ..*self }.string(node)
    }

    /// A string and its place.
    pub(crate) fn located(&self, node: &Node) -> Result<Located> {
        Ok(Located { text: self.string(node)?, span: node.span })
    }

    /// A list of strings.
    pub(crate) fn strings(&self, node: &Node) -> Result<Vec<String>> {
        self.list(node, |item| self.string(item))
    }

    /// A list of strings and their places.
    pub(crate) fn located_list(&self, node: &Node) -> Result<Vec<Located>> {
        self.list(node, |item| self.located(item))
    }

    /// A boolean; null is false.
    pub(crate) fn bool(&self, node: &Node) -> Result<bool> {
        match self.scalar(node) {
            Some(Scalar::Bool(value)) => Ok(value),
            Some(Scalar::Null) => Ok(false),
            _ => Err(self.mismatch(node, "a boolean")),
        }
    }

    /// A whole number; null is zero.
    pub(crate) fn integer(&self, node: &Node) -> Result<i64> {
        match self.scalar(node) {
            Some(Scalar::Int(value)) => Ok(value),
            Some(Scalar::Null) => Ok(0),
            _ => Err(self.mismatch(node, "a whole number")),
        }
    }

    /// A mapping from strings to strings, sorted by key.
    pub(crate) fn string_map(&self, node: &Node) -> Result<Vec<(String, Located)>> {
        let Some(entries) = node.entries() else {
            return if node.is_null() { Ok(Vec::new()) } else { Err(self.mismatch(node, "a mapping")) };
        };
        let mut map = std::collections::BTreeMap::new();
        for (key, value) in entries {
            let located = Located { text: self.string(value)?, span: key.span.or(value.span) };
            map.insert(key.as_str().unwrap_or_default().to_owned(), located);
        }
        Ok(map.into_iter().collect())
    }

    /// Configurations of plugins went through a resource, whose `yes` is a string.
    fn scalar<'n>(&self, node: &'n Node) -> Option<Scalar<'n>> {
        if self.strict { node.scalar_1_1() } else { node.scalar_1_2() }
    }

    fn mismatch(&self, node: &Node, wanted: &str) -> Box<Diagnostic> {
        let is = match self.scalar(node) {
            Some(Scalar::String(_) | Scalar::Timestamp(_) | Scalar::Binary(_)) => "a string",
            Some(Scalar::Bool(_)) => "a boolean",
            Some(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "a number",
            Some(Scalar::Null) => "null",
            None if node.items().is_some() => "a list",
            None => "a mapping",
        };
        let mut error =
            Diagnostic::error("kustomize-field", format!("invalid {}: this must be {wanted}, not {is}", self.what));
        if let Some(span) = node.span {
            error = error.at(span);
        }
        let text = node.as_str().unwrap_or_default();
        error.hint(match (wanted, text) {
            ("a string", "") => "write a single text".to_owned(),
            ("a string", text) => format!("put it in quotes: \"{text}\""),
            ("a list", _) => "start each of its entries with `- `".to_owned(),
            ("a boolean", _) => "write `true` or `false`, without quotes".to_owned(),
            ("a whole number", _) => "write digits alone, without quotes".to_owned(),
            _ => "write it as `key: value` lines".to_owned(),
        })
    }

    fn unknown(&self, name: &str, key: &Node, known: &[&'static str]) -> Box<Diagnostic> {
        let mut error =
            Diagnostic::error("kustomize-field", format!("invalid {}: unknown field \"{name}\"", self.what));
        if let Some(span) = key.span {
            error = error.at(span.with_length(name.chars().count() as u32));
        }
        match closest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the fields here are: {}", known.join(", "))),
        }
    }
}

/// Names to choose from, as many as one wants to read.
pub(crate) fn some_of(names: &[&str]) -> String {
    const SOME: usize = 5;
    let some: Vec<String> = names.iter().take(SOME).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SOME);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    some.join(", ") + &more
}

/// The field that a key names: in any case, as Go reads JSON.
pub(crate) fn known_field(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let exact = known.iter().find(|field| **field == key);
    exact.or_else(|| known.iter().find(|field| field.eq_ignore_ascii_case(key))).copied()
}

/// The candidate that `name` was most likely meant to be, if one is near enough.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let distance = |candidate: &str| edit_distance(&name.to_lowercase(), &candidate.to_lowercase());
    let best =
        candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(near, _)| *near)?;
    (best.0 <= limit).then_some(best.1)
}

fn edit_distance(a: &str, b: &str) -> usize {
    // Names longer than this are not typing errors worth the time.
    const LONGEST: usize = 128;
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(LONGEST).enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_near_or_none() {
        for (name, wanted) in [("resource", Some("resources")), ("Images", Some("images")), ("xyz", None)] {
            assert_eq!(closest(name, ["resources", "images", "patches"]), wanted, "{name}");
        }
    }
}
