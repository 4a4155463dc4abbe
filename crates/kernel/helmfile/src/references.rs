//! References to secrets in values, as vals has them: `ref+PROVIDER://PATH[?PARAMETERS][#/KEY/…][+]`.
//!
//! [`expand`] finds them in the texts of a value, [`look_up`] has one resolved by an [`Outside`]. What a reference stands
//! for is in no message, nor are its parameters.

use crate::outside::Outside;
use crate::reference::{self, Reference};
use crate::{secrets, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Span};
use onepane_value::{Data, List, Map, Value, format};
use onepane_world::World;
use regex_lite::Regex;
use std::sync::LazyLock;

/// References within references are this deep at most.
const DEEPEST: usize = 10;

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:secret)?ref\+([^+:]*://[^+\n ]+[^+\n ",])\+?"#).ok());

/// Why a reference was not resolved, and where it stands.
pub(crate) struct Unresolved {
    message: String,
    span: Option<Span>,
}

impl Unresolved {
    /// The finding; `span` is the place where the value itself knows none.
    pub(crate) fn at(self, span: Span) -> Box<Diagnostic> {
        Diagnostic::error("helmfile-secrets", self.message).at(self.span.unwrap_or(span))
    }
}

impl From<String> for Unresolved {
    fn from(message: String) -> Self {
        Self { message, span: None }
    }
}

impl From<Unresolved> for String {
    fn from(unresolved: Unresolved) -> Self {
        unresolved.message
    }
}

/// Whether a text may hold a reference.
pub(crate) fn has_reference(text: &str) -> bool {
    text.contains("ref+")
}

/// What one reference stands for, without the `ref+` before it, in a state of `folder`.
///
/// # Errors
/// Why it can't be told.
pub(crate) fn look_up(
    outside: &dyn Outside,
    world: &dyn World,
    folder: &Utf8Path,
    text: &str,
) -> Result<Value, String> {
    let reference = Reference::parse(text)?;
    let found = outside.secret(folder, &reference)?;
    reference::pick(&reference, found, world)
}

/// Puts what they stand for in the place of the references in the texts of a value, as secrets.
///
/// # Errors
/// What `look_up` says.
pub(crate) fn expand(value: &Value, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<Value, Unresolved> {
    let here = |message: String| Unresolved { message, span: value.origin.span() };
    let data = match &value.data {
        Data::String(text) => {
            let text = text.to_str();
            if !has_reference(&text) {
                return Ok(value.clone());
            }
            return Ok(secrets::placed_at(&in_text(&text, look_up).map_err(here)?, &value.origin));
        }
        Data::List(list) => Data::List(
            list.iter().map(|item| expand(item, look_up)).collect::<Result<Vec<_>, _>>()?.into_iter().collect::<List>(),
        ),
        Data::Map(map) => {
            let (out, below) = (Map::new(), Map::new());
            for (key, value) in map.entries() {
                match merged(&key.to_str(), &value, look_up).map_err(here)? {
                    Some(fields) => {
                        fields.entries().into_iter().for_each(|(key, value)| drop(below.insert(key, value)))
                    }
                    None => drop(out.insert(key, expand(&value, look_up)?)),
                }
            }
            below.entries().into_iter().for_each(|(key, value)| drop(out.insert(key, value)));
            Data::Map(out)
        }
        other => other.clone(),
    };
    Ok(Value { data, origin: value.origin.clone() })
}

/// `ref+…: {}` stands for the fields of the document that it names, whatever the mapping holds.
fn merged(key: &str, value: &Value, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<Option<Map>, String> {
    if !has_reference(key) || value.as_map().is_none() {
        return Ok(None);
    }
    let found = in_text(key, look_up)?;
    let Some(text) = found.as_text().map(ToString::to_string).filter(|text| text != key) else { return Ok(None) };
    let fields = yaml::values(text.as_bytes(), FileId::new("-")).map_err(|_| {
        format!("what `{}` stands for is no mapping, and stands as a key of one", reference::shown(key))
    })?;
    Ok(secrets::placed_at(&fields.into(), &value.origin).as_map().cloned())
}

/// A text that is one reference becomes what that is; others stay texts.
fn in_text(text: &str, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<Value, String> {
    let mut inner = Vec::new();
    let text = inner_first(text.to_owned(), look_up, &mut inner)?;
    let Some(pattern) = &*REFERENCE else { return Ok(text.into()) };
    let (mut out, mut at) = (String::new(), 0);
    for captures in pattern.captures_iter(&text) {
        let (Some(whole), Some(reference)) = (captures.get(0), captures.get(1)) else { continue };
        let value = look_up(reference.as_str()).map_err(|problem| failed(reference.as_str(), &problem, &inner))?;
        if whole.range() == (0..text.len()) {
            return Ok(value);
        }
        out.push_str(&text[at..whole.start()]);
        out.push_str(&plain(&value));
        at = whole.end();
    }
    out.push_str(&text[at..]);
    Ok(out.into())
}

/// An error of a reference. One that others within it were resolved for is not shown, and neither is a reason that tells
/// what these were.
fn failed(reference: &str, problem: &str, inner: &[String]) -> String {
    if inner.is_empty() {
        return format!("expand {}: {problem}", reference::shown(reference));
    }
    let said = problem.to_lowercase();
    let tells = inner.iter().any(|value| {
        let decoded = reference::decoded(value).unwrap_or_default();
        [value, &decoded].iter().any(|value| !value.is_empty() && said.contains(&value.to_lowercase()))
    });
    let why = if tells { "why would tell what the inner one stands for" } else { problem };
    format!("expand a reference that holds another: {why}")
}

/// Resolves references that stand within others, and notes in `inner` what they were.
fn inner_first(
    mut text: String,
    look_up: &dyn Fn(&str) -> Result<Value, String>,
    inner: &mut Vec<String>,
) -> Result<String, String> {
    let Some(pattern) = &*REFERENCE else { return Ok(text) };
    for _ in 0..DEEPEST {
        // Where each begins, and where its own text does.
        let starts: Vec<(usize, usize)> = text
            .match_indices("ref+")
            .map(|(at, mark)| (if text[..at].ends_with("secret") { at - "secret".len() } else { at }, at + mark.len()))
            .collect();
        let nested = starts.windows(2).rev().find_map(|pair| {
            let between = &text[pair[0].1..pair[1].0];
            if between.contains([' ', '\n', '\r', '\t', '"', ',']) {
                return None;
            }
            // It is found from its own start on.
            let captures = pattern.captures(&text[pair[1].0..])?;
            let (whole, reference) = (captures.get(0)?, captures.get(1)?);
            let start = pair[1].0 + whole.start();
            Some((start..pair[1].0 + whole.end(), reference.as_str().to_owned()))
        });
        let Some((range, reference)) = nested else { return Ok(text) };
        let value = look_up(&reference).map_err(|problem| failed(&reference, &problem, inner))?;
        if value.is_nil() || matches!(value.data, Data::List(_) | Data::Map(_)) {
            return Err(failed(&reference, "it stands within another and is no scalar", inner));
        }
        inner.push(plain(&value));
        text.replace_range(range, &plain(&value));
    }
    Err(format!("references within references are deeper than {DEEPEST}"))
}

fn plain(value: &Value) -> String {
    match value.as_text() {
        Some(text) => text.to_string(),
        None => format::sprint(std::slice::from_ref(value)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_texts_and_in_one_another() {
        let look_up = |reference: &str| match reference {
            "number://xy" => Ok(Value::float(7.0)),
            _ => reference.strip_prefix("echo://").map(|path| format!("<{path}>").into()).ok_or("unknown".to_owned()),
        };
        let expanded = |text: &str| in_text(text, &look_up).map(|value| plain(&value));
        for (text, wanted) in [
            ("plain", "plain"),
            ("ref+echo://a/b", "<a/b>"),
            ("x ref+echo://a/b+ y secretref+echo://cd z", "x <a/b> y <cd> z"),
            // A path has two characters at least.
            ("ref+echo://a", "ref+echo://a"),
            ("ref+echo://ref+echo://a/b", "<<a/b>>"),
            ("ref+number://xy", "7"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(expanded("a ref+nowhere://xy").unwrap_err(), "expand nowhere://xy: unknown");
    }
}
