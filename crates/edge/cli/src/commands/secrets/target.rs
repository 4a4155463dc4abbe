//! The files that a command is about, and where what comes of them goes: [`Target`].

use crate::atomic;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId};
use onepane_sops::Format;
use std::io::Read;
use std::process::ExitCode;

/// Files, and how they are written.
#[derive(clap::Args)]
pub(super) struct Target {
    /// The files; without one, standard input
    #[arg(value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// Write back to the same files instead of printing
    #[arg(short, long)]
    in_place: bool,
    /// Write to this file instead of printing
    #[arg(long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<Utf8PathBuf>,
    /// What the files are: yaml, json, dotenv, ini or binary [default: by the end of their names]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    input_type: Option<Format>,
    /// The name that counts for rules and formats instead of the file's own; needed for standard input
    #[arg(long, value_name = "NAME")]
    filename_override: Option<Utf8PathBuf>,
}

/// What `--input-type` and `--output-type` take.
pub(super) fn format(name: &str) -> Result<Format, String> {
    Format::named(name).ok_or_else(|| "it is one of yaml, json, dotenv, ini, binary".to_owned())
}

/// A file that was read.
pub(super) struct Source {
    /// Where it lies; none for standard input.
    path: Option<Utf8PathBuf>,
    /// The absolute path that rules and formats go by.
    pub(super) name: Utf8PathBuf,
    pub(super) file: FileId,
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
}

/// Who may read what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// It is encrypted: everyone.
    Everyone,
    /// It is plain: the user alone, unless the file is there already.
    User,
}

impl Target {
    /// Reads the files, and prints or writes what `change` makes of each. Where one can't be changed, none is written.
    pub(super) fn change<T>(
        &self,
        terminal: &Terminal,
        folder: &Utf8Path,
        readers: Readers,
        bytes: fn(&T) -> &[u8],
        change: impl Fn(&Source) -> Result<T, Failure>,
    ) -> Result<ExitCode, Failure> {
        let sources = self.sources(folder)?;
        let changed = sources.iter().map(change).collect::<Result<Vec<T>, Failure>>()?;
        for (source, text) in sources.iter().zip(&changed) {
            self.put(terminal, folder, source, bytes(text), readers)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The files, read.
    fn sources(&self, folder: &Utf8Path) -> Result<Vec<Source>, Failure> {
        let refused = |message: &str, hint: &str| Diagnostic::error("secrets-target", message).hint(hint);
        let [paths, names] = [&self.files, &self.filename_override.iter().cloned().collect()];
        match (paths.as_slice(), names.as_slice()) {
            ([], _) if self.in_place => {
                return Err(refused("standard input can't be written in place", "name a file").into());
            }
            ([], []) => {
                let hint = "name a file, or the name by which rules are found: --filename-override";
                return Err(refused("there is no file", hint).into());
            }
            ([_, _, ..], _) if !self.in_place => {
                return Err(refused("several files can't go to one place", "--in-place writes each where it is").into());
            }
            _ => {}
        }
        let read = |path: Option<&Utf8PathBuf>| {
            let path = path.map(|path| folder.join(path));
            let bytes = match &path {
                Some(path) => std::fs::read(path),
                None => {
                    let mut bytes = Vec::new();
                    std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
                }
            };
            let shown = path.as_deref().unwrap_or(Utf8Path::new("standard input"));
            let unreadable = |error: std::io::Error| {
                Diagnostic::error("secrets-target", format!("`{shown}` can't be read: {error}"))
            };
            let name = match &self.filename_override {
                Some(name) => folder.join(name),
                None => path.clone().unwrap_or_default(),
            };
            let name = absolute(&name)?;
            let format = self.input_type.unwrap_or_else(|| Format::of_path(name.as_str()));
            Ok(Source { file: FileId::new(shown), name, format, bytes: bytes.map_err(unreadable)?, path })
        };
        match paths.as_slice() {
            [] => Ok(vec![read(None)?]),
            paths => paths.iter().map(|path| read(Some(path))).collect(),
        }
    }

    /// Prints or writes what came of a file.
    fn put(
        &self,
        terminal: &Terminal,
        folder: &Utf8Path,
        source: &Source,
        text: &[u8],
        readers: Readers,
    ) -> Result<(), Failure> {
        match (&self.output, &source.path) {
            (Some(output), _) => {
                let output = folder.join(output);
                match readers {
                    _ if output.exists() => atomic::rewrite(&output, text)?,
                    Readers::Everyone => atomic::write(&output, text).map(drop)?,
                    Readers::User => atomic::write_private(&output, text)?,
                }
            }
            (None, Some(path)) if self.in_place => atomic::rewrite(path, text)?,
            _ => terminal.print(text)?,
        }
        Ok(())
    }
}

/// A path from the root of the file system, links not followed: as `sops` compares it with rules.
pub(super) fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Box<Diagnostic>> {
    let absolute = camino::absolute_utf8(Utf8Path::new(".").join(path));
    let absolute = absolute.map_err(|error| Diagnostic::error("secrets-target", format!("`{path}`: {error}")))?;
    Ok(onepane_world::normalize(&absolute))
}
