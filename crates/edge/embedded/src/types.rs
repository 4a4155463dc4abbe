//! What kinds consist of: [`Shape`], for Kubernetes' own kinds from a table, for others from their schemas.
//!
//! The table, `types.txt`, has a line for each kind and a block for each type, of whose fields it says
//!
//! ```text
//! NAME TYPE FLAG…
//! ```
//!
//! TYPE is `s`tring, `i`nteger of 32 bits, `l`ong integer, `n`umber, `b`oolean, `q`uantity, integer or string (`x`),
//! `t`ime, b`y`tes, anything (`*`), `@` another type, `[]` a list or `{}` a mapping of any of them. FLAG is `!` for
//! what is always written, `present` for a struct that is there even when nobody wrote it, `map=KEYS` or `set` for lists
//! that are no unit, `atomic` for mappings that are, `merge=KEY` for strategic merge patches, and `default=JSON`.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// What a value may be, and how it is merged.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Nothing is known; mappings are merged and lists are not.
    Any,
    Scalar(Scalar),
    List(Arc<List>),
    Map(Arc<MapShape>),
    Struct(StructRef),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
    Quantity,
    IntOrString,
    Time,
    Bytes,
}

#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) items: Shape,
    pub(crate) kind: ListKind,
    /// By which key a strategic merge patch merges it, the empty one for scalars; `None` where it replaces.
    pub(crate) merge: Option<String>,
}

/// How server-side apply looks at a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Atomic,
    Set,
    Map(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct MapShape {
    pub(crate) values: Shape,
    pub(crate) atomic: bool,
}

/// A mapping with named fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Struct {
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) atomic: bool,
    /// Whether fields that have no name here are kept.
    pub(crate) keeps_unknown: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) present: bool,
    pub(crate) default: Option<Value>,
}

/// A struct of the table, where types may contain themselves, or one of its own.
#[derive(Clone, Debug)]
pub(crate) enum StructRef {
    Builtin(usize),
    Custom(Arc<Struct>),
}

impl StructRef {
    pub(crate) fn get(&self) -> &Struct {
        match self {
            Self::Builtin(index) => &builtin().structs[*index],
            Self::Custom(of) => of,
        }
    }
}

struct Table {
    kinds: HashMap<(&'static str, &'static str), usize>,
    structs: Vec<Struct>,
    metadata: usize,
}

/// The shape of one of Kubernetes' own kinds.
pub(crate) fn builtin_kind(api_version: &str, kind: &str) -> Option<Shape> {
    builtin().kinds.get(&(api_version, kind)).map(|index| Shape::Struct(StructRef::Builtin(*index)))
}

/// The shape of `metadata`.
pub(crate) fn metadata() -> Shape {
    Shape::Struct(StructRef::Builtin(builtin().metadata))
}

fn builtin() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| read_table(include_str!("types.txt")))
}

fn read_table(text: &'static str) -> Table {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("type ").and_then(|line| line.split(' ').next()) {
            names.insert(name, names.len());
        }
    }
    let mut table = Table {
        kinds: HashMap::new(),
        structs: Vec::new(),
        metadata: names.get("meta.v1.ObjectMeta").copied().unwrap_or(0),
    };
    for line in text.lines() {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        // Fields are indented: there are some whose names are `type` and `kind`.
        match (line.starts_with(' '), &words[..]) {
            (false, ["kind", version, kind, name]) => {
                if let Some(index) = names.get(name) {
                    table.kinds.insert((version, kind), *index);
                }
            }
            (false, ["type", _, flags @ ..]) => {
                table.structs.push(Struct { atomic: flags.contains(&"atomic"), ..Struct::default() });
            }
            (true, [name, of, flags @ ..]) => {
                if let Some(last) = table.structs.last_mut() {
                    last.fields.insert((*name).to_owned(), read_field(of, flags, &names));
                }
            }
            _ => {}
        }
    }
    table
}

fn read_field(of: &str, flags: &[&str], names: &HashMap<&str, usize>) -> Field {
    let value = |name: &str| flags.iter().find_map(|flag| flag.strip_prefix(name));
    let kind = match value("map=") {
        Some(keys) => ListKind::Map(keys.split(',').map(str::to_owned).collect()),
        None if flags.contains(&"set") => ListKind::Set,
        None => ListKind::Atomic,
    };
    Field {
        shape: read_shape(of, kind, value("merge="), flags.contains(&"atomic"), names),
        required: flags.contains(&"!"),
        present: flags.contains(&"present"),
        default: value("default=").and_then(|json| serde_json::from_str(json).ok()),
    }
}

fn read_shape(of: &str, kind: ListKind, merge: Option<&str>, atomic: bool, names: &HashMap<&str, usize>) -> Shape {
    if let Some(items) = of.strip_prefix("[]") {
        let items = read_shape(items, ListKind::Atomic, None, false, names);
        return Shape::List(Arc::new(List { items, kind, merge: merge.map(str::to_owned) }));
    }
    if let Some(values) = of.strip_prefix("{}") {
        let values = read_shape(values, ListKind::Atomic, None, false, names);
        return Shape::Map(Arc::new(MapShape { values, atomic }));
    }
    if let Some(index) = of.strip_prefix('@').and_then(|name| names.get(name)) {
        // A reference that is atomic where it stands is a type that is nowhere anything else.
        return Shape::Struct(StructRef::Builtin(*index));
    }
    Shape::Scalar(match of {
        "s" => Scalar::Text,
        "i" | "l" => Scalar::Integer,
        "n" => Scalar::Number,
        "b" => Scalar::Boolean,
        "q" => Scalar::Quantity,
        "x" => Scalar::IntOrString,
        "t" => Scalar::Time,
        "y" => Scalar::Bytes,
        _ => return Shape::Any,
    })
}

/// The shape of a kind that a structural schema describes.
pub(crate) fn custom_kind(schema: &Value) -> Shape {
    let mut of = match custom(schema, 0) {
        Shape::Struct(StructRef::Custom(of)) => Arc::unwrap_or_clone(of),
        _ => Struct { keeps_unknown: true, ..Struct::default() },
    };
    let mut add = |name: &str, shape: Shape, present| {
        of.fields.insert(name.to_owned(), Field { shape, required: false, present, default: None });
    };
    add("apiVersion", Shape::Scalar(Scalar::Text), false);
    add("kind", Shape::Scalar(Scalar::Text), false);
    add("metadata", metadata(), true);
    Shape::Struct(StructRef::Custom(Arc::new(of)))
}

/// How deeply schemas may be nested; what is below is not looked at.
const DEEPEST: usize = 100;

fn custom(schema: &Value, depth: usize) -> Shape {
    if depth > DEEPEST {
        return Shape::Any;
    }
    let flag = |name: &str| schema[name] == true;
    if flag("x-kubernetes-int-or-string") {
        return Shape::Scalar(Scalar::IntOrString);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let atomic = schema["x-kubernetes-map-type"] == "atomic";
            let properties = schema["properties"].as_object();
            if properties.is_none() && schema["additionalProperties"].is_object() {
                let values = custom(&schema["additionalProperties"], depth + 1);
                return Shape::Map(Arc::new(MapShape { values, atomic }));
            }
            let keeps_unknown = flag("x-kubernetes-preserve-unknown-fields") || schema["additionalProperties"] == true;
            let mut fields = BTreeMap::new();
            for (name, property) in properties.into_iter().flatten() {
                let shape = custom(property, depth + 1);
                let default = property.get("default").cloned();
                let field = Field { shape, required: false, present: false, default };
                fields.insert(name.clone(), field);
            }
            if flag("x-kubernetes-embedded-resource") {
                let field = |shape| Field { shape, required: false, present: false, default: None };
                fields.insert("metadata".to_owned(), field(metadata()));
                fields.insert("apiVersion".to_owned(), field(Shape::Scalar(Scalar::Text)));
                fields.insert("kind".to_owned(), field(Shape::Scalar(Scalar::Text)));
            }
            Shape::Struct(StructRef::Custom(Arc::new(Struct { fields, atomic, keeps_unknown })))
        }
        Some("array") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let kind = match schema["x-kubernetes-list-type"].as_str() {
                Some("map") => {
                    let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                    ListKind::Map(keys.map(str::to_owned).collect())
                }
                Some("set") => ListKind::Set,
                _ => ListKind::Atomic,
            };
            Shape::List(Arc::new(List { items: custom(&schema["items"], depth + 1), kind, merge: None }))
        }
        Some("string") => Shape::Scalar(Scalar::Text),
        Some("integer") => Shape::Scalar(Scalar::Integer),
        Some("number") => Shape::Scalar(Scalar::Number),
        Some("boolean") => Shape::Scalar(Scalar::Boolean),
        _ => Shape::Any,
    }
}
