//! The secrets of a repository's state, for `onepane render` and those who render to look: [`RepositorySecrets`].

use super::helmfile::system::System;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_helmfile::{Found, Outside, ProgramCall, Reference};

/// Decrypts, and runs nothing. No reference leads out of the repository: whoever wrote that might want to have a file of
/// ours, encrypted for a key of theirs.
pub(crate) struct RepositorySecrets {
    root: Utf8PathBuf,
    system: System,
}

impl RepositorySecrets {
    /// Those of the repository at `root`.
    pub(crate) fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), system: System::new(true, root.to_owned()) }
    }

    fn holds(&self, path: &Utf8Path) -> bool {
        let path = self.root.join(path).canonicalize_utf8();
        // What is not there is told by whoever reads it.
        path.map_or(true, |path| self.root.canonicalize_utf8().is_ok_and(|root| path.starts_with(root)))
    }
}

impl Outside for RepositorySecrets {
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>, String> {
        self.system.run(call)
    }

    fn secret(&self, folder: &Utf8Path, reference: &Reference) -> Result<Found, String> {
        let path = folder.join(reference.path());
        if matches!(reference.provider(), "file" | "sops") && !self.holds(&path) {
            return Err(format!("`{}` leads out of the repository", reference.path()));
        }
        self.system.secret(folder, reference)
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> Result<Vec<u8>, String> {
        self.system.decrypt(path, encrypted)
    }
}
