//! What reaches beyond a value: nested templates, failing on purpose, the cluster.

use crate::arguments::{Outcome, any, derived, fixed, text};
use onepane_template::{Context, Demand, Function, FunctionError, Type};
use onepane_value::{Text, Value};

/// What stands before a chart's own message in the error of `required` and `fail`, as in Helm, which takes the message
/// out of the trace by it.
pub const FAILURE_START: &str = "HELM_ERR_START";

/// What stands after it.
pub const FAILURE_END: &str = "HELM_ERR_END";

/// sprig's.
pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("hello", &[], |_, _| Ok(Value::from("Hello!"))),
    fixed("fail", &[Type::String], |_, arguments| Err(text(arguments, 0)?.to_string().into())),
];

/// Helm's.
pub(crate) const HELM_FUNCTIONS: &[Function] = &[
    fixed("include", &[Type::String, Type::Any], include),
    fixed("tpl", &[Type::String, Type::Any], tpl),
    fixed("required", &[Type::String, Type::Any], required),
    fixed("fail", &[Type::String], fail),
    fixed("lookup", &[Type::String, Type::String, Type::String, Type::String], lookup),
];

fn include(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let name = text(arguments, 0)?.to_str();
    Ok(context.include(&name, any(arguments, 1))?.into())
}

fn tpl(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    // A template in a values file reports where that file has it.
    let template = text(arguments, 0)?.clone().with_origin(&any(arguments, 0).origin);
    Ok(context.tpl(&template, any(arguments, 1))?.into())
}

/// The value unless it is nil or the empty string: zero and false pass.
fn required(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let value = any(arguments, 1);
    let demand = match value.as_text() {
        _ if value.is_nil() => Demand::Value,
        Some(text) if text.is_empty() => Demand::Text,
        _ => return Ok(value.clone()),
    };
    let message = text(arguments, 0)?;
    if context.host().passes(demand, message) { Ok(derived(value, "")) } else { Err(failure(message)) }
}

fn fail(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let message = text(arguments, 0)?;
    if context.host().passes(Demand::Nothing, message) { Ok(Value::from("")) } else { Err(failure(message)) }
}

fn failure(message: &Text) -> FunctionError {
    format!("{FAILURE_START}{message}{FAILURE_END}").into()
}

fn lookup(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let [api_version, kind, namespace, name] = [0, 1, 2, 3].map(|index| text(arguments, index));
    let found = context.host().lookup(&api_version?.to_str(), &kind?.to_str(), &namespace?.to_str(), &name?.to_str());
    found.map_err(FunctionError::Message)
}
