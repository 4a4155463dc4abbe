//! `onepane src`: the services of a repository, which are its submodules.

mod checkout;
mod foreach;
mod grep;
mod log;
mod membership;
mod pin;
mod status;
mod sync;

use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, Service};
use std::process::ExitCode;

/// What `onepane src` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show each service: its pin, what is checked out, and which clusters run what
    Status(status::Arguments),
    /// Bring services to the commits that they are pinned to
    Sync(sync::Arguments),
    /// Bring services to a branch, or back to their pins
    Checkout(checkout::Arguments),
    /// Add a service
    Add(membership::AddArguments),
    /// Remove a service
    Remove(membership::RemoveArguments),
    /// Show the commits of services between two revisions of the repository
    Log(log::Arguments),
    /// Find a regular expression in the repository and all services
    Grep(grep::Arguments),
    /// Run a command in each service
    Foreach(foreach::Arguments),
    /// Pin services to other commits, and an environment to their images
    Pin(pin::Arguments),
}

/// Does what is asked.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Status(arguments) => status::run(terminal, directory, arguments),
        Command::Sync(arguments) => sync::run(terminal, directory, arguments),
        Command::Checkout(arguments) => checkout::run(terminal, directory, arguments),
        Command::Add(arguments) => membership::add(terminal, directory, arguments),
        Command::Remove(arguments) => membership::remove(terminal, directory, arguments),
        Command::Log(arguments) => log::run(terminal, directory, arguments),
        Command::Grep(arguments) => grep::run(terminal, directory, arguments),
        Command::Foreach(arguments) => foreach::run(terminal, directory, arguments),
        Command::Pin(arguments) => pin::run(terminal, directory, arguments),
    }
}

/// Those of `services` that `wanted` names by path, name or last part of the path; all where it names none.
fn chosen(services: Vec<Service>, wanted: &[String]) -> Result<Vec<Service>, Failure> {
    if wanted.is_empty() {
        return Ok(services);
    }
    let is_it = |service: &Service, text: &str| {
        let path = Utf8PathBuf::from(text.trim_end_matches('/'));
        service.path == path || service.name == text || service.path.file_name() == Some(path.as_str())
    };
    if let Some(unknown) = wanted.iter().find(|text| !services.iter().any(|service| is_it(service, text))) {
        let error = Diagnostic::error("src-no-such-service", format!("there is no service `{unknown}`"));
        let names: Vec<&str> = services.iter().map(|service| service.path.as_str()).collect();
        return Err(error.hint(format!("`.gitmodules` names {}", names.join(", "))).into());
    }
    let is_wanted = |service: &Service| wanted.iter().any(|text| is_it(service, text));
    Ok(services.into_iter().filter(is_wanted).collect())
}

/// The paths of the services that `wanted` names; `None` where it names none, so that all are meant.
fn chosen_paths(git: &LocalRepository, wanted: &[String]) -> Result<Option<Vec<Utf8PathBuf>>, Failure> {
    if wanted.is_empty() {
        return Ok(None);
    }
    Ok(Some(chosen(git.declared_services()?, wanted)?.into_iter().map(|service| service.path).collect()))
}
