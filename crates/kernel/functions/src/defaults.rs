//! Choosing among values: `default`, `empty`, `coalesce`, `ternary`, `all`, `any`.
//!
//! What is chosen keeps its origin: a chart's fallback and the user's value can be told apart.

use crate::arguments::{Outcome, any, boolean, fixed, variadic};
use onepane_template::{Context, Function, Type};
use onepane_value::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    variadic("default", &[Type::Any, Type::Any], default),
    fixed("empty", &[Type::Any], |_, arguments| Ok((!any(arguments, 0).truth()).into())),
    variadic("coalesce", &[Type::Any], coalesce),
    fixed("ternary", &[Type::Any, Type::Any, Type::Bool], ternary),
    variadic("all", &[Type::Any], |_, arguments| Ok(arguments.iter().all(Value::truth).into())),
    variadic("any", &[Type::Any], |_, arguments| Ok(arguments.iter().any(Value::truth).into())),
];

fn default(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let given = arguments.get(1).filter(|given| given.truth());
    Ok(given.unwrap_or(any(arguments, 0)).clone())
}

fn coalesce(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(arguments.iter().find(|value| value.truth()).cloned().unwrap_or(Value::NIL))
}

fn ternary(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(any(arguments, if boolean(arguments, 2)? { 0 } else { 1 }).clone())
}
