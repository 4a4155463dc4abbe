//! Work on releases, on all cores: [`on_all_cores`].

use crate::terminal::Terminal;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_helmfile::{Release, State};
use onepane_repo::{LastChart, ListedRelease, ReleaseOnDisk, RenderedRelease, Repository};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The state as one thread reads it, once, and only if it has to: values belong to their thread.
pub(crate) struct ThreadState<'r, 'w> {
    repository: &'r Repository<'w>,
    environment: &'r str,
    read: Option<Result<ReadState>>,
    last_chart: LastChart,
}

struct ReadState {
    state: State,
    /// Where the installed releases are, by name; of two the first.
    at: HashMap<String, usize>,
}

impl ThreadState<'_, '_> {
    /// The installed release that is called `name`.
    pub(crate) fn release(&mut self, name: &str) -> Result<&Release> {
        Ok(self.release_and_last(name)?.0)
    }

    /// What it renders to.
    fn rendered(&mut self, name: &str) -> Result<RenderedRelease> {
        let repository = self.repository;
        let (release, last) = self.release_and_last(name)?;
        repository.render(release, last)
    }

    fn release_and_last(&mut self, name: &str) -> Result<(&Release, &mut LastChart)> {
        let read = || {
            let state = self.repository.state(self.environment)?;
            let mut at = HashMap::new();
            for (index, release) in state.releases.iter().enumerate().filter(|(_, release)| release.installed) {
                at.entry(release.name.clone()).or_insert(index);
            }
            Ok(ReadState { state, at })
        };
        let ReadState { state, at } = self.read.get_or_insert_with(read).as_ref().map_err(Clone::clone)?;
        let gone = || Diagnostic::error("render-changed", format!("the release `{name}` is gone"));
        at.get(name).map(|at| (&state.releases[*at], &mut self.last_chart)).ok_or_else(gone)
    }
}

/// A release that is as it renders to, or what it renders to.
pub(crate) enum Fresh {
    OnDisk(ReleaseOnDisk),
    Rendered(RenderedRelease),
}

/// Each release, rendered unless it is known to be on disk as it renders to.
pub(crate) fn fresh(
    terminal: &Terminal,
    repository: &Repository<'_>,
    environment: &str,
    releases: &[ListedRelease],
) -> Vec<Result<Fresh>> {
    let bar = terminal.progress(releases.len(), "rendering");
    let outcomes = on_all_cores(repository, environment, releases, |listed, state| {
        let outcome = match repository.on_disk(listed) {
            Some(release) => Ok(Fresh::OnDisk(release)),
            None => state.rendered(&listed.name).map(Fresh::Rendered),
        };
        bar.inc(1);
        outcome
    });
    bar.finish_and_clear();
    outcomes
}

/// What comes of each release, in their order.
pub(crate) fn on_all_cores<T: Send>(
    repository: &Repository<'_>,
    environment: &str,
    releases: &[ListedRelease],
    work: impl Fn(&ListedRelease, &mut ThreadState<'_, '_>) -> T + Sync,
) -> Vec<T> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    // Those of one chart come one after another, so that it is loaded once a thread.
    let mut order: Vec<usize> = (0..releases.len()).collect();
    order.sort_by_key(|at| &releases[*at].chart);
    rayon::broadcast(|_| {
        let mut state = ThreadState { repository, environment, read: None, last_chart: LastChart::default() };
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = work(&releases[at], &mut state);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(at, outcome);
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
