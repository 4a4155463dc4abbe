//! YAML as the Go libraries read and write it, without losing what the author wrote.
//!
//! [`read`] gives a lossless tree of [`Node`]s.

mod node;

pub use node::{Comments, Content, History, Node, Style};
