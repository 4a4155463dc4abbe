//! `onepane ci reap`: what runs that were killed have left, removed.

use super::{ClusterArguments, failed, line, runtime};
use crate::commands::{live, open};
use crate::terminal::{Failure, Terminal, harmless};
use camino::Utf8Path;
use onepane_ci::Reaping;
use onepane_deploy::{Address, Server};
use onepane_repo::Repository;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane ci reap` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Environments that are older than this, in place of those that have expired
    #[arg(long, value_name = "DURATION", value_parser = live::duration)]
    older_than: Option<Duration>,
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Reach the cluster from a pod in it, by its service account; no repository is needed
    #[arg(long, conflicts_with_all = ["cluster", "kubeconfig"])]
    in_cluster: bool,
    /// How long to wait until all is gone
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = live::duration)]
    timeout: Duration,
}

/// Removes, and waits; it fails if something does not go.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let address = if arguments.in_cluster { None } else { Some(address(directory, &arguments.cluster)?) };
    let Arguments { older_than, dry_run, timeout, .. } = *arguments;
    let reaping = Reaping { older_than, is_trial: dry_run, patience: timeout };
    let reaped = runtime()?.block_on(async {
        let server = match &address {
            Some(address) => Server::connect(address).await,
            None => Server::connect_from_within().await,
        };
        let tell = |told: &onepane_ci::Told<'_>| _ = terminal.print(format!("{}\n", harmless(&line(told))).as_bytes());
        onepane_ci::reap(&server?, &reaping, &tell).await
    });
    let reaped = reaped.map_err(|error| failed(&error))?;
    let done = if dry_run { "would go" } else { "gone" };
    for (word, names) in [(done, &reaped.gone), ("left", &reaped.left)] {
        for name in names {
            terminal.print(format!("{word:<11} {}\n", harmless(name)).as_bytes())?;
        }
    }
    let (gone, left, alive) = (reaped.gone.len(), reaped.left.len(), reaped.alive);
    terminal.print(format!("{gone} {done}, {left} left, {alive} have time left\n").as_bytes())?;
    Ok(if reaped.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn address(directory: Option<&Utf8Path>, cluster: &ClusterArguments) -> Result<Address, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let repository = Repository::open(&world).map_err(&failure)?;
    let name = match &cluster.cluster {
        Some(name) => {
            repository.unit(name).map_err(&failure)?;
            name.clone()
        }
        None => cluster.environment(&repository).map_err(&failure)?.cluster,
    };
    cluster.address(&repository, &name).map_err(&failure)
}
