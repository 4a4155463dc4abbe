//! Floating-point numbers as text: strconv's `FormatFloat`.

use crate::FloatKind;

/// The formats of `strconv.FormatFloat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFormat {
    /// `e`: -d.dddde±dd
    Exponent,
    /// `f`: -ddd.dddd
    Decimal,
    /// `g`: `e` for large exponents, `f` otherwise
    General,
}

/// `strconv.FormatFloat(value, format, precision, bits)`. No precision is the shortest text that reads back.
pub fn format_float(value: f64, format: FloatFormat, precision: Option<usize>, kind: FloatKind) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Inf" } else { "+Inf" }.to_owned();
    }
    let digits = match (format, precision) {
        (_, None) => Digits::shortest(value, kind),
        (FloatFormat::Exponent, Some(precision)) => Digits::rounded(value, precision),
        (FloatFormat::General, Some(precision)) => Digits::rounded(value, precision.max(1) - 1),
        // Rust's fixed notation is exact and rounds half to even, as Go's is.
        (FloatFormat::Decimal, Some(precision)) => return format!("{value:.precision$}"),
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    match format {
        FloatFormat::Exponent => format!("{sign}{}", digits.exponent(precision)),
        FloatFormat::Decimal => format!("{sign}{}", digits.decimal()),
        FloatFormat::General => {
            // The shortest text takes an exponent from a million on.
            let threshold = match precision {
                None => 6,
                Some(precision) => {
                    let precision = precision.max(1);
                    let exact = digits.significant();
                    if precision > exact && exact as i32 >= digits.point { exact as i32 } else { precision as i32 }
                }
            };
            let exponent = digits.point - 1;
            let trimmed = digits.trimmed();
            if exponent < -4 || exponent >= threshold {
                format!("{sign}{}", trimmed.exponent(None))
            } else {
                format!("{sign}{}", trimmed.decimal())
            }
        }
    }
}

/// Decimal digits and where the point stands: `0.d₁d₂… × 10^point`.
struct Digits {
    digits: String,
    point: i32,
}

impl Digits {
    fn shortest(value: f64, kind: FloatKind) -> Self {
        match kind {
            FloatKind::Bits64 => Self::parse(&format!("{:e}", value.abs())),
            FloatKind::Bits32 => Self::parse(&format!("{:e}", (value as f32).abs())),
        }
    }

    /// One digit before the point and `precision` behind it.
    fn rounded(value: f64, precision: usize) -> Self {
        Self::parse(&format!("{:.precision$e}", value.abs()))
    }

    fn parse(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let digits = mantissa.replace('.', "");
        let zero = digits.bytes().all(|digit| digit == b'0');
        Self { digits, point: if zero { 1 } else { exponent + 1 } }
    }

    /// How many digits there are without the zeros at the end.
    fn significant(&self) -> usize {
        self.digits.trim_end_matches('0').len()
    }

    fn trimmed(&self) -> Self {
        Self { digits: self.digits[..self.significant().max(1)].to_owned(), point: self.point }
    }

    fn exponent(&self, precision: Option<usize>) -> String {
        let (first, rest) = self.digits.split_at(1);
        let rest = match precision {
            Some(precision) => format!("{rest:0<precision$}"),
            None => rest.to_owned(),
        };
        let point = if rest.is_empty() { "" } else { "." };
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs())
    }

    fn decimal(&self) -> String {
        let length = self.digits.len() as i32;
        if self.point <= 0 {
            let zero = self.digits.bytes().all(|digit| digit == b'0');
            if zero {
                return "0".to_owned();
            }
            return format!("0.{}{}", "0".repeat(self.point.unsigned_abs() as usize), self.digits);
        }
        if self.point >= length {
            return format!("{}{}", self.digits, "0".repeat((self.point - length) as usize));
        }
        let (whole, fraction) = self.digits.split_at(self.point as usize);
        format!("{whole}.{fraction}")
    }
}
