//! What a repository's clusters lead to outside of it: [`Elsewhere`].

use crate::chart_sources::FetchedCharts;
use crate::remotes::FetchedRemotes;
use camino::Utf8Path;
use onepane_git::LocalRepository;
use onepane_repo::Repository;

/// Bases and charts from elsewhere, fetched, and the addresses by which a repository itself is meant.
pub(crate) struct Elsewhere {
    remotes: FetchedRemotes,
    charts: FetchedCharts,
    /// Those that the repository has itself; none where it is in no Git repository, or not its top.
    pub(crate) addresses: Vec<String>,
}

impl Elsewhere {
    /// For the repository at `root`; with `offline`, what was fetched before serves.
    pub(crate) fn of(root: &Utf8Path, offline: bool) -> Self {
        let addresses = LocalRepository::of(root).map(|git| git.addresses()).unwrap_or_default();
        Self { remotes: FetchedRemotes::new(offline), charts: FetchedCharts::new(offline), addresses }
    }

    /// The repository, or another revision of it, with all of that.
    pub(crate) fn reached<'w>(&'w self, repository: Repository<'w>) -> Repository<'w> {
        let repository = repository.with_remotes(&self.remotes).with_charts(&self.charts);
        repository.with_addresses(self.addresses.iter().cloned())
    }
}
