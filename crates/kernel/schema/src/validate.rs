//! A resource, held against the shape of its kind: [`Validator`].

use crate::shape::{List, Shape, Struct, Structs, Text};
use crate::values::{is_base64, is_quantity, is_time};
use onepane_diagnostics::closest;
use onepane_resource::join_key;
use onepane_yaml::Node;
use serde_json::Value;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A field that there is none of.
    UnknownField,
    /// A value of another type.
    Type,
    /// A field that has to be there.
    Missing,
    /// A value that is none of those there are.
    Value,
    /// An item that is there already.
    Duplicate,
}

/// Something that is wrong with a resource.
#[derive(Clone, Debug)]
pub struct Violation<'n> {
    /// What kind of thing it is.
    pub kind: ViolationKind,
    /// The path of the field.
    pub path: String,
    /// What is wrong, in words that hold nothing of what the resource says but keys.
    pub message: String,
    /// The key or value that it is about, or the one around it where something is missing.
    pub at: &'n Node,
    /// The value of the key that it is about.
    pub value: Option<&'n Node>,
    /// What was probably meant in its place.
    pub meant: Option<String>,
    /// Whether nothing else can have been meant.
    pub is_certain: bool,
}

/// A resource with more wrong than this is something else altogether.
const MOST: usize = 100;

#[derive(Default)]
pub(crate) struct Validator<'n> {
    pub(crate) found: Vec<Violation<'n>>,
}

impl<'n> Validator<'n> {
    /// A whole resource.
    pub(crate) fn resource(&mut self, structs: &Structs, shape: &Shape, document: &Value, node: &'n Node) {
        let around = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_str() == Some("kind")));
        self.value(structs, shape, document, around.map_or(node, |(key, _)| key), node, "");
    }

    /// The value of a key.
    pub(crate) fn field(
        &mut self,
        structs: &Structs,
        shape: &Shape,
        value: &Value,
        key: &'n Node,
        node: &'n Node,
        path: &str,
    ) {
        self.value(structs, shape, value, key, node, path);
    }

    /// `around` is what stands for the value where something in it is missing.
    fn value(&mut self, structs: &Structs, shape: &Shape, value: &Value, around: &'n Node, node: &'n Node, path: &str) {
        if self.found.len() >= MOST {
            return;
        }
        let wrong = |wanted: &str| {
            Some((ViolationKind::Type, format!("{path} has to be {wanted}, and is {}", described(value))))
        };
        let refused = |why: String| Some((ViolationKind::Value, format!("{path} has to be {why}")));
        let found = match (shape, value) {
            // A null is as good as nothing; where something has to be, that is looked at by whoever wants it.
            (Shape::Any, _) | (_, Value::Null) => None,
            (Shape::Conditional(shape, conditions), _) => {
                let before = self.found.len();
                self.value(structs, shape, value, around, node, path);
                // What has another shape meets no condition, either.
                if self.found.len() == before {
                    for why in conditions.refuse(value) {
                        let path_or_all = if path.is_empty() { "the resource" } else { path };
                        self.add(ViolationKind::Value, path, format!("{path_or_all} {why}"), around, None);
                    }
                }
                return;
            }
            (Shape::Struct(index), Value::Object(fields)) => {
                let Some(of) = structs.get(*index) else { return };
                return self.mapping(structs, of, fields, around, node, path);
            }
            (Shape::Map(below), Value::Object(fields)) => {
                for (name, value) in fields {
                    if let Some((key, node)) = entry(node, name) {
                        self.value(structs, below, value, key, node, &join_key(path, name));
                    }
                }
                return;
            }
            (Shape::Struct(_) | Shape::Map(_), _) => wrong("a mapping"),
            (Shape::List(list), Value::Array(items)) => return self.list(structs, list, items, around, node, path),
            (Shape::List(_), _) => wrong("a list"),
            (Shape::Text(text), Value::String(value)) => return self.text(text, value, node, path),
            (Shape::Text(_), _) => wrong("a string"),
            (Shape::Boolean, Value::Bool(_)) => None,
            (Shape::Boolean, _) => wrong("true or false"),
            (Shape::Integer { short, range }, Value::Number(number)) => match number.as_i64() {
                Some(number) if *short && i32::try_from(number).is_err() => refused("an integer of 32 bits".to_owned()),
                Some(number) => range.refuses(number as f64).and_then(refused),
                None => wrong("an integer"),
            },
            (Shape::Integer { .. }, _) => wrong("an integer"),
            (Shape::Number(range), Value::Number(number)) => {
                number.as_f64().and_then(|number| range.refuses(number)).and_then(refused)
            }
            (Shape::Number(_), _) => wrong("a number"),
            (Shape::IntOrString, Value::String(_)) => None,
            (Shape::IntOrString, Value::Number(number)) if number.is_i64() => None,
            (Shape::IntOrString, _) => wrong("an integer or a string"),
            (Shape::Quantity, Value::Number(_)) => None,
            (Shape::Quantity, Value::String(text)) if is_quantity(text) => None,
            (Shape::Quantity, Value::String(_)) => refused("a quantity, such as 100m, 0.5, 64Mi or 2Gi".to_owned()),
            (Shape::Quantity, _) => wrong("a quantity"),
            (Shape::Time, Value::String(text)) if is_time(text) => None,
            (Shape::Time, _) => refused("a time, such as 2026-01-05T10:00:00Z".to_owned()),
            (Shape::Bytes, Value::String(text)) if is_base64(text) => None,
            (Shape::Bytes, Value::String(_)) => refused("base64; `stringData` of a Secret takes plain text".to_owned()),
            (Shape::Bytes, _) => wrong("a string of base64"),
        };
        if let Some((kind, message)) = found {
            self.add(kind, path, message, node, None);
        }
    }

    fn mapping(
        &mut self,
        structs: &Structs,
        of: &Struct,
        fields: &serde_json::Map<String, Value>,
        around: &'n Node,
        node: &'n Node,
        path: &str,
    ) {
        for (name, value) in fields {
            let Some((key, below)) = entry(node, name) else { continue };
            let path = join_key(path, name);
            let is_every_resources = of.is_resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
            match (of.fields.get(name.as_str()), &of.others) {
                _ if is_every_resources => {}
                (Some(field), _) => {
                    if value.is_null() && !field.nullable {
                        self.add(ViolationKind::Type, &path, format!("{path} may not be null"), key, None);
                    }
                    self.value(structs, &field.shape, value, key, below, &path);
                }
                (None, Some(shape)) => self.value(structs, shape, value, key, below, &path),
                (None, None) => {
                    let names: Vec<&str> =
                        of.fields.keys().map(|name| &**name).filter(|name| !fields.contains_key(*name)).collect();
                    let meant = closest(name, names.iter().copied());
                    let of_what = parent(&path, name);
                    let message = format!("there is no field `{name}` in {of_what}");
                    self.add(ViolationKind::UnknownField, &path, message, key, meant.map(str::to_owned));
                    if let Some(found) = self.found.last_mut().filter(|found| found.path == path) {
                        found.value = Some(below);
                        found.is_certain = meant.is_some_and(|meant| is_certain(name, meant, &names));
                    }
                }
            }
        }
        for name in of.fields.iter().filter(|(_, field)| field.required).map(|(name, _)| name) {
            if fields.get(&**name).is_none_or(Value::is_null)
                && !(of.is_resource && matches!(&**name, "apiVersion" | "kind"))
            {
                let path = join_key(path, name);
                let of_what = parent(&path, name);
                self.add(ViolationKind::Missing, &path, format!("`{name}` is missing in {of_what}"), around, None);
            }
        }
    }

    fn list(&mut self, structs: &Structs, list: &List, items: &[Value], around: &'n Node, node: &'n Node, path: &str) {
        if let Some(why) = list.length.refuses(items.len() as f64) {
            let message = format!("{path} has {} items, and may have {why}", items.len());
            self.add(ViolationKind::Value, path, message, around, None);
        }
        let nodes = node.items().unwrap_or_default();
        let mut seen: Vec<Vec<Option<&Value>>> = Vec::new();
        for (index, (item, node)) in items.iter().zip(nodes).enumerate() {
            let name = item.get("name").and_then(Value::as_str);
            let path = match name {
                Some(name) if !name.contains(']') => format!("{path}[name={name}]"),
                _ => format!("{path}[{index}]"),
            };
            self.value(structs, &list.items, item, first_key(node), node, &path);
            let identity: Vec<Option<&Value>> = match list.is_set {
                true => vec![Some(item)],
                false => list.keys.iter().map(|key| item.get(&**key)).collect(),
            };
            if identity.iter().all(Option::is_none) {
                continue;
            }
            if seen.contains(&identity) {
                let by = if list.is_set { "value".to_owned() } else { list.keys.join(" and ") };
                let message = format!("{path} is there already: an item before it has the same {by}");
                let at = list.keys.first().and_then(|key| node.get(key)).unwrap_or(first_key(node));
                self.add(ViolationKind::Duplicate, &path, message, at, None);
            }
            seen.push(identity);
        }
    }

    fn text(&mut self, text: &Text, value: &str, node: &'n Node, path: &str) {
        let length = value.chars().count() as f64;
        let (why, meant) = if !text.values.is_empty() && !text.values.iter().any(|one| **one == *value) {
            const MOST_SHOWN: usize = 12;
            let mut shown: Vec<&str> = text.values.iter().map(|one| &**one).filter(|one| !one.is_empty()).collect();
            let meant = closest(value, shown.iter().copied()).filter(|meant| is_certain(value, meant, &shown));
            let meant = meant.map(str::to_owned);
            shown.truncate(MOST_SHOWN);
            let more = if text.values.len() > MOST_SHOWN { ", …" } else { "" };
            (format!("one of {}{more}", shown.join(", ")), meant)
        } else if let Some(pattern) = text.pattern.as_ref().filter(|pattern| !pattern.is_match(value)) {
            (format!("a text that matches {pattern}"), None)
        } else if let Some(why) = text.length.refuses(length) {
            (format!("{why} characters long"), None)
        } else {
            return;
        };
        self.add(ViolationKind::Value, path, format!("{path} has to be {why}"), node, meant);
    }

    fn add(&mut self, kind: ViolationKind, path: &str, message: String, at: &'n Node, meant: Option<String>) {
        if self.found.len() < MOST {
            let (value, is_certain) = (None, meant.is_some());
            self.found.push(Violation { kind, path: path.to_owned(), message, at, value, meant, is_certain });
        }
    }
}

/// Whether a name is the only one near, or differs in the case of letters only.
fn is_certain(written: &str, meant: &str, names: &[&str]) -> bool {
    let others = names.iter().copied().filter(|name| *name != meant);
    written.eq_ignore_ascii_case(meant) || closest(written, others).is_none()
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<(&'n Node, &'n Node)> {
    node.entries()?.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(key, value)| (key, value))
}

/// The first that is written of an item.
fn first_key(node: &Node) -> &Node {
    node.entries().and_then(|entries| entries.first()).map_or(node, |(key, _)| key)
}

/// What a field is in, in words.
fn parent(path: &str, name: &str) -> String {
    let quoted = format!("[\"{name}\"]");
    let rest = path.strip_suffix(&quoted).or_else(|| path.strip_suffix(name));
    match rest.map(|rest| rest.trim_end_matches('.')) {
        Some("") | None => "the resource".to_owned(),
        Some(rest) => rest.to_owned(),
    }
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
