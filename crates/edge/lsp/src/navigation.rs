//! From a name to what it stands for, and back: [`definition`], [`references`].

use crate::chart_values::ChartIndex;
use crate::kinds::{Kind, nearest_chart, outermost_chart};
use crate::kustomization::{Entry, entries};
use crate::snapshot::Snapshot;
use crate::states::file_at;
use crate::templates::{What, quoted, quoted_at, template_files};
use crate::text::SourceFile;
use crate::values::{documents, is_same, path_at};
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{GotoDefinitionParams, Location, ReferenceParams, TextDocumentPositionParams};
use onepane_diagnostics::{FileId, Span, Step};
use onepane_yaml::Node;
use std::rc::Rc;

/// The place of a request: the file, its text, and the byte.
pub(crate) struct At {
    pub(crate) path: Utf8PathBuf,
    pub(crate) source: SourceFile,
    pub(crate) offset: usize,
    pub(crate) kind: Kind,
}

impl At {
    pub(crate) fn of(snapshot: &Snapshot, place: &TextDocumentPositionParams) -> Option<Self> {
        let path = snapshot.roots.path(&place.text_document.uri)?;
        let source = snapshot.source(&path)?;
        let offset = source.offset(place.position);
        let kind = Kind::of(snapshot, &path);
        Some(Self { path, source, offset, kind })
    }

    pub(crate) fn documents(&self) -> Vec<Node> {
        documents(&self.source.text, FileId::new(&self.path))
    }

    /// The line, from 1.
    pub(crate) fn line(&self) -> u32 {
        self.source.line_of(self.offset) as u32 + 1
    }

    /// The value that the place is about: the charts that have it, each with the keys that lead to it from its values.
    pub(crate) fn values(&self, snapshot: &Snapshot) -> Vec<(Rc<ChartIndex>, Vec<Vec<String>>)> {
        match &self.kind {
            Kind::Template => {
                let Some(chart) = snapshot.chart_of(&self.path) else { return Vec::new() };
                let paths = chart.use_at(&self.path, self.offset).map(|found| found.paths.clone());
                paths.map(|paths| (chart, paths)).into_iter().collect()
            }
            Kind::ChartValues => {
                let found = path_at(&self.documents(), &self.source, self.offset);
                let Some((path, chart)) = found.zip(snapshot.chart_of(&self.path)) else { return Vec::new() };
                let Some(prefix) = chart.prefix_of(&self.path) else { return Vec::new() };
                let path = [prefix, &path].concat();
                vec![(chart, vec![path])]
            }
            Kind::ReleaseValues(charts) => {
                let Some(path) = path_at(&self.documents(), &self.source, self.offset) else { return Vec::new() };
                charts.iter().filter_map(|chart| Some((snapshot.chart(chart)?, vec![path.clone()]))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The entry of a kustomization that the place is in.
    pub(crate) fn entry(&self) -> Option<Entry> {
        let documents = self.documents();
        let found = entries(documents.first()?);
        found.into_iter().find(|entry| {
            let (start, end) = self.source.bytes_of(entry.span);
            (start..=end).contains(&self.offset)
        })
    }

    pub(crate) fn folder(&self) -> &Utf8Path {
        self.path.parent().unwrap_or(Utf8Path::new(""))
    }
}

/// What the name at a place stands for.
pub(crate) fn definition(snapshot: &Snapshot, params: &GotoDefinitionParams) -> Option<Vec<Location>> {
    let at = At::of(snapshot, &params.text_document_position_params)?;
    let found = match &at.kind {
        Kind::Template => of_template(snapshot, &at),
        Kind::ChartValues => uses(snapshot, &at),
        Kind::ReleaseValues(_) => of_given_value(snapshot, &at),
        Kind::Kustomization => of_kustomization(snapshot, &at),
        Kind::State | Kind::Yaml => {
            let file = file_at(snapshot, &at.path, &at.source, at.offset);
            file.and_then(|file| snapshot.top_of(&file)).into_iter().collect()
        }
        Kind::Other => Vec::new(),
    };
    Some(unique(found))
}

/// Where what is at a place is named.
pub(crate) fn references(snapshot: &Snapshot, params: &ReferenceParams) -> Option<Vec<Location>> {
    let at = At::of(snapshot, &params.text_document_position)?;
    if at.kind == Kind::Template
        && let Some(name) = quoted_at(&at.source.text, at.offset).filter(|name| name.what != What::File)
    {
        let mut found = named(snapshot, &at.path, What::Call, &name.name);
        if params.context.include_declaration {
            found.extend(named(snapshot, &at.path, What::Define, &name.name));
        }
        return Some(unique(found));
    }
    let mut found = uses(snapshot, &at);
    if params.context.include_declaration {
        found.extend(places(snapshot, &at));
    }
    Some(unique(found))
}

fn unique(mut found: Vec<Location>) -> Vec<Location> {
    found.sort_by(|a, b| {
        let key = |location: &Location| (location.uri.as_str().to_owned(), location.range.start, location.range.end);
        key(a).cmp(&key(b))
    });
    found.dedup();
    found
}

fn of_template(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    if let Some(name) = quoted_at(&at.source.text, at.offset) {
        return match name.what {
            What::File => {
                let file = nearest_chart(&snapshot.world, &at.path).map(|chart| chart.join(&name.name));
                let file = file.filter(|file| onepane_world::World::kind(&snapshot.world, file).is_some());
                file.and_then(|file| snapshot.top_of(&file)).into_iter().collect()
            }
            What::Call => named(snapshot, &at.path, What::Define, &name.name),
            What::Define => named(snapshot, &at.path, What::Call, &name.name),
        };
    }
    places(snapshot, at)
}

/// The calls or definitions of a name in the templates of a chart and its subcharts.
fn named(snapshot: &Snapshot, path: &Utf8Path, what: What, name: &str) -> Vec<Location> {
    let Some(chart) = outermost_chart(&snapshot.world, path) else { return Vec::new() };
    let mut found = Vec::new();
    for file in template_files(&snapshot.world, &chart) {
        let Some(source) = snapshot.source(&file) else { continue };
        for one in quoted(&source.text).into_iter().filter(|one| one.what == what && one.name == name) {
            found.extend(snapshot.location(&file, one.start, one.end));
        }
    }
    found
}

/// Where the value at a place is said.
fn places(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    let mut found = Vec::new();
    for (chart, paths) in at.values(snapshot) {
        for path in paths {
            found.extend(chart.places(snapshot, &path).into_iter().filter_map(|span| snapshot.location_of(span)));
        }
    }
    found
}

/// The names in templates that stand for the value at a place.
fn uses(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    let mut found = Vec::new();
    for (chart, paths) in at.values(snapshot) {
        for one in chart.uses() {
            if one.paths.iter().any(|path| paths.iter().any(|wanted| is_same(path, wanted))) {
                found.extend(snapshot.location(one.file.path(), one.position, one.position + one.length));
            }
        }
    }
    found
}

/// Of a value that a release gives: its default in the chart, else who reads it.
fn of_given_value(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    let mut found = Vec::new();
    for (chart, paths) in at.values(snapshot) {
        let spans = paths.iter().flat_map(|path| chart.places(snapshot, path));
        let defaults = spans.filter(|span| chart.prefix_of(span.file.path()).is_some());
        found.extend(defaults.filter_map(|span| snapshot.location_of(span)));
    }
    if found.is_empty() { uses(snapshot, at) } else { found }
}

fn of_kustomization(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    if let Some(entry) = at.entry() {
        let file = entry.file(&snapshot.world, at.folder());
        return file.and_then(|file| snapshot.top_of(&file)).into_iter().collect();
    }
    images(snapshot, at)
}

/// The images that an entry of `images:` changes, where they are written.
fn images(snapshot: &Snapshot, at: &At) -> Vec<Location> {
    let documents = at.documents();
    let items = documents.first().and_then(|root| root.get("images")?.items()).unwrap_or_default();
    // An entry goes until the next one begins.
    let Some(item) = items.iter().rfind(|item| item.span.is_some_and(|span| span.line <= at.line())) else {
        return Vec::new();
    };
    let last = last_line(item);
    let Some(first) = item.span.map(|span| span.line).filter(|_| at.line() <= last) else { return Vec::new() };
    let is_entry = |span: &Span| span.file.path() == at.path && (first..=last).contains(&span.line);
    let mut found = Vec::new();
    for unit in snapshot.units() {
        let Some(built) = snapshot.built(&unit) else { continue };
        for resource in built.resources.iter() {
            visit(resource.node(), 0, &mut |node| {
                let origin = node.origin();
                let mut chain = origin.chain().skip_while(|record| {
                    !(record.step == Step::Image && record.span.is_some_and(|span| is_entry(&span)))
                });
                let written = chain.next().and_then(|_| chain.filter_map(|record| record.span).last());
                found.extend(written.and_then(|span| snapshot.location_of(span)));
            });
        }
    }
    found
}

/// The line that the last scalar below a node begins in.
pub(crate) fn last_line(node: &Node) -> u32 {
    let own = node.span.map_or(0, |span| span.line);
    let entries = node.entries().unwrap_or_default().iter().map(|(_, value)| last_line(value));
    let items = node.items().unwrap_or_default().iter().map(last_line);
    entries.chain(items).max().unwrap_or(0).max(own)
}

/// Visits all scalars below a node.
pub(crate) fn visit<'n>(node: &'n Node, depth: usize, see: &mut dyn FnMut(&'n Node)) {
    if node.as_str().is_some() || depth > onepane_yaml::MAX_DEPTH {
        return see(node);
    }
    node.entries().unwrap_or_default().iter().for_each(|(_, value)| visit(value, depth + 1, see));
    node.items().unwrap_or_default().iter().for_each(|item| visit(item, depth + 1, see));
}
