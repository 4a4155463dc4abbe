//! `onepane build`.

use crate::terminal::{Failure, Terminal};
use std::process::ExitCode;

/// What `onepane build` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Runs it.
pub(crate) fn run(
    _terminal: &Terminal,
    _directory: Option<&camino::Utf8Path>,
    _arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    Ok(ExitCode::from(2))
}
