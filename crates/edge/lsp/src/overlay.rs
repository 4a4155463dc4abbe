//! Files on disk with unsaved ones over them: [`Overlay`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_git::Checkout;
use onepane_world::{Digest, Entry, EntryKind, ReadError, ReadErrorReason, World, normalize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Texts by their paths from the root of the repository.
pub(crate) type Unsaved = Arc<BTreeMap<Utf8PathBuf, Arc<str>>>;

/// A checkout in which some files have other texts, or are there at all.
pub(crate) struct Overlay {
    disk: Checkout,
    /// Where the checkout is, links followed: some ask for paths from there.
    root: Utf8PathBuf,
    unsaved: Unsaved,
    turn: Option<Turn>,
}

/// A state of the files among others: once a newer one is there, this one is of no use.
pub(crate) struct Turn {
    pub(crate) number: u64,
    pub(crate) newest: Arc<AtomicU64>,
}

impl Turn {
    pub(crate) fn is_over(&self) -> bool {
        self.newest.load(Ordering::Relaxed) > self.number
    }
}

impl Overlay {
    pub(crate) fn new(root: &Utf8Path, unsaved: Unsaved) -> Result<Self, ReadError> {
        let disk = Checkout::new(root)?;
        let root = disk.canonical(Utf8Path::new(""))?;
        Ok(Self { disk, root, unsaved, turn: None })
    }

    /// The same, but that nothing can be read once a newer state is there: so whatever works on this one comes to its end.
    pub(crate) fn until_newer(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    fn check_turn(&self, path: &Utf8Path) -> Result<(), ReadError> {
        match &self.turn {
            Some(turn) if turn.is_over() => {
                Err(ReadError::new(path, ReadErrorReason::Other("there is a newer state of the files".to_owned())))
            }
            _ => Ok(()),
        }
    }

    fn below(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = normalize(path);
        path.strip_prefix(&self.root).map(Utf8Path::to_owned).unwrap_or(path)
    }

    fn unsaved(&self, path: &Utf8Path) -> Option<&Arc<str>> {
        if self.unsaved.is_empty() {
            return None;
        }
        self.unsaved.get(&self.below(path)).or_else(|| {
            // The same file by a way on which there is a link.
            let real = self.disk.canonical(path).ok()?;
            self.unsaved.get(real.strip_prefix(&self.root).ok()?)
        })
    }

    fn bytes(text: &Arc<str>) -> Arc<[u8]> {
        Arc::from(text.clone())
    }

    /// Files that are not on disk, by what leads to them from `folder`.
    fn new_below(&self, folder: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
        let folder = self.below(folder);
        let new = self.unsaved.keys().filter(|path| self.disk.kind(path).is_none());
        new.filter_map(move |path| path.strip_prefix(&folder).ok()).filter(|rest| !rest.as_str().is_empty())
    }
}

impl World for Overlay {
    onepane_world::answers_of!(disk: now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.check_turn(path)?;
        self.unsaved(path).map_or_else(|| self.disk.read(path), |text| Ok(Self::bytes(text)))
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        self.check_turn(path)?;
        let mut entries = match self.disk.list(path) {
            Ok(entries) => entries,
            Err(_) if self.new_below(path).next().is_some() => Vec::new(),
            error => return error,
        };
        for rest in self.new_below(path) {
            let mut parts = rest.components();
            let Some(name) = parts.next().map(|first| first.as_str().to_owned()) else { continue };
            let kind = if parts.next().is_some() { EntryKind::Folder } else { EntryKind::File };
            if entries.iter().all(|entry| entry.name != name) {
                entries.push(Entry { name, kind, link: false });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        match self.disk.kind(path) {
            None if self.unsaved.contains_key(&self.below(path)) => Some(EntryKind::File),
            None if self.new_below(path).next().is_some() => Some(EntryKind::Folder),
            kind => kind,
        }
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        match self.disk.canonical(path) {
            Err(_) if self.kind(path).is_some() && !self.below(path).starts_with("..") => {
                Ok(self.root.join(self.below(path)))
            }
            answer => answer,
        }
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        match self.unsaved(path) {
            Some(text) => Ok(Digest::of(text.as_bytes())),
            None => self.disk.digest(path),
        }
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        if self.unsaved(path).is_some() { None } else { self.disk.real_digest(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsaved_texts_are_read_and_new_files_are_there() {
        let folder = std::env::temp_dir().join(format!("onepane-overlay-{}", std::process::id()));
        let folder = Utf8PathBuf::try_from(folder).expect("a temporary folder has a UTF-8 path");
        std::fs::create_dir_all(folder.join("a")).expect("the folder can be made");
        std::fs::write(folder.join("a/old.yaml"), "disk").expect("the file can be written");
        let texts = [("a/old.yaml", "typed"), ("a/new.yaml", "new"), ("b/c/d.yaml", "deep")];
        let unsaved = texts.map(|(path, text)| (Utf8PathBuf::from(path), Arc::from(text))).into();
        let world = Overlay::new(&folder, Arc::new(unsaved)).expect("the folder is there");
        let root = world.canonical("".into()).expect("it is there");
        for (path, text) in texts {
            assert_eq!(&*world.read(path.into()).expect(path), text.as_bytes());
            assert_eq!(&*world.read(&root.join(path)).expect(path), text.as_bytes());
            assert_eq!(world.kind(path.into()), Some(EntryKind::File));
            assert_eq!(world.canonical(path.into()), Ok(root.join(path)));
            assert_eq!(world.digest(path.into()), Ok(Digest::of(text.as_bytes())));
        }
        let names =
            |path: &str| world.list(path.into()).map(|all| all.into_iter().map(|one| one.name).collect::<Vec<_>>());
        assert_eq!(names("a"), Ok(vec!["new.yaml".to_owned(), "old.yaml".to_owned()]));
        assert_eq!(names(""), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names("b"), Ok(vec!["c".to_owned()]));
        assert!(
            names("x").is_err()
                && world.read("../x".into()).is_err()
                && world.kind("b".into()) == Some(EntryKind::Folder)
        );
        std::fs::remove_dir_all(folder).expect("the folder can be removed");
    }

    #[test]
    fn nothing_is_read_of_a_state_that_is_over() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = Utf8Path::from_path(folder.path()).expect("its path is text");
        std::fs::write(folder.join("disk.yaml"), "disk").expect("the folder is empty");
        let unsaved = Arc::new([(Utf8PathBuf::from("typed.yaml"), Arc::from("typed"))].into());
        let newest = Arc::new(AtomicU64::new(1));
        let turn = Turn { number: 1, newest: newest.clone() };
        let world = Overlay::new(folder, unsaved).expect("the folder is there").until_newer(turn);
        let answers = || {
            let reads = ["disk.yaml", "typed.yaml"].map(|path| world.read(path.into()).is_ok());
            (reads, world.list("".into()).is_ok())
        };
        assert_eq!(answers(), ([true, true], true));
        newest.store(2, Ordering::Relaxed);
        assert_eq!(answers(), ([false, false], false));
    }
}
