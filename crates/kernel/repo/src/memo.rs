//! Results that outlive the process: [`Memo`].
//!
//! What is built or rendered is kept together with the trace of what was read for it. When the same is asked for again, of
//! the same files or of those of another revision, what was read is looked at and nothing is done again where all of it is
//! as it was. So a result stands for the contents of files, never for their age, and nobody has to say on what it depends.
//!
//! What had to do with the clock, chance, a server or a secret is not kept, nor is what failed.

use onepane_world::{Trace, World};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a result is kept under.
pub type ResultName = [u8; 32];

/// Who keeps results. Any of them may be gone at any time; what is there is what was put there.
pub trait Store: Send + Sync {
    /// What is kept under a name.
    fn get(&self, name: &ResultName) -> Option<Vec<u8>>;
    /// Keeps it, if that is possible.
    fn put(&self, name: &ResultName, bytes: &[u8]);
}

/// The results of this process and of those before it.
pub struct Memo<'s> {
    store: &'s dyn Store,
    /// Traces that many results have in common, by name.
    parts: Mutex<HashMap<ResultName, Arc<Trace>>>,
    /// Their names, by where they are; each is held, so that no other comes to be there.
    names: Mutex<HashMap<usize, (Arc<Trace>, ResultName)>>,
    kept: AtomicUsize,
    made: AtomicUsize,
}

/// A result that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    trace: Trace,
    parts: Vec<ResultName>,
    result: KeptResult,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum KeptResult {
    Here(Vec<u8>),
    Under(ResultName),
}

/// Of one question, that many answers for different files are kept.
const MOST_KEPT: usize = 6;

/// A larger result is kept apart, so that it is read only where it is wanted.
const LARGEST_HERE: usize = 64 << 10;

impl<'s> Memo<'s> {
    /// What `store` keeps.
    pub fn new(store: &'s dyn Store) -> Self {
        Self {
            store,
            parts: Mutex::default(),
            names: Mutex::default(),
            kept: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        }
    }

    /// How many results were there, and how many had to be made.
    pub fn counts(&self) -> (usize, usize) {
        (self.kept.load(Ordering::Relaxed), self.made.load(Ordering::Relaxed))
    }

    pub(crate) fn count_kept(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// What is kept under `key` for whatever files, the last first.
    pub(crate) fn all(&self, key: &ResultName) -> Vec<Kept> {
        self.store.get(key).and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default()
    }

    /// The result, if it is still there.
    pub(crate) fn load<T: DeserializeOwned>(&self, kept: &Kept) -> Option<T> {
        match &kept.result {
            KeptResult::Here(bytes) => postcard::from_bytes(bytes).ok(),
            KeptResult::Under(name) => postcard::from_bytes(&self.store.get(name)?).ok(),
        }
    }

    /// Keeps a result, for files that answer as `trace` says.
    pub(crate) fn keep<T: Serialize>(&self, key: &ResultName, trace: &Trace, result: &T) -> Option<Kept> {
        let bytes = postcard::to_allocvec(result).ok()?;
        let result = if bytes.len() > LARGEST_HERE {
            let name = *blake3::hash(&bytes).as_bytes();
            self.store.put(&name, &bytes);
            KeptResult::Under(name)
        } else {
            KeptResult::Here(bytes)
        };
        let parts = trace.parts().iter().map(|part| self.name(part)).collect::<Option<_>>()?;
        let kept = Kept { trace: trace.clone().with_parts(Vec::new()), parts, result };
        let mut all = self.all(key);
        // Of two results for the same files, the new one is as good.
        all.retain(|other| other.trace != kept.trace || other.parts != kept.parts);
        all.insert(0, kept.clone());
        all.truncate(MOST_KEPT);
        self.store.put(key, &postcard::to_allocvec(&all).ok()?);
        Some(kept)
    }

    /// Adds what `world`, in which all that was read for `kept` is the same, knows of whole folders: less has to be asked then.
    pub(crate) fn learn_folders(&self, key: &ResultName, kept: &Kept, world: &dyn World) {
        let trace = kept.trace.with_folders_of(world);
        let learned = |name: &ResultName| self.name(&Arc::new(self.part(name)?.with_folders_of(world)?));
        let parts: Vec<ResultName> = kept.parts.iter().map(|name| learned(name).unwrap_or(*name)).collect();
        if trace.is_none() && parts == kept.parts {
            return;
        }
        let mut all = self.all(key);
        if let Some(found) = all.iter_mut().find(|other| other.trace == kept.trace && other.parts == kept.parts) {
            found.trace = trace.unwrap_or_else(|| kept.trace.clone());
            found.parts = parts;
            if let Ok(bytes) = postcard::to_allocvec(&all) {
                self.store.put(key, &bytes);
            }
        }
    }

    /// The name of a part, which is kept under it.
    fn name(&self, part: &Arc<Trace>) -> Option<ResultName> {
        let at = Arc::as_ptr(part) as usize;
        if let Some(name) = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
            return Some(name.1);
        }
        let merged = Arc::new(part.merged());
        let bytes = postcard::to_allocvec(&*merged).ok()?;
        let name = *blake3::hash(&bytes).as_bytes();
        self.store.put(&name, &bytes);
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(name, merged);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(at, (part.clone(), name));
        Some(name)
    }

    fn part(&self, name: &ResultName) -> Option<Arc<Trace>> {
        let parts = || self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts().get(name) {
            return Some(part.clone());
        }
        let part: Arc<Trace> = Arc::new(postcard::from_bytes(&self.store.get(name)?).ok()?);
        Some(parts().entry(*name).or_insert(part).clone())
    }
}

/// What is known of the files of one revision: which parts hold in it.
#[derive(Default)]
pub(crate) struct Verified(Mutex<HashMap<ResultName, bool>>);

impl Verified {
    /// Whether all that was read for a result is the same in `world`, for which this stands.
    pub(crate) fn holds(&self, memo: &Memo<'_>, kept: &Kept, world: &dyn World) -> bool {
        let part_holds = |name: &ResultName| {
            let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(holds) = known().get(name) {
                return *holds;
            }
            let holds = memo.part(name).is_some_and(|part| part.holds_in(world));
            known().insert(*name, holds);
            holds
        };
        kept.trace.holds_in(world) && kept.parts.iter().all(part_holds)
    }
}

/// The name of what `question` asks, whose parts are told apart by their lengths.
pub(crate) fn key(question: &[&[u8]]) -> ResultName {
    let mut hasher = blake3::Hasher::new();
    for part in question {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
