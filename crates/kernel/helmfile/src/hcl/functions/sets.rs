//! Sets: each element once, in order.

use super::super::conversion::{convert, unify};
use super::super::value::{Type, Value};
use super::{Fault, Function, Outcome, SET, blame, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("setintersection", &[SET], SET, |arguments| {
        combined(arguments, |all, other| all.retain(|item| has(other, item)))
    }),
    fixed("setsubtract", &[SET, SET], |arguments| {
        combined(arguments, |all, other| all.retain(|item| !has(other, item)))
    }),
    variadic("setunion", &[SET], SET, |arguments| combined(arguments, |all, other| all.extend(other.items()))),
];

fn has(set: &Value, wanted: &Value) -> bool {
    set.items().any(|item| item.equals(wanted))
}

/// The first with each of the others, all of one type.
fn combined(arguments: &[Value], combine: fn(&mut Vec<Value>, &Value)) -> Outcome {
    let kinds: Vec<&Type> = arguments
        .iter()
        .filter_map(|set| set.kind.element().filter(|of| set.count() > 0 || **of != Type::Any))
        .collect();
    let of = if kinds.is_empty() {
        Type::Any
    } else {
        unify(kinds).ok_or("all sets must be of types that fit one another")?
    };
    let wanted = Type::set(of.clone());
    let sets: Vec<Value> = arguments
        .iter()
        .enumerate()
        .map(|(place, set)| convert(set, &wanted).map_err(|message| blame(place, message)))
        .collect::<Result<_, Fault>>()?;
    let mut sets = sets.into_iter();
    let mut all: Vec<Value> = sets.next().iter().flat_map(Value::items).collect();
    sets.for_each(|other| combine(&mut all, &other));
    Value::set(&of, all).ok_or_else(|| "all elements must be of the same type".into())
}
