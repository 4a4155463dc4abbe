//! Numbers.

use super::super::number::Number;
use super::super::value::{Type, Value};
use super::{ANY, Fault, Function, NUMBER, Outcome, blame, fixed, int, list, number, text, variadic};
use num_bigint::BigUint;
use std::cmp::Ordering;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("abs", &[NUMBER], |arguments| Ok(number(arguments, 0)?.absolute().into())),
    fixed("ceil", &[NUMBER], |arguments| Ok(number(arguments, 0)?.ceil().into())),
    fixed("floor", &[NUMBER], |arguments| Ok(number(arguments, 0)?.floor().into())),
    fixed("int", &[NUMBER], |arguments| Ok(number(arguments, 0)?.int()?.into())),
    fixed("log", &[NUMBER, NUMBER], |arguments| floats(arguments, |value, base| logarithm(value) / logarithm(base))),
    variadic("max", &[], NUMBER, |arguments| extreme(arguments, Ordering::Greater)),
    variadic("min", &[], NUMBER, |arguments| extreme(arguments, Ordering::Less)),
    fixed("parseint", &[ANY, NUMBER], parse_int),
    fixed("pow", &[NUMBER, NUMBER], |arguments| floats(arguments, power)),
    variadic("range", &[], NUMBER, range),
    fixed("signum", &[NUMBER], |arguments| Ok(int(arguments, 0)?.signum().into())),
];

/// A range is no longer.
const LONGEST: usize = 1024;
/// Digits that are read as one number.
const MOST_DIGITS: usize = 20_000;

/// Computed with floats, as there.
fn floats(arguments: &[Value], of: fn(f64, f64) -> f64) -> Outcome {
    let float = |place| {
        let number = number(arguments, place)?;
        if !number.is_finite() {
            return Ok(if number.sign() == Ordering::Less { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        number.to_f64().ok_or_else(|| blame(place, "the value does not fit into a float of 64 bits"))
    };
    let result = of(float(0)?, float(1)?);
    Number::from_f64(result).map(Value::from).ok_or_else(|| "the result is no number".into())
}

/// The natural logarithm as FreeBSD's libm approximates it, since Go does: not always the nearest float.
fn logarithm(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 || value.is_infinite() {
        return value.ln();
    }
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    const TERMS: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    let [t1, t2, t3, t4, t5, t6, t7] = TERMS;
    let (mut fraction, mut exponent) = parts(value);
    if fraction < std::f64::consts::SQRT_2 / 2.0 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (fraction - 1.0, f64::from(exponent));
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let rest = s2 * (t1 + s4 * (t3 + s4 * (t5 + s4 * t7))) + s4 * (t2 + s4 * (t4 + s4 * t6));
    let half = 0.5 * f * f;
    k * LN_2[0] - ((half - (s * (half + rest) + k * LN_2[1])) - f)
}

/// Powers as Go computes them: whole ones by squaring.
fn power(base: f64, exponent: f64) -> f64 {
    let (whole, mut fraction) = (exponent.abs().trunc(), exponent.abs().fract());
    let special = base == 0.0 || !base.is_finite() || !exponent.is_finite() || base < 0.0 && fraction != 0.0;
    if special || base == 1.0 || exponent.abs() == 0.5 || whole >= (1u64 << 53) as f64 {
        return match exponent {
            0.5 => base.sqrt(),
            -0.5 => 1.0 / base.sqrt(),
            exponent => base.powf(exponent),
        };
    }
    let mut left = whole as u64;
    let (mut result, mut scale) = (1.0, 0i64);
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            left += 1;
        }
        result = (fraction * logarithm(base)).exp();
    }
    let (mut square, own) = parts(base);
    let mut own = i64::from(own);
    while left != 0 {
        if own.abs() > 1 << 12 {
            // It is out of range either way.
            scale += own;
            break;
        }
        if left & 1 == 1 {
            result *= square;
            scale += own;
        }
        square *= square;
        own *= 2;
        if square < 0.5 {
            square += square;
            own -= 1;
        }
        left >>= 1;
    }
    if exponent < 0.0 {
        (result, scale) = (1.0 / result, -scale);
    }
    // In two steps, since one alone may be out of range.
    let scale = scale.clamp(-3000, 3000) as i32;
    let half = scale / 2;
    result * 2f64.powi(half) * 2f64.powi(scale - half)
}

/// A fraction from one half up to one, and the power of two that it is multiplied with.
fn parts(value: f64) -> (f64, i32) {
    let (value, shift) = if value.abs() < f64::MIN_POSITIVE { (value * (1u64 << 52) as f64, -52) } else { (value, 0) };
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1022;
    (f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52), exponent + shift)
}

fn extreme(arguments: &[Value], wanted: Ordering) -> Outcome {
    let mut best: Option<&Number> = None;
    for place in 0..arguments.len() {
        let number = number(arguments, place)?;
        if best.is_none_or(|best| number.compare(best) == wanted) {
            best = Some(number);
        }
    }
    best.map(|best| best.clone().into()).ok_or_else(|| "at least one number is required".into())
}

fn parse_int(arguments: &[Value]) -> Outcome {
    let [value, _] = arguments else { return Err("two arguments are required".into()) };
    if value.kind != Type::String {
        return Err(blame(0, format!("a string is required, not a {}", value.kind.name())));
    }
    let (written, base) = (text(arguments, 0)?, int(arguments, 1)?);
    let base = u8::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| blame(1, "the base must be a whole number from 2 to 62"))?;
    let wrong = || blame(0, format!("{written:?} is no whole number of base {base}"));
    let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return Err(wrong());
    }
    // Up to 36, letters mean the same in either case.
    let digit = |byte: u8| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return None,
        };
        (digit < base).then_some(digit)
    };
    let value = digits.bytes().try_fold(BigUint::ZERO, |value, byte| Some(value * base + digit(byte)?));
    let value = value.ok_or_else(wrong)?;
    let negative = written.starts_with('-') && value != BigUint::ZERO;
    Ok(Number::whole(negative, value).into())
}

fn range(arguments: &[Value]) -> Outcome {
    let given = |place| number(arguments, place).cloned();
    let (zero, one) = (Number::from(0), Number::from(1));
    let step = |down| if down { one.negated() } else { one.clone() };
    let (start, end, step) = match arguments.len() {
        1 => (zero.clone(), given(0)?, step(given(0)?.sign() == Ordering::Less)),
        2 => (given(0)?, given(1)?, step(given(1)?.compare(&given(0)?) == Ordering::Less)),
        3 => (given(0)?, given(1)?, given(2)?),
        _ => return Err("one, two or three numbers are required".into()),
    };
    let (ahead, way) = if step.sign() == Ordering::Less {
        (Ordering::Greater, "below the start where the step is negative")
    } else {
        (Ordering::Less, "above the start where the step is positive")
    };
    if end.compare(&start) == ahead {
        return Err(blame(1, format!("the end must be {way}")));
    }
    let mut items = Vec::new();
    let mut next = start;
    while next.compare(&end) == ahead {
        if items.len() >= LONGEST {
            return Err(Fault::from(format!("more than {LONGEST} numbers: the step is too small")));
        }
        items.push(Value::from(next.clone()));
        next = next.plus(&step)?;
    }
    list(&Type::Number, items)
}
