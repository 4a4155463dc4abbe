//! `onepane secrets decrypt`.

use super::recipients::Config;
use super::target::{Readers, Target, format};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::{Decrypted, Encrypted, Format, Integrity, Secret};
use onepane_world::OsWorld;
use std::process::ExitCode;

/// What `onepane secrets decrypt` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// What to print: yaml, json, dotenv, ini or binary [default: what the files are]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    output_type: Option<Format>,
    /// Decrypt a file that was changed since it was encrypted
    #[arg(long)]
    ignore_mac: bool,
    /// The file that says how to indent [default: the nearest .sops.yaml; env: SOPS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<Utf8PathBuf>,
}

/// Decrypts the files.
pub(super) fn run(terminal: &Terminal, folder: &Utf8Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::find(folder, arguments.config.as_deref())?;
    let world = OsWorld::unrestricted(folder);
    let keys = FoundKeys::find(&world, Programs::Allowed);
    arguments.target.change(terminal, folder, Readers::User, Secret::reveal, |source| {
        let encrypted = Encrypted::read(&source.bytes, source.format, source.file);
        let decrypted = encrypted.and_then(|file| file.decrypt(&keys.services(), integrity(arguments.ignore_mac)));
        let decrypted = decrypted.map_err(|error| Failure::without_excerpts(keys.explained(error)))?;
        warn(terminal, &decrypted, source.file);
        let format = arguments.output_type.unwrap_or(source.format);
        decrypted.text(format, config.layout()).map_err(Failure::without_excerpts)
    })
}

/// What `--ignore-mac` says.
pub(super) fn integrity(ignore_mac: bool) -> Integrity {
    if ignore_mac { Integrity::Ignored } else { Integrity::Checked }
}

/// Tells of comments that stay encrypted, as SOPS does.
pub(super) fn warn(terminal: &Terminal, decrypted: &Decrypted, file: onepane_diagnostics::FileId) {
    let count = decrypted.comments_left();
    if count > 0 {
        let message = format!("{count} comments stay encrypted: they stand elsewhere than where SOPS encrypted them");
        terminal.report(&Diagnostic::warning("sops-comments", message).at(Span::file(file.path())), "".into());
    }
}
