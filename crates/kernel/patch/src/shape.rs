//! What kind of node a node is, as kyaml sees it.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::{Content, Node, Style};

/// The kind of a node. Null is apart: it goes with every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Null,
    Scalar,
    Sequence,
    Mapping,
    Alias,
}

impl Shape {
    pub(crate) fn of(node: &Node) -> Self {
        match &node.content {
            Content::Scalar(_) if is_null(node) => Self::Null,
            Content::Scalar(_) => Self::Scalar,
            Content::Sequence(_) => Self::Sequence,
            Content::Mapping(_) => Self::Mapping,
            Content::Alias(_) => Self::Alias,
        }
    }

    /// The word of Kustomize's messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null | Self::Scalar => "ScalarNode",
            Self::Sequence => "SequenceNode",
            Self::Mapping => "MappingNode",
            Self::Alias => "AliasNode",
        }
    }

    /// The word of our own.
    fn words(self) -> &'static str {
        match self {
            Self::Null | Self::Scalar => "a single value",
            Self::Sequence => "a list",
            Self::Mapping => "a mapping",
            Self::Alias => "an alias",
        }
    }

    /// Refuses a node that is neither of this kind nor null.
    pub(crate) fn expect(self, node: &Node) -> Result<()> {
        let shape = Self::of(node);
        if shape == self || shape == Self::Null {
            return Ok(());
        }
        let message = format!("wrong node kind: expected {} but got {}", self.name(), shape.name());
        let error = Diagnostic::error("patch-kind-mismatch", message);
        Err(at(error, node).hint(format!("this is {}, where {} is needed", shape.words(), self.words())))
    }
}

/// Points an error at a node that stands in a file.
pub(crate) fn at(error: Box<Diagnostic>, node: &Node) -> Box<Diagnostic> {
    match node.span.or_else(|| node.history.0.span()) {
        Some(span) => error.at(span),
        None => error,
    }
}

/// Whether it is `null`, `~` or nothing.
pub(crate) fn is_null(node: &Node) -> bool {
    match (&node.content, node.tag.as_deref()) {
        (_, Some(tag)) => tag == "!!null",
        (Content::Scalar(text), None) => {
            node.style == Style::Plain && matches!(&**text, "" | "~" | "null" | "Null" | "NULL")
        }
        _ => false,
    }
}

/// Whether it is a string because it is quoted or says so, whatever its text.
pub(crate) fn is_marked_string(node: &Node) -> bool {
    match node.tag.as_deref() {
        Some(tag) => tag == "!!str",
        None => matches!(node.style, Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded),
    }
}

/// Null, `{}`, `[]`: what kyaml takes for absent where it looks for a name.
pub(crate) fn is_null_or_empty(node: &Node) -> bool {
    match &node.content {
        Content::Mapping(entries) => entries.is_empty(),
        Content::Sequence(items) => items.is_empty(),
        _ => is_null(node),
    }
}

/// Null or `{}`.
pub(crate) fn is_empty_map(node: &Node) -> bool {
    is_null(node) || node.entries().is_some_and(<[_]>::is_empty)
}

/// The text of a scalar as it stands, nothing for a collection.
pub(crate) fn raw_text(node: &Node) -> &str {
    match &node.content {
        Content::Scalar(text) => text,
        _ => "",
    }
}

/// Puts a scalar in the place of another and keeps how that was quoted, as kyaml does: a number that comes in the
/// place of a quoted string becomes a string, a string that comes in the place of a plain scalar stays one.
pub(crate) fn keep_style(written: &mut Node, old: &Node) {
    if !matches!((&written.content, &old.content), (Content::Scalar(_), Content::Scalar(_))) {
        return;
    }
    let string = is_marked_string(written);
    let custom = written.tag.as_deref().is_some_and(|tag| !tag.starts_with("!!"));
    written.style = if old.style == Style::Flow { Style::Plain } else { old.style };
    if custom {
        return;
    }
    let quoted = written.style != Style::Plain;
    written.tag = (string && !quoted).then(|| "!!str".into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Node {
        Node { style: Style::DoubleQuoted, ..Node::scalar(text) }
    }

    #[test]
    fn only_plain_untagged_nulls_are_null() {
        for (node, null) in [
            (Node::scalar(""), true),
            (Node::scalar("~"), true),
            (Node::scalar("Null"), true),
            (Node::scalar("nil"), false),
            (quoted(""), false),
            (Node::string("null"), false),
            (Node::mapping(vec![]), false),
        ] {
            assert_eq!(is_null(&node), null, "{node:?}");
        }
    }

    #[test]
    fn a_scalar_takes_over_how_the_old_one_was_quoted() {
        for (written, old, style, tag) in [
            (Node::scalar("2"), quoted("1"), Style::DoubleQuoted, None),
            (quoted("2"), Node::scalar("1"), Style::Plain, Some("!!str")),
            (Node::scalar("2"), Node::scalar("1"), Style::Plain, None),
            (Node::string("2"), quoted("1"), Style::DoubleQuoted, None),
        ] {
            let mut written = written;
            keep_style(&mut written, &old);
            assert_eq!((written.style, written.tag.as_deref()), (style, tag));
        }
    }
}
