//! The functions that text/template itself defines.

mod compare;
mod escape;
mod items;

use crate::{Context, Function, FunctionError, Type};
use onepane_value::{Value, format};

type Outcome = Result<Value, FunctionError>;

const fn any(
    name: &'static str,
    required: usize,
    variadic: bool,
    call: fn(&mut dyn Context, &[Value]) -> Outcome,
) -> Function {
    const PARAMETERS: [Type; 3] = [Type::Any; 3];
    let (parameters, _) = PARAMETERS.split_at(required);
    Function { name, parameters, variadic, call }
}

/// All of them. `and`, `or` and `call` are evaluated by the engine itself.
pub(crate) const FUNCTIONS: &[Function] = &[
    any("and", 2, true, unreached),
    any("or", 2, true, unreached),
    any("not", 1, false, |_, arguments| Ok((!arguments[0].truth()).into())),
    any("call", 2, true, unreached),
    any("len", 1, false, items::len),
    any("index", 2, true, items::index),
    any("slice", 2, true, items::slice),
    any("eq", 2, true, compare::eq),
    any("ne", 2, false, compare::ne),
    any("lt", 2, false, compare::lt),
    any("le", 2, false, compare::le),
    any("gt", 2, false, compare::gt),
    any("ge", 2, false, compare::ge),
    any("print", 1, true, |context, arguments| text(context, format::sprint(arguments))),
    any("println", 1, true, |context, arguments| text(context, format::sprintln(arguments))),
    Function {
        name: "printf",
        parameters: &[Type::String, Type::Any],
        variadic: true,
        call: |context, arguments| {
            let format = arguments[0].as_text().cloned().unwrap_or_default();
            text(context, format::sprintf(&format, &arguments[1..]))
        },
    },
    any("html", 1, true, |context, arguments| text(context, escape::html(&shown(arguments)))),
    any("js", 1, true, |context, arguments| text(context, escape::js(&shown(arguments)))),
    any("urlquery", 1, true, |context, arguments| text(context, escape::url_query(&shown(arguments)))),
];

fn text(context: &mut dyn Context, text: onepane_value::Text) -> Outcome {
    context.charge(text.len())?;
    Ok(text.into())
}

/// What the escapers print: as `print`, but nothing shows as the engine shows it.
fn shown(arguments: &[Value]) -> onepane_value::Text {
    let printable = |value: &Value| if value.is_nil() { Value::from("<no value>") } else { value.clone() };
    format::sprint(&arguments.iter().map(printable).collect::<Vec<_>>())
}

fn unreached(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok(arguments.last().cloned().unwrap_or_default())
}
