//! What a strict reader of Chart.yaml refuses: keys that stand twice, and keys that mean nothing.

use crate::{Dependency, Maintainer, Metadata};
use onepane_diagnostics::FileId;
use onepane_value::{Data, Map, Value, format::quote};
use onepane_yaml::{Dialect, EventKind, Events, Scalar, Style, resolve_scalar};
use std::collections::HashSet;

/// The first kind of problem that `text` has, whose first document is `document`. The error is Go's text.
pub(crate) fn check(text: &str, document: &Value) -> Result<(), String> {
    let twice = keys_that_stand_twice(text);
    if !twice.is_empty() {
        return Err(format!("error converting YAML to JSON: yaml: unmarshal errors:\n{}", twice.join("\n")));
    }
    document.as_map().map_or(Ok(()), |map| known_keys(map, Metadata::FIELDS))
}

/// Go decodes keys by name, in any letter case, and stops at the first that it does not know.
fn known_keys(map: &Map, known: &[&str]) -> Result<(), String> {
    let mut entries = Vec::new();
    map.for_each(|key, value| entries.push((key.clone(), value.clone())));
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, value) in entries {
        let field = known.iter().find(|known| key.eq_ignore_ascii_case(known.as_bytes()));
        let inner = match field {
            None => {
                let key = quote(key.as_bytes());
                return Err(format!("error unmarshaling JSON: while decoding JSON: json: unknown field {key}"));
            }
            Some(&"dependencies") => Dependency::FIELDS,
            Some(&"maintainers") => Maintainer::FIELDS,
            Some(_) => continue,
        };
        if let Data::List(items) = &value.data {
            items.iter().filter_map(Value::as_map).try_for_each(|item| known_keys(item, inner))?;
        }
    }
    Ok(())
}

/// A collection that is open.
struct Open {
    mapping: bool,
    keys: HashSet<String>,
    /// The key whose value is next, if it stood there before; `None` where a key is next.
    key: Option<Option<String>>,
    /// Where the collection starts.
    line: u32,
}

/// A line for each key of a mapping that stands there again, in the order in which their values end: go-yaml sets a
/// key once its value is read.
fn keys_that_stand_twice(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut events) = Events::new(text, Some(FileId::new("Chart.yaml"))) else { return found };
    let mut open: Vec<Open> = Vec::new();
    while let Ok(event) = events.next() {
        let line = events.span(&event).map_or(0, |span| span.line);
        match &event.kind {
            // Only the first document is read.
            EventKind::StreamEnd | EventKind::DocumentEnd => break,
            EventKind::DocumentStart => {}
            EventKind::SequenceStart { .. } | EventKind::MappingStart { .. } => {
                let mapping = matches!(event.kind, EventKind::MappingStart { .. });
                open.push(Open { mapping, keys: HashSet::new(), key: None, line });
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => {
                let line = open.pop().map_or(0, |closed| closed.line);
                node_ended(&mut open, line, &mut found);
            }
            EventKind::Scalar(text, style, properties) => match open.last_mut() {
                Some(Open { mapping: true, key: next @ None, keys, .. }) => {
                    let plain = *style == Style::Plain;
                    let key = key_as_go(text, plain, properties.tag.as_deref());
                    // A merge key names no entry of its own.
                    let merges = plain && text == "<<";
                    *next = Some(if merges || keys.insert(key.clone()) { None } else { Some(key) });
                }
                _ => node_ended(&mut open, line, &mut found),
            },
            EventKind::Alias(_) => node_ended(&mut open, line, &mut found),
        }
    }
    found
}

fn node_ended(open: &mut [Open], line: u32, found: &mut Vec<String>) {
    let Some(parent) = open.last_mut().filter(|parent| parent.mapping) else { return };
    parent.key = match parent.key.take() {
        Some(Some(again)) => {
            found.push(format!("  line {line}: key {again} already set in map"));
            None
        }
        Some(None) => None,
        // A collection or an alias as a key.
        None => Some(None),
    };
}

/// A key as Go's `%#v` shows it.
fn key_as_go(text: &str, plain: bool, tag: Option<&str>) -> String {
    match resolve_scalar(text, plain, tag, Dialect::V2) {
        Ok(Scalar::Bool(value)) => value.to_string(),
        Ok(Scalar::Int(value)) => value.to_string(),
        Ok(Scalar::Uint(value)) => format!("{value:#x}"),
        Ok(Scalar::Float(value)) => onepane_yaml::format_float(value),
        Ok(Scalar::Null) => "<nil>".to_owned(),
        Ok(Scalar::Binary(bytes)) => quote(&bytes),
        Ok(Scalar::String(_) | Scalar::Timestamp(_)) | Err(_) => quote(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        Metadata::check_strictly(text).err()
    }

    #[test]
    fn keys_that_stand_twice_and_unknown_ones_are_found() {
        assert_eq!(
            problem("name: a\nname: b\nannotations: {a: 1, a: 2}\nhome:\n  x\nhome:\n  y\n").as_deref(),
            Some(
                "error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key \"name\" already set in map\n  \
                 line 3: key \"a\" already set in map\n  line 7: key \"home\" already set in map"
            )
        );
        assert_eq!(
            problem("zoo: 1\nMaintainers: [{name: a, emial: b}]\nNAME: x\n").as_deref(),
            Some("error unmarshaling JSON: while decoding JSON: json: unknown field \"emial\"")
        );
        assert_eq!(problem("name: a\nannotations: {anything: b}\n"), None);
    }
}
