//! Large primes, fast: the time of `genCA` and `genSignedCert` is the time that the search for primes takes.
//!
//! Candidates of an arithmetic progression are sieved by small primes, so that one in forty of what is left is prime,
//! and then tested (Miller and Rabin) with multiplication after Montgomery.

use crate::random::Random;
use rsa::BigUint;

/// Candidates that are sieved at a time.
const WINDOW: usize = 1 << 13;
/// Candidates are divided by the primes below this.
const SMALL: usize = 1 << 14;
/// Tests with random bases after the one with base 2. For numbers that were not chosen by an enemy each leaves far
/// less than the chance in four that it leaves in the worst case.
const ROUNDS: usize = 8;

/// The first prime of `start`, `start + step`, … that `accepts` likes, of up to `64 * N` bits; `None` where there is
/// none in the window.
pub(super) fn search<const N: usize>(
    start: &BigUint,
    step: &BigUint,
    random: &mut Random,
    accepts: impl Fn(&BigUint) -> bool,
) -> Option<BigUint> {
    let sieve = sieve(start, step);
    for index in (0..WINDOW).filter(|index| !sieve[*index]) {
        let candidate = start + step * BigUint::from(index);
        if candidate.bits() > 64 * N {
            return None;
        }
        if Modulus::<N>::new(&candidate).is_probably_prime(random) && accepts(&candidate) {
            return Some(candidate);
        }
    }
    None
}

/// Which of the candidates a small prime divides.
fn sieve(start: &BigUint, step: &BigUint) -> Vec<bool> {
    let mut composite = vec![false; WINDOW];
    let (start, step) = (start.to_bytes_be(), step.to_bytes_be());
    for prime in small_primes() {
        let step = remainder(&step, prime);
        if step == 0 {
            continue;
        }
        // start + index * step = 0 modulo the prime.
        let inverse = power(step, prime - 2, prime);
        let first = (prime - remainder(&start, prime)) % prime * inverse % prime;
        composite.iter_mut().skip(first as usize).step_by(prime as usize).for_each(|slot| *slot = true);
    }
    composite
}

/// The odd primes that candidates are divided by.
fn small_primes() -> impl Iterator<Item = u64> {
    let mut composite = vec![false; SMALL];
    (3..SMALL).step_by(2).filter_map(move |number| {
        if composite[number] {
            return None;
        }
        composite.iter_mut().skip(number * number).step_by(number).for_each(|slot| *slot = true);
        Some(number as u64)
    })
}

fn remainder(bytes: &[u8], modulus: u64) -> u64 {
    bytes.rchunks(4).rev().fold(0, |rest, chunk| {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (rest << 32 | word) % modulus
    })
}

fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut base) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

/// An odd number to calculate by, and what Montgomery's multiplication needs of it. Numbers are `N` words, the lowest
/// first, times 2 to the 64 `N`.
struct Modulus<const N: usize> {
    words: [u64; N],
    /// Minus the inverse of the lowest word.
    inverse: u64,
    one: [u64; N],
    minus_one: [u64; N],
}

impl<const N: usize> Modulus<N> {
    fn new(number: &BigUint) -> Self {
        let words = words(number);
        // Newton's iteration doubles the bits that are right.
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(words[0].wrapping_mul(inverse)));
        }
        let one = Self::words_of(&((BigUint::from(1u8) << (64 * N)) % number));
        let minus_one = subtract(&words, &one);
        Self { words, inverse: inverse.wrapping_neg(), one, minus_one }
    }

    fn words_of(number: &BigUint) -> [u64; N] {
        words(number)
    }

    fn is_probably_prime(&self, random: &mut Random) -> bool {
        let two = self.double(&self.one);
        if !self.passes(&two, true) {
            return false;
        }
        (0..ROUNDS).all(|_| {
            let mut base = [0; N];
            for word in &mut base {
                let mut bytes = [0; 8];
                random.fill(&mut bytes);
                *word = u64::from_le_bytes(bytes);
            }
            self.passes(&self.multiply(&base, &self.one), false)
        })
    }

    /// Whether the number behaves as a prime does towards `base`.
    fn passes(&self, base: &[u64; N], base_is_two: bool) -> bool {
        if base.iter().all(|word| *word == 0) {
            return true;
        }
        // number - 1 = odd * 2^twos
        let mut even = self.words;
        even[0] -= 1;
        let twos = trailing_zeros(&even);
        let mut power = self.one;
        for bit in (twos..64 * N).rev() {
            power = self.multiply(&power, &power);
            if even[bit / 64] >> (bit % 64) & 1 == 1 {
                power = if base_is_two { self.double(&power) } else { self.multiply(&power, base) };
            }
        }
        if power == self.one || power == self.minus_one {
            return true;
        }
        for _ in 1..twos {
            power = self.multiply(&power, &power);
            if power == self.minus_one {
                return true;
            }
        }
        false
    }

    fn double(&self, number: &[u64; N]) -> [u64; N] {
        let mut doubled = [0; N];
        let mut carry = 0;
        for (doubled, word) in doubled.iter_mut().zip(number) {
            *doubled = word << 1 | carry;
            carry = word >> 63;
        }
        self.reduce(doubled, carry)
    }

    /// Once the number less, where it is larger than the modulus.
    fn reduce(&self, number: [u64; N], carry: u64) -> [u64; N] {
        if carry > 0 || !is_less(&number, &self.words) { subtract(&number, &self.words) } else { number }
    }

    /// a * b / 2^(64 N)
    fn multiply(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut sum = [0u64; N];
        let mut top = 0u64;
        for a in a {
            let mut carry = 0u64;
            for (sum, b) in sum.iter_mut().zip(b) {
                let product = u128::from(*a) * u128::from(*b) + u128::from(*sum) + u128::from(carry);
                *sum = product as u64;
                carry = (product >> 64) as u64;
            }
            let (next, overflow) = top.overflowing_add(carry);
            // Adding the right multiple of the modulus makes the lowest word zero, and it is dropped.
            let factor = sum[0].wrapping_mul(self.inverse);
            let mut carry = ((u128::from(factor) * u128::from(self.words[0]) + u128::from(sum[0])) >> 64) as u64;
            for index in 1..N {
                let product =
                    u128::from(factor) * u128::from(self.words[index]) + u128::from(sum[index]) + u128::from(carry);
                sum[index - 1] = product as u64;
                carry = (product >> 64) as u64;
            }
            let (last, carried) = next.overflowing_add(carry);
            sum[N - 1] = last;
            top = u64::from(overflow) + u64::from(carried);
        }
        self.reduce(sum, top)
    }
}

fn words<const N: usize>(number: &BigUint) -> [u64; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(number.to_bytes_le().chunks(8)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

fn trailing_zeros(words: &[u64]) -> usize {
    let zeros = words.iter().take_while(|word| **word == 0).count();
    zeros * 64 + words.get(zeros).map_or(0, |word| word.trailing_zeros() as usize)
}

fn is_less<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// a - b, a borrow at the top being dropped.
fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut difference = [0; N];
    let mut borrow = false;
    for ((difference, a), b) in difference.iter_mut().zip(a).zip(b) {
        let (first, under) = a.overflowing_sub(*b);
        let (second, under_again) = first.overflowing_sub(u64::from(borrow));
        *difference = second;
        borrow = under || under_again;
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn numbers_up_to_ten_thousand_are_told_apart() {
        let mut random = Random::new(&MemoryWorld::new());
        let is_prime = |number: u64| (2..number).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d));
        for number in (3..10_000u64).step_by(2) {
            let ours = Modulus::<2>::new(&BigUint::from(number)).is_probably_prime(&mut random);
            assert_eq!(ours, is_prime(number), "{number}");
        }
    }

    #[test]
    fn known_large_numbers_are_told_apart() {
        let mut random = Random::new(&MemoryWorld::new());
        let mersenne = |bits: usize| (BigUint::from(1u8) << bits) - 1u8;
        for (number, prime) in [
            (mersenne(521), true),
            (mersenne(607), true),
            (mersenne(1023), false),
            // The product of two primes, and Carmichael's least.
            (mersenne(521) * mersenne(127), false),
            (BigUint::from(561u32), false),
        ] {
            assert_eq!(Modulus::<16>::new(&number).is_probably_prime(&mut random), prime, "{number}");
        }
    }

    #[test]
    fn a_search_keeps_to_its_progression() {
        let mut random = Random::new(&MemoryWorld::new());
        let (start, step) = (BigUint::from(1_000_003u32) << 100usize, BigUint::from(30u8));
        let start = start / &step * &step + 7u8;
        let found = search::<4>(&start, &step, &mut random, |_| true).expect("there are many");
        assert_eq!(found % &step, BigUint::from(7u8));
    }
}
