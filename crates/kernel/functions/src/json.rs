//! JSON: sprig's functions and the ones that Helm puts in their place.
//!
//! Helm's `fromJson` wants an object and its `fromJsonArray` an array; neither fails, the error stands in the result.

use crate::arguments::{Outcome, any, derived, fixed, text};
use crate::extent::{Extent, extent};
use crate::readings::{self, Format};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, ElementType, List, Map, MapType, Text, Value, to_json, to_json_indent, to_json_raw};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("toJson", &[Type::Any], to_json_or_nothing),
    fixed("mustToJson", &[Type::Any], must_to_json),
    fixed("toPrettyJson", &[Type::Any], to_pretty_json),
    fixed("mustToPrettyJson", &[Type::Any], must_to_pretty_json),
    fixed("toRawJson", &[Type::Any], to_raw_json),
    fixed("mustToRawJson", &[Type::Any], to_raw_json),
    fixed("fromJson", &[Type::String], |_, arguments| {
        let value = readings::read(Format::Json, text(arguments, 0)?);
        Ok(derived(any(arguments, 0), value.unwrap_or(Value::NIL)))
    }),
    fixed("mustFromJson", &[Type::String], |_, arguments| {
        Ok(derived(any(arguments, 0), readings::read(Format::Json, text(arguments, 0)?)?))
    }),
];

/// What Helm has in place of sprig's.
pub(crate) const HELM_FUNCTIONS: &[Function] =
    &[fixed("fromJson", &[Type::String], from_json_object), fixed("fromJsonArray", &[Type::String], from_json_array)];

/// What a level of `toPrettyJson` is indented by.
const INDENT: &str = "  ";

/// What a text was to be decoded into.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    Object,
    Array,
}

impl Wanted {
    /// The value as a map or a list, null as a nil one; else what encoding/json says of it.
    pub(crate) fn check(self, value: Value) -> Result<Value, String> {
        let (found, go_type) = match (self, &value.data) {
            (Self::Object, Data::Map(_)) | (Self::Array, Data::List(_)) => return Ok(value),
            (Self::Object, Data::Nil) => return Ok(Map::nil(MapType::Any).into()),
            (Self::Array, Data::Nil) => return Ok(List::nil(ElementType::Any).into()),
            (Self::Object, found) => (found, "map[string]interface {}"),
            (Self::Array, found) => (found, "[]interface {}"),
        };
        let found = match found {
            Data::List(_) => "array",
            Data::Map(_) | Data::Object(_) | Data::Nil => "object",
            Data::String(_) => "string",
            Data::Bool(_) => "bool",
            Data::Int(..) | Data::Uint(..) | Data::Float(..) => "number",
        };
        Err(format!("json: cannot unmarshal {found} into Go value of type {go_type}"))
    }

    /// Helm's way to say what went wrong: under the key `Error`, or as the only item.
    pub(crate) fn error(self, error: String) -> Value {
        match self {
            Self::Object => Map::from_iter([("Error", Value::from(error))]).into(),
            Self::Array => List::from_iter([Value::from(error)]).into(),
        }
    }
}

fn to_json_or_nothing(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, |value| Ok(to_json(value).unwrap_or_default()))
}

fn must_to_json(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, to_json)
}

fn to_pretty_json(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, |value| Ok(to_json_indent(value, INDENT).unwrap_or_default()))
}

fn must_to_pretty_json(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, |value| to_json_indent(value, INDENT))
}

fn to_raw_json(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    written(context, arguments, to_json_raw)
}

/// One text for the value as a whole, from where the value is from.
pub(crate) fn written(
    context: &mut dyn Context,
    arguments: &[Value],
    write: fn(&Value) -> Result<Text, String>,
) -> Outcome {
    let value = any(arguments, 0);
    // The writers see to depth themselves, in Go's words.
    if extent(value) == Extent::TooMany {
        return Err("the value is too large to write".into());
    }
    let text = write(value).map_err(FunctionError::Message)?;
    context.charge(text.len())?;
    Ok(derived(value, text))
}

fn from_json_object(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    read(arguments, Wanted::Object)
}

fn from_json_array(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    read(arguments, Wanted::Array)
}

fn read(arguments: &[Value], wanted: Wanted) -> Outcome {
    let value = readings::read(Format::Json, text(arguments, 0)?).and_then(|value| wanted.check(value));
    Ok(derived(any(arguments, 0), value.unwrap_or_else(|error| wanted.error(error))))
}
