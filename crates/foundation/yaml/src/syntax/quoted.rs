//! Quoted scalars.

use super::characters::{break_width, is_blank, is_blank_or_end};
use super::scanner::{Scanned, Scanner};
use super::token::{Mark, Token, TokenKind};
use crate::Style;
use std::borrow::Cow;

impl<'a> Scanner<'a> {
    /// Scans a scalar in single or double quotes. Text without escapes on one line is borrowed.
    pub(super) fn scan_quoted(&mut self, style: Style) -> Scanned<Token<'a>> {
        let start = self.mark();
        let quote = self.byte(0);
        self.skip(1);
        let content = self.at;
        // The common case: the closing quote stands on the same line and nothing before it needs a look.
        let rest = &self.bytes[content..];
        let stop = rest.iter().position(|b| *b == quote || matches!(b, b'\\' | b'\n' | b'\r' | 0xC2 | 0xE2));
        if let Some(length) = stop
            && rest[length] == quote
            && (quote == b'"' || rest.get(length + 1) != Some(&b'\''))
        {
            self.at = content + length;
            let value = Cow::Borrowed(&self.text[content..self.at]);
            self.skip(1);
            return Ok(Token { kind: TokenKind::Scalar(value, style), start, end: self.mark() });
        }
        let value = self.scan_quoted_slowly(quote, start)?;
        self.skip(1);
        Ok(Token { kind: TokenKind::Scalar(Cow::Owned(value), style), start, end: self.mark() })
    }

    fn scan_quoted_slowly(&mut self, quote: u8, start: Mark) -> Scanned<String> {
        let mut value = String::new();
        let mut first_break = String::new();
        let mut more_breaks = String::new();
        loop {
            if self.at_document_indicator() {
                return Err(self.error("this quoted scalar", start, "found unexpected document indicator"));
            }
            if self.at_end() {
                return Err(self.error("this quoted scalar", start, "found unexpected end of stream"));
            }
            let mut after_break = false;
            while !is_blank_or_end(self.bytes, self.at) {
                let first = self.byte(0);
                if first == quote {
                    if quote == b'\'' && self.byte(1) == b'\'' {
                        value.push('\'');
                        self.skip(2);
                        continue;
                    }
                    break;
                }
                if quote == b'"' && first == b'\\' {
                    if break_width(self.bytes, self.at + 1) > 0 {
                        self.skip(1);
                        self.skip_break();
                        after_break = true;
                        break;
                    }
                    self.scan_escape(start, &mut value)?;
                    continue;
                }
                let run = self.at;
                self.skip(1);
                while !is_blank_or_end(self.bytes, self.at) && self.byte(0) != quote && self.byte(0) != b'\\' {
                    self.at += 1;
                }
                value.push_str(&self.text[run..self.at]);
            }
            if self.byte(0) == quote {
                return Ok(value);
            }
            let mut blanks = self.at..self.at;
            loop {
                if is_blank(self.byte(0)) {
                    self.at += 1;
                    if !after_break {
                        blanks.end = self.at;
                    }
                } else if break_width(self.bytes, self.at) > 0 {
                    if after_break {
                        self.read_break(&mut more_breaks);
                    } else {
                        self.read_break(&mut first_break);
                        after_break = true;
                    }
                } else {
                    break;
                }
            }
            if !after_break {
                value.push_str(&self.text[blanks]);
                continue;
            }
            match first_break.as_str() {
                "\n" if more_breaks.is_empty() => value.push(' '),
                "\n" => value.push_str(&more_breaks),
                other => {
                    value.push_str(other);
                    value.push_str(&more_breaks);
                }
            }
            first_break.clear();
            more_breaks.clear();
        }
    }

    /// `\n`, `\x41`, `\u0041`, `\U00000041` and their like. Surrogates are refused, so that what JSON writes as a pair
    /// must be written as one `\U` escape; `\/` is JSON's only and refused too.
    fn scan_escape(&mut self, start: Mark, value: &mut String) -> Scanned<()> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                value.push(match other {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0B',
                    b'f' => '\x0C',
                    b'r' => '\r',
                    b'e' => '\x1B',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{A0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.error("this quoted scalar", start, "found unknown escape character")),
                });
                self.skip(2);
                return Ok(());
            }
        };
        self.skip(2);
        let mut code: u32 = 0;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.byte(ahead)).to_digit(16) else {
                return Err(self.error("this quoted scalar", start, "did not find expected hexdecimal number"));
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.error("this quoted scalar", start, "found invalid Unicode character escape code"));
        };
        value.push(character);
        self.skip(digits);
        Ok(())
    }
}
