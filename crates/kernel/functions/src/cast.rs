//! Numbers out of anything, by the rules of spf13/cast, which sprig counts by: what does not convert is 0.

use onepane_value::{Data, Value, format};

/// `cast.ToInt64`, and on 64-bit machines `cast.ToInt`.
pub(crate) fn to_int64(value: &Value) -> i64 {
    match &value.data {
        Data::Int(number, _) => *number,
        Data::Uint(number, _) => number.cast_signed(),
        Data::Float(number, _) => truncate(*number),
        Data::Bool(value) => i64::from(*value),
        Data::String(text) => parse_int(without_zero_fraction(text), 0).unwrap_or(0),
        _ => 0,
    }
}

/// `cast.ToFloat64`
pub(crate) fn to_float64(value: &Value) -> f64 {
    match &value.data {
        Data::Int(number, _) => *number as f64,
        Data::Uint(number, _) => *number as f64,
        Data::Float(number, _) => *number,
        Data::Bool(value) => f64::from(u8::from(*value)),
        Data::String(text) => parse_float(text).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Go's conversion of a `float64` to `int64` on amd64: what does not fit is the smallest integer.
pub(crate) fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// `strconv.ParseInt(text, base, 64)`; base 0 is that of Go's literals.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Option<i64> {
    format::parse_int(std::str::from_utf8(text).ok()?, base).ok()
}

/// `strconv.ParseFloat(text, 64)`; out of range is an error too.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = sign(text);
    let lower = digits.to_ascii_lowercase();
    let number = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => match lower.strip_prefix("0x") {
            Some(hexadecimal) => parse_hexadecimal_float(hexadecimal)?,
            None => {
                let digits = digits_between(&lower, false)?;
                if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-')) {
                    return None;
                }
                digits.parse().ok().filter(|number: &f64| number.is_finite())?
            }
        },
    };
    Some(if negative { -number } else { number })
}

/// What cast does to a string before it is an integer: `1.0` and `1.000` are `1`.
fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let mut zeros = false;
    for (index, byte) in text.iter().enumerate().rev() {
        match byte {
            b'.' if zeros => return &text[..index],
            b'.' => {}
            b'0' => zeros = true,
            _ => return text,
        }
    }
    text
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// The digits without their underscores, each of which must stand between two digits or after the prefix.
fn digits_between(digits: &str, prefixed: bool) -> Option<std::borrow::Cow<'_, str>> {
    if !digits.contains('_') {
        return Some(digits.into());
    }
    let digit =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || (prefixed && byte.is_ascii_hexdigit()));
    let bytes = digits.as_bytes();
    let placed = onepane_bytes::find_all(b'_', bytes).all(|at| {
        let before = if at == 0 { prefixed } else { digit(bytes.get(at - 1)) };
        before && digit(bytes.get(at + 1))
    });
    placed.then(|| digits.replace('_', "").into())
}

/// A hexadecimal float without sign and prefix; Go requires its exponent.
fn parse_hexadecimal_float(text: &str) -> Option<f64> {
    let text = digits_between(text, true)?;
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (negative, exponent) = sign(exponent);
    let exponent: i32 = exponent.parse().ok().filter(|number: &i32| *number < 100_000)?;
    let mut exponent = if negative { -exponent } else { exponent };
    let mut bits = 0u64;
    let mut sticky = false;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = digit.to_digit(16)?;
        if index >= whole.len() {
            exponent = exponent.checked_sub(4)?;
        }
        if bits >> 58 == 0 {
            bits = bits << 4 | u64::from(digit);
        } else {
            sticky |= digit != 0;
            exponent = exponent.checked_add(4)?;
        }
    }
    // Two halves of the scale, so that neither overflows before the product does.
    let half = exponent / 2;
    let number = (bits | u64::from(sticky)) as f64 * 2f64.powi(half) * 2f64.powi(exponent - half);
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_integers_by_the_rules_of_cast() {
        let cases = [
            ("12", 12),
            ("-12", -12),
            ("+5", 5),
            ("010", 8),
            ("0x10", 16),
            ("0b11", 3),
            ("0o17", 15),
            ("08", 0),
            ("1.0", 1),
            ("1.00", 1),
            ("1.5", 0),
            ("5.", 0),
            ("10", 10),
            ("1_000", 1000),
            ("1__0", 0),
            ("_1", 0),
            ("0_7", 7),
            ("0x_f", 15),
            ("", 0),
            ("abc", 0),
            ("1e3", 0),
            ("9223372036854775808", 0),
            ("-9223372036854775808", i64::MIN),
            ("0.0", 0),
            (" 1", 0),
        ];
        for (text, wanted) in cases {
            assert_eq!(to_int64(&Value::from(text)), wanted, "{text:?}");
        }
    }

    #[test]
    fn strings_are_floats_by_the_rules_of_strconv() {
        let cases = [
            ("1.5", 1.5),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("0x1p-2", 0.25),
            ("0x1.8p1", 3.0),
            ("0x1", 0.0),
            ("1e999", 0.0),
            ("Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
            ("1_0", 10.0),
            ("1__0", 0.0),
            ("0x_1p4", 16.0),
            ("", 0.0),
            ("x", 0.0),
        ];
        for (text, wanted) in cases {
            assert_eq!(to_float64(&Value::from(text)), wanted, "{text:?}");
        }
    }

    #[test]
    fn floats_that_do_not_fit_become_the_smallest_integer() {
        for (float, wanted) in [(1.9, 1), (-1.9, -1), (1e19, i64::MIN), (f64::NAN, i64::MIN), (-1e30, i64::MIN)] {
            assert_eq!(to_int64(&Value::float(float)), wanted, "{float}");
        }
    }
}
