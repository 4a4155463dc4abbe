//! JSON, and YAML as go-cty-yaml reads and writes it: all text is in quotes, `yes` is a boolean.

use super::super::conversion::convert;
use super::super::number::Number;
use super::super::value::{DEEPEST, Data, HEAVIEST, Type, Value, normal};
use super::{ANY_OR_NULL, Fault, Function, Outcome, TEXT, fixed, text};
use onepane_functions::go::Moment;
use onepane_yaml::{CollectionNode, Emitter, Event, EventKind, Events, Properties, ScalarNode, Style};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("jsondecode", &[TEXT], |arguments| {
        let written = text(arguments, 0)?;
        onepane_value::from_json(written.as_bytes()).map_err(|error| Fault::from(error.to_string()))?;
        let mut reader = Json { text: written, at: 0 };
        reader.value(0)
    }),
    fixed("jsonencode", &[ANY_OR_NULL], |arguments| Ok(to_json(first(arguments)?)?.into())),
    fixed("yamldecode", &[TEXT], |arguments| {
        let mut reader = Yaml::new(text(arguments, 0)?)?;
        reader.document()
    }),
    fixed("yamlencode", &[ANY_OR_NULL], |arguments| {
        let mut emitter = Emitter::sigs();
        let value = first(arguments)?;
        emit(value, &mut emitter)?;
        emitter.end_document();
        // A plain scalar alone could go on, so that its end is written.
        let end = if matches!(value.data, Data::Null | Data::Bool(_) | Data::Number(_)) { "...\n" } else { "" };
        Ok((emitter.finish() + end).into())
    }),
];

fn first(arguments: &[Value]) -> Result<&Value, Fault> {
    arguments.first().ok_or_else(|| "an argument is required".into())
}

/// A value in JSON.
pub(super) fn to_json(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write_json(value, &mut out)?;
    Ok(out)
}

fn write_json(value: &Value, out: &mut String) -> Result<(), String> {
    match &value.data {
        Data::Null => out.push_str("null"),
        Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Data::Number(number) if number.is_finite() => out.push_str(&number.text()),
        Data::Number(_) => return Err("infinity can't be written in JSON".to_owned()),
        Data::String(text) => write_json_text(text, out)?,
        Data::Sequence(_) => {
            out.push('[');
            for (at, item) in value.items().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(&item, out)?;
            }
            out.push(']');
        }
        Data::Mapping(_) => {
            out.push('{');
            for (at, (name, entry)) in value.entries().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json_text(&name, out)?;
                out.push(':');
                write_json(&entry, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_json_text(text: &str, out: &mut String) -> Result<(), String> {
    out.push_str(&onepane_value::to_json(&text.into())?.to_string());
    Ok(())
}

/// Reads JSON that was found to be well formed, since numbers keep all of their digits here.
struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    fn peek(&mut self) -> u8 {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// What is next as long as its bytes are so.
    fn take(&mut self, is: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|byte| is(*byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn value(&mut self, depth: u32) -> Outcome {
        if depth > DEEPEST {
            return Err("the value is too deep".into());
        }
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.peek() != b']' {
                    items.push(self.value(depth + 1)?);
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Ok(Value::tuple(items))
            }
            b'"' => Ok(self.string()?.into()),
            b't' | b'f' => Ok((self.take(|byte| byte.is_ascii_alphabetic()) == "true").into()),
            b'n' => {
                self.take(|byte| byte.is_ascii_alphabetic());
                Ok(Value::null(Type::Any))
            }
            _ => {
                let written = self.take(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                Ok(Number::parse(written).ok_or("a number is required")?.into())
            }
        }
    }

    fn object(&mut self, depth: u32) -> Outcome {
        self.at += 1;
        let mut entries: BTreeMap<Rc<str>, Value> = BTreeMap::new();
        while self.peek() != b'}' {
            let name = normal(&self.string()?);
            if self.peek() == b':' {
                self.at += 1;
            }
            let value = self.value(depth + 1)?;
            if entries.get(&name).is_some_and(|before| before.kind != value.kind) {
                return Err(format!("an object has two properties {name:?} of different types").into());
            }
            entries.insert(name, value);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(Value::object(entries))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let mut escaped = true;
        // The first byte is the quote that opens it.
        for (offset, byte) in self.text[start..].bytes().enumerate() {
            if byte == b'"' && !escaped {
                self.at = start + offset + 1;
                break;
            }
            escaped = byte == b'\\' && !escaped;
        }
        if self.at == start {
            return Err("a string is required".into());
        }
        let value = onepane_value::from_json(&self.text.as_bytes()[start..self.at]);
        let value = value.map_err(|error| Fault::from(error.to_string()))?;
        Ok(value.as_text().map(ToString::to_string).unwrap_or_default())
    }
}

fn emit(value: &Value, emitter: &mut Emitter) -> Result<(), Fault> {
    let mut scalar = |text: &str, style| emitter.scalar(ScalarNode { text, style, tag: None, anchor: None });
    match &value.data {
        Data::Null => scalar("null", Style::Plain),
        Data::Bool(value) => scalar(if *value { "true" } else { "false" }, Style::Plain),
        Data::Number(number) => scalar(&number.text(), Style::Plain),
        Data::String(text) => {
            scalar(text, if text.contains('\n') { Style::Literal } else { Style::DoubleQuoted });
        }
        Data::Sequence(_) | Data::Mapping(_) => {
            let is_mapping = matches!(value.data, Data::Mapping(_));
            let empty = value.count() == 0;
            emitter.begin(CollectionNode { is_mapping, empty, flow: false, tag: None, anchor: None });
            for item in value.items() {
                emit(&item, emitter)?;
            }
            for (name, entry) in value.entries() {
                emit(&Value::from(&*name), emitter)?;
                emit(&entry, emitter)?;
            }
            emitter.end();
        }
    }
    Ok(())
}

/// Reads one document.
struct Yaml<'a> {
    events: Events<'a>,
    anchors: HashMap<String, Value>,
    weight: u64,
}

impl<'a> Yaml<'a> {
    fn new(text: &'a str) -> Result<Self, Fault> {
        let events = Events::new(text, None).map_err(unreadable)?;
        Ok(Self { events, anchors: HashMap::new(), weight: 0 })
    }

    fn next(&mut self) -> Result<Event<'a>, Fault> {
        self.events.next().map_err(unreadable)
    }

    fn document(&mut self) -> Outcome {
        if !matches!(self.next()?.kind, EventKind::DocumentStart) {
            return Err("there is no document".into());
        }
        let event = self.next()?;
        let value = self.value(event, 0)?;
        match (self.next()?.kind, self.next()?.kind) {
            (EventKind::DocumentEnd, EventKind::StreamEnd) => Ok(value),
            _ => Err("only one document is allowed".into()),
        }
    }

    fn value(&mut self, event: Event<'a>, depth: u32) -> Outcome {
        if depth > DEEPEST {
            return Err("the value is too deep".into());
        }
        let (anchor, value) = match event.kind {
            EventKind::Scalar(text, style, properties) => {
                let value = resolve(&text, style, &properties)?;
                // Text that is not plain is a string, but of what it would be.
                let is_open = style == Style::Plain || properties.tag.is_some();
                let value = if is_open { value } else { convert(&value, &Type::String)? };
                (properties.anchor, value)
            }
            EventKind::Alias(name) => {
                let value = self.anchors.get(name).cloned();
                (None, value.ok_or_else(|| Fault::from(format!("there is no anchor {name:?} before its alias")))?)
            }
            EventKind::SequenceStart { properties, .. } => {
                expect_tag(&properties, "!!seq")?;
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.kind, EventKind::SequenceEnd) {
                        break;
                    }
                    items.push(self.value(event, depth + 1)?);
                }
                (properties.anchor, Value::tuple(items))
            }
            EventKind::MappingStart { properties, .. } => {
                expect_tag(&properties, "!!map")?;
                (properties.anchor, self.mapping(depth)?)
            }
            _ => return Err("a value is required".into()),
        };
        self.weight = self.weight.saturating_add(1);
        if value.data.weight().max(self.weight) > HEAVIEST || value.data.depth() > DEEPEST {
            return Err("the value is too large".into());
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.to_owned(), value.clone());
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: u32) -> Outcome {
        let mut entries: BTreeMap<Rc<str>, Value> = BTreeMap::new();
        loop {
            let (text, style, properties) = match self.next()?.kind {
                EventKind::MappingEnd => return Ok(Value::object(entries)),
                EventKind::Scalar(text, style, properties) => (text, style, properties),
                _ => return Err("only strings can be keys".into()),
            };
            let tag = properties.tag.as_deref();
            if tag == Some("!!merge") || tag.is_none() && text == "<<" {
                let event = self.next()?;
                let merged = self.value(event, depth + 1)?;
                let parts = if merged.kind.is_sequence() { merged.items().collect() } else { vec![merged] };
                for part in parts {
                    if !part.kind.is_mapping() {
                        return Err(format!("a {} can't be merged into a mapping", part.kind.name()).into());
                    }
                    entries.extend(part.entries());
                }
                continue;
            }
            let key = convert(&resolve(&text, style, &properties)?, &Type::String)?;
            let Data::String(key) = key.data else { return Err("a key must not be null".into()) };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            entries.insert(key, value);
        }
    }
}

#[allow(clippy::boxed_local, reason = "that is how it is handed to `map_err`")]
fn unreadable(error: Box<onepane_yaml::SyntaxError>) -> Fault {
    error.go_text(onepane_yaml::Dialect::V2).into()
}

fn expect_tag(properties: &Properties<'_>, wanted: &str) -> Result<(), Fault> {
    match properties.tag.as_deref() {
        Some(tag) if tag != wanted => Err(format!("this can't be a {tag}").into()),
        _ => Ok(()),
    }
}

/// What a scalar is, by go-cty-yaml's own rules: neither quite YAML 1.1 nor 1.2.
fn resolve(text: &str, style: Style, properties: &Properties<'_>) -> Outcome {
    let mut tag = properties.tag.as_deref();
    let misfit = |tag: &str| Fault::from(format!("{text:?} can't be a {tag}"));
    if let Some(tag) = tag
        && !matches!(tag, "!!str" | "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" | "!!binary")
    {
        return Err(format!("the tag {tag} is not known").into());
    }
    let hint = match text.bytes().next() {
        None => Some('N'),
        Some(b'+' | b'-') => Some('S'),
        Some(b'0'..=b'9') => Some('D'),
        Some(b'.') => Some('.'),
        Some(byte) if b"yYnNtTfFoO~".contains(&byte) => Some('M'),
        Some(_) => None,
    };
    if let Some(hint) = hint
        && !matches!(tag, Some("!!str" | "!!binary"))
    {
        if matches!(style, Style::SingleQuoted | Style::DoubleQuoted) {
            return Ok(text.into());
        }
        if let Some(value) = named(text) {
            return Ok(value);
        }
        if tag.is_none() && matches!(text, ".nan" | ".NaN" | ".NAN") {
            return Err("what is no number can't be a value".into());
        }
        match hint {
            '.' => {
                if let Some(number) = Number::parse(text) {
                    return Ok(number.into());
                }
            }
            'D' | 'S' => {
                if matches!(tag, None | Some("!!timestamp"))
                    && let Some(moment) = timestamp(text)
                {
                    return Ok(moment.into());
                }
                if is_integer(text) || is_float(text) {
                    tag = Some("!!float");
                }
            }
            _ => {}
        }
    }
    match tag {
        None => Ok(text.into()),
        Some("!!str") => Ok(text.into()),
        Some("!!binary") => {
            let node = onepane_yaml::resolve_scalar(text, false, Some("!!binary"), onepane_yaml::Dialect::V2);
            node.map(|_| text.into()).map_err(|_| misfit("!!binary"))
        }
        Some("!!bool") => named(text).filter(|value| value.kind == Type::Bool).ok_or_else(|| misfit("!!bool")),
        Some(tag @ ("!!int" | "!!float")) => {
            let plain = text.replace('_', "");
            Number::parse(&plain).or_else(|| based(&plain)).map(Value::from).ok_or_else(|| misfit(tag))
        }
        Some("!!timestamp") => timestamp(text).map(Value::from).ok_or_else(|| misfit("!!timestamp")),
        Some(_) => Ok(Value::null(Type::Any)),
    }
}

/// What has a name.
fn named(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        "" | "~" | "null" | "Null" | "NULL" => Value::null(Type::Any),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Number::parse("Inf")?.into(),
        "-.inf" | "-.Inf" | "-.INF" => Number::parse("-Inf")?.into(),
        _ => return None,
    })
}

fn digits(text: &str, is: fn(&u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| is(&byte))
}

fn is_integer(text: &str) -> bool {
    let octal = |text: &str| digits(text, |byte| (b'0'..=b'7').contains(byte));
    digits(text.strip_prefix(['-', '+']).unwrap_or(text), u8::is_ascii_digit)
        || text.strip_prefix("0o").is_some_and(octal)
        || text.strip_prefix("0x").is_some_and(|text| digits(text, u8::is_ascii_hexdigit))
}

fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, Some(power.strip_prefix(['-', '+']).unwrap_or(power))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = all(whole) && all(fraction) && !(whole.is_empty() && fraction.is_empty());
    is_mantissa && power.is_none_or(|power| digits(power, u8::is_ascii_digit))
}

/// A whole number that begins with its base.
fn based(text: &str) -> Option<Number> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, base) = match text.get(..2)?.to_ascii_lowercase().as_str() {
        "0x" => (&text[2..], 16),
        "0o" => (&text[2..], 8),
        "0b" => (&text[2..], 2),
        _ => return None,
    };
    u64::from_str_radix(digits, base).ok().map(|value| Number::whole(negative, value.into()))
}

/// A moment, which is kept as text.
fn timestamp(text: &str) -> Option<String> {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    const LAYOUTS: [&str; 4] =
        ["2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"];
    let moment = LAYOUTS.into_iter().find_map(|layout| Moment::read(layout, text).ok())?;
    Some(moment.format("2006-01-02T15:04:05Z07:00"))
}
