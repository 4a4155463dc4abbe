//! Builds that are kept in memory while somebody edits: [`KeptBuilds`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_kustomize::Built;
use onepane_world::{Recorded, Trace, World};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What folders were last built to, with origins, each with the trace of what was read: as long as the files answer the
/// same, that is what they are built to.
#[derive(Default)]
pub struct KeptBuilds(Mutex<HashMap<Utf8PathBuf, Entry>>);

#[derive(Clone)]
struct Entry {
    trace: Arc<Trace>,
    built: Arc<Built>,
}

impl KeptBuilds {
    /// What the folder `unit` was last built to, whatever has become of its files since.
    pub fn last(&self, unit: &Utf8Path) -> Option<Arc<Built>> {
        self.entries().get(unit).map(|entry| entry.built.clone())
    }

    pub(crate) fn get_or_build(
        &self,
        world: &dyn World,
        unit: &Utf8Path,
        build: impl FnOnce(&dyn World) -> Result<Built>,
    ) -> Result<Built> {
        let known = self.entries().get(unit).cloned();
        if let Some(entry) = known.filter(|entry| entry.trace.holds_in(world)) {
            return Ok((*entry.built).clone());
        }
        let recorded = Recorded::new(world);
        let built = build(&recorded)?;
        if let Some(trace) = recorded.into_trace() {
            let entry = Entry { trace: Arc::new(trace.merged()), built: Arc::new(built.clone()) };
            self.entries().insert(unit.to_owned(), entry);
        }
        Ok(built)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Utf8PathBuf, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
