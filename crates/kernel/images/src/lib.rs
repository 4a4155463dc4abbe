//! Image automation without its controllers: which of an image's tags is the newest by a policy ([`Policy`]), as Flux's
//! ImagePolicies have it ([`ImagePolicy`], [`ImageRepository`]), the lines of files that follow one ([`set_markers`]), and those
//! that say any ([`set_scalars`]).
//!
//! Registries are asked by others.

mod marker;
mod policy;
mod resources;
mod scalars;

pub use marker::{Newest, has_markers, set_markers};
pub use policy::{Order, Policy, TagFilter};
pub use resources::{ImagePolicy, ImageRepository};
pub use scalars::{ScalarChange, set_scalars};
