//! The fields of a rendered file that were made of secrets: [`secret_fields`].

use crate::RenderedFile;
use crate::why::join_item;
use onepane_diagnostics::{FileId, Result, Span};
use onepane_resource::join_key;
use onepane_yaml::Node;
use std::ops::Range;

/// A scalar that was made of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The document of the file, from 0.
    pub(super) document: usize,
    pub(super) path: Vec<Segment>,
    /// The path for people.
    pub(super) shown: String,
    /// `Kind/name`
    pub(super) resource: String,
    /// The line that the secret is from.
    pub(super) source: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Key(String),
    Item(usize),
}

/// The node at a path.
pub(super) fn node_at<'n>(node: &'n Node, path: &[Segment]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, segment| match segment {
        Segment::Key(key) => node.get(key),
        Segment::Item(index) => node.items()?.get(*index),
    })
}

/// All of them, in the order of the text.
pub(super) fn secret_fields(file: &RenderedFile) -> Result<Vec<Field>> {
    let secrets = file.secrets();
    if secrets.is_empty() {
        return Ok(Vec::new());
    }
    let text = &file.contents;
    let documents = onepane_yaml::read(text, FileId::new(&file.path))?;
    let mut places = Places { starts: line_starts(text), text, nodes: Vec::new(), leaves: Vec::new() };
    for (number, document) in documents.iter().enumerate() {
        places.visit(document, &mut Leaf { document: number, path: Vec::new(), shown: String::new() });
    }
    let Places { mut nodes, mut leaves, .. } = places;
    nodes.sort_unstable();
    leaves.sort_by_key(|(start, _)| *start);
    let mut fields = Vec::new();
    for (start, leaf) in leaves {
        // Up to the next key or value; what stands behind it on its line belongs to it.
        let end = nodes[nodes.partition_point(|node| *node <= start)..].first().copied().unwrap_or(text.len());
        let range = start..start + text[start..end].trim_end().len();
        let overlaps = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if let Some((_, source)) = secrets.iter().find(|(secret, _)| overlaps(secret)) {
            let resource = resource(&documents[leaf.document]);
            let Leaf { document, path, shown } = leaf;
            fields.push(Field { document, path, shown, resource, source: *source });
        }
    }
    Ok(fields)
}

#[derive(Clone)]
struct Leaf {
    document: usize,
    path: Vec<Segment>,
    shown: String,
}

/// Where keys and values begin, in bytes.
struct Places<'t> {
    starts: Vec<usize>,
    text: &'t str,
    nodes: Vec<usize>,
    leaves: Vec<(usize, Leaf)>,
}

impl Places<'_> {
    fn visit(&mut self, node: &Node, leaf: &mut Leaf) {
        if let Some(entries) = node.entries() {
            for (key, value) in entries {
                let start = self.offset(key);
                self.nodes.extend(start);
                let name = key.as_str().unwrap_or_default();
                let shown = join_key(&leaf.shown, name);
                self.within(value, leaf, Segment::Key(name.to_owned()), shown);
            }
        } else if let Some(items) = node.items() {
            for (index, item) in items.iter().enumerate() {
                let shown = join_item(&leaf.shown, index, item);
                self.within(item, leaf, Segment::Item(index), shown);
            }
        } else if let Some(start) = self.offset(node) {
            self.nodes.push(start);
            self.leaves.push((start, leaf.clone()));
        }
    }

    fn within(&mut self, node: &Node, leaf: &mut Leaf, segment: Segment, shown: String) {
        let above = std::mem::replace(&mut leaf.shown, shown);
        leaf.path.push(segment);
        self.visit(node, leaf);
        leaf.path.pop();
        leaf.shown = above;
    }

    fn offset(&self, node: &Node) -> Option<usize> {
        let span = node.span?;
        let start = *self.starts.get(span.line.checked_sub(1)? as usize)?;
        let line = self.text[start..].lines().next().unwrap_or_default();
        let column = span.column.saturating_sub(1) as usize;
        Some(start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at))
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

fn resource(document: &Node) -> String {
    let part = |keys: &[&str]| document.at(keys).and_then(Node::as_str).unwrap_or("?").to_owned();
    format!("{}/{}", part(&["kind"]), part(&["metadata", "name"]))
}
