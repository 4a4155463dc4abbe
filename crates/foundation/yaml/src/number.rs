//! Numbers as Go's strconv reads and writes them.

use std::fmt::Write;

/// An integer of 64 bits.
pub(crate) enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// Reads an integer with an optional sign and a base prefix: `0x`, `0b`, `0o` or, for octal, `0`. No underscores.
/// That is `strconv.ParseInt(text, 0, 64)` and, where it fails, `strconv.ParseUint(text, 0, 64)`.
pub(crate) fn parse_integer(text: &[u8]) -> Option<Integer> {
    let (negative, signed, digits) = match text {
        [b'-', rest @ ..] => (true, true, rest),
        [b'+', rest @ ..] => (false, true, rest),
        _ => (false, false, text),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(base)?;
        value = value.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    if negative {
        return 0i64.checked_sub_unsigned(value).map(Integer::Signed);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Integer::Signed(value)),
        // ParseUint takes no sign.
        Err(_) if signed => None,
        Err(_) => Some(Integer::Unsigned(value)),
    }
}

/// Whether the text is a number as YAML spells floats: `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
pub(crate) fn looks_like_float(text: &[u8]) -> bool {
    let digits = |from: usize| from + text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let mut at = digits(start);
    let whole = at > start;
    if text.get(at) == Some(&b'.') {
        let end = digits(at + 1);
        if !whole && end == at + 1 {
            return false;
        }
        at = end;
    } else if !whole {
        return false;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'-' | b'+')));
        let end = digits(at.min(text.len()));
        if end == at {
            return false;
        }
        at = end;
    }
    at == text.len()
}

/// A decimal float; none where the text is no number or beyond the range of `float64`.
pub(crate) fn parse_decimal(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `strconv.FormatFloat(value, 'g', -1, 64)` with YAML's spellings of what is not a number: the shortest text that
/// reads back, with an exponent from 1e6 on and below 1e-4.
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let mut scientific = String::with_capacity(24);
    let _ = write!(scientific, "{value:e}");
    if scientific.len() > 16 {
        // Two shortest texts may be equally near; Go takes the one that ends in an even digit.
        let digits = scientific.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
        let nearest = format!("{value:.*e}", digits.saturating_sub(1));
        if nearest.parse() == Ok(value) {
            scientific = nearest;
        }
    }
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    format!("{value}")
}
