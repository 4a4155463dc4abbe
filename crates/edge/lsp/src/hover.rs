//! What a value comes to: [`hover`].

use crate::chart_values::value_at;
use crate::kinds::{Kind, outermost_chart};
use crate::navigation::{At, last_line};
use crate::snapshot::Snapshot;
use crate::templates::{What, comment_above, quoted, quoted_at, template_files};
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};
use onepane_check::ANY;
use onepane_diagnostics::{Origin, Record, Span};
use onepane_kustomize::KUSTOMIZATION_FILES;
use onepane_resource::{Resource, join_key};
use onepane_value::{Data, Value, format::sprint, to_json};
use onepane_world::{EntryKind, World};
use onepane_yaml::Node;
use std::ops::RangeInclusive;

/// More lines than these nobody reads.
const MOST_LINES: usize = 24;

/// Longer values are cut.
const LONGEST: usize = 160;

const REDACTED: &str = "<redacted>";

/// What is to be said of the name or value at a place.
pub(crate) fn hover(snapshot: &Snapshot, params: &HoverParams) -> Option<Hover> {
    let at = At::of(snapshot, &params.text_document_position_params)?;
    let text = match at.kind {
        Kind::Template => of_call(snapshot, &at).or_else(|| of_value(snapshot, &at)),
        Kind::ChartValues | Kind::ReleaseValues(_) => of_value(snapshot, &at),
        Kind::Kustomization | Kind::Yaml => of_field(snapshot, &at),
        Kind::State | Kind::Other => None,
    };
    let value = snapshot.checks.redacted(&text?);
    Some(Hover { contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }), range: None })
}

/// The comment above the definition of a template.
fn of_call(snapshot: &Snapshot, at: &At) -> Option<String> {
    let name = quoted_at(&at.source.text, at.offset).filter(|name| name.what != What::File)?;
    let chart = outermost_chart(&snapshot.world, &at.path)?;
    for file in template_files(&snapshot.world, &chart) {
        let Some(source) = snapshot.source(&file) else { continue };
        let names = quoted(&source.text);
        if let Some(define) = names.iter().find(|one| one.what == What::Define && one.name == name.name) {
            let line = source.line_of(define.start) + 1;
            let comment =
                comment_above(&source.text, define.start).unwrap_or_else(|| "No comment is above it.".to_owned());
            return Some(format!("**{}** — `{file}:{line}`\n\n{comment}", name.name));
        }
    }
    None
}

/// The value in each release that has its chart, who said it, and what that overrides.
fn of_value(snapshot: &Snapshot, at: &At) -> Option<String> {
    let repository = snapshot.repository();
    let mut lines = Vec::new();
    let mut title = None;
    for (chart, paths) in at.values(snapshot) {
        for path in paths {
            let known: Vec<String> = path.iter().take_while(|key| *key != ANY).cloned().collect();
            if known.is_empty() {
                continue;
            }
            title.get_or_insert_with(|| known.join("."));
            for release in snapshot.releases().iter().filter(|release| chart.releases.contains(&release.name)) {
                let Ok(values) = repository.effective_values(release) else { continue };
                let said = match value_at(&values, &known) {
                    Some(value) => format!("`{}`{}", shown(&value), history(&value.origin)),
                    None => "is not set".to_owned(),
                };
                let line = format!("- {}: {said}", release.name);
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    let title = title?;
    if lines.is_empty() {
        lines.push("- no release has it".to_owned());
    }
    Some(format!("**{title}**\n\n{}", cut(lines)))
}

fn cut(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines.join("\n")
}

fn shown(value: &Value) -> String {
    if value.secret().is_some() {
        return REDACTED.to_owned();
    }
    let text = match &value.data {
        Data::Map(_) | Data::List(_) => to_json(value).map(|text| text.to_str().into_owned()).unwrap_or_default(),
        _ => sprint(std::slice::from_ref(value)).to_str().into_owned(),
    };
    one_line(&text)
}

fn one_line(text: &str) -> String {
    let text = text.replace(['\n', '\r'], "⏎").replace('`', "'");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// ` — FILE:LINE (values file), over FILE:LINE (chart defaults)`
fn history(origin: &Origin) -> String {
    let steps = origin.chain().filter_map(|record| Some(step(record, record.span?)));
    let mut steps: Vec<String> = steps.collect();
    steps.dedup();
    steps.truncate(8);
    if steps.is_empty() { String::new() } else { format!(" — {}", steps.join(", over ")) }
}

fn step(record: &Record, span: Span) -> String {
    format!("`{}:{}` ({})", span.file.path(), span.line, record.step.describe())
}

/// The fields of all clusters that a line has a say in.
fn of_field(snapshot: &Snapshot, at: &At) -> Option<String> {
    let line = at.line();
    let text = at.source.line(line as usize - 1).trim();
    if text.is_empty() || text.starts_with('#') || text == "---" {
        return None;
    }
    let file = &at.path;
    let within = |lines: RangeInclusive<u32>| move |span: Span| lines.contains(&span.line) && span.file.path() == file;
    let mut lines = fields_of(snapshot, snapshot.units(), &within(line..=line));
    if lines.is_empty()
        && let Some(entry) = entry_around(at)
    {
        // A step of an entry is noted where that begins.
        lines = fields_of(snapshot, snapshot.units(), &within(entry));
    }
    if lines.is_empty() {
        // What no cluster has may be built by itself: the outermost folder around it.
        let is_unit = |folder: &&Utf8Path| {
            KUSTOMIZATION_FILES.iter().any(|name| snapshot.world.kind(&folder.join(name)) == Some(EntryKind::File))
        };
        let around = at.path.ancestors().skip(1).filter(is_unit).last();
        lines = fields_of(snapshot, around.map(Utf8Path::to_owned), &within(line..=line));
    }
    (!lines.is_empty()).then(|| cut(lines))
}

/// The lines of the entry of a kustomization that a line is in.
fn entry_around(at: &At) -> Option<RangeInclusive<u32>> {
    let documents = at.documents();
    let root = documents.first().filter(|_| at.kind == Kind::Kustomization)?;
    let items = root.entries()?.iter().flat_map(|(_, list)| list.items().unwrap_or_default());
    let mut lines = items.filter_map(|item| Some(item.span?.line..=last_line(item)));
    lines.find(|lines| lines.contains(&at.line()))
}

/// The fields in whose history a place is.
fn fields_of(
    snapshot: &Snapshot,
    units: impl IntoIterator<Item = Utf8PathBuf>,
    is_here: &dyn Fn(Span) -> bool,
) -> Vec<String> {
    let repository = snapshot.repository();
    let mut lines = Vec::new();
    for unit in units {
        let Some(built) = snapshot.built(&unit) else { continue };
        let cluster = repository.unit_name(&unit);
        for resource in built.resources.iter() {
            let mut leaves = Vec::new();
            collect(resource.node(), String::new(), 0, &mut leaves);
            for (path, leaf) in leaves {
                let origin = leaf.origin();
                if !origin.chain().filter_map(|record| record.span).any(is_here) {
                    continue;
                }
                let value = match resource.kind() == "Secret" || origin.secret().is_some() {
                    true => REDACTED.to_owned(),
                    false => one_line(leaf.as_str().unwrap_or_default()),
                };
                lines.push(format!("- {cluster}: {} `{path}` = `{value}`{}", name(resource), history(&origin)));
            }
        }
    }
    lines
}

fn name(resource: &Resource) -> String {
    format!("{}/{}", resource.kind(), resource.name())
}

/// The scalars below a node, with their paths.
fn collect<'n>(node: &'n Node, path: String, depth: usize, leaves: &mut Vec<(String, &'n Node)>) {
    if depth > onepane_yaml::MAX_DEPTH {
        return;
    }
    if node.as_str().is_some() {
        return leaves.push((path, node));
    }
    for (key, value) in node.entries().unwrap_or_default() {
        collect(value, join_key(&path, key.as_str().unwrap_or_default()), depth + 1, leaves);
    }
    for (index, item) in node.items().unwrap_or_default().iter().enumerate() {
        let path = match item.get("name").and_then(Node::as_str) {
            Some(name) => format!("{path}[name={name}]"),
            None => format!("{path}[{index}]"),
        };
        collect(item, path, depth + 1, leaves);
    }
}
