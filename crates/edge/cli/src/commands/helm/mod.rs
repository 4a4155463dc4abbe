//! `onepane helm`: the drop-in. Helm's own command line, output and exit codes.

mod command;
mod create;
mod dependency;
mod env;
mod flags;
mod help;
mod lint;
mod location;
mod namespace;
mod output;
mod package;
mod package_sign;
mod show;
mod template;
mod values;
mod verify;
mod version;

use crate::arguments::ColorChoice;
use crate::terminal::Terminal;
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_world::OsWorld;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Why a command failed: Helm's line for everyone and, where a file is to blame, the finding for people.
pub(crate) struct Failure {
    message: String,
    finding: Option<Box<Diagnostic>>,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, finding: None }
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(finding: Box<Diagnostic>) -> Self {
        Self { message: finding.message.clone(), finding: Some(finding) }
    }
}

/// Runs with the arguments behind `helm`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match command::dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Error: {}", failure.message);
            let placed = failure.finding.filter(|finding| finding.primary.is_some());
            if let Some(finding) = placed.filter(|_| std::io::stderr().is_terminal()) {
                eprintln!();
                Terminal::new(ColorChoice::Auto).report(&finding, ".".into());
            }
            ExitCode::FAILURE
        }
    }
}

/// The files of this machine, paths being relative to the current folder.
fn world() -> Result<OsWorld, Failure> {
    Ok(OsWorld::unrestricted(current_folder()?))
}

fn current_folder() -> Result<Utf8PathBuf, Failure> {
    let folder = std::env::current_dir().map_err(|error| format!("the current folder can't be read: {error}"))?;
    Ok(Utf8PathBuf::try_from(folder).map_err(|error| format!("the current folder is no UTF-8 path: {error}"))?)
}

/// Writes to stdout. That nobody reads any more is no failure of ours.
fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// A line as Helm's logger writes it.
fn log(severity: Severity, message: &str) {
    let level = match severity {
        Severity::Note => "INFO",
        Severity::Warning if message.starts_with("warning:") => "INFO",
        Severity::Warning => "WARN",
        Severity::Error => "ERROR",
    };
    eprintln!("level={level} msg={message:?}");
}
