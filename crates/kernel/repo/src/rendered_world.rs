//! Files as they were if charts had been rendered: [`RenderedWorld`].

use crate::{RenderedRelease, Repository};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::{Digest, Entry, EntryKind, ReadError, ReadErrorReason, World, normalize};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A world in which the folders of some releases hold other files, or none.
pub struct RenderedWorld<'w> {
    below: &'w dyn World,
    /// Where the world starts, links followed: some ask for paths from there.
    root: Utf8PathBuf,
    /// Where releases have their folders.
    rendered: Utf8PathBuf,
    /// By path. A folder without a file is gone.
    folders: BTreeMap<Utf8PathBuf, BTreeMap<String, Arc<[u8]>>>,
}

impl<'w> Repository<'w> {
    /// The files with those of `releases` in place of what is there, and without those of releases that are none of `names`.
    ///
    /// # Errors
    /// Where what is there can't be listed.
    pub fn with_rendered(&self, releases: &[RenderedRelease], names: &HashSet<&str>) -> Result<RenderedWorld<'w>> {
        let root = self.world.canonical("".into());
        let root = root.map_err(|error| Diagnostic::error("render-surplus", error.to_string()))?;
        let mut folders: BTreeMap<Utf8PathBuf, BTreeMap<String, Arc<[u8]>>> = BTreeMap::new();
        for path in self.surplus_releases(names)? {
            folders.entry(path.parent().map(Utf8Path::to_owned).unwrap_or_default()).or_default();
        }
        for file in releases.iter().flat_map(|release| &release.files) {
            if let (Some(folder), Some(name)) = (file.path.parent(), file.path.file_name()) {
                let files = folders.entry(folder.to_owned()).or_default();
                files.insert(name.to_owned(), file.contents.as_bytes().into());
            }
        }
        Ok(RenderedWorld { below: self.world, root, rendered: self.layout.rendered(), folders })
    }
}

/// What a path leads to.
enum Place<'a> {
    /// Nothing that is rendered.
    Below,
    /// The folder that releases have theirs in.
    Rendered,
    Folder(&'a BTreeMap<String, Arc<[u8]>>),
    File(&'a Arc<[u8]>),
    Nothing,
}

impl RenderedWorld<'_> {
    fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = normalize(path);
        path.strip_prefix(&self.root).map(Utf8Path::to_owned).unwrap_or(path)
    }

    fn place(&self, path: &Utf8Path) -> Place<'_> {
        let path = self.relative(path);
        if path == self.rendered {
            return Place::Rendered;
        }
        let Some((folder, files)) = self.folders.iter().find(|(folder, _)| path.starts_with(folder)) else {
            return Place::Below;
        };
        match path.strip_prefix(folder).map(Utf8Path::as_str) {
            Ok("") if files.is_empty() => Place::Nothing,
            Ok("") => Place::Folder(files),
            Ok(name) => files.get(name).map_or(Place::Nothing, Place::File),
            Err(_) => Place::Below,
        }
    }
}

fn absent(path: &Utf8Path) -> ReadError {
    ReadError { path: path.to_owned(), reason: ReadErrorReason::Absent }
}

impl World for RenderedWorld<'_> {
    onepane_world::answers_of!(below: now, random, env);

    fn read(&self, path: &Utf8Path) -> std::result::Result<Arc<[u8]>, ReadError> {
        match self.place(path) {
            Place::Below => self.below.read(path),
            Place::File(bytes) => Ok(bytes.clone()),
            Place::Folder(_) | Place::Rendered => {
                Err(ReadError { path: path.to_owned(), reason: ReadErrorReason::WrongKind })
            }
            Place::Nothing => Err(absent(path)),
        }
    }

    fn list(&self, path: &Utf8Path) -> std::result::Result<Vec<Entry>, ReadError> {
        let entry = |name: &str, kind| Entry { name: name.to_owned(), kind, link: false };
        match self.place(path) {
            Place::Below => self.below.list(path),
            Place::Rendered => {
                let mut entries = self.below.list(path).unwrap_or_default();
                entries.retain(|entry| !self.folders.contains_key(&self.rendered.join(&entry.name)));
                let folders = self.folders.iter().filter(|(_, files)| !files.is_empty());
                entries.extend(folders.filter_map(|(path, _)| Some(entry(path.file_name()?, EntryKind::Folder))));
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(entries)
            }
            Place::Folder(files) => Ok(files.keys().map(|name| entry(name, EntryKind::File)).collect()),
            Place::File(_) => Err(ReadError { path: path.to_owned(), reason: ReadErrorReason::WrongKind }),
            Place::Nothing => Err(absent(path)),
        }
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        match self.place(path) {
            Place::Below => self.below.kind(path),
            Place::Rendered => Some(EntryKind::Folder).filter(|_| !self.folders.is_empty()).or(self.below.kind(path)),
            Place::Folder(_) => Some(EntryKind::Folder),
            Place::File(_) => Some(EntryKind::File),
            Place::Nothing => None,
        }
    }

    fn canonical(&self, path: &Utf8Path) -> std::result::Result<Utf8PathBuf, ReadError> {
        match self.place(path) {
            Place::Below => self.below.canonical(path),
            Place::Nothing => Err(absent(path)),
            Place::Rendered | Place::Folder(_) | Place::File(_) => Ok(self.root.join(self.relative(path))),
        }
    }

    fn digest(&self, path: &Utf8Path) -> std::result::Result<Option<Digest>, ReadError> {
        match self.place(path) {
            Place::Below => self.below.digest(path),
            _ => self.read(path).map(|bytes| Digest::of(&bytes)),
        }
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        match self.place(path) {
            Place::Below => self.below.real_digest(path),
            _ => None,
        }
    }

    fn folder_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let path = self.relative(path);
        // What is rendered is in none of the folders that the world below knows.
        let is_touched = |folder: &Utf8Path| folder.starts_with(&path) || path.starts_with(folder);
        match self.folders.keys().any(|folder| is_touched(folder)) || self.rendered.starts_with(&path) {
            true => None,
            false => self.below.folder_digest(&path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Manifest, files};
    use onepane_world::MemoryWorld;

    #[test]
    fn what_is_rendered_takes_the_place_of_what_is_there() {
        let ours = "# Written by `onepane render`; edits are lost.\n";
        let world = MemoryWorld::new()
            .with("helm-charts/rendered/a/kustomization.yaml", ours)
            .with("helm-charts/rendered/a/old.yaml", "old")
            .with("helm-charts/rendered/gone/kustomization.yaml", ours)
            .with("helm-charts/rendered/own/kustomization.yaml", "resources: []\n")
            .with("clusters/dev/kustomization.yaml", "resources: []\n");
        let repository = Repository::open(&world).expect("it has the layout");
        let manifest =
            Manifest { source: "a/templates/b.yaml".to_owned(), text: "kind: B\nmetadata: {name: c}\n".into() };
        let release = |name: &str| RenderedRelease {
            name: name.to_owned(),
            files: files(&repository.layout.rendered().join(name), std::slice::from_ref(&manifest))
                .expect("it is YAML"),
            warnings: Vec::new(),
            secrets: Vec::new(),
            decisions: Vec::new(),
        };
        let releases = [release("a"), release("new")];
        let rendered = repository.with_rendered(&releases, &HashSet::from(["a", "new"])).expect("it can be listed");
        let names = |path: &str| -> Vec<String> {
            rendered
                .list(path.into())
                .map_or(Vec::new(), |entries| entries.into_iter().map(|entry| entry.name).collect())
        };
        assert_eq!(names("helm-charts/rendered"), ["a", "new", "own"]);
        assert_eq!(names("helm-charts/rendered/a"), ["b-c.yaml", "kustomization.yaml"]);
        assert_eq!(names("clusters"), ["dev"]);
        let text = rendered.read("helm-charts/./rendered/new/b-c.yaml".into()).expect("it is rendered");
        assert!(text.starts_with(b"# Source: a/templates/b.yaml\n"));
        assert_eq!(rendered.digest("helm-charts/rendered/a/b-c.yaml".into()), Ok(Digest::of(&text)));
        let kind = |path: &str| rendered.kind(path.into());
        assert_eq!([kind("helm-charts/rendered/a/old.yaml"), kind("helm-charts/rendered/gone")], [None, None]);
        assert_eq!(kind("helm-charts/rendered/own/kustomization.yaml"), Some(EntryKind::File));
        assert_eq!(kind("helm-charts/rendered/new"), Some(EntryKind::Folder));
        assert!(rendered.read("helm-charts/rendered/gone/kustomization.yaml".into()).is_err());
        assert!(rendered.list("helm-charts/rendered/a/b-c.yaml".into()).is_err());
        assert_eq!(rendered.folder_digest("helm-charts".into()), None);
        let canonical = rendered.canonical("helm-charts/rendered/a/../new".into()).expect("it is there");
        assert!(canonical.ends_with("helm-charts/rendered/new"));
        assert_eq!(rendered.kind(&canonical), Some(EntryKind::Folder));
    }
}
