//! Lines and columns: `indent`, `nindent`, `wrap`, `wrapWith`, `repeat`.

use crate::arguments::{Outcome, any, derived, fixed, int, text};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Text, TextBuilder, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("indent", &[Type::Int, Type::String], indent),
    fixed("nindent", &[Type::Int, Type::String], nindent),
    fixed("repeat", &[Type::Int, Type::String], repeat),
    fixed("wrap", &[Type::Int, Type::String], wrap),
    fixed("wrapWith", &[Type::Int, Type::String, Type::String], wrap_with),
];

fn indent(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    indented(context, arguments, "")
}

fn nindent(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    indented(context, arguments, "\n")
}

fn indented(context: &mut dyn Context, arguments: &[Value], before: &str) -> Outcome {
    let (width, string) = (int(arguments, 0)?, text(arguments, 1)?);
    let lines = onepane_bytes::count(b'\n', string) + 1;
    let added = repeated_size(width, lines)?;
    context.charge(before.len() + string.len() + added)?;
    let pad = vec![b' '; added / lines];
    let mut builder = TextBuilder::with_capacity(before.len() + string.len() + added);
    builder.push_plain(before.as_bytes());
    let mut start = 0;
    for end in onepane_bytes::find_all(b'\n', string).map(|newline| newline + 1).chain([string.len()]) {
        builder.push_plain(&pad);
        builder.push_slice(string, start..end);
        start = end;
    }
    Ok(derived(any(arguments, 1), builder.finish()))
}

fn repeat(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (count, string) = (int(arguments, 0)?, text(arguments, 1)?);
    let size = repeated_size(count, string.len())?;
    context.charge(size)?;
    if string.is_empty() {
        return Ok(any(arguments, 1).clone());
    }
    let mut builder = TextBuilder::with_capacity(size);
    for _ in 0..count {
        builder.push_text(string);
    }
    Ok(derived(any(arguments, 1), builder.finish()))
}

/// How many bytes `count` repetitions have; an error in Go's words where there can't be so many.
fn repeated_size(count: i64, size: usize) -> Result<usize, FunctionError> {
    let count = usize::try_from(count).map_err(|_| FunctionError::from("strings: negative Repeat count"))?;
    match count.checked_mul(size) {
        Some(size) if isize::try_from(size).is_ok() => Ok(size),
        _ => Err("strings: Repeat output length overflow".into()),
    }
}

fn wrap(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let wrapped = wrapped(context, int(arguments, 0)?, b"\n", text(arguments, 1)?, LongWords::Stay)?;
    Ok(derived(any(arguments, 1), wrapped))
}

fn wrap_with(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let separator = text(arguments, 1)?;
    let separator = if separator.is_empty() { b"\n" } else { separator.as_bytes() };
    let wrapped = wrapped(context, int(arguments, 0)?, separator, text(arguments, 2)?, LongWords::Break)?;
    Ok(derived(any(arguments, 2), wrapped))
}

#[derive(Clone, Copy)]
enum LongWords {
    Stay,
    Break,
}

/// Lines of at most `width` bytes. Spaces at the start of a line fall away.
fn wrapped(
    context: &mut dyn Context,
    width: i64,
    separator: &[u8],
    string: &Text,
    long_words: LongWords,
) -> Result<Text, FunctionError> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut builder = TextBuilder::new();
    let mut start = 0;
    while string.len() - start > width {
        if string[start] == b' ' {
            start += 1;
            continue;
        }
        let limit = start + width;
        let space = onepane_bytes::rfind(b' ', &string[start..=limit]).map(|space| start + space);
        let (end, next) = match (space, long_words) {
            (Some(space), _) => (space, space + 1),
            (None, LongWords::Break) => (limit, limit),
            (None, LongWords::Stay) => match onepane_bytes::find(b' ', &string[limit..]) {
                Some(space) => (limit + space, limit + space + 1),
                None => break,
            },
        };
        context.charge(end - start + separator.len())?;
        builder.push_slice(string, start..end);
        builder.push_plain(separator);
        start = next;
    }
    builder.push_slice(string, start..string.len());
    Ok(builder.finish())
}
