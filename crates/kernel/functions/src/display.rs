//! Anything as a string, as sprig's functions on strings take it: `toString`, `toStrings`.

use crate::arguments::{Outcome, any, derived, fixed, slice};
use onepane_template::{Context, Function, FunctionError, Type};
use onepane_value::{Data, ElementType, List, Text, TextBuilder, Value, format};

pub(crate) const FUNCTIONS: &[Function] =
    &[fixed("toString", &[Type::Any], to_string), fixed("toStrings", &[Type::Any], to_strings)];

/// A value as text: strings and bytes as they are, what has a `String()` or `Error()` by that, the rest as `%v`.
pub(crate) fn display(value: &Value) -> Text {
    match &value.data {
        Data::String(text) => text.clone(),
        Data::List(list) if list.element() == ElementType::Byte => list.as_bytes().unwrap_or_default(),
        Data::Object(object) => object.display().unwrap_or_else(|| verbatim(value)),
        _ => verbatim(value),
    }
}

/// A value as `%v` prints it.
pub(crate) fn verbatim(value: &Value) -> Text {
    match &value.data {
        Data::String(text) => text.clone(),
        Data::Bool(true) => "true".into(),
        Data::Bool(false) => "false".into(),
        Data::Int(number, _) => number.to_string().into(),
        _ => format::sprint(std::slice::from_ref(value)),
    }
}

/// A value as a list of strings: the items that are not nil, or the value alone.
pub(crate) fn strings(context: &mut dyn Context, value: &Value) -> Result<List, FunctionError> {
    Ok(match slice(value) {
        Some(list) if list.element() == ElementType::String => list,
        Some(list) => {
            let mut strings = Vec::with_capacity(list.len());
            for item in list.iter().filter(|item| !item.is_nil()) {
                let text = display(item);
                if item.as_text().is_none() {
                    context.charge(text.len())?;
                }
                strings.push(derived(item, text));
            }
            List::of(ElementType::String, strings)
        }
        None if value.is_nil() => List::of(ElementType::String, []),
        None => List::of(ElementType::String, [derived(value, display(value))]),
    })
}

/// A list of strings out of texts.
pub(crate) fn string_list(items: impl IntoIterator<Item = Value>) -> Value {
    List::of(ElementType::String, items.into_iter().collect::<Vec<_>>()).into()
}

/// Adds the text of a value, from where the text itself or else the value came from.
pub(crate) fn push_display(builder: &mut TextBuilder, text: &Text, value: &Value) {
    if text.marks().is_none() && value.origin.is_known() {
        builder.push(text, &value.origin);
    } else {
        builder.push_text(text);
    }
}

fn to_string(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    Ok(derived(value, display(value)))
}

fn to_strings(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 0);
    Ok(derived(value, strings(context, value)?))
}
