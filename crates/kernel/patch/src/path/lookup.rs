//! One place by path: [`lookup`].

use super::parts::Part;
use crate::shape::{Shape, at, is_null, raw_text};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::{Content, Node};

/// The node at a path, as kyaml's `PathGetter` finds it: fields, list indices, `-` for a list's last element,
/// `[key=value]` for its first element with that value and `[=value]` for its first that is that text. `None` where
/// something on the way is missing or null.
///
/// # Errors
/// `field-path` when a field is asked of a list or a scalar, an element of something that is no list, and for parts
/// that cannot be: `*`, negative indices, brackets without `=`.
pub fn lookup<'n>(node: &'n Node, path: &[impl AsRef<str>]) -> Result<Option<&'n Node>> {
    let mut node = node;
    for part in steps(path) {
        let Some(position) = position(node, part)? else { return Ok(None) };
        let next = match &node.content {
            Content::Mapping(entries) => entries.get(position).map(|(_, value)| value),
            Content::Sequence(items) => items.get(position),
            Content::Scalar(_) | Content::Alias(_) => None,
        };
        match next {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// [`lookup`] of a node to change.
///
/// # Errors
/// As [`lookup`].
pub fn lookup_mut<'n>(node: &'n mut Node, path: &[impl AsRef<str>]) -> Result<Option<&'n mut Node>> {
    let mut node = node;
    for part in steps(path) {
        let Some(position) = position(node, part)? else { return Ok(None) };
        let next = match &mut node.content {
            Content::Mapping(entries) => entries.get_mut(position).map(|(_, value)| value),
            Content::Sequence(items) => items.get_mut(position),
            Content::Scalar(_) | Content::Alias(_) => None,
        };
        match next {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

fn steps<S: AsRef<str>>(path: &[S]) -> impl Iterator<Item = &str> {
    path.iter().map(|part| part.as_ref().trim()).filter(|part| !part.is_empty())
}

/// Where in a mapping or a list the part leads to.
fn position(node: &Node, part: &str) -> Result<Option<usize>> {
    let items = || -> Result<&[Node]> {
        Shape::Sequence.expect(node)?;
        Ok(node.items().unwrap_or_default())
    };
    Ok(match Part::parse(part) {
        Part::Index(index) if index < 0 => {
            let message = format!("array index {index} cannot be negative");
            return Err(malformed(message, node, "elements count from 0, and `-` is the last"));
        }
        Part::Index(index) => {
            items()?;
            usize::try_from(index).ok()
        }
        Part::Last => items()?.len().checked_sub(1),
        Part::Every => return Err(malformed("wildcard is not supported in PathGetter".to_owned(), node, ONE)),
        Part::Malformed => return Err(malformed(NO_VALUE.to_owned(), node, ELEMENT)),
        Part::Element { key: "", value } => items()?.iter().position(|item| raw_text(item) == value),
        Part::Element { key, value } => {
            items()?.iter().position(|item| item.get(key).is_some_and(|found| raw_text(found) == value))
        }
        Part::Field(_) if is_null(node) => None,
        Part::Field(name) => {
            Shape::Mapping.expect(node)?;
            node.entries().and_then(|entries| entries.iter().position(|(key, _)| key.as_str() == Some(name)))
        }
    })
}

/// How one element of several is meant.
pub(super) const ONE: &str = "name one element, by its index or as `[name=web]`";
pub(super) const ELEMENT: &str = "write `[name=web]`; a key with dots is `[a.b/c]` between two dots";
pub(super) const NO_VALUE: &str = "list path element must contain fieldName=fieldValue for element to match";

/// An error of a path itself, which is pointed at where it leads; `hint` says how to write it.
pub(super) fn malformed(message: String, node: &Node, hint: &str) -> Box<Diagnostic> {
    at(Diagnostic::error("field-path", message), node).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::split;
    use crate::testing::yaml;

    #[test]
    fn places_are_found_by_path() {
        let node = yaml("a: {b: [{name: x, v: 1}, {name: y, v: 2}], c: [p, q], d: null, 'e.f': 3}");
        for (path, expected) in [
            ("a.b.0.v", Some("1")),
            ("a.b.-.v", Some("2")),
            ("a.b.[name=y].v", Some("2")),
            ("a.b.[name=z].v", None),
            ("a.b.7.v", None),
            ("a.c.[=q]", Some("q")),
            ("a.d.x", None),
            ("a.e\\.f", Some("3")),
            ("a.[e.f]", Some("3")),
            (" a . e\\.f ", Some("3")),
        ] {
            let found = lookup(&node, &split(path)).unwrap();
            assert_eq!(found.map(raw_text), expected, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let node = yaml("a: {b: [{name: x, v: 1}]}");
        for (path, message) in [
            ("a.b.name", "wrong node kind: expected MappingNode but got SequenceNode"),
            ("a.0", "wrong node kind: expected SequenceNode but got MappingNode"),
            ("a.b.-1", "array index -1 cannot be negative"),
            ("a.b.*", "wildcard is not supported in PathGetter"),
            ("a.b.[name]", NO_VALUE),
        ] {
            assert_eq!(lookup(&node, &split(path)).unwrap_err().message, message, "{path}");
        }
    }
}
