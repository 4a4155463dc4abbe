//! Files that are read many times, read once: [`SharedFiles`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::{Digest, Entry, EntryKind, ReadError, World};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Files of charts, for as many releases as they have. It stands for one state of the files.
#[derive(Default)]
pub(crate) struct SharedFiles {
    files: Answers<(Arc<[u8]>, Option<Digest>)>,
    folders: Answers<Vec<Entry>>,
    kinds: RwLock<HashMap<Utf8PathBuf, Option<EntryKind>>>,
    bytes: AtomicUsize,
}

type Answers<T> = RwLock<HashMap<Utf8PathBuf, Result<T, ReadError>>>;

/// What does not fit is read again each time.
const MOST_BYTES: usize = 256 << 20;

/// Another world, read through what was read of it before.
pub(crate) struct Shared<'a> {
    pub(crate) files: &'a SharedFiles,
    pub(crate) world: &'a dyn World,
}

/// What is known of `path`, or what `ask` answers, which is known from then on if `keeps` says so.
fn known<T: Clone>(
    answers: &RwLock<HashMap<Utf8PathBuf, T>>,
    path: &Utf8Path,
    ask: impl FnOnce() -> T,
    keeps: impl FnOnce(&T) -> bool,
) -> T {
    if let Some(answer) = answers.read().unwrap_or_else(PoisonError::into_inner).get(path) {
        return answer.clone();
    }
    let answer = ask();
    if keeps(&answer) {
        answers.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), answer.clone());
    }
    answer
}

impl World for Shared<'_> {
    onepane_world::answers_of!(world: canonical, now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.read_known(path).map(|(bytes, _)| bytes)
    }

    fn read_known(&self, path: &Utf8Path) -> Result<(Arc<[u8]>, Option<Digest>), ReadError> {
        let fits = |answer: &Result<(Arc<[u8]>, Option<Digest>), ReadError>| {
            let size = answer.as_ref().map_or(0, |(bytes, _)| bytes.len());
            self.files.bytes.fetch_add(size, Ordering::Relaxed) + size <= MOST_BYTES
        };
        known(&self.files.files, path, || self.world.read_known(path), fits)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        known(&self.files.folders, path, || self.world.list(path), |_| true)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        known(&self.files.kinds, path, || self.world.kind(path), |_| true)
    }

    fn folder_digest(&self, path: &Utf8Path) -> Option<Digest> {
        self.world.folder_digest(path)
    }
}
