//! Files on disk, whose digests Git may know already: [`Checkout`].

use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::BStr;
use gix::index::entry::stat::Options;
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::fs::Metadata;
use onepane_world::{Digest, EntryKind, OsWorld, ReadError, World, normalize};
use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// A folder on disk, links followed within it, and nowhere else. Where it is in a repository of Git's, and Git's index says
/// that a file has not been touched since it was added, its digest is known without reading it.
///
/// It stands for one state of the files.
pub struct Checkout {
    files: OsWorld,
    root: Utf8PathBuf,
    /// Read when it is wanted.
    index: OnceLock<Option<Index>>,
    /// Which folders are that, and no links, nor below one.
    real_folders: RwLock<HashMap<Utf8PathBuf, bool>>,
}

struct Index {
    index: gix::worktree::Index,
    /// Where the folder is in the repository, with a slash at the end.
    prefix: String,
    options: Options,
}

impl Checkout {
    /// The folder `root`.
    ///
    /// # Errors
    /// For what is no folder.
    pub fn new(root: &Utf8Path) -> Result<Self, ReadError> {
        let files = OsWorld::within(root)?;
        let root = files.canonical(Utf8Path::new(""))?;
        Ok(Self { files, root, index: OnceLock::new(), real_folders: RwLock::default() })
    }

    /// Whether a folder, by its path below the root, is one and none of those that it is in is a link.
    fn is_real(&self, folder: &Utf8Path) -> bool {
        if folder.as_str().is_empty() {
            return true;
        }
        if let Some(is_real) = self.real_folders.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return *is_real;
        }
        let is_real = self.is_real(folder.parent().unwrap_or(Utf8Path::new("")))
            && self.root.join(folder).symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        self.real_folders.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), is_real);
        is_real
    }

    /// The path below the root, if no link is on the way to it; it may itself be one.
    fn below(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        let path = normalize(path);
        let path = if path.is_absolute() { path.strip_prefix(&self.root).ok()?.to_owned() } else { path };
        let is_real = !path.starts_with("..") && self.is_real(path.parent().unwrap_or(Utf8Path::new("")));
        is_real.then_some(path)
    }
}

impl Index {
    fn of(repository: &LocalRepository) -> Option<Self> {
        let git = repository.git();
        let config = git.config_snapshot();
        // What is on disk is what Git has, byte by byte, only where nobody asked for anything else.
        let converts = config.string("core.autocrlf").is_some_and(|value| value.as_slice() != b"false")
            || config.string("core.attributesFile").is_some()
            || git.common_dir().join("info/attributes").exists();
        let index = git.index_or_empty().ok()?;
        let is_attributes = |path: &BStr| path == ".gitattributes" || path.ends_with(b"/.gitattributes");
        if converts || index.entries().iter().any(|entry| is_attributes(entry.path(&index))) {
            return None;
        }
        let prefix = repository.prefix();
        let prefix = if prefix.as_str().is_empty() { String::new() } else { format!("{prefix}/") };
        let options = Options { trust_ctime: true, check_stat: true, use_nsec: true, use_stdev: false };
        Some(Self { index, prefix, options })
    }

    /// The digest of the file with this path and `metadata`, if it is as it was when it was added.
    fn digest(&self, path: &Utf8Path, metadata: &Metadata) -> Option<Digest> {
        let path = format!("{}{path}", self.prefix);
        let entry = self.index.entry_by_path(BStr::new(&path))?;
        let unusable = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD | Flags::REMOVE;
        if entry.flags.intersects(unusable)
            || entry.stage_raw() != 0
            || !matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE)
        {
            return None;
        }
        let now = Stat::from_fs(metadata).ok()?;
        // What was written in the moment in which the index was may have been written once more.
        let is_same =
            entry.stat.matches(&now, self.options) && !entry.stat.is_racy(self.index.timestamp(), self.options);
        if is_same { Digest::from_git(entry.id.as_bytes()) } else { None }
    }
}

impl World for Checkout {
    onepane_world::answers_of!(files: read, list, now, random, env);

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let Some(below) = self.below(path) else { return self.files.kind(path) };
        let kind = self.root.join(below).symlink_metadata().ok()?.file_type();
        match () {
            () if kind.is_file() => Some(EntryKind::File),
            () if kind.is_dir() => Some(EntryKind::Folder),
            () if kind.is_symlink() => self.files.kind(path),
            () => Some(EntryKind::Other),
        }
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        if let Some(below) = self.below(path)
            && let full = self.root.join(below)
            && full.symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink())
        {
            return Ok(full);
        }
        self.files.canonical(path)
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        match self.real_digest(path) {
            None => self.files.digest(path),
            known => Ok(known),
        }
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let index = self.index.get_or_init(|| Index::of(&LocalRepository::of(&self.root).ok()?));
        let (index, below) = index.as_ref().zip(self.below(path))?;
        let metadata = Metadata::from_path_no_follow(self.root.join(&below).as_std_path()).ok()?;
        if metadata.is_file() { index.digest(&below, &metadata) } else { None }
    }
}
