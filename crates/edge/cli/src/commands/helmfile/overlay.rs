//! Files that are only in memory, beside those of the machine: [`Overlay`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{Entry, EntryKind, MemoryWorld, ReadError, World};
use std::sync::Arc;

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
    onepane_world::answers_of!(world: now, random, env);

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
}
