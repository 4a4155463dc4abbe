//! Tags and directives.

use super::characters::{is_blank, is_blank_or_end, is_break_or_end, is_word};
use super::scanner::{Scanned, Scanner};
use super::token::{Mark, TokenKind};

const TAG: &str = "this tag";
const DIRECTIVE: &str = "this directive";

impl<'a> Scanner<'a> {
    /// `!suffix`, `!handle!suffix`, `!!suffix`, `!<uri>` or `!`: the handle and the suffix.
    pub(super) fn scan_tag(&mut self, start: Mark) -> Scanned<(String, String)> {
        let tag = if self.byte(1) == b'<' {
            self.skip(2);
            let uri = self.scan_uri(TAG, "", start)?;
            if self.byte(0) != b'>' {
                return Err(self.error(TAG, start, "did not find the expected '>'"));
            }
            self.skip(1);
            (String::new(), uri)
        } else {
            let handle = self.scan_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_uri(TAG, "", start)?;
                (handle, suffix)
            } else {
                let suffix = self.scan_uri(TAG, &handle, start)?;
                if suffix.is_empty() { (suffix, "!".into()) } else { ("!".into(), suffix) }
            }
        };
        if !is_blank_or_end(self.bytes, self.at) {
            return Err(self.error(TAG, start, "did not find expected whitespace or line break"));
        }
        Ok(tag)
    }

    fn scan_handle(&mut self, directive: bool, start: Mark) -> Scanned<String> {
        let what = if directive { DIRECTIVE } else { TAG };
        if self.byte(0) != b'!' {
            return Err(self.error(what, start, "did not find expected '!'"));
        }
        let from = self.at;
        self.skip(1);
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        if self.byte(0) == b'!' {
            self.at += 1;
        } else if directive && self.at - from > 1 {
            return Err(self.error(what, start, "did not find expected '!'"));
        }
        Ok(self.text[from..self.at].to_owned())
    }

    /// A tag's suffix, `%41` escapes resolved. `head` is what was taken for a handle and is the suffix' beginning.
    fn scan_uri(&mut self, what: &'static str, head: &str, start: Mark) -> Scanned<String> {
        let mut uri = head.get(1..).unwrap_or("").to_owned().into_bytes();
        let mut found = !head.is_empty();
        loop {
            let next = self.byte(0);
            if next == b'%' {
                self.scan_uri_escape(what, start, &mut uri)?;
            } else if is_word(next) || (next != 0 && b";/?:@&=+$,.!~*'()[]".contains(&next)) {
                uri.push(next);
                self.skip(1);
            } else {
                break;
            }
            found = true;
        }
        if !found {
            return Err(self.error(what, start, "did not find expected tag URI"));
        }
        String::from_utf8(uri).map_err(|_| self.error(what, start, "found an incorrect trailing UTF-8 octet"))
    }

    fn scan_uri_escape(&mut self, what: &'static str, start: Mark, uri: &mut Vec<u8>) -> Scanned<()> {
        let mut left = None;
        while left != Some(0) {
            let high = char::from(self.byte(1)).to_digit(16);
            let low = char::from(self.byte(2)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.byte(0), high, low) else {
                return Err(self.error(what, start, "did not find URI escaped octet"));
            };
            let octet = (high << 4 | low) as u8;
            left = Some(match (left, octet) {
                (None, 0..0x80) => 0,
                (None, 0xC0..0xE0) => 1,
                (None, 0xE0..0xF0) => 2,
                (None, 0xF0..0xF8) => 3,
                (None, _) => return Err(self.error(what, start, "found an incorrect leading UTF-8 octet")),
                (Some(left), 0x80..0xC0) => left - 1,
                (Some(_), _) => return Err(self.error(what, start, "found an incorrect trailing UTF-8 octet")),
            });
            uri.push(octet);
            self.skip(3);
        }
        Ok(())
    }

    /// `%YAML 1.1` or `%TAG ! prefix`, with the rest of the line.
    pub(super) fn scan_directive(&mut self, start: Mark) -> Scanned<TokenKind<'a>> {
        self.skip(1);
        let name = self.at;
        while is_word(self.byte(0)) {
            self.at += 1;
        }
        let name = &self.text[name..self.at];
        if name.is_empty() {
            return Err(self.error(DIRECTIVE, start, "could not find expected directive name"));
        }
        if !is_blank_or_end(self.bytes, self.at) {
            return Err(self.error(DIRECTIVE, start, "found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number(start)?;
                if self.byte(0) != b'.' {
                    return Err(self.error(DIRECTIVE, start, "did not find expected digit or '.' character"));
                }
                self.skip(1);
                TokenKind::VersionDirective { major, minor: self.scan_version_number(start)? }
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_handle(true, start)?;
                if !is_blank(self.byte(0)) {
                    return Err(self.error(DIRECTIVE, start, "did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.scan_uri(DIRECTIVE, "", start)?;
                if !is_blank_or_end(self.bytes, self.at) {
                    return Err(self.error(DIRECTIVE, start, "did not find expected whitespace or line break"));
                }
                TokenKind::TagDirective(Box::new((handle, prefix)))
            }
            _ => return Err(self.error(DIRECTIVE, start, "found unknown directive name")),
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_rest_of_line();
        }
        if !is_break_or_end(self.bytes, self.at) {
            return Err(self.error(DIRECTIVE, start, "did not find expected comment or line break"));
        }
        self.skip_break();
        Ok(kind)
    }

    fn scan_version_number(&mut self, start: Mark) -> Scanned<u8> {
        let mut number = None;
        for _ in 0..2 {
            if self.byte(0).is_ascii_digit() {
                number = Some(number.unwrap_or(0) * 10 + (self.byte(0) - b'0'));
                self.skip(1);
            }
        }
        if self.byte(0).is_ascii_digit() {
            return Err(self.error(DIRECTIVE, start, "found extremely long version number"));
        }
        number.ok_or_else(|| self.error(DIRECTIVE, start, "did not find expected version number"))
    }
}
