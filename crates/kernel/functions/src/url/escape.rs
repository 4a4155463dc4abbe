//! Percent escapes, by the part of a URL that they stand in.

use super::address::quoted;

/// Parts of a URL, which differ in the characters that may stand in them as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    /// The zone of an IPv6 address.
    Zone,
    User,
    Fragment,
}

/// Whether Go escapes the byte.
fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let plain: &[u8] = match part {
        Part::Path => b"$&+,/:;=@",
        Part::Host | Part::Zone => b"!\"$&'()*+,:;<=>[]",
        Part::User => b"$&+,;=",
        Part::Fragment => b"!$&()*+,/:;=?@",
    };
    !plain.contains(&byte)
}

/// The text with what may not stand there escaped.
pub(super) fn escape(text: &[u8], part: Part) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if must_escape(*byte, part) {
            out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        } else {
            out.push(*byte);
        }
    }
    out
}

/// The text with its escapes resolved; the error is Go's.
pub(super) fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let invalid = |at: usize| format!("invalid URL escape {}", quoted(&text[at..text.len().min(at + 3)]));
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16)).map(|digit| digit as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && must_escape(*byte, part) {
                return Err(format!("invalid character {} in host name", quoted(&[*byte])));
            }
            out.push(*byte);
            at += 1;
            continue;
        }
        let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else { return Err(invalid(at)) };
        let value = high << 4 | low;
        // Host names may have escapes of what is not ASCII only; zones also of what could stand there anyway.
        let is_percent = value == b'%';
        let allowed = match part {
            Part::Host => high >= 8 || is_percent,
            Part::Zone => is_percent || value == b' ' || !must_escape(value, Part::Host),
            _ => true,
        };
        if !allowed {
            return Err(invalid(at));
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}
