//! Parts of a state file as Helmfile's types have them: [`Part`]. What a field holds decides how its scalars are read:
//! `version: 1.10` is a text, and `wait: on` is true.

use crate::yaml;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, IntKind, List, Map, Value};
use onepane_yaml::{Content, Dialect, Node, Scalar, resolve};

/// A mapping with known fields.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) what: &'static str,
    pub(crate) fields: &'static [Field],
}

/// A field of a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) kept: Kept,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Text,
    Flag,
    Number,
    Float,
    Texts,
    /// A text alone counts as a list of one.
    OneOrTexts,
    /// Texts by name.
    Pairs,
    /// A list of whatever there is.
    Anys,
    Part(&'static Part),
    Parts(&'static Part),
    /// A part alone counts as a list of one.
    OneOrParts(&'static Part),
    PartsByName(&'static Part),
    /// `helmfiles`: paths, or parts with a path.
    Helmfiles,
}

/// When a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// If there is something in it.
    Filled,
    /// If it is said.
    Given,
    /// Always: empty where nothing is said.
    Always,
}

impl Part {
    /// Reads a mapping.
    ///
    /// # Errors
    /// `helmfile-field` for a field that it does not have or that holds something else.
    pub(crate) fn read(&self, node: &Node, file: FileId) -> Result<Map> {
        let Some(entries) = node.entries() else {
            return Err(wrong(node, file, format!("a {} is to be a mapping", self.what)));
        };
        let map = Map::new();
        for (key, value) in entries {
            let name = key.as_str().unwrap_or_default();
            let Some(field) = self.fields.iter().find(|field| field.name == name) else {
                return Err(wrong(key, file, format!("a {} has no field `{name}`", self.what)));
            };
            // Null is nothing said.
            let value = if is_null(value) { Value::default() } else { field.shape.read(value, name, file)? };
            if map.insert(name, value).is_some() {
                let message = format!("mapping key \"{name}\" already defined");
                return Err(Diagnostic::error("yaml-syntax", message).at(span(key, file)));
            }
        }
        Ok(map)
    }
}

impl Shape {
    fn read(self, node: &Node, name: &str, file: FileId) -> Result<Value> {
        let expected = |what: &str| wrong(node, file, format!("`{name}` is to be {what}"));
        let place = |value: Value| value.with_origin(yaml::origin(span(node, file)));
        let list = |read: &dyn Fn(&Node) -> Result<Value>| -> Result<Value> {
            let items = node.items().ok_or_else(|| expected("a list"))?;
            Ok(place(items.iter().map(read).collect::<Result<Vec<_>>>()?.into_iter().collect::<List>().into()))
        };
        let text = |node: &Node| match &node.content {
            Content::Scalar(_) if is_null(node) => Ok(Value::from("")),
            Content::Scalar(text) => Ok(Value::from(&**text).with_origin(yaml::origin(span(node, file)))),
            _ => Err(wrong(node, file, format!("`{name}` is to be a text"))),
        };
        let resolved = || resolve(node, Dialect::V3).ok();
        match self {
            Self::Text => text(node),
            Self::Flag => match resolved() {
                Some(Scalar::Bool(value)) => Ok(place(value.into())),
                // What YAML 1.1 has for booleans.
                Some(Scalar::String(word)) if matches!(&*word, "y" | "Y" | "yes" | "on") => Ok(place(true.into())),
                Some(Scalar::String(word)) if matches!(&*word, "n" | "N" | "no" | "off") => Ok(place(false.into())),
                _ => Err(expected("true or false")),
            },
            Self::Number => match resolved() {
                Some(Scalar::Int(value)) => Ok(place(int(value))),
                Some(Scalar::Float(value)) if value.abs() < 1e15 => Ok(place(int(value as i64))),
                _ => Err(expected("an integer")),
            },
            Self::Float => match resolved() {
                Some(Scalar::Int(value)) => Ok(place(Value::float(value as f64))),
                Some(Scalar::Float(value)) => Ok(place(Value::float(value))),
                _ => Err(expected("a number")),
            },
            Self::OneOrTexts if node.items().is_none() => Ok(place([text(node)?].into_iter().collect::<List>().into())),
            Self::Texts | Self::OneOrTexts => list(&text),
            Self::Pairs => {
                let entries = node.entries().ok_or_else(|| expected("a mapping"))?;
                let map = Map::new();
                for (key, value) in entries {
                    map.insert(key.as_str().unwrap_or_default(), text(value)?);
                }
                Ok(place(map.into()))
            }
            Self::Anys => list(&|item| yaml::value(item, file)),
            Self::Part(part) => Ok(place(part.read(node, file)?.into())),
            Self::OneOrParts(part) if node.entries().is_some() => {
                Ok(place([Value::from(part.read(node, file)?)].into_iter().collect::<List>().into()))
            }
            Self::Parts(part) | Self::OneOrParts(part) => {
                list(&|item| Ok(Value::from(part.read(item, file)?).with_origin(yaml::origin(span(item, file)))))
            }
            Self::PartsByName(part) => {
                let entries = node.entries().ok_or_else(|| expected("a mapping"))?;
                let map = Map::new();
                for (key, value) in entries {
                    let read = if is_null(value) { Map::new() } else { part.read(value, file)? };
                    let name = key.as_str().unwrap_or_default();
                    if map.insert(name, Value::from(read).with_origin(yaml::origin(span(key, file)))).is_some() {
                        let message = format!("mapping key \"{name}\" already defined");
                        return Err(Diagnostic::error("yaml-syntax", message).at(span(key, file)));
                    }
                }
                Ok(place(map.into()))
            }
            Self::Helmfiles => list(&|item| helmfile(item, file)),
        }
    }
}

/// What of a parent's state an entry of `helmfiles` may inherit.
const INHERITED: [&str; 7] =
    ["repositories", "helmDefaults", "commonLabels", "apiVersions", "kubeVersion", "templates", "environments"];

/// An entry of `helmfiles`.
fn helmfile(node: &Node, file: FileId) -> Result<Value> {
    let origin = yaml::origin(span(node, file));
    if let Content::Scalar(path) = &node.content {
        return Ok(Value::from(Map::from_iter([("path", Value::from(&**path))])).with_origin(origin));
    }
    let map = crate::tables::HELMFILE.read(node, file)?;
    let filled = |name: &str| map.get(name).is_some_and(|value| value.truth());
    let refuse = |message: String| Err(wrong(node, file, message));
    if !filled("path") && (map.get("selectors").is_some_and(|value| !value.is_nil()) || filled("inherits")) {
        return refuse("found `selectors` or `inherits` without a path".to_owned());
    }
    if filled("selectorsInherited") && filled("selectors") {
        return refuse("an entry of `helmfiles` can't have selectors and inherit them, too".to_owned());
    }
    if let Some(Value { data: Data::List(inherits), .. }) = map.get("inherits") {
        let names: Vec<String> = inherits.iter().map(crate::fields::plain_text).collect();
        if let Some(name) = names.iter().find(|name| !INHERITED.contains(&name.as_str())) {
            return refuse(format!("invalid inherits entry {name:?}: allowed values are {}", INHERITED.join(", ")));
        }
    }
    Ok(Value::from(map).with_origin(origin))
}

fn wrong(node: &Node, file: FileId, message: String) -> Box<Diagnostic> {
    Diagnostic::error("helmfile-field", message).at(span(node, file))
}

fn span(node: &Node, file: FileId) -> Span {
    node.span.unwrap_or(Span::new(file, 1, 1))
}

/// Whether nothing is said.
pub(crate) fn is_null(node: &Node) -> bool {
    matches!(node.content, Content::Scalar(_)) && matches!(resolve(node, Dialect::V3), Ok(Scalar::Null))
}

fn int(value: i64) -> Value {
    Data::Int(value, IntKind::Default).into()
}
