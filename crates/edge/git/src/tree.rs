//! The files of a commit: [`Tree`].

use crate::credentials::shown_urls;
use crate::partial::{fetch_tree, promisor};
use camino::{Utf8Path, Utf8PathBuf};
use gix::objs::tree::EntryKind as Mode;
use gix::{ObjectId, ThreadSafeRepository};
use onepane_world::{Digest, Entry, EntryKind, OsWorld, ReadError, ReadErrorReason, World, normalize};
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// As many links may lead to one another as Linux follows.
const MOST_LINKS: usize = 40;

/// No single file is larger.
const LARGEST_FILE: u64 = 512 << 20;

/// No path is longer.
const LONGEST_LINK: u64 = 4096;

/// No tree that is written has more files, folders within one another, or bytes: a few objects of Git's can stand for any
/// number of files.
const MOST_FILES: usize = 500_000;
const DEEPEST: usize = 200;
const MOST_BYTES: u64 = 4 << 30;

/// The files of a commit and of its submodules. Links are followed within it, and nowhere else.
///
/// Its top is the absolute path `/<commit>`; relative paths start there.
pub struct Tree {
    top: Utf8PathBuf,
    /// The repository itself first, then those of the submodules.
    repositories: Vec<Pool>,
    root: Folder,
    /// By their paths from the top.
    submodules: HashMap<Utf8PathBuf, Folder>,
    folders: Mutex<HashMap<Folder, Arc<Items>>>,
    machine: OsWorld,
}

/// A repository, and handles of it that threads have used: making one takes longer than reading a small file.
struct Pool {
    repository: ThreadSafeRepository,
    /// The tree of the commit.
    root: ObjectId,
    /// What came of asking for what a partial clone lacks.
    filled: OnceLock<Result<(), String>>,
    idle: Mutex<Vec<gix::Repository>>,
}

impl Pool {
    fn new(repository: ThreadSafeRepository, root: ObjectId) -> Self {
        Self { repository, root, filled: OnceLock::new(), idle: Mutex::default() }
    }

    /// Sees to it that an object is here, if the clone is a partial one: its server is asked for all of the commit at once.
    fn ensure(&self, repository: &gix::Repository, id: ObjectId, path: &Utf8Path) -> Result<(), ReadError> {
        if repository.has_object(id) || promisor(repository).is_none() {
            return Ok(());
        }
        let filled = self.filled.get_or_init(|| fetch_tree(repository, self.root));
        filled.clone().map_err(|why| {
            let why = shown_urls(&why);
            ReadError::new(path, ReadErrorReason::Other(format!("a partial clone has not got it yet, and {why}")))
        })
    }

    fn with<T>(&self, read: impl FnOnce(&gix::Repository) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let handle = taken.unwrap_or_else(|| self.repository.to_thread_local());
        let outcome = read(&handle);
        idle().push(handle);
        outcome
    }
}

/// What is in a folder.
#[derive(Default)]
struct Items {
    /// By name.
    items: Vec<Item>,
    /// Whether one of them leads elsewhere: a link or a submodule.
    leads_elsewhere: bool,
}

impl Items {
    fn find(&self, name: &str) -> Option<&Item> {
        self.items.binary_search_by(|item| item.name.as_str().cmp(name)).ok().map(|at| &self.items[at])
    }
}

/// A folder's tree, and the number of the repository that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Folder {
    repository: usize,
    tree: ObjectId,
}

struct Item {
    name: String,
    mode: Mode,
    object: ObjectId,
}

/// What may still be written.
struct Budget {
    files: usize,
    bytes: u64,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Found {
    Folder(Folder),
    File {
        repository: usize,
        blob: ObjectId,
    },
    /// A submodule that was not fetched: an empty folder.
    Nothing,
}

impl Tree {
    /// The files of `tree`.
    pub(crate) fn new(top: String, repository: ThreadSafeRepository, tree: ObjectId) -> Self {
        Self {
            top: Utf8PathBuf::from(format!("/{top}")),
            repositories: vec![Pool::new(repository, tree)],
            root: Folder { repository: 0, tree },
            submodules: HashMap::new(),
            folders: Mutex::default(),
            machine: OsWorld::unrestricted("/"),
        }
    }

    /// The top of the files.
    pub fn top(&self) -> &Utf8Path {
        &self.top
    }

    /// The files of `tree` are those of the submodule at `path`.
    pub(crate) fn mount(&mut self, path: Utf8PathBuf, repository: ThreadSafeRepository, tree: ObjectId) {
        self.submodules.insert(path, Folder { repository: self.repositories.len(), tree });
        self.repositories.push(Pool::new(repository, tree));
    }

    /// The commit that the submodule at `path` is pinned to.
    pub(crate) fn pinned(&self, path: &Utf8Path) -> Option<ObjectId> {
        let (_, found) = self.find(path.parent()?).ok()?;
        let items = self.items(found, path).ok()?;
        let item = items.find(path.file_name()?)?;
        (item.mode == Mode::Commit).then_some(item.object)
    }

    /// Writes what is below `path` into a folder that is there and empty. Links that stay below `path` are links there, too;
    /// others are left out.
    ///
    /// # Errors
    /// For what can't be read or written, for names that are none, and for more files than anybody has.
    pub fn write_below(&self, path: &Utf8Path, folder: &Utf8Path) -> std::io::Result<()> {
        let base = self.canonical(path).map_err(std::io::Error::other)?;
        let mut budget = Budget { files: MOST_FILES, bytes: MOST_BYTES };
        self.write_folder(&base, &base, folder, &mut budget, DEEPEST)
    }

    fn write_folder(
        &self,
        base: &Utf8Path,
        path: &Utf8Path,
        folder: &Utf8Path,
        budget: &mut Budget,
        deeper: usize,
    ) -> std::io::Result<()> {
        let too_much = || std::io::Error::other(format!("{path} holds too many files, or too deep ones"));
        let found = self.find(path).map_err(std::io::Error::other)?.1;
        for item in &self.items(found, path).map_err(std::io::Error::other)?.items {
            let name = &item.name;
            if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\\', '\0']) {
                return Err(std::io::Error::other(format!("{name:?} in {path} is no name of a file")));
            }
            let (source, target) = (path.join(name), folder.join(name));
            budget.files = budget.files.checked_sub(1).ok_or_else(too_much)?;
            match item.mode {
                Mode::Tree | Mode::Commit => {
                    // Two things of one name are an error here and below.
                    std::fs::create_dir(&target)?;
                    let deeper = deeper.checked_sub(1).ok_or_else(too_much)?;
                    self.write_folder(base, &source, &target, budget, deeper)?;
                }
                Mode::Blob | Mode::BlobExecutable => {
                    let bytes = self.read(&source).map_err(std::io::Error::other)?;
                    budget.bytes = budget.bytes.checked_sub(bytes.len() as u64).ok_or_else(too_much)?;
                    let mut options = std::fs::OpenOptions::new();
                    options.write(true).create_new(true);
                    #[cfg(unix)]
                    std::os::unix::fs::OpenOptionsExt::mode(
                        &mut options,
                        if item.mode == Mode::BlobExecutable { 0o777 } else { 0o666 },
                    );
                    options.open(&target)?.write_all(&bytes)?;
                }
                Mode::Link => {
                    let is_within = self.canonical(&source).is_ok_and(|real| real.starts_with(base));
                    let Found::Folder(inside) = found else { continue };
                    let link = self.blob(inside.repository, item.object, LONGEST_LINK, &source);
                    #[cfg(unix)]
                    if let (true, Ok(link)) = (is_within, link) {
                        std::os::unix::fs::symlink(String::from_utf8_lossy(&link).as_ref(), &target)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn find(&self, path: &Utf8Path) -> Result<(Utf8PathBuf, Found), ReadError> {
        let fail = |reason| ReadError::new(path, reason);
        let path_below = normalize(path);
        let path_below = if path_below.is_absolute() {
            path_below.strip_prefix(&self.top).map_err(|_| fail(ReadErrorReason::LeavesRoot))?
        } else {
            &path_below
        };
        let mut ahead: Vec<String> = path_below.iter().rev().map(str::to_owned).collect();
        let mut behind = vec![Found::Folder(self.root)];
        let mut real = Utf8PathBuf::new();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            if name == ".." {
                behind.pop();
                real.pop();
                if behind.is_empty() {
                    return Err(fail(ReadErrorReason::LeavesRoot));
                }
                continue;
            }
            let items = self.items(*behind.last().expect("its last is popped above only"), path)?;
            let item = items.find(&name).ok_or_else(|| fail(ReadErrorReason::Absent))?;
            let repository = match behind.last() {
                Some(Found::Folder(folder)) => folder.repository,
                _ => 0,
            };
            let found = match item.mode {
                Mode::Tree => Found::Folder(Folder { repository, tree: item.object }),
                Mode::Blob | Mode::BlobExecutable => Found::File { repository, blob: item.object },
                Mode::Commit => self.submodules.get(&real.join(&name)).map_or(Found::Nothing, |it| Found::Folder(*it)),
                Mode::Link => {
                    links += 1;
                    let target = self.blob(repository, item.object, LONGEST_LINK, path)?;
                    let target = String::from_utf8_lossy(&target);
                    if target.starts_with('/') || links > MOST_LINKS {
                        return Err(fail(ReadErrorReason::LeavesRoot));
                    }
                    ahead.extend(target.split('/').rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned));
                    continue;
                }
            };
            behind.push(found);
            real.push(name);
        }
        Ok((self.top.join(real), *behind.last().expect("its last is popped above only")))
    }

    /// What is in a folder that `path` leads to or through.
    fn items(&self, found: Found, path: &Utf8Path) -> Result<Arc<Items>, ReadError> {
        let folder = match found {
            Found::Folder(folder) => folder,
            Found::Nothing => return Ok(Arc::default()),
            Found::File { .. } => return Err(ReadError::new(path, ReadErrorReason::WrongKind)),
        };
        let folders = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(items) = folders().get(&folder) {
            return Ok(items.clone());
        }
        let pool = &self.repositories[folder.repository];
        let items = pool.with(|repository| {
            pool.ensure(repository, folder.tree, path)?;
            read_items(repository, folder, path)
        });
        let items = Arc::new(items?);
        folders().insert(folder, items.clone());
        Ok(items)
    }

    fn blob(&self, repository: usize, blob: ObjectId, largest: u64, path: &Utf8Path) -> Result<Vec<u8>, ReadError> {
        let pool = &self.repositories[repository];
        pool.with(|repository| {
            pool.ensure(repository, blob, path)?;
            let header = repository.find_header(blob).map_err(|error| damaged(path, &error))?;
            if header.size() > largest {
                return Err(ReadError::new(path, ReadErrorReason::TooLarge(largest)));
            }
            Ok(repository.find_blob(blob).map_err(|error| damaged(path, &error))?.take_data())
        })
    }

    /// The folder at a path, no link followed and no submodule entered.
    fn own_folder(&self, path: &Utf8Path) -> Option<ObjectId> {
        let path = normalize(path);
        let path = if path.is_absolute() { path.strip_prefix(&self.top).ok()? } else { &path };
        let mut folder = self.root;
        for name in path.iter() {
            let items = self.items(Found::Folder(folder), path).ok()?;
            let item = items.find(name).filter(|item| item.mode == Mode::Tree)?;
            folder.tree = item.object;
        }
        let items = self.items(Found::Folder(folder), path).ok()?;
        (!items.leads_elsewhere).then_some(folder.tree)
    }
}

fn read_items(repository: &gix::Repository, folder: Folder, path: &Utf8Path) -> Result<Items, ReadError> {
    let object = repository.find_tree(folder.tree).map_err(|error| damaged(path, &error))?;
    let mut items = Items::default();
    for entry in object.iter() {
        let entry = entry.map_err(|error| damaged(path, &error))?;
        let mode = entry.mode().kind();
        items.leads_elsewhere |= matches!(mode, Mode::Link | Mode::Commit);
        // What is not UTF-8 has no path here.
        if let Ok(name) = std::str::from_utf8(entry.filename()) {
            items.items.push(Item { name: name.to_owned(), mode, object: entry.object_id() });
        }
    }
    // Git sorts folders as if their names ended in a slash.
    items.items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

fn damaged(path: &Utf8Path, error: &dyn std::error::Error) -> ReadError {
    ReadError::new(path, ReadErrorReason::Other(error.to_string()))
}

fn kind(found: Found) -> EntryKind {
    match found {
        Found::Folder(_) | Found::Nothing => EntryKind::Folder,
        Found::File { .. } => EntryKind::File,
    }
}

impl World for Tree {
    onepane_world::answers_of!(machine: now, random, env);

    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        match self.find(path)?.1 {
            Found::File { repository, blob } => self.blob(repository, blob, LARGEST_FILE, path).map(Arc::from),
            _ => Err(ReadError::new(path, ReadErrorReason::WrongKind)),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let (real, found) = self.find(path)?;
        let items = self.items(found, path)?;
        let entry = |item: &Item| {
            let kind = match item.mode {
                Mode::Tree | Mode::Commit => EntryKind::Folder,
                Mode::Blob | Mode::BlobExecutable => EntryKind::File,
                Mode::Link => self.kind(&real.join(&item.name)).unwrap_or(EntryKind::Other),
            };
            Entry { name: item.name.clone(), kind, link: item.mode == Mode::Link }
        };
        Ok(items.items.iter().map(entry).collect())
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        self.find(path).ok().map(|(_, found)| kind(found))
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        self.find(path).map(|(real, _)| real)
    }

    fn read_known(&self, path: &Utf8Path) -> Result<(Arc<[u8]>, Option<Digest>), ReadError> {
        let bytes = self.read(path)?;
        let digest = match self.digest(path)? {
            None => Digest::of(&bytes),
            known => known,
        };
        Ok((bytes, digest))
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        match self.find(path)?.1 {
            Found::File { blob, .. } => match Digest::from_git(blob.as_bytes()) {
                None => Ok(Digest::of(&self.read(path)?)),
                known => Ok(known),
            },
            _ => Err(ReadError::new(path, ReadErrorReason::WrongKind)),
        }
    }

    fn real_digest(&self, path: &Utf8Path) -> Option<Digest> {
        let (real, found) = self.find(path).ok()?;
        match found {
            Found::File { blob, .. } if real.strip_prefix(&self.top).ok() == Some(path) => {
                Digest::from_git(blob.as_bytes())
            }
            _ => None,
        }
    }

    fn folder_digest(&self, path: &Utf8Path) -> Option<Digest> {
        Digest::from_git(self.own_folder(path)?.as_bytes())
    }
}
