//! Helm 4's functions on lengths of time.
//!
//! Numbers, and strings that hold one, are seconds. All but `mustToDuration` take what is no duration for 0.

use crate::arguments::{Outcome, any, derived, fixed};
use crate::cast::{parse_float, truncate};
use crate::date::{Duration, parse_duration, round_duration};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, Text, Value, format};

pub(crate) const HELM_FUNCTIONS: &[Function] = &[
    fixed("mustToDuration", &[Type::Any], must_to_duration),
    fixed("durationNanoseconds", &[Type::Any], |_, arguments| Ok(whole(arguments, 1))),
    fixed("durationMicroseconds", &[Type::Any], |_, arguments| Ok(whole(arguments, 1_000))),
    fixed("durationMilliseconds", &[Type::Any], |_, arguments| Ok(whole(arguments, 1_000_000))),
    fixed("durationSeconds", &[Type::Any], |_, arguments| Ok(part(arguments, SECOND, 1.0))),
    fixed("durationMinutes", &[Type::Any], |_, arguments| Ok(part(arguments, 60 * SECOND, 1.0))),
    fixed("durationHours", &[Type::Any], |_, arguments| Ok(part(arguments, HOUR, 1.0))),
    fixed("durationDays", &[Type::Any], |_, arguments| Ok(part(arguments, HOUR, 24.0))),
    fixed("durationWeeks", &[Type::Any], |_, arguments| Ok(part(arguments, HOUR, 24.0 * 7.0))),
    fixed("durationRoundTo", &[Type::Any, Type::Any], |_, arguments| Ok(stepped(arguments, round_duration))),
    fixed("durationTruncateTo", &[Type::Any, Type::Any], |_, arguments| Ok(stepped(arguments, truncated))),
];

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;

fn must_to_duration(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    let nanoseconds = nanoseconds(value).map_err(FunctionError::Message)?;
    Ok(derived(value, Value::object(Duration(nanoseconds))))
}

fn whole(arguments: &[Value], unit: i64) -> Value {
    let value = any(arguments, 0);
    derived(value, Value::int64(nanoseconds(value).unwrap_or(0) / unit))
}

/// So many units, fractions too; `units` of them are what the function counts.
fn part(arguments: &[Value], unit: i64, units: f64) -> Value {
    let value = any(arguments, 0);
    let nanoseconds = nanoseconds(value).unwrap_or(0);
    let number = (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64;
    derived(value, Value::float(number / units))
}

/// The first argument at multiples of the second; as it is where the second is no duration.
fn stepped(arguments: &[Value], change: fn(i64, i64) -> i64) -> Value {
    let value = any(arguments, 0);
    let duration = match (nanoseconds(value), nanoseconds(any(arguments, 1))) {
        (Ok(duration), Ok(step)) => change(duration, step),
        (Ok(duration), Err(_)) => duration,
        (Err(_), _) => 0,
    };
    derived(value, Value::object(Duration(duration)))
}

fn truncated(duration: i64, step: i64) -> i64 {
    if step <= 0 { duration } else { duration - duration % step }
}

/// A duration out of anything.
fn nanoseconds(value: &Value) -> Result<i64, String> {
    let of_seconds = |seconds: i128| {
        let nanoseconds = seconds.checked_mul(i128::from(SECOND)).and_then(|number| i64::try_from(number).ok());
        nanoseconds.ok_or_else(|| format!("duration seconds overflow: {seconds}"))
    };
    match &value.data {
        Data::Nil => Err("invalid duration".into()),
        Data::String(text) => of_text(text),
        Data::Int(number, _) => of_seconds(i128::from(*number)),
        Data::Uint(number, _) => of_seconds(i128::from(*number)),
        Data::Float(number, _) => of_float(*number),
        Data::Object(object) => match object.as_any().downcast_ref::<Duration>() {
            Some(duration) => Ok(duration.0),
            None => Err(format!("unsupported duration type {}", object.type_name())),
        },
        Data::Bool(_) | Data::List(_) | Data::Map(_) => Err(format!("unsupported duration type {}", value.type_name())),
    }
}

fn of_text(text: &Text) -> Result<i64, String> {
    let string = text.to_str();
    let trimmed = string.trim();
    if trimmed.is_empty() {
        return Err("empty duration".into());
    }
    match (parse_duration(trimmed), parse_float(trimmed.as_bytes())) {
        (Ok(duration), _) => Ok(duration),
        (Err(_), Some(seconds)) => of_float(seconds),
        (Err(_), None) => Err(format!("could not parse duration {}", format::quote(text))),
    }
}

fn of_float(seconds: f64) -> Result<i64, String> {
    let shown = || format::sprint(&[Value::float(seconds)]);
    let limit = i64::MAX as f64 / SECOND as f64;
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", shown()));
    }
    if seconds.abs() > limit {
        return Err(format!("duration seconds overflow: {}", shown()));
    }
    Ok(truncate(seconds * SECOND as f64))
}
