//! Values as JSON, as encoding/json reads and writes them.

mod read;
mod write;

pub use read::from_json;
pub(crate) use write::{base64, unsupported_float, unsupported_type, valid_utf8};
pub use write::{to_json, to_json_indent, to_json_raw};

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// How many bytes come before the first that is below 0x20 or one of `special`; all of them are looked at at once.
#[inline]
fn plain_bytes<const N: usize>(bytes: &[u8; 8], special: [u8; N]) -> usize {
    let word = u64::from_le_bytes(*bytes);
    // Subtracting sets the high bit of each byte that is below: right up to the first, wrong at times beyond it.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let found =
        special.iter().fold(below(word, 0x20), |found, byte| found | below(word ^ (ONES * u64::from(*byte)), 1));
    (found & HIGH_BITS).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::plain_bytes;

    #[test]
    fn the_first_byte_that_is_not_plain_is_found_wherever_it_stands() {
        for at in 0..8 {
            for behind in [0, b'a', b'"', b'#', 0xFF] {
                for byte in 0..=u8::MAX {
                    let mut bytes = [behind; 8];
                    bytes[..at].fill(0x7F);
                    bytes[at] = byte;
                    let first = bytes.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | 0xE2)).unwrap_or(8);
                    assert_eq!(plain_bytes(&bytes, [b'"', 0xE2]), first, "{bytes:?}");
                }
            }
        }
    }
}
