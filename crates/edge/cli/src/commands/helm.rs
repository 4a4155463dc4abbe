//! `onepane helm`: the drop-in.

use std::process::ExitCode;

/// Runs with the arguments behind `helm`.
pub(crate) fn run(_arguments: &[String]) -> ExitCode {
    ExitCode::from(2)
}
