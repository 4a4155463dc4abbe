//! ValidatingAdmissionPolicies of a repository, and the rules of its CustomResourceDefinitions, evaluated without a cluster:
//! [`findings`].
//!
//! A policy holds for what its bindings say: `matching` decides which resources, and of pods those that workloads would
//! make, `expression` evaluates CEL with what Kubernetes adds to it (`library`), and `blame` finds the field that a denial
//! is about. Rules of definitions come with the value that they are about (`definitions`). Every resource is looked at as if it
//! were created.
//!
//! What only a cluster knows — `authorizer`, who asks — and parts of Kubernetes' CEL that are missing here — addresses and
//! networks, URLs, formats, versions, sets — are told by name as a note: an expression that can't be evaluated never passes
//! unseen.

mod blame;
mod definitions;
mod expression;
mod library;
mod matching;
mod policies;

use onepane_rules::{Finding, Scene};

/// What is said of the resources to judge by all policies of a scene that are bound, and by the definitions of their kinds.
///
/// Expressions of other people's are evaluated, by code that recurses: call it where there is a stack for that.
pub fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = policies::findings(scene);
    found.extend(definitions::findings(scene));
    found
}
