//! The files of a localized copy, before they are written: [`LocalizedTree`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::normalize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A copy is kept in memory until it is whole.
const LARGEST: u64 = 1 << 30;

/// Folders and files by their paths within the copy.
#[derive(Clone, Debug, Default)]
pub struct LocalizedTree {
    entries: BTreeMap<Utf8PathBuf, LocalizedEntry>,
    bytes: u64,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalizedEntry {
    /// A folder.
    Folder,
    /// A file with these contents.
    File(Arc<[u8]>),
}

impl LocalizedTree {
    /// Folders before what is in them.
    pub fn entries(&self) -> impl Iterator<Item = (&Utf8Path, &LocalizedEntry)> {
        self.entries.iter().map(|(path, entry)| (path.as_path(), entry))
    }

    /// Whether there is something at `path`.
    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        path.as_str().is_empty() || self.entries.contains_key(path)
    }

    /// Puts a file at `path`, in place of one that is there.
    ///
    /// # Errors
    /// `kustomize-localize` where a folder is in its place or a file in that of its folder, where the path leads out of
    /// the copy, and where the copy gets too large.
    pub(super) fn put(&mut self, path: &Utf8Path, contents: Arc<[u8]>) -> Result<()> {
        let path = normalize(path);
        self.put_folder(path.parent().unwrap_or(Utf8Path::new("")))?;
        if self.entries.get(&path) == Some(&LocalizedEntry::Folder) || path.as_str().is_empty() {
            return Err(refused(format!("open {path}: is a directory")));
        }
        self.bytes += contents.len() as u64;
        if let Some(LocalizedEntry::File(old)) = self.entries.insert(path, LocalizedEntry::File(contents)) {
            self.bytes -= old.len() as u64;
        }
        if self.bytes > LARGEST {
            return Err(refused(format!("the copy has more than {LARGEST} bytes")));
        }
        Ok(())
    }

    /// Makes a folder and those it is in.
    pub(super) fn put_folder(&mut self, path: &Utf8Path) -> Result<()> {
        let path = normalize(path);
        if path.is_absolute() || path.starts_with("..") {
            return Err(refused(format!("`{path}` would be outside of the destination")));
        }
        for folder in path.ancestors().filter(|folder| !folder.as_str().is_empty()) {
            match self.entries.get(folder) {
                Some(LocalizedEntry::Folder) => break,
                Some(LocalizedEntry::File(_)) => return Err(refused(format!("mkdir {folder}: not a directory"))),
                None => drop(self.entries.insert(folder.to_owned(), LocalizedEntry::Folder)),
            }
        }
        Ok(())
    }
}

fn refused(message: String) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-localize", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_within_the_copy_and_never_take_a_folder_s_place() {
        let mut tree = LocalizedTree::default();
        let mut put = |path: &str| tree.put(path.into(), Arc::from(*b"x")).map_err(|error| error.message);
        assert_eq!(put("a/b/c"), Ok(()));
        assert_eq!(put("a/b/c"), Ok(()));
        for (path, wanted) in [
            ("a/b", "open a/b: is a directory"),
            ("a/b/c/d", "mkdir a/b/c: not a directory"),
            ("a/../../b", "`..` would be outside of the destination"),
            ("/etc/x", "`/etc` would be outside of the destination"),
            ("", "open : is a directory"),
        ] {
            assert_eq!(put(path), Err(wanted.to_owned()), "{path}");
        }
        let paths: Vec<&str> = tree.entries().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "a/b", "a/b/c"]);
    }
}
