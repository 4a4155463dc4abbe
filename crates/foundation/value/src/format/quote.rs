//! Strings in Go's quotes: strconv's `Quote` and `Unquote`.

use std::fmt::Write;

/// `strconv.Quote`: double quotes, with escapes for what is not printable; `\xff` for bytes that are not UTF-8.
pub fn quote(bytes: &[u8]) -> String {
    quoted(bytes, false)
}

/// `strconv.QuoteToASCII`: the same, with escapes for everything beyond ASCII.
pub fn quote_to_ascii(bytes: &[u8]) -> String {
    quoted(bytes, true)
}

/// Whether nothing in it has to be escaped, as in most.
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'"' && *byte != b'\\')
}

fn quoted(bytes: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        if is_plain(chunk.valid().as_bytes()) {
            out.push_str(chunk.valid());
        } else {
            chunk.valid().chars().for_each(|rune| escape(&mut out, rune, '"', ascii));
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a string takes any text");
        }
    }
    out.push('"');
    out
}

/// `strconv.QuoteRune`
pub(super) fn quote_rune(rune: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, rune, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, rune: char, quote: char, ascii: bool) {
    let code = rune as u32;
    let written = match rune {
        '\\' => out.write_str("\\\\"),
        rune if rune == quote => write!(out, "\\{rune}"),
        rune if is_printable(rune) && (!ascii || rune.is_ascii()) => out.write_char(rune),
        '\x07' => out.write_str("\\a"),
        '\x08' => out.write_str("\\b"),
        '\x0c' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\x0b' => out.write_str("\\v"),
        _ if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("a string takes any text");
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols, and of spaces only U+0020.
pub(super) fn is_printable(rune: char) -> bool {
    // Rust's `escape_debug` rests on the same property of Unicode, and escapes grapheme extenders besides.
    match rune {
        ' ' | '"' | '\'' | '\\' => true,
        rune if rune.is_ascii() => rune.is_ascii_graphic(),
        '\u{ad}' => false,
        rune if rune.is_whitespace() || rune.is_control() => false,
        rune => {
            let mut escaped = rune.escape_debug();
            escaped.len() == 1 || is_mark(escaped.next(), rune)
        }
    }
}

/// Combining marks are printable to Go, while `escape_debug` escapes them at the start of a string.
fn is_mark(_: Option<char>, rune: char) -> bool {
    let text: String = ['a', rune].iter().collect();
    text.escape_debug().count() == 2
}

/// Whether a raw string can hold the text.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars().all(|rune| rune != '`' && rune != '\u{feff}' && rune != '\x7f' && (rune >= ' ' || rune == '\t'))
}

/// `strconv.Unquote` for strings and characters in Go's three kinds of quotes; `None` where the text is no such thing.
pub fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut characters = text.chars();
    let quote = characters.next()?;
    if characters.next_back()? != quote {
        return None;
    }
    let inside = characters.as_str();
    match quote {
        '`' => (!inside.contains('`')).then(|| inside.replace('\r', "").into_bytes()),
        '"' | '\'' => {
            let bytes = unescape(inside, quote)?;
            let single = quote == '"' || std::str::from_utf8(&bytes).is_ok_and(|text| text.chars().count() == 1);
            single.then_some(bytes)
        }
        _ => None,
    }
}

fn unescape(text: &str, quote: char) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == quote || character == '\n' {
            return None;
        }
        if character != '\\' {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escaped = characters.next()?;
        let mut number = |digits: usize, radix: u32| -> Option<u32> {
            let text = characters.as_str().get(..digits)?;
            characters = characters.as_str().get(digits..)?.chars();
            // `from_str_radix` takes a sign, Go does not.
            text.chars().all(|digit| digit.is_digit(radix)).then(|| u32::from_str_radix(text, radix).ok())?
        };
        let rune = match escaped {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' => '\\',
            '\'' | '"' if escaped == quote => quote,
            'x' => {
                out.push(u8::try_from(number(2, 16)?).ok()?);
                continue;
            }
            '0'..='7' => {
                let rest = number(2, 8)?;
                out.push(u8::try_from(escaped.to_digit(8)? * 64 + rest).ok()?);
                continue;
            }
            'u' => char::from_u32(number(4, 16)?)?,
            'U' => char::from_u32(number(8, 16)?)?,
            _ => return None,
        };
        out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(out)
}
