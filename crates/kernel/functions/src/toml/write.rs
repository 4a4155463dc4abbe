//! TOML out of a value, with the spaces, the order and the errors of BurntSushi's encoder.
//!
//! Plain keys come before tables; a table's lines are indented by its depth; a list of nothing but tables is an array of
//! tables, one with anything else is written on one line.

use crate::date::{Zone, time_in};
use crate::toml::{DATE, DATE_TIME, TIME};
use onepane_value::{Data, List, Map, Text, TextBuilder, Value};
use std::borrow::Cow;
use std::cell::Cell;

/// How deep a value may be nested.
const DEPTH: usize = 500;

/// How many values may be looked at: a list that holds one list twice over and over would be written for ever.
const VALUES: usize = 5_000_000;

/// Writes a value; the error is the encoder's text.
pub(super) fn write(value: &Value) -> Result<Text, String> {
    let mut writer = Writer { out: TextBuilder::new(), key: Vec::new(), depth: 0, left: Cell::new(VALUES) };
    writer.write(value)?;
    Ok(writer.out.finish())
}

struct Writer {
    out: TextBuilder,
    /// The key of the table that is being written, each part quoted as needed.
    key: Vec<Text>,
    depth: usize,
    /// How many values may still be looked at.
    left: Cell<usize>,
}

/// What the encoder takes a value for.
enum Kind<'a> {
    Nothing,
    Scalar,
    List,
    /// A list of nothing but tables.
    Tables(&'a List),
    Table(&'a Map),
}

impl Writer {
    /// Writes the value of the present key, or the document.
    fn write(&mut self, value: &Value) -> Result<(), String> {
        let value = &*plain(value);
        match kind(value, DEPTH, &self.left)? {
            Kind::Nothing if matches!(value.data, Data::List(_)) && self.key.is_empty() => self.out.push_plain(b"[]"),
            Kind::Nothing => {}
            Kind::Scalar | Kind::List => {
                if let Some(last) = self.key.last().cloned() {
                    self.indent();
                    self.assign(&last);
                    self.element(value)?;
                    self.out.push_plain(b"\n");
                } else {
                    self.element(value)?;
                }
            }
            Kind::Tables(_) if self.key.is_empty() => {
                return Err("toml: top-level values must be Go maps or structs".into());
            }
            Kind::Tables(list) => {
                for item in list.iter() {
                    let item = plain(item);
                    let Data::Map(map) = &item.data else { continue };
                    self.new_line();
                    self.header("[[", "]]");
                    self.table(map)?;
                }
            }
            Kind::Table(map) => {
                if self.key.len() == 1 {
                    self.new_line();
                }
                if !self.key.is_empty() {
                    self.header("[", "]");
                }
                self.table(map)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, map: &Map) -> Result<(), String> {
        self.enter()?;
        let (plain, tables) = parted(map, &self.left)?;
        for (key, value) in plain.iter().chain(&tables) {
            self.key.push(quoted_key(key));
            self.write(value)?;
            self.key.pop();
        }
        self.depth -= 1;
        Ok(())
    }

    /// A value on one line.
    fn element(&mut self, value: &Value) -> Result<(), String> {
        match &value.data {
            Data::List(list) => {
                self.enter()?;
                self.out.push_plain(b"[");
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        self.out.push_plain(b", ");
                    }
                    self.element(&plain(item))?;
                }
                self.out.push_plain(b"]");
                self.depth -= 1;
            }
            Data::Map(map) => {
                self.enter()?;
                self.out.push_plain(b"{");
                let (plain, tables) = parted(map, &self.left)?;
                self.inline(&plain, !tables.is_empty())?;
                self.inline(&tables, false)?;
                self.out.push_plain(b"}");
                self.depth -= 1;
            }
            _ => self.out.push(&scalar(value), &value.origin),
        }
        Ok(())
    }

    /// The entries of a table on one line. As in the original, a nil one leaves the comma before it behind.
    fn inline(&mut self, entries: &[(Text, Value)], more: bool) -> Result<(), String> {
        for (index, (key, value)) in entries.iter().enumerate() {
            if is_nil(value) {
                continue;
            }
            self.assign(&quoted_key(key));
            self.element(&plain(value))?;
            if more || index + 1 < entries.len() {
                self.out.push_plain(b", ");
            }
        }
        Ok(())
    }

    fn assign(&mut self, key: &Text) {
        self.out.push_plain(key);
        self.out.push_plain(b" = ");
    }

    fn header(&mut self, open: &str, close: &str) {
        self.indent();
        self.out.push_plain(open.as_bytes());
        for (index, part) in self.key.iter().enumerate() {
            if index > 0 {
                self.out.push_plain(b".");
            }
            self.out.push_plain(part);
        }
        self.out.push_plain(close.as_bytes());
        self.out.push_plain(b"\n");
    }

    fn indent(&mut self) {
        for _ in 1..self.key.len() {
            self.out.push_plain(b"  ");
        }
    }

    fn new_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push_plain(b"\n");
        }
    }

    fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH { Err(TOO_DEEP.into()) } else { Ok(()) }
    }
}

const TOO_DEEP: &str = "toml: the value is too large, nested too deeply or contains itself";

/// A map's entries: those that are written as lines, then those that are written as tables.
type Parted = (Vec<(Text, Value)>, Vec<(Text, Value)>);

fn parted(map: &Map, left: &Cell<usize>) -> Result<Parted, String> {
    let (mut lines, mut tables) = (Vec::new(), Vec::new());
    map.try_for_each(|key, value| {
        let shown = plain(value);
        let part = match kind(&shown, DEPTH, left)? {
            Kind::Table(_) | Kind::Tables(_) => &mut tables,
            Kind::Nothing | Kind::Scalar | Kind::List => &mut lines,
        };
        part.push((key.clone(), value.clone()));
        Ok::<(), String>(())
    })?;
    Ok((lines, tables))
}

fn kind<'a>(value: &'a Value, depth: usize, left: &Cell<usize>) -> Result<Kind<'a>, String> {
    left.set(left.get().checked_sub(1).ok_or(TOO_DEEP)?);
    Ok(match &value.data {
        _ if is_nil(value) => Kind::Nothing,
        Data::Map(map) => Kind::Table(map),
        Data::List(list) => {
            let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
            let mut tables = !list.is_empty();
            for item in list.iter() {
                match kind(&plain(item), depth, left)? {
                    Kind::Nothing => return Err("toml: cannot encode array with nil element".into()),
                    Kind::Table(_) => {}
                    Kind::Scalar | Kind::List | Kind::Tables(_) => tables = false,
                }
            }
            if tables { Kind::Tables(list) } else { Kind::List }
        }
        _ => Kind::Scalar,
    })
}

fn is_nil(value: &Value) -> bool {
    match &value.data {
        Data::Nil => true,
        Data::List(list) => list.is_nil(),
        Data::Map(map) => map.is_nil(),
        _ => false,
    }
}

/// An object as what it is written as: a struct as its fields.
fn plain(value: &Value) -> Cow<'_, Value> {
    match &value.data {
        Data::Object(object) if object.display().is_none() => {
            Cow::Owned(object.plain().with_origin(value.origin.clone()))
        }
        _ => Cow::Borrowed(value),
    }
}

fn scalar(value: &Value) -> Vec<u8> {
    match &value.data {
        Data::Bool(value) => value.to_string().into_bytes(),
        Data::Int(number, _) => number.to_string().into_bytes(),
        Data::Uint(number, _) => number.to_string().into_bytes(),
        Data::Float(number, _) => float(*number).into_bytes(),
        Data::String(text) => quoted(text),
        Data::Object(object) if object.type_name() == "time.Time" => time(value),
        Data::Object(object) => quoted(&object.display().unwrap_or_default()),
        Data::Nil | Data::List(_) | Data::Map(_) => Vec::new(),
    }
}

/// A time as encoding/json has it but for the quotes; what was read without an offset, a date or a time of day goes back
/// as it came.
fn time(value: &Value) -> Vec<u8> {
    let Some(time) = time_in(value) else { return Vec::new() };
    let layout: &[u8] = match &time.zone {
        Zone::Fixed(name, _) if **name == *DATE_TIME => b"2006-01-02T15:04:05.999999999",
        Zone::Fixed(name, _) if **name == *DATE => b"2006-01-02",
        Zone::Fixed(name, _) if **name == *TIME => b"15:04:05.999999999",
        _ => b"2006-01-02T15:04:05.999999999Z07:00",
    };
    time.format(layout)
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if number.is_infinite() {
        return if number.is_sign_negative() { "-inf" } else { "inf" }.into();
    }
    let mut shown = onepane_yaml::format_float(number);
    if !shown.contains(['e', '.']) {
        shown.push_str(".0");
    }
    shown
}

fn quoted_key(key: &Text) -> Text {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.iter().all(bare) { key.clone() } else { quoted(key).into() }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\x08' => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\x0C' => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            0..=0x1F | 0x7F => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}
