//! Places in a manifest by path: parsing, looking up, finding all, making what is missing.
//!
//! Kustomize has three languages for it. A [`FieldSpec`] (`spec/template/spec/containers[]/image`) is what
//! transformers use. [`lookup`] and [`visit_matches`] take dotted paths
//! (`spec.template.spec.containers.[name=web].image`), split by [`split`]: the first finds one place and compares
//! exactly, the second finds all and compares by regular expression.

mod field_spec;
mod lookup;
mod matches;
mod parts;

pub use field_spec::{Create, FieldSpec};
pub use lookup::{lookup, lookup_mut};
pub use matches::{Match, Missing, visit_matches};
pub use parts::split;
