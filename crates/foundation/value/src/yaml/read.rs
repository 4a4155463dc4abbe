//! From YAML text to [`Value`]s, event by event.

use crate::{Data, List, Map, Text, Value};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_yaml::{
    AliasBudget, Dialect, Event, EventKind, Events, MAX_DEPTH, Properties, Scalar, Style, SyntaxError, resolve_scalar,
};
use std::collections::HashMap;

/// Why a text is no value: as a finding, and in Go's words.
struct YamlError {
    /// sigs.k8s.io/yaml's error: `error converting YAML to JSON: yaml: line 2: …`.
    go: String,
    syntax: Box<SyntaxError>,
    code: &'static str,
}

impl YamlError {
    fn into_diagnostic(self, file: FileId, text: &str) -> Box<Diagnostic> {
        let mut diagnostic = self.syntax.diagnostic(file, text);
        diagnostic.code = self.code;
        diagnostic
    }
}

/// Reads the first document as sigs.k8s.io/yaml's `Unmarshal` into an `interface{}` does: through JSON, so that
/// numbers are `float64` and keys are strings. A text without a document is nil.
///
/// With a `source`, values carry the place they were read from as an origin of that step.
pub fn from_yaml(text: &str, source: Option<(FileId, Step)>) -> Result<Value> {
    let file = source.map_or_else(|| FileId::new("-"), |(file, _)| file);
    read(text, source).map_err(|error| error.into_diagnostic(file, text))
}

/// [`from_yaml`] with Go's error text, for templates.
pub fn from_yaml_as_go(text: &str) -> std::result::Result<Value, String> {
    read(text, None).map_err(|error| error.go)
}

/// [`from_yaml`] into a `map[string]interface {}`; nothing and `null` are an empty map.
pub fn from_yaml_map(text: &str, source: Option<(FileId, Step)>) -> Result<Map> {
    let value = from_yaml(text, source)?;
    match value.data {
        Data::Nil => Ok(Map::new()),
        Data::Map(map) => Ok(map),
        other => {
            let name = json_kind(&other);
            let message = format!("json: cannot unmarshal {name} into Go value of type map[string]interface {{}}");
            let diagnostic = Diagnostic::error("yaml-not-a-map", message).hint("the file must hold `key: value` lines");
            Err(match source {
                Some((file, _)) => diagnostic.at(value.origin.span().unwrap_or(Span::new(file, 1, 1))),
                None => diagnostic,
            })
        }
    }
}

/// What encoding/json calls a value.
fn json_kind(data: &Data) -> &'static str {
    match data {
        Data::Bool(_) => "bool",
        Data::String(_) => "string",
        Data::List(_) => "array",
        Data::Int(..) | Data::Uint(..) | Data::Float(..) => "number",
        _ => "object",
    }
}

/// Reads documents parted by lines that begin with `---`, each with [`from_yaml`]: how Helm reads a chart's
/// `values.yaml`. Nothing but a comment may follow on such a line.
pub fn from_yaml_documents(text: &str, source: Option<(FileId, Step)>) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut first_line = 0;
    let mut read_from = |start: usize, end: usize, first_line: usize| -> Result<()> {
        if start < end {
            // Empty lines in place of what stands before keep the places right.
            let padded;
            let part = if first_line == 0 {
                &text[start..end]
            } else {
                padded = "\n".repeat(first_line) + &text[start..end];
                &padded
            };
            documents.push(from_yaml(part, source)?);
        }
        Ok(())
    };
    for (line, whole) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = whole.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let diagnostic = Diagnostic::error("yaml-syntax", format!("invalid Yaml document separator: {rest}"));
                return Err(match source {
                    Some((file, _)) => diagnostic.at(Span::new(file, line as u32 + 1, 1)),
                    None => diagnostic,
                });
            }
            read_from(start, at, first_line)?;
            (start, first_line) = (at + whole.len(), line + 1);
        }
        at += whole.len();
    }
    read_from(start, at, first_line)?;
    Ok(documents)
}

fn read(text: &str, source: Option<(FileId, Step)>) -> std::result::Result<Value, YamlError> {
    let conversion = |error: Box<SyntaxError>| YamlError {
        go: format!("error converting YAML to JSON: {}", error.go_text(Dialect::V2)),
        code: "yaml-syntax",
        syntax: error,
    };
    let mut events = Events::new(text, source.map(|(file, _)| file)).map_err(conversion)?;
    let mut builder = Builder { step: source.map(|(_, step)| step), ..Builder::default() };
    loop {
        let event = events.next().map_err(conversion)?;
        match event.kind {
            EventKind::DocumentStart => {}
            // What follows the first document is not even looked at.
            EventKind::StreamEnd | EventKind::DocumentEnd => return builder.finish(),
            _ => builder.take(event, &mut events)?,
        }
    }
}

/// A value that aliases may copy.
struct Target {
    value: Value,
    nodes: u64,
    depth: usize,
}

#[derive(Default)]
struct Builder<'a> {
    step: Option<Step>,
    root: Value,
    open: Vec<Open<'a>>,
    anchors: HashMap<&'a str, Target>,
    budget: AliasBudget,
    /// What is wrong with a value. Go sees it only once the whole document's syntax is right.
    failed: Option<YamlError>,
}

/// A collection whose end is not yet read.
struct Open<'a> {
    content: Content,
    origin: Origin,
    anchor: Option<&'a str>,
    nodes: u64,
    depth: usize,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping {
        entries: Vec<(Text, Value)>,
        key: Option<Key>,
        /// Where that key is from.
        key_origin: Origin,
    },
}

enum Key {
    Text(Text),
    Merge,
    /// One that JSON cannot have: its type and how Go prints it.
    Unsupported(String),
    /// A collection.
    Invalid,
}

/// A complete node, as far as its parent cares.
struct Done<'e> {
    value: Value,
    nodes: u64,
    depth: usize,
    /// What it is as a key.
    key: Key,
    is_alias: bool,
    event: &'e Event<'e>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, events: &mut Events<'a>) -> std::result::Result<(), YamlError> {
        let origin = match self.step {
            Some(step) => events.span(&event).map_or(Origin::UNKNOWN, |span| Origin::at(step, span)),
            None => Origin::UNKNOWN,
        };
        let origin = match (&event.kind, self.open.last_mut().map(|open| &mut open.content)) {
            // A block begins in the line below its key, and is called by that.
            (
                EventKind::SequenceStart { .. } | EventKind::MappingStart { .. },
                Some(Content::Mapping { key: Some(_), key_origin, .. }),
            ) => std::mem::take(key_origin),
            _ => origin,
        };
        self.budget.spend(1);
        let done = match &event.kind {
            EventKind::SequenceStart { properties, .. } => {
                return self.start(Content::Sequence(Vec::new()), properties, origin, &event, events);
            }
            EventKind::MappingStart { properties, .. } => {
                let content = Content::Mapping { entries: Vec::new(), key: None, key_origin: Origin::UNKNOWN };
                return self.start(content, properties, origin, &event, events);
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let data = match open.content {
                    Content::Sequence(items) => Data::List(List::new(items)),
                    Content::Mapping { entries, .. } => Data::Map(entries.into_iter().collect()),
                };
                let value = Value { data, origin: open.origin };
                if let Some(anchor) = open.anchor {
                    let target = Target { value: value.clone(), nodes: open.nodes, depth: open.depth };
                    self.anchors.insert(anchor, target);
                }
                let key = Key::Invalid;
                Done { value, nodes: open.nodes, depth: open.depth, key, is_alias: false, event: &event }
            }
            EventKind::Alias(name) => {
                let (value, nodes, depth) = self.copy(name, origin, &event, events)?;
                let key = key_of_copy(&value);
                Done { value, nodes, depth, key, is_alias: true, event: &event }
            }
            EventKind::Scalar(text, style, properties) => {
                let plain = *style == Style::Plain;
                let scalar = resolve_scalar(text, plain, properties.tag.as_deref(), Dialect::V2);
                let scalar = scalar.unwrap_or_else(|problem| {
                    self.fail(composer(&event, events, problem));
                    Scalar::Null
                });
                let expects_key = self.expects_key();
                let key = if expects_key { key_of(&scalar, text, plain, properties) } else { Key::Merge };
                let data = data_of(scalar, text).unwrap_or_else(|problem| {
                    // A key is written as text, whatever it is.
                    if !expects_key {
                        self.fail(not_json(&event, events, problem));
                    }
                    Data::Nil
                });
                let value = Value { data, origin };
                if let Some(anchor) = properties.anchor {
                    self.anchors.insert(anchor, Target { value: value.clone(), nodes: 1, depth: 1 });
                }
                Done { value, nodes: 1, depth: 1, key, is_alias: false, event: &event }
            }
            EventKind::StreamEnd | EventKind::DocumentStart | EventKind::DocumentEnd => return Ok(()),
        };
        self.add(done, events)
    }

    fn finish(self) -> std::result::Result<Value, YamlError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.root),
        }
    }

    fn fail(&mut self, error: YamlError) {
        self.failed.get_or_insert(error);
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn start(
        &mut self,
        content: Content,
        properties: &Properties<'a>,
        origin: Origin,
        event: &Event<'_>,
        events: &Events<'_>,
    ) -> std::result::Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(composer(event, events, "exceeded max depth of 1000".into()));
        }
        if let Some(anchor) = properties.anchor {
            // An alias to it from within must not find an older one.
            self.anchors.remove(anchor);
        }
        self.open.push(Open { content, origin, anchor: properties.anchor, nodes: 1, depth: 1 });
        Ok(())
    }

    fn copy(
        &mut self,
        name: &str,
        origin: Origin,
        event: &Event<'_>,
        events: &Events<'_>,
    ) -> std::result::Result<(Value, u64, usize), YamlError> {
        let Some(target) = self.anchors.get(name) else {
            let within = self.open.iter().any(|open| open.anchor == Some(name));
            let problem = if within {
                format!("anchor '{name}' value contains itself")
            } else {
                format!("unknown anchor '{name}' referenced")
            };
            return Err(composer(event, events, problem));
        };
        let (nodes, depth) = (target.nodes, target.depth);
        if !self.budget.spend_copies(nodes) {
            let mut error = composer(event, events, "document contains excessive aliasing".into());
            error.code = "yaml-alias-bomb";
            return Err(error);
        }
        if self.open.len() + depth > MAX_DEPTH {
            return Err(composer(event, events, "exceeded max depth of 1000".into()));
        }
        let copy = target.value.deep_copy();
        let origin = if origin.is_known() { origin.over(&copy.origin) } else { copy.origin.clone() };
        Ok((Value { data: copy.data, origin }, nodes, depth))
    }

    fn add(&mut self, done: Done<'_>, events: &Events<'_>) -> std::result::Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.root = done.value;
            return Ok(());
        };
        open.nodes += done.nodes;
        open.depth = open.depth.max(done.depth + 1);
        match &mut open.content {
            Content::Sequence(items) => items.push(done.value),
            Content::Mapping { entries, key, key_origin } => {
                let Some(of) = key.take() else {
                    *key_origin = done.value.origin.clone();
                    if matches!(done.key, Key::Invalid) {
                        let problem = format!("invalid map key: {}", go_syntax(&done.value, 0));
                        let error = composer(done.event, events, problem);
                        *key = Some(done.key);
                        self.fail(error);
                        return Ok(());
                    }
                    *key = Some(done.key);
                    return Ok(());
                };
                match of {
                    Key::Text(text) => entries.push((text, done.value)),
                    Key::Merge if merge(&done.value, done.is_alias, entries) => {}
                    Key::Merge | Key::Invalid => {
                        let problem = "map merge requires map or sequence of maps as the value";
                        self.fail(composer(done.event, events, problem.into()));
                    }
                    Key::Unsupported(key) => {
                        let value = go_syntax(&done.value, 0);
                        let problem = format!("unsupported map key of type: {key}, value: {value}");
                        self.fail(not_json(done.event, events, problem));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Puts what stands under `<<` into the entries read so far, over which it wins: go-yaml v2 sets keys in the order of
/// the text. Of several maps the first wins. False if it is no map and no list of maps.
fn merge(value: &Value, is_alias: bool, entries: &mut Vec<(Text, Value)>) -> bool {
    match &value.data {
        Data::Map(map) => entries.extend(map.entries()),
        Data::List(list) if !is_alias => {
            for item in list.iter().rev() {
                let Data::Map(map) = &item.data else { return false };
                entries.extend(map.entries());
            }
        }
        _ => return false,
    }
    true
}

/// A scalar as a key of JSON.
fn key_of(scalar: &Scalar<'_>, text: &str, plain: bool, properties: &Properties<'_>) -> Key {
    let merges = match properties.tag.as_deref() {
        None | Some("!") => plain,
        Some(tag) => tag == "!!merge",
    };
    if text == "<<" && merges {
        return Key::Merge;
    }
    Key::Text(match scalar {
        Scalar::String(text) => Text::from(&**text),
        Scalar::Timestamp(_) => Text::from(text),
        Scalar::Int(value) => Text::from(value.to_string()),
        Scalar::Bool(value) => Text::from(if *value { "true" } else { "false" }),
        // Go prints it with the digits that a float32 needs.
        Scalar::Float(value) => Text::from(float32_text(*value)),
        Scalar::Binary(bytes) => Text::from(&**bytes),
        Scalar::Null => return Key::Unsupported("%!s(<nil>), key: <nil>".into()),
        Scalar::Uint(value) => return Key::Unsupported(format!("uint64, key: {value:#x}")),
    })
}

fn float32_text(value: f64) -> String {
    let narrow = value as f32;
    if !narrow.is_finite() {
        return onepane_yaml::format_float(f64::from(narrow));
    }
    // The shortest digits of a float32, read as a float64, have the same shortest digits.
    let digits = format!("{narrow:e}");
    digits.parse().map_or(digits, onepane_yaml::format_float)
}

/// An alias as a key: what it copies, as JSON keys are.
fn key_of_copy(value: &Value) -> Key {
    Key::Text(match &value.data {
        Data::String(text) => text.clone(),
        Data::Bool(value) => Text::from(if *value { "true" } else { "false" }),
        Data::Float(value, _) if value.fract() == 0.0 && value.abs() < 1e15 => Text::from(format!("{value}")),
        Data::Float(value, _) => Text::from(float32_text(*value)),
        Data::Nil => return Key::Unsupported("%!s(<nil>), key: <nil>".into()),
        _ => return Key::Invalid,
    })
}

/// A value as Go's `%#v` prints what go-yaml makes of it; whole numbers count as integers.
fn go_syntax(value: &Value, depth: usize) -> String {
    let inner = |value: &Value| match value.data {
        Data::Nil => "interface {}(nil)".to_owned(),
        _ => go_syntax(value, depth + 1),
    };
    match &value.data {
        _ if depth > 16 => "…".into(),
        Data::Nil => "<nil>".into(),
        Data::Bool(value) => value.to_string(),
        Data::String(text) => format!("{:?}", text.to_str()),
        Data::Float(value, _) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
        Data::Float(value, _) => onepane_yaml::format_float(*value),
        Data::List(list) => {
            let items: Vec<String> = list.iter().map(inner).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(map) => {
            let mut entries = Vec::new();
            map.for_each(|key, value| entries.push(format!("{:?}:{}", key.to_str(), inner(value))));
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
        _ => String::new(),
    }
}

/// A scalar as encoding/json reads what it was written to: all numbers are `float64`.
fn data_of(scalar: Scalar<'_>, text: &str) -> std::result::Result<Data, String> {
    let float = |value: f64| Value::float(value).data;
    Ok(match scalar {
        Scalar::Null => Data::Nil,
        Scalar::Bool(value) => Data::Bool(value),
        Scalar::Int(value) => float(value as f64),
        Scalar::Uint(value) => float(value as f64),
        Scalar::Float(value) if value.is_finite() => float(value),
        Scalar::Float(value) => {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(format!("json: unsupported value: {name}"));
        }
        Scalar::String(text) => Data::String(Text::from(&*text)),
        Scalar::Timestamp(_) => Data::String(Text::from(text)),
        Scalar::Binary(bytes) => Data::String(Text::from(&*crate::json::valid_utf8(&bytes))),
    })
}

fn composer(event: &Event<'_>, events: &Events<'_>, problem: String) -> YamlError {
    let syntax = events.error(event, problem);
    let go = format!("error converting YAML to JSON: {}", syntax.go_text(Dialect::V2));
    YamlError { go, syntax, code: "yaml-syntax" }
}

fn not_json(event: &Event<'_>, events: &Events<'_>, problem: String) -> YamlError {
    let go = format!("error converting YAML to JSON: {problem}");
    YamlError { go, syntax: events.error(event, problem), code: "yaml-not-json" }
}
