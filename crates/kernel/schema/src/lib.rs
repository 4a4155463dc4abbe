//! What the kinds of Kubernetes and of a repository's own CustomResourceDefinitions consist of: [`Catalogue`].
//!
//! [`Catalogue::of`] takes a [`KubernetesVersion`], whose kinds are embedded (`table`, made by
//! `scripts/kubernetes-schemas`), and [`Catalogue::add_definition`] the kinds of a CustomResourceDefinition (`definition`).
//! [`Catalogue::violations`] holds a resource against its kind (`validate`): fields that are none, wrong types, what is
//! missing, values that are none of those there are. What a schema says in ways that a structural schema need not —
//! `allOf`, `anyOf`, `oneOf`, `not` — is not looked at, and neither are rules in CEL.
//!
//! It knows no file and no cluster, and says nothing of what a resource refers to.

mod catalogue;
mod definition;
mod shape;
mod table;
mod validate;
mod values;
mod version;

pub use catalogue::{Catalogue, Kind, Known};
pub use validate::{Violation, ViolationKind};
pub use values::{is_quantity, quantity};
pub use version::KubernetesVersion;
