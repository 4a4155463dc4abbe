//! [`SourceText`]: a text whose lines are counted when somebody asks for one.

use crate::{FileId, Span};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A text, and the file it stands in.
///
/// Positions in it are bytes. What stands where in lines and columns is worked out on demand: most positions are
/// remembered in case somebody asks, and nobody does.
#[derive(Debug)]
pub struct SourceText {
    file: Option<FileId>,
    /// UTF-8 from `start` on. It is shared with whoever read the file: most of what is parsed is looked at once.
    bytes: Arc<[u8]>,
    start: usize,
    lines: OnceLock<Lines>,
}

#[derive(Debug)]
struct Lines {
    /// Byte offsets at which lines start.
    starts: Vec<usize>,
    /// Columns are then bytes.
    ascii: bool,
}

impl SourceText {
    /// A text of `file`, or of none.
    pub fn new(file: Option<FileId>, text: &str) -> Self {
        Self { file, bytes: text.as_bytes().into(), start: 0, lines: OnceLock::new() }
    }

    /// The text of `file` that `bytes` are from `start` on, and the same to be read; `None` where it is no UTF-8.
    pub fn shared(file: FileId, bytes: &Arc<[u8]>, start: usize) -> Option<(Self, &str)> {
        let text = std::str::from_utf8(bytes.get(start..)?).ok()?;
        Some((Self { file: Some(file), bytes: bytes.clone(), start, lines: OnceLock::new() }, text))
    }

    /// The file it stands in.
    pub fn file(&self) -> Option<FileId> {
        self.file
    }

    /// The text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// A stretch of it, in bytes; `None` unless both ends are the boundaries of characters.
    pub fn get(&self, range: Range<usize>) -> Option<&str> {
        std::str::from_utf8(self.bytes().get(range)?).ok()
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| {
            let breaks = onepane_bytes::find_all(b'\n', self.bytes());
            Lines {
                starts: std::iter::once(0).chain(breaks.map(|at| at + 1)).collect(),
                ascii: self.bytes().is_ascii(),
            }
        })
    }

    /// The line from 1 and the column in bytes from 0, as Go counts them.
    pub fn line_and_column(&self, position: usize) -> (usize, usize) {
        let starts = &self.lines().starts;
        let line = starts.partition_point(|start| *start <= position).max(1);
        (line, position - starts[line - 1])
    }

    /// The place of `position` and of `length` characters from there on, where the text has a file.
    pub fn span(&self, position: usize, length: usize) -> Option<Span> {
        let file = self.file?;
        let (line, column) = self.line_and_column(position);
        let Lines { starts, ascii } = self.lines();
        let column = match self.get(starts[line - 1]..position) {
            Some(before) if !ascii => before.chars().count(),
            _ => column,
        };
        Some(Span::new(file, line as u32, column as u32 + 1).with_length(length as u32))
    }

    /// The place of what stands on the line at `start`, up to `end`: without indentation and what space follows.
    pub(crate) fn line_span(&self, start: usize, end: usize) -> Option<Span> {
        let rest = self.bytes().get(start..end)?;
        let line = self.get(start..onepane_bytes::find(b'\n', rest).map_or(end, |at| start + at))?;
        let text = line.trim_start_matches(' ');
        self.span(start + line.len() - text.len(), text.trim().chars().count())
    }

    /// Where the `n`th line behind `start` begins, at `end` at the latest.
    pub(crate) fn line_start(&self, start: usize, end: usize, n: usize) -> usize {
        let starts = &self.lines().starts;
        match n.checked_sub(1) {
            None => start,
            Some(more) => {
                let next = starts.partition_point(|line| *line <= start);
                starts.get(next + more).map_or(end, |line| *line.min(&end))
            }
        }
    }
}
