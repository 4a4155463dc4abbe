//! `merge` and `mergeOverwrite`, by the rules of dario.cat/mergo as sprig calls it: the first dict changes in place, and
//! what it takes over from the others stays shared with them.

use crate::arguments::{Outcome, derived, map, variadic};
use onepane_template::{Function, FunctionError, Type};
use onepane_value::{Data, Map, MapType, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    variadic("merge", &[Type::Map, Type::Map], |_, arguments| merged(arguments, Winner::First)),
    variadic("mustMerge", &[Type::Map, Type::Map], |_, arguments| merged(arguments, Winner::First)),
    variadic("mergeOverwrite", &[Type::Map, Type::Map], |_, arguments| merged(arguments, Winner::Last)),
    variadic("mustMergeOverwrite", &[Type::Map, Type::Map], |_, arguments| merged(arguments, Winner::Last)),
];

/// How deep dicts may be nested in dicts.
const DEPTH: usize = 1_000;

/// Whose value stays where two dicts have one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Winner {
    /// The earlier dict's, unless it is empty.
    First,
    /// The later dict's, even an empty one; only lists and dicts are dealt with apart.
    Last,
}

fn merged(arguments: &[Value], winner: Winner) -> Outcome {
    let mut target = map(arguments, 0)?;
    for index in 1..arguments.len() {
        let source = map(arguments, index)?;
        if target.is_nil() && !source.is_nil() {
            target = Map::new();
        }
        merge(&target, &source, winner, DEPTH)?;
    }
    Ok(match arguments.first() {
        Some(first) => derived(first, target),
        None => target.into(),
    })
}

fn merge(target: &Map, source: &Map, winner: Winner, depth: usize) -> Result<(), FunctionError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err("the dicts to merge are nested too deeply or contain themselves".into());
    };
    if target.same(source) {
        return Ok(());
    }
    for (key, value) in source.entries() {
        let old = target.get(&key);
        if value.is_nil() && winner == Winner::First {
            continue;
        }
        if let (Data::Map(new), Some(Value { data: Data::Map(old), .. })) = (&value.data, &old) {
            // A nil map in the target takes nothing over in place; it is replaced below, as any empty value is.
            if !old.is_nil() {
                merge(old, new, winner, depth)?;
            }
            if !old.is_empty() {
                continue;
            }
        }
        let replaces = match (&old, winner) {
            (None, _) | (_, Winner::Last) => true,
            (Some(old), Winner::First) => !old.truth(),
        };
        if replaces {
            if target.declared() == MapType::String && value.as_text().is_none() {
                return Err(
                    "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string".into()
                );
            }
            let origin = match &old {
                Some(old) => value.origin.over(&old.origin),
                None => value.origin.clone(),
            };
            target.insert(key, value.with_origin(origin));
        }
    }
    Ok(())
}
