//! Every cluster built, for the commands that look at all of them: [`Fleet`].

use crate::commands::opened::Opened;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result as Outcome, Span};
use onepane_find::Found;
use onepane_repo::{BuildOptions, Built, Repository};
use onepane_resource::Resource;
use rayon::prelude::*;
use std::collections::HashMap;
use unicode_width::UnicodeWidthStr;

/// The clusters as they were built. One that can't be built is told of, and the others are looked at all the same.
pub(crate) struct Fleet {
    /// Each with its name, in their order.
    pub(crate) clusters: Vec<(String, Built)>,
    /// Whether some could not be built.
    pub(crate) is_partial: bool,
    rendered: Utf8PathBuf,
    /// The charts of releases.
    charts: HashMap<String, String>,
}

impl Fleet {
    /// Builds `wanted`, or all, in parallel; bases that they have in common are built once.
    pub(crate) fn build(
        terminal: &Terminal,
        directory: Option<&Utf8Path>,
        wanted: &[String],
        offline: bool,
    ) -> Result<Self, Failure> {
        let opened = Opened::at(directory, offline)?;
        let repository = opened.repository()?;
        let units = units(&repository, wanted).map_err(opened.failure())?;
        let mut said = Vec::new();
        let mut warn = |built: &Built| {
            for warning in &built.warnings {
                if !said.contains(warning) {
                    terminal.report(warning, &opened.root);
                    said.push(warning.clone());
                }
            }
        };
        let build = |unit: &Utf8Path| repository.build(unit, &BuildOptions::default());
        let clusters = on_each(terminal, &repository, &opened.root, &units, build, &mut warn);
        let is_partial = clusters.len() < units.len();
        // A state that can't be read is no reason not to look at what is built.
        let releases = repository.releases().unwrap_or_default();
        let charts = releases.into_iter().map(|release| {
            let chart =
                if release.chart.as_str().is_empty() { release.chart_name } else { release.chart.into_string() };
            (release.name, chart)
        });
        Ok(Self { clusters, is_partial, rendered: repository.layout.rendered(), charts: charts.collect() })
    }

    /// All resources of all clusters.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Found<'_>> {
        self.clusters
            .iter()
            .flat_map(|(cluster, built)| built.resources.iter().map(|resource| self.found(cluster, resource)))
    }

    fn found<'a>(&'a self, cluster: &'a str, resource: &'a Resource) -> Found<'a> {
        let file = resource.source.or_else(|| resource.overlays.first().copied()).map(|file| file.path());
        let rendered = file.and_then(|file| file.strip_prefix(&self.rendered).ok());
        let release = rendered.and_then(|path| path.components().next()).map_or("", |name| name.as_str());
        let chart = self.charts.get(release).map_or("", String::as_str);
        Found { cluster, resource, release, chart, file }
    }
}

/// The folders of `wanted`, or of all clusters.
pub(crate) fn units(repository: &Repository<'_>, wanted: &[String]) -> Outcome<Vec<Utf8PathBuf>> {
    let names = if wanted.is_empty() { repository.clusters()? } else { wanted.to_vec() };
    names.iter().map(|name| repository.unit(name)).collect()
}

/// What `work` makes of each folder, on all cores, with the folder's name. One of which it makes nothing is told of and left
/// out; `seen` is shown the others in their order.
pub(crate) fn on_each<T: Send>(
    terminal: &Terminal,
    repository: &Repository<'_>,
    root: &Utf8Path,
    units: &[Utf8PathBuf],
    work: impl Fn(&Utf8Path) -> Outcome<T> + Sync,
    seen: &mut dyn FnMut(&T),
) -> Vec<(String, T)> {
    let bar = terminal.progress(units.len(), "building");
    let work = |unit: &Utf8PathBuf| {
        let outcome = work(unit);
        bar.inc(1);
        outcome
    };
    let outcomes: Vec<_> = units.par_iter().map(work).collect();
    bar.finish_and_clear();
    let mut made = Vec::new();
    for (unit, outcome) in units.iter().zip(outcomes) {
        match outcome {
            Ok(one) => {
                seen(&one);
                made.push((repository.unit_name(unit).to_owned(), one));
            }
            Err(error) => {
                let error = error.trace("so that nothing is known of this cluster", Some(Span::file(unit)));
                terminal.report(&error, root);
            }
        }
    }
    made
}

/// Rows under their heads, in columns.
pub(crate) fn columns<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let all = || std::iter::once(heads.map(str::to_owned)).chain(rows.iter().cloned());
    let width = |column: usize| all().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: [String; N]| {
        let cells = row.iter().zip(widths).map(|(text, width)| format!("{text}{}", " ".repeat(width - text.width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all().map(line).collect()
}

/// An error about the arguments of a command.
pub(crate) fn wrong(code: &'static str, message: String, hint: &str) -> Failure {
    Diagnostic::error(code, message).hint(hint).into()
}
