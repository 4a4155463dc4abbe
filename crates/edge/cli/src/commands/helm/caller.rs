//! Who wants a command about a release to be done: [`Caller`].

use onepane_world::World;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the command sees and how it is ended: `helm` itself, or `helmfile`, which does many at once.
#[derive(Clone, Copy)]
pub(super) struct Caller<'c> {
    /// The files and the environment.
    pub(super) world: &'c dyn World,
    /// Set by who wants it to end; without it, Ctrl-C and requests to terminate end it.
    pub(super) end: Option<&'c Arc<AtomicBool>>,
}

impl<'c> Caller<'c> {
    /// The user, at the command line.
    pub(super) fn user(world: &'c dyn World) -> Self {
        Self { world, end: None }
    }
}
