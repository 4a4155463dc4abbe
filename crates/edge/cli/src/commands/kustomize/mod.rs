//! `onepane kustomize`: the drop-in for `kustomize build`, `create`, `edit`, `localize` and `version`. One file a command.

mod build;
mod create;
mod edit;
mod flags;
mod functions;
mod localize;
mod paths;

pub(crate) use build::build_folder;

use camino::Utf8PathBuf;
use flags::{Argument, Flags, unknown};
use onepane_diagnostics::{Diagnostic, FileId, render_full};
use onepane_kustomize::KUSTOMIZE_VERSION;
use onepane_world::OsWorld;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs with the arguments behind `kustomize`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let (command, rest) = match arguments.split_first() {
        None => ("help", &[][..]),
        Some((command, rest)) => (command.as_str(), rest),
    };
    let outcome = match command {
        "build" => build::run(rest),
        "create" | "init" => create::run(rest),
        "edit" => edit::run(rest),
        "localize" => localize::run(rest),
        "version" => run_version(rest),
        "help" | "-h" | "--help" => print(HELP),
        other => {
            let known = "this drop-in knows `build`, `create`, `edit`, `localize` and `version`";
            Err(Failure::text(format!("unknown command \"{other}\" for \"kustomize\": {known}")))
        }
    };
    match outcome {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Text(message)) => {
            eprintln!("Error: {message}");
            ExitCode::FAILURE
        }
        Err(Failure::Found(diagnostic)) => {
            eprintln!("{}", as_kustomize_says(&diagnostic));
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Text(String),
    Found(Box<Diagnostic>),
    OutputClosed,
}

impl Failure {
    fn text(message: impl Into<String>) -> Self {
        Self::Text(message.into())
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Found(diagnostic)
    }
}

/// The diagnostic with its excerpt, behind the word that Kustomize's errors start with.
fn as_kustomize_says(diagnostic: &Diagnostic) -> String {
    let text = render_full(diagnostic, &read_source, false);
    let title = format!("error[{}]: ", diagnostic.code);
    text.strip_prefix(&title).map_or_else(|| format!("Error: {text}"), |rest| format!("Error: {rest}"))
}

fn read_source(file: FileId) -> Option<Arc<str>> {
    std::fs::read_to_string(file.path()).ok().map(Into::into)
}

/// The files of this machine, seen from the current folder.
fn current_world() -> OsWorld {
    let here = std::env::current_dir().ok().and_then(|here| Utf8PathBuf::from_path_buf(here).ok()).unwrap_or_default();
    OsWorld::unrestricted(here)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|_| Failure::OutputClosed)
}

fn run_version(arguments: &[String]) -> Result<(), Failure> {
    let mut flags = Flags::new(arguments);
    let mut output = String::new();
    while let Some(argument) = flags.next()? {
        match argument {
            Argument::Flag("output" | "o") => output = flags.value()?,
            Argument::Flag("short") => drop(flags.switch()?),
            Argument::Flag("help" | "h") => {
                return print("Prints the kustomize version\n\nUsage:\n  kustomize version [flags]\n");
            }
            Argument::Flag(name) => return Err(unknown(name)),
            Argument::Positional(_) => {}
        }
    }
    match output.as_str() {
        "" => print(&format!("{KUSTOMIZE_VERSION}\n")),
        "yaml" => print(&format!("version: {KUSTOMIZE_VERSION}\n\n")),
        "json" => print(&format!("{{\n  \"version\": \"{KUSTOMIZE_VERSION}\"\n}}\n")),
        _ => Ok(()),
    }
}

const HELP: &str = "
Builds kustomizations, as Kustomize 5.8 does.

Usage:
  kustomize [command]

Available Commands:
  build       Build a kustomization target from a directory
  create      Create a new kustomization in the current directory
  edit        Edits a kustomization file
  localize    Copies a kustomization with everything that it names
  version     Prints the kustomize version
";
