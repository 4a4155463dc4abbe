//! `onepane secrets`: files of SOPS, with the flags of `sops`. One file a command.
//!
//! A plain text goes nowhere but to stdout, the file that the user names, or the editor's temporary one; errors tell its
//! lines by number, and show none.

mod decrypt;
mod edit;
mod edited_file;
mod encrypt;
mod recipients;
mod rotate;
mod target;

use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use std::process::ExitCode;

/// What `onepane secrets` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Encrypt files, and print what comes of it or write it
    Encrypt(encrypt::Arguments),
    /// Decrypt files, and print what is in them or write it
    Decrypt(decrypt::Arguments),
    /// Edit an encrypted file in $SOPS_EDITOR or $EDITOR, or begin one
    Edit(edit::Arguments),
    /// Encrypt files anew with another data key, for other recipients too
    Rotate(rotate::Arguments),
}

/// Runs one of them. Relative paths are those of `directory`, or of the current folder.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let folder = directory.unwrap_or(Utf8Path::new(""));
    match &arguments.command {
        Command::Encrypt(arguments) => encrypt::run(terminal, folder, arguments),
        Command::Decrypt(arguments) => decrypt::run(terminal, folder, arguments),
        Command::Edit(arguments) => edit::run(terminal, folder, arguments),
        Command::Rotate(arguments) => rotate::run(terminal, folder, arguments),
    }
}
