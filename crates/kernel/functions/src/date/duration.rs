//! Go's `time.Duration`: [`parse`], [`format`], and what templates can call on one, [`Duration`].

use onepane_value::{Data, IntKind, Kind, Object, Text, Value};
use std::borrow::Cow;

pub(crate) const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Reads `1h15m30.5s`; the error is Go's.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(sign @ (b'-' | b'+')) => (*sign == b'-', &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.bytes().position(|byte| byte == b'.' || byte.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        rest = after;
        let value = whole.bytes().try_fold(0u64, |value, byte| {
            value.checked_mul(10)?.checked_add(u64::from(byte - b'0')).filter(|value| *value <= 1 << 63)
        });
        let value = value.ok_or_else(invalid)?;
        let unit: u64 = match name {
            "" => return Err(format!("time: missing unit in duration {}", quoted(text))),
            "ns" => 1,
            "us" | "µs" | "μs" => 1000,
            "ms" => 1_000_000,
            "s" => SECOND as u64,
            "m" => MINUTE as u64,
            "h" => HOUR as u64,
            _ => return Err(format!("time: unknown unit {} in duration {}", quoted(name), quoted(text))),
        };
        let mut value = value.checked_mul(unit).ok_or_else(invalid)?;
        let (digits, scale) = read_fraction(fraction);
        if digits > 0 {
            value = value.saturating_add((digits as f64 * (unit as f64 / scale)) as u64);
        }
        total = total.checked_add(value).filter(|total| *total <= 1 << 63).ok_or_else(invalid)?;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

/// As many digits as fit into 63 bits, and the power of ten they stand over.
fn read_fraction(digits: &str) -> (u64, f64) {
    let (mut value, mut scale) = (0u64, 1.0);
    for byte in digits.bytes() {
        if value > (i64::MAX as u64) / 10 {
            break;
        }
        let next = value * 10 + u64::from(byte - b'0');
        if next > 1 << 63 {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value, scale)
}

/// Go's `quote` of package time: bytes that are not printable ASCII in hexadecimal.
pub(super) fn quoted(text: impl AsRef<[u8]>) -> String {
    let mut out = String::from("\"");
    for byte in text.as_ref() {
        match *byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out + "\""
}

/// `1h15m30.5s`, as Go's `String` prints it.
pub(crate) fn format(duration: i64) -> String {
    let sign = if duration < 0 { "-" } else { "" };
    let nanoseconds = duration.unsigned_abs();
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanoseconds}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", with_fraction(nanoseconds, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", with_fraction(nanoseconds, 6)),
        _ => {
            let seconds = nanoseconds / SECOND as u64;
            let rest = with_fraction(nanoseconds % MINUTE as u64, 9);
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{sign}{rest}s"),
                (0, minutes) => format!("{sign}{minutes}m{rest}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{rest}s"),
            }
        }
    }
}

/// A number with its last digits behind a point, without zeros at the end.
fn with_fraction(number: u64, digits: u32) -> String {
    let unit = 10u64.pow(digits);
    let fraction = format!("{:0width$}", number % unit, width = digits as usize);
    match fraction.trim_end_matches('0') {
        "" => (number / unit).to_string(),
        fraction => format!("{}.{fraction}", number / unit),
    }
}

/// To the nearest multiple, halves away from zero.
pub(crate) fn round(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return duration;
    }
    let rest = duration % multiple;
    let towards_zero = duration - rest;
    if rest.unsigned_abs() * 2 < multiple.unsigned_abs() {
        return towards_zero;
    }
    match duration < 0 {
        true => towards_zero.checked_sub(multiple).unwrap_or(i64::MIN),
        false => towards_zero.checked_add(multiple).unwrap_or(i64::MAX),
    }
}

/// A `time.Duration` in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duration(pub(crate) i64);

impl Object for Duration {
    fn type_name(&self) -> Cow<'static, str> {
        "time.Duration".into()
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Bits64)
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn has_method(&self, name: &str) -> bool {
        const METHODS: [&str; 10] = [
            "Hours",
            "Minutes",
            "Seconds",
            "Milliseconds",
            "Microseconds",
            "Nanoseconds",
            "String",
            "Round",
            "Truncate",
            "Abs",
        ];
        METHODS.contains(&name)
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let parts = |unit: i64| Value::float((self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64);
        let multiple = || from_argument(arguments, name);
        let made = |nanoseconds| Value::object(Self(nanoseconds));
        Ok(match name {
            "Hours" => parts(HOUR),
            "Minutes" => parts(MINUTE),
            "Seconds" => parts(SECOND),
            "Milliseconds" => Value::int64(self.0 / 1_000_000),
            "Microseconds" => Value::int64(self.0 / 1_000),
            "Nanoseconds" => Value::int64(self.0),
            "String" => format(self.0).into(),
            "Round" => made(round(self.0, multiple()?)),
            "Truncate" => made(match multiple()? {
                ..=0 => self.0,
                multiple => self.0 - self.0 % multiple,
            }),
            "Abs" => made(self.0.saturating_abs()),
            _ => return Err(format!("time.Duration has no method {name}")),
        })
    }

    fn display(&self) -> Option<Text> {
        Some(format(self.0).into())
    }

    fn plain(&self) -> Value {
        Value::int64(self.0)
    }

    fn truth(&self) -> bool {
        self.0 != 0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A method's only argument: a duration, or the integer that a constant gives.
pub(super) fn from_argument(arguments: &[Value], method: &str) -> Result<i64, String> {
    let [argument] = arguments else {
        return Err(format!("wrong number of args for {method}: want 1 got {}", arguments.len()));
    };
    let nanoseconds = match &argument.data {
        Data::Int(number, _) => Some(*number),
        Data::Object(object) => object.as_any().downcast_ref::<Duration>().map(|duration| duration.0),
        _ => None,
    };
    nanoseconds.ok_or_else(|| format!("wrong type for value; expected time.Duration; got {}", argument.type_name()))
}
