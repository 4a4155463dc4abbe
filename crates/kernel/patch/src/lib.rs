//! Patches: strategic merge, JSON6902 and JSON merge, over YAML trees.
//!
//! [`strategic_merge`] merges as Kustomize 5.8 does, by the lists' keys in a [`Schema`](onepane_resource::Schema);
//! [`patch_resource`] does so to a resource and keeps its identity. [`json6902`] applies the operations that
//! [`parse_json6902`] reads. [`FieldSpec`], [`lookup`] and [`visit_matches`] find places by path.
//!
//! This crate knows nothing of kustomizations and of which resources a patch is meant for, and reads no file.

mod json;
mod options;
mod path;
mod replacement;
mod shape;
mod strategic;
#[cfg(test)]
mod testing;

pub use json::{Operation, json_merge, json6902, parse_json6902};
pub use options::PatchOptions;
pub use path::{Create, FieldSpec, Match, Missing, lookup, lookup_mut, split as split_path, visit_matches};
pub use replacement::{FieldOptions, source_value, write_value};
pub use strategic::{Outcome, patch_resource, strategic_merge};
