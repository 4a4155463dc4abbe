//! What files are for: [`Kind`].

use crate::snapshot::Snapshot;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_helmfile::ValuesSource;
use onepane_kustomize::KUSTOMIZATION_FILES;
use onepane_value::{Map, Value};
use onepane_world::{EntryKind, World, normalize};

/// What a file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A template of a chart.
    Template,
    /// A chart's own values.
    ChartValues,
    /// Values that releases give to these charts, each by its folder.
    ReleaseValues(Vec<Utf8PathBuf>),
    Kustomization,
    /// A state file, or a part of one.
    State,
    /// Manifests, or YAML for somebody else.
    Yaml,
    Other,
}

impl Kind {
    pub(crate) fn of(snapshot: &Snapshot, path: &Utf8Path) -> Self {
        let name = path.file_name().unwrap_or_default();
        if KUSTOMIZATION_FILES.contains(&name) {
            return Self::Kustomization;
        }
        if let Some(chart) = nearest_chart(&snapshot.world, path) {
            let below = path.strip_prefix(&chart).unwrap_or(path);
            return match below.as_str() {
                "values.yaml" => Self::ChartValues,
                below if below.starts_with("templates/") => Self::Template,
                _ if is_yaml(path) => Self::Yaml,
                _ => Self::Other,
            };
        }
        if name.starts_with("helmfile.") || path.parent().and_then(Utf8Path::file_name) == Some("helmfile.d") {
            return Self::State;
        }
        if !is_yaml(path) {
            return Self::Other;
        }
        let mut charts: Vec<Utf8PathBuf> = snapshot
            .releases()
            .iter()
            .filter(|release| release.values.iter().any(|source| is_from(source, path)))
            .map(|release| normalize(&release.chart))
            .collect();
        charts.sort();
        charts.dedup();
        if charts.is_empty() { Self::Yaml } else { Self::ReleaseValues(charts) }
    }
}

/// Whether values are those of a file. Of one with secrets or templates in it, they know it themselves.
pub(crate) fn is_from(source: &ValuesSource, path: &Utf8Path) -> bool {
    match source {
        ValuesSource::File { path: other, .. } => other == path,
        ValuesSource::Inline(map) => says_in(map, path, 0),
    }
}

fn says_in(map: &Map, path: &Utf8Path, depth: usize) -> bool {
    const DEEPEST: usize = 16;
    let is_there = |value: &Value| {
        let own = value.origin.chain().filter_map(|record| record.span).any(|span| span.file.path() == path);
        own || depth < DEEPEST && value.as_map().is_some_and(|map| says_in(map, path, depth + 1))
    };
    map.entries().iter().any(|(_, value)| is_there(value))
}

fn is_yaml(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("yaml" | "yml"))
}

fn charts_above(world: &dyn World, path: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    let is_chart = |folder: &&Utf8Path| {
        !folder.as_str().is_empty() && world.kind(&folder.join("Chart.yaml")) == Some(EntryKind::File)
    };
    path.ancestors().skip(1).filter(is_chart).map(Utf8Path::to_owned)
}

/// The chart that a file stands in.
pub(crate) fn nearest_chart(world: &dyn World, path: &Utf8Path) -> Option<Utf8PathBuf> {
    charts_above(world, path).next()
}

/// The chart that is in no other one.
pub(crate) fn outermost_chart(world: &dyn World, path: &Utf8Path) -> Option<Utf8PathBuf> {
    charts_above(world, path).last()
}
