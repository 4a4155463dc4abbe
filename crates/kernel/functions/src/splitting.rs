//! Strings into parts and back: `split`, `splitn`, `splitList`, `join`, `sortAlpha`, `replace`, `plural`.

use crate::arguments::{Outcome, any, derived, fixed, int, slice, text};
use crate::display::{display, push_display, string_list, strings};
use crate::runes;
use onepane_bytes::find_all_texts;
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{ElementType, List, Map, MapType, Text, TextBuilder, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("split", &[Type::String, Type::String], split),
    fixed("splitn", &[Type::String, Type::Int, Type::String], splitn),
    fixed("splitList", &[Type::String, Type::String], split_list),
    fixed("join", &[Type::String, Type::Any], join),
    fixed("sortAlpha", &[Type::Any], sort_alpha),
    fixed("replace", &[Type::String, Type::String, Type::String], replace),
    fixed("plural", &[Type::String, Type::String, Type::Int], plural),
];

/// What a part of a list is charged, beside its bytes.
const PART: usize = 32;

fn split(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let parts = parts(context, text(arguments, 1)?, text(arguments, 0)?, usize::MAX)?;
    Ok(numbered(any(arguments, 1), parts))
}

fn splitn(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let limit = usize::try_from(int(arguments, 1)?).unwrap_or(usize::MAX);
    let parts = parts(context, text(arguments, 2)?, text(arguments, 0)?, limit)?;
    Ok(numbered(any(arguments, 2), parts))
}

fn split_list(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let source = any(arguments, 1);
    let parts = parts(context, text(arguments, 1)?, text(arguments, 0)?, usize::MAX)?;
    Ok(string_list(parts.into_iter().map(|part| derived(source, part))).with_origin(source.origin.clone()))
}

/// `_0`, `_1`, …
fn numbered(source: &Value, parts: Vec<Text>) -> Value {
    let map = Map::of(MapType::String);
    for (index, part) in parts.into_iter().enumerate() {
        map.insert(format!("_{index}"), derived(source, part));
    }
    derived(source, map)
}

/// `strings.SplitN`: at most `limit` parts, the last of which is the rest; no separator parts every rune.
fn parts(context: &mut dyn Context, string: &Text, separator: &[u8], limit: usize) -> Result<Vec<Text>, FunctionError> {
    let mut parts = Vec::new();
    if limit == 0 {
        return Ok(parts);
    }
    let mut start = 0;
    if separator.is_empty() {
        while start < string.len() && parts.len() + 1 < limit {
            let end = start + runes::decode(&string[start..]).1;
            context.charge(end - start + PART)?;
            parts.push(string.slice(start..end));
            start = end;
        }
        if start < string.len() {
            parts.push(string.slice(start..string.len()));
        }
        return Ok(parts);
    }
    for at in find_all_texts(separator, string).take(limit - 1) {
        context.charge(at - start + PART)?;
        parts.push(string.slice(start..at));
        start = at + separator.len();
    }
    parts.push(string.slice(start..string.len()));
    Ok(parts)
}

fn join(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (separator, value) = (text(arguments, 0)?, any(arguments, 1));
    let list = strings(context, value)?;
    let size = list.iter().filter_map(Value::as_text).map(|item| item.len() + separator.len()).sum();
    context.charge(size)?;
    let mut builder = TextBuilder::with_capacity(size);
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            builder.push_plain(separator);
        }
        push_display(&mut builder, &display(item), item);
    }
    Ok(match &list[..] {
        [only] => derived(only, builder.finish()),
        _ => builder.finish().into(),
    })
}

fn sort_alpha(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    if slice(value).is_none() {
        return Ok(string_list([derived(value, display(value))]));
    }
    let mut items = strings(context, value)?.to_vec();
    items.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    Ok(derived(value, List::of(ElementType::String, items)))
}

fn replace(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (old, new, string) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let source = any(arguments, 2);
    let found: Vec<usize> = if old.is_empty() {
        let mut starts = Vec::new();
        let mut at = 0;
        for (_, size) in runes::runes_with_size(string) {
            starts.push(at);
            at += size;
        }
        starts.push(string.len());
        starts
    } else {
        find_all_texts(old, string).collect()
    };
    if found.is_empty() || old == new {
        return Ok(source.clone());
    }
    let size = (string.len() - found.len() * old.len()).saturating_add(found.len().saturating_mul(new.len()));
    context.charge(size)?;
    let mut builder = TextBuilder::with_capacity(size);
    let mut start = 0;
    for at in found {
        builder.push_slice(string, start..at);
        if new.marks().is_some() {
            builder.push_text(new);
        } else {
            builder.push_plain(new);
        }
        start = at + old.len();
    }
    builder.push_slice(string, start..string.len());
    Ok(derived(source, builder.finish()))
}

fn plural(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let chosen = if int(arguments, 2)? == 1 { 0 } else { 1 };
    text(arguments, chosen)?;
    Ok(any(arguments, chosen).clone())
}
