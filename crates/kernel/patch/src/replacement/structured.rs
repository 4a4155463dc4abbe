//! Writing into the JSON or YAML that is a scalar's text.

use super::json_text::write_json;
use super::{FieldOptions, remember, set_text, write as write_field};
use crate::path::{Create, lookup, lookup_mut, visit_matches};
use crate::shape::raw_text;
use onepane_diagnostics::{FileId, Origin};
use onepane_yaml::{Content, Document, Node, Style, read_documents, write_kyaml_document};

/// Writes `value` where the path goes on within a scalar. Whether there was such a place; where there was none,
/// nothing is changed, and the path is followed in other ways.
pub(super) fn write(
    node: &mut Node,
    path: &[String],
    value: &Node,
    options: &FieldOptions,
    create: Option<Create>,
    origin: Option<&Origin>,
) -> bool {
    let Some((outer, inner, mut document)) = scalar_on_the_way(node, path) else { return false };
    let found = visit_matches(&mut document.root, inner, create, &mut |found| {
        write_field(found.node, found.created, value, options, None)?;
        // The text is written as it is here, where a tag would show: quotes say the same.
        if found.node.style == Style::Plain && found.node.tag.as_deref() == Some("!!str") {
            found.node.style = Style::DoubleQuoted;
            found.node.tag = None;
        }
        Ok(())
    });
    if found.unwrap_or(0) == 0 {
        return false;
    }
    let Ok(Some(scalar)) = lookup_mut(node, outer) else { return false };
    let Some(text) = serialize(&document, raw_text(scalar)) else { return false };
    remember(scalar, origin, |scalar| set_text(scalar, false, text.into()));
    true
}

/// The first scalar on the path that is not its end and that reads as YAML: the path to it, the rest, what it reads
/// as.
fn scalar_on_the_way<'p>(node: &Node, path: &'p [String]) -> Option<(&'p [String], &'p [String], Document)> {
    let file = FileId::new("(a scalar's text)");
    for length in 1..path.len() {
        let (outer, inner) = path.split_at(length);
        let Ok(Some(scalar)) = lookup(node, outer) else { continue };
        let Content::Scalar(text) = &scalar.content else { continue };
        if let Ok(documents) = read_documents(text, file)
            && let Some(document) = documents.into_iter().next()
        {
            return Some((outer, inner, document));
        }
    }
    None
}

/// The document as text in the style of the one it was read from.
fn serialize(document: &Document, original: &str) -> Option<String> {
    if original.trim_start().starts_with(['{', '[']) {
        let pretty = original.contains('\n') && original.contains("  ");
        return write_json(&document.root, pretty);
    }
    Some(write_kyaml_document(document).trim().to_owned())
}
