//! Go's package fmt: verbs, flags and the default forms of values.

use crate::{Text, Value};

/// `fmt.Sprintf`, with Go's `%!verb(type=value)` for what does not fit.
pub fn sprintf(_format: &[u8], _arguments: &[Value]) -> Text {
    unimplemented!("the template helper writes this")
}

/// `fmt.Sprint`: spaces between operands where neither is a string.
pub fn sprint(_arguments: &[Value]) -> Text {
    unimplemented!("the template helper writes this")
}

/// `fmt.Sprintln`.
pub fn sprintln(_arguments: &[Value]) -> Text {
    unimplemented!("the template helper writes this")
}
