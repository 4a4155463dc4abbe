//! A node as the JSON that Go writes.

use crate::options::DEEPEST;
use crate::shape::is_null;
use onepane_yaml::{Content, Dialect, Node, Scalar, resolve};
use std::fmt::Write;

/// The node as JSON with sorted keys, on one line or, `pretty`, indented by two spaces. `None` for what JSON cannot
/// say: keys that are no strings, numbers that are none, texts that do not fit their tags.
pub(super) fn write_json(node: &Node, pretty: bool) -> Option<String> {
    let mut text = String::new();
    write_node(&mut text, node, pretty, 0)?;
    Some(text)
}

fn write_node(text: &mut String, node: &Node, pretty: bool, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let line = |text: &mut String, depth: usize| {
        if pretty {
            text.push('\n');
            (0..depth).for_each(|_| text.push_str("  "));
        }
    };
    match &node.content {
        Content::Mapping(entries) => {
            let mut sorted: Vec<(&str, &Node)> = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                match resolve(key, Dialect::V3) {
                    Ok(Scalar::String(_)) => sorted.push((key.as_str()?, value)),
                    _ => return None,
                }
            }
            sorted.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in sorted.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                line(text, depth + 1);
                write_string(text, key);
                text.push_str(if pretty { ": " } else { ":" });
                write_node(text, value, pretty, depth + 1)?;
            }
            if !sorted.is_empty() {
                line(text, depth);
            }
            text.push('}');
        }
        Content::Sequence(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                line(text, depth + 1);
                write_node(text, item, pretty, depth + 1)?;
            }
            if !items.is_empty() {
                line(text, depth);
            }
            text.push(']');
        }
        Content::Alias(_) => return None,
        Content::Scalar(_) if is_null(node) => text.push_str("null"),
        Content::Scalar(_) => match resolve(node, Dialect::V3).ok()? {
            Scalar::Null => text.push_str("null"),
            Scalar::Bool(value) => write!(text, "{value}").ok()?,
            Scalar::Int(value) => write!(text, "{value}").ok()?,
            Scalar::Uint(value) => write!(text, "{value}").ok()?,
            Scalar::Float(value) => write_float(text, value)?,
            Scalar::String(value) => write_string(text, &value),
            Scalar::Timestamp(value) => write_string(text, &value),
            Scalar::Binary(value) => write_string(text, std::str::from_utf8(&value).ok()?),
        },
    }
    Some(())
}

/// A float as `encoding/json` writes it: with an exponent below 1e-6 and from 1e21 on.
fn write_float(text: &mut String, value: f64) -> Option<()> {
    if !value.is_finite() {
        return None;
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let written = format!("{value:e}");
        text.push_str(&if written.contains("e-") { written } else { written.replace('e', "e+") });
        return Some(());
    }
    write!(text, "{value}").ok()
}

/// A string as `encoding/json` writes it, safe within HTML.
fn write_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::yaml;

    #[test]
    fn json_is_that_of_go() {
        for (node, compact) in [
            ("{b: [1, 2.50, true, null], a: x}", Some(r#"{"a":"x","b":[1,2.5,true,null]}"#)),
            ("{a: '<&>', b: \"\\t\\u0001\"}", Some(r#"{"a":"\u003c\u0026\u003e","b":"\t\u0001"}"#)),
            ("[1e21, 1e-7, 1.0, 1e20]", Some("[1e+21,1e-7,1,100000000000000000000]")),
            ("{}", Some("{}")),
            ("{1: a}", None),
            ("[.nan]", None),
        ] {
            assert_eq!(write_json(&yaml(node), false).as_deref(), compact, "{node}");
        }
        let pretty = "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}";
        assert_eq!(write_json(&yaml("{a: [1, {}], b: []}"), true).as_deref(), Some(pretty));
    }
}
