//! `html`, `js` and `urlquery`.

use onepane_value::{Text, format};
use std::fmt::Write;

pub(super) fn html(text: &Text) -> Text {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter() {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(*other),
        }
    }
    out.into()
}

pub(super) fn js(text: &Text) -> Text {
    let mut out = String::with_capacity(text.len());
    for character in text.to_str().chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' => out.push_str("\\u003C"),
            '>' => out.push_str("\\u003E"),
            '&' => out.push_str("\\u0026"),
            '=' => out.push_str("\\u003D"),
            character if (character as u32) < 0x20 || !printable(character) => {
                write!(out, "\\u{:04X}", character as u32).expect("a string takes any text");
            }
            character => out.push(character),
        }
    }
    out.into()
}

/// Quoting leaves what is printable alone.
fn printable(character: char) -> bool {
    format::quote(character.encode_utf8(&mut [0; 4]).as_bytes()).chars().nth(1) == Some(character)
}

pub(super) fn url_query(text: &Text) -> Text {
    let mut out = String::with_capacity(text.len());
    for byte in text.iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(*byte)),
            b' ' => out.push('+'),
            other => write!(out, "%{other:02X}").expect("a string takes any text"),
        }
    }
    out.into()
}
