//! Kubernetes resources: kinds, ids, resource sets, schema facts and orders.
//!
//! A [`Resource`] is a YAML node that has an `apiVersion`, a `kind` and a name, together with what a build remembers
//! of it: the ids it had before, the prefixes and suffixes it was given, how its generator wants it combined. A
//! [`ResourceSet`] keeps resources in their order and finds them by any id they ever had.
//!
//! Start at [`ResourceId`], whose equality is the one rule that everything else uses. This crate knows nothing of
//! patches, kustomizations or charts, and reads no file.

mod definition;
mod deprecation;
mod document;
mod field_path;
mod gvk;
mod id;
mod image;
mod manifest;
mod order;
pub mod pods;
mod resource;
mod schema;
mod scope;
mod set;
mod tree;

pub use definition::defined_kinds;
pub use deprecation::{Deprecated, deprecation, deprecation_warning};
pub use document::json_document;
pub use field_path::join_key;
pub use gvk::GroupVersionKind;
pub use id::{ResourceId, name_without_hash};
pub use image::{ImageName, image_nodes, images};
pub use manifest::{Manifest, ManifestName};
pub use order::{compare_install, compare_uninstall, is_known_to_install_order};
pub use resource::{GeneratorBehavior, PreviousId, Resource};
pub use schema::{Schema, SchemaType};
pub use scope::{Scope, scope_of};
pub use set::ResourceSet;
pub use tree::Tree;
