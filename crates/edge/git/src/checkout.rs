//! Files on disk, whose digests Git may know already: [`Checkout`].

use crate::local::LocalRepository;
use crate::untouched::{stat_of, untouched_folders};
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::BStr;
use gix::index::entry::stat::Options;
use gix::index::entry::{Flags, Mode, Stat};
use onepane_world::{Digest, Entry, EntryKind, OsWorld, ReadError, ReadErrorReason, World, normalize};
use std::collections::HashMap;
use std::fs::Metadata;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// A folder on disk, links followed within it, and nowhere else. Where it is in a repository of Git's, and Git's index says
/// that a file has not been touched since it was added, its digest is known without reading it.
///
/// It stands for one state of the files.
pub struct Checkout {
    files: OsWorld,
    /// The same without a look at where links lead, for paths of which it is known that there are none.
    unlinked: OsWorld,
    root: Utf8PathBuf,
    /// Read when it is wanted.
    index: OnceLock<Option<Index>>,
    /// Which folders are that, and no links, nor below one.
    real_folders: RwLock<HashMap<Utf8PathBuf, bool>>,
    /// What is in those that were listed, if no link is.
    listings: RwLock<HashMap<Utf8PathBuf, Arc<[Entry]>>>,
    /// Those that are as Git's index has them, if somebody has looked.
    untouched: OnceLock<HashMap<Utf8PathBuf, Digest>>,
}

/// What is at a path to which no link leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Is(EntryKind),
    Link,
}

pub(crate) struct Index {
    pub(crate) index: gix::worktree::Index,
    /// Where the folder is in the repository, with a slash at the end.
    pub(crate) prefix: String,
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
        let unlinked = OsWorld::unrestricted(&root);
        let (real_folders, listings) = (RwLock::default(), RwLock::default());
        let (index, untouched) = (OnceLock::new(), OnceLock::new());
        Ok(Self { files, unlinked, root, index, real_folders, listings, untouched })
    }

    /// Looks at every file, so that of a folder in which nothing was touched since it was added to Git's index, the digest is
    /// known at once: for whoever is going to ask for most of them.
    pub fn look_at_all(&self) {
        self.untouched
            .get_or_init(|| self.index().map(|index| untouched_folders(index, &self.root)).unwrap_or_default());
    }

    fn index(&self) -> Option<&Index> {
        self.index.get_or_init(|| Index::of(&LocalRepository::of(&self.root).ok()?)).as_ref()
    }

    /// Whether a folder, by its path below the root, is one and none of those that it is in is a link.
    fn is_real(&self, folder: &Utf8Path) -> bool {
        if folder.as_str().is_empty() {
            return true;
        }
        if let Some(is_real) = self.real_folders.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return *is_real;
        }
        let is_real = self.is_real(parent_of(folder)) && self.there(folder) == Some(There::Is(EntryKind::Folder));
        self.real_folders.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), is_real);
        is_real
    }

    /// The path below the root, if no link is on the way to it; it may itself be one.
    fn below(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        let path = normalize(path);
        let path = if path.is_absolute() { path.strip_prefix(&self.root).ok()?.to_owned() } else { path };
        let is_real = !path.starts_with("..") && self.is_real(parent_of(&path));
        is_real.then_some(path)
    }

    /// What is at a path below the root.
    fn there(&self, below: &Utf8Path) -> Option<There> {
        if let Some(kind) = self.listed(below) {
            return kind.map(There::Is);
        }
        let kind = self.root.join(below).symlink_metadata().ok()?.file_type();
        Some(match () {
            () if kind.is_file() => There::Is(EntryKind::File),
            () if kind.is_dir() => There::Is(EntryKind::Folder),
            () if kind.is_symlink() => There::Link,
            () => There::Is(EntryKind::Other),
        })
    }

    /// What is at a path below the root, as far as its folder was listed.
    fn listed(&self, below: &Utf8Path) -> Option<Option<EntryKind>> {
        let name = below.file_name()?;
        let listings = self.listings.read().unwrap_or_else(PoisonError::into_inner);
        let entries = listings.get(below.parent()?)?;
        let found = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
        Some(found.ok().map(|at| entries[at].kind))
    }
}

fn parent_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}

impl Index {
    fn of(repository: &LocalRepository) -> Option<Self> {
        let prefix = repository.prefix();
        let prefix = if prefix.as_str().is_empty() { String::new() } else { format!("{prefix}/") };
        Self::below(repository.git(), prefix)
    }

    /// That of a whole repository.
    pub(crate) fn at_top_of(git: &gix::Repository) -> Option<Self> {
        Self::below(git, String::new())
    }

    fn below(git: &gix::Repository, prefix: String) -> Option<Self> {
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
        let options = Options { trust_ctime: true, check_stat: true, use_nsec: true, use_stdev: false };
        Some(Self { index, prefix, options })
    }

    /// The digest of the file with this path and `metadata`, if it is as it was when it was added.
    fn digest(&self, path: &Utf8Path, metadata: &Metadata) -> Option<Digest> {
        let path = format!("{}{path}", self.prefix);
        let entry = self.index.entry_by_path(BStr::new(&path))?;
        let is_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
        if is_file && self.is_same(entry, &stat_of(metadata)) { Digest::from_git(entry.id.as_bytes()) } else { None }
    }

    /// Whether what an entry stands for is as it was when it was added.
    pub(crate) fn is_same(&self, entry: &gix::index::Entry, now: &Stat) -> bool {
        let unusable = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD | Flags::REMOVE;
        // What was written in the moment in which the index was may have been written once more.
        !entry.flags.intersects(unusable)
            && entry.stage_raw() == 0
            && entry.stat.matches(now, self.options)
            && !entry.stat.is_racy(self.index.timestamp(), self.options)
    }
}

impl World for Checkout {
    onepane_world::answers_of!(files: now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        match self.below(path) {
            Some(below) if self.there(&below) != Some(There::Link) => self.unlinked.read(path),
            _ => self.files.read(path),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let Some(folder) = self.below(path).filter(|folder| self.is_real(folder)) else { return self.files.list(path) };
        if let Some(entries) = self.listings.read().unwrap_or_else(PoisonError::into_inner).get(&folder) {
            return Ok(entries.to_vec());
        }
        let entries = self.unlinked.list(path)?;
        if entries.iter().any(|entry| entry.link) {
            return self.files.list(path);
        }
        self.listings.write().unwrap_or_else(PoisonError::into_inner).insert(folder, entries.as_slice().into());
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let Some(below) = self.below(path) else { return self.files.kind(path) };
        match self.there(&below)? {
            There::Is(kind) => Some(kind),
            There::Link => self.files.kind(path),
        }
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        let Some(below) = self.below(path) else { return self.files.canonical(path) };
        match self.there(&below) {
            Some(There::Is(_)) => Ok(self.root.join(below)),
            None if self.listed(&below) == Some(None) => Err(ReadError::new(path, ReadErrorReason::Absent)),
            _ => self.files.canonical(path),
        }
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        match self.real_digest(path) {
            None => self.files.digest(path),
            known => Ok(known),
        }
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let (index, below) = self.index().zip(self.below(path))?;
        let metadata = self.root.join(&below).symlink_metadata().ok()?;
        if metadata.is_file() { index.digest(&below, &metadata) } else { None }
    }

    fn folder_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let path = normalize(path);
        let below = path.strip_prefix(&self.root).unwrap_or(&path);
        self.untouched.get()?.get(below).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder with files and links, asked before and after it was listed: links lead within it, and nowhere else.
    #[test]
    fn links_are_followed_within_the_root_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let top = Utf8Path::from_path(folder.path()).expect("its path is text");
        let root = top.join("root");
        for path in ["root/a/b", "root/c", "outside"] {
            std::fs::create_dir_all(top.join(path)).expect("the folder is empty");
        }
        for path in ["root/a/file", "root/a/b/file", "outside/file"] {
            std::fs::write(top.join(path), path).expect("its folder is there");
        }
        for (link, to) in [("c/in", "../a"), ("c/out", "../../outside"), ("c/file", "../../outside/file")] {
            symlink(to, root.join(link)).expect("nothing is there yet");
        }
        let checkout = Checkout::new(&root).expect("it is a folder");
        let text = |path: &str| checkout.read(path.into()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let reason = |path: &str| checkout.read(path.into()).map_err(|error| error.reason);
        for _ in 0..2 {
            assert_eq!(text("a/b/file").as_deref(), Ok("root/a/b/file"));
            assert_eq!(text("c/in/b/../file").as_deref(), Ok("root/a/file"));
            assert_eq!(checkout.canonical("c/in/file".into()).as_deref(), Ok(&*checkout.root.join("a/file")));
            assert_eq!(checkout.kind("a/b".into()), Some(EntryKind::Folder));
            assert_eq!(checkout.kind("c/in".into()), Some(EntryKind::Folder));
            for absent in ["a/nothing", "nothing/file"] {
                assert_eq!(reason(absent), Err(ReadErrorReason::Absent), "{absent}");
                assert_eq!(checkout.kind(absent.into()), None, "{absent}");
                let canonical = checkout.canonical(absent.into()).map_err(|error| error.reason);
                assert_eq!(canonical, Err(ReadErrorReason::Absent), "{absent}");
            }
            for outside in ["c/file", "c/out/file", "../outside/file"] {
                assert_eq!(reason(outside), Err(ReadErrorReason::LeavesRoot), "{outside}");
                assert_eq!(checkout.kind(outside.into()), None, "{outside}");
            }
            let names = |path: &str| -> Vec<(String, bool)> {
                let entries = checkout.list(path.into()).expect("it is a folder");
                entries.into_iter().map(|entry| (entry.name, entry.link)).collect()
            };
            assert_eq!(names("a"), [("b".to_owned(), false), ("file".to_owned(), false)]);
            assert_eq!(names("c"), ["file", "in", "out"].map(|name| (name.to_owned(), true)));
            assert_eq!(names("c/in"), names("a"));
            assert!(checkout.list("c/out".into()).is_err());
        }
    }
}
