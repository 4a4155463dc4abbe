//! What the kinds of Kubernetes and of a repository's own CustomResourceDefinitions consist of: [`Catalogue`].
//!
//! [`Catalogue::of`] takes a [`KubernetesVersion`], whose kinds are embedded (`table`, made by
//! `scripts/kubernetes-schemas`), and [`Catalogue::add_definition`] the kinds of a CustomResourceDefinition (`definition`).
//! [`Catalogue::violations`] holds a resource against its kind (`validate`): fields that are none, wrong types, what is
//! missing, values that are none of those there are. What a definition's schema says by `allOf`, `anyOf`, `oneOf` and `not`
//! is looked at for a value as a whole (`conditions`). [`Catalogue::rules`] are its rules in CEL (`rule`), which others
//! evaluate.
//!
//! It knows no file and no cluster, and says nothing of what a resource refers to.

mod catalogue;
mod conditions;
mod definition;
mod rule;
mod shape;
mod table;
mod validate;
mod values;
mod version;

pub use catalogue::{Catalogue, Kind, Known};
pub use rule::Rule;
pub use validate::{Violation, ViolationKind};
pub use values::{is_quantity, quantity};
pub use version::KubernetesVersion;
