//! [`write_kyaml`]: a node as kyaml's encoder writes it, styles and comments kept.

use crate::MAX_DEPTH;
use crate::read::Document;
use crate::resolve::{Dialect, Scalar, resolve_plain};
use crate::sorted::is_quoted;
use crate::{CollectionNode, Content, Emitter, Node, Remarks, ScalarNode, Style};

/// Writes a node as kyaml does, which is go-yaml v3 with an indentation of two and sequences in the column of their
/// key: order, styles, tags, anchors and comments stay.
///
/// A node without a place in a file whose tag is `!!str`, as [`Node::string`] makes it, is quoted where it would be
/// taken for something else and its tag is not written.
pub fn write_kyaml(node: &Node) -> String {
    let mut emitter = Emitter::kyaml();
    write_node(node, &mut emitter, "", false, 0);
    emitter.end_document();
    emitter.finish()
}

/// [`write_kyaml`] with the comments that belong to the document as a whole.
pub fn write_kyaml_document(document: &Document) -> String {
    write_document(document, Emitter::kyaml())
}

/// A document as go-yaml v3 itself writes it, with an indentation of two: sequences are deeper than their key.
pub fn write_v3_document(document: &Document) -> String {
    write_document(document, Emitter::pretty())
}

fn write_document(document: &Document, mut emitter: Emitter) -> String {
    emitter.document_head(&document.head);
    write_node(&document.root, &mut emitter, "", false, 0);
    emitter.remark(Remarks { foot: &document.foot, ..Remarks::default() });
    emitter.end_document();
    emitter.finish()
}

/// `tail` is the foot comment of the key before, which stands behind that one's whole value; `is_key` tells that the
/// node's own foot comment is to do so.
fn write_node(node: &Node, emitter: &mut Emitter, tail: &str, is_key: bool, depth: usize) {
    if depth > MAX_DEPTH {
        // Reading refuses such a tree; one that a program built is cut off rather than followed into the ground.
        return emitter.null();
    }
    let own = match &node.comments {
        Some(comments) => {
            let foot: &str = if is_key { "" } else { &comments.foot };
            Remarks { tail, head: &comments.head, line: &comments.line, foot }
        }
        None => Remarks { tail, ..Remarks::default() },
    };
    // A collection's comments behind and under it belong to its end.
    let start = Remarks { line: "", foot: "", ..own };
    let end = Remarks { head: "", tail: "", ..own };
    let flow = node.style == Style::Flow;
    let tag = node.tag.as_deref().filter(|tag| *tag != "!");
    let anchor = node.anchor.as_deref();
    match &node.content {
        Content::Scalar(text) => {
            emitter.remark(own);
            let (tag, style) = tag_and_style(node, text, tag);
            emitter.scalar(ScalarNode { text, style, tag, anchor });
        }
        Content::Alias(name) => {
            // go-yaml loses a tail before an alias or a sequence.
            emitter.remark(Remarks { tail: "", ..own });
            emitter.alias(name);
        }
        Content::Sequence(items) => {
            emitter.remark(Remarks { tail: "", ..start });
            emitter.begin(CollectionNode { is_mapping: false, empty: items.is_empty(), flow, tag, anchor });
            for item in items {
                write_node(item, emitter, "", false, depth + 1);
            }
            emitter.remark(end);
            emitter.end();
        }
        Content::Mapping(entries) => {
            emitter.remark(start);
            emitter.begin(CollectionNode { is_mapping: true, empty: entries.is_empty(), flow, tag, anchor });
            let mut tail = "";
            for (key, value) in entries {
                write_node(key, emitter, tail, true, depth + 1);
                tail = key.comments.as_ref().map_or("", |comments| &*comments.foot);
                write_node(value, emitter, "", false, depth + 1);
            }
            emitter.remark(Remarks { tail, ..end });
            emitter.end();
        }
    }
}

fn tag_and_style<'a>(node: &Node, text: &str, tag: Option<&'a str>) -> (Option<&'a str>, Style) {
    if text == "<<" && tag.is_none() && node.style == Style::Plain && node.span.is_some() {
        // kyaml remembers that it is a merge key and says so.
        return (Some("!!merge"), Style::Plain);
    }
    let implied = tag == Some("!!str") && node.span.is_none();
    let tag = if implied { None } else { tag };
    let style = match node.style {
        style if is_quoted(style) => style,
        _ if text.contains('\n') => Style::Literal,
        _ if implied && !matches!(resolve_plain(text, Dialect::V3), Scalar::String(_)) => Style::DoubleQuoted,
        _ => Style::Plain,
    };
    (tag, style)
}
