//! From the scanner's byte marks to [`Span`]s, whose columns count characters.

use crate::syntax::Mark;
use onepane_diagnostics::{FileId, Span};

/// Makes spans of marks. Marks mostly come in order, so that each line is counted once.
pub(crate) struct Places<'a> {
    file: FileId,
    text: &'a [u8],
    ascii: bool,
    /// A line, an offset in it and the offset's column in characters.
    last: (u32, usize, u32),
}

impl<'a> Places<'a> {
    pub(crate) fn new(file: FileId, text: &'a str) -> Self {
        Self { file, text: text.as_bytes(), ascii: text.is_ascii(), last: (u32::MAX, 0, 0) }
    }

    /// From `start` to `end` where both are on one line, and the place at `start` where not.
    #[inline]
    pub(crate) fn span(&mut self, start: Mark, end: Mark) -> Span {
        let column = self.column(start);
        let length = if start.line == end.line { self.column(end).saturating_sub(column) } else { 0 };
        Span::new(self.file, start.line + 1, column + 1).with_length(length)
    }

    fn column(&mut self, mark: Mark) -> u32 {
        if self.ascii {
            return mark.column;
        }
        let offset = mark.offset as usize;
        let (line, from, counted) = self.last;
        let (from, counted) = if line == mark.line && from <= offset {
            (from, counted)
        } else {
            (offset.saturating_sub(mark.column as usize), 0)
        };
        let stretch = self.text.get(from..offset).unwrap_or_default();
        let column = counted + stretch.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u32;
        self.last = (mark.line, offset, column);
        column
    }
}
