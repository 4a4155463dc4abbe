//! `onepane src log`: the commits of services between two revisions of the repository.

use super::chosen;
use crate::commands::OutputFormat;
use crate::commands::open;
use crate::commands::plan::{PinChange, pin_as_json, pin_lines};
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_git::LocalRepository;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What `onepane src log` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// `A..B`: from one revision of the repository to another; `A`: from a revision to what is checked out [default: HEAD]
    #[arg(default_value = "HEAD")]
    range: String,
    /// Only these services
    services: Vec<String>,
    /// List at most so many commits of a service
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    most: usize,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// Looks at both revisions, and prints what lies between.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, disk) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let or_head = |revision: &str| if revision.is_empty() { "HEAD".to_owned() } else { revision.to_owned() };
    let (from, to) = match arguments.range.split_once("..") {
        Some((from, to)) => (or_head(from), Some(or_head(to))),
        None => (or_head(&arguments.range), None),
    };
    let at = |revision: &str| -> Result<BTreeMap<_, _>, Failure> {
        Ok(LocalRepository::pins(&git.files(&git.commit(revision)?)?).into_iter().collect())
    };
    let before = at(&from)?;
    let after = match &to {
        Some(revision) => at(revision)?,
        None => git.pins_on_disk(&disk).into_iter().collect(),
    };
    // One that `.gitmodules` does not name any more can't be asked for by name.
    let names = chosen(git.listed_services(&disk), &arguments.services)?;
    let is_wanted = |path: &Utf8Path| arguments.services.is_empty() || names.iter().any(|service| service.path == path);
    let paths: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let mut changes = Vec::new();
    for path in paths.into_iter().filter(|path| is_wanted(path)) {
        let (from, mut to) = (before.get(&path).cloned(), after.get(&path).cloned());
        // One that is not checked out is where it was.
        if arguments.range.split_once("..").is_none() && to.is_none() {
            to.clone_from(&from);
        }
        if from == to {
            continue;
        }
        let range =
            from.as_deref().zip(to.as_deref()).and_then(|(from, to)| git.range(&path, from, to, arguments.most));
        changes.push(PinChange { path, from, to, range });
    }
    let text = match arguments.output {
        OutputFormat::Text => changes.iter().map(pin_lines).collect(),
        OutputFormat::Json => format!("{:#}\n", Value::from_iter(changes.iter().map(pin_as_json))),
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
