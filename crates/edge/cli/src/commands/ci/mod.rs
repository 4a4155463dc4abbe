//! `onepane ci`: temporary test environments. One file a command.

mod diff;
mod others;
mod pipeline;
mod reap;
mod reaper;
mod run;
mod signals;

use crate::commands::live;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_ci::Told;
use onepane_deploy::{Address, Failure as ClusterFailure};
use onepane_diagnostics::Diagnostic;
use onepane_repo::Repository;
use std::process::ExitCode;

/// What `onepane ci` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a temporary environment, test in it, report, and remove it
    Run(run::Arguments),
    /// Remove what runs that were killed have left
    Reap(reap::Arguments),
    /// Print or install a CronJob that reaps
    Reaper(reaper::Arguments),
    /// Show how the temporary environment differs from the cluster itself
    Diff(diff::Arguments),
    /// Write what a pipeline of GitHub, GitLab or Jenkins needs
    Pipeline(pipeline::Arguments),
}

/// Runs one of them.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Run(arguments) => Ok(run::run(terminal, directory, arguments)),
        Command::Reap(arguments) => reap::run(terminal, directory, arguments),
        Command::Reaper(arguments) => reaper::run(terminal, directory, arguments),
        Command::Diff(arguments) => diff::run(terminal, directory, arguments),
        Command::Pipeline(arguments) => pipeline::run(terminal, directory, arguments),
    }
}

/// Which cluster, and how it is reached.
#[derive(clap::Args)]
struct ClusterArguments {
    /// The cluster, a folder below clusters/ [default: the only one that has a `ci` folder]
    cluster: Option<String>,
    /// The kubeconfig [default: that of the environment]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
}

/// A cluster, and the folder of its temporary environment.
struct Environment {
    cluster: String,
    folder: Utf8PathBuf,
}

impl ClusterArguments {
    /// The environment of the cluster that is named, or of the only one that has any.
    fn environment(&self, repository: &Repository<'_>) -> Result<Environment, Box<Diagnostic>> {
        let folder = |cluster: &str| repository.cluster_folder(cluster).join("ci");
        if let Some(cluster) = &self.cluster {
            repository.unit(cluster)?;
            let folder = folder(cluster);
            return match repository.unit(folder.as_str()) {
                Ok(folder) => Ok(Environment { cluster: cluster.clone(), folder }),
                Err(_) => {
                    let message = format!("the cluster `{cluster}` has no folder `{folder}` with a kustomization");
                    Err(Diagnostic::error("ci-no-environment", message).hint(SHAPE))
                }
            };
        }
        let mut clusters = repository.clusters()?;
        clusters.retain(|cluster| repository.unit(folder(cluster).as_str()).is_ok());
        match clusters.as_slice() {
            [cluster] => Ok(Environment { cluster: cluster.clone(), folder: folder(cluster) }),
            [] => {
                Err(Diagnostic::error("ci-no-environment", "no cluster has a `ci` folder with a kustomization")
                    .hint(SHAPE))
            }
            several => {
                let message = format!("several clusters have a `ci` folder: {}", several.join(", "));
                Err(Diagnostic::error("ci-which-cluster", message).hint("name one of them"))
            }
        }
    }

    /// The API server of the context that the repository names for a cluster: no other is ever touched.
    fn address(&self, repository: &Repository<'_>, cluster: &str) -> Result<Address, Box<Diagnostic>> {
        live::address(repository, cluster, self.kubeconfig.clone())
    }
}

const SHAPE: &str =
    "clusters/CLUSTER/ci/ is the environment, and clusters/CLUSTER/ci/integration-test/ has the Jobs that test it";

/// A runtime on this thread.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    live::runtime().map_err(|error| failed(&error))
}

fn failed(error: &ClusterFailure) -> Failure {
    Failure::from(Diagnostic::error("ci-failed", error.to_string()))
}

/// What is told, as a line.
fn line(told: &Told<'_>) -> String {
    match told {
        Told::Note(note) => format!("{:<11} {}", "note", note.replace('\n', "\n            ")),
        Told::Test { name, said } => format!("{:<11} {name} {said}", "test"),
        Told::Log { pod, container, line } => format!("{pod}/{container} | {line}"),
        Told::Object(event) => live::event_line(event),
    }
}
