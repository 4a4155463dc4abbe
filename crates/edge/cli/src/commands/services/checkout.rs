//! `onepane src checkout`: a branch over several services at once, and back to the pins.

use super::{chosen_paths, sync};
use crate::commands::OutputFormat;
use crate::commands::open;
use crate::terminal::{Failure, Terminal, harmless};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_git::{LocalRepository, SwitchOptions, Switched, SwitchedTo, SyncOptions};
use std::process::ExitCode;

/// What `onepane src checkout` takes.
#[derive(clap::Args)]
#[command(
    after_help = "Services that have the branch, here or on their server, are brought to it; the others stay where they \
                        are. Where one of them would lose changes, none is touched; where one fails, the \
                        others are taken back.\n\nExit codes: 0, 1 where something \
                        could not be done or no service has the branch, 2 for a wrong command line."
)]
pub(super) struct Arguments {
    /// The branch; with `--pinned`, the first service
    #[arg(required_unless_present = "pinned")]
    branch: Option<String>,
    /// Only these services
    services: Vec<String>,
    /// Begin the branch in those services that have it nowhere; they are to be named
    #[arg(short, long, requires = "services", conflicts_with = "pinned")]
    create: bool,
    /// Back to the commits that are pinned
    #[arg(long)]
    pinned: bool,
    /// Ask no server; branches that were fetched before serve
    #[arg(long)]
    offline: bool,
}

/// Checks it out, and tells of each service.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    if arguments.pinned {
        let named: Vec<String> = arguments.branch.iter().chain(&arguments.services).cloned().collect();
        return to_pins(terminal, &root, &git, &named);
    }
    let branch = arguments.branch.as_deref().unwrap_or_default();
    let paths = chosen_paths(&git, &arguments.services)?;
    let switched = git.switch(SwitchOptions {
        branch,
        services: paths.as_deref(),
        is_created: arguments.create,
        asks_servers: !arguments.offline,
    })?;
    let text: String = switched.iter().filter_map(|one| line(one, branch)).collect();
    terminal.print(text.as_bytes())?;
    let errors: Vec<_> = switched.iter().filter_map(|one| one.outcome.as_ref().err()).collect();
    errors.iter().for_each(|error| terminal.report(error, Utf8Path::new("")));
    let is_on_it = |one: &&Switched| {
        !matches!(one.outcome, Err(_) | Ok(SwitchedTo::HasNone | SwitchedTo::NotHere | SwitchedTo::TakenBack))
    };
    let count = switched.iter().filter(is_on_it).count();
    if errors.is_empty() {
        let are = |wanted: &SwitchedTo| switched.iter().filter(|one| one.outcome.as_ref().ok() == Some(wanted)).count();
        let (without, not_here) = (are(&SwitchedTo::HasNone), are(&SwitchedTo::NotHere));
        let mut told = format!("{count} on `{branch}`, {without} without it");
        if not_here > 0 {
            told += &format!(", {not_here} not checked out (`onepane src sync` does that)");
        }
        if count == 0 && without > 0 {
            told += "; `--create` begins it in the services that are named";
        }
        terminal.note(&told);
    } else if count == 0 {
        terminal.note("nothing was changed");
    }
    Ok(if errors.is_empty() && count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(one: &Switched, branch: &str) -> Option<String> {
    let told = match one.outcome.as_ref().ok()? {
        SwitchedTo::WasThere => format!("was on {branch}"),
        SwitchedTo::Branch => format!("on {branch}"),
        SwitchedTo::Tracking(remote) => format!("on {branch}, which is new here and follows {remote}"),
        SwitchedTo::Created => format!("on {branch}, which begins here"),
        SwitchedTo::NotHere => "not checked out".to_owned(),
        SwitchedTo::TakenBack => "back where it was, since another one failed".to_owned(),
        SwitchedTo::HasNone => return None,
    };
    Some(format!("{}  {}\n", harmless(one.path.as_str()), harmless(&told)))
}

/// Services that are checked out go back to their pins, unless one of them would lose something.
fn to_pins(terminal: &Terminal, root: &Utf8Path, git: &LocalRepository, named: &[String]) -> Result<ExitCode, Failure> {
    let paths = match chosen_paths(git, named)? {
        Some(paths) => paths,
        None => git.declared_services()?.into_iter().map(|service| service.path).collect(),
    };
    let here: Vec<Utf8PathBuf> = paths.into_iter().filter(|path| root.join(path).join(".git").exists()).collect();
    let lost = git.at_stake(Some(&here))?;
    if !lost.is_empty() {
        lost.iter().for_each(|error| terminal.report(error, Utf8Path::new("")));
        terminal.note("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let options = SyncOptions {
        services: Some(&here),
        jobs: 8,
        depth: None,
        filter: None,
        completes: false,
        is_recursive: false,
        keeps_branches: true,
        is_forced: false,
    };
    let all = git.sync(options, &|_| {})?;
    sync::tell(terminal, &all, OutputFormat::Text)
}
