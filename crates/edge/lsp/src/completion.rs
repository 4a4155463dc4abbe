//! What may be typed at a place: [`completion`].

use crate::chart_values::ChartIndex;
use crate::kinds::{Kind, outermost_chart};
use crate::kustomization::is_of_paths;
use crate::navigation::At;
use crate::snapshot::Snapshot;
use crate::templates::{What, action_at, quoted, template_files};
use crate::values::path_by_indentation;
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit, TextEdit,
};
use onepane_kustomize::{KUSTOMIZATION_FIELDS, KUSTOMIZATION_FILES};
use onepane_world::{EntryKind, World, normalize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A name that no chart has: it stands for what is typed.
const TYPED: &str = "onepaneTypesThis";

const KEYWORDS: [&str; 10] = ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"];

/// text/template's own.
const BUILTINS: [&str; 19] = [
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call", "eq",
    "ne", "lt", "le", "gt", "ge",
];

/// What every template of a chart is given.
const TOP: [&str; 7] = ["Values", "Release", "Chart", "Files", "Capabilities", "Template", "Subcharts"];

/// What fits at a place.
pub(crate) fn completion(snapshot: &Snapshot, params: &CompletionParams) -> Option<CompletionResponse> {
    let at = At::of(snapshot, &params.text_document_position)?;
    let items = match &at.kind {
        Kind::Template => in_template(snapshot, &at),
        Kind::ChartValues => {
            let chart = snapshot.chart_of(&at.path)?;
            let prefix = chart.prefix_of(&at.path)?.to_vec();
            in_values(&at, &[(&chart, prefix)])
        }
        Kind::ReleaseValues(charts) => {
            let charts: Vec<_> = charts.iter().filter_map(|chart| snapshot.chart(chart)).collect();
            in_values(&at, &charts.iter().map(|chart| (&**chart, Vec::new())).collect::<Vec<_>>())
        }
        Kind::Kustomization => in_kustomization(snapshot, &at),
        _ => Vec::new(),
    };
    Some(CompletionResponse::Array(items))
}

/// The items, each in place of what is typed from the byte `start` on.
fn from(at: &At, start: usize, mut items: Vec<CompletionItem>) -> Vec<CompletionItem> {
    let range = at.source.range(start, at.offset);
    for item in &mut items {
        item.text_edit = Some(CompletionTextEdit::Edit(TextEdit { range, new_text: item.label.clone() }));
    }
    items
}

fn item(label: impl Into<String>, kind: CompletionItemKind) -> CompletionItem {
    CompletionItem { label: label.into(), kind: Some(kind), ..CompletionItem::default() }
}

fn all(labels: impl IntoIterator<Item = impl Into<String>>, kind: CompletionItemKind) -> Vec<CompletionItem> {
    let labels: BTreeSet<String> = labels.into_iter().map(Into::into).collect();
    labels.into_iter().map(|label| item(label, kind)).collect()
}

fn in_template(snapshot: &Snapshot, at: &At) -> Vec<CompletionItem> {
    let text = &at.source.text;
    let Some(action) = action_at(text, at.offset) else { return Vec::new() };
    let before = &text[action..at.offset];
    // An odd number of quotes: the last one is open.
    if before.matches('"').count() % 2 == 1 {
        let called = before[..before.rfind('"').unwrap_or_default()].trim_end();
        let is_call = ["include", "template"].iter().any(|word| called.ends_with(word));
        let start = action + before.rfind('"').map_or(0, |quote| quote + 1);
        return if is_call { from(at, start, names(snapshot, &at.path)) } else { Vec::new() };
    }
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let typed = before.len() - before.trim_end_matches(is_name).len();
    let rest = &before[..before.len() - typed];
    if rest.ends_with('.') {
        return fields(snapshot, at, typed);
    }
    if rest.ends_with('$') {
        return Vec::new();
    }
    let names = onepane_functions::HELM.names().chain(BUILTINS);
    let mut items = all(names, CompletionItemKind::FUNCTION);
    items.extend(all(KEYWORDS, CompletionItemKind::KEYWORD));
    items
}

/// The templates that may be called.
fn names(snapshot: &Snapshot, path: &Utf8Path) -> Vec<CompletionItem> {
    let Some(chart) = outermost_chart(&snapshot.world, path) else { return Vec::new() };
    let files = template_files(&snapshot.world, &chart);
    let sources = files.iter().filter_map(|file| snapshot.source(file));
    let defined = sources.flat_map(|source| quoted(&source.text)).filter(|one| one.what == What::Define);
    all(defined.map(|one| one.name), CompletionItemKind::MODULE)
}

/// What stands behind a dot: the text is read with a name in place of what is typed; where that leads tells the keys.
fn fields(snapshot: &Snapshot, at: &At, typed: usize) -> Vec<CompletionItem> {
    let text = &at.source.text;
    let start = at.offset - typed;
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let end = text[at.offset..].find(|next| !is_name(next)).map_or(text.len(), |length| at.offset + length);
    let head = &text[..start - 1];
    let is_top = || head.ends_with('$') || !head.ends_with(|before: char| is_name(before) || before == ')');
    let mut keys = keys_there(snapshot, &at.path, text, start, end);
    if keys.is_empty() {
        // Where the rest of the text is broken too: what is written right here.
        keys = written_path(head)
            .and_then(|path| Some(snapshot.chart_of(&at.path)?.keys_below(&path)))
            .unwrap_or_default();
    }
    let mut items = all(keys, CompletionItemKind::FIELD);
    if items.is_empty() && is_top() {
        items = all(TOP, CompletionItemKind::FIELD);
    }
    from(at, start, items)
}

fn keys_there(snapshot: &Snapshot, path: &Utf8Path, text: &str, start: usize, end: usize) -> Vec<String> {
    let mut unsaved = (*snapshot.unsaved).clone();
    let rest = &text[end..];
    // An action that is not closed yet.
    let close = match rest.find("}}").filter(|close| !rest[..*close].contains("{{") && !rest[..*close].contains('\n')) {
        Some(_) => "",
        None => " }}",
    };
    unsaved.insert(path.to_owned(), format!("{}{TYPED}{close}{rest}", &text[..start]).into());
    let Some(imagined) = Snapshot::new(&snapshot.surroundings(), Arc::new(unsaved)) else { return Vec::new() };
    let Some(chart) = imagined.chart_of(path) else { return Vec::new() };
    let Some(found) = chart.use_at(path, start) else { return Vec::new() };
    let above = found.paths.iter().filter_map(|path| path.split_last());
    let mut keys: Vec<String> = above.flat_map(|(_, above)| chart.keys_below(above)).collect();
    keys.retain(|key| key != TYPED);
    keys
}

/// The keys of `.Values.a.b` at the end of a text.
fn written_path(text: &str) -> Option<Vec<String>> {
    let is_path = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let path = &text[text.trim_end_matches(is_path).len()..];
    let rest = path.strip_prefix(".Values")?;
    Some(rest.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect())
}

fn in_values(at: &At, charts: &[(&ChartIndex, Vec<String>)]) -> Vec<CompletionItem> {
    let line = at.source.line_of(at.offset);
    let typed = &at.source.text[at.source.line_start(line)..at.offset];
    // Behind a key stands a value.
    if typed.contains(':') || typed.trim_start().starts_with('#') {
        return Vec::new();
    }
    let path = path_by_indentation(&at.source, at.offset);
    let keys = charts.iter().flat_map(|(chart, prefix)| chart.keys_below(&[prefix.as_slice(), &path].concat()));
    let start = at.offset - typed.trim_start_matches([' ', '-']).len();
    from(at, start, all(keys, CompletionItemKind::PROPERTY))
}

fn in_kustomization(snapshot: &Snapshot, at: &At) -> Vec<CompletionItem> {
    let line = at.source.line_of(at.offset);
    let typed = at.source.text[at.source.line_start(line)..at.offset].to_owned();
    let trimmed = typed.trim_start();
    if typed.len() == trimmed.len() && !typed.contains(':') && !typed.starts_with('-') {
        return all(KUSTOMIZATION_FIELDS.iter().copied(), CompletionItemKind::PROPERTY);
    }
    let behind = |head: &str| trimmed.strip_prefix(head).map(str::trim_start);
    let written = behind("- path:").or_else(|| behind("path:")).or_else(|| {
        let is_list = (0..line)
            .rev()
            .map(|above| at.source.line(above))
            .find(|text| !text.trim_start().starts_with(['-', '#']) && !text.trim().is_empty());
        let field = is_list.and_then(|text| text.trim().strip_suffix(':'));
        field.filter(|field| is_of_paths(field)).and_then(|_| trimmed.strip_prefix('-')).map(str::trim_start)
    });
    written.map_or_else(Vec::new, |written| paths(snapshot, at, written))
}

/// The files and folders that a path may go on with.
fn paths(snapshot: &Snapshot, at: &At, written: &str) -> Vec<CompletionItem> {
    let start = written.rfind('/').map_or("", |slash| &written[..=slash]);
    let folder: Utf8PathBuf = normalize(&at.folder().join(start));
    if folder.starts_with("..") {
        return Vec::new();
    }
    let mut items = Vec::new();
    for entry in snapshot.world.list(&folder).unwrap_or_default() {
        let is_own = KUSTOMIZATION_FILES.contains(&entry.name.as_str());
        match entry.kind {
            _ if entry.name.starts_with('.') || is_own => {}
            EntryKind::Folder => items.push(item(entry.name, CompletionItemKind::FOLDER)),
            EntryKind::File => items.push(item(entry.name, CompletionItemKind::FILE)),
            EntryKind::Other => {}
        }
    }
    if start.is_empty() || start.split('/').all(|part| matches!(part, ".." | "")) {
        items.push(item("..", CompletionItemKind::FOLDER));
    }
    from(at, at.offset - (written.len() - start.len()), items)
}
