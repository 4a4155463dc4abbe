//! `onepane status`: how what was applied from a cluster's folder is.

use super::{HOME, LiveArguments, identity, on_cluster, status_word};
use crate::commands::{OutputFormat, open};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_deploy::Engine;
use onepane_health::Status;
use onepane_repo::Repository;
use serde_json::Value;
use std::fmt::Write;
use std::process::ExitCode;

/// What `onepane status` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    live: LiveArguments,
}

/// Asks, and tells; it fails if something is not as it should be.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let repository = Repository::open(&world).map_err(&failure)?;
    let address = arguments.live.address(&repository).map_err(&failure)?;
    let set = arguments.live.set();
    let objects = on_cluster(&address, async |server| Engine::new(server, HOME, &set, |_| ()).status().await)?;
    let is_ready = objects.values().all(|health| health.status == Status::Current);
    let text = match arguments.live.output {
        OutputFormat::Text => {
            let mut text = String::new();
            for (object, health) in &objects {
                let message = if health.message.is_empty() { String::new() } else { format!(": {}", health.message) };
                let _ = writeln!(text, "{:<11} {object}{message}", status_word(health.status));
            }
            text
        }
        OutputFormat::Json => {
            let items = objects.iter().map(|(object, health)| {
                let mut item = identity(object);
                item["status"] = Value::from(status_word(health.status));
                item["message"] = Value::from(health.message.clone());
                item
            });
            format!("{:#}\n", Value::from_iter(items))
        }
    };
    terminal.print(text.as_bytes())?;
    Ok(if is_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
