//! What a value is: `typeOf`, `kindOf` and the questions made of them.

use crate::arguments::{Outcome, any, fixed, text};
use onepane_template::{Context, Function, Type};
use onepane_value::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    fixed("typeOf", &[Type::Any], |_, arguments| Ok(Value::from(&*any(arguments, 0).type_name()))),
    fixed("typeIs", &[Type::String, Type::Any], type_is),
    fixed("typeIsLike", &[Type::String, Type::Any], type_is_like),
    fixed("kindOf", &[Type::Any], |_, arguments| Ok(any(arguments, 0).kind().name().into())),
    fixed("kindIs", &[Type::String, Type::Any], kind_is),
];

fn type_is(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok((*text(arguments, 0)? == *any(arguments, 1).type_name()).into())
}

/// The type or a pointer to it.
fn type_is_like(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let (wanted, found) = (text(arguments, 0)?, any(arguments, 1).type_name());
    Ok((*wanted == *found || found.strip_prefix('*').is_some_and(|found| *wanted == *found)).into())
}

fn kind_is(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    Ok((*text(arguments, 0)? == *any(arguments, 1).kind().name()).into())
}
