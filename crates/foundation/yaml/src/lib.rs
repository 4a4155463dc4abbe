//! YAML as the Go libraries read and write it, without losing what the author wrote.
//!
//! [`read`] gives a lossless tree of [`Node`]s: places, styles, tags, anchors and comments as go-yaml v3 assigns them.
//! [`resolve`] says what a scalar is to each of the two libraries. [`write_kyaml`] writes a tree as its author did,
//! [`write_sorted`] as `kustomize build` prints it; [`Emitter`] writes whatever comes event by event. [`Draft`] changes
//! a text in a few places.
//!
//! What Helm and Kustomize accept and print is decided by go-yaml, whose grammar, errors and bytes are followed here,
//! quirks included; where they are surprising, a comment says so and a fixture proves it.

mod alias;
mod draft;
mod emit;
mod events;
mod header;
mod json_text;
mod kyaml;
mod node;
mod number;
mod place;
mod read;
mod resolve;
mod sorted;
mod syntax;
mod timestamp;

pub use alias::AliasBudget;
pub use draft::{Draft, Place};
pub use emit::{CollectionNode, Emitter, Remarks, ScalarNode, compare_keys, sort_by_keys};
pub use events::Events;
pub use header::{Header, read_header};
pub use json_text::{key_through_json, string_through_json};
pub use kyaml::{write_kyaml, write_kyaml_document, write_v3_document};
pub use node::{Comments, Content, History, MAX_DEPTH, Node, Style};
pub use number::format_float;
pub use read::{Document, go_syntax_error, read, read_documents};
pub use resolve::{Dialect, Scalar, resolve, resolve_plain, resolve_scalar};
pub use sorted::{folded_and_read, write_sorted, write_sorted_into};
pub use syntax::{Event, EventKind, Properties, SyntaxError};
