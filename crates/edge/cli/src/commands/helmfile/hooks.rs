//! Hooks: programs that a state wants to be run at certain events.

use super::Failure;
use super::session::Session;
use onepane_helmfile::{HookEvent, Release, State};

/// An event that hooks wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Before charts are looked at.
    Prepare,
    /// Before any release is changed by `apply`.
    Preapply,
    /// Before a release is installed, upgraded or, by `sync` and `apply`, uninstalled.
    Presync,
    /// After that.
    Postsync,
    /// Before a release is uninstalled.
    Preuninstall,
    /// After that.
    Postuninstall,
    /// Afterwards.
    Cleanup,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Preapply => "preapply",
            Self::Presync => "presync",
            Self::Postsync => "postsync",
            Self::Preuninstall => "preuninstall",
            Self::Postuninstall => "postuninstall",
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
    trigger_after(session, state, release, event, command, None)
}

/// The same after something that may have failed, of which `error` tells.
pub(super) fn trigger_after(
    session: &Session,
    state: &State,
    release: Option<&Release>,
    event: Event,
    command: &str,
    error: Option<&str>,
) -> Result<(), Failure> {
    let happened = HookEvent { name: event.name(), command, error };
    for hook in state.hooks(release, happened, &session.world, &session.system)? {
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
