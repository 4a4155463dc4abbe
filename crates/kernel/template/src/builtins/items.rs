//! `len`, `index` and `slice`.

use super::Outcome;
use crate::{Context, FunctionError};
use onepane_value::{Data, IntKind, List, MapType, Text, Value};

pub(super) fn len(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let length = match &arguments[0].data {
        Data::Nil => return Err("len of nil pointer".into()),
        Data::String(text) => text.len(),
        Data::List(list) => list.len(),
        Data::Map(map) => map.len(),
        Data::Object(object) => match object.plain().data {
            Data::List(list) => list.len(),
            Data::Map(map) if object.kind() == onepane_value::Kind::Map => map.len(),
            Data::String(text) => text.len(),
            _ => return Err(format!("len of type {}", pointed(&arguments[0])).into()),
        },
        _ => return Err(format!("len of type {}", arguments[0].type_name()).into()),
    };
    Ok(Value::int(length as i64))
}

/// `index x 1 "a"`: `x[1]["a"]`.
pub(super) fn index(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let [item, indexes @ ..] = arguments else { return Err("index of untyped nil".into()) };
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for index in indexes {
        item = match &item.data {
            Data::Nil => return Err("index of nil pointer".into()),
            Data::List(list) => list[position(index, list.len(), "slice")?].clone(),
            Data::String(text) => {
                Data::Uint(text[position(index, text.len(), "string")?].into(), IntKind::Bits8).into()
            }
            Data::Map(map) => match &index.data {
                Data::String(key) => map.get(key).unwrap_or_else(|| match map.declared() {
                    MapType::String => Value::from(""),
                    MapType::Any | MapType::Values | MapType::ValuesOfHelm3 => Value::NIL,
                }),
                Data::Nil => return Err("value is nil; should be of type string".into()),
                _ => return Err(format!("value has type {}; should be string", index.type_name()).into()),
            },
            Data::Object(object) => match (object.plain().data, &index.data) {
                (Data::Map(map), Data::String(key)) if object.kind() == onepane_value::Kind::Map => {
                    map.get(key).unwrap_or_default()
                }
                (Data::List(list), _) => list[position(index, list.len(), "slice")?].clone(),
                _ => return Err(format!("can't index item of type {}", pointed(&item)).into()),
            },
            _ => return Err(format!("can't index item of type {}", item.type_name()).into()),
        };
    }
    Ok(item)
}

/// The type of what a pointer points to; of anything else its own.
fn pointed(value: &Value) -> String {
    let name = value.type_name();
    name.strip_prefix('*').unwrap_or(&name).to_owned()
}

/// An index below `length`; Go's reflection complains of the last one that its template package lets pass.
fn position(index: &Value, length: usize, kind: &str) -> Result<usize, FunctionError> {
    let position = bound(index, length)?;
    if position == length { Err(format!("reflect: {kind} index out of range").into()) } else { Ok(position) }
}

/// An index that may be `length` itself, as the bounds of a slice may.
fn bound(index: &Value, length: usize) -> Result<usize, FunctionError> {
    let position = match index.data {
        Data::Int(position, _) => position,
        Data::Uint(position, _) => position as i64,
        Data::Nil => return Err("cannot index slice/array with nil".into()),
        _ => return Err(format!("cannot index slice/array with type {}", index.type_name()).into()),
    };
    usize::try_from(position)
        .ok()
        .filter(|position| *position <= length)
        .ok_or_else(|| format!("index out of range: {position}").into())
}

/// `slice x 1 2`: `x[1:2]`.
pub(super) fn slice(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let [item, indexes @ ..] = arguments else { return Err("slice of untyped nil".into()) };
    if item.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let length = match &item.data {
        Data::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Data::String(text) => text.len(),
        Data::List(list) => list.len(),
        _ => return Err(format!("can't slice item of type {}", pointed(item)).into()),
    };
    let mut bounds = [0, length, length];
    for (slot, index) in bounds.iter_mut().zip(indexes) {
        *slot = bound(index, length)?;
    }
    let [from, to, capacity] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    if to > capacity {
        return Err(format!("invalid slice index: {to} > {capacity}").into());
    }
    Ok(match &item.data {
        Data::String(text) => Value::from(text.slice(from..to)),
        Data::List(list) => List::of(list.element(), list[from..to].to_vec()).into(),
        _ => Value::from(Text::default()),
    })
}
