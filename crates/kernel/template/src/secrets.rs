//! What functions make of secrets: [`passed_on`].
//!
//! Most functions keep the origins of what they are given. Where one does not, whatever it makes of a secret counts as
//! secret, whether that can be got back from it or not: encoded, quoted, a part, a digest. Only what an `if` decides by
//! a secret does not.

use onepane_diagnostics::Origin;
use onepane_value::{Data, Value};

/// Functions that give a text and are given maps of which they take a part, whose origin it has already, or that give a
/// text of which each stretch knows its own.
const TAKE_A_PART: [&str; 10] =
    ["include", "tpl", "index", "get", "dig", "first", "last", "kindOf", "typeOf", "required"];

/// What the function `name` made of its arguments, with the origin of the secret that it was made of.
pub(crate) fn passed_on(name: &str, arguments: &[Value], made: Value) -> Value {
    let makes_text = matches!(made.data, Data::String(_)) && !made.origin.is_known() && !TAKE_A_PART.contains(&name);
    let of = |argument: &Value| match argument.own_secret() {
        None if makes_text => argument.secret(),
        own => own.cloned(),
    };
    let Some(secret) = arguments.iter().find_map(of) else { return made };
    // One of several arguments that is given back, as by `default`, is what it was.
    let is_given_back = made.origin.is_known() && arguments.iter().any(|argument| argument.origin.same(&made.origin));
    if is_given_back || made.secret().is_some() {
        return made;
    }
    marked(made, &secret)
}

fn marked(made: Value, secret: &Origin) -> Value {
    match &made.data {
        Data::Nil | Data::Bool(_) => made,
        _ => made.with_origins(&|scalar| (!matches!(scalar.data, Data::Nil | Data::Bool(_))).then(|| secret.clone())),
    }
}
