//! Bytes of strings that stand for themselves.

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// How many bytes of a string come before the first that does not stand for itself; all are looked at at once.
///
/// With `HTML`, what means something in HTML does not stand for itself either.
pub(super) fn plain_bytes<const HTML: bool>(bytes: &[u8; 8]) -> usize {
    let word = u64::from_le_bytes(*bytes);
    // Subtracting sets the high bit of each byte that is below: right up to the first, wrong at times beyond it.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let special = if HTML {
        // `"` and `&` differ in one bit, and so do `<` and `>`.
        is(word | (ONES * 4), b'&') | is(word | (ONES * 2), b'>')
    } else {
        is(word, b'"')
    };
    let found = (below(word, 0x20) | special | is(word, b'\\')) & HIGH_BITS;
    found.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::plain_bytes;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for at in 0..8 {
            for behind in [0, b'a', b'"', b'#', b'&', b'<', 0xFF] {
                for byte in 0..=u8::MAX {
                    let mut bytes = [behind; 8];
                    bytes[..at].fill(0x7F);
                    bytes[at] = byte;
                    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
                    let first = |special: &dyn Fn(&u8) -> bool| bytes.iter().position(special).unwrap_or(8);
                    assert_eq!(plain_bytes::<false>(&bytes), first(&is_special), "{bytes:?}");
                    let in_html = |byte: &u8| is_special(byte) || matches!(byte, b'<' | b'>' | b'&');
                    assert_eq!(plain_bytes::<true>(&bytes), first(&in_html), "{bytes:?}");
                }
            }
        }
    }
}
