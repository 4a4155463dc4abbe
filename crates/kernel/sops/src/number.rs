//! Floats as Go's strconv writes them in the formats that SOPS uses.

use onepane_yaml::format_float;

/// `strconv.FormatFloat(value, 'f', -1, 64)`: the shortest digits that read back, without an exponent.
pub(crate) fn format_fixed(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format_float(value);
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    // Where the point stands among the digits; there is one digit before it in the mantissa.
    let point = exponent + 1;
    match usize::try_from(point) {
        Ok(0) | Err(_) => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(point) if point >= digits.len() => format!("{sign}{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
    }
}

/// As SOPS writes a float where values have no types: with a point or an exponent, so that it is no integer.
pub(crate) fn format_untyped(value: f64) -> String {
    if !value.is_finite() {
        return format_fixed(value);
    }
    let text = format_float(value).replace('e', "E");
    if text.contains(['.', 'E']) { text } else { format!("{text}.0") }
}

/// As encoding/json writes a float; none for what JSON has no number for.
pub(crate) fn format_json(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format_float(value);
        // One digit of the exponent is enough for Go here, but only for small numbers.
        return Some(text.replace("e-0", "e-"));
    }
    Some(format_fixed(value))
}

/// A float as `strconv.ParseFloat` reads it, but for hexadecimal ones.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    (value.is_finite() || !digits).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_go_s() {
        for (value, fixed, untyped, json) in [
            (1.0, "1", "1.0", "1"),
            (1.5, "1.5", "1.5", "1.5"),
            (-0.25, "-0.25", "-0.25", "-0.25"),
            (1e6, "1000000", "1E+06", "1000000"),
            (1_234_567.5, "1234567.5", "1.2345675E+06", "1234567.5"),
            (1e-5, "0.00001", "1E-05", "0.00001"),
            (1e-7, "0.0000001", "1E-07", "1e-7"),
            (-2.5e-10, "-0.00000000025", "-2.5E-10", "-2.5e-10"),
            (1e21, "1000000000000000000000", "1E+21", "1e+21"),
            (0.0, "0", "0.0", "0"),
            (-0.0, "-0", "-0.0", "-0"),
        ] {
            assert_eq!((&*format_fixed(value), &*format_untyped(value)), (fixed, untyped), "{value}");
            assert_eq!(format_json(value).as_deref(), Some(json), "{value}");
        }
        assert_eq!(format_fixed(f64::INFINITY), "+Inf");
        assert_eq!(format_json(f64::NAN), None);
        assert_eq!(parse_float("1e400"), None);
        assert_eq!(parse_float("+Inf"), Some(f64::INFINITY));
    }
}
