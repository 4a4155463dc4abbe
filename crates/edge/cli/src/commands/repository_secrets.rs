//! The secrets of a repository's state, for `onepane render` and those who render to look: [`RepositorySecrets`].

use super::helmfile::system::System;
use crate::terminal::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_helmfile::{Outside, ProgramCall};
use onepane_repo::Layout;
use onepane_value::Value;
use onepane_world::OsWorld;

/// Decrypts, and runs nothing. No reference leads out of the repository: whoever wrote that might want to have a file of
/// ours, encrypted for a key of theirs.
pub(crate) struct RepositorySecrets {
    root: Utf8PathBuf,
    /// That of the state file: references are relative to it, as for Helmfile.
    folder: Utf8PathBuf,
    system: System,
}

impl RepositorySecrets {
    /// Those of the repository at `root`.
    pub(crate) fn new(root: &Utf8Path, world: &OsWorld) -> Result<Self, Failure> {
        let layout = Layout::read(world).map_err(Failure::below(root))?;
        let folder = root.join(layout.helm_charts);
        Ok(Self { root: root.to_owned(), system: System::new(true, folder.clone()), folder })
    }

    fn holds(&self, path: &str) -> bool {
        let path = self.folder.join(path).canonicalize_utf8();
        // What is not there is told by whoever reads it.
        path.map_or(true, |path| self.root.canonicalize_utf8().is_ok_and(|root| path.starts_with(root)))
    }
}

impl Outside for RepositorySecrets {
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        self.system.run(call)
    }

    fn secret(&self, reference: &str) -> Result<Value, String> {
        let path = ["file://", "sops://"].iter().find_map(|provider| reference.strip_prefix(provider));
        let path = path.map(|path| path.split(['?', '#']).next().unwrap_or_default());
        match path {
            Some(path) if !self.holds(path) => Err(format!("`{path}` leads out of the repository")),
            _ => self.system.secret(reference),
        }
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        self.system.decrypt(path, encrypted)
    }
}
