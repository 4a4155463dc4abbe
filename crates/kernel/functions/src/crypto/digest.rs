//! Checksums, in hexadecimal but for adler32's, which is a decimal number.

use crate::arguments::{Outcome, derived, text};
use onepane_template::Context;
use onepane_value::Value;
use sha2::Digest;

pub(super) fn sha1sum(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    sum::<sha1::Sha1>(arguments)
}

pub(super) fn sha256sum(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    sum::<sha2::Sha256>(arguments)
}

pub(super) fn sha512sum(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    sum::<sha2::Sha512>(arguments)
}

fn sum<D: Digest>(arguments: &[Value]) -> Outcome {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = D::digest(text(arguments, 0)?);
    let hex: Vec<u8> =
        digest.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect();
    Ok(derived(&arguments[0], onepane_value::Text::from(hex)))
}

pub(super) fn adler32sum(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    // As many bytes as the sums hold before they must be reduced.
    for chunk in text(arguments, 0)?.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    Ok(derived(&arguments[0], (b << 16 | a).to_string()))
}
