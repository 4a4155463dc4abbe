//! Tags, written short.

use super::page::Page;

/// Writes `!!str`, `!custom`, or `!<…>` for one that has no short form.
pub(super) fn write(page: &mut Page, tag: &str) {
    let (handle, suffix) = if let Some(suffix) = tag.strip_prefix("!!") {
        ("!!", suffix)
    } else if let Some(suffix) = tag.strip_prefix('!') {
        ("!", suffix)
    } else {
        ("!<", tag)
    };
    page.push(handle);
    for byte in suffix.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => page.push(char::from(byte).encode_utf8(&mut [0; 4])),
            b'-' | b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'_' | b'.' | b'~' | b'*' => {
                page.push(char::from(byte).encode_utf8(&mut [0; 4]));
            }
            b'\'' | b'(' | b')' | b'[' | b']' => page.push(char::from(byte).encode_utf8(&mut [0; 4])),
            b'!' if handle == "!<" => page.push("!"),
            _ => page.push(&format!("%{byte:02X}")),
        }
    }
    if handle == "!<" {
        page.push(">");
    }
}
