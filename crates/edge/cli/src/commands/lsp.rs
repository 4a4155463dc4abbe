//! `onepane lsp`: the server that editors start.

use crate::commands::check::EditorChecks;
use crate::terminal::Failure;
use onepane_diagnostics::Diagnostic;
use std::process::ExitCode;
use std::sync::Arc;

/// What `onepane lsp` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Talk over stdin and stdout, which is what is done anyway: some editors ask for it
    #[arg(long)]
    stdio: bool,
}

/// Serves one editor until it leaves.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { stdio: _ } = arguments;
    match onepane_lsp::serve(&|root| Arc::new(EditorChecks::new(root))) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(why) => Err(Diagnostic::error("lsp-protocol", why).into()),
    }
}
