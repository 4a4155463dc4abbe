//! Files that are only in memory, beside those of the machine: [`Overlay`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{Entry, EntryKind, MemoryWorld, ReadError, World};
use std::sync::Arc;
use std::time::SystemTime;

/// What paths of files in memory begin with: no file on disk is called so.
pub(super) const MEMORY: &str = "/\u{1}memory/";

/// A world with more files, whose paths begin with [`MEMORY`].
pub(super) struct Overlay<'w> {
    pub(super) world: &'w dyn World,
    pub(super) memory: &'w MemoryWorld,
}

impl Overlay<'_> {
    fn of(&self, path: &Utf8Path) -> &dyn World {
        if path.as_str().starts_with(MEMORY.trim_end_matches('/')) { self.memory } else { self.world }
    }
}

impl World for Overlay<'_> {
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.of(path).read(path)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.of(path).list(path)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.of(path).kind(path)
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        self.of(path).canonical(path)
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        self.world.env(name)
    }
}
