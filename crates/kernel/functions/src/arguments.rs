//! Reading arguments, and declaring functions.
//!
//! The engine has checked and converted arguments by a function's signature before it is called; the errors here are
//! what Go would say if it had not.

use crate::cast;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, List, Map, MapType, Text, Value};

/// What a function gives back.
pub(crate) type Outcome = Result<Value, FunctionError>;

/// What Go says when reflection or a method meets nil.
pub(crate) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

/// What Go's reflection says when it is asked for the type of nil.
pub(crate) const NIL_REFLECTED: &str = "reflect: call of reflect.Value.Type on zero Value";

type Call = fn(&mut dyn Context, &[Value]) -> Outcome;

/// A function with a fixed number of parameters.
pub(crate) const fn fixed(name: &'static str, parameters: &'static [Type], call: Call) -> Function {
    Function { name, parameters, variadic: false, call }
}

/// A function whose last parameter takes any number of arguments.
pub(crate) const fn variadic(name: &'static str, parameters: &'static [Type], call: Call) -> Function {
    Function { name, parameters, variadic: true, call }
}

/// Any argument; nil where there is none.
pub(crate) fn any(arguments: &[Value], index: usize) -> &Value {
    const NIL: &Value = &Value::NIL;
    arguments.get(index).unwrap_or(NIL)
}

/// A `string`.
pub(crate) fn text(arguments: &[Value], index: usize) -> Result<&Text, FunctionError> {
    let value = any(arguments, index);
    value.as_text().ok_or_else(|| wrong_type("string", value))
}

/// An `int` or another integer.
pub(crate) fn int(arguments: &[Value], index: usize) -> Result<i64, FunctionError> {
    match any(arguments, index) {
        Value { data: Data::Int(number, _), .. } => Ok(*number),
        value @ Value { data: Data::Uint(..), .. } => Ok(cast::to_int64(value)),
        value => Err(wrong_type("int", value)),
    }
}

/// A `float64`.
pub(crate) fn float(arguments: &[Value], index: usize) -> Result<f64, FunctionError> {
    match any(arguments, index) {
        Value { data: Data::Float(number, _), .. } => Ok(*number),
        value @ Value { data: Data::Int(..) | Data::Uint(..), .. } => Ok(cast::to_float64(value)),
        value => Err(wrong_type("float64", value)),
    }
}

/// A `bool`.
pub(crate) fn boolean(arguments: &[Value], index: usize) -> Result<bool, FunctionError> {
    let value = any(arguments, index);
    value.as_bool().ok_or_else(|| wrong_type("bool", value))
}

/// A `map[string]interface {}`; nil gives the nil map.
pub(crate) fn map(arguments: &[Value], index: usize) -> Result<Map, FunctionError> {
    match &any(arguments, index).data {
        Data::Map(map) => Ok(map.declared_as(MapType::Any)),
        Data::Nil => Ok(Map::nil(MapType::Any)),
        _ => Err(wrong_type("map[string]interface {}", any(arguments, index))),
    }
}

/// What Go's reflect takes for a slice.
pub(crate) fn slice(value: &Value) -> Option<List> {
    match &value.data {
        Data::List(list) => Some(list.clone()),
        Data::Object(object) if object.kind() == onepane_value::Kind::Slice => object.plain().as_list().cloned(),
        _ => None,
    }
}

/// A value made from `source` alone: it has the source's origin.
pub(crate) fn derived(source: &Value, value: impl Into<Value>) -> Value {
    value.into().with_origin(source.origin.clone())
}

fn wrong_type(wanted: &str, value: &Value) -> FunctionError {
    format!("wrong type for value; expected {wanted}; got {}", value.type_name()).into()
}
