//! Keys of the Digital Signature Algorithm, which can be made but sign nothing.

use super::der;
use super::prime;
use crate::random::Random;
use rsa::BigUint;

/// A key with a modulus of 2048 bits and a group of 256, in OpenSSL's form: version, p, q, g, y, x.
pub(super) fn generate(random: &mut Random) -> Vec<u8> {
    let one = BigUint::from(1u8);
    let (q, p) = loop {
        let q = number(random, 256);
        let Some(q) = prime::search::<4>(&q, &BigUint::from(2u8), random, |_| true) else { continue };
        // p - 1 is a multiple of q.
        let step = &q * 2u8;
        let start = number(random, 2048) / &step * &step + &one;
        if let Some(p) = prime::search::<32>(&start, &step, random, |p| p.bits() == 2048) {
            break (q, p);
        }
    };
    let exponent = (&p - &one) / &q;
    let g = (2u8..).map(|base| BigUint::from(base).modpow(&exponent, &p)).find(|g| *g > one).unwrap_or(one);
    // 64 bits more than needed, so that the remainder favours no number.
    let x = number(random, 320) % (&q - 1u8) + 1u8;
    let y = g.modpow(&x, &p);
    let numbers = [&BigUint::from(0u8), &p, &q, &g, &y, &x].map(|number| der::integer(&number.to_bytes_be()));
    der::sequence(&numbers)
}

/// An odd number of so many bits, which are a multiple of eight.
fn number(random: &mut Random, bits: usize) -> BigUint {
    let mut bytes = vec![0; bits / 8];
    random.fill(&mut bytes);
    bytes[0] |= 0xc0;
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    BigUint::from_bytes_be(&bytes)
}
