//! Numbers as cty has them: Go's `big.Float`, with 512 bits where they were written in decimals.
//!
//! What is read, computed and printed rounds as there, so that `0.1 + 0.2` is `0.3` and `10 / 3` has 154 digits.

mod decimals;

use decimals::Decimals;
use num_bigint::BigUint;
use std::cmp::Ordering;

/// Nobody writes longer numbers.
const MOST_DIGITS: usize = 20_000;
/// The bits of what is written in decimals.
const WRITTEN: u64 = 512;
/// Beyond this power of two nothing is computed: such a number does not fit into a value, but would fill memory.
const LARGEST: i64 = 100_000;

/// A number.
#[derive(Clone, Debug)]
pub(super) struct Number {
    negative: bool,
    size: Size,
    /// The bits to which results round.
    precision: u64,
}

#[derive(Clone, Debug)]
enum Size {
    /// `mantissa * 2^exponent`
    Finite {
        mantissa: BigUint,
        exponent: i64,
    },
    Infinite,
}

/// Why there is no result.
pub(super) type Unfit = &'static str;

const TOO_LARGE: Unfit = "the number is too large or too small";

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        let size = Size::Finite { mantissa: value.unsigned_abs().into(), exponent: 0 };
        Self { negative: value < 0, size, precision: 64 }
    }
}

impl Number {
    /// A number as it is written in decimals, or `Inf`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if matches!(rest, "Inf" | "inf") {
            return Some(Self { negative, size: Size::Infinite, precision: WRITTEN });
        }
        let (digits, power) = match rest.find(['e', 'E']) {
            Some(at) => {
                let power = &rest[at + 1..];
                let unsigned = power.strip_prefix(['+', '-']).unwrap_or(power);
                if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                // What does not fit is far beyond what is computed.
                (&rest[..at], power.parse::<i64>().unwrap_or(if power.starts_with('-') { -LARGEST } else { LARGEST }))
            }
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let count = whole.len() + fraction.len();
        if count == 0 || count > MOST_DIGITS || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let mantissa = BigUint::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
        let power = power.saturating_sub(fraction.len() as i64);
        if power.unsigned_abs() > LARGEST as u64 {
            // It is refused where it is used.
            let size = if mantissa == BigUint::ZERO || power < 0 { small(BigUint::ZERO) } else { Size::Infinite };
            return Some(Self { negative, size, precision: WRITTEN });
        }
        let ten = BigUint::from(10u8).pow(power.unsigned_abs() as u32);
        Some(if power >= 0 {
            Self::rounded(negative, mantissa * ten, 0, false, WRITTEN)
        } else {
            Self::quotient(negative, (&mantissa, 0), (&ten, 0), WRITTEN)
        })
    }

    /// A whole number of any size, with as many bits as it takes.
    pub(super) fn whole(negative: bool, value: BigUint) -> Self {
        let precision = value.bits().max(64);
        Self { negative, size: small(value), precision }
    }

    /// Go's 53 bits; nothing for what is no number.
    pub(super) fn from_f64(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        if value.is_infinite() {
            return Some(Self { negative: value < 0.0, size: Size::Infinite, precision: 53 });
        }
        let bits = value.to_bits();
        let (power, fraction) = ((bits >> 52 & 0x7FF) as i64, bits & ((1 << 52) - 1));
        let (mantissa, exponent) = if power == 0 { (fraction, -1074) } else { (fraction | 1 << 52, power - 1075) };
        let size = Size::Finite { mantissa: mantissa.into(), exponent };
        Some(Self { negative: value.is_sign_negative(), size, precision: 53 })
    }

    /// The nearest float, read from the decimals as Go's JSON does; nothing where it is out of range.
    pub(super) fn to_f64(&self) -> Option<f64> {
        self.is_finite().then(|| self.text().parse::<f64>().ok().filter(|value| value.is_finite())).flatten()
    }

    /// A whole number that fits.
    pub(super) fn to_i64(&self) -> Option<i64> {
        let (negative, whole) = self.to_whole()?;
        let value = i128::from(u64::try_from(whole).ok()?);
        i64::try_from(if negative { -value } else { value }).ok()
    }

    /// What it is as a whole number, if it is one.
    pub(super) fn to_whole(&self) -> Option<(bool, BigUint)> {
        let (whole, exact) = self.truncated()?;
        exact.then_some((self.negative && whole != BigUint::ZERO, whole))
    }

    /// Without its fraction, and whether there was none.
    fn truncated(&self) -> Option<(BigUint, bool)> {
        match &self.size {
            Size::Infinite => None,
            Size::Finite { mantissa, exponent } if *exponent >= 0 => Some((mantissa << *exponent as u64, true)),
            Size::Finite { mantissa, exponent } => {
                let whole = mantissa >> exponent.unsigned_abs();
                let exact = &whole << exponent.unsigned_abs() == *mantissa;
                Some((whole, exact))
            }
        }
    }

    pub(super) fn is_finite(&self) -> bool {
        matches!(self.size, Size::Finite { .. })
    }

    /// Below zero, above it, or neither.
    pub(super) fn sign(&self) -> Ordering {
        match &self.size {
            Size::Finite { mantissa, .. } if *mantissa == BigUint::ZERO => Ordering::Equal,
            _ if self.negative => Ordering::Less,
            _ => Ordering::Greater,
        }
    }

    pub(super) fn negated(&self) -> Self {
        Self { negative: !self.negative, ..self.clone() }
    }

    pub(super) fn absolute(&self) -> Self {
        Self { negative: false, ..self.clone() }
    }

    /// Without its fraction, with as many bits as it then takes.
    pub(super) fn int(&self) -> Result<Self, Unfit> {
        match self.truncated().ok_or("infinity has no fraction to discard")? {
            (_, true) => Ok(self.clone()),
            (whole, false) => Ok(Self::whole(self.negative && whole != BigUint::ZERO, whole)),
        }
    }

    pub(super) fn floor(&self) -> Self {
        self.to_neighbour(self.negative)
    }

    pub(super) fn ceil(&self) -> Self {
        self.to_neighbour(!self.negative)
    }

    /// The whole number next to it, away from zero or not.
    fn to_neighbour(&self, away: bool) -> Self {
        let Some((whole, exact)) = self.truncated() else { return self.clone() };
        let whole = if away && !exact { whole + 1u8 } else { whole };
        let negative = self.negative && whole != BigUint::ZERO;
        Self::rounded(negative, whole, 0, false, self.precision)
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, Unfit> {
        let precision = self.precision.max(other.precision);
        let (a, b) = match (&self.size, &other.size) {
            (Size::Infinite, Size::Infinite) if self.negative != other.negative => {
                return Err("the sum of opposing infinities is no number");
            }
            (Size::Infinite, _) => return Ok(self.clone()),
            (_, Size::Infinite) => return Ok(other.clone()),
            (a, b) => (a.parts(), b.parts()),
        };
        let exponent = a.1.min(b.1);
        let [a, b] = [a, b].map(|(mantissa, own)| mantissa << (own - exponent) as u64);
        let (negative, mantissa) = match (self.negative, other.negative) {
            (one, two) if one == two => (one, a + b),
            (one, two) => match a.cmp(&b) {
                Ordering::Equal => (false, BigUint::ZERO),
                Ordering::Greater => (one, a - b),
                Ordering::Less => (two, b - a),
            },
        };
        Self::rounded(negative, mantissa, exponent, false, precision).fitting()
    }

    pub(super) fn minus(&self, other: &Self) -> Result<Self, Unfit> {
        self.plus(&other.negated())
    }

    /// The product takes the bits that it needs, up to 512.
    pub(super) fn times(&self, other: &Self) -> Result<Self, Unfit> {
        let negative = self.negative != other.negative;
        let (Size::Finite { mantissa: a, exponent: one }, Size::Finite { mantissa: b, exponent: two }) =
            (&self.size, &other.size)
        else {
            if self.sign() == Ordering::Equal || other.sign() == Ordering::Equal {
                return Err("zero times infinity is no number");
            }
            return Ok(Self { negative, size: Size::Infinite, precision: WRITTEN });
        };
        let mut product = Self::rounded(negative, a * b, one + two, false, WRITTEN);
        let needed = match &product.size {
            Size::Finite { mantissa, .. } => mantissa.bits() - mantissa.trailing_zeros().unwrap_or(0),
            Size::Infinite => 0,
        };
        product.precision = self.precision.max(other.precision).max(needed);
        product.fitting()
    }

    pub(super) fn over(&self, other: &Self) -> Result<Self, Unfit> {
        let negative = self.negative != other.negative;
        let precision = self.precision.max(other.precision);
        let zero = |one: &Self| one.sign() == Ordering::Equal;
        match (&self.size, &other.size) {
            _ if zero(self) && zero(other) => Err("zero divided by zero is no number"),
            (Size::Infinite, Size::Infinite) => Err("infinity divided by infinity is no number"),
            (_, Size::Infinite) => Ok(Self { negative, size: small(BigUint::ZERO), precision }),
            _ if zero(other) || !self.is_finite() => Ok(Self { negative, size: Size::Infinite, precision }),
            (Size::Finite { mantissa: a, exponent: one }, Size::Finite { mantissa: b, exponent: two }) => {
                Self::quotient(negative, (a, *one), (b, *two), precision).fitting()
            }
            (Size::Infinite, _) => Ok(Self { negative, size: Size::Infinite, precision }),
        }
    }

    /// What a division leaves, with the sign of what is divided; by zero, that itself.
    pub(super) fn modulo(&self, other: &Self) -> Result<Self, Unfit> {
        if other.sign() == Ordering::Equal {
            return Ok(self.clone());
        }
        let ratio = self.over(other)?;
        let (whole, _) = ratio.truncated().ok_or("infinity can't be divided with a remainder")?;
        if !other.is_finite() {
            return Err("infinity can't be divided with a remainder");
        }
        let whole = Self::rounded(ratio.negative, whole, 0, false, self.precision);
        let (Size::Finite { mantissa: a, exponent: one }, Size::Finite { mantissa: b, exponent: two }) =
            (&other.size, &whole.size)
        else {
            return Err(TOO_LARGE);
        };
        let product = Self::rounded(other.negative != whole.negative, a * b, one + two, false, self.precision);
        let mut left = self.minus(&product)?;
        if left.precision != self.precision {
            let (mantissa, exponent) = left.size.parts();
            left = Self::rounded(left.negative, mantissa.clone(), exponent, false, self.precision);
        }
        Ok(left)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let rank = |one: &Self| match (one.sign(), one.is_finite()) {
            (Ordering::Less, false) => -2,
            (Ordering::Less, true) => -1,
            (Ordering::Equal, _) => 0,
            (Ordering::Greater, true) => 1,
            (Ordering::Greater, false) => 2,
        };
        let order = rank(self).cmp(&rank(other));
        if order != Ordering::Equal || !self.is_finite() {
            return order;
        }
        let ((a, one), (b, two)) = (self.size.parts(), other.size.parts());
        let exponent = one.min(two);
        let order = (a << (one - exponent) as u64).cmp(&(b << (two - exponent) as u64));
        if self.negative { order.reverse() } else { order }
    }

    /// Whether both are printed the same, which is what cty calls equal.
    pub(super) fn equals(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.to_i64(), other.to_i64()) {
            return a == b;
        }
        self.sign() == other.sign() && self.text() == other.text()
    }

    /// As few decimals as tell it from its neighbours: Go's `%f` with precision -1.
    pub(super) fn text(&self) -> String {
        self.formatted('f', None)
    }

    /// Go's `e`, `E`, `f`, `g` and `G` of `big.Float`, without a plus sign. Without `precision`, as few digits as tell it
    /// from its neighbours.
    pub(super) fn formatted(&self, verb: char, precision: Option<usize>) -> String {
        let sign = if self.negative { "-" } else { "" };
        let Size::Finite { mantissa, exponent } = &self.size else {
            return format!("{}Inf", if self.negative { "-" } else { "+" });
        };
        let mut decimals = match precision {
            None => self.shortest(),
            Some(_) => Decimals::of(mantissa, *exponent),
        };
        let shortest = precision.is_none();
        let precision = match (verb, precision) {
            ('e' | 'E', None) => decimals.digits.len().saturating_sub(1),
            ('f', None) => (decimals.digits.len() as i64 - decimals.point).max(0) as usize,
            (_, None) => decimals.digits.len(),
            ('e' | 'E', Some(precision)) => {
                decimals.round(precision as i64 + 1);
                precision
            }
            ('f', Some(precision)) => {
                decimals.round(decimals.point + precision as i64);
                precision
            }
            (_, Some(precision)) => {
                let precision = precision.max(1);
                decimals.round(precision as i64);
                precision
            }
        };
        let body = match verb {
            'e' | 'E' => decimals.scientific(verb, precision),
            'f' => decimals.fixed(precision),
            _ => {
                let count = decimals.digits.len();
                let enough = if shortest {
                    6
                } else if precision > count && count as i64 >= decimals.point {
                    count
                } else {
                    precision
                } as i64;
                let power = decimals.point - 1;
                if power < -4 || power >= enough {
                    let digits = if precision > count { count } else { precision };
                    decimals.scientific(if verb == 'G' { 'E' } else { 'e' }, digits.saturating_sub(1))
                } else {
                    decimals.fixed((count as i64 - decimals.point).max(0) as usize)
                }
            }
        };
        format!("{sign}{body}")
    }

    /// The shortest decimals that read back as this, at its precision.
    fn shortest(&self) -> Decimals {
        let Size::Finite { mantissa, exponent } = &self.size else { return Decimals::default() };
        if *mantissa == BigUint::ZERO {
            return Decimals::default();
        }
        // One bit more than it has: its neighbours' halfway points are whole then.
        let shift = (self.precision + 1) as i64 - mantissa.bits() as i64;
        let middle = if shift >= 0 { mantissa << shift as u64 } else { mantissa >> shift.unsigned_abs() };
        let exponent = exponent - shift;
        let inclusive = !middle.bit(1);
        let lower = Decimals::of(&(&middle - 1u8), exponent);
        let upper = Decimals::of(&(&middle + 1u8), exponent);
        let mut decimals = Decimals::of(&middle, exponent);
        for at in 0..decimals.digits.len() {
            let digit = decimals.digits[at];
            let (low, high) = (lower.at(at), upper.at(at));
            let down = low != digit || inclusive && at + 1 == lower.digits.len();
            let up = digit != high && (inclusive || digit + 1 < high || at + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => decimals.round(at as i64 + 1),
                (true, false) => decimals.round_down(at + 1),
                (false, true) => decimals.round_up(at + 1),
                (false, false) => continue,
            }
            break;
        }
        decimals
    }

    /// Rounded to the nearest, ties to even. `sticky` tells that there is more behind the last bit.
    fn rounded(negative: bool, mantissa: BigUint, exponent: i64, sticky: bool, precision: u64) -> Self {
        let bits = mantissa.bits();
        if bits <= precision {
            return Self { negative, size: Size::Finite { mantissa, exponent }, precision };
        }
        let cut = bits - precision;
        let mut kept = &mantissa >> cut;
        let half = mantissa.bit(cut - 1);
        let below = sticky || mantissa.trailing_zeros().is_some_and(|zeros| zeros < cut - 1);
        if half && (below || kept.bit(0)) {
            kept += 1u8;
        }
        Self { negative, size: Size::Finite { mantissa: kept, exponent: exponent + cut as i64 }, precision }
    }

    fn quotient(negative: bool, a: (&BigUint, i64), b: (&BigUint, i64), precision: u64) -> Self {
        // Two bits more than are kept, and whether there is a rest.
        let shift = (precision + 2 + b.0.bits()).saturating_sub(a.0.bits());
        let above = a.0 << shift;
        let quotient = &above / b.0;
        let sticky = &quotient * b.0 != above;
        Self::rounded(negative, quotient, a.1 - b.1 - shift as i64, sticky, precision)
    }

    /// An error where it is too large to go on with.
    fn fitting(self) -> Result<Self, Unfit> {
        let fits = match &self.size {
            Size::Finite { mantissa, exponent } => (exponent + mantissa.bits() as i64).abs() <= 4 * LARGEST,
            Size::Infinite => true,
        };
        fits.then_some(self).ok_or(TOO_LARGE)
    }
}

impl Size {
    fn parts(&self) -> (&BigUint, i64) {
        const ZERO: &BigUint = &BigUint::ZERO;
        match self {
            Self::Finite { mantissa, exponent } => (mantissa, if *mantissa == BigUint::ZERO { 0 } else { *exponent }),
            Self::Infinite => (ZERO, 0),
        }
    }
}

fn small(value: BigUint) -> Size {
    Size::Finite { mantissa: value, exponent: 0 }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn read(text: &str) -> Number {
        Number::parse(text).expect("the test writes numbers")
    }

    /// Printed by Go's `big.Float` with 512 bits.
    #[test]
    fn decimals_are_as_few_as_tell_a_number() {
        for (text, printed) in [
            ("0.1", "0.1"),
            ("1e30", "1000000000000000000000000000000"),
            ("1.50", "1.5"),
            ("-0", "-0"),
            (".5", "0.5"),
            ("5.", "5"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ] {
            assert_eq!(read(text).text(), printed, "{text}");
        }
        for text in ["", "-", "1e", "1e+", "0x10", "1_000", "1 ", "e5", "--1"] {
            assert!(Number::parse(text).is_none(), "{text} is no number");
        }
    }

    #[test]
    fn sums_and_quotients_round_to_512_bits() {
        let sum = read("0.1").plus(&read("0.2")).expect("a sum");
        assert!(sum.equals(&read("0.3")), "{}", sum.text());
        let third = read("10").over(&read("3")).expect("a quotient").text();
        assert!(third.starts_with("3.333333333333333333333"), "{third}");
        assert_eq!(read("-7").modulo(&read("3")).expect("a rest").text(), "-1");
        assert_eq!(read("5.5").modulo(&read("2")).expect("a rest").text(), "1.5");
        assert!(read("0").over(&read("0")).is_err(), "zero by zero");
        assert!(!read("1").over(&read("0")).expect("infinity").is_finite());
    }

    #[test]
    fn large_powers_are_refused_before_they_fill_memory() {
        let large = read("1e30000");
        let larger = large.times(&large).and_then(|n| n.times(&n)).and_then(|n| n.times(&n));
        assert!(larger.is_err(), "1e240000");
        assert!(!read("1e999999999999").is_finite());
        assert_eq!(read("1e400").to_f64(), None);
        assert_eq!(read("1e30").to_f64(), Some(1e30));
    }
}
