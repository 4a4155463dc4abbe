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

pub(crate) use error::SyntaxError;
pub(crate) use parser::{Event, EventKind, Parser, Properties};
pub(crate) use token::{Mark, ScalarStyle};

/// How deep collections may nest. go-yaml stops at 10,000; a thousand is far beyond any manifest and keeps whoever
/// walks a tree by recursion within a thread's stack.
pub(crate) const MAX_DEPTH: usize = 1000;
