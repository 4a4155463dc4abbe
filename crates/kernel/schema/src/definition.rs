//! The kinds of a CustomResourceDefinition: [`custom_kinds`].

use crate::conditions::Conditions;
use crate::rule::RULES;
use crate::shape::{Field, List, Range, Shape, Struct, Structs, Text};
use onepane_resource::Scope;
use regex::RegexBuilder;
use serde_json::Value;
use std::sync::Arc;

/// A version of a kind that a definition brings.
#[derive(Clone, Debug)]
pub(crate) struct CustomKind {
    pub(crate) api_version: Box<str>,
    pub(crate) kind: Box<str>,
    pub(crate) plural: Box<str>,
    pub(crate) scope: Scope,
    pub(crate) structs: Structs,
    pub(crate) shape: Shape,
    /// The schema itself, where it has rules in CEL.
    pub(crate) with_rules: Option<Value>,
}

/// Structural schemas nest as deep as whoever wrote them likes; what is deeper is taken for anything.
pub(crate) const DEEPEST: usize = 64;
/// A pattern that compiles to more than this is not looked at.
pub(crate) const LARGEST_PATTERN: usize = 1 << 20;

/// The versions that are served.
pub(crate) fn custom_kinds(definition: &Value) -> Vec<CustomKind> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
    if text("/kind") != Some("CustomResourceDefinition") {
        return Vec::new();
    }
    let (Some(group), Some(kind), Some(plural)) =
        (text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"))
    else {
        return Vec::new();
    };
    let scope = if text("/spec/scope") == Some("Cluster") { Scope::Cluster } else { Scope::Namespaced };
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    versions
        .filter(|version| version.get("served") != Some(&Value::Bool(false)))
        .filter_map(|version| {
            let name = version.get("name")?.as_str()?;
            let mut reader = Reader { structs: Structs::new() };
            let schema = version.pointer("/schema/openAPIV3Schema");
            let shape = schema.map_or(Shape::Any, |schema| reader.shape(schema, 0));
            let mut structs = reader.structs;
            let root = match &shape {
                Shape::Conditional(shape, _) => shape,
                shape => shape,
            };
            if let Shape::Struct(root) = *root {
                // What every resource has is looked at elsewhere.
                let root: &mut Struct = &mut structs[root];
                root.is_resource = true;
            }
            Some(CustomKind {
                api_version: format!("{group}/{name}").into(),
                kind: kind.into(),
                plural: plural.into(),
                scope,
                structs,
                shape,
                with_rules: schema.filter(|schema| has_key(schema, RULES, 0)).cloned(),
            })
        })
        .collect()
}

/// Whether a schema has the key anywhere; of what nests too deep, that is taken for true.
pub(crate) fn has_key(schema: &Value, key: &str, depth: usize) -> bool {
    match schema {
        _ if depth > DEEPEST => true,
        Value::Object(fields) => fields.iter().any(|(name, below)| name == key || has_key(below, key, depth + 1)),
        Value::Array(items) => items.iter().any(|item| has_key(item, key, depth + 1)),
        _ => false,
    }
}

struct Reader {
    structs: Structs,
}

impl Reader {
    fn shape(&mut self, schema: &Value, depth: usize) -> Shape {
        let shape = self.shape_alone(schema, depth);
        match Conditions::of(schema) {
            Some(conditions) => Shape::Conditional(Box::new(shape), Arc::new(conditions)),
            None => shape,
        }
    }

    /// The shape that a schema gives without its conditions.
    fn shape_alone(&mut self, schema: &Value, depth: usize) -> Shape {
        let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
        if depth > DEEPEST {
            return Shape::Any;
        }
        if is("x-kubernetes-int-or-string") {
            return Shape::IntOrString;
        }
        let range = range(schema, "minimum", "maximum");
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Shape::Boolean,
            Some("integer") => {
                let short = schema.get("format").and_then(Value::as_str) == Some("int32");
                Shape::Integer { short, range: exclusive(schema, range, 1.0) }
            }
            // The bounds of a number may be left out of it; that is not looked at.
            Some("number") => Shape::Number(range),
            Some("string") => text(schema),
            Some("array") => {
                let items = schema.get("items").map_or(Shape::Any, |items| self.shape(items, depth + 1));
                let kind = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
                let keys = schema.get("x-kubernetes-list-map-keys").filter(|_| kind == Some("map"));
                let length = self::range(schema, "minItems", "maxItems");
                Shape::List(Box::new(List { items, keys: texts(keys), is_set: kind == Some("set"), length }))
            }
            Some("object") => self.object(schema, depth),
            _ => Shape::Any,
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Shape {
        let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
        let is_open = is("x-kubernetes-preserve-unknown-fields");
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = match schema.get("additionalProperties") {
            Some(below @ Value::Object(_)) => Some(self.shape(below, depth + 1)),
            Some(Value::Bool(true)) => Some(Shape::Any),
            _ if is_open => Some(Shape::Any),
            _ => None,
        };
        let Some(properties) = properties else {
            return match others {
                Some(others) => Shape::Map(Box::new(others)),
                // A whole resource of any kind may stand there.
                None if is("x-kubernetes-embedded-resource") => Shape::Any,
                // A mapping without fields is one that all fields are taken out of.
                None => self.add(Struct::default()),
            };
        };
        let required = texts(schema.get("required"));
        let mut fields = std::collections::BTreeMap::new();
        for (name, below) in properties {
            let name: Box<str> = name.as_str().into();
            let is_filled_in = below.get("default").is_some();
            let required = required.contains(&name) && !is_filled_in;
            let nullable = !required || below.get("nullable") == Some(&Value::Bool(true));
            fields.insert(name, Field { shape: self.shape(below, depth + 1), required, nullable });
        }
        self.add(Struct { fields, others, is_resource: is("x-kubernetes-embedded-resource") })
    }

    fn add(&mut self, one: Struct) -> Shape {
        self.structs.push(one);
        Shape::Struct(self.structs.len() - 1)
    }
}

fn text(schema: &Value) -> Shape {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => return Shape::Time,
        Some("byte") => return Shape::Bytes,
        _ => {}
    }
    let pattern = schema.get("pattern").and_then(Value::as_str);
    // What is no pattern here may be one elsewhere.
    let pattern = pattern.and_then(|pattern| RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build().ok());
    Shape::Text(Text { values: texts(schema.get("enum")), pattern, length: range(schema, "minLength", "maxLength") })
}

fn texts(list: Option<&Value>) -> Vec<Box<str>> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(|one| Some(one.as_str()?.into())).collect()
}

fn range(schema: &Value, least: &str, most: &str) -> Range {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    Range { least: number(least), most: number(most) }
}

/// Bounds that are left out are the next whole number.
fn exclusive(schema: &Value, range: Range, step: f64) -> Range {
    let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    Range {
        least: range.least.map(|least| if is("exclusiveMinimum") { least + step } else { least }),
        most: range.most.map(|most| if is("exclusiveMaximum") { most - step } else { most }),
    }
}
