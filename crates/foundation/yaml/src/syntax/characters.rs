//! Classes of characters, read at a place in the bytes. Behind the end stands 0, which no text contains.

/// The byte at `at`, or 0 behind the end.
#[inline(always)]
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// How many bytes the line break at `at` takes; 0 if there is none. CR LF counts as one.
#[inline]
pub(super) fn break_width(text: &[u8], at: usize) -> usize {
    match byte(text, at) {
        b'\n' => 1,
        b'\r' if byte(text, at + 1) == b'\n' => 2,
        b'\r' => 1,
        // NEL, LS and PS end a line in YAML 1.1.
        0xC2 if byte(text, at + 1) == 0x85 => 2,
        0xE2 if byte(text, at + 1) == 0x80 && matches!(byte(text, at + 2), 0xA8 | 0xA9) => 3,
        _ => 0,
    }
}

#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether a line ends at `at`, or the text does.
#[inline]
pub(super) fn is_break_or_end(text: &[u8], at: usize) -> bool {
    at >= text.len() || break_width(text, at) > 0
}

/// Whether a blank, a line's end or the text's end stands at `at`.
#[inline]
pub(super) fn is_blank_or_end(text: &[u8], at: usize) -> bool {
    match byte(text, at) {
        b' ' | b'\t' | b'\n' | b'\r' | 0 => true,
        0xC2 | 0xE2 => break_width(text, at) > 0,
        _ => false,
    }
}

/// Letters of anchors, handles and directives.
#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Finds the first character that go-yaml's reader refuses: a control character or a non-character.
pub(super) fn find_forbidden(text: &[u8]) -> Option<usize> {
    const CHUNK: usize = 64;
    let mut start = 0;
    for chunk in text.chunks(CHUNK) {
        // Branch-free over the chunk, so that the compiler can look at many bytes at once.
        let suspicious = chunk.iter().fold(false, |found, &b| {
            found | ((b < 0x20) & (b != b'\n') & (b != b'\t') & (b != b'\r')) | (b == 0x7F) | (b == 0xC2) | (b == 0xEF)
        });
        if suspicious {
            for (at, &b) in chunk.iter().enumerate() {
                let at = start + at;
                let forbidden = match b {
                    b'\n' | b'\t' | b'\r' => false,
                    0..0x20 | 0x7F => true,
                    0xC2 => (0x80..0xA0).contains(&byte(text, at + 1)) && byte(text, at + 1) != 0x85,
                    0xEF => byte(text, at + 1) == 0xBF && byte(text, at + 2) >= 0xBE,
                    _ => false,
                };
                if forbidden {
                    return Some(at);
                }
            }
        }
        start += CHUNK;
    }
    None
}
