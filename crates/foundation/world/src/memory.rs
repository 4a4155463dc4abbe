//! A world that is a map: for tests, and for text that was made on the fly.

use crate::{Entry, EntryKind, ReadError, ReadErrorReason, World, normalize};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Files in memory, a clock that stands still and randomness that repeats.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    files: BTreeMap<Utf8PathBuf, Arc<[u8]>>,
    environment: BTreeMap<String, String>,
}

impl MemoryWorld {
    /// A world without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The world with one more file; the folders above it come with it.
    pub fn with(mut self, path: impl AsRef<Utf8Path>, contents: impl AsRef<[u8]>) -> Self {
        self.files.insert(normalize(path.as_ref()), contents.as_ref().into());
        self
    }

    /// The world with an environment variable.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        match self.files.get(&normalize(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None if self.kind(path).is_some() => Err(ReadError::new(path, ReadErrorReason::WrongKind)),
            None => Err(ReadError::new(path, ReadErrorReason::Absent)),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let folder = normalize(path);
        match self.kind(&folder) {
            None => return Err(ReadError::new(path, ReadErrorReason::Absent)),
            Some(EntryKind::Folder) => {}
            Some(_) => return Err(ReadError::new(path, ReadErrorReason::WrongKind)),
        }
        let mut entries: Vec<Entry> = Vec::new();
        for file in self.files.keys() {
            let Ok(rest) = file.strip_prefix(&folder) else { continue };
            let mut components = rest.components();
            let Some(first) = components.next() else { continue };
            let kind = if components.next().is_some() { EntryKind::Folder } else { EntryKind::File };
            if entries.last().is_none_or(|last| last.name != first.as_str()) {
                entries.push(Entry { name: first.as_str().to_owned(), kind, link: false });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup();
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let path = normalize(path);
        if self.files.contains_key(&path) {
            return Some(EntryKind::File);
        }
        let folder = path.as_str().is_empty() || self.files.keys().any(|file| file.starts_with(&path));
        folder.then_some(EntryKind::Folder)
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        match self.kind(path) {
            Some(_) => Ok(normalize(path)),
            None => Err(ReadError::new(path, ReadErrorReason::Absent)),
        }
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = (index as u8).wrapping_mul(167).wrapping_add(13);
        }
    }

    fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}
