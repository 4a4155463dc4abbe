//! `eq`, `ne`, `lt`, `le`, `gt`, `ge` by Go's rules: integers of any width and sign compare with one another, and
//! otherwise only like with like.

use super::Outcome;
use crate::{Context, FunctionError};
use onepane_value::format::sprintf;
use onepane_value::{Data, Kind, Value};
use std::cmp::Ordering;

fn incompatible(a: &Value, b: &Value) -> FunctionError {
    format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()).into()
}

/// The kinds that Go's comparison tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    String,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value.data {
        Data::Bool(_) => Basic::Bool,
        Data::Int(..) => Basic::Int,
        Data::Uint(..) => Basic::Uint,
        Data::Float(..) => Basic::Float,
        Data::String(_) => Basic::String,
        Data::Nil | Data::List(_) | Data::Map(_) | Data::Object(_) => Basic::Other,
    }
}

/// The order of two numbers or strings of a kind; `None` where the kinds differ or have no order.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (&a.data, &b.data) {
        (Data::Int(a, _), Data::Int(b, _)) => Some(a.cmp(b)),
        (Data::Uint(a, _), Data::Uint(b, _)) => Some(a.cmp(b)),
        (Data::Int(a, _), Data::Uint(b, _)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Uint(a, _), Data::Int(b, _)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::String(a), Data::String(b)) => Some(a.cmp(b)),
        (Data::Bool(a), Data::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn equal(a: &Value, b: &Value) -> Result<bool, FunctionError> {
    if let (Data::Float(a, _), Data::Float(b, _)) = (&a.data, &b.data) {
        return Ok(a == b);
    }
    if let Some(order) = order(a, b) {
        return Ok(order == Ordering::Equal);
    }
    if a.is_nil() || b.is_nil() {
        // A nil map or slice is not the nil interface, but Go's `eq` calls them equal.
        return Ok(nil(a) && nil(b));
    }
    if basic(a) != basic(b) {
        return Err(incompatible(a, b));
    }
    let comparable = |value: &Value| !matches!(value.kind(), Kind::Map | Kind::Slice | Kind::Func);
    if comparable(a) && comparable(b) {
        return Ok(a.deep_equal(b));
    }
    let shown = |verb: &[u8], value: &Value| sprintf(verb, std::slice::from_ref(value));
    if a.kind() != b.kind() {
        let (a_type, b_type) = (a.type_name(), b.type_name());
        let cause = format!("non-comparable types {}: {a_type}, {b_type}: {}", shown(b"%s", a), shown(b"%v", b));
        return Err(cause.into());
    }
    if nil(a) || nil(b) {
        return Ok(nil(a) && nil(b));
    }
    Err(format!("non-comparable type {}: {}", shown(b"%s", b), b.type_name()).into())
}

fn nil(value: &Value) -> bool {
    match &value.data {
        Data::Nil => true,
        Data::Map(map) => map.is_nil(),
        Data::List(list) => list.is_nil(),
        _ => false,
    }
}

/// Whether the first equals any of the others.
pub(super) fn eq(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let [first, others @ ..] = arguments else { return Err("missing argument for comparison".into()) };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn ne(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok((!equal(&arguments[0], &arguments[1])?).into())
}

pub(super) fn lt(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    less(&arguments[0], &arguments[1]).map(Value::from)
}

// Go defines these by `lt` and `eq`, which tells for numbers that are not numbers.
pub(super) fn le(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let less = less(&arguments[0], &arguments[1])?;
    Ok((less || equal(&arguments[0], &arguments[1])?).into())
}

pub(super) fn gt(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    le(context, arguments).map(|value| (!value.truth()).into())
}

pub(super) fn ge(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    lt(context, arguments).map(|value| (!value.truth()).into())
}

fn less(a: &Value, b: &Value) -> Result<bool, FunctionError> {
    const NO_ORDER: &str = "invalid type for comparison";
    match (basic(a), basic(b)) {
        (Basic::Other, _) | (_, Basic::Other) | (Basic::Bool, Basic::Bool) => Err(NO_ORDER.into()),
        (Basic::Float, Basic::Float) => match (&a.data, &b.data) {
            (Data::Float(a, _), Data::Float(b, _)) => Ok(a < b),
            _ => Err(NO_ORDER.into()),
        },
        _ => order(a, b).map(|order| order == Ordering::Less).ok_or_else(|| incompatible(a, b)),
    }
}
