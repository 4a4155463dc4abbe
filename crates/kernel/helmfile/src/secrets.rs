//! Values that are secret: they know it by their origins, for whoever renders them.

use crate::outside::{Found, Outside, ProgramCall};
use crate::reference::Reference;
use camino::Utf8Path;
use onepane_chart::parse_values;
use onepane_diagnostics::{Diagnostic, FileId, Origin, Record, Result, Span, Step};
use onepane_value::{Data, List, Map, Text, Value};
use onepane_yaml::Node;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// Lines of what state and values files render to that were made of secrets.
///
/// Between a template and the values that are read in its text there is only text. What it knows of secrets is kept
/// here, a line at a time, so that a value that shares its line with a secret counts as one.
#[derive(Debug, Default)]
pub struct SecretLines(Mutex<HashMap<FileId, BTreeSet<u32>>>);

impl SecretLines {
    /// Notes the line of a text in `file`, from 1.
    pub(crate) fn note(&self, file: FileId, line: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(file).or_default().insert(line);
    }

    fn of(&self, file: FileId) -> BTreeSet<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&file).cloned().unwrap_or_default()
    }
}

/// The lines of a rendered text that were made of secrets, from 1.
pub(crate) fn lines(text: &Text) -> Vec<u32> {
    let marks = text.marks_by_line();
    let ends = marks.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    let mut lines = Vec::new();
    for ((start, _), end) in marks.iter().zip(ends).filter(|((_, origin), _)| origin.secret().is_some()) {
        let line = |at: usize| text[..at].iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        // What ends a line is still on it.
        lines.extend(line(*start)..=line(end.saturating_sub(1).max(*start)));
    }
    lines
}

/// Somebody outside, with a note of the lines that hold secrets.
pub(crate) struct Noting<'a> {
    outside: &'a dyn Outside,
    lines: SecretLines,
}

impl<'a> Noting<'a> {
    pub(crate) fn new(outside: &'a dyn Outside) -> Self {
        Self { outside, lines: SecretLines::default() }
    }
}

impl Outside for Noting<'_> {
    fn run(&self, call: &ProgramCall<'_>) -> std::result::Result<Vec<u8>, String> {
        self.outside.run(call)
    }

    fn secret(&self, folder: &Utf8Path, reference: &Reference) -> std::result::Result<Found, String> {
        self.outside.secret(folder, reference)
    }

    fn decrypt(&self, path: &Utf8Path, encrypted: &[u8]) -> std::result::Result<Vec<u8>, String> {
        self.outside.decrypt(path, encrypted)
    }

    fn secret_lines(&self) -> Option<&SecretLines> {
        Some(&self.lines)
    }
}

/// The values that were decrypted from `encrypted`, whose lines they know: there each key is at its place.
pub(crate) fn decrypted_values(values: &Map, encrypted: &[u8], path: &Utf8Path) -> Map {
    let file = FileId::new(path);
    let nodes = onepane_yaml::read(&String::from_utf8_lossy(encrypted), file).unwrap_or_default();
    let whole = Value::from(values.clone());
    let placed = placed(&whole, nodes.first(), Span::file(path));
    placed.as_map().cloned().unwrap_or_default()
}

fn placed(value: &Value, node: Option<&Node>, above: Span) -> Value {
    let span = node.and_then(|node| node.span).unwrap_or(above);
    let data = match &value.data {
        Data::Map(map) => {
            let entry = |(key, value): (Text, Value)| {
                let node = node.and_then(|node| node.get(&key.to_str()));
                (key, placed(&value, node, span))
            };
            Data::Map(map.entries().into_iter().map(entry).collect())
        }
        Data::List(list) => {
            let node = |at| node.and_then(Node::items).and_then(|items: &[Node]| items.get(at));
            let items = list.iter().enumerate().map(|(at, item)| placed(item, node(at), span));
            Data::List(items.collect::<List>())
        }
        _ => return value.with_origins(&|_| Some(Origin::at(Step::Secret, span))),
    };
    // A map is no secret: others' values may be laid into it.
    Value { data, origin: Origin::at(Step::ValuesFile, span) }
}

/// The values of a file that Helm reads, decrypted; what is in it is in no error.
pub(crate) fn helm_values(plain: &[u8], encrypted: &[u8], path: &Utf8Path, span: Span) -> Result<Map> {
    let values = parse_values(plain, None).map_err(|_| {
        Diagnostic::error("helmfile-secrets", format!("`{path}` decrypts to what is no mapping in YAML")).at(span)
    })?;
    Ok(decrypted_values(&values, encrypted, path))
}

/// The values that were read in rendered texts, those on noted lines as secrets.
pub(crate) fn noted(values: &Map, outside: &dyn Outside) -> Map {
    let Some(secret_lines) = outside.secret_lines() else { return values.clone() };
    let whole = Value::from(values.clone());
    // Where the values of each file stand; one that has several lines stands where it begins.
    let mut starts: HashMap<FileId, BTreeSet<u32>> = HashMap::new();
    each_place(&whole, &mut |span| _ = starts.entry(span.file).or_default().insert(span.line));
    let mut secret: HashMap<FileId, BTreeSet<u32>> = HashMap::new();
    for (file, starts) in &starts {
        let begins = |line: u32| starts.range(..=line).next_back().copied();
        secret.insert(*file, secret_lines.of(*file).into_iter().filter_map(begins).collect());
    }
    let is_secret = |span: Span| secret.get(&span.file).is_some_and(|lines| lines.contains(&span.line));
    let mark = |scalar: &Value| {
        let span = scalar.origin.span().filter(|span| is_secret(*span) && scalar.origin.secret().is_none())?;
        Some(Origin::at(Step::Secret, span))
    };
    whole.with_origins(&mark).as_map().cloned().unwrap_or_default()
}

fn each_place(value: &Value, visit: &mut dyn FnMut(Span)) {
    match &value.data {
        Data::Map(map) => map.for_each(|_, value| each_place(value, visit)),
        Data::List(list) => list.iter().for_each(|item| each_place(item, visit)),
        _ => value.origin.span().into_iter().for_each(visit),
    }
}

/// What a reference that stands at a place stands for: a secret, all of it.
pub(crate) fn placed_at(value: &Value, place: &Origin) -> Value {
    let record =
        Record { step: Step::Secret, span: place.span(), note: None, inputs: vec![], previous: Origin::UNKNOWN };
    let origin = Origin::from(record);
    value.with_origins(&|_| Some(origin.clone()))
}
