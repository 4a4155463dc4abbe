//! `onepane apply`: what a cluster's folder says, brought to the cluster.

use super::{LiveArguments, Place, duration};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_deploy::Options;
use onepane_diagnostics::Diagnostic;
use onepane_embedded::Embedded;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane apply` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    live: LiveArguments,
    /// Apply to a stand-in for the cluster, in this process: a first look on a machine without a cluster. Nothing really
    /// runs, and pods are ready after a moment
    #[arg(long = "cluster", value_name = "WHERE")]
    stand_in: Option<StandIn>,
    /// Take over fields that others have set
    #[arg(long)]
    take_over: bool,
    /// Delete nothing that left the folder
    #[arg(long)]
    no_prune: bool,
    /// Delete more than half of what there is, or all of it, if the folder says so
    #[arg(long)]
    prune_most: bool,
    /// Do not wait until all is ready
    #[arg(long)]
    no_wait: bool,
    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    timeout: Duration,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// What stands in for a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StandIn {
    /// A Kubernetes API in this process.
    Embedded,
}

fn embedded() -> Result<Place, Box<Diagnostic>> {
    let cluster = Embedded::start(onepane_embedded::Options::default());
    let failed = |error| Diagnostic::error("live-failed", format!("no API can be served in this process: {error}"));
    Ok(Place::Embedded(Box::new(cluster.map_err(failed)?)))
}

/// Builds, applies, prunes and waits.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let of = &arguments.live.of;
    let (place, objects) = match arguments.stand_in {
        None => of.objects(terminal, directory, arguments.offline, |repository| of.place(repository))?,
        Some(StandIn::Embedded) => {
            terminal.note(
                "nothing really runs: a Kubernetes API in this process stands in for the cluster, and is gone when this ends",
            );
            of.objects(terminal, directory, arguments.offline, |_| embedded())?
        }
    };
    let options = Options {
        takes_over: arguments.take_over,
        prunes: !arguments.no_prune,
        may_prune_most: arguments.prune_most,
        patience: (!arguments.no_wait).then_some(arguments.timeout),
    };
    arguments.live.carry_out(terminal, &place, async |engine| engine.apply(objects, &options).await)
}
