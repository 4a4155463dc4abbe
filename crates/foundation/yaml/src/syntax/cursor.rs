//! [`Cursor`]: a place in the text that knows its line, and what the characters there are to YAML.

use std::ops::Range;

/// A place in a text. Lines count from 0; columns count bytes, since structure is never behind anything but ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) offset: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Where reading has come to.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    line: u32,
    line_start: usize,
    /// No line of the text ends in anything else.
    only_line_feeds: bool,
}

const BLANK: u8 = 1;
const BREAK: u8 = 2;
/// The first byte of a line break beyond ASCII: NEL, LS or PS.
const WIDE: u8 = 4;
/// May end a plain scalar in a block.
const STOP: u8 = 8;
/// May end a plain scalar in brackets.
const FLOW_STOP: u8 = 16;
const INDICATOR: u8 = 32;
const WORD: u8 = 64;
const URI: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let lists: [(&[u8], u8); 8] = [
        (b" \t", BLANK | STOP | FLOW_STOP),
        (b"\n\r", BREAK | STOP | FLOW_STOP),
        (b"\xC2\xE2", WIDE | STOP | FLOW_STOP),
        (b":", STOP | FLOW_STOP),
        (b",[]{}?", FLOW_STOP),
        (b"-?:,[]{}#&*!|>'\"%@`", INDICATOR),
        (b"-_", WORD),
        (b"-_;/?:@&=+$,.!~*'()[]%", URI),
    ];
    let mut list = 0;
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].0.len() {
            table[lists[list].0[index] as usize] |= lists[list].1;
            index += 1;
        }
        list += 1;
    }
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] |= WORD | URI;
        }
        byte += 1;
    }
    table
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Whether a scalar that starts with it may be plain only after a second look.
pub(super) fn is_indicator(byte: u8) -> bool {
    is(byte, INDICATOR)
}

/// Whether it may stand in the name of an anchor, a directive or a tag's handle.
pub(super) fn is_word(byte: u8) -> bool {
    is(byte, WORD)
}

/// Whether it may stand in a tag.
pub(super) fn is_uri(byte: u8) -> bool {
    is(byte, URI)
}

pub(super) fn is_blank(byte: u8) -> bool {
    is(byte, BLANK)
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let only_line_feeds = onepane_bytes::find_of_3(b'\r', 0xC2, 0xE2, text.as_bytes()).is_none();
        Self { text, at: 0, line: 0, line_start: 0, only_line_feeds }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { offset: self.at as u32, line: self.line, column: self.column() as u32 }
    }

    /// The mark of the text's end, which is always at the start of a line.
    pub(super) fn end_mark(&self) -> Mark {
        let mark = self.mark();
        if mark.column == 0 { mark } else { Mark { line: mark.line + 1, column: 0, ..mark } }
    }

    pub(super) fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn column(&self) -> usize {
        self.at - self.line_start
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The byte here; 0, which no YAML contains, behind the end.
    pub(super) fn byte(&self) -> u8 {
        self.byte_at(self.at)
    }

    pub(super) fn byte_at(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// How many bytes the line break at `at` takes; 0 if there is none.
    pub(super) fn break_at(&self, at: usize) -> usize {
        let byte = self.byte_at(at);
        if !is(byte, BREAK | WIDE) {
            return 0;
        }
        match (byte, self.byte_at(at + 1), self.byte_at(at + 2)) {
            (b'\r', b'\n', _) | (0xC2, 0x85, _) => 2,
            (b'\r' | b'\n', _, _) => 1,
            (0xE2, 0x80, 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    /// Whether a blank, a line break or the end is at `at`: what must follow an indicator such as `-`.
    pub(super) fn is_parted_at(&self, at: usize) -> bool {
        let byte = self.byte_at(at);
        byte == 0 || is(byte, BLANK) || self.break_at(at) > 0
    }

    /// Goes behind the line break here, if there is one; gives what it is to a scalar: LS and PS stay as they are,
    /// every other is a line feed.
    pub(super) fn pass_break(&mut self) -> Option<&'a str> {
        let width = self.break_at(self.at);
        if width == 0 {
            return None;
        }
        let text = if width == 3 { self.slice(self.at..self.at + 3) } else { "\n" };
        self.at += width;
        self.line += 1;
        self.line_start = self.at;
        Some(text)
    }

    pub(super) fn pass_spaces(&mut self) {
        while self.byte() == b' ' {
            self.at += 1;
        }
    }

    pub(super) fn pass_blanks(&mut self) {
        while is(self.byte(), BLANK) {
            self.at += 1;
        }
    }

    /// The byte behind the blanks here.
    pub(super) fn peek_behind_blanks(mut self) -> u8 {
        self.pass_blanks();
        self.byte()
    }

    /// Goes to the end of the line.
    pub(super) fn pass_line(&mut self) {
        let bytes = self.text.as_bytes();
        if self.only_line_feeds {
            self.at += onepane_bytes::find(b'\n', &bytes[self.at..]).unwrap_or(bytes.len() - self.at);
            return;
        }
        while self.at < bytes.len() {
            if is(bytes[self.at], BREAK | WIDE) && self.break_at(self.at) > 0 {
                return;
            }
            self.at += 1;
        }
    }

    /// Goes to the next byte that may end a plain scalar.
    pub(super) fn pass_plain(&mut self, flow: bool) {
        let class = if flow { FLOW_STOP } else { STOP };
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| is(*byte, class)).unwrap_or(rest.len());
    }

    /// Whether a line that starts a document or ends one begins here: `---` or `...`.
    pub(super) fn is_at_document_mark(&self) -> bool {
        self.at == self.line_start
            && matches!(self.text.as_bytes().get(self.at..self.at + 3), Some(b"---" | b"..."))
            && self.is_parted_at(self.at + 3)
    }
}
