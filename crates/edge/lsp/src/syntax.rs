//! What is wrong with the text of one file, as far as it can be told while it is typed: [`of`].

use crate::chart_values::value_at;
use crate::kinds::{Kind, is_from};
use crate::kustomization::entries;
use crate::snapshot::Snapshot;
use crate::values::key_at;
use camino::Utf8Path;
use onepane_chart::check_schema;
use onepane_diagnostics::{Diagnostic, FileId, Span};
use onepane_kustomize::{KUSTOMIZATION_FIELDS, named};
use onepane_world::{World, normalize};
use onepane_yaml::Node;

/// The diagnostics of a file. None of them leads to another one.
pub(crate) fn of(snapshot: &Snapshot, path: &Utf8Path) -> Vec<Diagnostic> {
    let Some(source) = snapshot.source(path) else { return Vec::new() };
    let file = FileId::new(path);
    let kind = Kind::of(snapshot, path);
    match kind {
        Kind::Template => template(path, &source.text),
        Kind::State => state(snapshot, path, &source.text),
        Kind::Other => Vec::new(),
        Kind::Yaml | Kind::ChartValues | Kind::ReleaseValues(_) | Kind::Kustomization => {
            let documents = match onepane_yaml::read(&source.text, file) {
                Ok(documents) => documents,
                // Templates of other tools are no YAML.
                Err(_) if kind == Kind::Yaml && source.text.contains("{{") => return Vec::new(),
                Err(error) => return vec![*error],
            };
            let mut found = Vec::new();
            match kind {
                Kind::Kustomization => kustomization(snapshot, path, &documents, &mut found),
                Kind::ChartValues | Kind::ReleaseValues(_) => schema(snapshot, path, &documents, &mut found),
                _ => {}
            }
            found
        }
    }
}

fn template(path: &Utf8Path, text: &str) -> Vec<Diagnostic> {
    match onepane_template::syntax::definitions(path.as_str(), Some(FileId::new(path)), text, &onepane_functions::HELM)
    {
        Ok(_) => Vec::new(),
        Err(error) => {
            let cause = error.cause.clone();
            let mut diagnostic = error.into_diagnostic("template-syntax");
            diagnostic.message = cause;
            vec![*diagnostic]
        }
    }
}

/// The state is read whole: what a part of it says may be wrong only together with the rest.
fn state(snapshot: &Snapshot, path: &Utf8Path, text: &str) -> Vec<Diagnostic> {
    if !text.contains("{{")
        && let Err(error) = onepane_yaml::read(text, FileId::new(path))
    {
        return vec![*error];
    }
    match snapshot.repository().state("default") {
        Err(error) if error.primary.as_ref().is_some_and(|label| label.span.file.path() == path) => vec![*error],
        _ => Vec::new(),
    }
}

fn kustomization(snapshot: &Snapshot, path: &Utf8Path, documents: &[Node], found: &mut Vec<Diagnostic>) {
    let Some(root) = documents.first() else { return };
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    for (key, _) in root.entries().unwrap_or_default() {
        let Some((name, span)) = key.as_str().zip(key.span) else { continue };
        if !KUSTOMIZATION_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)) {
            let length = name.chars().count() as u32;
            let mut error = Diagnostic::error("kustomize-field", format!("a kustomization has no field `{name}`"))
                .at(span.with_length(length));
            if let Some(meant) = onepane_diagnostics::closest(name, KUSTOMIZATION_FIELDS.iter().copied()) {
                error = error.hint(format!("did you mean `{meant}`?"));
            }
            found.push(*error);
        }
    }
    if found.is_empty()
        && let Err(error) = named(&snapshot.world, folder)
        && error.primary.is_some()
    {
        found.push(*error);
    }
    for entry in entries(root) {
        let Some(target) = entry.target(folder) else { continue };
        if snapshot.world.kind(&target).is_none() {
            let what = if entry.is_folder { "file or folder" } else { "file" };
            let error = Diagnostic::error("kustomize-missing-file", format!("there is no {what} `{target}`"));
            found.push(*error.at(entry.span));
        } else if entry.is_folder && entry.file(&snapshot.world, folder).is_none() {
            let error = Diagnostic::error("kustomize-missing", format!("`{target}` holds no kustomization.yaml"));
            found.push(*error.at(entry.span));
        }
    }
}

/// What the schema of a chart refuses, at the keys of this file that say it.
fn schema(snapshot: &Snapshot, path: &Utf8Path, documents_here: &[Node], found: &mut Vec<Diagnostic>) {
    let repository = snapshot.repository();
    for release in snapshot.releases() {
        let chart = normalize(&release.chart);
        let is_given = release.values.iter().any(|source| is_from(source, path));
        let schema_file = chart.join("values.schema.json");
        if !(is_given || path.parent() == Some(&*chart)) {
            continue;
        }
        let Ok(schema) = snapshot.world.read(&schema_file) else { continue };
        let Ok(values) = repository.effective_values(release) else { continue };
        let Err(text) = check_schema(&schema, &values) else { continue };
        for (pointer, what) in text.lines().filter_map(violation) {
            // The key that says it last is the one to change.
            let says_it = |span: &Span| span.file.path() == path;
            let own = key_at(documents_here, &pointer).filter(|(_, part)| part.len() == pointer.len());
            let origin = value_at(&values, &pointer).map(|value| value.origin);
            let is_here = match origin.as_ref().and_then(|origin| origin.span()) {
                Some(span) => says_it(&span),
                None => own.is_some(),
            };
            let nearest = || key_at(documents_here, &pointer).map(|(span, _)| span);
            let span = own.map(|(span, _)| span).or_else(|| is_here.then(nearest).flatten());
            if let Some(span) = span.filter(|_| is_here || own.is_some() && origin.is_none()) {
                let path =
                    if pointer.is_empty() { "the values".to_owned() } else { format!("`{}`", pointer.join(".")) };
                let error = Diagnostic::error("values-schema", format!("{path}: {what}"));
                let error = error.at(span).label(Span::file(&schema_file), "says the schema of the chart");
                if !found.contains(&error) {
                    found.push(*error);
                }
            }
        }
    }
}

/// `- at '/image/tag': got number, want string`
fn violation(line: &str) -> Option<(Vec<String>, String)> {
    let (pointer, what) = line.trim_start().strip_prefix("- at '")?.split_once("': ")?;
    let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
    Some((pointer.split('/').skip(1).map(unescaped).collect(), what.to_owned()))
}
