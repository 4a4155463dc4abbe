//! Results kept on disk: [`DiskStore`].
//!
//! ```text
//! <folder>/<program>/ab/cdef…    a result: the digest of what follows it, then the result
//! ```
//!
//! The name of a result is a digest, too, and `program` one of the program itself, so that another version begins anew.
//! Any number of processes use the folder at once, and nobody locks it: a file appears whole, under another name first, and
//! is only ever replaced or removed. One that is cut off, or whose bytes have flipped, counts as absent. A disk that is
//! full keeps nothing. All of it may be deleted at any time.
//!
//! What nobody has used for longest is removed when there is too much. Processes look at that when they have written much
//! themselves.

mod sweep;

use camino::{Utf8Path, Utf8PathBuf};
use filetime::FileTime;
use onepane_repo::{ResultName, Store};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Results in a folder.
pub struct DiskStore {
    /// Of all programs.
    folder: Utf8PathBuf,
    /// Of this one.
    own: Utf8PathBuf,
    most_bytes: u64,
    written: AtomicU64,
}

/// A process that has written this share of what is allowed looks for what is old.
const SWEEP_SHARE: u64 = 16;

/// Results are said to be used no more often than this, since that is written to the disk.
const USED_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// No result is larger.
const LARGEST: u64 = 256 << 20;

const DIGEST: usize = 32;

impl DiskStore {
    /// Results in `folder`, of no more than about `most_bytes`, for the program that calls itself `program`.
    pub fn new(folder: impl Into<Utf8PathBuf>, program: &[u8], most_bytes: u64) -> Self {
        let folder = folder.into();
        let own = folder.join(&blake3::hash(program).to_hex()[..16]);
        Self { folder, own, most_bytes, written: AtomicU64::new(0) }
    }

    fn path(&self, name: &ResultName) -> Utf8PathBuf {
        let name = blake3::Hash::from_bytes(*name).to_hex();
        let (first, rest) = name.split_at(2);
        self.own.join(first).join(rest)
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&self.own);
        make_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix(sweep::UNFINISHED).tempfile_in(folder)?;
        file.write_all(blake3::hash(bytes).as_bytes())?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }
}

/// Others on this machine need not know what a company runs.
fn make_folder(folder: &Utf8Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

impl Store for DiskStore {
    fn get(&self, name: &ResultName) -> Option<Vec<u8>> {
        let path = self.path(name);
        let file = std::fs::File::open(&path).ok()?;
        let metadata = file.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= LARGEST)?;
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        std::io::Read::read_to_end(&mut std::io::Read::take(&file, LARGEST), &mut bytes).ok()?;
        let (digest, result) = bytes.split_at_checked(DIGEST)?;
        if blake3::hash(result).as_bytes() != digest {
            return None;
        }
        let used = metadata.modified().ok().and_then(|used| SystemTime::now().duration_since(used).ok());
        if used.is_some_and(|used| used > USED_AGAIN) {
            let _ = filetime::set_file_mtime(&path, FileTime::now());
        }
        bytes.drain(..DIGEST);
        Some(bytes)
    }

    fn put(&self, name: &ResultName, bytes: &[u8]) {
        let size = (bytes.len() + DIGEST) as u64;
        // Where it can't be kept it is made again.
        if size > LARGEST.min(self.most_bytes / 2) || self.write(&self.path(name), bytes).is_err() {
            return;
        }
        let written = self.written.fetch_add(size, Ordering::Relaxed) + size;
        if written > self.most_bytes / SWEEP_SHARE {
            self.written.store(0, Ordering::Relaxed);
            sweep::remove_oldest(&self.folder, self.most_bytes);
        }
    }
}

#[cfg(test)]
mod tests;
