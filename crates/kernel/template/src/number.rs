//! Number constants: [`number`].

use crate::complex::Complex;
use crate::tree::Number;
use onepane_value::format::{parse_float, parse_int, parse_uint, quote, unquote};

/// A number or character constant, as every Go type that it can be.
pub(crate) fn number(text: &str) -> Result<Number, String> {
    if text.starts_with('\'') {
        let code = character(text)?;
        return Ok(Number {
            int: Some(code.into()),
            uint: Some(code.into()),
            float: Some(code.into()),
            written_as_float: false,
            complex: None,
            text: text.into(),
        });
    }
    if let Some(digits) = few_digits(text) {
        let (int, uint, float) = (Some(digits.into()), Some(digits.into()), Some(digits.into()));
        return Ok(Number { int, uint, float, written_as_float: false, complex: None, text: text.into() });
    }
    if let Some(complex) = complex(text) {
        // Without an imaginary part it is any other number too.
        let float = Some(complex.real).filter(|_| complex.imaginary == 0.0);
        let int = float.filter(|float| *float as i64 as f64 == *float).map(|float| float as i64);
        let uint = float.filter(|float| *float as u64 as f64 == *float).map(|float| float as u64);
        return Ok(Number { int, uint, float, written_as_float: false, complex: Some(complex), text: text.into() });
    }
    let mut uint = parse_uint(text, 0).ok();
    let mut int = parse_int(text, 0).ok();
    if int == Some(0) {
        // `-0` is an unsigned number too.
        uint = Some(0);
    }
    let mut float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
    if float.is_none()
        && let Ok(value) = parse_float(&text.replace('_', ""))
    {
        // A float takes an exponent or a point; `1__0` is no number, though its digits are.
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            if parse_int(&text.replace('_', ""), 0).is_ok() {
                return Err(format!("illegal number syntax: {}", quote(text.as_bytes())));
            }
            return Err(format!("integer overflow: {}", quote(text.as_bytes())));
        }
        float = Some(value);
        // A float without fraction can stand where an integer is wanted.
        if int.is_none() && (value as i64) as f64 == value {
            int = Some(value as i64);
        }
        if uint.is_none() && value >= 0.0 && (value as u64) as f64 == value {
            uint = Some(value as u64);
        }
    }
    if int.is_none() && uint.is_none() && float.is_none() {
        return Err(format!("illegal number syntax: {}", quote(text.as_bytes())));
    }
    // The `e` of `0x1e` is a digit. Go looks for it without a sign.
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let written_as_float =
        if hexadecimal { text.contains(['p', 'P']) } else { text.contains(['.', 'e', 'E', 'p', 'P']) };
    Ok(Number { int, uint, float, written_as_float, complex: None, text: text.into() })
}

/// What most numbers are: a few decimal digits, which every type holds.
fn few_digits(text: &str) -> Option<u32> {
    let plain = text == "0" || !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain && text.len() < 9 { text.parse().ok() } else { None }
}

/// `2i`, `1+2i`; the lexer lets nothing else end in an `i`.
fn complex(text: &str) -> Option<Complex> {
    let digits = text.strip_suffix('i')?.replace('_', "");
    if let Ok(imaginary) = parse_float(&digits) {
        return Some(Complex { real: 0.0, imaginary });
    }
    // The sign between the parts is the last one that belongs to no exponent.
    let sign = digits.char_indices().skip(1).filter(|(at, sign)| {
        matches!(sign, '+' | '-') && !matches!(digits.as_bytes()[at - 1], b'e' | b'E' | b'p' | b'P')
    });
    let (real, imaginary) = digits.split_at(sign.last()?.0);
    Some(Complex { real: parse_float(real).ok()?, imaginary: parse_float(imaginary).ok()? })
}

/// The code of a character constant.
fn character(text: &str) -> Result<u32, String> {
    const SYNTAX: &str = "invalid syntax";
    let bytes = unquote(text);
    if let Some(rune) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.chars().next()) {
        return Ok(rune.into());
    }
    // Go reads one character and then complains of what is left. Nothing is written with more than the longest escape.
    const LONGEST: usize = r"\U0010ffff".len();
    let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut ends = (1..=inside.len().min(LONGEST)).filter_map(|end| inside.get(..end));
    let first = ends.find(|first| unquote(&format!("'{first}'")).is_some());
    match first {
        Some(_) => Err(format!("malformed character constant: {text}")),
        None => Err(SYNTAX.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_value::Object;

    #[test]
    fn a_constant_is_every_type_that_it_can_be() {
        let parts = |text: &str| number(text).map(|number| (number.int, number.uint, number.float));
        assert_eq!(parts("3"), Ok((Some(3), Some(3), Some(3.0))));
        assert_eq!(parts("-3"), Ok((Some(-3), None, Some(-3.0))));
        assert_eq!(parts("1e3"), Ok((Some(1000), Some(1000), Some(1000.0))));
        assert_eq!(parts("1.5"), Ok((None, None, Some(1.5))));
        assert_eq!(parts("0x1F"), Ok((Some(31), Some(31), Some(31.0))));
        assert_eq!(parts("'a'"), Ok((Some(97), Some(97), Some(97.0))));
        assert_eq!(parts("1_000"), Ok((Some(1000), Some(1000), Some(1000.0))));
        assert_eq!(parts("99999999999999999999"), Err("integer overflow: \"99999999999999999999\"".to_owned()));
        assert_eq!(parts("3i"), Ok((None, None, None)));
        assert_eq!(parts("'ab'"), Err("malformed character constant: 'ab'".to_owned()));
        assert_eq!(parts(r"'\U0001f600x'"), Err(r"malformed character constant: '\U0001f600x'".to_owned()));
        assert_eq!(parts(r"'\q'"), Err("invalid syntax".to_owned()));
        // In time that grows with its length.
        assert_eq!(parts(&format!("'\\{}'", "\0".repeat(1 << 20))), Err("invalid syntax".to_owned()));
        assert_eq!(parts("0i"), Ok((Some(0), Some(0), Some(0.0))));
        let shown = |text: &str| number(text).ok()?.complex?.display().map(|text| text.to_string());
        assert_eq!(shown("3i").as_deref(), Some("(0+3i)"));
        assert_eq!(shown("1e+2-2.5i").as_deref(), Some("(100-2.5i)"));
    }
}
