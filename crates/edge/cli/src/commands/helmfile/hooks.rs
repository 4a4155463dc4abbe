//! Hooks: programs that a state wants to be run at certain events.

use super::Failure;
use super::session::Session;
use onepane_helmfile::{Release, State};

/// An event that hooks wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Before charts are looked at.
    Prepare,
    /// Afterwards.
    Cleanup,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Cleanup => "cleanup",
        }
    }
}

/// Runs the hooks of a state, or of one of its releases, for an event of `command`.
pub(super) fn trigger(
    session: &Session,
    state: &State,
    release: Option<&Release>,
    event: Event,
    command: &str,
) -> Result<(), Failure> {
    for hook in state.hooks(release, event.name(), command, &session.world, &session.system)? {
        let printed =
            hook.run(&session.system).map_err(|problem| Failure::text(format!("in {}: {problem}", state.path)))?;
        if hook.shows_logs {
            for line in String::from_utf8_lossy(&printed).lines() {
                eprintln!("hook[{}] logs | {line}", event.name());
            }
        }
    }
    Ok(())
}
