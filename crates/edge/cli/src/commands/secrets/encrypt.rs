//! `onepane secrets encrypt`.

use super::recipients::{Config, RecipientFlags};
use super::target::{Readers, Target};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::encrypt;
use onepane_world::OsWorld;
use std::process::ExitCode;

/// What `onepane secrets encrypt` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    recipients: RecipientFlags,
    /// The file with creation rules [default: the nearest .sops.yaml; env: SOPS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<Utf8PathBuf>,
}

/// Encrypts the files.
pub(super) fn run(terminal: &Terminal, folder: &Utf8Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::find(folder, arguments.config.as_deref())?;
    let world = OsWorld::unrestricted(folder);
    let keys = FoundKeys::find(&world, Programs::Allowed);
    arguments.target.change(terminal, folder, Readers::Everyone, Vec::as_slice, |source| {
        let recipients = arguments.recipients.recipients(&source.name, &config)?;
        let text =
            encrypt(&source.bytes, source.format, source.file, recipients, &keys.services(), config.layout(), &world);
        text.map_err(Failure::without_excerpts)
    })
}
