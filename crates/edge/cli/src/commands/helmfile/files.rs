//! The files that states are read from: [`Files`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{Entry, EntryKind, OsWorld, ReadError, World};
use std::sync::Arc;
use std::time::SystemTime;

/// What the path of a state on standard input is.
pub(super) const STDIN: &str = "-";

/// Those of this machine, and what standard input had, where a state is read from there.
pub(super) struct Files {
    pub(super) disk: OsWorld,
    pub(super) stdin: Option<Arc<[u8]>>,
}

impl Files {
    fn stdin(&self, path: &Utf8Path) -> Option<&Arc<[u8]>> {
        self.stdin.as_ref().filter(|_| path == STDIN)
    }
}

impl World for Files {
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.stdin(path).cloned().map_or_else(|| self.disk.read(path), Ok)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.disk.list(path)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.stdin(path).map_or_else(|| self.disk.kind(path), |_| Some(EntryKind::File))
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        self.disk.canonical(path)
    }

    fn now(&self) -> SystemTime {
        self.disk.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.disk.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        self.disk.env(name)
    }
}
