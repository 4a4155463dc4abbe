//! The decimals of a binary number, all of them, and how they are cut and written: Go's strconv.

use num_bigint::BigUint;

/// `0.d1d2d3… * 10^point`, without zeros at the end.
#[derive(Default)]
pub(super) struct Decimals {
    pub(super) digits: Vec<u8>,
    pub(super) point: i64,
}

impl Decimals {
    pub(super) fn of(mantissa: &BigUint, exponent: i64) -> Self {
        let (whole, places) = if exponent >= 0 {
            (mantissa << exponent as u64, 0)
        } else {
            // Without twos that both have.
            let halves = exponent.unsigned_abs();
            let shared = mantissa.trailing_zeros().unwrap_or(halves).min(halves);
            let places = halves - shared;
            ((mantissa >> shared) * BigUint::from(5u8).pow(places as u32), places as i64)
        };
        if whole == BigUint::ZERO {
            return Self::default();
        }
        let digits = whole.to_string().into_bytes();
        let mut decimals = Self { point: digits.len() as i64 - places, digits };
        decimals.trim();
        decimals
    }

    pub(super) fn at(&self, index: usize) -> u8 {
        self.digits.get(index).copied().unwrap_or(b'0')
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    /// To so many digits; exactly half goes to even.
    pub(super) fn round(&mut self, count: i64) {
        let Ok(count) = usize::try_from(count) else { return };
        if count >= self.digits.len() {
            return;
        }
        let up = if self.digits[count] == b'5' && count + 1 == self.digits.len() {
            count > 0 && self.digits[count - 1] & 1 == 1
        } else {
            self.digits[count] >= b'5'
        };
        if up { self.round_up(count) } else { self.round_down(count) }
    }

    pub(super) fn round_up(&mut self, count: usize) {
        if count >= self.digits.len() {
            return;
        }
        let kept = self.digits[..count].iter().rposition(|digit| *digit < b'9');
        match kept {
            Some(last) => {
                self.digits[last] += 1;
                self.digits.truncate(last + 1);
            }
            None => {
                self.digits = vec![b'1'];
                self.point += 1;
            }
        }
    }

    pub(super) fn round_down(&mut self, count: usize) {
        self.digits.truncate(count);
        self.trim();
    }

    pub(super) fn fixed(&self, places: usize) -> String {
        let mut text = String::new();
        if self.point > 0 {
            text.extend((0..self.point as usize).map(|at| char::from(self.at(at))));
        } else {
            text.push('0');
        }
        if places > 0 {
            text.push('.');
            let digit = |place: usize| usize::try_from(self.point + place as i64).map_or(b'0', |at| self.at(at));
            text.extend((0..places).map(|place| char::from(digit(place))));
        }
        text
    }

    pub(super) fn scientific(&self, verb: char, places: usize) -> String {
        let mut text = String::from(char::from(self.at(0)));
        if places > 0 {
            text.push('.');
            text.extend((1..=places).map(|at| char::from(self.at(at))));
        }
        let power = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if power < 0 { '-' } else { '+' };
        format!("{text}{verb}{sign}{:02}", power.unsigned_abs())
    }
}
