//! A world with one file in place of another's, or where none is: [`Changed`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{EntryKind, ReadError, World, normalize};
use std::sync::Arc;

/// Files of `world`, and one that is not there, or has other contents there.
pub(crate) struct Changed<'w> {
    world: &'w dyn World,
    /// Where it is, for those who ask by relative paths and by what links lead to.
    paths: [Utf8PathBuf; 2],
    contents: Arc<[u8]>,
}

impl<'w> Changed<'w> {
    /// `name` in `folder`, which is there, is `contents`.
    pub(crate) fn new(world: &'w dyn World, folder: &Utf8Path, name: &str, contents: &str) -> Self {
        let canonical = world.canonical(folder).unwrap_or_else(|_| normalize(folder));
        let paths = [normalize(&folder.join(name)), canonical.join(name)];
        Self { world, paths, contents: contents.as_bytes().into() }
    }

    fn is_it(&self, path: &Utf8Path) -> bool {
        let path = normalize(path);
        self.paths.contains(&path)
    }
}

impl World for Changed<'_> {
    onepane_world::answers_of!(world: list, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        if self.is_it(path) { Ok(self.contents.clone()) } else { self.world.read(path) }
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        if self.is_it(path) { Some(EntryKind::File) } else { self.world.kind(path) }
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        if self.is_it(path) { Ok(self.paths[1].clone()) } else { self.world.canonical(path) }
    }
}
