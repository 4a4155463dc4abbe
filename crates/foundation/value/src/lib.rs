//! Dynamic values with Go's semantics.
//!
//! Helm's templates compute with Go values: typed integers, strings of bytes, maps that `set` changes in place, nil
//! that is not absence. [`Value`] is such a value together with its [`Origin`]; [`Text`] is a Go string that can
//! remember, stretch by stretch, where its bytes came from.
//!
//! Reading and writing: [`from_yaml`] and [`to_yaml`] as sigs.k8s.io/yaml, [`from_json`] and [`to_json`] as
//! encoding/json. Go's fmt verbs are in [`mod@format`].

pub mod format;
mod json;
mod list;
mod map;
mod object;
mod release;
mod secrets;
mod sorted;
mod text;
mod value;
mod yaml;

pub use json::{JsonStreamError, from_json, from_json_stream, to_json, to_json_indent, to_json_raw};
pub use list::{ElementType, List};
pub use map::{Map, MapType};
pub use object::Object;
pub use onepane_diagnostics::Origin;
pub use text::{Marks, Text, TextBuilder, utf8_lossy};
pub use value::{Data, FloatKind, IntKind, Kind, Value};
pub use yaml::{
    from_yaml, from_yaml_as_go, from_yaml_documents, from_yaml_map, to_yaml, to_yaml_block, to_yaml_pretty,
};
