//! From [`Value`]s to YAML text.

use crate::json::{self, valid_utf8};
use crate::{Data, ElementType, FloatKind, Kind, Map, Text, TextBuilder, Value};
use onepane_diagnostics::Origin;
use onepane_yaml::{Dialect, Emitter, MAX_DEPTH, key_through_json, sort_by_keys, string_through_json};

/// Writes as sigs.k8s.io/yaml's `Marshal` does, the line feed at the end included. Each key and each item of a list
/// is marked with its value's origin, and strings keep the marks that they have.
///
/// The error is Go's: a value that JSON cannot hold, a map that contains itself.
pub fn to_yaml(value: &Value) -> Result<Text, String> {
    Ok(marked(write(value, Emitter::sigs(), true)?))
}

/// [`to_yaml`] without the line feed at the end: Helm's `toYaml`.
pub fn to_yaml_block(value: &Value) -> Result<Text, String> {
    let (mut text, marks) = write(value, Emitter::sigs(), true)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(marked((text, marks)))
}

/// Writes as Helm's `toYamlPretty` does: sequences deeper than their key, straight from Go's values.
pub fn to_yaml_pretty(value: &Value) -> Result<Text, String> {
    Ok(marked(write(value, Emitter::pretty(), false)?))
}

/// A text and from which byte on which origin holds.
type Written = (String, Vec<(usize, Origin)>);

fn write(value: &Value, emitter: Emitter, through_json: bool) -> Result<Written, String> {
    let mut writer = Writer { emitter, through_json, marks: Vec::new() };
    writer.value(value, &value.origin, 0)?;
    writer.emitter.end_document();
    let Writer { emitter, marks, .. } = writer;
    Ok((emitter.finish(), marks))
}

fn marked((text, marks): Written) -> Text {
    if marks.is_empty() {
        return Text::from(text);
    }
    let mut builder = TextBuilder::new();
    let mut at = 0;
    let mut origin = Origin::UNKNOWN;
    for (offset, next) in marks {
        let offset = offset.min(text.len());
        builder.push(&text.as_bytes()[at..offset], &origin);
        (at, origin) = (offset, next);
    }
    builder.push(&text.as_bytes()[at..], &origin);
    builder.finish()
}

struct Writer {
    emitter: Emitter,
    through_json: bool,
    /// From which byte on which origin holds.
    marks: Vec<(usize, Origin)>,
}

impl Writer {
    fn value(&mut self, value: &Value, origin: &Origin, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            let error = format!("json: unsupported value: encountered a cycle via {}", value.type_name());
            return Err(self.marshalling(error));
        }
        match &value.data {
            Data::Nil => self.emitter.null(),
            Data::Bool(value) => self.emitter.bool(*value),
            Data::Int(value, _) => self.emitter.int(*value),
            Data::Uint(value, _) => self.emitter.uint(*value),
            Data::Float(value, kind) => self.float(*value, *kind)?,
            Data::String(text) => self.string(text)?,
            Data::List(list) if list.is_nil() && self.through_json => self.emitter.null(),
            Data::List(list) if list.element() == ElementType::Byte && self.through_json => {
                self.emitter.string(&json::base64(list));
            }
            Data::List(list) => {
                self.emitter.begin_sequence(list.is_empty());
                for item in list.iter() {
                    let origin = if item.origin.is_known() { &item.origin } else { origin };
                    let from = self.marks.len();
                    self.value(item, origin, depth + 1)?;
                    self.mark_first(from, origin);
                }
                self.emitter.end();
            }
            Data::Map(map) if map.is_nil() && self.through_json => self.emitter.null(),
            Data::Map(map) => self.map(map, origin, depth)?,
            Data::Object(object) if matches!(object.kind(), Kind::Complex(_)) && self.through_json => {
                return Err(json::unsupported_type(object.as_ref()));
            }
            Data::Object(object) => self.value(&object.plain(), origin, depth + 1)?,
        }
        // A collection's marks are those of what it holds.
        if !matches!(value.data, Data::List(_) | Data::Map(_) | Data::Object(_) | Data::String(_)) {
            self.mark(self.emitter.node_position(), origin);
        }
        Ok(())
    }

    fn map(&mut self, map: &Map, origin: &Origin, depth: usize) -> Result<(), String> {
        let dialect = if self.through_json { Dialect::V2 } else { Dialect::V3 };
        let mut entries: Vec<(String, Value)> = Vec::with_capacity(map.len());
        map.for_each(|key, value| entries.push((valid_utf8(key).into_owned(), value.clone())));
        sort_by_keys(&mut entries, dialect);
        self.emitter.begin_mapping(entries.is_empty());
        for (key, value) in &entries {
            let origin = if value.origin.is_known() { &value.origin } else { origin };
            self.key(key)?;
            self.mark(self.emitter.node_position(), origin);
            self.value(value, origin, depth + 1)?;
        }
        self.emitter.end();
        Ok(())
    }

    fn key(&mut self, key: &str) -> Result<(), String> {
        if !self.through_json {
            self.emitter.string(key);
            return Ok(());
        }
        self.emitter.string(&key_through_json(key)?);
        Ok(())
    }

    fn float(&mut self, value: f64, kind: FloatKind) -> Result<(), String> {
        // A float32 shows the digits that a float32 needs.
        let value = match kind {
            FloatKind::Bits32 if value.is_finite() => format!("{}", value as f32).parse().unwrap_or(value),
            _ => value,
        };
        if !self.through_json {
            self.emitter.float(value);
        } else if value.is_finite() {
            self.emitter.json_number(value);
        } else {
            return Err(self.marshalling(json::unsupported_float(value)));
        }
        Ok(())
    }

    fn string(&mut self, text: &Text) -> Result<(), String> {
        let string = valid_utf8(text);
        if self.through_json {
            self.emitter.string(&string_through_json(&string)?);
        } else {
            self.emitter.string(&string);
        }
        let start = self.emitter.node_position();
        if text.marks().is_some() {
            let written = self.emitter.text().as_bytes();
            let mut at = start;
            let mut read = 0;
            for (offset, origin) in text.marks_by_line() {
                // Walks both texts side by side; indentation, quotes and escapes stand only in the one.
                while read < offset && at < written.len() {
                    if written[at] == text[read] {
                        read += 1;
                    }
                    at += 1;
                }
                let place = if offset == 0 { start } else { at };
                push_mark(&mut self.marks, place, &origin);
            }
        }
        Ok(())
    }

    fn mark(&mut self, offset: usize, origin: &Origin) {
        push_mark(&mut self.marks, offset, origin);
    }

    /// Marks the last item with its list's origin where nothing in it has a better one.
    fn mark_first(&mut self, from: usize, origin: &Origin) {
        if self.marks.len() == from {
            self.mark(self.emitter.node_position(), origin);
        }
    }

    fn marshalling(&self, error: String) -> String {
        format!("error marshaling into JSON: {error}")
    }
}

fn push_mark(marks: &mut Vec<(usize, Origin)>, offset: usize, origin: &Origin) {
    match marks.last_mut() {
        None if !origin.is_known() => {}
        Some((_, last)) if last.same(origin) => {}
        Some((last, replaced)) if *last >= offset => *replaced = origin.clone(),
        _ => marks.push((offset, origin.clone())),
    }
}
