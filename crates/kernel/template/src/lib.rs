//! Go's text/template: lexer, parser, tree and evaluation.
//!
//! [`Templates::parse`] turns text into tokens (`lexer`), tokens into a tree (`parser`, `tree`) in which functions are
//! resolved and variables are slots. [`Templates::execute`] walks the tree (`execute`) and evaluates its pipelines on
//! [`Value`](onepane_value::Value)s (`evaluate`). The text that comes out knows, where [`Options::origins`] is on, which
//! line of which template printed each stretch of it and which values that line read.
//!
//! What templates can call comes in as a [`FunctionTable`]; a function asks for `include`, `tpl`, the clock or a cluster
//! through its [`Context`]. Errors are Go's, word for word, and carry spans and the chain of includes besides.
//!
//! This crate knows nothing of charts: `include` and `tpl` are here because they need the engine's inside.

mod builtins;
mod complex;
mod decisions;
mod error;
mod evaluate;
mod execute;
mod frame;
mod function;
mod lexer;
mod number;
mod origins;
mod parser;
mod secrets;
pub mod syntax;
mod templates;
mod tree;

pub use error::{Error, ErrorParts};
pub use function::{Context, Demand, Function, FunctionError, FunctionTable, GO, Host, Offline, Type};
pub use parser::{NamedTemplate, Parsed};
pub use templates::{MissingKey, Options, Templates};

/// Takes Go's `<no value>` out of a text, as Helm does with all that templates print.
pub fn without_no_value(text: onepane_value::Text) -> onepane_value::Text {
    execute::without_no_value(text)
}
