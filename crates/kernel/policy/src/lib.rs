//! ValidatingAdmissionPolicies of a repository, evaluated without a cluster: [`findings`].
//!
//! A policy holds for what its bindings say: `matching` decides which resources, and of pods those that workloads would
//! make, `expression` evaluates CEL with what Kubernetes adds to it (`library`), and `blame` finds the field that a denial
//! is about. Every resource is looked at as if it were created.
//!
//! What only a cluster knows — `authorizer`, who asks — and parts of Kubernetes' CEL that are missing here — addresses and
//! networks, URLs, formats, versions, sets — are told by name as a note: an expression that can't be evaluated never passes
//! unseen.

mod blame;
mod expression;
mod library;
mod matching;
mod policies;

pub use policies::findings;
