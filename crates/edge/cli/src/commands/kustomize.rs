//! `onepane kustomize`: the drop-in.

use std::process::ExitCode;

/// Runs with the arguments behind `kustomize`.
pub(crate) fn run(_arguments: &[String]) -> ExitCode {
    ExitCode::from(2)
}
