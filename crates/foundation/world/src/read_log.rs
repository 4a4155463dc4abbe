//! A world that remembers which files were read: [`ReadLog`].

use crate::{ReadError, World, normalize};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Another world, and which of its files somebody has read.
pub struct ReadLog<'w> {
    world: &'w dyn World,
    /// Where the world starts, links followed: some ask for paths from there.
    start: Utf8PathBuf,
    read: Mutex<BTreeSet<Utf8PathBuf>>,
}

impl<'w> ReadLog<'w> {
    /// Remembers what is read of `world` from now on.
    pub fn new(world: &'w dyn World) -> Self {
        let start = world.canonical("".into()).unwrap_or_default();
        Self { world, start, read: Mutex::default() }
    }

    /// Whether the file with this path from where the world starts was read.
    pub fn has_read(&self, path: &Utf8Path) -> bool {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    /// The files that were read so far, by their paths from where the world starts.
    pub fn read_files(&self) -> BTreeSet<Utf8PathBuf> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl World for ReadLog<'_> {
    crate::answers_of!(world: list, kind, canonical, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        let bytes = self.world.read(path)?;
        let path = normalize(path);
        let path = path.strip_prefix(&self.start).map(Utf8Path::to_owned).unwrap_or(path);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryKind, MemoryWorld};

    #[test]
    fn what_was_read_is_remembered_and_what_failed_is_not() {
        let world = MemoryWorld::new().with("a/b.yaml", "b").with("c.yaml", "c");
        let log = ReadLog::new(&world);
        assert!(log.read("a/../a/b.yaml".into()).is_ok());
        assert!(log.read("absent".into()).is_err());
        assert_eq!(log.kind("c.yaml".into()), Some(EntryKind::File));
        assert!(log.has_read("a/b.yaml".into()) && !log.has_read("c.yaml".into()));
        assert_eq!(log.read_files().into_iter().collect::<Vec<_>>(), ["a/b.yaml"]);
    }
}
