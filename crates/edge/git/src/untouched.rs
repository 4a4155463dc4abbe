//! Folders in which nothing was touched since Git's index was written: [`untouched_folders`], [`is_untouched`].

use crate::checkout::Index;
use camino::{Utf8Path, Utf8PathBuf};
use gix::index::entry::{Mode, Stat, stat};
use gix::index::{Entry, extension::Tree};
use onepane_world::Digest;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::{DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;

/// The folders below `root` that are as the index has them, all that is below included, with the digests of their trees. One
/// that holds a link or a submodule has none, but those above one with a link may.
///
/// Every file is looked at once, folder by folder on all cores, so that it takes no longer than `git status`.
pub(crate) fn untouched_folders(index: &Index, root: &Utf8Path) -> HashMap<Utf8PathBuf, Digest> {
    let mut folders: HashMap<Utf8PathBuf, Digest> =
        walk(index, root).map(|(_, found)| found).unwrap_or_default().into_iter().collect();
    if index.prefix.is_empty() {
        // There is Git's own folder in it, which no tree has.
        folders.remove(Utf8Path::new(""));
    }
    folders
}

/// Whether all files at `root` are as the index has them, and there are no others.
pub(crate) fn is_untouched(index: &Index, root: &Utf8Path) -> bool {
    walk(index, root).is_some_and(|(is_same, _)| is_same)
}

/// Whether all is as it was, and the digests of folders that are; `None` where the index does not know the folder.
fn walk(index: &Index, root: &Utf8Path) -> Option<(bool, Vec<(Utf8PathBuf, Digest)>)> {
    let mut tree = index.index.tree()?;
    for name in index.prefix.split('/').filter(|name| !name.is_empty()) {
        tree = tree.children.iter().find(|child| child.name.as_slice() == name.as_bytes())?;
    }
    let entries = index.index.entries();
    let entries = &entries[range_of(index, entries, index.prefix.as_bytes())];
    Some(Walk { index, root }.folder(&Visit { path: Utf8PathBuf::new(), tree, entries }))
}

/// The entries that are below a folder, whose path ends in a slash.
fn range_of(index: &Index, entries: &[Entry], folder: &[u8]) -> std::ops::Range<usize> {
    let start = entries.partition_point(|entry| path_of(index, entry) < folder);
    let below = entries[start..].partition_point(|entry| path_of(index, entry).starts_with(folder));
    start..start + below
}

fn path_of<'i>(index: &'i Index, entry: &Entry) -> &'i [u8] {
    entry.path(&index.index).as_ref()
}

struct Walk<'i> {
    index: &'i Index,
    root: &'i Utf8Path,
}

/// A folder, and what the index knows of it.
struct Visit<'i> {
    path: Utf8PathBuf,
    tree: &'i Tree,
    entries: &'i [Entry],
}

/// For fewer folders it does not pay to ask another core.
const FEW: usize = 8;

impl<'i> Walk<'i> {
    /// Whether the folder is as it was, and the digests of those that are, from it downwards.
    fn folder(&self, visit: &Visit<'i>) -> (bool, Vec<(Utf8PathBuf, Digest)>) {
        let Visit { path, tree, entries } = visit;
        let folder = self.root.join(path);
        let Ok(listed) = std::fs::read_dir(&folder) else { return (false, Vec::new()) };
        // As the index has them: a folder as if its name ended in a slash.
        let mut names: Vec<(Vec<u8>, DirEntry)> = Vec::with_capacity(entries.len().min(64));
        for entry in listed {
            let Ok(entry) = entry else { return (false, Vec::new()) };
            let Ok(mut name) = entry.file_name().into_string().map(String::into_bytes) else {
                return (false, Vec::new());
            };
            if name == b".git" && path.as_str().is_empty() && self.index.prefix.is_empty() {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                name.push(b'/');
            }
            names.push((name, entry));
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));

        let start = self.index.prefix.len() + if path.as_str().is_empty() { 0 } else { path.as_str().len() + 1 };
        let name_of = |entry: &Entry| &path_of(self.index, entry)[start..];
        let trees: HashMap<&[u8], &'i Tree> = tree.children.iter().map(|child| (&child.name[..], child)).collect();
        let (mut is_same, mut leads_elsewhere) = (tree.num_entries == u32::try_from(entries.len()).ok(), false);
        let (mut rest, mut visits) = (*entries, Vec::new());
        for (name, on_disk) in &names {
            // What comes before it in the index is gone.
            let gone = rest.partition_point(|entry| name_of(entry) < name.as_slice());
            is_same &= gone == 0;
            rest = &rest[gone..];
            if let Some(folder) = name.strip_suffix(b"/") {
                let below = rest.partition_point(|entry| name_of(entry).starts_with(name));
                let (inside, after) = rest.split_at(below);
                rest = after;
                match (trees.get(folder), std::str::from_utf8(folder)) {
                    (Some(tree), Ok(folder)) if below > 0 => {
                        visits.push(Visit { path: path.join(folder), tree, entries: inside });
                    }
                    _ => is_same = false,
                }
                continue;
            }
            match rest.split_first() {
                Some((entry, after)) if name_of(entry) == name.as_slice() => {
                    rest = after;
                    leads_elsewhere |= !matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
                    is_same &= on_disk.metadata().is_ok_and(|metadata| self.is_same(entry, &metadata));
                }
                _ => is_same = false,
            }
        }
        is_same &= rest.is_empty();
        let below: Vec<_> = match visits.len() {
            0..FEW => visits.iter().map(|visit| self.folder(visit)).collect(),
            _ => visits.par_iter().map(|visit| self.folder(visit)).collect(),
        };
        let mut found = Vec::new();
        for (is_same_below, found_below) in below {
            is_same &= is_same_below;
            found.extend(found_below);
        }
        if is_same && !leads_elsewhere {
            found.extend(Digest::from_git(tree.id.as_bytes()).map(|digest| (path.clone(), digest)));
        }
        (is_same, found)
    }

    /// Whether a file or link is as it was when it was added.
    fn is_same(&self, entry: &Entry, metadata: &Metadata) -> bool {
        let kind = metadata.file_type();
        let is_kind = match entry.mode {
            Mode::FILE | Mode::FILE_EXECUTABLE => kind.is_file(),
            Mode::SYMLINK => kind.is_symlink(),
            _ => false,
        };
        is_kind && self.index.is_same(entry, &stat_of(metadata))
    }
}

/// What the index notes of a file.
pub(crate) fn stat_of(metadata: &Metadata) -> Stat {
    let time = |seconds: i64, nanoseconds: i64| stat::Time { secs: seconds as u32, nsecs: nanoseconds as u32 };
    // Git keeps the lower half of each.
    Stat {
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        dev: metadata.dev() as u32,
        ino: metadata.ino() as u32,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size: metadata.size() as u32,
    }
}
