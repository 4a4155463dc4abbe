//! What a command works on: [`Session`].

use super::Failure;
use super::flags::request;
use super::system::System;
use crate::commands::helm::current_folder;
use crate::commands::pflag::Parsed;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_helmfile::{Release, Request, State, Visited, visit};
use onepane_world::{EntryKind, OsWorld, World, normalize};

/// The states that were read, and what they are read with.
pub(super) struct Session {
    pub(super) world: OsWorld,
    pub(super) folder: Utf8PathBuf,
    pub(super) system: System,
    pub(super) request: Request,
    pub(super) states: Vec<State>,
    /// Why states were passed over.
    passed_over: Vec<Box<Diagnostic>>,
}

impl Session {
    /// Reads the states that the flags name.
    pub(super) fn open(flags: &Parsed) -> Result<Self, Failure> {
        let folder = current_folder()?;
        let world = OsWorld::unrestricted(folder.clone());
        let request = request(flags, &world)?;
        let system = System::new(flags.is_set("sandbox"), folder.clone());
        let file = flags.text("file").map(str::to_owned).filter(|file| !file.is_empty());
        let file = file.or_else(|| world.env("HELMFILE_FILE_PATH").filter(|file| !file.is_empty()));
        if file.as_deref() == Some("-") {
            return Err(Failure::text("a state from standard input is not read yet: name a file"));
        }
        let Visited { states, passed_over } = visit(&world, &system, &request, file.as_deref().map(Utf8Path::new))?;
        Ok(Self { world, folder, system, request, states, passed_over })
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
