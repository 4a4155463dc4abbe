//! Number constants: [`number`].

use crate::tree::Number;
use onepane_value::format::{parse_float, parse_int, parse_uint, quote, unquote};

/// A number or character constant, as every Go type that it can be.
pub(crate) fn number(text: &str) -> Result<Number, String> {
    if text.starts_with('\'') {
        let rune = unquote(text).and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.chars().next());
        let code = rune.ok_or_else(|| format!("malformed character constant: {text}"))? as u32;
        return Ok(Number {
            int: Some(code.into()),
            uint: Some(code.into()),
            float: Some(code.into()),
            written_as_float: false,
            text: text.into(),
        });
    }
    let mut uint = parse_uint(text, 0).ok();
    let mut int = parse_int(text, 0).ok();
    if int == Some(0) {
        // `-0` is an unsigned number too.
        uint = Some(0);
    }
    let mut float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
    let hexadecimal = text.trim_start_matches(['-', '+']).to_ascii_lowercase().starts_with("0x");
    if float.is_none()
        && let Ok(value) = parse_float(&text.replace('_', ""))
    {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
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
    let written_as_float = !hexadecimal && text.contains(['.', 'e', 'E', 'p', 'P']);
    Ok(Number { int, uint, float, written_as_float, text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(parts("3i"), Err("illegal number syntax: \"3i\"".to_owned()));
    }
}
