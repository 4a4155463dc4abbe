//! The files that states are read from: [`Files`].

use camino::Utf8Path;
use onepane_world::{EntryKind, OsWorld, ReadError, World};
use std::sync::Arc;

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
    onepane_world::answers_of!(disk: list, canonical, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.stdin(path).cloned().map_or_else(|| self.disk.read(path), Ok)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.stdin(path).map_or_else(|| self.disk.kind(path), |_| Some(EntryKind::File))
    }
}
