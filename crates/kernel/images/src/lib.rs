//! Image automation without its controllers: which of an image's tags is the newest by a policy ([`Policy`]), as Flux's
//! ImagePolicies have it ([`ImagePolicy`], [`ImageRepository`]), and the lines of files that follow one ([`set_markers`]).
//!
//! Registries are asked by others.

mod marker;
mod policy;
mod resources;

pub use marker::{Newest, has_markers, set_markers};
pub use policy::{Order, Policy, TagFilter};
pub use resources::{ImagePolicy, ImageRepository};
