//! Image automation without its controllers: which of an image's tags is the newest by a policy ([`Policy`]), as Flux's
//! ImagePolicies have it ([`ImagePolicy`], [`ImageRepository`]), the lines of files that follow one ([`set_markers`]), and those
//! that say any, also in texts within texts ([`visit_scalars`], [`set_scalars`]).
//!
//! Registries are asked by others.

mod embedded;
mod marker;
mod policy;
mod resources;
mod scalars;

pub use embedded::{Seen, visit_scalars};
pub use marker::{Newest, has_markers, set_markers};
pub use policy::{Order, Policy, TagFilter};
pub use resources::{ImagePolicy, ImageRepository};
pub use scalars::{ScalarChange, set_scalars};
