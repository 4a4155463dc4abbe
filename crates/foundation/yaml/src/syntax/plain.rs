//! Plain scalars.

use super::characters::{break_width, byte, is_blank, is_blank_or_end};
use super::scanner::{Scanned, Scanner};
use super::token::{Token, TokenKind};
use crate::Style;
use std::borrow::Cow;

/// Bytes at which a word of a plain scalar may end: blanks, breaks (or what may begin one), `:`, and the indicators
/// of flow collections.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let bytes = b" \t\r\n:,?[]{}\xC2\xE2";
    let mut i = 0;
    while i < bytes.len() {
        stops[bytes[i] as usize] = true;
        i += 1;
    }
    stops
};

impl<'a> Scanner<'a> {
    /// Scans a plain scalar, over several lines where they are indented deeper than its parent. Text that stands on
    /// one line is borrowed.
    pub(super) fn scan_plain(&mut self) -> Scanned<Token<'a>> {
        let start = self.mark();
        let least_column = self.indent + 1;
        let mut end = start;
        let mut value: Cow<'a, str> = Cow::Borrowed("");
        let mut first_break = String::new();
        let mut more_breaks = String::new();
        let mut blanks = self.at..self.at;
        let mut after_break = false;
        loop {
            if self.at_document_indicator() || self.byte(0) == b'#' {
                break;
            }
            let word = self.at;
            self.skip_word();
            if self.at > word {
                self.newlines = 0;
                if after_break {
                    let value = value.to_mut();
                    match first_break.as_str() {
                        // A single line feed folds into a space, several lose the first.
                        "\n" if more_breaks.is_empty() => value.push(' '),
                        "\n" => value.push_str(&more_breaks),
                        other => {
                            value.push_str(other);
                            value.push_str(&more_breaks);
                        }
                    }
                    first_break.clear();
                    more_breaks.clear();
                    after_break = false;
                    value.push_str(&self.text[word..self.at]);
                } else {
                    match &mut value {
                        Cow::Borrowed(text) => *text = &self.text[start.offset as usize..self.at],
                        Cow::Owned(text) => {
                            text.push_str(&self.text[blanks.clone()]);
                            text.push_str(&self.text[word..self.at]);
                        }
                    }
                }
                end = self.mark();
            }
            if !is_blank(self.byte(0)) && break_width(self.bytes, self.at) == 0 {
                break;
            }
            blanks.start = self.at;
            loop {
                let first = self.byte(0);
                if is_blank(first) {
                    if after_break && first == b'\t' && (self.column() as i32) < least_column {
                        let problem = "found a tab character that violates indentation";
                        return Err(self.error("this scalar", start, problem));
                    }
                    self.at += 1;
                } else if break_width(self.bytes, self.at) > 0 {
                    self.read_break(if after_break { &mut more_breaks } else { &mut first_break });
                    after_break = true;
                } else {
                    break;
                }
            }
            blanks.end = self.at;
            if self.flow_level == 0 && (self.column() as i32) < least_column {
                break;
            }
        }
        if after_break {
            self.simple_key_allowed = true;
        }
        Ok(Token { kind: TokenKind::Scalar(value, Style::Plain), start, end })
    }

    /// Steps to where a blank, a break, the text's end, `: ` or an indicator of a flow collection stands.
    fn skip_word(&mut self) {
        let bytes = self.bytes;
        let mut at = self.at;
        while at < bytes.len() {
            if !STOPS[bytes[at] as usize] {
                at += 1;
                continue;
            }
            match bytes[at] {
                b' ' | b'\t' | b'\r' | b'\n' => break,
                b':' if is_blank_or_end(bytes, at + 1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.flow_level > 0 => break,
                0xC2 | 0xE2 if break_width(bytes, at) > 0 => break,
                _ => at += 1,
            }
        }
        debug_assert!(byte(bytes, at) & 0xC0 != 0x80, "stops stand between characters");
        self.at = at;
    }
}
