//! `quote`, `squote` and `cat`, which join anything with spaces, skipping nil.

use crate::arguments::{Outcome, variadic};
use crate::display::{display, push_display, verbatim};
use onepane_diagnostics::Origin;
use onepane_template::{Context, Function, Type};
use onepane_value::{Text, TextBuilder, Value, format};

pub(crate) const FUNCTIONS: &[Function] = &[
    variadic("quote", &[Type::Any], quote),
    variadic("squote", &[Type::Any], squote),
    variadic("cat", &[Type::Any], cat),
];

fn quote(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    spaced(context, arguments, |builder, value| push_quoted(builder, &display(value), value))
}

fn squote(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    spaced(context, arguments, |builder, value| {
        push_before(builder, b"'", value);
        push_display(builder, &verbatim(value), value);
        builder.push_plain(b"'");
    })
}

fn cat(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    spaced(context, arguments, |builder, value| push_display(builder, &verbatim(value), value))
}

/// Each value but nil, with a space between; the value's origin where there is but one.
fn spaced(context: &mut dyn Context, values: &[Value], write: fn(&mut TextBuilder, &Value)) -> Outcome {
    let mut builder = TextBuilder::new();
    let mut values = values.iter().filter(|value| !value.is_nil());
    let Some(first) = values.next() else { return Ok(Value::from("")) };
    write(&mut builder, first);
    let mut alone = true;
    for value in values {
        alone = false;
        builder.push_plain(b" ");
        write(&mut builder, value);
    }
    context.charge(builder.len())?;
    let text = builder.finish();
    Ok(if alone { Value::from(text).with_origin(first.origin.clone()) } else { text.into() })
}

/// A Go string literal, as `strconv.Quote` writes it.
fn push_quoted(builder: &mut TextBuilder, text: &Text, value: &Value) {
    push_before(builder, b"\"", value);
    if format::is_plain(text) {
        push_display(builder, text, value);
        builder.push_plain(b"\"");
        return;
    }
    let quoted = format::quote(text);
    builder.push(quoted.as_bytes().get(1..).unwrap_or_default(), &first_origin(Some(text), value));
}

/// An opening quote, from where the value is from.
fn push_before(builder: &mut TextBuilder, quote: &[u8], value: &Value) {
    builder.push(quote, &first_origin(value.as_text(), value));
}

/// Where a value's text begins to come from.
fn first_origin(text: Option<&Text>, value: &Value) -> Origin {
    text.filter(|text| text.marks().is_some()).map_or_else(|| value.origin.clone(), |text| text.origin_at(0))
}
