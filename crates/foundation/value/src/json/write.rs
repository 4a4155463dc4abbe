//! From [`Value`]s to JSON text.

use crate::{Data, ElementType, FloatKind, List, Text, TextBuilder, Value};
use base64::Engine;
use onepane_diagnostics::Origin;
use onepane_yaml::MAX_DEPTH;
use std::borrow::Cow;
use std::fmt::Write;

/// Writes as encoding/json's `Marshal` does, `<`, `>` and `&` escaped. Scalars are marked with their origins.
pub fn to_json(value: &Value) -> Result<Text, String> {
    write(value, Layout { escapes_html: true, indent: None })
}

/// [`to_json`] with `<`, `>` and `&` as they are: sprig's `toRawJson`.
pub fn to_json_raw(value: &Value) -> Result<Text, String> {
    write(value, Layout { escapes_html: false, indent: None })
}

/// Writes as encoding/json's `MarshalIndent` does with an empty prefix: sprig's `toPrettyJson` with two spaces.
pub fn to_json_indent(value: &Value, indent: &str) -> Result<Text, String> {
    write(value, Layout { escapes_html: true, indent: Some(indent) })
}

#[derive(Clone, Copy)]
struct Layout<'a> {
    escapes_html: bool,
    indent: Option<&'a str>,
}

fn write(value: &Value, layout: Layout<'_>) -> Result<Text, String> {
    let mut writer = Writer { out: String::new(), layout, marks: Vec::new() };
    writer.value(value, &value.origin, 0)?;
    let Writer { out, marks, .. } = writer;
    if marks.is_empty() {
        return Ok(Text::from(out));
    }
    let mut builder = TextBuilder::new();
    let (mut at, mut origin) = (0, Origin::UNKNOWN);
    for (offset, next) in marks {
        builder.push(&out.as_bytes()[at..offset], &origin);
        (at, origin) = (offset, next);
    }
    builder.push(&out.as_bytes()[at..], &origin);
    Ok(builder.finish())
}

struct Writer<'a> {
    out: String,
    layout: Layout<'a>,
    marks: Vec<(usize, Origin)>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, origin: &Origin, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("json: unsupported value: encountered a cycle via {}", value.type_name()));
        }
        let origin = if value.origin.is_known() { &value.origin } else { origin };
        match &value.data {
            Data::List(list) if list.is_nil() => self.out.push_str("null"),
            Data::List(list) if list.element() == ElementType::Byte => {
                let text = base64(list);
                let _ = write!(self.out, "\"{text}\"");
            }
            Data::List(list) => {
                self.out.push('[');
                for (index, item) in list.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, origin, depth + 1)?;
                }
                self.close(']', list.is_empty(), depth);
            }
            Data::Map(map) if map.is_nil() => self.out.push_str("null"),
            Data::Map(map) => {
                self.out.push('{');
                for (index, (key, value)) in map.entries().into_iter().enumerate() {
                    self.separate(index, depth + 1);
                    let known = if value.origin.is_known() { &value.origin } else { origin };
                    self.mark(known);
                    write_string(&mut self.out, &key, self.layout.escapes_html);
                    self.out.push_str(if self.layout.indent.is_some() { ": " } else { ":" });
                    self.value(&value, origin, depth + 1)?;
                }
                self.close('}', map.is_empty(), depth);
            }
            Data::Object(object) => self.value(&object.plain(), origin, depth + 1)?,
            scalar => {
                self.mark(origin);
                self.scalar(scalar)?;
            }
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: &Data) -> Result<(), String> {
        match scalar {
            Data::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Data::Int(value, _) => _ = write!(self.out, "{value}"),
            Data::Uint(value, _) => _ = write!(self.out, "{value}"),
            Data::Float(value, _) if !value.is_finite() => return Err(unsupported_float(*value)),
            Data::Float(value, FloatKind::Bits64) => {
                write_float(&mut self.out, format!("{value:e}"), value.abs(), 1e-6)
            }
            Data::Float(value, FloatKind::Bits32) => {
                let value = *value as f32;
                // Go compares in float32 here.
                let size = f64::from(value.abs());
                write_float(&mut self.out, format!("{value:e}"), size, f64::from(1e-6_f32));
            }
            Data::String(text) => write_string(&mut self.out, text, self.layout.escapes_html),
            _ => self.out.push_str("null"),
        }
        Ok(())
    }

    fn mark(&mut self, origin: &Origin) {
        match self.marks.last() {
            None if !origin.is_known() => {}
            Some((_, last)) if last.same(origin) => {}
            _ => self.marks.push((self.out.len(), origin.clone())),
        }
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.new_line(depth);
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty {
            self.new_line(depth);
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = self.layout.indent {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str(indent);
            }
        }
    }
}

/// A float as JavaScript writes it: an exponent below 1e-6 and from 1e21. `scientific` is its shortest form with
/// one digit before the point.
fn write_float(out: &mut String, scientific: String, size: f64, smallest: f64) {
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return out.push_str(&scientific) };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if size != 0.0 && (size < smallest || size >= 1e21) {
        let sign = if exponent < 0 { "-" } else { "+" };
        let _ = write!(out, "{mantissa}e{sign}{:0>2}", exponent.unsigned_abs());
        // Go writes 1e-7, yet 1e+21.
        if exponent < 0 && exponent > -10 {
            out.truncate(out.len() - 2);
            let _ = write!(out, "{}", exponent.unsigned_abs());
        }
        return;
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    out.push_str(sign);
    let point = exponent + 1;
    if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(&digits);
    } else if digits.len() <= point as usize {
        out.push_str(&digits);
        out.extend(std::iter::repeat_n('0', point as usize - digits.len()));
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        let _ = write!(out, "{whole}.{fraction}");
    }
}

fn write_string(out: &mut String, text: &[u8], escapes_html: bool) {
    out.push('"');
    match std::str::from_utf8(text) {
        Ok(text) => write_escaped(out, text, escapes_html),
        Err(_) => {
            for chunk in text.utf8_chunks() {
                write_escaped(out, chunk.valid(), escapes_html);
                // A byte that is no UTF-8 is written as an escape, unlike U+FFFD itself.
                chunk.invalid().iter().for_each(|_| out.push_str("\\ufffd"));
            }
        }
    }
    out.push('"');
}

/// Bytes that may need an escape.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    let others = b"\"\\<>&\xE2";
    let mut at = 0;
    while at < others.len() {
        special[others[at] as usize] = true;
        at += 1;
    }
    special
};

fn write_escaped(out: &mut String, text: &str, escapes_html: bool) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + bytes.len() / 8 + 2);
    let (mut start, mut at) = (0, 0);
    while let Some(ahead) = bytes[at..].iter().position(|byte| SPECIAL[*byte as usize]) {
        at += ahead;
        let byte = bytes[at];
        match byte {
            b'<' | b'>' | b'&' if !escapes_html => {
                at += 1;
                continue;
            }
            // U+2028 and U+2029 are line breaks to JavaScript.
            0xE2 if !matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])) => {
                at += 1;
                continue;
            }
            _ => out.push_str(&text[start..at]),
        }
        at += 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0C => out.push_str("\\f"),
            0xE2 => {
                let _ = write!(out, "\\u202{:x}", bytes[at + 1] & 0xF);
                at += 2;
            }
            _ => _ = write!(out, "\\u{byte:04x}"),
        }
        start = at;
    }
    out.push_str(&text[start..]);
}

/// Bytes as Go's encoder writes them: each byte that is no UTF-8 becomes U+FFFD.
pub(crate) fn valid_utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                chunk.invalid().iter().for_each(|_| text.push('\u{FFFD}'));
            }
            Cow::Owned(text)
        }
    }
}

/// encoding/json's error for a float that JSON has not.
pub(crate) fn unsupported_float(value: f64) -> String {
    let name = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    };
    format!("json: unsupported value: {name}")
}

/// A `[]byte` as encoding/json writes it, without quotes.
pub(crate) fn base64(bytes: &List) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes.as_bytes().unwrap_or_default())
}
