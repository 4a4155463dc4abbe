//! `onepane src sync`: every service at the commit that it is pinned to.

use super::chosen_paths;
use crate::commands::OutputFormat;
use crate::commands::open;
use crate::terminal::{Failure, Terminal, harmless};
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, SyncOptions, Synced, SyncedTo, short};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::process::ExitCode;

/// What `onepane src sync` takes.
#[derive(clap::Args)]
#[command(
    after_help = "Comes to what `git submodule sync` and `git submodule update --init` leave. A service with changes that \
                        are not committed, or a commit that is on no remote branch and no tag, is left as it is and told; the \
                        others are brought to their pins. `.gitmodules` is asked for `shallow = true` and `update = none`.\n\n\
                        Exit codes: 0, 1 where a service is not at its pin, 2 for a wrong command line."
)]
pub(super) struct Arguments {
    /// Only these services
    services: Vec<String>,
    /// So many services at once
    #[arg(short, long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Fetch so many commits of history
    #[arg(long, value_name = "N")]
    depth: Option<NonZeroU32>,
    /// What new services have, as a filter of Git's, where the server knows filters; what is left out comes when it is needed
    /// [default: tree:0, all commits and tags; blob:none has all folders as well]
    #[arg(long, value_name = "SPEC")]
    filter: Option<String>,
    /// Leave nothing out; services that lack objects or history get them
    #[arg(long, conflicts_with_all = ["filter", "depth"])]
    full: bool,
    /// The submodules of services as well
    #[arg(short, long)]
    recursive: bool,
    /// Lose what is not committed, and leave commits that are not pushed
    #[arg(short, long)]
    force: bool,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// Brings them there, and tells of each.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let paths = chosen_paths(&git, &arguments.services)?;
    let is_filter = |filter: &str| !filter.is_empty() && !filter.chars().any(|c| c.is_control() || c.is_whitespace());
    if arguments.filter.as_deref().is_some_and(|filter| !is_filter(filter)) {
        return Err(Diagnostic::error("src-sync", "the filter is empty or none of Git's").into());
    }
    let options = SyncOptions {
        services: paths.as_deref(),
        jobs: arguments.jobs.into(),
        depth: arguments.depth,
        filter: arguments.filter.as_deref(),
        completes: arguments.full,
        is_recursive: arguments.recursive,
        keeps_branches: false,
        is_forced: arguments.force,
    };
    let bar = terminal.progress(paths.as_ref().map_or(0, Vec::len), "syncing");
    let all = git.sync(options, &|_| bar.inc(1))?;
    bar.finish_and_clear();
    tell(terminal, &all, arguments.output)
}

/// Tells what became of services: what was done on stdout, what was not on stderr.
pub(super) fn tell(terminal: &Terminal, all: &[Synced], output: OutputFormat) -> Result<ExitCode, Failure> {
    let text = match output {
        OutputFormat::Text => all.iter().filter_map(line).collect(),
        OutputFormat::Json => format!("{:#}\n", Value::from_iter(all.iter().map(as_json))),
    };
    terminal.print(text.as_bytes())?;
    let failed: Vec<&Diagnostic> =
        all.iter().filter_map(|one| one.outcome.as_ref().err()).map(|error| &**error).collect();
    failed.iter().for_each(|error| terminal.report(error, Utf8Path::new("")));
    if output == OutputFormat::Text {
        let (at_pin, left) = all.iter().fold((0, 0), |(at_pin, left), one| match one.outcome {
            Ok(SyncedTo::Left(_)) => (at_pin, left + 1),
            Ok(_) => (at_pin + 1, left),
            Err(_) => (at_pin, left),
        });
        let others = [(left, "left as it is"), (failed.len(), "not")];
        let others = others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
        terminal.note(&format!("{at_pin} at the pin{}", others.collect::<String>()));
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(one: &Synced) -> Option<String> {
    let told = match one.outcome.as_ref().ok()? {
        SyncedTo::AsPinned => return None,
        SyncedTo::Cloned(commit) => format!("new, at {}", short(commit)),
        SyncedTo::Moved { from: None, to } => format!("checked out at {}", short(to)),
        SyncedTo::Moved { from: Some(from), to } => format!("{} -> {}", short(from), short(to)),
        SyncedTo::Left(why) => format!("left as it is: {why}"),
    };
    Some(format!("{}  {told}\n", harmless(one.path.as_str())))
}

fn as_json(one: &Synced) -> Value {
    let path = one.path.as_str();
    match &one.outcome {
        Ok(SyncedTo::AsPinned) => json!({"path": path, "done": "nothing"}),
        Ok(SyncedTo::Cloned(commit)) => json!({"path": path, "done": "cloned", "to": commit}),
        Ok(SyncedTo::Moved { from, to }) => json!({"path": path, "done": "moved", "from": from, "to": to}),
        Ok(SyncedTo::Left(why)) => json!({"path": path, "done": "left", "why": why}),
        Err(error) => json!({"path": path, "done": "failed", "why": error.message}),
    }
}
