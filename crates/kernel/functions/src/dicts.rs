//! Dicts: `dict`, `get`, `set`, `pick`, `dig` and the rest; `merge` has a file of its own.
//!
//! `set` and `unset` change the map that they are given, whoever else holds it.

use crate::arguments::{NIL_REFLECTED, Outcome, any, derived, fixed, map, text, variadic};
use crate::display::{display, string_list};
use crate::extent::{Extent, extent};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, List, Map, MapType, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    variadic("dict", &[Type::Any], dict),
    fixed("get", &[Type::Map, Type::String], get),
    fixed("set", &[Type::Map, Type::String, Type::Any], set),
    fixed("unset", &[Type::Map, Type::String], unset),
    fixed("hasKey", &[Type::Map, Type::String], has_key),
    variadic("pluck", &[Type::String, Type::Map], pluck),
    variadic("keys", &[Type::Map], keys),
    fixed("values", &[Type::Map], values),
    variadic("pick", &[Type::Map, Type::String], pick),
    variadic("omit", &[Type::Map, Type::String], omit),
    variadic("dig", &[Type::Any], dig),
    fixed("deepCopy", &[Type::Any], deep_copy),
    fixed("mustDeepCopy", &[Type::Any], deep_copy),
    fixed("deepEqual", &[Type::Any, Type::Any], deep_equal),
];

fn dict(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let dict = Map::new();
    for pair in arguments.chunks(2) {
        dict.insert(display(any(pair, 0)), pair.get(1).cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(dict.into())
}

fn get(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(map(arguments, 0)?.get(text(arguments, 1)?).unwrap_or_else(|| Value::from("")))
}

fn set(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (map, key) = (map(arguments, 0)?, text(arguments, 1)?);
    if map.is_nil() {
        return Err("assignment to entry in nil map".into());
    }
    map.insert(key.clone().without_origin(), any(arguments, 2).clone());
    Ok(derived(any(arguments, 0), map))
}

fn unset(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let map = map(arguments, 0)?;
    map.remove(text(arguments, 1)?);
    Ok(derived(any(arguments, 0), map))
}

fn has_key(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(map(arguments, 0)?.contains(text(arguments, 1)?).into())
}

fn pluck(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let key = text(arguments, 0)?;
    let mut found = Vec::new();
    for index in 1..arguments.len() {
        found.extend(map(arguments, index)?.get(key));
    }
    Ok(List::new(found).into())
}

/// Go's order is random; ours is that of the keys.
fn keys(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut keys = Vec::new();
    for index in 0..arguments.len() {
        keys.extend(map(arguments, index)?.keys().into_iter().map(Value::from));
    }
    Ok(string_list(keys))
}

fn values(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut values = Vec::new();
    map(arguments, 0)?.for_each(|_, value| values.push(value.clone()));
    Ok(derived(any(arguments, 0), List::new(values)))
}

fn pick(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (map, picked) = (map(arguments, 0)?, Map::new());
    for index in 1..arguments.len() {
        let key = text(arguments, index)?;
        if let Some(value) = map.get(key) {
            picked.insert(key.clone(), value);
        }
    }
    Ok(derived(any(arguments, 0), picked))
}

fn omit(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let source = map(arguments, 0)?;
    let kept = if source.is_nil() { Map::new() } else { source.shallow_copy() };
    for index in 1..arguments.len() {
        kept.remove(text(arguments, index)?);
    }
    Ok(derived(any(arguments, 0), kept))
}

/// Keys, then what to give where one is absent, then the dict.
fn dig(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let [keys @ .., default, dict] = arguments else { return Err("dig needs at least three arguments".into()) };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_map(dict)?;
    let keys =
        keys.iter().map(|key| key.as_text().ok_or_else(|| not_a("string", key))).collect::<Result<Vec<_>, _>>()?;
    let last = keys.len() - 1;
    for (index, key) in keys.into_iter().enumerate() {
        match map.get(key) {
            None => return Ok(default.clone()),
            Some(value) if index == last => return Ok(value),
            Some(value) => map = plain_map(&value)?,
        }
    }
    Ok(default.clone())
}

/// Go's type assertion: Helm's own map type does not pass.
fn plain_map(value: &Value) -> Result<Map, FunctionError> {
    match &value.data {
        Data::Map(map) if map.declared() == MapType::Any => Ok(map.clone()),
        _ => Err(not_a("map[string]interface {}", value)),
    }
}

fn not_a(wanted: &str, value: &Value) -> FunctionError {
    let found = if value.is_nil() { "nil".into() } else { value.type_name() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}").into()
}

fn deep_copy(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    if value.is_nil() {
        return Err(NIL_REFLECTED.into());
    }
    let Extent::Values(size) = extent(value) else {
        return Err("deepCopy error: the value is too large, nested too deeply or contains itself".into());
    };
    context.charge(size.saturating_mul(64))?;
    Ok(value.deep_copy())
}

fn deep_equal(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (a, b) = (any(arguments, 0), any(arguments, 1));
    if [a, b].iter().all(|value| !matches!(extent(value), Extent::Values(_))) {
        return Err("deepEqual: both values are too large, nested too deeply or contain themselves".into());
    }
    Ok(a.deep_equal(b).into())
}
