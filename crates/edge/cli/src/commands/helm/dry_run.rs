//! `--dry-run`: whether a cluster is asked, and what for.

use super::flags::{Parsed, boolean};
use super::{Failure, log};
use onepane_cluster::{Check, Ownership};
use onepane_diagnostics::Severity;

/// Whether a cluster is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DryRun {
    /// It is not.
    Client,
    /// It is.
    Server,
}

/// `--dry-run`, and `--validate`, which is what it was called before.
pub(super) fn dry_run(flags: &Parsed) -> Result<DryRun, Failure> {
    let given = match flags.text("dry-run") {
        None | Some("client") => DryRun::Client,
        Some("server") => DryRun::Server,
        Some("unset") => {
            log(Severity::Warning, "--dry-run is deprecated and should be replaced with '--dry-run=client'");
            DryRun::Client
        }
        Some(value) => match boolean(value) {
            Some(true) => {
                let message = format!(
                    "boolean '--dry-run={value}' flag is deprecated and must be replaced with '--dry-run=client'"
                );
                log(Severity::Warning, &message);
                DryRun::Client
            }
            Some(false) => {
                return Err(format!("invalid dry-run value ({value:?}). Must be \"server\" or \"client\"").into());
            }
            None if value == "none" => {
                return Err(format!("invalid dry-run value ({value:?}). Must be \"server\" or \"client\"").into());
            }
            None => {
                return Err(
                    format!("invalid dry-run value ({value:?}). Must be \"none\", \"server\", or \"client\"").into()
                );
            }
        },
    };
    Ok(if flags.is_set("validate") { DryRun::Server } else { given })
}

/// `--dry-run` of commands that do something without it; `None` where they do.
pub(super) fn dry_run_of_release(flags: &Parsed) -> Result<Option<DryRun>, Failure> {
    match flags.text("dry-run") {
        None | Some("none") => Ok(None),
        Some("client") => Ok(Some(DryRun::Client)),
        Some("server") => Ok(Some(DryRun::Server)),
        Some("unset") => {
            log(Severity::Warning, "--dry-run is deprecated and should be replaced with '--dry-run=client'");
            Ok(Some(DryRun::Client))
        }
        Some(value) => {
            let refused = || format!("invalid dry-run value ({value:?}). Must be \"none\", \"server\", or \"client\"");
            let is_dry = boolean(value).ok_or_else(refused)?;
            let instead = if is_dry { "client" } else { "none" };
            let message = format!(
                "boolean '--dry-run={value}' flag is deprecated and must be replaced with '--dry-run={instead}'"
            );
            log(Severity::Warning, &message);
            Ok(is_dry.then_some(DryRun::Client))
        }
    }
}

/// What the manifests are checked for in a cluster.
pub(super) fn check<'a>(flags: &Parsed, release: &'a str, namespace: &'a str) -> Check<'a> {
    let ownership = if flags.is_set("is-upgrade") {
        Ownership::Ignored
    } else if flags.is_set("take-ownership") {
        Ownership::Taken
    } else {
        Ownership::Required
    };
    Check { release, namespace, ownership, validates: !flags.is_set("disable-openapi-validation") }
}
