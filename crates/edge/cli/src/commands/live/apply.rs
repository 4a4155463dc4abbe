//! `onepane apply`: what a cluster's folder says, brought to the cluster.

use super::{LiveArguments, duration};
use crate::commands::decrypted_world::DecryptedWorld;
use crate::commands::open;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_deploy::Options;
use onepane_repo::{BuildOptions, Repository};
use onepane_world::OsWorld;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane apply` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    live: LiveArguments,
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

/// Builds, applies, prunes and waits.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, arguments.offline);
    let machine = OsWorld::unrestricted("/");
    // Secrets go to the cluster as Flux would bring them.
    let decrypted = DecryptedWorld::new(&world, &machine);
    let repository = elsewhere.reached(Repository::open(&decrypted).map_err(&failure)?);
    let address = arguments.live.address(&repository).map_err(&failure)?;
    let unit = repository.unit(&arguments.live.cluster).map_err(&failure)?;
    let built = repository.manifests(&unit, &BuildOptions::default()).map_err(&failure)?;
    built.warnings.iter().for_each(|warning| terminal.report(warning, &root));
    let objects = built.manifests.iter().map(|manifest| manifest.document()).collect::<Result<Vec<_>, _>>();
    let objects = objects.map_err(&failure)?;
    let options = Options {
        takes_over: arguments.take_over,
        prunes: !arguments.no_prune,
        may_prune_most: arguments.prune_most,
        patience: (!arguments.no_wait).then_some(arguments.timeout),
    };
    arguments.live.carry_out(terminal, &address, async |engine| engine.apply(objects, &options).await)
}
