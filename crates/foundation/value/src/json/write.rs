//! From [`Value`]s to JSON text.

use super::plain_bytes;
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
    if std::str::from_utf8(text).is_ok() {
        write_escaped(out, text, escapes_html);
    } else {
        for chunk in text.utf8_chunks() {
            write_escaped(out, chunk.valid().as_bytes(), escapes_html);
            // A byte that is no UTF-8 is written as an escape, unlike U+FFFD itself.
            chunk.invalid().iter().for_each(|_| out.push_plain(b"\\ufffd"));
        }
    }
    out.push_plain(b"\"");
}

/// What stands behind the backslash for each byte: a letter, `u` for a code, 0 for a byte that stands for itself.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        escapes[byte] = match byte as u8 {
            itself @ (b'"' | b'\\') => itself,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            ..0x20 | b'<' | b'>' | b'&' | 0xE2 => b'u',
            _ => 0,
        };
        byte += 1;
    }
    escapes
};

/// Writes UTF-8, through a buffer: where JSON stands in JSON every eighth byte is an escape, and `out` should not be
/// asked for room as often.
fn write_escaped(out: &mut TextBuilder, text: &[u8], escapes_html: bool) {
    let mut buffer = [0; 256];
    let mut used = 0;
    let mut at = 0;
    while at < text.len() {
        if used > buffer.len() - 16 {
            out.push_plain(&buffer[..used]);
            used = 0;
        }
        if let Some(word) = text[at..].first_chunk() {
            let plain = plain_bytes(word, [b'"', b'\\', b'<', b'>', b'&', 0xE2]);
            buffer[used..used + 8].copy_from_slice(word);
            used += plain;
            at += plain;
            if plain == 8 {
                continue;
            }
        }
        let byte = text[at];
        let escape = ESCAPES[byte as usize];
        at += 1;
        let stands = match byte {
            b'<' | b'>' | b'&' => !escapes_html,
            0xE2 => !matches!(text.get(at..at + 2), Some([0x80, 0xA8 | 0xA9])),
            _ => escape == 0,
        };
        if stands {
            buffer[used] = byte;
            used += 1;
            continue;
        }
        buffer[used] = b'\\';
        buffer[used + 1] = escape;
        used += 2;
        if escape == b'u' {
            // U+2028 and U+2029, which JavaScript takes for line breaks.
            let code = if byte == 0xE2 { 0x2028 + u32::from(text[at + 1] & 1) } else { byte.into() };
            for place in (0..4).rev() {
                buffer[used] = b"0123456789abcdef"[(code >> (4 * place) & 15) as usize];
                used += 1;
            }
            if byte == 0xE2 {
                at += 2;
            }
        }
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
