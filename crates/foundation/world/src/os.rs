//! The operating system as a world, kept within a root where one is given.

use crate::{Entry, EntryKind, ReadError, ReadErrorReason, World, normalize};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;

/// No single file of a repository is larger; a device or a sparse file would otherwise fill the memory.
const LARGEST_FILE: u64 = 512 << 20;

/// The operating system's files, clock, randomness and environment.
#[derive(Clone, Debug)]
pub struct OsWorld {
    /// Relative paths start here.
    start: Utf8PathBuf,
    /// Canonical; nothing outside is read where it is set.
    root: Option<Utf8PathBuf>,
}

impl OsWorld {
    /// Relative paths start at `start`, and every file of the machine may be read: what the drop-in commands need,
    /// which take charts and values from anywhere.
    pub fn unrestricted(start: impl Into<Utf8PathBuf>) -> Self {
        Self { start: start.into(), root: None }
    }

    /// Relative paths start at `root`, and nothing outside it is read, not through `..` and not through a link.
    pub fn within(root: impl AsRef<Utf8Path>) -> Result<Self, ReadError> {
        let root = root.as_ref();
        let canonical = root.canonicalize_utf8().map_err(|error| io_error(root, &error))?;
        Ok(Self { start: canonical.clone(), root: Some(canonical) })
    }

    fn locate(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        let full = self.start.join(path);
        // Most paths are normal, and few of those have two dots in a row.
        let full = if has_dots(&full) { normalize(&full) } else { full };
        let Some(root) = &self.root else { return Ok(full) };
        if !full.starts_with(root) {
            return Err(ReadError::new(path, ReadErrorReason::LeavesRoot));
        }
        let canonical = full.canonicalize_utf8().map_err(|error| io_error(path, &error))?;
        if !canonical.starts_with(root) {
            return Err(ReadError::new(path, ReadErrorReason::LeavesRoot));
        }
        Ok(canonical)
    }
}

impl World for OsWorld {
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        let full = self.locate(path)?;
        let file = std::fs::File::open(&full).map_err(|error| io_error(path, &error))?;
        let metadata = file.metadata().map_err(|error| io_error(path, &error))?;
        if !metadata.is_file() {
            return Err(ReadError::new(path, ReadErrorReason::WrongKind));
        }
        let too_large = || ReadError::new(path, ReadErrorReason::TooLarge(LARGEST_FILE));
        if metadata.len() > LARGEST_FILE {
            return Err(too_large());
        }
        read_whole(file, metadata.len() as usize).map_err(|error| io_error(path, &error))?.ok_or_else(too_large)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let full = self.locate(path)?;
        let mut entries = Vec::new();
        for entry in full.read_dir_utf8().map_err(|error| io_error(path, &error))? {
            let entry = entry.map_err(|error| io_error(path, &error))?;
            let file_type = entry.file_type().map_err(|error| io_error(path, &error))?;
            let link = file_type.is_symlink();
            let kind = if link {
                self.kind(&path.join(entry.file_name())).unwrap_or(EntryKind::Other)
            } else {
                kind_of(file_type)
            };
            entries.push(Entry { name: entry.file_name().to_owned(), kind, link });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let full = self.locate(path).ok()?;
        std::fs::metadata(full).ok().map(|metadata| kind_of(metadata.file_type()))
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        let full = self.locate(path)?;
        full.canonicalize_utf8().map_err(|error| io_error(path, &error))
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system always has randomness");
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The contents of a file that says that it is `size` bytes long; `None` if it is longer than any may be.
fn read_whole(mut file: std::fs::File, size: usize) -> std::io::Result<Option<Arc<[u8]>>> {
    // Straight to where they stay: charts are many files, and each would be copied once more.
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let room = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
    let mut read = 0;
    while read < size {
        match file.read(&mut room[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // What is being written, or made up by the system as it is read, is shorter or longer than it said.
    let mut rest = Vec::new();
    let length = read + file.take(LARGEST_FILE + 1 - read as u64).read_to_end(&mut rest)?;
    if length as u64 > LARGEST_FILE {
        return Ok(None);
    }
    Ok(Some(if length == size { bytes } else { [&bytes[..read], rest.as_slice()].concat().into() }))
}

/// Whether a path has a `.` or `..` for text to resolve.
fn has_dots(path: &Utf8Path) -> bool {
    path.as_str().split('/').any(|part| matches!(part, "." | ".."))
}

fn kind_of(file_type: std::fs::FileType) -> EntryKind {
    if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_dir() {
        EntryKind::Folder
    } else {
        EntryKind::Other
    }
}

fn io_error(path: &Utf8Path, error: &std::io::Error) -> ReadError {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    let reason = match error.kind() {
        NotFound => ReadErrorReason::Absent,
        IsADirectory | NotADirectory => ReadErrorReason::WrongKind,
        _ => ReadErrorReason::Other(error.to_string()),
    };
    ReadError::new(path, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_root_is_read() {
        let folder = std::env::temp_dir().join(format!("onepane-world-{}", std::process::id()));
        let folder = Utf8PathBuf::try_from(folder).expect("a temporary folder has a UTF-8 path");
        let root = folder.join("root");
        std::fs::create_dir_all(&root).expect("the folder can be made");
        std::fs::write(folder.join("secret"), "outside").expect("the file can be written");
        std::fs::write(root.join("file"), "inside").expect("the file can be written");
        std::os::unix::fs::symlink("../secret", root.join("link")).expect("the link can be made");
        let world = OsWorld::within(&root).expect("the root exists");
        assert_eq!(&*world.read("file".into()).expect("it is inside"), b"inside");
        for path in ["../secret", "link", "/etc/passwd", "a/../../secret"] {
            let error = world.read(path.into()).expect_err(path);
            assert_eq!(error.reason, ReadErrorReason::LeavesRoot, "{path}");
        }
        std::fs::remove_dir_all(folder).expect("the folder can be removed");
    }
}
