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
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => out.extend_from_slice(b"\\\\"),
                '\'' => out.extend_from_slice(b"\\'"),
                '"' => out.extend_from_slice(b"\\\""),
                '<' | '>' | '&' | '=' => code(&mut out, character),
                // Beyond ASCII, what is printable stays; so does the last control character.
                '\x20'..='\x7f' => out.push(character as u8),
                character if printable(character) => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                character => code(&mut out, character),
            }
        }
        // A byte that is no text counts as U+FFFD, which is printable.
        out.extend_from_slice(chunk.invalid());
    }
    out.into()
}

fn code(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(format!("\\u{:04X}", character as u32).as_bytes());
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
