//! [`Lexer`]: what stands at a place, and whether it may stand there.

use super::cursor::{Cursor, Mark, is_indicator};
use super::error::SyntaxError;

/// A place in the text with what decides how the characters there are to be read.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    pub(super) cursor: Cursor<'a>,
    /// How many brackets are open.
    pub(super) flow: usize,
    /// Whether a key may begin here: at a line's start, behind `- `, `[` and the like.
    pub(super) key_allowed: bool,
    /// The column of the innermost block collection; -1 if there is none.
    pub(super) indent: i32,
}

/// What a lexeme begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    End,
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    /// `%` at a line's start.
    Directive,
    /// `- `
    Entry,
    /// `? `
    Key,
    /// `: `
    Value,
    /// `,`
    Comma,
    /// `[` or `{`
    Open,
    /// `]` or `}`
    Close,
    Alias,
    Anchor,
    Tag,
    /// `|` or `>`
    Block,
    Quoted,
    Plain,
    /// Nothing begins with it.
    Unknown,
}

impl Sign {
    /// Whether it ends whatever is open, however far left that stands.
    pub(super) fn ends_document(self) -> bool {
        matches!(self, Self::End | Self::DocumentStart | Self::DocumentEnd | Self::Directive)
    }

    /// Whether a node may begin with it that is no block collection.
    pub(super) fn begins_node(self) -> bool {
        matches!(self, Self::Open | Self::Alias | Self::Anchor | Self::Tag | Self::Block | Self::Quoted | Self::Plain)
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut cursor = Cursor::new(text);
        if text.starts_with('\u{FEFF}') {
            // The text's own byte order mark is gone; go-yaml passes over another.
            cursor.at += '\u{FEFF}'.len_utf8();
        }
        Self { cursor, flow: 0, key_allowed: true, indent: -1 }
    }

    /// What stands here, blanks and comments being passed over.
    pub(super) fn sign(&self) -> Sign {
        let cursor = &self.cursor;
        let byte = cursor.byte();
        if !is_indicator(byte) {
            return match byte {
                0 if cursor.is_at_end() => Sign::End,
                b'.' if cursor.is_at_document_mark() => Sign::DocumentEnd,
                b'\t' => Sign::Unknown,
                _ => Sign::Plain,
            };
        }
        let parted = || cursor.is_parted_at(cursor.at + 1);
        let flow = self.flow > 0;
        match byte {
            b'-' if parted() => Sign::Entry,
            b'-' if cursor.is_at_document_mark() => Sign::DocumentStart,
            b'-' => Sign::Plain,
            b'?' if flow || parted() => Sign::Key,
            b':' if flow || parted() => Sign::Value,
            b'?' | b':' => Sign::Plain,
            b'[' | b'{' => Sign::Open,
            b']' | b'}' => Sign::Close,
            b',' => Sign::Comma,
            b'*' => Sign::Alias,
            b'&' => Sign::Anchor,
            b'!' => Sign::Tag,
            b'|' | b'>' if !flow => Sign::Block,
            b'\'' | b'"' => Sign::Quoted,
            b'%' if cursor.column() == 0 => Sign::Directive,
            _ => Sign::Unknown,
        }
    }

    /// The column that decides which collections end here.
    pub(super) fn structure_column(&self, sign: Sign) -> i32 {
        if sign.ends_document() { -1 } else { self.cursor.column() as i32 }
    }

    /// The mark of what stands here.
    pub(super) fn mark(&self, sign: Sign) -> Mark {
        if sign == Sign::End { self.cursor.end_mark() } else { self.cursor.mark() }
    }

    /// Passes over blanks, line breaks and comments.
    pub(super) fn skip(&mut self) {
        while !self.skip_to_comment() {
            self.cursor.pass_line();
        }
    }

    /// Passes over blanks and line breaks; false if a comment follows.
    pub(super) fn skip_to_comment(&mut self) -> bool {
        loop {
            match self.cursor.byte() {
                b' ' => self.cursor.at += 1,
                b'\t' if self.flow > 0 || !self.key_allowed => self.cursor.at += 1,
                b'#' => return false,
                _ if self.cursor.pass_break().is_some() => self.key_allowed |= self.flow == 0,
                _ => return true,
            }
        }
    }

    /// Whether `start` is near enough for a key to begin there that has its `:` here.
    pub(super) fn reaches(&self, start: Mark) -> bool {
        const LONGEST_KEY: usize = 1024;
        let (from, to) = (start.offset as usize, self.cursor.at);
        start.line == self.cursor.line()
            && from <= to
            && (to - from <= LONGEST_KEY
                || to - from <= 4 * LONGEST_KEY && self.cursor.slice(from..to).chars().count() <= LONGEST_KEY)
    }

    /// The error for a character that nothing begins with.
    pub(super) fn unknown(&self) -> Box<SyntaxError> {
        let mark = self.cursor.mark();
        SyntaxError::lexeme("found character that cannot start any token", mark, mark, "the next token")
    }

    /// The error for a key's beginning that no `:` follows.
    pub(super) fn no_colon(&self, start: Mark, ended: bool) -> Box<SyntaxError> {
        let mark = if ended { self.cursor.end_mark() } else { self.cursor.mark() };
        SyntaxError::lexeme("could not find expected ':'", mark, start, "this simple key")
    }

    /// The error for a block collection's indicator in the middle of a line.
    pub(super) fn misplaced(&self, sign: Sign) -> Box<SyntaxError> {
        let problem = match sign {
            Sign::Entry => "block sequence entries are not allowed in this context",
            Sign::Key => "mapping keys are not allowed in this context",
            _ => "mapping values are not allowed in this context",
        };
        let mark = self.cursor.mark();
        Box::new(SyntaxError { context: None, ..*SyntaxError::lexeme(problem, mark, mark, "") })
    }
}
