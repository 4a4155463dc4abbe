//! The little language of `--set` and its kin: `a.b=1,c[0]={x,y}`.
//!
//! One grammar, four kinds of right-hand side ([`SetKind`]). The grammar has the limits of Helm 4: 30 levels of names
//! and indices up to 65,536.

use crate::compat::Compat;
use crate::values_file::flag_origin;
use onepane_diagnostics::Origin;
use onepane_value::{Data, IntKind, List, Map, Text, Value, from_json};

const DEEPEST: usize = 30;
const LARGEST_INDEX: i64 = 65_536;
/// Lists are copied when one of their items is set; without a bound on the sum, a long flag would take forever.
const MOST_COPIED_ITEMS: usize = 50_000_000;

/// What stands on the right of the equals sign.
#[derive(Clone, Copy)]
pub enum SetKind<'a> {
    /// `--set`: booleans, null, integers, strings, `{lists}`.
    Typed,
    /// `--set-string`: strings and `{lists}` of them.
    String,
    /// `--set-json`: a JSON value.
    Json,
    /// `--set-file`: the path of a file, whose contents become a string.
    File(&'a dyn Fn(&str) -> Result<Vec<u8>, String>),
    /// `--set-literal`: everything up to the end, as it stands.
    Literal,
}

/// Sets what `text` says in `values`, in place. With `note`, the values say that this flag set them.
///
/// The error is Helm's text; what came before it in `text` is set by then.
pub fn set_into(values: &Map, text: &str, kind: SetKind<'_>, note: Option<&str>) -> Result<(), String> {
    set_as(Compat::Helm4, values, text, kind, note)
}

/// [`set_into`] by the rules of a version of Helm.
pub(crate) fn set_as(
    compat: Compat,
    values: &Map,
    text: &str,
    kind: SetKind<'_>,
    note: Option<&str>,
) -> Result<(), String> {
    let origin = note.map_or(Origin::UNKNOWN, flag_origin);
    let mut parser = Parser { compat, rest: text, kind, origin, copied: 0 };
    loop {
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Wrong(message)) => return Err(message),
        }
    }
}

struct Parser<'a> {
    compat: Compat,
    rest: &'a str,
    kind: SetKind<'a>,
    origin: Origin,
    copied: usize,
}

/// Why parsing does not go on.
enum Stop {
    /// The text is used up, Go's `io.EOF`. That ends the run in peace wherever it happens.
    End,
    Wrong(String),
}

impl Parser<'_> {
    /// One `name=value`, whose name may go on below.
    fn key(&mut self, values: &Map, depth: usize) -> Result<(), Stop> {
        let stops: &[char] = if self.is_literal() { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (name, stop) = self.until(stops);
        let key = Text::from(name.as_str());
        match stop {
            None if name.is_empty() => Err(Stop::End),
            None => Err(Stop::Wrong(format!("key {} has no value", quoted(&name)))),
            Some('[') => {
                let index = self.index()?;
                let list = match values.get(&key) {
                    None => List::new([]),
                    Some(Value { data: Data::List(list), .. }) => list,
                    Some(other) => return Err(wrong_type(&other, "[]interface {}")),
                };
                let (list, outcome) = self.item(list, index, depth);
                self.set(values, key, Data::List(list).into());
                outcome
            }
            Some('=') => self.right_hand_side(values, key),
            Some(',') => {
                self.set(values, key, Value::string(""));
                Err(Stop::Wrong(format!("key {} has no value (cannot end with ,)", quoted(&name))))
            }
            Some(_) => {
                if depth + 1 > DEEPEST {
                    let message =
                        format!("value name nested level is greater than maximum supported nested level of {DEEPEST}");
                    return Err(Stop::Wrong(message));
                }
                let inner = match values.get(&key) {
                    None => Map::new(),
                    Some(Value { data: Data::Map(map), .. }) => map,
                    Some(other) => return Err(wrong_type(&other, "map[string]interface {}")),
                };
                let outcome = self.key(&inner, depth + 1);
                if outcome.is_ok() && inner.is_empty() {
                    return Err(Stop::Wrong(format!("key map {} has no value", quoted(&name))));
                }
                if !inner.is_empty() {
                    self.set(values, key, inner.into());
                }
                outcome
            }
        }
    }

    fn right_hand_side(&mut self, values: &Map, key: Text) -> Result<(), Stop> {
        if self.is_literal() {
            let text = std::mem::take(&mut self.rest);
            self.set(values, key, Value::string(text));
            return Ok(());
        }
        if matches!(self.kind, SetKind::Json) {
            let value = self.json()?;
            let empty = value.is_none();
            self.set(values, key, value.unwrap_or_default());
            if !empty {
                self.skip_blank();
            }
            return Ok(());
        }
        match self.braced() {
            Braced::End => {
                self.set(values, key, Value::string(""));
                Err(Stop::End)
            }
            Braced::List(items) => {
                self.set(values, key, items?);
                Ok(())
            }
            Braced::None => {
                let (text, _) = self.until(&[',']);
                match self.scalar(&text) {
                    Ok(value) => {
                        self.set(values, key, value);
                        Ok(())
                    }
                    Err(stop) => {
                        self.set(values, key, Value::NIL);
                        Err(stop)
                    }
                }
            }
        }
    }

    /// What follows `name[index]`; gives the list as it is then, also where something is wrong.
    fn item(&mut self, list: List, index: i64, depth: usize) -> (List, Result<(), Stop>) {
        match self.item_value(&list, index, depth) {
            Ok((value, outcome)) => match self.set_index(&list, index, value) {
                Ok(list) => (list, outcome),
                Err(stop) => (list, Err(stop)),
            },
            Err(stop) => (list, Err(stop)),
        }
    }

    fn item_value(&mut self, list: &List, index: i64, depth: usize) -> Result<(Value, Result<(), Stop>), Stop> {
        let Ok(position) = usize::try_from(index) else {
            return Err(Stop::Wrong(format!("negative {index} index not allowed")));
        };
        let (name, stop) = self.until(&['[', '.', '=']);
        if !name.is_empty() {
            // Go formats a list of characters here.
            let characters: Vec<String> = name.chars().map(|c| format!("'{c}'")).collect();
            let message = format!("unexpected data at end of array index: [{}]", characters.join(" "));
            return Err(Stop::Wrong(message));
        }
        let present = list.get(position);
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                if self.is_literal() {
                    return Ok((Value::string(std::mem::take(&mut self.rest)), Ok(())));
                }
                if matches!(self.kind, SetKind::Json) {
                    let value = self.json()?;
                    if value.is_some() {
                        self.skip_blank();
                    }
                    return Ok((value.unwrap_or_default(), Ok(())));
                }
                match self.braced() {
                    Braced::End => Ok((Value::string(""), Ok(()))),
                    Braced::List(items) => Ok((items?, Ok(()))),
                    Braced::None => {
                        let (text, _) = self.until(&[',']);
                        Ok((self.scalar(&text)?, Ok(())))
                    }
                }
            }
            Some('[') => {
                let next = self.index()?;
                let inner = match present {
                    None => List::nil(onepane_value::ElementType::Any),
                    Some(Value { data: Data::Nil, .. }) => List::nil(onepane_value::ElementType::Any),
                    Some(Value { data: Data::List(list), .. }) => list.clone(),
                    Some(other) => return Err(wrong_type(other, "[]interface {}")),
                };
                let (list, outcome) = self.item(inner, next, depth);
                outcome?;
                Ok((Data::List(list).into(), Ok(())))
            }
            Some(_) => {
                let inner = match present.map(|value| &value.data) {
                    Some(Data::Map(map)) => map.clone(),
                    _ => Map::new(),
                };
                self.key(&inner, depth)?;
                Ok((inner.into(), Ok(())))
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            // Go wraps `io.EOF` here, and whoever asks whether it is one looks through the wrapping, since Helm 4.
            return Err(match self.compat {
                Compat::Helm4 => Stop::End,
                Compat::Helm3 => Stop::Wrong("error parsing index: EOF".to_owned()),
            });
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let reason = if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            "invalid syntax"
        } else {
            match text.parse() {
                Ok(index) => return Ok(index),
                Err(_) => "value out of range",
            }
        };
        Err(Stop::Wrong(format!("error parsing index: strconv.Atoi: parsing {}: {reason}", quoted(&text))))
    }

    fn set_index(&mut self, list: &List, index: i64, value: Value) -> Result<List, Stop> {
        if index > LARGEST_INDEX {
            let message = format!("index of {index} is greater than maximum supported index of {LARGEST_INDEX}");
            return Err(Stop::Wrong(message));
        }
        let position = usize::try_from(index).unwrap_or_default();
        let length = list.len().max(position + 1);
        self.copied += length;
        if self.copied > MOST_COPIED_ITEMS {
            return Err(Stop::Wrong("the flag sets too many items of long lists".to_owned()));
        }
        let mut items: Vec<Value> = Vec::with_capacity(length);
        items.extend(list.iter().cloned());
        items.resize(length, Value::NIL);
        items[position] = self.marked(value, list.get(position));
        Ok(List::new(items))
    }

    fn set(&self, values: &Map, key: Text, value: Value) {
        if !key.is_empty() {
            let value = self.marked(value, values.get(&key).as_ref());
            values.insert(key, value);
        }
    }

    /// The value with this flag as its origin; a table that was there before stays where it came from.
    fn marked(&self, value: Value, old: Option<&Value>) -> Value {
        if !self.origin.is_known() {
            return value;
        }
        let origin = match old {
            Some(old) if old.as_map().is_some() && value.as_map().is_some() => old.origin.clone(),
            Some(old) => self.origin.over(&old.origin),
            None => self.origin.clone(),
        };
        Value { data: value.data, origin }
    }

    fn is_literal(&self) -> bool {
        matches!(self.kind, SetKind::Literal)
    }

    /// The text up to one of `stops` and that stop, which is taken too. A backslash quotes, except in literals.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        let literal = self.is_literal();
        let mut characters = self.rest.chars();
        let stop = loop {
            match characters.next() {
                None => break None,
                Some(c) if stops.contains(&c) => break Some(c),
                Some('\\') if !literal => match characters.next() {
                    Some(c) => text.push(c),
                    None => break None,
                },
                Some(c) => text.push(c),
            }
        };
        self.rest = characters.as_str();
        (text, stop)
    }

    fn braced(&mut self) -> Braced {
        let Some(rest) = self.rest.strip_prefix('{') else {
            return if self.rest.is_empty() { Braced::End } else { Braced::None };
        };
        self.rest = rest;
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            if stop.is_none() {
                return Braced::List(Err(Stop::Wrong("list must terminate with '}'".to_owned())));
            }
            match self.scalar(&text) {
                Ok(value) => items.push(self.marked(value, None)),
                Err(stop) => return Braced::List(Err(stop)),
            }
            if stop == Some('}') {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                return Braced::List(Ok(List::new(items).into()));
            }
        }
    }

    fn scalar(&self, text: &str) -> Result<Value, Stop> {
        match self.kind {
            SetKind::Typed => Ok(typed(text)),
            SetKind::File(read) => read(text).map(Value::string).map_err(Stop::Wrong),
            _ => Ok(Value::string(text)),
        }
    }

    /// A JSON value; `None` for an empty one, which is null.
    fn json(&mut self) -> Result<Option<Value>, Stop> {
        if self.skip_blank() {
            return Ok(None);
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<serde_json::Value>();
        match values.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Stop::Wrong(error.to_string())),
            None => return Ok(None),
        }
        let (text, rest) = self.rest.split_at(values.byte_offset());
        self.rest = rest;
        let value = from_json(text.as_bytes()).map_err(Stop::Wrong)?;
        Ok(Some(value))
    }

    /// Takes spaces and one comma; whether nothing else was there.
    fn skip_blank(&mut self) -> bool {
        let mut characters = self.rest.chars();
        loop {
            let here = characters.as_str();
            match characters.next() {
                None => {
                    self.rest = "";
                    return true;
                }
                Some(',') => {
                    self.rest = characters.as_str();
                    return true;
                }
                Some(c) if c.is_whitespace() => {}
                Some(_) => {
                    self.rest = here;
                    return false;
                }
            }
        }
    }
}

enum Braced {
    End,
    None,
    List(Result<Value, Stop>),
}

fn wrong_type(value: &Value, wanted: &str) -> Stop {
    let found = if value.is_nil() { "nil".into() } else { value.type_name() };
    Stop::Wrong(format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"))
}

fn quoted(text: &str) -> Text {
    onepane_value::format::sprintf(b"%q", &[Value::string(text)])
}

/// `--set`'s idea of a value: `true`, `false` and `null` in any letter case, integers that don't start with 0, text.
fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return true.into();
    }
    if text.eq_ignore_ascii_case("false") {
        return false.into();
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::NIL;
    }
    if (text == "0" || !text.starts_with('0'))
        && let Ok(number) = text.parse::<i64>()
    {
        return Data::Int(number, IntKind::Bits64).into();
    }
    Value::string(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, kind: SetKind<'_>) -> Result<Map, String> {
        let values = Map::new();
        set_into(&values, text, kind, None).map(|()| values)
    }

    fn int(value: i64) -> Value {
        Value::int64(value)
    }

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Map::from_iter(entries).into()
    }

    fn list<const N: usize>(items: [Value; N]) -> Value {
        List::new(items).into()
    }

    #[test]
    fn typed_values_nest_and_repeat() {
        let cases = [
            ("a=1,b=x", map([("a", int(1)), ("b", "x".into())])),
            ("a=0123,b=0,c=-5", map([("a", "0123".into()), ("b", int(0)), ("c", int(-5))])),
            ("a=TRUE,b=null,c=", map([("a", true.into()), ("b", Value::NIL), ("c", "".into())])),
            ("a.b.c=1", map([("a", map([("b", map([("c", int(1))]))]))])),
            ("a={x,2}", map([("a", list(["x".into(), int(2)]))])),
            ("a={}", map([("a", list(["".into()]))])),
            ("a[1]=x", map([("a", list([Value::NIL, "x".into()]))])),
            ("a[0].b=1,a[0].c=2", map([("a", list([map([("b", int(1)), ("c", int(2))])]))])),
            ("a[0][1]=1", map([("a", list([list([Value::NIL, int(1)])]))])),
            ("a\\.b=1\\,2", map([("a.b", "1,2".into())])),
            ("a=", map([("a", "".into())])),
            ("a[0", map([])),
            ("a.", map([])),
            ("", map([])),
        ];
        for (text, wanted) in cases {
            let values = Value::from(set(text, SetKind::Typed).expect(text));
            assert!(values.deep_equal(&wanted), "{text}: {values:?}");
        }
    }

    #[test]
    fn other_kinds_take_their_right_hand_side_as_it_is() {
        let values = Value::from(set("a=1,b=true", SetKind::String).expect("it is good"));
        assert!(values.deep_equal(&map([("a", "1".into()), ("b", "true".into())])));
        let values = Value::from(set("a.b=x,y={1}", SetKind::Literal).expect("it is good"));
        assert!(values.deep_equal(&map([("a", map([("b", "x,y={1}".into())]))])));
        let read = |path: &str| Ok(format!("<{path}>").into_bytes());
        let values = Value::from(set("a=f", SetKind::File(&read)).expect("it is good"));
        assert!(values.deep_equal(&map([("a", "<f>".into())])));
    }

    #[test]
    fn wrong_flags_are_refused_in_helms_words() {
        let deep = format!("{}=1", ["a"; 40].join("."));
        let cases = [
            ("a", "key \"a\" has no value"),
            ("a,b=1", "key \"a\" has no value (cannot end with ,)"),
            ("a={x", "list must terminate with '}'"),
            ("a[x]=1", "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("a[-1]=1", "negative -1 index not allowed"),
            ("a[65537]=1", "index of 65537 is greater than maximum supported index of 65536"),
            ("a[0]x=1", "unexpected data at end of array index: ['x']"),
            (
                "a=1,a.b=2",
                "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
            ),
            (deep.as_str(), "value name nested level is greater than maximum supported nested level of 30"),
        ];
        for (text, wanted) in cases {
            assert_eq!(set(text, SetKind::Typed).expect_err(text), wanted, "{text}");
        }
    }
}
