//! A world in which some files have other contents: [`Edited`].

use crate::{Digest, ReadError, World, normalize};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Another world, but that some of its files have other contents. No file comes and none goes.
pub struct Edited<'w> {
    world: &'w dyn World,
    /// Where the world starts, links followed: some ask for paths from there.
    start: Utf8PathBuf,
    edits: BTreeMap<Utf8PathBuf, Arc<[u8]>>,
}

impl<'w> Edited<'w> {
    /// `world` with these contents of files, by their paths from where it starts, no link on the way.
    pub fn new(world: &'w dyn World, edits: impl IntoIterator<Item = (Utf8PathBuf, String)>) -> Self {
        let start = world.canonical("".into()).unwrap_or_default();
        let edits = edits.into_iter().map(|(path, text)| (normalize(&path), Arc::from(text.into_bytes())));
        Self { world, start, edits: edits.collect() }
    }

    fn edit(&self, path: &Utf8Path) -> Option<&Arc<[u8]>> {
        if let Some(bytes) = self.edits.get(&self.below(path)) {
            return Some(bytes);
        }
        // The same file by a way on which there is a link.
        let real = self.world.canonical(path).ok()?;
        self.edits.get(real.strip_prefix(&self.start).ok()?)
    }

    fn below(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = normalize(path);
        path.strip_prefix(&self.start).map(Utf8Path::to_owned).unwrap_or(path)
    }
}

impl World for Edited<'_> {
    crate::answers_of!(world: list, kind, canonical, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.edit(path).map_or_else(|| self.world.read(path), |bytes| Ok(bytes.clone()))
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        self.edit(path).map_or_else(|| self.world.digest(path), |bytes| Ok(Digest::of(bytes)))
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        match self.edits.get(&self.below(path)) {
            Some(bytes) => Digest::of(bytes),
            None => self.world.real_digest(path),
        }
    }

    fn folder_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let folder = self.below(path);
        if self.edits.keys().any(|file| file.starts_with(&folder)) {
            return None;
        }
        self.world.folder_digest(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryKind, MemoryWorld};

    #[test]
    fn what_was_edited_reads_so_and_all_else_as_before() {
        let world = MemoryWorld::new().with("a/b.yaml", "old").with("a/c.yaml", "c").with("d/e.yaml", "e");
        let edited = Edited::new(&world, [(Utf8PathBuf::from("a/b.yaml"), "new".to_owned())]);
        let text = |path: &str| edited.read(path.into()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(text("a/./b.yaml").as_deref(), Ok("new"));
        assert_eq!(text("a/c.yaml").as_deref(), Ok("c"));
        assert!(text("gone").is_err());
        assert_eq!(edited.digest("a/b.yaml".into()), Ok(Digest::of(b"new")));
        assert_eq!(edited.digest("a/c.yaml".into()), Ok(Digest::of(b"c")));
        assert_eq!(edited.list("a".into()), world.list("a".into()));
        assert_eq!(edited.kind("d".into()), Some(EntryKind::Folder));
    }
}
