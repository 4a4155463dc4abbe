//! `b64enc`, `b64dec`, `b32enc`, `b32dec`. A text that does not decode gives Go's error as the result.

use crate::arguments::{Outcome, any, derived, fixed, text};
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("b64enc", &[Type::String], |context, arguments| encoded(context, arguments, &BASE64)),
    fixed("b64dec", &[Type::String], |_, arguments| decoded(arguments, &BASE64)),
    fixed("b32enc", &[Type::String], |context, arguments| encoded(context, arguments, &BASE32)),
    fixed("b32dec", &[Type::String], |_, arguments| decoded(arguments, &BASE32)),
];

/// An encoding of `bytes` bytes in `letters` letters, each of `bits` bits.
struct Encoding {
    name: &'static str,
    alphabet: &'static [u8],
    bits: u32,
    bytes: usize,
    letters: usize,
    /// Whether Go looks past the `=` that end a text.
    checks_end: bool,
}

const BASE64: Encoding = Encoding {
    name: "base64",
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    bytes: 3,
    letters: 4,
    checks_end: true,
};

const BASE32: Encoding = Encoding {
    name: "base32",
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    bits: 5,
    bytes: 5,
    letters: 8,
    checks_end: false,
};

fn encoded(context: &mut dyn Context, arguments: &[Value], encoding: &Encoding) -> Outcome {
    let string = text(arguments, 0)?;
    let size = string.len().div_ceil(encoding.bytes) * encoding.letters;
    context.charge(size)?;
    let mut out = Vec::with_capacity(size);
    for group in string.chunks(encoding.bytes) {
        let mut word = group.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let used = (group.len() * 8).div_ceil(encoding.bits as usize);
        word <<= used * encoding.bits as usize - group.len() * 8;
        for letter in (0..used).rev() {
            let index = (word >> (letter * encoding.bits as usize)) as usize & (encoding.alphabet.len() - 1);
            out.push(encoding.alphabet[index]);
        }
        out.resize(out.len() + encoding.letters - used, b'=');
    }
    Ok(derived(any(arguments, 0), Text::from(out)))
}

fn decoded(arguments: &[Value], encoding: &Encoding) -> Outcome {
    let decoded = encoding.decode_as_go(text(arguments, 0)?).unwrap_or_else(String::into_bytes);
    Ok(derived(any(arguments, 0), Text::from(decoded)))
}

/// Go's `base64.StdEncoding.DecodeString`
pub(crate) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    BASE64.decode_as_go(text)
}

impl Encoding {
    fn decode_as_go(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        self.decode(text).map_err(|offset| format!("illegal {} data at input byte {offset}", self.name))
    }

    /// Decodes whole groups; line breaks do not count. The error is the offset that Go reports.
    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let mut values = [NO_LETTER; 256];
        for (value, letter) in self.alphabet.iter().enumerate() {
            values[usize::from(*letter)] = value as u8;
        }
        let mut out = Vec::with_capacity(text.len() / self.letters * self.bytes + self.bytes);
        let mut rest = Letters { text, at: 0 };
        loop {
            let (mut word, mut count) = (0u64, 0);
            while count < self.letters {
                let Some(letter) = rest.next() else {
                    return if count == 0 { Ok(out) } else { Err(text.len() - count) };
                };
                match values[usize::from(letter)] {
                    NO_LETTER if letter == b'=' && count >= 2 => {
                        self.read_padding(&mut rest, count)?;
                        self.push(&mut out, word, count);
                        return Ok(out);
                    }
                    NO_LETTER => return Err(rest.at - 1),
                    value => word = word << self.bits | u64::from(value),
                }
                count += 1;
            }
            self.push(&mut out, word, count);
        }
    }

    /// Reads the `=` after the first, which ends a group of `count` letters.
    fn read_padding(&self, rest: &mut Letters<'_>, count: usize) -> Result<(), usize> {
        let first = rest.at - 1;
        if !self.checks_end && rest.count() >= self.letters {
            return Err(first);
        }
        for _ in count + 1..self.letters {
            // Go is one off where something else stands in place of a `=`.
            match rest.next() {
                Some(b'=') => {}
                Some(_) => return Err(rest.at - 2),
                None => return Err(rest.text.len()),
            }
        }
        let bits = count * self.bits as usize;
        if bits % 8 >= self.bits as usize {
            return Err(first);
        }
        match rest.next() {
            Some(_) if self.checks_end => Err(rest.at - 1),
            _ => Ok(()),
        }
    }

    fn push(&self, out: &mut Vec<u8>, word: u64, letters: usize) {
        let bits = letters * self.bits as usize;
        let word = word >> (bits % 8);
        out.extend((0..bits / 8).rev().map(|byte| (word >> (byte * 8)) as u8));
    }
}

/// What a byte stands for that is no letter of an alphabet.
const NO_LETTER: u8 = 0xFF;

/// The bytes of a text but for its line breaks.
struct Letters<'a> {
    text: &'a [u8],
    at: usize,
}

impl Letters<'_> {
    /// How many are left.
    fn count(&self) -> usize {
        let mut rest = Letters { ..*self };
        std::iter::from_fn(|| rest.next()).count()
    }

    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            if !matches!(byte, b'\r' | b'\n') {
                return Some(byte);
            }
        }
    }
}
