//! Go's text/template: lexer, parser, tree and evaluation.

mod error;
mod function;

pub use error::Error;
pub use function::{Context, Function, FunctionError, FunctionTable, Host, Type};
