//! What a command works on: [`Session`].

use super::Failure;
use super::files::{Files, STDIN};
use super::flags::request;
use super::system::System;
use crate::commands::helm::current_folder;
use crate::commands::pflag::Parsed;
use crate::redaction::redacted;
use crate::remotes::user_cache;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_helmfile::{Release, RemoteSource, Request, State, Visited, visit};
use onepane_world::{EntryKind, OsWorld, World, normalize};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;
use tempfile::TempDir;

/// The states that were read, and what they are read with.
pub(super) struct Session {
    pub(super) world: Files,
    pub(super) folder: Utf8PathBuf,
    pub(super) system: System,
    pub(super) request: Request,
    pub(super) states: Vec<State>,
    /// Why states were passed over.
    passed_over: Vec<Box<Diagnostic>>,
    /// Repositories that were added or logged in to.
    pub(super) synced: RefCell<HashSet<String>>,
    /// Where charts were fetched to, by their names and versions.
    pub(super) fetched: RefCell<HashMap<String, Utf8PathBuf>>,
    /// Folders that are removed at the end.
    temporary: RefCell<Vec<TempDir>>,
    /// Whether what is done is said.
    is_quiet: bool,
}

/// Where Helmfile keeps what comes from elsewhere.
pub(super) fn cache_folder(world: &dyn World) -> Utf8PathBuf {
    let own = world.env("HELMFILE_CACHE_HOME").filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
    let by_default = || Some(user_cache(&|name| world.env(name))?.join("helmfile"));
    own.or_else(by_default).unwrap_or_else(|| ".helmfile".into())
}

/// What standard input has.
fn from_stdin() -> Result<Arc<[u8]>, Failure> {
    const LARGEST: u64 = 64 << 20;
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::text(format!("standard input can't be read: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::text(format!("standard input has more than {LARGEST} bytes")));
    }
    Ok(bytes.into())
}

impl Session {
    /// Reads the states that the flags name.
    pub(super) fn open(flags: &Parsed) -> Result<Self, Failure> {
        let folder = current_folder()?;
        let mut world = Files { disk: OsWorld::unrestricted(folder.clone()), stdin: None };
        let request = request(flags, &world)?;
        let system = System::new(flags.is_set("sandbox"), folder.clone());
        let file = flags.text("file").map(str::to_owned).filter(|file| !file.is_empty());
        let file = file.or_else(|| world.env("HELMFILE_FILE_PATH").filter(|file| !file.is_empty()));
        if file.as_deref() == Some(STDIN) {
            world.stdin = Some(from_stdin()?);
        }
        let Visited { states, passed_over } = visit(&world, &system, &request, file.as_deref().map(Utf8Path::new))?;
        let level = flags.text("log-level").map(str::to_owned).or_else(|| world.env("HELMFILE_LOG_LEVEL"));
        let is_quiet = flags.is_set("quiet")
            || world.env("HELMFILE_QUIET").is_some_and(|value| value == "true")
            || level.is_some_and(|level| ["warn", "error", "fatal", "panic"].contains(&level.as_str()));
        Ok(Self {
            world,
            folder,
            system,
            request,
            states,
            passed_over,
            synced: RefCell::default(),
            fetched: RefCell::default(),
            temporary: RefCell::default(),
            is_quiet,
        })
    }

    /// Says what is done, on stderr.
    pub(super) fn say(&self, line: &str) {
        if !self.is_quiet {
            eprintln!("{}", redacted(line));
        }
    }

    /// Says what is not as it should be, on stderr.
    pub(super) fn warn(&self, line: &str) {
        eprintln!("{}", redacted(line));
    }

    /// Where what comes from elsewhere is kept, from where paths start.
    pub(super) fn cache_folder(&self) -> Utf8PathBuf {
        cache_folder(&self.world)
    }

    /// A folder that is there until the end.
    pub(super) fn temporary_folder(&self) -> Result<Utf8PathBuf, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::text(error.to_string()))?;
        let path = Utf8Path::from_path(folder.path()).map(Utf8Path::to_owned);
        self.temporary.borrow_mut().push(folder);
        path.ok_or_else(|| Failure::text("the temporary folder is no UTF-8 path"))
    }

    /// Fails where nothing was selected, unless that is allowed.
    pub(super) fn check_selected(&self, any: bool, flags: &Parsed) -> Result<(), Failure> {
        if any || flags.is_set("allow-no-matching-release") {
            return Ok(());
        }
        let selectors = flags.all("selector").join(", ");
        let environment = &self.request.environment;
        let message = format!(
            "no releases found that matches specified selector({selectors}) and environment({environment}), in any helmfile"
        );
        Err(Failure::NothingSelected(message, self.passed_over.clone()))
    }

    /// A release's chart as Helm is to find it.
    pub(super) fn chart(&self, release: &Release) -> String {
        if release.has_local_chart() || self.world.kind(&release.chart).is_some() {
            release.chart.to_string()
        } else {
            release.chart_name.clone()
        }
    }

    /// The path of a chart that is a folder, where it differs from what the state says.
    pub(super) fn prepared_chart(&self, state: &State, release: &Release) -> Option<String> {
        if RemoteSource::parse(&release.chart_name).is_some() || matches!(state.oci_chart(release), Ok(Some(_))) {
            return Some(release.chart.to_string());
        }
        if !release.has_local_chart() || self.world.kind(&release.chart) != Some(EntryKind::Folder) {
            return None;
        }
        let path = if state.is_one_of_many {
            normalize(&self.folder.join(&release.chart))
        } else {
            normalize(Utf8Path::new(&release.chart_name))
        };
        Some(path.into_string()).filter(|path| *path != release.chart_name)
    }
}
