//! Nodes as if they had been through JSON.

use crate::options::DEEPEST;
use onepane_diagnostics::Origin;
use onepane_yaml::{Content, Dialect, Node, Scalar, Style, folded_and_read, format_float, resolve, resolve_plain};

/// Integers from here on are not all floats.
const EXACT: u64 = 1 << 53;

/// Leaves of a node what JSON keeps, as Kustomize does to a resource that a JSON patch goes through: no comments, no
/// anchors, no quotes but those that are needed, no integers that a float cannot hold.
///
/// How a string is quoted matters later: what a strategic merge puts in the place of a quoted string is a string. What
/// gets another text remembers `mark`.
pub(super) fn as_json(node: &mut Node, mark: Option<&Origin>) {
    normalize(node, mark, false, 0);
}

/// `flow` tells whether the node stands in brackets, where go-yaml writes a null of which nothing is written as `''`.
fn normalize(node: &mut Node, mark: Option<&Origin>, flow: bool, depth: usize) {
    let inner = flow || node.style == Style::Flow;
    node.comments = None;
    node.anchor = None;
    match &mut node.content {
        // Readers bound the depth well below; what a patch could still nest deeper stays as it is.
        _ if depth > DEEPEST => {}
        Content::Mapping(entries) => {
            node.style = Style::Plain;
            for (key, value) in entries {
                key.comments = None;
                normalize(value, mark, inner, depth + 1);
            }
        }
        Content::Sequence(items) => {
            node.style = Style::Plain;
            items.iter_mut().for_each(|item| normalize(item, mark, inner, depth + 1));
        }
        Content::Scalar(text) if flow && text.is_empty() && node.tag.is_none() => node.style = Style::DoubleQuoted,
        Content::Scalar(_) => scalar_as_json(node, mark),
        Content::Alias(_) => {}
    }
}

fn scalar_as_json(node: &mut Node, mark: Option<&Origin>) {
    let text = match resolve(node, Dialect::V3) {
        Ok(Scalar::Int(value)) if value.unsigned_abs() > EXACT => format_float(value as f64),
        Ok(Scalar::Uint(value)) => format_float(value as f64),
        Ok(Scalar::String(text)) => {
            // It is written as YAML and read on the way.
            let refolded = (node.style == Style::Folded).then(|| folded_and_read(&text));
            let refolded = refolded.filter(|new| **new != *text);
            let style = string_style(refolded.as_deref().unwrap_or(&text));
            if let Some(text) = refolded {
                set_text(node, text, mark);
            }
            node.style = style;
            node.tag = None;
            return;
        }
        _ => return,
    };
    set_text(node, text.into(), mark);
}

fn set_text(node: &mut Node, text: Box<str>, mark: Option<&Origin>) {
    if let Some(mark) = mark {
        node.history.0 = mark.over(&node.origin());
    }
    node.content = Content::Scalar(text);
}

/// How go-yaml writes a string.
fn string_style(text: &str) -> Style {
    let is_string = |dialect| matches!(resolve_plain(text, dialect), Scalar::String(_));
    if text.contains('\n') {
        Style::Literal
    } else if is_string(Dialect::V3) && is_string(Dialect::V2) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    }
}

/// Makes scalars whose type differs between YAML 1.1 and 1.2 what they are in the former.
pub(super) fn as_json_of_v2(node: &mut Node, depth: usize) {
    match &mut node.content {
        _ if depth > DEEPEST => {}
        Content::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| as_json_of_v2(value, depth + 1)),
        Content::Sequence(items) => items.iter_mut().for_each(|item| as_json_of_v2(item, depth + 1)),
        Content::Scalar(text) if node.style == Style::Plain && node.tag.is_none() => {
            let (v2, v3) = (resolve_plain(text, Dialect::V2), resolve_plain(text, Dialect::V3));
            // In JSON a null is always written out.
            if v2 == v3 && v2 != Scalar::Null {
                return;
            }
            let (text, tag): (Box<str>, _) = match v2 {
                Scalar::Null => ("null".into(), None),
                Scalar::Bool(value) => (if value { "true" } else { "false" }.into(), None),
                Scalar::Int(value) => (value.to_string().into(), None),
                Scalar::Uint(value) => (value.to_string().into(), None),
                Scalar::Float(value) => (format_float(value).into(), None),
                // Dates stay as they were written.
                Scalar::String(_) | Scalar::Timestamp(_) | Scalar::Binary(_) => {
                    (std::mem::take(text), Some("!!str".into()))
                }
            };
            node.content = Content::Scalar(text);
            node.tag = tag;
        }
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{json, yaml};

    #[test]
    fn nothing_in_brackets_is_an_empty_string() {
        let mut node = yaml("a:\nb: {c: , d: ~}\n");
        as_json(&mut node, None);
        assert_eq!(json(&node), r#"{"a":null,"b":{"c":"","d":null}}"#);
    }

    #[test]
    fn folded_lines_that_are_indented_move_apart() {
        let mut node = yaml("a: >\n  one\n  two\n    more\n  three\n");
        as_json(&mut node, None);
        assert_eq!(json(&node), r#"{"a":"one two\n\n  more\nthree\n"}"#);
    }

    #[test]
    fn quotes_that_are_not_needed_go() {
        let mut node = yaml("a: 'x'\nb: \"5\"\nc: 'yes'\nd: \"a\\nb\"\n# e\ne: 9007199254740993\nf: 5\n");
        let before = json(&node);
        as_json(&mut node, None);
        let styles: Vec<_> = node.entries().unwrap().iter().map(|(_, value)| value.style).collect();
        use Style::{DoubleQuoted, Literal, Plain};
        assert_eq!(styles, [Plain, DoubleQuoted, DoubleQuoted, Literal, Plain, Plain]);
        assert_eq!(json(&node), before.replace("9007199254740993", "9007199254740992"));
        assert!(node.entries().unwrap()[4].0.comments.is_none());
    }
}
