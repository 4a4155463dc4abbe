//! [`Layout`]: which bytes of a text its nodes take.

use crate::Style;
use crate::read::without_byte_order_mark;
use crate::syntax::{EventKind, Parser, SyntaxError};

/// The bytes of a node, comments not among them: of the first document, a tree of the same shape as that of its nodes.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A scalar on one line that is no block scalar.
    Line,
    /// Any other scalar, or an alias.
    Other,
    /// Whether it stands in brackets, and its items.
    Sequence(bool, Vec<Layout>),
    /// Whether it stands in braces, and its entries.
    Mapping(bool, Vec<(Layout, Layout)>),
}

impl Layout {
    /// The layout of the first document of `text`; `None` where there is none.
    pub(super) fn of(text: &str) -> Result<Option<Self>, Box<SyntaxError>> {
        let without_mark = without_byte_order_mark(text);
        let shift = text.len() - without_mark.len();
        let mut parser = Parser::new(without_mark, false)?;
        let mut open: Vec<(Self, Option<Self>)> = Vec::new();
        loop {
            let event = parser.next()?;
            let (start, end) = (event.start.offset as usize + shift, event.end.offset as usize + shift);
            let complete = match event.kind {
                EventKind::StreamEnd | EventKind::DocumentEnd => return Ok(None),
                EventKind::DocumentStart => continue,
                EventKind::Alias(_) => Self { start, end, kind: Kind::Other },
                EventKind::Scalar(_, style, _) => {
                    let block = matches!(style, Style::Literal | Style::Folded);
                    let end = match open.last() {
                        // The event ends with the header.
                        Some((around, _)) if block => block_end(text, around.start, end),
                        _ => end,
                    };
                    let written = text.get(start..end).unwrap_or_default();
                    let line = !block && !written.contains('\n');
                    let end = start + written.trim_end().len();
                    Self { start, end, kind: if line { Kind::Line } else { Kind::Other } }
                }
                EventKind::SequenceStart { flow, .. } => {
                    open.push((Self { start, end: start, kind: Kind::Sequence(flow, Vec::new()) }, None));
                    continue;
                }
                EventKind::MappingStart { flow, .. } => {
                    open.push((Self { start, end: start, kind: Kind::Mapping(flow, Vec::new()) }, None));
                    continue;
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    let Some((mut collection, _)) = open.pop() else { return Ok(None) };
                    collection.end = collection.last_byte(end);
                    collection
                }
            };
            let Some((collection, key)) = open.last_mut() else { return Ok(Some(complete)) };
            match &mut collection.kind {
                Kind::Sequence(_, items) => items.push(complete),
                Kind::Mapping(_, entries) => match key.take() {
                    None => *key = Some(complete),
                    Some(key) => entries.push((key, complete)),
                },
                Kind::Line | Kind::Other => {}
            }
        }
    }

    /// Where a collection's text ends: at its bracket, or with its last child.
    fn last_byte(&self, bracket: usize) -> usize {
        match &self.kind {
            Kind::Sequence(false, items) => items.last().map_or(self.start, |item| item.end),
            Kind::Mapping(false, entries) => {
                entries.last().map_or(self.start, |(key, value)| value.end.max(key.end + 1))
            }
            _ => bracket,
        }
    }
}

/// Where the lines of a block scalar end whose header ends at `header`: they stand further right than the collection
/// that it is in.
fn block_end(text: &str, collection: usize, header: usize) -> usize {
    let column = text[..collection].rfind('\n').map_or(collection, |line| collection - line - 1);
    let lines = text[header..].split_inclusive('\n');
    let inside = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start_matches(' ').len() > column;
    let lines = lines.enumerate().take_while(|(index, line)| *index == 0 || inside(line));
    header + lines.map(|(_, line)| line.len()).sum::<usize>()
}
