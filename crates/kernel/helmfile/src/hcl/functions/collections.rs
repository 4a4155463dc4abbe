//! Lists, tuples, maps and objects.

use super::super::conversion::{convert, unify};
use super::super::value::{HEAVIEST, Type, Value};
use super::{
    ANY, ANY_OR_NULL, Fault, Function, LIST, NUMBER, Outcome, TEXT, TEXTS, blame, fixed, int, list, text, texts,
    variadic,
};
use std::collections::BTreeMap;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("chunklist", &[LIST, NUMBER], chunk_list),
    variadic("coalesce", &[], ANY_OR_NULL, coalesce),
    variadic("coalescelist", &[], ANY_OR_NULL, coalesce_list),
    fixed("compact", &[TEXTS], |arguments| {
        let parts = texts(only(arguments)?).into_iter().flatten();
        Ok(Value::texts(parts.filter(|part| !part.is_empty())))
    }),
    variadic("concat", &[], ANY, concat),
    fixed("contains", &[ANY, ANY_OR_NULL], contains),
    fixed("distinct", &[LIST], distinct),
    fixed("element", &[ANY, NUMBER], element),
    fixed("flatten", &[ANY], flatten),
    fixed("keys", &[ANY], keys),
    fixed("length", &[ANY], length),
    fixed("lookup", &[ANY, TEXT, ANY], lookup),
    variadic("merge", &[], ANY_OR_NULL, merge),
    fixed("reverselist", &[ANY], reverse_list),
    variadic("setproduct", &[], ANY, set_product),
    fixed("slice", &[ANY, NUMBER, NUMBER], slice),
    fixed("values", &[ANY], values),
    fixed("zipmap", &[TEXTS, ANY], zip_map),
];

fn only(arguments: &[Value]) -> Result<&Value, Fault> {
    arguments.first().ok_or_else(|| "an argument is required".into())
}

/// The type of a list's elements; of another value, none.
fn element_type(value: &Value) -> Type {
    value.kind.element().cloned().unwrap_or(Type::Any)
}

fn chunk_list(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    let size = usize::try_from(int(arguments, 1)?).map_err(|_| blame(1, "the size must not be negative"))?;
    let of = element_type(whole);
    let items: Vec<Value> = whole.items().collect();
    if size == 0 && !items.is_empty() {
        return list(&whole.kind, [whole.clone()]);
    }
    let chunks: Result<Vec<Value>, Fault> =
        items.chunks(size.max(1)).map(|chunk| list(&of, chunk.iter().cloned())).collect();
    list(&whole.kind, chunks?)
}

fn coalesce(arguments: &[Value]) -> Outcome {
    let common = unify(arguments.iter().map(|argument| &argument.kind));
    let common = common.ok_or("all arguments must be of the same type")?;
    let first = arguments.iter().find(|argument| !argument.is_null()).ok_or("all arguments are null")?;
    Ok(convert(first, &common)?)
}

fn coalesce_list(arguments: &[Value]) -> Outcome {
    if let Some(place) = arguments.iter().position(|argument| !matches!(argument.kind, Type::List(_) | Type::Tuple(_)))
    {
        return Err(blame(place, "a list or a tuple is required"));
    }
    let first = arguments.iter().find(|argument| argument.count() > 0);
    first.cloned().ok_or_else(|| "all lists are empty".into())
}

fn concat(arguments: &[Value]) -> Outcome {
    only(arguments)?;
    for (place, argument) in arguments.iter().enumerate() {
        if !matches!(argument.kind, Type::List(_) | Type::Tuple(_)) {
            return Err(blame(place, format!("a list or a tuple is required, not a {}", argument.kind.name())));
        }
    }
    // Lists of types that fit make a list.
    if arguments.iter().all(|argument| matches!(argument.kind, Type::List(_)))
        && let Some(common @ Type::List(_)) = unify(arguments.iter().map(|argument| &argument.kind))
    {
        let mut items = Vec::new();
        for (place, argument) in arguments.iter().enumerate() {
            let argument = convert(argument, &common).map_err(|message| blame(place, message))?;
            items.extend(argument.items());
        }
        return list(common.element().unwrap_or(&Type::Any), items);
    }
    Ok(Value::tuple(arguments.iter().flat_map(Value::items)))
}

fn contains(arguments: &[Value]) -> Outcome {
    let [whole, wanted] = arguments else { return Err("two arguments are required".into()) };
    if !whole.kind.is_sequence() {
        return Err(blame(0, "a list, a tuple or a set is required"));
    }
    if wanted.kind == Type::Any {
        // Then cty does not tell, which is an error in the end.
        return Err(blame(1, "a null of no type can't be looked for"));
    }
    Ok(whole.items().any(|item| wanted.equals(&item)).into())
}

fn distinct(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    let mut kept: Vec<Value> = Vec::new();
    for item in whole.items() {
        if !kept.iter().any(|other| other.equals(&item)) {
            kept.push(item);
        }
    }
    list(&element_type(whole), kept)
}

fn element(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    if !matches!(whole.kind, Type::List(_) | Type::Tuple(_)) {
        return Err(blame(0, format!("a list or a tuple is required, not a {}", whole.kind.name())));
    }
    let count = i64::try_from(whole.count()).unwrap_or(i64::MAX);
    let at = int(arguments, 1)?;
    let found = at.checked_rem_euclid(count).and_then(|at| whole.items().nth(at as usize));
    found.ok_or_else(|| blame(0, "an empty list has no elements"))
}

fn flatten(arguments: &[Value]) -> Outcome {
    fn add(whole: &Value, all: &mut Vec<Value>) -> Result<(), Fault> {
        for item in whole.items() {
            if all.len() as u64 > HEAVIEST {
                return Err("the list is too long".into());
            }
            if !item.is_null() && item.kind.is_sequence() {
                add(&item, all)?;
            } else {
                all.push(item);
            }
        }
        Ok(())
    }
    let whole = only(arguments)?;
    if !whole.kind.is_sequence() {
        return Err(blame(0, "a list, a tuple or a set is required"));
    }
    let mut all = Vec::new();
    add(whole, &mut all)?;
    Ok(Value::tuple(all))
}

fn keys(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    let names = whole.entries().map(|(name, _)| Value::from(&*name));
    match &whole.kind {
        Type::Map(_) => list(&Type::String, names),
        Type::Object(_) => Ok(Value::tuple(names)),
        kind => Err(blame(0, format!("a map or an object is required, not a {}", kind.name()))),
    }
}

/// Of an object as well as of a primitive there is none.
fn length(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    if !whole.kind.is_sequence() && !matches!(whole.kind, Type::Map(_)) {
        return Err(blame(0, format!("a list, a tuple, a set or a map is required, not a {}", whole.kind.name())));
    }
    Ok((whole.count() as i64).into())
}

fn lookup(arguments: &[Value]) -> Outcome {
    let [whole, _, default] = arguments else { return Err("three arguments are required".into()) };
    let name = text(arguments, 1)?;
    match &whole.kind {
        Type::Object(_) => Ok(whole.get(name).unwrap_or_else(|| default.clone())),
        Type::Map(of) => {
            let default = convert(default, of)
                .map_err(|message| blame(2, format!("the default must be as the map's elements: {message}")))?;
            Ok(whole.get(name).unwrap_or(default))
        }
        kind => Err(blame(0, format!("a map or an object is required, not a {}", kind.name()))),
    }
}

fn merge(arguments: &[Value]) -> Outcome {
    let is_open = |value: &&Value| value.kind == Type::Any;
    for (place, argument) in arguments.iter().enumerate() {
        if !argument.kind.is_mapping() && !is_open(&argument) {
            return Err(blame(place, format!("a map or an object is required, not a {}", argument.kind.name())));
        }
    }
    let mut all = BTreeMap::new();
    for argument in arguments {
        all.extend(argument.entries());
    }
    // Only maps of one type make a map.
    if let [Value { kind: Type::Map(of), .. }, rest @ ..] = arguments
        && rest.iter().all(|other| matches!(&other.kind, Type::Map(other) if other == of))
    {
        return Value::map(of, all).ok_or_else(|| "all elements must be of the same type".into());
    }
    Ok(Value::object(all))
}

fn reverse_list(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    let mut items: Vec<Value> = whole.items().collect();
    items.reverse();
    match &whole.kind {
        Type::Tuple(_) => Ok(Value::tuple(items)),
        Type::List(of) | Type::Set(of) => list(of, items),
        kind => Err(blame(0, format!("a list or a tuple is required, not a {}", kind.name()))),
    }
}

/// All combinations, the last argument's elements changing fastest: a list, or a set where one argument is a set.
fn set_product(arguments: &[Value]) -> Outcome {
    if arguments.len() < 2 {
        return Err("at least two arguments are required".into());
    }
    let mut kinds = Vec::new();
    let mut total = 1u64;
    for (place, argument) in arguments.iter().enumerate() {
        kinds.push(match &argument.kind {
            Type::List(of) | Type::Set(of) => (**of).clone(),
            Type::Tuple(all) if all.is_empty() => Type::Any,
            Type::Tuple(all) => unify(&**all).ok_or_else(|| blame(place, "all elements must be of the same type"))?,
            kind => return Err(blame(place, format!("a set or a list is required, not a {}", kind.name()))),
        });
        total = total.saturating_mul(argument.count() as u64);
    }
    if total.saturating_mul(arguments.len() as u64) > HEAVIEST {
        return Err("there are too many combinations".into());
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for (argument, kind) in arguments.iter().zip(&kinds) {
        let items: Vec<Value> = argument.items().map(|item| convert(&item, kind)).collect::<Result<_, _>>()?;
        let longer = |row: Vec<Value>| {
            items.iter().map(move |item| row.iter().chain([item]).cloned().collect()).collect::<Vec<Vec<Value>>>()
        };
        rows = rows.into_iter().flat_map(longer).collect();
    }
    let of = Type::Tuple(kinds.into());
    let rows = rows.into_iter().map(Value::tuple);
    if arguments.iter().any(|argument| matches!(argument.kind, Type::Set(_))) {
        return Value::set(&of, rows).ok_or_else(|| "all elements must be of the same type".into());
    }
    list(&of, rows)
}

fn slice(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    if !matches!(whole.kind, Type::List(_) | Type::Tuple(_)) {
        return Err(blame(0, format!("a list or a tuple is required, not a {}", whole.kind.name())));
    }
    let bound = |place| {
        let bound = usize::try_from(int(arguments, place)?).ok().filter(|bound| *bound <= whole.count());
        bound.ok_or_else(|| blame(place, format!("an index is from 0 to the length of the list, {}", whole.count())))
    };
    let (start, end) = (bound(1)?, bound(2)?);
    if start > end {
        return Err(blame(1, "the start must not be behind the end"));
    }
    let items = whole.items().skip(start).take(end - start);
    match &whole.kind {
        Type::List(of) => list(of, items),
        _ => Ok(Value::tuple(items)),
    }
}

fn values(arguments: &[Value]) -> Outcome {
    let whole = only(arguments)?;
    let items = whole.entries().map(|(_, value)| value);
    match &whole.kind {
        Type::Map(of) => list(of, items),
        Type::Object(_) => Ok(Value::tuple(items)),
        kind => Err(blame(0, format!("a map or an object is required, not a {}", kind.name()))),
    }
}

fn zip_map(arguments: &[Value]) -> Outcome {
    let [names, whole] = arguments else { return Err("two arguments are required".into()) };
    if !matches!(whole.kind, Type::List(_) | Type::Tuple(_)) {
        return Err(blame(1, "a list or a tuple is required"));
    }
    if names.count() != whole.count() {
        let message = format!("there are {} keys for {} values", names.count(), whole.count());
        return Err(message.into());
    }
    let mut entries = Vec::new();
    for (name, value) in names.items().zip(whole.items()) {
        let name = name.as_str().ok_or_else(|| blame(0, "a key must not be null"))?.into();
        entries.push((name, value));
    }
    match &whole.kind {
        Type::List(of) => Value::map(of, entries).ok_or_else(|| "all elements must be of the same type".into()),
        _ => Ok(Value::object(entries)),
    }
}
