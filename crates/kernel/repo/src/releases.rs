//! Which releases there are, without reading the state where it is as it was: [`Repository::listed_releases`].

use crate::Repository;
use crate::memo::{ResultName, key};
use crate::release::key_of;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_helmfile::{Found, Outside, ProgramCall, Reference, Release, RemoteSource, SecretLines, State};
use onepane_world::Recorded;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};

/// A release that is installed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListedRelease {
    /// Its name.
    pub name: String,
    /// Its chart; those who render many releases take them by their charts.
    pub chart: Utf8PathBuf,
    /// What its results are kept under; `None` for one of which nothing is kept.
    pub(crate) kept_under: Option<ResultName>,
}

impl Repository<'_> {
    /// Whether it has the folder that the state would be in.
    pub fn has_releases(&self) -> bool {
        self.world.kind(&self.layout.helm_charts).is_some()
    }

    /// The releases of the state that are installed, in its order.
    pub fn listed_releases(&self, environment: &str) -> Result<Vec<ListedRelease>> {
        let Some(memo) = self.memo else { return Ok(listed(&self.state(environment)?)) };
        let question = key(&[b"state", self.layout.helm_charts.as_str().as_bytes(), environment.as_bytes()]);
        if let Some(releases) = self.find_kept(memo, &question).and_then(|kept| memo.load(&kept)) {
            return Ok(releases);
        }
        let shared = self.shared();
        let recorded = Recorded::new(&shared);
        let watched = Watched { outside: self.outside, was_asked: AtomicBool::new(false) };
        let state = onepane_helmfile::load(&recorded, &watched, &self.layout.helm_charts, environment)?;
        let releases = listed(&state);
        // What programs and secrets say may be different the next time.
        if let Some(trace) = recorded.into_trace().filter(|_| !watched.was_asked.into_inner()) {
            memo.keep(&question, &trace.merged(), &releases);
        }
        Ok(releases)
    }
}

fn listed(state: &State) -> Vec<ListedRelease> {
    let installed = state.releases.iter().filter(|release| release.installed);
    let listed = |release: &Release| ListedRelease {
        name: release.name.clone(),
        chart: release.chart.clone(),
        kept_under: key_of(release),
    };
    installed.map(listed).collect()
}

/// Notes whether anything was asked.
struct Watched<'o> {
    outside: &'o dyn Outside,
    was_asked: AtomicBool,
}

impl<'o> Watched<'o> {
    fn asked(&self) -> &'o dyn Outside {
        self.was_asked.store(true, Ordering::Relaxed);
        self.outside
    }
}

impl Outside for Watched<'_> {
    fn run(&self, call: &ProgramCall<'_>) -> std::result::Result<Vec<u8>, String> {
        self.asked().run(call)
    }

    fn secret(&self, folder: &Utf8Path, reference: &Reference) -> std::result::Result<Found, String> {
        self.asked().secret(folder, reference)
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> std::result::Result<Vec<u8>, String> {
        self.asked().decrypt(path, encrypted)
    }

    fn fetch(&self, source: &RemoteSource, shelf: &str) -> std::result::Result<Utf8PathBuf, String> {
        self.asked().fetch(source, shelf)
    }

    fn secret_lines(&self) -> Option<&SecretLines> {
        self.outside.secret_lines()
    }
}
