//! `onepane secrets edit`.

use super::decrypt::{integrity, warn};
use super::edited_file::EditedFile;
use super::recipients::{Config, RecipientFlags};
use super::target::{absolute, format};
use crate::atomic;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_keys::{FoundKeys, Programs};
use onepane_sops::{Encrypted, Format, Secret, encrypt};
use onepane_world::OsWorld;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

/// What `onepane secrets edit` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The file; one that is not there is begun
    file: Utf8PathBuf,
    /// What the file is: yaml, json, dotenv, ini or binary [default: by the end of its name]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    input_type: Option<Format>,
    /// Edit a file that was changed since it was encrypted
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    recipients: RecipientFlags,
    /// The file with creation rules [default: the nearest .sops.yaml; env: SOPS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<Utf8PathBuf>,
}

/// Lets the user edit until the text can be encrypted. The file itself changes once, at the end.
pub(super) fn run(terminal: &Terminal, folder: &Utf8Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = Config::find(folder, arguments.config.as_deref())?;
    let world = OsWorld::unrestricted(folder);
    let keys = FoundKeys::find(&world, Programs::Allowed);
    let path = folder.join(&arguments.file);
    let format = arguments.input_type.unwrap_or_else(|| Format::of_path(path.as_str()));
    let (file, layout) = (FileId::new(&path), config.layout());
    let is_new = !path.exists();
    // What can go wrong goes wrong before the user has written anything.
    type Encrypt<'e> = Box<dyn Fn(&[u8]) -> Result<Vec<u8>> + 'e>;
    let (text, encrypted): (Secret, Encrypt<'_>) = if is_new {
        let recipients = arguments.recipients.recipients(&absolute(&path)?, &config)?;
        let (keys, world) = (&keys, &world);
        let encrypt =
            move |text: &[u8]| encrypt(text, format, file, recipients.clone(), &keys.services(), layout, world);
        (Secret::default(), Box::new(encrypt))
    } else {
        let unreadable = |error| Diagnostic::error("secrets-target", format!("`{path}` can't be read: {error}"));
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let decrypted = Encrypted::read(&bytes, format, file)
            .map_err(|error| error.hint(format!("`onepane secrets encrypt -i {path}` encrypts a plain one")))
            .and_then(|file| file.decrypt(&keys.services(), integrity(arguments.ignore_mac)));
        let decrypted = decrypted.map_err(|error| Failure::without_excerpts(keys.explained(error)))?;
        warn(terminal, &decrypted, file);
        let text = decrypted.text(format, layout).map_err(Failure::without_excerpts)?;
        let world = &world;
        (text, Box::new(move |text: &[u8]| decrypted.edited(text, file, layout, world)))
    };
    let name = path.file_name().unwrap_or("secret");
    let edited = EditedFile::new(name, &text)?;
    loop {
        edited.open_editor()?;
        let changed = edited.read()?;
        if changed == text {
            eprintln!("{path}: nothing was changed");
            return Ok(ExitCode::SUCCESS);
        }
        match encrypted(changed.reveal()) {
            Ok(bytes) if is_new => {
                atomic::write(&path, &bytes)?;
                return Ok(ExitCode::SUCCESS);
            }
            Ok(bytes) => {
                atomic::rewrite(&path, &bytes)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => {
                let failure = Failure::without_excerpts(error.hint(format!("`{path}` is as it was")));
                if !std::io::stdin().is_terminal() {
                    return Err(failure);
                }
                terminal.fail(&failure);
                eprintln!("Enter opens the editor again, with what you wrote; Ctrl-C leaves, without it.");
                if !matches!(std::io::stdin().lock().read_line(&mut String::new()), Ok(1..)) {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
}
