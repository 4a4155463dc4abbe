//! The outside as the kernel sees it.
//!
//! The kernel performs no I/O: it reads files, the clock, randomness and the environment through a [`World`]. The
//! operating system is one world ([`OsWorld`], which never leaves its root when it has one), a map in memory is
//! another ([`MemoryWorld`]). [`Recorded`] notes what is asked of a world, and the [`Trace`] that comes of it tells whether
//! another one would answer the same. A [`ReadLog`] only remembers which files were read.

mod answers_of;
mod digest;
mod edited;
mod memory;
mod os;
mod read_log;
mod recorded;
mod trace;

use camino::{Utf8Path, Utf8PathBuf};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use digest::Digest;
pub use edited::Edited;
pub use memory::MemoryWorld;
pub use os::OsWorld;
pub use read_log::ReadLog;
pub use recorded::Recorded;
pub use trace::Trace;

/// Files by path, clock, randomness and environment.
///
/// Paths are the world's own: absolute, or relative to where the world starts; `.` and `..` are resolved by text
/// before anything is read (see [`normalize`]).
pub trait World: Send + Sync {
    /// A file's bytes.
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError>;
    /// A folder's entries, sorted by name.
    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError>;
    /// What is at `path`, links followed; `None` where nothing is or where it may not be read.
    fn kind(&self, path: &Utf8Path) -> Option<EntryKind>;
    /// The path with every link followed, where the world has links; an error where nothing is there or where it
    /// leaves the root.
    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError>;
    /// The clock.
    fn now(&self) -> SystemTime;
    /// Fills `bytes` with randomness.
    fn random(&self, bytes: &mut [u8]);
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;

    /// A file's bytes and their digest; without one they can't be known again.
    fn read_known(&self, path: &Utf8Path) -> Result<(Arc<[u8]>, Option<Digest>), ReadError> {
        let bytes = self.read(path)?;
        let digest = Digest::of(&bytes);
        Ok((bytes, digest))
    }

    /// The digest of a file's bytes, without reading them where that is possible.
    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        self.read_known(path).map(|(_, digest)| digest)
    }

    /// The digest of a file at this very path, no link on the way, where it is known without reading the file.
    fn real_digest(&self, _path: &Utf8Path) -> Option<Digest> {
        None
    }

    /// A digest of all that is in a folder, and below it, where it is known without reading. There is none where a link is on
    /// the way, or where what is directly in it leads elsewhere.
    fn folder_digest(&self, _path: &Utf8Path) -> Option<Digest> {
        None
    }

    /// Who notes what is asked of this world, if somebody does.
    fn recorder(&self) -> Option<&Recorded<'_>> {
        None
    }
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name within the folder.
    pub name: String,
    /// What it is, links followed.
    pub kind: EntryKind,
    /// Whether it is a symbolic link.
    pub link: bool,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link to nothing, a device or whatever else is neither.
    Other,
}

/// Why a path could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The path that was asked for.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub reason: ReadErrorReason,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadErrorReason {
    /// Nothing is there.
    Absent,
    /// It leads out of the root, by `..` or by a link.
    LeavesRoot,
    /// It is a folder where a file was wanted, or the other way round.
    WrongKind,
    /// It is larger than this many bytes.
    TooLarge(u64),
    /// Whatever else the system says.
    Other(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.reason {
            ReadErrorReason::Absent => write!(f, "there is no `{path}`"),
            ReadErrorReason::LeavesRoot => write!(f, "`{path}` leads out of the folder that may be read"),
            ReadErrorReason::WrongKind => write!(f, "`{path}` is not what was expected there (a file or a folder)"),
            ReadErrorReason::TooLarge(limit) => write!(f, "`{path}` is larger than {limit} bytes"),
            ReadErrorReason::Other(error) => write!(f, "`{path}` can't be read: {error}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    /// For `path`.
    pub fn new(path: &Utf8Path, reason: ReadErrorReason) -> Self {
        Self { path: path.to_owned(), reason }
    }
}

/// Resolves `.` and `..` by text. `..` above the start of a relative path is kept.
pub fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    use camino::Utf8Component::{CurDir, Normal, ParentDir, Prefix, RootDir};
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            CurDir => {}
            ParentDir => match out.components().next_back() {
                Some(Normal(_)) => {
                    out.pop();
                }
                Some(RootDir | Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_resolved_by_text() {
        let cases = [("a/./b/../c", "a/c"), ("../a", "../a"), ("a/../../b", "../b"), ("/../a", "/a"), ("./", "")];
        for (path, wanted) in cases {
            assert_eq!(normalize(path.into()), wanted, "{path}");
        }
    }
}
