//! From [`Value`]s to JSON text.

use crate::{Data, ElementType, FloatKind, Kind, List, Object, Text, TextBuilder, Value};
use base64::Engine;
use onepane_diagnostics::Origin;
use onepane_yaml::MAX_DEPTH;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

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
    let mut writer = Writer { out: Vec::new(), layout, marks: Vec::new() };
    writer.value(value, &value.origin, 0)?;
    let Writer { out, marks, .. } = writer;
    if marks.is_empty() {
        return Ok(Text::from(out));
    }
    let mut builder = TextBuilder::new();
    let (mut at, mut origin) = (0, Origin::UNKNOWN);
    for (offset, next) in marks {
        builder.push(&out[at..offset], &origin);
        (at, origin) = (offset, next);
    }
    builder.push(&out[at..], &origin);
    Ok(builder.finish())
}

struct Writer<'a> {
    out: Vec<u8>,
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
            Data::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Data::List(list) if list.element() == ElementType::Byte => {
                let text = base64(list);
                let _ = write!(self.out, "\"{text}\"");
            }
            Data::List(list) => {
                self.out.push(b'[');
                for (index, item) in list.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, origin, depth + 1)?;
                }
                self.close(b']', list.is_empty(), depth);
            }
            Data::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Data::Map(map) => self.object(map.entries(), origin, depth)?,
            Data::Object(object) if matches!(object.kind(), Kind::Complex(_)) => {
                return Err(unsupported_type(object.as_ref()));
            }
            Data::Object(object) => match object.declared_fields() {
                Some(fields) => self.object(fields, origin, depth)?,
                None => self.value(&object.plain(), origin, depth + 1)?,
            },
            scalar => {
                self.mark(origin);
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
        self.out.push(b'{');
        let empty = entries.is_empty();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            self.separate(index, depth + 1);
            self.mark(if value.origin.is_known() { &value.origin } else { origin });
            write_string(&mut self.out, key.as_ref(), self.layout.escapes_html);
            self.out.extend_from_slice(if self.layout.indent.is_some() { b": ".as_slice() } else { b":" });
            self.value(&value, origin, depth + 1)?;
        }
        self.close(b'}', empty, depth);
        Ok(())
    }

    fn scalar(&mut self, scalar: &Data) -> Result<(), String> {
        match scalar {
            Data::Bool(value) => self.out.extend_from_slice(if *value { b"true" } else { b"false" }),
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
            _ => self.out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    fn float(&mut self, scientific: String, size: f64, smallest: f64) {
        let mut digits = String::new();
        write_float(&mut digits, scientific, size, smallest);
        self.out.extend_from_slice(digits.as_bytes());
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
            self.out.push(b',');
        }
        self.new_line(depth);
    }

    fn close(&mut self, bracket: u8, empty: bool, depth: usize) {
        if !empty {
            self.new_line(depth);
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = self.layout.indent {
            self.out.push(b'\n');
            for _ in 0..depth {
                self.out.extend_from_slice(indent.as_bytes());
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

fn write_string(out: &mut Vec<u8>, text: &[u8], escapes_html: bool) {
    out.push(b'"');
    if std::str::from_utf8(text).is_ok() {
        write_escaped(out, text, escapes_html);
    } else {
        for chunk in text.utf8_chunks() {
            write_escaped(out, chunk.valid().as_bytes(), escapes_html);
            // A byte that is no UTF-8 is written as an escape, unlike U+FFFD itself.
            chunk.invalid().iter().for_each(|_| out.extend_from_slice(b"\\ufffd"));
        }
    }
    out.push(b'"');
}

/// What stands behind the backslash for each byte: a letter, `u` for a code, 0 for a byte that stands for itself.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escapes[byte] = b'u';
        byte += 1;
    }
    let short = [(b'"', b'"'), (b'\\', b'\\'), (b'\n', b'n'), (b'\r', b'r'), (b'\t', b't'), (0x08, b'b'), (0x0C, b'f')];
    let mut at = 0;
    while at < short.len() {
        escapes[short[at].0 as usize] = short[at].1;
        at += 1;
    }
    let rare = [b'<', b'>', b'&', 0xE2];
    let mut at = 0;
    while at < rare.len() {
        escapes[rare[at] as usize] = b'u';
        at += 1;
    }
    escapes
};

/// Writes UTF-8. Where JSON stands in JSON every eighth byte is an escape, and to look for it and to copy what stands
/// before it takes longer than to go byte by byte through a buffer.
fn write_escaped(out: &mut Vec<u8>, text: &[u8], escapes_html: bool) {
    let mut buffer = [0; 256];
    let mut used = 0;
    let mut bytes = text.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if used > buffer.len() - 6 {
            out.extend_from_slice(&buffer[..used]);
            used = 0;
        }
        let escape = ESCAPES[byte as usize];
        let stands = || match byte {
            b'<' | b'>' | b'&' => !escapes_html,
            0xE2 => !matches!(text.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])),
            _ => false,
        };
        if escape == 0 || stands() {
            buffer[used] = byte;
            used += 1;
            continue;
        }
        buffer[used] = b'\\';
        buffer[used + 1] = escape;
        used += 2;
        if escape == b'u' {
            // U+2028 and U+2029, which JavaScript takes for line breaks.
            let code = if byte == 0xE2 { 0x2028 + u32::from(text[at + 2] & 1) } else { byte.into() };
            for place in (0..4).rev() {
                buffer[used] = b"0123456789abcdef"[(code >> (4 * place) & 15) as usize];
                used += 1;
            }
            if byte == 0xE2 {
                bytes.nth(1);
            }
        }
    }
    out.extend_from_slice(&buffer[..used]);
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
