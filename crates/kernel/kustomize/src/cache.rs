//! Bases that several builds of one process have in common: [`Cache`].

use crate::accumulate::Accumulator;
use crate::options::{LoadRestrictor, Options};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_world::Trace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What bases accumulate to, so that the overlays of many clusters read and transform a common base once.
///
/// It stands for one state of the files: use a new one when they may have changed. A base that has no base itself, or lies
/// within the folder that is built, is kept from the second time on that it is asked for: there are as many as there are
/// releases, most of them are of one cluster, and reading one once more is little.
#[derive(Debug, Default)]
pub struct Cache(Mutex<HashMap<CacheKey, Option<Entry>>>);

/// A base that was accumulated.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) base: Accumulator,
    /// What is to be said of it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// How often it asked Kubernetes' own schema for something.
    pub(crate) builtin_uses: usize,
    /// What was read for it, where that is noted and can be read again.
    pub(crate) trace: Option<Arc<Trace>>,
}

/// A base and everything else that its resources depend on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    root: Utf8PathBuf,
    unrestricted: bool,
    origins: bool,
}

impl CacheKey {
    pub(crate) fn new(root: &Utf8Path, options: &Options) -> Self {
        let unrestricted = options.load_restrictor == LoadRestrictor::None;
        Self { root: root.to_owned(), unrestricted, origins: options.origins }
    }
}

impl Cache {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Entry> {
        self.0.lock().ok()?.get(key).cloned()?
    }

    /// Keeps what `entry` gives; if few ask for it, from the second time on.
    pub(crate) fn insert(&self, key: CacheKey, is_seldom: bool, entry: impl FnOnce() -> Entry) {
        let Ok(mut entries) = self.0.lock() else { return };
        match entries.get(&key) {
            Some(Some(_)) => return,
            Some(None) => {}
            None if is_seldom => return drop(entries.insert(key, None)),
            None => {}
        }
        drop(entries);
        let entry = entry();
        if let Ok(mut entries) = self.0.lock() {
            entries.insert(key, Some(entry));
        }
    }
}
