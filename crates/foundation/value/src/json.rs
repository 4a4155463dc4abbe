//! Values as JSON, as encoding/json reads and writes them.

mod plain;
mod read;
mod write;

pub use read::{JsonStreamError, from_json, from_json_stream};
pub(crate) use write::{base64, unsupported_float, unsupported_type, valid_utf8};
pub use write::{to_json, to_json_indent, to_json_raw};
