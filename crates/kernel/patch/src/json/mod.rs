//! Patches of JSON documents, applied to YAML trees: RFC 6902 ([`json6902`]) and RFC 7386 ([`json_merge`]).

mod apply;
mod merge;
mod normal;
mod operation;
mod pointer;

pub use apply::json6902;
pub use merge::json_merge;
pub(crate) use operation::from_json;
pub use operation::{Operation, parse_json6902};
