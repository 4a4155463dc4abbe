//! Work on releases, on all cores: [`on_all_cores`].

use crate::commands::cores::on_cores;
use crate::terminal::Terminal;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_helmfile::{Release, State};
use onepane_repo::{LastChart, ListedRelease, ReleaseOnDisk, RenderedRelease, Repository};
use std::collections::{BTreeMap, HashMap};

/// The state as one thread reads it, once, and only if it has to: values belong to their thread.
pub(crate) struct ThreadState<'r, 'w> {
    repository: &'r Repository<'w>,
    environment: &'r str,
    read: Option<Result<ReadState>>,
}

struct ReadState {
    state: State,
    /// Where the installed releases are, by name; of two the first.
    at: HashMap<String, usize>,
}

impl ThreadState<'_, '_> {
    /// The installed release that is called `name`.
    pub(crate) fn release(&mut self, name: &str) -> Result<&Release> {
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
        at.get(name).map(|at| &state.releases[*at]).ok_or_else(gone)
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
    let outcomes = on_all_cores(repository, environment, releases, |listed, state, last: &mut LastChart| {
        let outcome = match repository.on_disk(listed) {
            Some(release) => Ok(Fresh::OnDisk(release)),
            None => {
                state.release(&listed.name).and_then(|release| repository.render(release, last)).map(Fresh::Rendered)
            }
        };
        bar.inc(1);
        outcome
    });
    bar.finish_and_clear();
    outcomes
}

/// What comes of each release, in their order. Each thread takes them by their charts, and hands what it knows of the last
/// one to the next.
pub(crate) fn on_all_cores<T: Send, L: Default>(
    repository: &Repository<'_>,
    environment: &str,
    releases: &[ListedRelease],
    work: impl Fn(&ListedRelease, &mut ThreadState<'_, '_>, &mut L) -> T + Sync,
) -> Vec<T> {
    let mut order: Vec<usize> = (0..releases.len()).collect();
    order.sort_by_key(|at| &releases[*at].chart);
    let begin = || (ThreadState { repository, environment, read: None }, L::default());
    let outcomes = on_cores(order.len(), begin, |(state, last), at| work(&releases[order[at]], state, last));
    let outcomes: BTreeMap<usize, T> = order.iter().copied().zip(outcomes).collect();
    outcomes.into_values().collect()
}
