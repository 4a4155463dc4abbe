//! A world that notes what is asked of it: [`Recorded`].

use crate::trace::{Answers, Asked, Folder, Incomparable, Kind, Outcome, Refusal, Trace};
use crate::{Digest, Entry, EntryKind, ReadError, World, normalize};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Another world, and what is asked of it.
pub struct Recorded<'w> {
    world: &'w dyn World,
    top: Utf8PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    paths: HashMap<Utf8PathBuf, Answers>,
    variables: BTreeMap<String, Option<Digest>>,
    parts: Vec<Arc<Trace>>,
    /// The clock, chance, a server or a machine that fails had a say.
    is_chance: bool,
}

impl<'w> Recorded<'w> {
    /// Of `world`, from now on.
    pub fn new(world: &'w dyn World) -> Self {
        Self { world, top: world.canonical(Utf8Path::new("")).unwrap_or_default(), seen: Mutex::default() }
    }

    /// What is recorded.
    pub fn world(&self) -> &'w dyn World {
        self.world
    }

    /// Counts what somebody else asked of the same world as asked here; `None` is what can't be asked again.
    pub fn adopt(&self, trace: Option<&Arc<Trace>>) {
        let mut seen = self.seen();
        match trace {
            Some(trace) if trace.is_empty() => {}
            Some(trace) if seen.parts.iter().any(|part| Arc::ptr_eq(part, trace)) => {}
            Some(trace) => seen.parts.push(trace.clone()),
            None => seen.is_chance = true,
        }
    }

    /// What was asked; `None` if the clock, chance or a server had a say, so that the same may not come of it again.
    pub fn into_trace(self) -> Option<Arc<Trace>> {
        let Seen { paths, variables, parts, is_chance } =
            self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        if is_chance {
            return None;
        }
        let mut folders: BTreeMap<Utf8PathBuf, Vec<(String, Answers)>> = BTreeMap::new();
        for (path, answers) in paths {
            // What a folder holds is asked of itself: links in it lead elsewhere, and its own folder does not know.
            let (of_folder, of_entry) = match answers {
                Answers { list: Some(list), kind, canonical, read } => (
                    Some(Answers { list: Some(list), ..Answers::default() }),
                    Answers { kind, canonical, read, list: None },
                ),
                answers => (None, answers),
            };
            if let Some(answers) = of_folder {
                folders.entry(path.clone()).or_default().push((String::new(), answers));
            }
            if of_entry == Answers::default() {
                continue;
            }
            match (path.parent(), path.file_name()) {
                (Some(parent), Some(name)) => {
                    folders.entry(parent.to_owned()).or_default().push((name.to_owned(), of_entry))
                }
                _ => folders.entry(path.clone()).or_default().push((String::new(), of_entry)),
            }
        }
        let folder = |(path, mut entries): (Utf8PathBuf, Vec<(String, Answers)>)| {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            // Only what is directly in a folder is asked of it, so that a digest of what is below may say too much, never
            // too little.
            Folder { digest: self.world.folder_digest(&path), path, entries }
        };
        let folders = folders.into_iter().map(folder).collect();
        Some(Arc::new(Trace { folders, variables: variables.into_iter().collect(), parts }))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &Utf8Path, note: impl FnOnce(&mut Answers) -> Result<(), Incomparable>) {
        let asked = normalize(path);
        let asked = Asked { world: self.world, top: &self.top }.relative(&asked).to_owned();
        let mut seen = self.seen();
        if note(seen.paths.entry(asked).or_default()).is_err() {
            seen.is_chance = true;
        }
    }
}

impl World for Recorded<'_> {
    fn read(&self, path: &Utf8Path) -> Result<Arc<[u8]>, ReadError> {
        self.read_known(path).map(|(bytes, _)| bytes)
    }

    fn read_known(&self, path: &Utf8Path) -> Result<(Arc<[u8]>, Option<Digest>), ReadError> {
        let answer = self.world.read_known(path);
        self.note(path, |answers| {
            answers.read = Some(match &answer {
                Ok((_, digest)) => Outcome::Known(digest.ok_or(Incomparable)?),
                Err(error) => Outcome::Refused(Refusal::of(error).ok_or(Incomparable)?),
            });
            Ok(())
        });
        answer
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let answer = self.world.list(path);
        self.note(path, |answers| {
            answers.list = Some(Asked::list(&answer)?);
            Ok(())
        });
        answer
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let answer = self.world.kind(path);
        self.note(path, |answers| {
            answers.kind = Some(Kind::from(answer));
            Ok(())
        });
        answer
    }

    fn canonical(&self, path: &Utf8Path) -> Result<Utf8PathBuf, ReadError> {
        let answer = self.world.canonical(path);
        let asked = Asked { world: self.world, top: &self.top };
        let normal = normalize(path);
        let place = asked.place(asked.relative(&normal), &answer);
        self.note(path, |answers| {
            answers.canonical = Some(place?);
            Ok(())
        });
        answer
    }

    fn digest(&self, path: &Utf8Path) -> Result<Option<Digest>, ReadError> {
        self.read_known(path).map(|(_, digest)| digest)
    }

    fn now(&self) -> SystemTime {
        self.seen().is_chance = true;
        self.world.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.seen().is_chance = true;
        self.world.random(bytes);
    }

    fn env(&self, name: &str) -> Option<String> {
        let answer = self.world.env(name);
        let digest = answer.as_ref().and_then(|value| Digest::of(value.as_bytes()));
        self.seen().variables.insert(name.to_owned(), digest);
        answer
    }

    fn recorder(&self) -> Option<&Recorded<'_>> {
        Some(self)
    }
}
