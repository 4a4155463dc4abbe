//! Lists: `list`, `first`, `append`, `uniq`, `slice` and the rest, each with its `must` twin.
//!
//! sprig's `must` functions return their error and the others panic with it, which text/template reports alike: both
//! names are the same function here.

use crate::arguments::{NIL_DEREFERENCE, Outcome, any, derived, fixed, int, slice, variadic};
use crate::cast::{to_int64, truncate};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, ElementType, List, Text, Value};
use std::collections::HashSet;

pub(crate) const FUNCTIONS: &[Function] = &[
    variadic("list", &[Type::Any], list),
    variadic("tuple", &[Type::Any], list),
    fixed("append", &[Type::Any, Type::Any], append),
    fixed("push", &[Type::Any, Type::Any], append),
    fixed("mustAppend", &[Type::Any, Type::Any], append),
    fixed("mustPush", &[Type::Any, Type::Any], append),
    fixed("prepend", &[Type::Any, Type::Any], prepend),
    fixed("mustPrepend", &[Type::Any, Type::Any], prepend),
    fixed("first", &[Type::Any], first),
    fixed("mustFirst", &[Type::Any], first),
    fixed("last", &[Type::Any], last),
    fixed("mustLast", &[Type::Any], last),
    fixed("rest", &[Type::Any], rest),
    fixed("mustRest", &[Type::Any], rest),
    fixed("initial", &[Type::Any], initial),
    fixed("mustInitial", &[Type::Any], initial),
    fixed("reverse", &[Type::Any], reverse),
    fixed("mustReverse", &[Type::Any], reverse),
    fixed("compact", &[Type::Any], compact),
    fixed("mustCompact", &[Type::Any], compact),
    fixed("uniq", &[Type::Any], uniq),
    fixed("mustUniq", &[Type::Any], uniq),
    variadic("without", &[Type::Any, Type::Any], without),
    variadic("mustWithout", &[Type::Any, Type::Any], without),
    fixed("has", &[Type::Any, Type::Any], has),
    fixed("mustHas", &[Type::Any, Type::Any], has),
    variadic("slice", &[Type::Any, Type::Any], sub_slice),
    variadic("mustSlice", &[Type::Any, Type::Any], sub_slice),
    variadic("concat", &[Type::Any], concat),
    fixed("chunk", &[Type::Int, Type::Any], chunk),
    fixed("mustChunk", &[Type::Int, Type::Any], chunk),
];

/// What an item of a new list is charged.
const ITEM: usize = 40;

fn list(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(List::new(arguments).into())
}

/// The list, or an error that says what could not be done to which kind; Go's reflection falls over nil.
fn items(value: &Value, action: &str) -> Result<List, FunctionError> {
    match slice(value) {
        Some(list) => Ok(list),
        None if value.is_nil() => Err(NIL_DEREFERENCE.into()),
        None => Err(format!("{action} {}", value.kind().name()).into()),
    }
}

fn append(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot push on type")?;
    context.charge((list.len() + 1) * ITEM)?;
    Ok(collect(any(arguments, 0), list.iter().chain([any(arguments, 1)])))
}

fn prepend(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot prepend on type")?;
    context.charge((list.len() + 1) * ITEM)?;
    Ok(collect(any(arguments, 0), std::iter::once(any(arguments, 1)).chain(list.iter())))
}

fn first(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find first on type")?;
    Ok(list.first().cloned().unwrap_or(Value::NIL))
}

fn last(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find last on type")?;
    Ok(list.last().cloned().unwrap_or(Value::NIL))
}

fn rest(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find rest on type")?;
    context.charge(list.len() * ITEM)?;
    Ok(match list.get(1..) {
        Some(rest) => collect(any(arguments, 0), rest),
        None => derived(any(arguments, 0), List::nil(ElementType::Any)),
    })
}

fn initial(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find initial on type")?;
    context.charge(list.len() * ITEM)?;
    Ok(match list.split_last() {
        Some((_, initial)) => collect(any(arguments, 0), initial),
        None => derived(any(arguments, 0), List::nil(ElementType::Any)),
    })
}

fn reverse(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find reverse on type")?;
    context.charge(list.len() * ITEM)?;
    Ok(collect(any(arguments, 0), list.iter().rev()))
}

fn compact(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot compact on type")?;
    Ok(collect(any(arguments, 0), list.iter().filter(|item| item.truth())))
}

fn uniq(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find uniq on type")?;
    let mut scalars = HashSet::new();
    let mut others: Vec<&Value> = Vec::new();
    let mut unique = Vec::new();
    for item in list.iter() {
        let new = match scalar(item) {
            Some(scalar) => scalars.insert(scalar),
            None => {
                let new = !others.iter().any(|other| other.deep_equal(item));
                if new {
                    others.push(item);
                }
                new
            }
        };
        if new {
            unique.push(item);
        }
    }
    Ok(collect(any(arguments, 0), unique))
}

/// A scalar by its kind, bits and text, so that many are told apart quickly. Floats are left out: -0 equals 0, and NaN
/// not itself.
fn scalar(value: &Value) -> Option<(&'static str, u64, Option<Text>)> {
    let kind = value.kind().name();
    match &value.data {
        Data::Nil => Some((kind, 0, None)),
        Data::Bool(value) => Some((kind, u64::from(*value), None)),
        Data::Int(number, _) => Some((kind, number.cast_unsigned(), None)),
        Data::Uint(number, _) => Some((kind, *number, None)),
        Data::String(text) => Some((kind, 0, Some(text.clone()))),
        Data::Float(..) | Data::List(_) | Data::Map(_) | Data::Object(_) => None,
    }
}

fn without(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let list = items(any(arguments, 0), "Cannot find without on type")?;
    let omitted = arguments.get(1..).unwrap_or_default();
    let kept = list.iter().filter(|item| !omitted.iter().any(|omitted| omitted.deep_equal(item)));
    Ok(collect(any(arguments, 0), kept))
}

fn has(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (needle, haystack) = (any(arguments, 0), any(arguments, 1));
    if haystack.is_nil() {
        return Ok(false.into());
    }
    Ok(items(haystack, "Cannot find has on type")?.iter().any(|item| needle.deep_equal(item)).into())
}

fn sub_slice(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    let list = items(value, "list should be type of slice or array but")?;
    if list.is_empty() {
        return Ok(Value::NIL);
    }
    let start = arguments.get(1).map_or(0, to_int64);
    let end = arguments.get(2).map_or(list.len() as i64, to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some(items) = range.and_then(|(start, end)| list.get(start..end)) else {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    };
    context.charge(items.len() * ITEM)?;
    Ok(derived(value, List::of(list.element(), items)))
}

fn concat(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for value in arguments {
        match slice(value) {
            Some(list) => {
                context.charge(list.len() * ITEM)?;
                all.extend(list.iter().cloned());
            }
            None if value.is_nil() => return Err(NIL_DEREFERENCE.into()),
            None => return Err(format!("Cannot concat type {} as list", value.kind().name()).into()),
        }
    }
    Ok(if all.is_empty() { List::nil(ElementType::Any) } else { List::new(all) }.into())
}

/// Lists of `size` items. What a size below 1 gives is what Go's arithmetic on floats makes of it: mostly an error.
fn chunk(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (size, value) = (int(arguments, 0)?, any(arguments, 1));
    let list = items(value, "Cannot chunk type")?;
    let too_long = || FunctionError::from("runtime error: makeslice: len out of range");
    let count = truncate(((list.len() as f64 - 1.0) / size as f64).floor() + 1.0);
    if count < 0 || (count > 0 && size < 1) {
        return Err(too_long());
    }
    context.charge(list.len() * ITEM)?;
    let size = usize::try_from(size.max(1)).map_err(|_| too_long())?;
    let items = if count == 0 { &[] } else { &list[..] };
    let chunks = items.chunks(size).map(|chunk| Value::from(List::new(chunk)));
    Ok(derived(value, List::of(ElementType::List, chunks.collect::<Vec<_>>())))
}

fn collect<'a>(source: &Value, items: impl IntoIterator<Item = &'a Value>) -> Value {
    derived(source, List::new(items.into_iter().cloned().collect::<Vec<_>>()))
}
