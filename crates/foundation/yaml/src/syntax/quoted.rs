//! Scalars in quotes.

use super::cursor::{Cursor, Mark, is_blank};
use super::error::SyntaxError;
use super::fold::Fold;
use super::plain::Text;
use std::borrow::Cow;

/// Reads the quoted scalar that begins here.
pub(super) fn quoted<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, Box<SyntaxError>> {
    let start = cursor.mark();
    let quote = cursor.byte();
    cursor.at += 1;
    let from = cursor.at;
    // Nearly always nothing needs a second look: a backslash, two quotes in a row, the line's end.
    let rest = &cursor.text.as_bytes()[from..];
    let ends = |byte: &u8| *byte == quote || matches!(byte, b'\\' | b'\n' | b'\r' | 0xC2 | 0xE2);
    let stop = from + rest.iter().position(ends).unwrap_or(rest.len());
    if cursor.byte_at(stop) == quote && (quote == b'"' || cursor.byte_at(stop + 1) != quote) {
        cursor.at = stop + 1;
        return Ok(Text { text: Cow::Borrowed(cursor.slice(from..stop)), end: cursor.mark() });
    }
    let mut reader = Reader { cursor, quote, start, text: String::new() };
    reader.read()?;
    let Reader { text, .. } = reader;
    Ok(Text { text: Cow::Owned(text), end: cursor.mark() })
}

struct Reader<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    quote: u8,
    start: Mark,
    text: String,
}

/// What ends a line of a quoted scalar.
enum LineEnd {
    Quote,
    Break,
    /// A backslash before the break: nothing folds.
    EscapedBreak,
}

impl Reader<'_, '_> {
    fn refuse<T>(&self, problem: &'static str) -> Result<T, Box<SyntaxError>> {
        Err(SyntaxError::lexeme(problem, self.cursor.mark(), self.start, "this quoted scalar"))
    }

    fn read(&mut self) -> Result<(), Box<SyntaxError>> {
        loop {
            match self.line()? {
                LineEnd::Quote => return Ok(()),
                LineEnd::Break => self.breaks(false)?,
                LineEnd::EscapedBreak => self.breaks(true)?,
            }
        }
    }

    /// Reads to the closing quote and over it, to the line's end, or over a backslash before that. Blanks count, but
    /// not at the end of a line.
    fn line(&mut self) -> Result<LineEnd, Box<SyntaxError>> {
        let mut from = self.cursor.at;
        let mut blanks = None;
        loop {
            let at = self.cursor.at;
            let byte = self.cursor.byte();
            if is_blank(byte) {
                blanks.get_or_insert(at);
                self.cursor.at += 1;
            } else if byte == self.quote {
                self.text.push_str(self.cursor.slice(from..at));
                self.cursor.at += 1;
                if byte == b'"' || self.cursor.byte() != byte {
                    return Ok(LineEnd::Quote);
                }
                self.text.push('\'');
                self.cursor.at += 1;
                (from, blanks) = (at + 2, None);
            } else if byte == b'\\' && self.quote == b'"' {
                self.text.push_str(self.cursor.slice(from..at));
                if self.cursor.break_at(at + 1) > 0 {
                    self.cursor.at += 1;
                    return Ok(LineEnd::EscapedBreak);
                }
                let character = self.escape()?;
                self.text.push(character);
                (from, blanks) = (self.cursor.at, None);
            } else if self.cursor.break_at(at) > 0 {
                self.text.push_str(self.cursor.slice(from..blanks.unwrap_or(at)));
                return Ok(LineEnd::Break);
            } else if self.cursor.is_at_end() {
                return self.refuse("found unexpected end of stream");
            } else {
                blanks = None;
                self.cursor.at += 1;
            }
        }
    }

    /// Folds line breaks and passes over the blanks around them.
    fn breaks(&mut self, escaped: bool) -> Result<(), Box<SyntaxError>> {
        let mut fold = Fold::default();
        if escaped {
            self.cursor.pass_break();
        }
        loop {
            if self.cursor.is_at_document_mark() {
                return self.refuse("found unexpected document indicator");
            }
            self.cursor.pass_blanks();
            match self.cursor.pass_break() {
                Some(line_break) if escaped => fold.add_kept(line_break),
                Some(line_break) => fold.add(line_break),
                None => break,
            }
        }
        fold.write(&mut self.text);
        Ok(())
    }

    /// What the escape here stands for.
    fn escape(&mut self) -> Result<char, Box<SyntaxError>> {
        let name = self.cursor.byte_at(self.cursor.at + 1);
        let digits = match name {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => {
                let Some(character) = simple_escape(name) else {
                    return self.refuse("found unknown escape character");
                };
                self.cursor.at += 2;
                return Ok(character);
            }
        };
        let from = self.cursor.at + 2;
        let mut code = 0;
        for at in from..from + digits {
            let Some(digit) = (self.cursor.byte_at(at) as char).to_digit(16) else {
                return self.refuse("did not find expected hexdecimal number");
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return self.refuse("found invalid Unicode character escape code");
        };
        self.cursor.at = from + digits;
        Ok(character)
    }
}

fn simple_escape(name: u8) -> Option<char> {
    Some(match name {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' | b'"' | b'\'' | b'\\' => name as char,
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
