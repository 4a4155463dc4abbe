//! From events to text, byte for byte as go-yaml's emitters: [`Emitter`].

mod analyze;
mod comments;
mod emitter;
mod order;
mod scalar;
mod strings;

pub use emitter::{Emitter, ScalarNode};
pub use order::compare_keys;
