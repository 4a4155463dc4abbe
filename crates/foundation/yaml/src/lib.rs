//! YAML as the Go libraries read and write it, without losing what the author wrote.
//!
//! [`read`] gives a lossless tree of [`Node`]s.

mod node;
mod place;
mod read;
mod syntax;

pub use node::{Comments, Content, History, Node, Style};
pub use read::{Document, go_syntax_error, read, read_documents};
