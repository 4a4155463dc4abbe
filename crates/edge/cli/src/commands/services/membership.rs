//! `onepane src add` and `onepane src remove`: services that come and go.

use super::chosen;
use crate::commands::open;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, NewService, short};
use std::process::ExitCode;

/// What `onepane src add` takes.
#[derive(clap::Args)]
#[command(
    after_help = "The index and `.gitmodules` have it then, as `git submodule add` leaves them; nothing is committed."
)]
pub(super) struct AddArguments {
    /// Where it is from; one that begins with `../` is relative to the repository's own URL
    url: String,
    /// Where it is to be, or its name below `src` [default: the last part of the URL]
    path: Option<String>,
    /// The branch that it follows
    #[arg(short, long)]
    branch: Option<String>,
}

/// What `onepane src remove` takes.
#[derive(clap::Args)]
#[command(after_help = "Its files go, and what the index, `.gitmodules` and Git's own folder have of it; nothing is \
                        committed.")]
pub(super) struct RemoveArguments {
    /// The service
    service: String,
    /// Lose what is not committed and not pushed
    #[arg(short, long)]
    force: bool,
}

/// Adds a service.
pub(super) fn add(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &AddArguments,
) -> Result<ExitCode, Failure> {
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let last = || {
        let url = arguments.url.trim_end_matches('/');
        let url = url.strip_suffix(".git").unwrap_or(url);
        url.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
    };
    let wanted = arguments.path.clone().unwrap_or_else(last);
    let path = match wanted.contains('/') {
        true => Utf8PathBuf::from(wanted.trim_start_matches("./").trim_end_matches('/')),
        false => Utf8Path::new("src").join(wanted),
    };
    let new = NewService { url: &arguments.url, path: &path, branch: arguments.branch.as_deref() };
    let commit = git.add_service(new)?;
    terminal.print(format!("{path}  new, at {}\n", short(&commit)).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Removes a service.
pub(super) fn remove(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &RemoveArguments,
) -> Result<ExitCode, Failure> {
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let services = chosen(git.declared_services()?, std::slice::from_ref(&arguments.service))?;
    let [service] = &services[..] else {
        let paths: Vec<&str> = services.iter().map(|service| service.path.as_str()).collect();
        let message = format!("`{}` may be {}", arguments.service, paths.join(" or "));
        return Err(Diagnostic::error("src-no-such-service", message).hint("name it by its path").into());
    };
    git.remove_service(&service.path, arguments.force)?;
    terminal.print(format!("{}  removed\n", service.path).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
