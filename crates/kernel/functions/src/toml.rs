//! `toToml`, `mustToToml` and `fromToml`: TOML as BurntSushi's library writes and reads it.

mod read;
mod write;

use crate::arguments::{NIL_REFLECTED, Outcome, any, derived, fixed, text};
use crate::json::Wanted;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Text, Value};

/// The zone of a date and time without an offset, by which the encoder knows it.
const DATE_TIME: &str = "datetime-local";
/// The zone of a date.
const DATE: &str = "date-local";
/// The zone of a time of day.
const TIME: &str = "time-local";

pub(crate) const HELM_FUNCTIONS: &[Function] = &[
    fixed("toToml", &[Type::Any], to_toml),
    fixed("mustToToml", &[Type::Any], must_to_toml),
    fixed("fromToml", &[Type::String], from_toml),
];

/// The error, where there is one, is the result.
fn to_toml(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    let toml = write::write(not_nil(value)?).unwrap_or_else(Text::from);
    context.charge(toml.len())?;
    Ok(derived(value, toml))
}

fn must_to_toml(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    let toml = write::write(not_nil(value)?).map_err(FunctionError::Message)?;
    context.charge(toml.len())?;
    Ok(derived(value, toml))
}

/// The encoder's reflection falls over nil.
fn not_nil(value: &Value) -> Result<&Value, FunctionError> {
    if value.is_nil() { Err(NIL_REFLECTED.into()) } else { Ok(value) }
}

fn from_toml(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = read::read(&text(arguments, 0)?.to_str()).unwrap_or_else(|error| Wanted::Object.error(error));
    Ok(derived(any(arguments, 0), value))
}
