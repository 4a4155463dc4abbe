//! Whole numbers: conversions, arithmetic on `int64` that wraps as Go's does, counting.

use crate::arguments::{Outcome, any, derived, fixed, int, text, variadic};
use crate::cast::{parse_int, to_float64, to_int64};
use crate::display::verbatim;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{ElementType, List, Value};
use std::fmt::Write;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("atoi", &[Type::String], atoi),
    fixed("int", &[Type::Any], |_, arguments| Ok(derived(any(arguments, 0), Value::int(to_int64(any(arguments, 0)))))),
    fixed("int64", &[Type::Any], |_, arguments| converted(arguments, to_int64)),
    fixed("float64", &[Type::Any], |_, arguments| {
        Ok(derived(any(arguments, 0), Value::float(to_float64(any(arguments, 0)))))
    }),
    fixed("toDecimal", &[Type::Any], |_, arguments| {
        converted(arguments, |value| parse_int(&verbatim(value), 8).unwrap_or(0))
    }),
    variadic("add", &[Type::Any], |_, arguments| folded(0, arguments, i64::wrapping_add)),
    fixed("add1", &[Type::Any], |_, arguments| converted(arguments, |value| to_int64(value).wrapping_add(1))),
    fixed("sub", &[Type::Any, Type::Any], |_, arguments| from_first(arguments, i64::wrapping_sub)),
    fixed("div", &[Type::Any, Type::Any], |_, arguments| divided(arguments, i64::wrapping_div)),
    fixed("mod", &[Type::Any, Type::Any], |_, arguments| divided(arguments, i64::wrapping_rem)),
    variadic("mul", &[Type::Any, Type::Any], |_, arguments| from_first(arguments, i64::wrapping_mul)),
    variadic("max", &[Type::Any, Type::Any], |_, arguments| from_first(arguments, i64::max)),
    variadic("biggest", &[Type::Any, Type::Any], |_, arguments| from_first(arguments, i64::max)),
    variadic("min", &[Type::Any, Type::Any], |_, arguments| from_first(arguments, i64::min)),
    fixed("until", &[Type::Int], until),
    fixed("untilStep", &[Type::Int, Type::Int, Type::Int], until_step),
    variadic("seq", &[Type::Int], seq),
];

/// What an integer of a list is charged.
const NUMBER: usize = 32;

/// `strconv.Atoi` is decimal, and what it returns beside an error is kept: the nearest integer where the text is out of
/// range.
fn atoi(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let string = text(arguments, 0)?;
    let number = parse_int(string, 10).unwrap_or_else(|| {
        let (negative, digits) = match string.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        match (negative, !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)) {
            (_, false) => 0,
            (false, true) => i64::MAX,
            (true, true) => i64::MIN,
        }
    });
    Ok(derived(any(arguments, 0), Value::int(number)))
}

fn converted(arguments: &[Value], convert: impl Fn(&Value) -> i64) -> Outcome {
    let value = any(arguments, 0);
    Ok(derived(value, Value::int64(convert(value))))
}

fn folded(start: i64, values: &[Value], combine: fn(i64, i64) -> i64) -> Outcome {
    Ok(Value::int64(values.iter().map(to_int64).fold(start, combine)))
}

fn from_first(arguments: &[Value], combine: fn(i64, i64) -> i64) -> Outcome {
    folded(to_int64(any(arguments, 0)), arguments.get(1..).unwrap_or_default(), combine)
}

fn divided(arguments: &[Value], divide: fn(i64, i64) -> i64) -> Outcome {
    match to_int64(any(arguments, 1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::int64(divide(to_int64(any(arguments, 0)), divisor))),
    }
}

fn until(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let count = int(arguments, 0)?;
    integers(context, 0, count, if count < 0 { -1 } else { 1 })
}

fn until_step(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    integers(context, int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?)
}

fn integers(context: &mut dyn Context, start: i64, stop: i64, step: i64) -> Outcome {
    let numbers = steps(context, start, stop, step)?;
    Ok(List::of(ElementType::Int, numbers.map(Value::int).collect::<Vec<_>>()).into())
}

/// `seq`, `seq end`, `seq start end`, `seq start step end`: numbers with spaces between, the end included.
fn seq(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (start, step, end) = match arguments.len() {
        1 => (1, None, int(arguments, 0)?),
        2 => (int(arguments, 0)?, None, int(arguments, 1)?),
        3 => (int(arguments, 0)?, Some(int(arguments, 1)?), int(arguments, 2)?),
        _ => return Ok(Value::from("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::from(""));
    }
    let mut out = String::new();
    for number in steps(context, start, end.wrapping_add(direction), step.unwrap_or(direction))? {
        let space = if out.is_empty() { "" } else { " " };
        write!(out, "{space}{number}").map_err(|error| FunctionError::from(error.to_string()))?;
    }
    Ok(out.into())
}

/// The numbers from `start` before `stop`; none where the step leads away from it.
fn steps(
    context: &mut dyn Context,
    start: i64,
    stop: i64,
    step: i64,
) -> Result<impl Iterator<Item = i64>, FunctionError> {
    let (distance, stride) = match stop < start {
        true if step < 0 => (start.abs_diff(stop), step.unsigned_abs()),
        false if step > 0 => (stop.abs_diff(start), step.unsigned_abs()),
        _ => (0, 1),
    };
    let count = usize::try_from(distance.div_ceil(stride)).unwrap_or(usize::MAX);
    context.charge(count.saturating_mul(NUMBER))?;
    Ok((0..count).map(move |index| start.wrapping_add(step.wrapping_mul(index as i64))))
}
