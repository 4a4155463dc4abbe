//! `onepane status`: how what was applied from a cluster's folder is.

use super::{LiveArguments, identity, line, status_word};
use crate::commands::{OutputFormat, open};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_health::Status;
use onepane_repo::Repository;
use serde_json::Value;
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
    let place = arguments.live.of.place(&repository).map_err(&failure)?;
    let objects = arguments.live.of.on_set(&place, |_| (), async |engine| engine.status().await)?;
    let is_ready = objects.values().all(|health| health.status == Status::Current);
    let text = match arguments.live.output {
        OutputFormat::Text => {
            let lines =
                objects.iter().map(|(object, health)| line(status_word(health.status), object, &health.message));
            lines.collect()
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
