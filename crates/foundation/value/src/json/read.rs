//! From JSON text to [`Value`]s.

use super::plain::plain_bytes;
use crate::{Data, List, Map, Text, Value};

/// How deep collections may nest. encoding/json stops at 10,000.
const MAX_DEPTH: usize = onepane_yaml::MAX_DEPTH;

/// Reads as encoding/json's `Unmarshal` into an `interface{}` does: numbers are `float64`, the last of equal keys
/// wins, bytes that are no UTF-8 become U+FFFD. The error is Go's text.
pub fn from_json(text: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, number_error: None, scratch: Vec::new() };
    let value = reader.value(0)?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(reader.unexpected("after top-level value"));
    }
    // Go checks the whole syntax before it looks at any number.
    match reader.number_error {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// Why a stream of JSON can't be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStreamError {
    /// It ends within a value.
    End,
    /// A byte that can't stand where it stands: Go's text, and how many bytes were read with it.
    Syntax(String, usize),
}

/// The first value of a stream and where it ends, as encoding/json's `Decoder` reads it.
pub fn from_json_stream(text: &[u8]) -> Result<(Value, usize), JsonStreamError> {
    let mut reader = Reader { text, at: 0, number_error: None, scratch: Vec::new() };
    match reader.value(0) {
        Ok(value) => Ok((value, reader.at)),
        Err(_) if reader.at >= text.len() => Err(JsonStreamError::End),
        Err(message) => Err(JsonStreamError::Syntax(message, reader.at + 1)),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    number_error: Option<String>,
    /// Where strings are put together.
    scratch: Vec<u8>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, context: &str) -> String {
        // At the end Go lets its scanner see one more space, which only some places can take.
        let takes_space = matches!(context.split(' ').next(), Some("looking" | "after"))
            && !context.contains("decimal")
            || context == "in string literal";
        match self.peek() {
            None if takes_space => "unexpected end of JSON input".into(),
            None => format!("invalid character ' ' {context}"),
            Some(byte) => format!("invalid character {} {context}", quote(byte)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Data::String(self.string()?).into()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Data::Bool(true)),
            Some(b'f') => self.literal("false", Data::Bool(false)),
            Some(b'n') => self.literal("null", Data::Nil),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn literal(&mut self, name: &str, data: Data) -> Result<Value, String> {
        for expected in name.chars() {
            if self.peek().map(char::from) != Some(expected) {
                return Err(self.unexpected(&format!("in literal {name} (expecting {})", quote(expected as u8))));
            }
            self.at += 1;
        }
        Ok(data.into())
    }

    fn enter(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".into());
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.enter(depth)?;
        let mut entries: Vec<(Text, Value)> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Map::new().into());
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            entries.push((key, self.value(depth)?));
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(entries.into_iter().collect::<Map>().into());
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(List::new(items).into());
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(List::new(items).into());
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]);
        let value: f64 = text.parse().unwrap_or(f64::NAN);
        if !value.is_finite() && self.number_error.is_none() {
            let error = format!("json: cannot unmarshal number {text} into Go value of type float64");
            self.number_error = Some(error);
        }
        Ok(Value::float(value))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<Text, String> {
        let mut string = std::mem::take(&mut self.scratch);
        string.clear();
        // Through a buffer: where JSON stands in JSON every eighth byte is an escape.
        let mut buffer = [0; 256];
        let mut used = 0;
        let text = self.text;
        let mut at = self.at + 1;
        loop {
            if used > buffer.len() - 16 {
                string.extend_from_slice(&buffer[..used]);
                used = 0;
            }
            if let Some(word) = text[at..].first_chunk() {
                let plain = plain_bytes::<false>(word);
                buffer[used..used + 8].copy_from_slice(word);
                used += plain;
                at += plain;
                if plain == 8 {
                    continue;
                }
            }
            match text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => match text.get(at + 1).map(|byte| UNESCAPED[*byte as usize]) {
                    Some(0) | None => {
                        self.at = at;
                        used += self.escape()?.encode_utf8(&mut buffer[used..]).len();
                        at = self.at;
                    }
                    Some(byte) => {
                        buffer[used] = byte;
                        used += 1;
                        at += 2;
                    }
                },
                Some(byte @ 0x20..) => {
                    buffer[used] = *byte;
                    used += 1;
                    at += 1;
                }
                _ => {
                    self.at = at;
                    return Err(self.unexpected("in string literal"));
                }
            }
        }
        string.extend_from_slice(&buffer[..used]);
        self.at = at + 1;
        let value = super::valid_utf8(&string).as_bytes().into();
        self.scratch = string;
        Ok(value)
    }

    /// The character of the escape `\u` that stands here. Half a surrogate pair is U+FFFD.
    fn escape(&mut self) -> Result<char, String> {
        let escape = &self.text[self.at..];
        self.at += 1;
        if self.peek() != Some(b'u') {
            return Err(self.unexpected("in string escape code"));
        }
        self.at += 1;
        for _ in 0..4 {
            if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            }
            self.at += 1;
        }
        let (character, length) = unescape_code(escape);
        self.at += length - 6;
        Ok(character)
    }
}

/// What a byte behind a backslash stands for; 0 where that is no single byte.
const UNESCAPED: [u8; 256] = {
    let mut unescaped = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        unescaped[byte] = match byte as u8 {
            itself @ (b'"' | b'\\' | b'/') => itself,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => 0,
        };
        byte += 1;
    }
    unescaped
};

/// The character of `\u` and four digits, and how many bytes it takes up: a surrogate pair is two of them.
fn unescape_code(text: &[u8]) -> (char, usize) {
    let Some(code) = code_unit(text) else { return (char::REPLACEMENT_CHARACTER, 6) };
    if let Some(character) = char::from_u32(code) {
        return (character, 6);
    }
    let low = text.get(6..).and_then(code_unit).filter(|low| (0xDC00..0xE000).contains(low));
    match low {
        Some(low) if code < 0xDC00 => {
            let pair = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// A byte as Go's errors quote it.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".into(),
        b'"' => "'\"'".into(),
        b'\\' => r"'\\'".into(),
        b'\n' => r"'\n'".into(),
        b'\r' => r"'\r'".into(),
        b'\t' => r"'\t'".into(),
        0x07 => r"'\a'".into(),
        0x08 => r"'\b'".into(),
        0x0B => r"'\v'".into(),
        0x0C => r"'\f'".into(),
        0x20..=0x7E => format!("'{}'", char::from(byte)),
        // Go takes the byte for a code point.
        0xA1..=0xAC | 0xAE..=0xFF => format!("'{}'", char::from(byte)),
        0x80..=0xAD => format!("'\\u{byte:04x}'"),
        _ => format!("'\\x{byte:02x}'"),
    }
}
