//! JSON to trees: order and keys that stand twice are kept, numbers are integers where they can be.

use crate::failure::malformed;
use crate::secret::Secret;
use crate::value::{Branch, Entry, MAX_DEPTH, Pair, Value};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use zeroize::Zeroizing;

/// Reads one mapping.
pub(super) fn read(text: &[u8], file: FileId) -> Result<Branch> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("the file is no UTF-8, which JSON is"))?;
    let mut reader = Reader { text, at: 0, depth: 0, file };
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(reader.error("expected `{`: SOPS encrypts only JSON mappings").hint("put it under a key"));
    }
    let Value::Branch(branch) = reader.value()? else { return Err(reader.error("expected a mapping")) };
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("something follows the mapping"));
    }
    Ok(branch)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    file: FileId,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::mapping),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => Ok(Value::Text(Secret::from(self.string()?))),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
                {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.error("expected a value"))
            }
        }
    }

    /// Reads a collection behind its bracket.
    fn nested(&mut self, read: fn(&mut Self) -> Result<Value>) -> Result<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the file is nested too deeply"));
        }
        self.at += 1;
        self.blanks();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn mapping(&mut self) -> Result<Value> {
        let mut branch = Branch::new();
        if self.skip(b'}') {
            return Ok(Value::Branch(branch));
        }
        loop {
            self.blanks();
            let span = Some(self.span());
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in quotes"));
            }
            let key = self.string()?;
            let key = String::from_utf8_lossy(&key).into();
            self.blanks();
            self.expect(b':')?;
            let value = self.value()?;
            branch.push(Entry::Pair(Pair { key, value, span }));
            self.blanks();
            if self.skip(b'}') {
                return Ok(Value::Branch(branch));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self) -> Result<Value> {
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.skip(b']') {
                return Ok(Value::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::new());
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let Some(plain) = plain else { return Err(self.error("a string has no end")) };
            out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest[plain] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => {
                    let character = self.escape()?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return Err(self.error("a string has a control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let character = match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("a string has an escape that JSON does not know")),
        };
        self.at += 2;
        Ok(character)
    }

    /// Half a pair that stands alone is U+FFFD, as in Go.
    fn unicode_escape(&mut self) -> Result<char> {
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
            digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
        };
        let Some(first) = unit(self.at) else { return Err(self.error("a string has an escape that is cut off")) };
        let second = unit(self.at + 6).filter(|second| (0xDC00..0xE000).contains(second));
        match (first, second) {
            (0xD800..0xDC00, Some(second)) => {
                self.at += 12;
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => {
                self.at += 6;
                Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
        }
    }

    fn number(&mut self) -> Result<Value> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        let number = &rest[..length.count()];
        let value = if is_number(number) { parse_number(number) } else { None };
        let value = value.ok_or_else(|| self.error("a number is none of JSON's, or too large"))?;
        self.at += number.len();
        Ok(value)
    }

    fn blanks(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.skip(byte) { Ok(()) } else { Err(self.error(format!("expected `{}`", char::from(byte)))) }
    }

    fn span(&self) -> Span {
        let before = &self.text[..self.at];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1;
        Span::new(self.file, u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    fn error(&self, message: impl Into<String>) -> Box<Diagnostic> {
        malformed(message).at(self.span())
    }
}

/// JSON's grammar of numbers.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// An integer where it fits 64 bits.
fn parse_number(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse() {
        return Some(Value::Int(number));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json_write::write;

    fn again(text: &str) -> Result<String> {
        let branch = read(text.as_bytes(), FileId::new("t.json"))?;
        Ok(String::from_utf8_lossy(&write(&branch, Some(0))?).into_owned())
    }

    #[test]
    fn order_types_and_escapes_are_kept() {
        let text = r#"{"b": [1, -0, 1.5, 1e3, 12345678901234567890, true, null, {}, []], "a": "\ud83d\ude00\u00e9\/\n<\ud800", "a": 2}"#;
        let wanted = "{\n\"b\": [\n1,\n0,\n1.5,\n1000,\n12345678901234567000,\ntrue,\nnull,\n{},\n[]\n],\n\"a\": \"\u{1F600}é/\\n\\u003c\u{FFFD}\",\n\"a\": 2\n}\n";
        assert_eq!(again(text).expect("it is JSON"), wanted);
    }

    #[test]
    fn what_is_no_json_is_an_error_with_a_place() {
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":1e999}",
            "{'a':1}",
        ] {
            let error = again(text).expect_err(text);
            assert!(error.code == "sops-format" && error.primary.is_some(), "{text}: {error}");
        }
        let deep = "{\"a\":".repeat(5000);
        assert!(again(&deep).expect_err("it is deep").message.contains("too deeply"));
    }
}
