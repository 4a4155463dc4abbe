//! [`write_sorted`]: a resource as Kustomize prints it.

use crate::MAX_DEPTH;
use crate::json_text::{key_through_json, string_through_json};
use crate::{Content, Dialect, Emitter, Node, Scalar, Style, resolve, sort_by_keys};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use std::borrow::Cow;
use std::collections::HashMap;

/// Writes a node as `kustomize build` does: typed by go-yaml v3's rules, through JSON, with sorted keys, by go-yaml v2.
/// Comments, styles, tags and aliases are gone, timestamps have become strings.
///
/// Errors: `yaml-duplicate-key`, `yaml-alias-bomb`, and `yaml-not-json` for what JSON cannot hold.
pub fn write_sorted(node: &Node) -> Result<String> {
    let mut text = String::new();
    write_sorted_into(node, &mut text)?;
    Ok(text)
}

/// [`write_sorted`] at the end of a text; after an error the text ends anywhere.
pub fn write_sorted_into(node: &Node, text: &mut String) -> Result<()> {
    let resolved;
    let node = if node.has_aliases() {
        let mut copy = node.clone();
        copy.resolve_aliases()?;
        resolved = copy;
        &resolved
    } else {
        node
    };
    let mut emitter = Emitter::sigs();
    emitter.append_to(std::mem::take(text));
    let written = write_node(node, &mut emitter, 0, false);
    emitter.end_document();
    *text = emitter.finish();
    written
}

/// `flow` tells whether the node stands in brackets.
fn write_node(node: &Node, emitter: &mut Emitter, depth: usize, flow: bool) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(not_json("exceeded max depth of 1000", node.span));
    }
    let inner_flow = flow || node.style == Style::Flow;
    match &node.content {
        Content::Scalar(text) => match node.style {
            // kyaml writes the tree and reads it again on the way: nothing in brackets becomes an empty string, and
            // lines of folded text that are indented move apart.
            Style::Plain if flow && text.is_empty() && node.tag.is_none() => {
                emitter.string("");
                Ok(())
            }
            Style::Folded => write_scalar(&quoted(folded_and_read(text)), emitter),
            _ => write_scalar(node, emitter),
        },
        Content::Sequence(items) => {
            emitter.begin_sequence(items.is_empty());
            for item in items {
                write_node(item, emitter, depth + 1, inner_flow)?;
            }
            emitter.end();
            Ok(())
        }
        Content::Mapping(entries) => {
            check_unique(entries)?;
            let mut sorted = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                if let Some(key) = key_text(key, depth)? {
                    sorted.push((key, value));
                }
            }
            sort_by_keys(&mut sorted, Dialect::V2);
            emitter.begin_mapping(sorted.is_empty());
            for (key, value) in sorted {
                emitter.string(&key);
                write_node(value, emitter, depth + 1, inner_flow)?;
            }
            emitter.end();
            Ok(())
        }
        Content::Alias(name) => Err(not_json(format!("unknown anchor '{name}' referenced"), node.span)),
    }
}

/// A folded scalar's text after kyaml has written and read it: go-yaml doubles a break before a line that is indented.
pub fn folded_and_read(text: &str) -> Box<str> {
    let folded = Node { style: Style::Folded, ..Node::scalar(text) };
    let read = crate::read(&crate::write_kyaml(&folded), FileId::new("-"));
    let read = read.ok().and_then(|nodes| nodes.into_iter().next());
    match read.map(|node| node.content) {
        Some(Content::Scalar(text)) => text,
        _ => text.into(),
    }
}

fn quoted(text: Box<str>) -> Node {
    Node { style: Style::DoubleQuoted, ..Node::scalar(text) }
}

/// A key's text. At the root, anything but null goes for a string; below it, Go's JSON encoder wants strings.
fn key_text(key: &Node, depth: usize) -> Result<Option<Cow<'_, str>>> {
    if key.as_str() == Some("") && key.tag.is_none() {
        // Written as '' on the way.
        return Ok(Some(Cow::Borrowed("")));
    }
    let scalar = resolve(key, Dialect::V3).map_err(|message| not_json(message, key.span))?;
    let text = match (&key.content, scalar) {
        (Content::Scalar(text), Scalar::String(_)) if depth == 0 || has_string_tag(key) => &**text,
        (Content::Scalar(_), Scalar::Null) if depth == 0 => return Ok(None),
        (Content::Scalar(text), _) if depth == 0 => &**text,
        _ => {
            let diagnostic = not_json("json: unsupported type: map[interface {}]interface {}", key.span);
            return Err(diagnostic.hint("this key is no string: put it in quotes"));
        }
    };
    key_through_json(text).map(Some).map_err(|message| not_json(message, key.span))
}

fn has_string_tag(key: &Node) -> bool {
    matches!(key.tag.as_deref(), None | Some("!" | "!!str" | "!!merge"))
}

fn write_scalar(node: &Node, emitter: &mut Emitter) -> Result<()> {
    let refuse = |message: &str| not_json(message, node.span);
    match resolve(node, Dialect::V3).map_err(|message| refuse(&message))? {
        Scalar::Null => emitter.null(),
        Scalar::Bool(value) => emitter.bool(value),
        Scalar::Int(value) => emitter.int(value),
        Scalar::Uint(value) => emitter.uint(value),
        Scalar::Float(value) if value.is_finite() => emitter.json_number(value),
        Scalar::Float(value) => {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(refuse(&format!("json: unsupported value: {name}")));
        }
        Scalar::String(text) => emitter.string(&string_through_json(&text).map_err(refuse)?),
        Scalar::Timestamp(text) => emitter.string(&text),
        Scalar::Binary(bytes) => emitter.string(&string_through_json(&go_string(&bytes)).map_err(refuse)?),
    }
    Ok(())
}

/// Bytes as Go's JSON encoder writes them: each byte that is no UTF-8 becomes U+FFFD.
pub(crate) fn go_string(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                chunk.invalid().iter().for_each(|_| text.push('\u{FFFD}'));
            }
            Cow::Owned(text)
        }
    }
}

/// Refuses a key that stands twice, as go-yaml v3 does when it decodes. Keys are compared by their text.
pub(crate) fn check_unique(entries: &[(Node, Node)]) -> Result<()> {
    const FEW: usize = 12;
    let duplicate = |first: &Node, second: &Node| {
        let line = first.span.map_or(0, |span| span.line);
        let name = second.as_str().unwrap_or_default();
        let message = format!("mapping key {name:?} already defined at line {line}");
        let diagnostic = Diagnostic::error("yaml-duplicate-key", message);
        let diagnostic = if let Some(span) = second.span { diagnostic.at(span) } else { diagnostic };
        if let Some(span) = first.span { diagnostic.label(span, "defined here first") } else { diagnostic }
    };
    if entries.len() <= FEW {
        for (index, (second, _)) in entries.iter().enumerate() {
            let Some(name) = second.as_str() else { continue };
            if let Some((first, _)) = entries[..index].iter().find(|(key, _)| key.as_str() == Some(name)) {
                return Err(duplicate(first, second));
            }
        }
        return Ok(());
    }
    let mut seen: HashMap<&str, &Node> = HashMap::with_capacity(entries.len());
    for (key, _) in entries {
        if let Some(name) = key.as_str()
            && let Some(first) = seen.insert(name, key)
        {
            return Err(duplicate(first, key));
        }
    }
    Ok(())
}

fn not_json(message: impl Into<String>, span: Option<Span>) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error("yaml-not-json", message);
    match span {
        Some(span) => diagnostic.at(span),
        None => diagnostic,
    }
}

/// Whether a node's look says that it is a string.
pub(crate) fn is_quoted(style: Style) -> bool {
    matches!(style, Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded)
}
