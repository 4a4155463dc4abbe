//! What is known of a chart's values: [`ChartIndex`].

use crate::snapshot::Snapshot;
use crate::values::{documents, key_at};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Chart, Origins, load, named_dependencies, parse_values};
use onepane_check::{ANY, Reads, Use};
use onepane_diagnostics::{FileId, Span};
use onepane_helmfile::{Release, ValuesSource};
use onepane_value::{Data, Map, Value};
use onepane_world::{World, normalize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A chart with its subcharts, what its templates read, and the releases it has.
pub(crate) struct ChartIndex {
    chart: Chart,
    reads: Reads,
    /// The `values.yaml` of each chart of the tree, with the keys that lead there from the values of the outermost.
    files: BTreeMap<Utf8PathBuf, Vec<String>>,
    /// The values files that releases give it, in their order.
    pub(crate) given: Vec<Utf8PathBuf>,
    /// The names of the releases.
    pub(crate) releases: Vec<String>,
}

impl ChartIndex {
    pub(crate) fn of(snapshot: &Snapshot, folder: &Utf8Path) -> Option<Self> {
        let chart = load(folder, &snapshot.world, Origins::Untracked, &mut |_| {}).ok()?;
        let releases: Vec<&Release> =
            snapshot.releases().iter().filter(|release| normalize(&release.chart) == folder).collect();
        let mut given: Vec<Utf8PathBuf> = Vec::new();
        let mut maps = Vec::new();
        for (release, source) in
            releases.iter().flat_map(|release| release.values.iter().map(move |source| (release, source)))
        {
            match source {
                ValuesSource::File { path, .. } if !given.contains(path) => {
                    let bytes = snapshot.world.read(path).ok();
                    maps.extend(bytes.and_then(|bytes| parse_values(&bytes, None).ok()));
                    given.push(path.clone());
                }
                ValuesSource::File { .. } => {}
                ValuesSource::Inline(map) => {
                    // Of a file with secrets or templates in it; what the state says itself stands elsewhere in it.
                    let file = file_of(map, 0).filter(|file| file != release.span.file.path());
                    given.extend(file.filter(|file| !given.contains(file)));
                    maps.push(map.clone());
                }
            }
        }
        let reads = Reads::with_uses(&chart, &maps);
        let mut files = BTreeMap::new();
        add_files(&chart, folder, &mut Vec::new(), &mut files);
        let releases = releases.iter().map(|release| release.name.clone()).collect();
        Some(Self { chart, reads, files, given, releases })
    }

    pub(crate) fn uses(&self) -> &[Use] {
        self.reads.uses()
    }

    /// The name at a byte of a template that stands for a value.
    pub(crate) fn use_at(&self, path: &Utf8Path, offset: usize) -> Option<&Use> {
        self.uses()
            .iter()
            .find(|one| one.file.path() == path && (one.position..=one.position + one.length).contains(&offset))
    }

    /// The keys that lead to the values of the chart whose `values.yaml` it is.
    pub(crate) fn prefix_of(&self, values_file: &Utf8Path) -> Option<&[String]> {
        self.files.get(values_file).map(Vec::as_slice)
    }

    /// Where a value is said: in the values files of releases and of charts. Where none does, the nearest key above it.
    pub(crate) fn places(&self, snapshot: &Snapshot, path: &[String]) -> Vec<Span> {
        let known: Vec<String> = path.iter().take_while(|key| *key != ANY).cloned().collect();
        let defaults = self.files.iter().filter_map(|(file, prefix)| {
            let rest = known.strip_prefix(prefix.as_slice())?;
            (!rest.is_empty()).then(|| (file.clone(), rest.to_vec()))
        });
        let given = self.given.iter().map(|file| (file.clone(), known.clone()));
        let mut exact = Vec::new();
        let mut nearest: Option<(Span, usize)> = None;
        for (file, path) in defaults.chain(given) {
            let Some(source) = snapshot.source(&file) else { continue };
            let found = documents(&source.text, FileId::new(&file));
            let Some((span, part)) = key_at(&found, &path) else { continue };
            if part.len() == path.len() {
                exact.push(span);
            } else if nearest.is_none_or(|(_, depth)| part.len() > depth) {
                nearest = Some((span, part.len()));
            }
        }
        if exact.is_empty() { nearest.map(|(span, _)| span).into_iter().collect() } else { exact }
    }

    /// The keys that make sense below a path: those of the chart's values and schema, and those that templates read.
    pub(crate) fn keys_below(&self, path: &[String]) -> Vec<String> {
        let mut keys = self.reads.keys_below(path);
        if let Some(map) = map_at(&self.chart.values, path) {
            keys.extend(map.keys().iter().map(|key| key.to_str().into_owned()));
        }
        add_subcharts(&self.chart, path, &mut keys);
        if let Some(schema) = &self.chart.schema {
            keys.extend(
                serde_json::from_slice(schema.bytes())
                    .ok()
                    .and_then(|schema| properties(&schema, path))
                    .unwrap_or_default(),
            );
        }
        keys.sort();
        keys.dedup();
        keys.retain(|key| key != ANY);
        keys
    }
}

/// The file that values are written in.
fn file_of(map: &Map, depth: usize) -> Option<Utf8PathBuf> {
    const DEEPEST: usize = 16;
    map.entries().iter().find_map(|(_, value)| {
        let own = value.origin.span().map(|span| span.file.path().to_owned());
        own.or_else(|| file_of(value.as_map().filter(|_| depth < DEEPEST)?, depth + 1))
    })
}

fn add_files(chart: &Chart, folder: &Utf8Path, path: &mut Vec<String>, files: &mut BTreeMap<Utf8PathBuf, Vec<String>>) {
    const DEEPEST: usize = 16;
    match &chart.values_file {
        Some(file) => drop(files.insert(file.id.path().to_owned(), path.clone())),
        None => drop(files.insert(folder.join("values.yaml"), path.clone())),
    }
    if path.len() < DEEPEST {
        for subchart in named_dependencies(chart) {
            path.push(subchart.name().to_owned());
            add_files(&subchart, subchart.place.file.path().parent().unwrap_or(folder), path, files);
            path.pop();
        }
    }
}

/// The keys of subcharts' own values, where a path leads into them.
fn add_subcharts(chart: &Chart, path: &[String], keys: &mut Vec<String>) {
    for subchart in named_dependencies(chart) {
        match path {
            [] => keys.push(subchart.name().to_owned()),
            [first, rest @ ..] if first == subchart.name() => {
                if let Some(map) = map_at(&subchart.values, rest) {
                    keys.extend(map.keys().iter().map(|key| key.to_str().into_owned()));
                }
                add_subcharts(&subchart, rest, keys);
            }
            _ => {}
        }
    }
}

fn map_at(values: &Map, path: &[String]) -> Option<Map> {
    match path {
        [] => Some(values.clone()),
        path => match value_at(values, path)?.data {
            Data::Map(map) => Some(map),
            _ => None,
        },
    }
}

/// The value at a path.
pub(crate) fn value_at(values: &Map, path: &[String]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let value = values.get(first)?;
    if rest.is_empty() {
        return Some(value);
    }
    value_at(value.as_map()?, rest)
}

/// The properties that a schema names at a path.
fn properties(schema: &Json, path: &[String]) -> Option<Vec<String>> {
    let mut at = schema;
    for key in path {
        let named = at.get("properties").and_then(|properties| properties.get(key));
        at = named.or_else(|| at.get("additionalProperties")).or_else(|| at.get("items"))?;
        // A definition of the same file.
        if let Some(pointer) = at.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#')) {
            at = schema.pointer(pointer)?;
        }
    }
    Some(at.get("properties")?.as_object()?.keys().cloned().collect())
}
