//! From text to events: [`Scanner`] cuts the text into tokens, [`Parser`] applies the grammar to them.
//!
//! Both follow the grammar of YAML 1.1 as go-yaml understands it, with go-yaml's words for what is wrong, because
//! what Helm and Kustomize accept is decided there and not in the specification.

mod block;
mod characters;
mod comments;
mod error;
mod parser;
mod plain;
mod quoted;
mod scanner;
mod tags;
mod token;

pub use error::SyntaxError;
pub(crate) use parser::Parser;
pub use parser::{Event, EventKind, Properties};
pub(crate) use token::Mark;
