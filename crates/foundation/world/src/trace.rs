//! What was asked of a world, and the answers: [`Trace`].

use crate::{Digest, EntryKind, ReadError, ReadErrorReason, World};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What was asked of a world, and digests of the answers. Whoever asks the same and is answered the same comes to the same
/// result.
///
/// Paths are relative to the top of the world, so that a trace of one holds in another that has the same files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// By folder, sorted.
    pub(crate) folders: Vec<Folder>,
    /// Environment variables, whose values may be secret.
    pub(crate) variables: Vec<(String, Option<Digest>)>,
    /// Traces of what others had asked already.
    #[serde(skip)]
    pub(crate) parts: Vec<Arc<Trace>>,
}

/// What was asked of the entries of one folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folder {
    pub(crate) path: Utf8PathBuf,
    /// That of all that is in it, where it was known: where it is the same, so are all answers.
    pub(crate) digest: Option<Digest>,
    /// By name; the folder itself has none.
    pub(crate) entries: Vec<(String, Answers)>,
}

/// The answers about one path, as far as somebody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answers {
    pub(crate) kind: Option<Kind>,
    pub(crate) canonical: Option<Place>,
    pub(crate) read: Option<Outcome>,
    pub(crate) list: Option<Outcome>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Nothing,
    File,
    Folder,
    Other,
}

/// Where a path really leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// No link is on the way.
    Itself,
    Elsewhere(Utf8PathBuf),
    Refused(Refusal),
}

/// A digest of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Known(Digest),
    Refused(Refusal),
}

/// Why something could not be read, as far as it says the same the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    Absent,
    LeavesRoot,
    WrongKind,
    TooLarge,
}

impl Refusal {
    pub(crate) fn of(error: &ReadError) -> Option<Self> {
        Some(match error.reason {
            ReadErrorReason::Absent => Self::Absent,
            ReadErrorReason::LeavesRoot => Self::LeavesRoot,
            ReadErrorReason::WrongKind => Self::WrongKind,
            ReadErrorReason::TooLarge(_) => Self::TooLarge,
            ReadErrorReason::Other(_) => return None,
        })
    }
}

impl From<Option<EntryKind>> for Kind {
    fn from(kind: Option<EntryKind>) -> Self {
        match kind {
            None => Self::Nothing,
            Some(EntryKind::File) => Self::File,
            Some(EntryKind::Folder) => Self::Folder,
            Some(EntryKind::Other) => Self::Other,
        }
    }
}

/// An answer that can't be compared, since the machine failed.
pub(crate) struct Incomparable;

/// A world whose answers are turned into what a trace holds.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) top: &'w Utf8Path,
}

impl Asked<'_> {
    /// The path as every world with these files knows it.
    pub(crate) fn relative<'p>(&self, path: &'p Utf8Path) -> &'p Utf8Path {
        path.strip_prefix(self.top).unwrap_or(path)
    }

    pub(crate) fn place(
        &self,
        asked: &Utf8Path,
        answer: &Result<Utf8PathBuf, ReadError>,
    ) -> Result<Place, Incomparable> {
        match answer {
            Ok(real) => {
                let real = self.relative(real);
                Ok(if real == asked { Place::Itself } else { Place::Elsewhere(real.to_owned()) })
            }
            Err(error) => Refusal::of(error).map(Place::Refused).ok_or(Incomparable),
        }
    }

    pub(crate) fn list(answer: &Result<Vec<crate::Entry>, ReadError>) -> Result<Outcome, Incomparable> {
        match answer {
            Ok(entries) => {
                let mut text = String::new();
                for entry in entries {
                    text.push_str(&format!("{:?} {} {}\0", entry.kind, entry.link, entry.name));
                }
                Digest::of(text.as_bytes()).map(Outcome::Known).ok_or(Incomparable)
            }
            Err(error) => Refusal::of(error).map(Outcome::Refused).ok_or(Incomparable),
        }
    }

    fn holds(&self, path: &Utf8Path, answers: &Answers) -> bool {
        let Answers { kind, canonical, read, list } = answers;
        // Most are files, of which nothing else is to be known then.
        if let Some(Outcome::Known(digest)) = read
            && matches!(kind, None | Some(Kind::File))
            && matches!(canonical, None | Some(Place::Itself))
            && list.is_none()
            && self.world.real_digest(path) == Some(*digest)
        {
            return true;
        }
        let kind_holds = kind.is_none_or(|kind| kind == self.world.kind(path).into());
        let canonical_holds = canonical
            .as_ref()
            .is_none_or(|place| self.place(path, &self.world.canonical(path)).is_ok_and(|now| now == *place));
        let read_holds = |outcome: Outcome| match (outcome, self.world.digest(path)) {
            (Outcome::Known(digest), Ok(now)) => now == Some(digest),
            (Outcome::Refused(refusal), Err(error)) => Refusal::of(&error) == Some(refusal),
            _ => false,
        };
        kind_holds
            && canonical_holds
            && read.is_none_or(read_holds)
            && list.is_none_or(|outcome| Self::list(&self.world.list(path)).is_ok_and(|now| now == outcome))
    }
}

impl Trace {
    /// Whether `world` would answer the same, apart from [`Self::parts`].
    pub fn holds_in(&self, world: &dyn World) -> bool {
        let top = world.canonical(Utf8Path::new("")).unwrap_or_default();
        let asked = Asked { world, top: &top };
        let variable = |name: &str| world.env(name).and_then(|value| Digest::of(value.as_bytes()));
        self.variables.iter().all(|(name, value)| variable(name) == *value)
            && self.folders.iter().all(|folder| {
                let is_same = folder.digest.is_some() && world.folder_digest(&folder.path) == folder.digest;
                is_same
                    || folder.entries.iter().all(|(name, answers)| match name.as_str() {
                        "" => asked.holds(&folder.path, answers),
                        name => asked.holds(&folder.path.join(name), answers),
                    })
            })
    }

    /// The trace with digests of whole folders as `world` has them, in which it must hold; `None` if it has them already.
    pub fn with_folders_of(&self, world: &dyn World) -> Option<Self> {
        let asked = |folder: &Folder| folder.digest.is_none().then(|| world.folder_digest(&folder.path)).flatten();
        let learned: Vec<Option<Digest>> = self.folders.iter().map(asked).collect();
        if learned.iter().all(Option::is_none) {
            return None;
        }
        let mut trace = self.clone();
        for (folder, learned) in trace.folders.iter_mut().zip(learned) {
            folder.digest = folder.digest.or(learned);
        }
        Some(trace)
    }

    /// What others had asked before, and which counts as asked.
    pub fn parts(&self) -> &[Arc<Trace>] {
        &self.parts
    }

    /// The trace with these parts.
    pub fn with_parts(self, parts: Vec<Arc<Trace>>) -> Self {
        Self { parts, ..self }
    }

    /// How many paths were asked about, apart from [`Self::parts`].
    pub fn len(&self) -> usize {
        self.folders.iter().map(|folder| folder.entries.len()).sum()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.variables.is_empty() && self.parts.is_empty()
    }
}

/// Of several traces of one world, what was asked in any.
impl Trace {
    /// The trace without parts: what was asked in them is its own.
    pub fn merged(&self) -> Self {
        let mut folders: BTreeMap<&Utf8Path, (Option<Digest>, BTreeMap<&str, Answers>)> = BTreeMap::new();
        let mut variables = BTreeMap::new();
        let mut rest = vec![self];
        // A trace that several have in common is looked at once.
        let mut known: HashSet<*const Self> = HashSet::new();
        while let Some(trace) = rest.pop() {
            for folder in &trace.folders {
                let (_, entries) = folders.entry(&folder.path).or_insert_with(|| (folder.digest, BTreeMap::new()));
                for (name, answers) in &folder.entries {
                    entries.entry(name).or_default().add(answers);
                }
            }
            variables.extend(trace.variables.iter().cloned());
            rest.extend(trace.parts.iter().map(|part| &**part).filter(|part| known.insert(*part)));
        }
        let folders = folders.into_iter().map(|(path, (digest, entries))| Folder {
            path: path.to_owned(),
            digest,
            entries: entries.into_iter().map(|(name, answers)| (name.to_owned(), answers)).collect(),
        });
        Self { folders: folders.collect(), variables: variables.into_iter().collect(), parts: Vec::new() }
    }
}

impl Answers {
    fn add(&mut self, other: &Self) {
        let Self { kind, canonical, read, list } = other;
        self.kind = self.kind.or(*kind);
        if self.canonical.is_none() {
            self.canonical.clone_from(canonical);
        }
        self.read = self.read.or(*read);
        self.list = self.list.or(*list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryWorld, Recorded};

    fn world() -> MemoryWorld {
        MemoryWorld::new().with("a/b", "1").with("a/c", "2").with("d/e", "3").with_env("V", "x")
    }

    /// Asks what `ask` does, and tells in which of `worlds` the answers are the same.
    fn holds(ask: fn(&dyn World), worlds: &[MemoryWorld]) -> Vec<bool> {
        let files = world();
        let recorded = Recorded::new(&files);
        ask(&recorded);
        let trace = recorded.into_trace().expect("no chance is in it");
        assert!(trace.holds_in(&files));
        worlds.iter().map(|world| trace.holds_in(world)).collect()
    }

    #[test]
    fn a_trace_holds_where_the_answers_are_the_same() {
        let others = [
            world().with("a/b", "other"),
            world().with("a/new", ""),
            world().with("new", ""),
            world().with("d/e/f", ""),
            world().with_env("V", "y"),
        ];
        type Ask = fn(&dyn World);
        let asked: [(Ask, [bool; 5]); 7] = [
            (|world| _ = world.read("a/b".into()), [false, true, true, true, true]),
            (|world| _ = world.read("./a/../a/b".into()), [false, true, true, true, true]),
            (|world| _ = world.list("a".into()), [true, false, true, true, true]),
            (|world| _ = world.kind("new".into()), [true, true, false, true, true]),
            (|world| _ = world.read("a/new".into()), [true, false, true, true, true]),
            (|world| _ = world.canonical("a/new".into()), [true, false, true, true, true]),
            (|world| _ = world.env("V"), [true, true, true, true, false]),
        ];
        for (at, (ask, expected)) in asked.iter().enumerate() {
            assert_eq!(holds(*ask, &others), expected, "{at}");
        }
    }

    #[test]
    fn what_chance_had_a_say_in_leaves_no_trace() {
        let files = world();
        for ask in [|world: &dyn World| _ = world.now(), |world: &dyn World| world.random(&mut [0])] {
            let recorded = Recorded::new(&files);
            ask(&recorded);
            assert!(recorded.into_trace().is_none());
        }
        let recorded = Recorded::new(&files);
        recorded.adopt(None);
        assert!(recorded.into_trace().is_none());
    }

    #[test]
    fn what_others_asked_counts() {
        let files = world();
        let part = Recorded::new(&files);
        let _ = part.read("d/e".into());
        let whole = Recorded::new(&files);
        let _ = whole.read("a/b".into());
        whole.adopt(part.into_trace().as_ref());
        let trace = whole.into_trace().expect("no chance is in it");
        let changed = world().with("d/e", "other");
        assert!(trace.holds_in(&changed), "that is of its parts");
        assert!(!trace.merged().holds_in(&changed));
        assert!(trace.merged().holds_in(&files));
        assert_eq!(trace.merged().len(), 2);
    }
}
