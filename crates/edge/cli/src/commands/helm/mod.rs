//! `onepane helm`: the drop-in. Helm's own command line, output and exit codes.

mod flags;
mod help;
mod namespace;
mod output;
mod template;

use crate::arguments::ColorChoice;
use crate::terminal::Terminal;
use onepane_diagnostics::Diagnostic;
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
    match dispatch(arguments) {
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

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let parsed = flags::parse(arguments)?;
    for warning in &parsed.deprecations {
        eprintln!("{warning}");
    }
    match parsed.arguments.first().map(String::as_str) {
        Some("template") if parsed.is_set("help") => help::print_template(),
        Some("template") => template::run(&parsed, &parsed.arguments[1..]),
        None | Some("help") => help::print_root(),
        Some(other) => Err(format!(
            "unknown command {other:?} for \"helm\": of Helm's commands, onepane has `template` so far\nRun 'helm --help' \
             for usage."
        )
        .into()),
    }
}

/// Writes to stdout. That nobody reads any more is no failure of ours.
fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}
