//! Text to numbers and booleans: strconv's `ParseInt` and its siblings, with its error texts.

use super::quote;

/// `strconv.ParseInt(text, base, 64)`; base 0 takes the prefixes `0x`, `0o`, `0b`, `0` and underscores.
pub fn parse_int(text: &str, base: u32) -> Result<i64, String> {
    let fail = |reason: &str| failed("ParseInt", text, reason);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = magnitude(digits, base).map_err(fail)?;
    let limit = i64::MAX.unsigned_abs() + u64::from(negative);
    match magnitude {
        Some(magnitude) if magnitude <= limit => {
            Ok(if negative { magnitude.wrapping_neg() as i64 } else { magnitude as i64 })
        }
        _ => Err(fail("value out of range")),
    }
}

/// `strconv.ParseUint(text, base, 64)`
pub fn parse_uint(text: &str, base: u32) -> Result<u64, String> {
    let fail = |reason: &str| failed("ParseUint", text, reason);
    magnitude(text, base).map_err(fail)?.ok_or_else(|| fail("value out of range"))
}

/// `strconv.ParseFloat(text, 64)`, without underscores.
pub fn parse_float(text: &str) -> Result<f64, String> {
    let fail = |reason: &str| failed("ParseFloat", text, reason);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let value = hexadecimal_float(digits).ok_or_else(|| fail("invalid syntax"))?;
        let value = if text.starts_with('-') { -value } else { value };
        return if value.is_infinite() { Err(fail("value out of range")) } else { Ok(value) };
    }
    let special = ["inf", "infinity", "nan"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    let starts_well = unsigned.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    if !special && (!starts_well || !unsigned.bytes().any(|byte| byte.is_ascii_digit())) {
        return Err(fail("invalid syntax"));
    }
    let value: f64 = text.parse().map_err(|_| fail("invalid syntax"))?;
    if value.is_infinite() && !special { Err(fail("value out of range")) } else { Ok(value) }
}

/// `1.8p3` behind `0x`: hexadecimal digits and a power of two, which must be there.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        mantissa = mantissa * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    // Two steps, since the power alone may be beyond what a float holds.
    let half = exponent / 2;
    Some(mantissa * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half))
}

/// `strconv.ParseBool`
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(failed("ParseBool", text, "invalid syntax")),
    }
}

fn failed(function: &str, text: &str, reason: &str) -> String {
    format!("strconv.{function}: parsing {}: {reason}", quote(text.as_bytes()))
}

/// The number; `None` where it does not fit 64 bits.
fn magnitude(text: &str, base: u32) -> Result<Option<u64>, &'static str> {
    const SYNTAX: &str = "invalid syntax";
    let (digits, base, underscores) = match (base, text.as_bytes()) {
        (0, [b'0', b'x' | b'X', ..]) => (&text[2..], 16, true),
        (0, [b'0', b'o' | b'O', ..]) => (&text[2..], 8, true),
        (0, [b'0', b'b' | b'B', ..]) => (&text[2..], 2, true),
        (0, [b'0', _, ..]) => (&text[1..], 8, true),
        (0, _) => (text, 10, true),
        (base, _) => (text, base, false),
    };
    let has_prefix = digits.len() < text.len();
    let mut value: Option<u64> = Some(0);
    let mut after_digit = has_prefix;
    for byte in digits.bytes() {
        if byte == b'_' && underscores && after_digit {
            after_digit = false;
            continue;
        }
        let digit = char::from(byte).to_digit(base).ok_or(SYNTAX)?;
        after_digit = true;
        value = value.and_then(|value| value.checked_mul(u64::from(base))?.checked_add(u64::from(digit)));
    }
    if digits.is_empty() || !after_digit { Err(SYNTAX) } else { Ok(value) }
}
