//! Shamir's secret sharing over GF(2⁸), one polynomial a byte, as HashiCorp's Vault has it: [`split`], [`combine`].
//!
//! A share is the polynomials' values at a point, with the point behind them. No crate writes shares this way.

use crate::secret::Secret;
use onepane_world::World;
use zeroize::Zeroizing;

/// Shares of a secret, of which any `threshold` give it back. There are at least two, and at most 255.
pub(crate) fn split(secret: &Secret, shares: usize, threshold: usize, world: &dyn World) -> Option<Vec<Secret>> {
    let shares = u8::try_from(shares).ok()?;
    if threshold < 2 || threshold > usize::from(shares) {
        return None;
    }
    let secret = secret.reveal();
    let mut out: Vec<Zeroizing<Vec<u8>>> =
        (1..=shares).map(|_| Zeroizing::new(Vec::with_capacity(secret.len() + 1))).collect();
    // The coefficients from the first power on; the secret is the one before.
    let mut coefficients = Zeroizing::new(vec![0; threshold - 1]);
    for byte in secret {
        world.random(&mut coefficients);
        for (point, share) in (1..=shares).zip(&mut out) {
            let value = coefficients.iter().rev().fold(0, |value, coefficient| multiply(value ^ coefficient, point));
            share.push(value ^ byte);
        }
    }
    for (point, share) in (1..=shares).zip(&mut out) {
        share.push(point);
    }
    Some(out.into_iter().map(Secret::from).collect())
}

/// The secret that shares give. Too few of them give another one; `None` where they don't belong together.
pub(crate) fn combine(shares: &[Secret]) -> Option<Secret> {
    let shares: Vec<(u8, &[u8])> =
        shares.iter().map(|share| share.reveal().split_last().map(|(x, y)| (*x, y))).collect::<Option<_>>()?;
    let length = shares.first()?.1.len();
    let distinct = shares
        .iter()
        .enumerate()
        .all(|(at, (x, y))| *x != 0 && y.len() == length && shares[..at].iter().all(|(other, _)| other != x));
    if !distinct || shares.len() < 2 || length == 0 {
        return None;
    }
    let mut secret = Zeroizing::new(vec![0; length]);
    for (x, values) in &shares {
        // Lagrange's basis polynomial of this share at 0. There, taking away is adding.
        let others = shares.iter().filter(|(other, _)| other != x);
        let basis = others.fold(1, |basis, (other, _)| multiply(basis, multiply(*other, inverse(x ^ other))));
        for (byte, value) in secret.iter_mut().zip(*values) {
            *byte ^= multiply(basis, *value);
        }
    }
    Some(secret.into())
}

/// The product in the field of AES. It takes the same time for all factors.
fn multiply(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= a & 0u8.wrapping_sub(b >> bit & 1);
        a = a << 1 ^ (0x1B & 0u8.wrapping_sub(a >> 7));
    }
    product
}

/// The number with which the product is 1: the 254th power, since the 255th is.
fn inverse(a: u8) -> u8 {
    (0..6).fold(multiply(a, a), |power, _| multiply(multiply(power, power), multiply(a, a)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn every_number_has_its_inverse() {
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1, "{a}");
        }
        assert_eq!(multiply(0x57, 0x83), 0xC1, "the example of FIPS 197");
    }

    #[test]
    fn any_shares_that_suffice_give_the_secret() {
        let secret = Secret::new((0..32).collect::<Vec<u8>>());
        let shares = split(&secret, 4, 3, &MemoryWorld::new()).expect("it can be split");
        for left_out in 0..4 {
            let mut some = shares.clone();
            some.remove(left_out);
            assert_eq!(combine(&some), Some(secret.clone()));
            some.remove(0);
            assert_ne!(combine(&some), Some(secret.clone()));
        }
        for (shares, threshold) in [(1, 1), (2, 1), (2, 3), (256, 2)] {
            assert!(split(&secret, shares, threshold, &MemoryWorld::new()).is_none());
        }
        assert_eq!(combine(&[shares[0].clone(), shares[0].clone()]), None);
        assert_eq!(combine(&[]), None);
    }

    #[test]
    fn shares_of_vault_are_read() {
        // f(x) = 0x2A + 0x11·x at 1 and 3, worked out by hand: 0x11·3 = 0x22 ^ 0x11 = 0x33.
        let shares = [Secret::new([0x2A ^ 0x11, 1]), Secret::new([0x2A ^ 0x33, 3])];
        assert_eq!(combine(&shares), Some(Secret::new([0x2A])));
    }
}
