//! Strings by the stretches between their escapes: [`copy_plain`].

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Adds to `out` what stands in `text` before the first byte that `special` marks; gives how many bytes that is.
///
/// `special` looks at eight bytes at once, the first in the lowest, and sets the high bit of those it means; bytes
/// behind the first may be marked by mistake. Zero must be one of them. Stretches are short where JSON stands in JSON:
/// to find each by one call and to copy it by another takes three times as long.
pub(super) fn copy_plain(out: &mut Vec<u8>, text: &[u8], special: impl Fn(u64) -> u64) -> usize {
    let first = |chunk| ((special(u64::from_le_bytes(chunk)) & HIGH).trailing_zeros() / 8) as usize;
    let (chunks, tail) = text.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        out.extend_from_slice(chunk);
        let length = first(*chunk);
        if length < 8 {
            out.truncate(out.len() - 8 + length);
            return index * 8 + length;
        }
    }
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    let length = first(last);
    out.extend_from_slice(&tail[..length]);
    text.len() - tail.len() + length
}

/// Marks the bytes that are `byte`.
pub(super) const fn equal(chunk: u64, byte: u8) -> u64 {
    let different = chunk ^ (LOW * byte as u64);
    different.wrapping_sub(LOW) & !different
}

/// Marks the bytes below 0x20.
pub(super) const fn controls(chunk: u64) -> u64 {
    chunk.wrapping_sub(LOW * 0x20) & !chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_ends_a_stretch() {
        let special = |chunk| equal(chunk, b'"') | controls(chunk);
        let texts: [&[u8]; 9] =
            [b"", b"\"", b"a", b"abcdefgh", b"abcdefgh\"x", b"abcdefg\x1Fx", b"\x80\xFF!\n", b"12345678901\0", b"!#\""];
        for text in texts {
            let mut out = b"before ".to_vec();
            let length = copy_plain(&mut out, text, special);
            let wanted = text.iter().position(|byte| matches!(byte, b'"' | ..0x20)).unwrap_or(text.len());
            assert_eq!((length, &out[7..]), (wanted, &text[..wanted]), "{text:?}");
        }
    }
}
