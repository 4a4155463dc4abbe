//! values.yaml and the files of `-f`: [`parse_values`] and [`merge_maps`].

use crate::compat::Compat;
use crate::tables::overriding;
use onepane_diagnostics::{Diagnostic, FileId, Origin, Record, Result, Step};
use onepane_value::{Data, Map, Value, from_yaml, from_yaml_as_go};
use std::borrow::Cow;

/// Reads values: one or more documents, each of which is merged over those before it.
///
/// With `tracked`, every value carries the step and the file it comes from.
pub fn parse_values(bytes: &[u8], tracked: Option<(Step, FileId)>) -> Result<Map> {
    parse_values_as(Compat::Helm4, bytes, tracked)
}

/// [`parse_values`] by the rules of a version of Helm: Helm 3 reads the first document and no more.
pub fn parse_values_as(compat: Compat, bytes: &[u8], tracked: Option<(Step, FileId)>) -> Result<Map> {
    let wrapping = match compat {
        Compat::Helm4 => "cannot unmarshal yaml document: ",
        Compat::Helm3 => "",
    };
    let text = std::str::from_utf8(bytes).map_err(|_| {
        let message = format!("{wrapping}error converting YAML to JSON: yaml: invalid leading UTF-8 octet");
        Diagnostic::error("yaml-syntax", message)
    })?;
    let mut values = Map::new();
    let documents = match compat {
        Compat::Helm4 => documents(text).map_err(|mut error| {
            error.message.insert_str(0, "error reading yaml document: ");
            error
        })?,
        Compat::Helm3 => vec![(0, text.into())],
    };
    for (first_line, document) in documents {
        let source = tracked.map(|(step, file)| (file, step));
        // Empty lines in place of the documents before keep the places right.
        let padded = if first_line == 0 { None } else { Some("\n".repeat(first_line) + &document) };
        let value = from_yaml(padded.as_deref().unwrap_or(&document), source).map_err(|mut error| {
            let words = from_yaml_as_go(&document).err().unwrap_or_else(|| std::mem::take(&mut error.message));
            error.message = format!("{wrapping}{words}");
            error
        })?;
        match value.data {
            Data::Nil => {}
            Data::Map(map) if values.is_empty() => values = map,
            Data::Map(map) => values = merge_maps(&values, &map),
            _ => {
                let kind = crate::decode::json_kind(&value);
                let message = format!(
                    "{wrapping}error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value \
                     of type map[string]interface {{}}"
                );
                return Err(Diagnostic::error("values-type", message));
            }
        }
    }
    Ok(values)
}

/// The documents of a stream as Kubernetes' reader cuts it, each with the number of lines before it: a line that
/// starts with `---` ends a document that has begun, and may hold nothing else but a comment.
pub fn documents(text: &str) -> Result<Vec<(usize, Cow<'_, str>)>> {
    // The reader takes lines one by one and knows no carriage returns.
    let text: Cow<'_, str> = if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text.into() };
    if !text.contains("\n---") && !text.starts_with("---") {
        return Ok(if text.is_empty() { vec![] } else { vec![(0, text)] });
    }
    let mut found = Vec::new();
    let (mut start, mut first_line) = (0, 0);
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("invalid Yaml document separator: {rest}");
                return Err(Diagnostic::error("yaml-syntax", message));
            }
            if at > start {
                found.push((first_line, Cow::Owned(text[start..at].to_owned())));
                start = at + line.len();
                first_line = number + 1;
            }
        }
        at += line.len();
    }
    if at > start {
        found.push((first_line, Cow::Owned(text[start..].to_owned())));
    }
    Ok(found)
}

/// `over` laid over `under`, tables merged key by key, as Helm merges values files.
pub fn merge_maps(under: &Map, over: &Map) -> Map {
    let out = under.shallow_copy();
    over.for_each(|key, value| {
        let merged = match (under.get(key), value.as_map()) {
            (Some(old), Some(map)) if old.as_map().is_some() => {
                let old_map = old.as_map().unwrap_or(map);
                Value { data: merge_maps(old_map, map).into_data(), origin: overriding(&value.origin, &old.origin) }
            }
            (Some(old), _) => Value { data: value.data.clone(), origin: overriding(&value.origin, &old.origin) },
            (None, _) => value.clone(),
        };
        out.insert(key.clone(), merged);
    });
    out
}

/// A map as plain data.
pub(crate) trait IntoData {
    /// Wraps it.
    fn into_data(self) -> Data;
}

impl IntoData for Map {
    fn into_data(self) -> Data {
        Data::Map(self)
    }
}

/// The origin of a value that a flag sets.
pub(crate) fn flag_origin(note: &str) -> Origin {
    Origin::from(Record {
        step: Step::SetFlag,
        span: None,
        note: Some(note.into()),
        inputs: Vec::new(),
        previous: Origin::UNKNOWN,
    })
}
