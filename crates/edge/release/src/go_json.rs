//! JSON as Go's encoding/json writes it: [`go_json`].

use serde_json::Value;
use std::fmt::Write;

/// `value` on one line, its fields in their order, with what HTML would take for its own escaped.
pub fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(float)) => write_float(float, out),
            _ => _ = write!(out, "{number}"),
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                write(item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(fields) => {
            for (at, (name, field)) in fields.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                write_text(name, out);
                out.push(':');
                write(field, out);
            }
            out.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
    }
}

/// A float as Go has it: with an exponent only where it is very small or very large.
fn write_float(float: f64, out: &mut String) {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
    } else {
        let _ = write!(out, "{float}");
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_and_numbers_are_gos() {
        // Each from json.Marshal of Go 1.26.
        let cases = [
            (json!("a<b>&\u{2028}\u{1}\"\\\n"), r#""a\u003cb\u003e\u0026\u2028\u0001\"\\\n""#),
            (json!([1, -2, 1.5, 3.0, 1e21, 1e-7, 1e20]), "[1,-2,1.5,3,1e+21,1e-07,100000000000000000000]"),
            (json!({"z": {}, "a": [], "n": null}), r#"{"z":{},"a":[],"n":null}"#),
        ];
        for (value, wanted) in cases {
            assert_eq!(go_json(&value), wanted);
        }
    }
}
