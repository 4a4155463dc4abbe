//! From text to [`Event`]s.
//!
//! [`Parser`] stands at a place in the text and keeps the collections that are open there. A [`Lexer`](lexer::Lexer)
//! tells what begins at the place, and the files named after the kinds of scalars read those. The only thing that YAML
//! says too late is that a node was a key; see [`node`] for how that is met.

mod block;
mod characters;
mod comments;
mod cursor;
mod document;
mod error;
mod event;
mod flow;
mod fold;
mod lexeme;
mod lexer;
mod node;
mod parser;
mod plain;
mod quoted;
mod scout;
mod structure;

pub(crate) use cursor::Mark;
pub use error::SyntaxError;
pub use event::{Event, EventKind, Properties};
pub(crate) use parser::Parser;
