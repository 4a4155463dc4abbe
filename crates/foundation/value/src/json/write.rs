//! From [`Value`]s to JSON text.

use super::plain::plain_bytes;
use crate::{Data, ElementType, FloatKind, Kind, List, Object, Text, TextBuilder, Value};
use base64::Engine;
use onepane_diagnostics::Origin;
use onepane_yaml::MAX_DEPTH;
use std::borrow::Cow;
use std::fmt::Write as _;

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
    let mut writer = Writer { out: TextBuilder::new(), layout };
    writer.value(value, &value.origin, 0)?;
    Ok(writer.out.finish())
}

struct Writer<'a> {
    out: TextBuilder,
    layout: Layout<'a>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, origin: &Origin, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("json: unsupported value: encountered a cycle via {}", value.type_name()));
        }
        let origin = if value.origin.is_known() { &value.origin } else { origin };
        match &value.data {
            Data::List(list) if list.is_nil() => self.out.push_plain(b"null"),
            Data::List(list) if list.element() == ElementType::Byte => {
                let text = base64(list);
                let _ = write!(self.out, "\"{text}\"");
            }
            Data::List(list) => {
                self.out.push_plain(b"[");
                for (index, item) in list.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, origin, depth + 1)?;
                }
                self.close(b"]", list.is_empty(), depth);
            }
            Data::Map(map) if map.is_nil() => self.out.push_plain(b"null"),
            Data::Map(map) => self.object(map.entries(), origin, depth)?,
            Data::Object(object) if matches!(object.kind(), Kind::Complex(_)) => {
                return Err(unsupported_type(object.as_ref()));
            }
            Data::Object(object) => match object.declared_fields() {
                Some(fields) => self.object(fields, origin, depth)?,
                None => self.value(&object.plain(), origin, depth + 1)?,
            },
            scalar => {
                self.out.mark(origin);
                self.scalar(scalar)?;
            }
        }
        Ok(())
    }

    fn object<K: AsRef<[u8]>>(
        &mut self,
        entries: Vec<(K, Value)>,
        origin: &Origin,
        depth: usize,
    ) -> Result<(), String> {
        self.out.push_plain(b"{");
        let empty = entries.is_empty();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            self.separate(index, depth + 1);
            self.out.mark(if value.origin.is_known() { &value.origin } else { origin });
            write_string(&mut self.out, key.as_ref(), self.layout.escapes_html);
            self.out.push_plain(if self.layout.indent.is_some() { b": ".as_slice() } else { b":" });
            self.value(&value, origin, depth + 1)?;
        }
        self.close(b"}", empty, depth);
        Ok(())
    }

    fn scalar(&mut self, scalar: &Data) -> Result<(), String> {
        match scalar {
            Data::Bool(value) => self.out.push_plain(if *value { b"true" } else { b"false" }),
            Data::Int(value, _) => _ = write!(self.out, "{value}"),
            Data::Uint(value, _) => _ = write!(self.out, "{value}"),
            Data::Float(value, _) if !value.is_finite() => return Err(unsupported_float(*value)),
            Data::Float(value, FloatKind::Bits64) => self.float(format!("{value:e}"), value.abs(), 1e-6),
            Data::Float(value, FloatKind::Bits32) => {
                let value = *value as f32;
                // Go compares in float32 here.
                let size = f64::from(value.abs());
                self.float(format!("{value:e}"), size, f64::from(1e-6_f32));
            }
            Data::String(text) => write_string(&mut self.out, text, self.layout.escapes_html),
            _ => self.out.push_plain(b"null"),
        }
        Ok(())
    }

    fn float(&mut self, scientific: String, size: f64, smallest: f64) {
        let mut digits = String::new();
        write_float(&mut digits, scientific, size, smallest);
        self.out.push_plain(digits.as_bytes());
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push_plain(b",");
        }
        self.new_line(depth);
    }

    fn close(&mut self, bracket: &[u8], empty: bool, depth: usize) {
        if !empty {
            self.new_line(depth);
        }
        self.out.push_plain(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = self.layout.indent {
            self.out.push_plain(b"\n");
            for _ in 0..depth {
                self.out.push_plain(indent.as_bytes());
            }
        }
    }
}

/// What encoding/json says of a complex number.
pub(crate) fn unsupported_type(object: &dyn Object) -> String {
    format!("json: unsupported type: {}", object.type_name())
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

fn write_string(out: &mut TextBuilder, text: &[u8], escapes_html: bool) {
    out.push_plain(b"\"");
    if text.is_ascii() {
        write_escaped(out, text, escapes_html);
    } else {
        for chunk in text.utf8_chunks() {
            // Between the characters that JavaScript takes for line breaks.
            for piece in chunk.valid().split_inclusive(['\u{2028}', '\u{2029}']) {
                let plain = piece.trim_end_matches(['\u{2028}', '\u{2029}']);
                write_escaped(out, plain.as_bytes(), escapes_html);
                piece[plain.len()..]
                    .chars()
                    .for_each(|c| out.push_plain(if c == '\u{2028}' { b"\\u2028" } else { b"\\u2029" }));
            }
            // A byte that is no UTF-8 is written as an escape, unlike U+FFFD itself.
            chunk.invalid().iter().for_each(|_| out.push_plain(b"\\ufffd"));
        }
    }
    out.push_plain(b"\"");
}

/// What a byte becomes: at most six bytes, and in the last place how many they are.
type Escape = [u8; 8];
static ESCAPES: [Escape; 256] = escapes(false);
static HTML_ESCAPES: [Escape; 256] = escapes(true);

const fn escapes(html: bool) -> [Escape; 256] {
    const fn digit(digit: u8) -> u8 {
        b"0123456789abcdef"[digit as usize]
    }
    let mut escapes = [[0; 8]; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            ..0x20 => b'u',
            b'<' | b'>' | b'&' if html => b'u',
            _ => 0,
        };
        escapes[index] = match letter {
            0 => [byte, 0, 0, 0, 0, 0, 0, 1],
            b'u' => [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15), 0, 6],
            _ => [b'\\', letter, 0, 0, 0, 0, 0, 2],
        };
        index += 1;
    }
    escapes
}

/// Writes UTF-8, through a buffer: where JSON stands in JSON every eighth byte is an escape.
fn write_escaped(out: &mut TextBuilder, text: &[u8], escapes_html: bool) {
    let escapes = if escapes_html { &HTML_ESCAPES } else { &ESCAPES };
    let mut buffer = [0; 256];
    let (mut used, mut at) = (0, 0);
    loop {
        if used > buffer.len() - 16 {
            out.push_plain(&buffer[..used]);
            used = 0;
        }
        if let Some(word) = text[at..].first_chunk() {
            let plain = plain_bytes::<true>(word);
            buffer[used..used + 8].copy_from_slice(word);
            used += plain;
            at += plain;
            if plain == 8 {
                continue;
            }
        }
        // What is special in HTML only may stand for itself here.
        let Some(byte) = text.get(at) else { break };
        let escape = escapes[*byte as usize];
        buffer[used..used + 8].copy_from_slice(&escape);
        used += usize::from(escape[7]);
        at += 1;
    }
    out.push_plain(&buffer[..used]);
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
