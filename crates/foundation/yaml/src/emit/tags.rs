//! Tags, written short.

use super::page::Page;

/// Writes `!!str`, `!custom`, or `!<…>` for one that has no short form.
pub(super) fn write(page: &mut Page, tag: &str) {
    let (handle, suffix, end) = if let Some(suffix) = tag.strip_prefix("!!") {
        ("!!", suffix, "")
    } else if let Some(suffix) = tag.strip_prefix('!') {
        ("!", suffix, "")
    } else {
        ("!<", tag, ">")
    };
    page.push(handle);
    // What may stand in a URI stays; `!` would end a handle.
    let escaped = |character: char| !(character.is_ascii_alphanumeric() || "-;/?:@&=+$,_.~*'()[]".contains(character));
    for part in suffix.split_inclusive(escaped) {
        let stays = part.trim_end_matches(escaped);
        page.push(stays);
        for byte in part[stays.len()..].bytes() {
            page.push(&format!("%{byte:02X}"));
        }
    }
    page.push(end);
}
