//! What is wrong with the resources of a cluster: [`findings`].
//!
//! A [`Scene`] is what one build gives, with what is known of kinds. Each rule is a file of `rules`, which looks at the
//! scene and tells [`Finding`]s; [`RULES`] lists all codes with what they are about, also those of rules that look at the
//! repository and are elsewhere. A finding is about a node and its origin: in which line of which file that comes from is
//! found out by whoever knows the repository.
//!
//! What somebody lets be is told by a [`Suppression`] in the source, or known from a [`Baseline`].
//!
//! This crate knows resources, and neither files nor folders. No text of a finding holds what a Secret or a ConfigMap does.

mod baseline;
mod finding;
mod mend;
mod rules;
mod scene;
mod suppression;
mod table;

pub use baseline::Baseline;
pub use finding::{At, Finding, Fix};
pub use mend::mended;
pub use scene::{Item, Scene, document};
pub use suppression::{Suppression, covers};
pub use table::{RULES, Rule, rule};

/// All that is found wrong, in the order of the rules.
pub fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for check in rules::CHECKS {
        check(scene, &mut found);
    }
    found
}
