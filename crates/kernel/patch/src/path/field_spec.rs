//! The paths of transformers: [`FieldSpec`].

use super::lookup::malformed;
use super::parts::{Part, split_at};
use crate::options::check_depth;
use crate::shape::{Shape, is_null};
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Node};

/// A path of a transformer's configuration, such as `spec/template/spec/containers[]/image`.
///
/// Lists on the way are gone into without being named; `[]` behind a name only says that a null there is an empty
/// list. `\/` is a slash within a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    path: Box<str>,
    parts: Vec<FieldPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldPart {
    name: Box<str>,
    is_list: bool,
}

/// What is made at the end of a path where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// An empty mapping.
    Mapping,
    /// An empty list.
    Sequence,
    /// A scalar to be written: plain, without text or tag.
    Scalar,
}

impl Create {
    fn content(self) -> Content {
        match self {
            Self::Mapping => Content::Mapping(Vec::new()),
            Self::Sequence => Content::Sequence(Vec::new()),
            Self::Scalar => Content::Scalar("".into()),
        }
    }

    fn node(self) -> Node {
        match self {
            Self::Mapping => Node::mapping(Vec::new()),
            Self::Sequence => Node::sequence(Vec::new()),
            Self::Scalar => Node::scalar(""),
        }
    }
}

impl FieldSpec {
    /// From its text.
    pub fn parse(path: &str) -> Self {
        let parts = split_at(path, '/').into_iter().map(|part| match part.strip_suffix("[]") {
            Some(name) => FieldPart { name: name.into(), is_list: true },
            None => FieldPart { name: part.into(), is_list: false },
        });
        Self { path: path.into(), parts: parts.collect() }
    }

    /// Its text.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Calls `visit` with every node at the path. With `create`, fields that are missing are made, unless the path
    /// says that they are lists.
    ///
    /// # Errors
    /// Those of `visit`; `field-path` and `patch-kind-mismatch` when the path goes into a scalar or has an empty name.
    pub fn visit(
        &self,
        node: &mut Node,
        create: Option<Create>,
        visit: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        walk(node, &self.parts, create, visit, 0)
    }
}

fn walk(
    node: &mut Node,
    parts: &[FieldPart],
    create: Option<Create>,
    visit: &mut dyn FnMut(&mut Node) -> Result<()>,
    depth: usize,
) -> Result<()> {
    check_depth(depth, node)?;
    let Some((part, rest)) = parts.split_first() else { return visit(node) };
    match Shape::of(node) {
        Shape::Null => Ok(()),
        Shape::Sequence => {
            let items = node.items_mut().map(Vec::as_mut_slice).unwrap_or_default();
            items.iter_mut().try_for_each(|item| walk(item, parts, create, visit, depth + 1))
        }
        Shape::Mapping => match field(node, part, rest.is_empty(), create)? {
            Some(value) => walk(value, rest, create, visit, depth + 1),
            None => Ok(()),
        },
        Shape::Scalar | Shape::Alias => {
            let message = "expected sequence or mapping node".to_owned();
            Err(malformed(message, node, "the path goes on below this, which is a single value"))
        }
    }
}

fn field<'n>(node: &'n mut Node, part: &FieldPart, last: bool, create: Option<Create>) -> Result<Option<&'n mut Node>> {
    if part.name.is_empty() {
        let message = "cannot set or create an empty field name".to_owned();
        return Err(malformed(message, node, "write the path as keys joined by single slashes"));
    }
    // Names go through the same look-up as dotted paths, which takes `0`, `-` and `[…]` for list elements.
    match Part::parse(part.name.trim()) {
        Part::Field(_) => {}
        Part::Every => {
            let message = "wildcard is not supported in PathGetter".to_owned();
            return Err(malformed(message, node, "lists on the way are gone into without being named"));
        }
        _ => Shape::Sequence.expect(node)?,
    }
    let name = part.name.trim();
    let create = create.filter(|_| !part.is_list).map(|create| if last { create } else { Create::Mapping });
    let null_becomes = if part.is_list { Some(Create::Sequence) } else { create };
    let Content::Mapping(entries) = &mut node.content else { return Ok(None) };
    let position = match entries.iter().position(|(key, _)| key.as_str() == Some(name)) {
        Some(position) => position,
        None => {
            let Some(create) = create else { return Ok(None) };
            entries.push((Node::scalar(name), create.node()));
            entries.len() - 1
        }
    };
    let Some((_, value)) = entries.get_mut(position) else { return Ok(None) };
    if let Some(kind) = null_becomes
        && is_null(value)
        && !(kind == Create::Scalar && value.tag.is_none())
    {
        value.content = kind.content();
        value.tag = None;
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{json, yaml};

    fn set_all(text: &str, path: &str, create: Option<Create>) -> Result<String> {
        let mut node = yaml(text);
        FieldSpec::parse(path).visit(&mut node, create, &mut |node| {
            if node.entries().is_some() {
                node.set("k", Node::string("v"));
            } else {
                *node = Node::string("v");
            }
            Ok(())
        })?;
        Ok(json(&node))
    }

    #[test]
    fn every_node_at_the_path_is_visited() {
        for (text, path, create, expected) in [
            ("a: {b: 1}", "a/b", None, r#"{"a":{"b":"v"}}"#),
            ("a: {b: 1}", "/a/b", None, r#"{"a":{"b":"v"}}"#),
            ("a: [{b: 1}, {c: 2}]", "a/b", None, r#"{"a":[{"b":"v"},{"c":2}]}"#),
            ("a: [{b: 1}, {c: 2}]", "a[]/b", Some(Create::Scalar), r#"{"a":[{"b":"v"},{"b":"v","c":2}]}"#),
            ("a: {b: 1}", "a/c", None, r#"{"a":{"b":1}}"#),
            ("a: {b: 1}", "a/c/d", Some(Create::Mapping), r#"{"a":{"b":1,"c":{"d":{"k":"v"}}}}"#),
            ("a: {b: 1}", "c[]/d", Some(Create::Scalar), r#"{"a":{"b":1}}"#),
            ("a: null", "a/b", Some(Create::Scalar), r#"{"a":{"b":"v"}}"#),
            ("a: null", "a/b", None, r#"{"a":null}"#),
            ("a: null", "a[]/b", None, r#"{"a":[]}"#),
            ("{'a/b': 1}", "a\\/b", None, r#"{"a/b":"v"}"#),
            ("a: [[{b: 1}]]", "a/b", None, r#"{"a":[[{"b":"v"}]]}"#),
        ] {
            assert_eq!(set_all(text, path, create).unwrap(), expected, "{text} {path}");
        }
    }

    #[test]
    fn a_path_through_a_scalar_is_an_error() {
        assert_eq!(set_all("a: x", "a/b", None).unwrap_err().message, "expected sequence or mapping node");
        assert_eq!(set_all("a: {}", "a//b", None).unwrap_err().message, "cannot set or create an empty field name");
    }
}
