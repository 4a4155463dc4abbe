//! Searching bytes with what every processor of the platform has.
//!
//! `memchr`'s own functions ask the processor first what else it can. In a virtual machine each such question is answered by the
//! host, which took a seventh of a small render's own time.

#[cfg(target_arch = "aarch64")]
use memchr::arch::aarch64::neon::{memchr as plain, packedpair};
#[cfg(target_arch = "x86_64")]
use memchr::arch::x86_64::sse2::{memchr as plain, packedpair};

/// A search that is made of `$searcher` where there is one, else `$fallback`.
macro_rules! searched {
    ($searcher:ident($($byte:ident),+), $how:ident($bytes:ident), $fallback:ident) => {{
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if let Some(searcher) = plain::$searcher::new($($byte),+) {
            return searcher.$how($bytes);
        }
        memchr::$fallback($($byte,)+ $bytes)
    }};
}

/// A number for a short text, made of its ends: its upper bits tell where to look for it in a table.
#[inline]
pub const fn mixed(bytes: &[u8]) -> u64 {
    let ends = if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u32::from_le_bytes(*first) as u64 | (u32::from_le_bytes(*last) as u64) << 32
    } else if let ([first, ..], [.., last]) = (bytes, bytes) {
        *first as u64 | (bytes[bytes.len() / 2] as u64) << 8 | (*last as u64) << 16
    } else {
        0
    };
    (ends ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Where `byte` is first.
#[inline]
pub fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    searched!(One(byte), find(bytes), memchr)
}

/// Where `byte` is last.
#[inline]
pub fn rfind(byte: u8, bytes: &[u8]) -> Option<usize> {
    searched!(One(byte), rfind(bytes), memrchr)
}

/// Where one of two bytes is first.
#[inline]
pub fn find_of_2(one: u8, other: u8, bytes: &[u8]) -> Option<usize> {
    searched!(Two(one, other), find(bytes), memchr2)
}

/// Where one of three bytes is first.
#[inline]
pub fn find_of_3(one: u8, other: u8, third: u8, bytes: &[u8]) -> Option<usize> {
    searched!(Three(one, other, third), find(bytes), memchr3)
}

/// Everywhere that `byte` is.
#[inline]
pub fn find_all(byte: u8, bytes: &[u8]) -> impl Iterator<Item = usize> {
    places(bytes, move |rest| find(byte, rest))
}

/// Everywhere that one of two bytes is.
#[inline]
pub fn find_all_of_2(one: u8, other: u8, bytes: &[u8]) -> impl Iterator<Item = usize> {
    places(bytes, move |rest| find_of_2(one, other, rest))
}

#[inline]
fn places(bytes: &[u8], find: impl Fn(&[u8]) -> Option<usize>) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = at + find(&bytes[at..])?;
        at = place + 1;
        Some(place)
    })
}

/// Whether any byte is odd, for texts in which hardly any is: many are looked at at once, since nothing branches on one.
pub fn any_byte(bytes: &[u8], odd: impl Fn(u8) -> bool) -> bool {
    const BLOCK: usize = 64;
    let any = |block: &[u8; BLOCK]| block.iter().fold(0, |found, byte| found | u8::from(odd(*byte))) != 0;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    blocks.iter().any(any) || rest.iter().any(|byte| odd(*byte))
}

/// How often `byte` is in it.
#[inline]
pub fn count(byte: u8, bytes: &[u8]) -> usize {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(searcher) = plain::One::new(byte) {
        return searcher.count(bytes);
    }
    memchr::memchr_iter(byte, bytes).count()
}

/// Longer texts are not searched by two of their bytes: the time that takes grows with their length.
const SHORT: usize = 16;

/// A text that is searched for again and again.
pub struct Finder<'a> {
    text: &'a [u8],
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pair: Option<packedpair::Finder>,
}

impl<'a> Finder<'a> {
    /// Of a text.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            pair: (text.len() <= SHORT).then(|| packedpair::Finder::new(text)).flatten(),
        }
    }

    /// Where the text is first.
    #[inline]
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        match *self.text {
            [] => return Some(0),
            [byte] => return find(byte, bytes),
            _ => {}
        }
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if let Some(pair) = &self.pair {
            return match bytes.len() < pair.min_haystack_len() {
                true => bytes.windows(self.text.len()).position(|window| window == self.text),
                false => pair.find(bytes, self.text),
            };
        }
        memchr::memmem::find(bytes, self.text)
    }
}

/// Everywhere that `text`, which is not empty, is, after where it was before.
pub fn find_all_texts(text: &[u8], bytes: &[u8]) -> impl Iterator<Item = usize> {
    let (finder, mut at) = (Finder::new(text), 0);
    std::iter::from_fn(move || {
        let place = at + finder.find(bytes.get(at..)?)?;
        at = place + text.len().max(1);
        Some(place)
    })
}

/// Where a text is first.
#[inline]
pub fn find_text(text: &[u8], bytes: &[u8]) -> Option<usize> {
    Finder::new(text).find(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn all_is_found_where_it_is(bytes in "[ab{é]{0,80}", text in "[ab{é]{0,20}") {
            let (bytes, text) = (bytes.as_bytes(), text.as_bytes());
            let is = |byte: u8| move |it: &u8| *it == byte;
            prop_assert_eq!(find(b'a', bytes), bytes.iter().position(is(b'a')));
            prop_assert_eq!(rfind(b'a', bytes), bytes.iter().rposition(is(b'a')));
            prop_assert_eq!(find_of_2(b'a', b'{', bytes), bytes.iter().position(|it| b"a{".contains(it)));
            prop_assert_eq!(find_of_3(b'a', b'{', 0xC3, bytes), bytes.iter().position(|it| b"a{\xC3".contains(it)));
            prop_assert_eq!(count(b'b', bytes), bytes.iter().filter(|it| **it == b'b').count());
            prop_assert!(find_all(b'b', bytes).eq((0..bytes.len()).filter(|at| bytes[*at] == b'b')));
            prop_assert!(find_all_of_2(b'a', b'b', bytes).eq((0..bytes.len()).filter(|at| b"ab".contains(&bytes[*at]))));
            for text in [text, &text[..text.len().min(2)]] {
                let first = (0..=bytes.len()).find(|at| bytes[*at..].starts_with(text));
                prop_assert_eq!(find_text(text, bytes), first);
                if !text.is_empty() {
                    let mut free = 0;
                    let all: Vec<usize> = (0..bytes.len())
                        .filter(|at| {
                            let is_next = *at >= free && bytes[*at..].starts_with(text);
                            free = if is_next { at + text.len() } else { free };
                            is_next
                        })
                        .collect();
                    prop_assert_eq!(find_all_texts(text, bytes).collect::<Vec<_>>(), all);
                }
            }
        }
    }
}
