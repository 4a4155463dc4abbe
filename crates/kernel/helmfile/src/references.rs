//! References to secrets in values, as vals has them: `ref+PROVIDER://PATH[?PARAMETERS][#/KEY/…][+]`.

use onepane_value::{Data, List, Map, Value, format};
use regex_lite::Regex;
use std::sync::LazyLock;

/// References within references are this deep at most.
const DEEPEST: usize = 10;

static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:secret)?ref\+([^+:]*://[^+\n ]+[^+\n ",])\+?"#).ok());

/// Whether a text may hold a reference.
pub(crate) fn has_reference(text: &str) -> bool {
    text.contains("ref+")
}

/// Puts what they stand for in the place of the references in the texts of a value.
///
/// # Errors
/// What `look_up` says.
pub(crate) fn expand(value: &Value, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<Value, String> {
    let data = match &value.data {
        Data::String(text) => {
            let text = text.to_str();
            if !has_reference(&text) {
                return Ok(value.clone());
            }
            return Ok(in_text(&text, look_up)?.with_origin(value.origin.clone()));
        }
        Data::List(list) => Data::List(
            list.iter().map(|item| expand(item, look_up)).collect::<Result<Vec<_>, _>>()?.into_iter().collect::<List>(),
        ),
        Data::Map(map) => {
            let out = Map::new();
            for (key, value) in map.entries() {
                out.insert(key, expand(&value, look_up)?);
            }
            Data::Map(out)
        }
        other => other.clone(),
    };
    Ok(Value { data, origin: value.origin.clone() })
}

/// A text that is one reference becomes what that is; others stay texts.
fn in_text(text: &str, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<Value, String> {
    let text = inner_first(text.to_owned(), look_up)?;
    let Some(pattern) = &*REFERENCE else { return Ok(text.into()) };
    let found = |reference: &str| look_up(reference).map_err(|problem| format!("expand {reference}: {problem}"));
    let (mut out, mut at) = (String::new(), 0);
    for captures in pattern.captures_iter(&text) {
        let (Some(whole), Some(reference)) = (captures.get(0), captures.get(1)) else { continue };
        let value = found(reference.as_str())?;
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

/// Resolves references that stand within others.
fn inner_first(mut text: String, look_up: &dyn Fn(&str) -> Result<Value, String>) -> Result<String, String> {
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
            let captures = pattern.captures(&text[pair[1].0..])?;
            let (whole, reference) = (captures.get(0)?, captures.get(1)?);
            let start = pair[1].0 + whole.start();
            Some((start..pair[1].0 + whole.end(), reference.as_str().to_owned()))
        });
        let Some((range, reference)) = nested else { return Ok(text) };
        let value = look_up(&reference).map_err(|problem| format!("expand {reference}: {problem}"))?;
        if value.is_nil() || matches!(value.data, Data::List(_) | Data::Map(_)) {
            return Err(format!("nested ref {reference} resolved to no scalar"));
        }
        text.replace_range(range, &plain(&value));
    }
    Err(format!("maximum nesting depth ({DEEPEST}) exceeded"))
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
