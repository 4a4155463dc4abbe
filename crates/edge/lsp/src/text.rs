//! Places in texts as editors count them: [`SourceFile`].

use lsp_types::{Position, PositionEncodingKind, Range};
use onepane_diagnostics::Span;
use std::sync::Arc;

/// What editors count within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16: characters outside the basic plane count twice.
    Utf16,
}

impl Encoding {
    /// Bytes where the editor offers them, else what the protocol began with.
    pub(crate) fn chosen(offered: Option<&[PositionEncodingKind]>) -> Self {
        if offered.is_some_and(|offered| offered.contains(&PositionEncodingKind::UTF8)) {
            Self::Utf8
        } else {
            Self::Utf16
        }
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn length(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

/// A text with the starts of its lines. Lines end with a line feed; a carriage return before it is no part of one.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    pub(crate) text: Arc<str>,
    starts: Arc<[usize]>,
    encoding: Encoding,
}

impl SourceFile {
    pub(crate) fn new(text: impl Into<Arc<str>>, encoding: Encoding) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { text, starts, encoding }
    }

    /// How many lines there are, the last of which may be empty.
    pub(crate) fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// A line from 0, without its end; nothing beyond the last.
    pub(crate) fn line(&self, line: usize) -> &str {
        let Some(start) = self.starts.get(line) else { return "" };
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[*start..end];
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// Where a line from 0 begins.
    pub(crate) fn line_start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line from 0 that a byte is in.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The byte at a position; what is beyond a line or the text is its end.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.line_count() {
            return self.text.len();
        }
        let text = self.line(line);
        let mut units = position.character as usize;
        let mut bytes = 0;
        for character in text.chars() {
            let length = self.encoding.length(character.encode_utf8(&mut [0; 4]));
            if units < length {
                break;
            }
            units -= length;
            bytes += character.len_utf8();
        }
        self.line_start(line) + bytes
    }

    /// The position of a byte.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = (0..=offset.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let line = self.line_of(offset);
        let before = &self.text[self.starts[line]..offset];
        Position::new(line as u32, self.encoding.length(before) as u32)
    }

    pub(crate) fn range(&self, start: usize, end: usize) -> Range {
        Range::new(self.position(start), self.position(end))
    }

    /// The range of a place; one without a length reaches to the end of the word there.
    pub(crate) fn range_of(&self, span: Span) -> Range {
        let (start, end) = self.bytes_of(span);
        self.range(start, end)
    }

    /// The same in bytes.
    pub(crate) fn bytes_of(&self, span: Span) -> (usize, usize) {
        let line = (span.line.max(1) - 1) as usize;
        let text = self.line(line);
        let byte = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
        let column = (span.column.max(1) - 1) as usize;
        let from = match byte(column) {
            // The start of a line means what stands on it.
            0 => text.len() - text.trim_start().len(),
            from => from,
        };
        let to = match span.length {
            0 => from + text[from..].find(char::is_whitespace).unwrap_or(text.len() - from),
            length => byte(column + length as usize),
        };
        let start = self.line_start(line);
        (start + from, start + to.max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn positions_are_units_of_utf_16_or_bytes() {
        let text = "a: \u{1F600}x\r\nb: é\n";
        let file = SourceFile::new(text, Encoding::Utf16);
        assert_eq!(file.offset(Position::new(0, 5)), 7);
        assert_eq!(file.position(7), Position::new(0, 5));
        // Within a pair of surrogates, and beyond a line and the text.
        assert_eq!(file.offset(Position::new(0, 4)), 3);
        assert_eq!(file.offset(Position::new(0, 99)), 8);
        assert_eq!(file.offset(Position::new(99, 0)), text.len());
        let file = SourceFile::new(text, Encoding::Utf8);
        assert_eq!((file.offset(Position::new(1, 5)), file.position(15)), (15, Position::new(1, 5)));
        assert_eq!((file.line(0), file.line(1), file.line(2), file.line(3)), ("a: \u{1F600}x", "b: é", "", ""));
    }

    #[test]
    fn a_place_is_a_range() {
        let file = SourceFile::new("  key: \u{1F600} word # x\n", Encoding::Utf16);
        let at = |column, length| Span::new(FileId::new("a"), 1, column).with_length(length);
        let range = |from, to| Range::new(Position::new(0, from), Position::new(0, to));
        assert_eq!(file.range_of(at(10, 4)), range(10, 14));
        assert_eq!(file.range_of(at(1, 0)), range(2, 6));
        assert_eq!(file.range_of(at(8, 0)), range(7, 9));
        assert_eq!(file.range_of(at(99, 3)), range(18, 18));
    }
}
