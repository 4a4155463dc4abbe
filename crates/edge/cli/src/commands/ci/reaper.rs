//! `onepane ci reaper`: a CronJob that reaps, printed or installed.

use super::{ClusterArguments, failed, line, reap, runtime};
use crate::terminal::{Failure, Terminal, harmless};
use camino::Utf8Path;
use onepane_ci::{Reaper, Told, reaper};
use onepane_deploy::{Engine, Options, Server};
use onepane_diagnostics::{Diagnostic, FileId};
use std::process::ExitCode;

/// What `onepane ci reaper` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    cluster: ClusterArguments,
    /// An image of onepane
    #[arg(long, value_name = "REF")]
    image: String,
    /// The namespace that it runs in
    #[arg(long, value_name = "NAME", default_value = "onepane-reaper")]
    namespace: String,
    /// When it runs, as CronJobs have it
    #[arg(long, value_name = "CRON", default_value = "*/15 * * * *")]
    schedule: String,
    /// Apply it to the cluster in place of printing it
    #[arg(long)]
    apply: bool,
}

/// Prints it as YAML, for a folder of the repository, or applies it.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let Arguments { cluster, image, namespace, schedule, apply } = arguments;
    let is_name = !namespace.is_empty()
        && namespace.len() <= 63
        && namespace.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !namespace.starts_with('-')
        && !namespace.ends_with('-');
    if !is_name {
        let message = format!("`{namespace}` is no name that a namespace can have");
        return Err(Failure::from(Diagnostic::error("ci-reaper", message)));
    }
    let objects = reaper(&Reaper { image, namespace, schedule });
    if !apply {
        let mut documents = Vec::new();
        for object in &objects {
            // JSON is YAML, and reads better as the latter.
            let nodes = onepane_yaml::read(&object.to_string(), FileId::new("reaper"))?;
            for node in &nodes {
                documents.push(onepane_yaml::write_sorted(node)?);
            }
        }
        terminal.print(documents.join("---\n").as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let address = reap::address(directory, cluster)?;
    let outcome = runtime()?.block_on(async {
        let server = Server::connect(&address).await?;
        let tell = |event: &_| _ = terminal.print(format!("{}\n", harmless(&line(&Told::Object(event)))).as_bytes());
        let options = Options { takes_over: false, prunes: true, may_prune_most: false, patience: None };
        Engine::new(&server, namespace, "onepane-reaper-set", tell).apply(objects, &options).await
    });
    let outcome = outcome.map_err(|error| failed(&error))?;
    Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
