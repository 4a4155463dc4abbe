//! `onepane destroy`: everything that was applied from a cluster's folder, deleted.

use super::{LiveArguments, duration};
use crate::commands::open;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_repo::Repository;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane destroy` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    live: LiveArguments,
    /// The name of the cluster once more: what is deleted is gone
    #[arg(long, value_name = "CLUSTER")]
    confirm: String,
    /// How long to wait until all is gone
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    timeout: Duration,
}

/// Deletes, and waits.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let repository = Repository::open(&world).map_err(&failure)?;
    let place = arguments.live.of.place(&repository).map_err(&failure)?;
    if arguments.confirm != arguments.live.of.cluster {
        let message = format!("`{}` is not the cluster `{}`", arguments.confirm, arguments.live.of.cluster);
        return Err(Failure::from(Diagnostic::error("live-not-confirmed", message)));
    }
    arguments.live.carry_out(terminal, &place, async |engine| engine.destroy(arguments.timeout).await)
}
