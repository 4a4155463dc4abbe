//! [`Value`]: a Go value and its origin.

use crate::{List, Map, Object, Text};
use onepane_diagnostics::Origin;
use std::borrow::Cow;
use std::rc::Rc;

/// A Go value, and where it came from.
///
/// Cloning is cheap: strings, lists, maps and objects are shared, as in Go.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// The value itself.
    pub data: Data,
    /// Where it came from; unknown where origins are off.
    pub origin: Origin,
}

/// The Go values that occur in templates.
#[derive(Clone, Debug, Default)]
pub enum Data {
    /// An interface that holds nothing.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer.
    Int(i64, IntKind),
    /// An unsigned integer.
    Uint(u64, IntKind),
    /// A floating-point number.
    Float(f64, FloatKind),
    /// `string`
    String(Text),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// A struct or anything with methods.
    Object(Rc<dyn Object>),
}

/// The width of an integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntKind {
    /// `int`, `uint`
    Default,
    /// `int8`, `uint8`
    Bits8,
    /// `int16`, `uint16`
    Bits16,
    /// `int32`, `uint32`
    Bits32,
    /// `int64`, `uint64`
    Bits64,
}

/// The width of a floating-point type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatKind {
    /// `float32`
    Bits32,
    /// `float64`
    Bits64,
}

/// What Go's reflect calls a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Go's")]
pub enum Kind {
    Invalid,
    Bool,
    Int(IntKind),
    Uint(IntKind),
    Float(FloatKind),
    Complex(FloatKind),
    String,
    Slice,
    Map,
    Struct,
    Pointer,
    Func,
    Interface,
}

impl Kind {
    /// The kind as Go prints it; sprig's `kindOf`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(kind) => kind.signed_name(),
            Self::Uint(kind) => kind.unsigned_name(),
            Self::Float(FloatKind::Bits32) => "float32",
            Self::Float(FloatKind::Bits64) => "float64",
            Self::Complex(FloatKind::Bits32) => "complex64",
            Self::Complex(FloatKind::Bits64) => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Pointer => "ptr",
            Self::Func => "func",
            Self::Interface => "interface",
        }
    }
}

impl IntKind {
    /// The signed type's name.
    pub fn signed_name(self) -> &'static str {
        match self {
            Self::Default => "int",
            Self::Bits8 => "int8",
            Self::Bits16 => "int16",
            Self::Bits32 => "int32",
            Self::Bits64 => "int64",
        }
    }

    /// The unsigned type's name.
    pub fn unsigned_name(self) -> &'static str {
        match self {
            Self::Default => "uint",
            Self::Bits8 => "uint8",
            Self::Bits16 => "uint16",
            Self::Bits32 => "uint32",
            Self::Bits64 => "uint64",
        }
    }
}

impl Value {
    /// nil.
    pub const NIL: Self = Self { data: Data::Nil, origin: Origin::UNKNOWN };

    /// A Go `int`.
    pub fn int(value: i64) -> Self {
        Data::Int(value, IntKind::Default).into()
    }

    /// A Go `int64`.
    pub fn int64(value: i64) -> Self {
        Data::Int(value, IntKind::Bits64).into()
    }

    /// A Go `float64`.
    pub fn float(value: f64) -> Self {
        Data::Float(value, FloatKind::Bits64).into()
    }

    /// A Go `string`.
    pub fn string(text: impl Into<Text>) -> Self {
        Data::String(text.into()).into()
    }

    /// A struct or anything with methods.
    pub fn object(object: impl Object + 'static) -> Self {
        Data::Object(Rc::new(object)).into()
    }

    /// The value with an origin.
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Whether it is nil.
    pub fn is_nil(&self) -> bool {
        matches!(self.data, Data::Nil)
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        match &self.data {
            Data::List(list) => Some(list),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Go's reflect kind.
    pub fn kind(&self) -> Kind {
        match &self.data {
            Data::Nil => Kind::Invalid,
            Data::Bool(_) => Kind::Bool,
            Data::Int(_, kind) => Kind::Int(*kind),
            Data::Uint(_, kind) => Kind::Uint(*kind),
            Data::Float(_, kind) => Kind::Float(*kind),
            Data::String(_) => Kind::String,
            Data::List(_) => Kind::Slice,
            Data::Map(_) => Kind::Map,
            Data::Object(object) => object.kind(),
        }
    }

    /// The type as Go's `%T` prints it.
    pub fn type_name(&self) -> Cow<'static, str> {
        match &self.data {
            Data::Nil => "<nil>".into(),
            Data::List(list) => list.element().slice_type_name().into(),
            Data::Map(map) => map.declared().type_name().into(),
            Data::Object(object) => object.type_name(),
            _ => self.kind().name().into(),
        }
    }

    /// Whether a template's condition takes it for true: not nil, false, zero or empty.
    pub fn truth(&self) -> bool {
        match &self.data {
            Data::Nil => false,
            Data::Bool(value) => *value,
            Data::Int(value, _) => *value != 0,
            Data::Uint(value, _) => *value != 0,
            Data::Float(value, _) => *value != 0.0,
            Data::String(text) => !text.is_empty(),
            Data::List(list) => !list.is_empty(),
            Data::Map(map) => !map.is_empty(),
            Data::Object(object) => object.truth(),
        }
    }

    /// A value of its own all the way down: changing a map in it changes no other.
    pub fn deep_copy(&self) -> Self {
        let data = match &self.data {
            Data::List(list) if !list.is_nil() => {
                Data::List(List::of(list.element(), list.iter().map(Self::deep_copy).collect::<Rc<[Self]>>()))
            }
            Data::Map(map) if !map.is_nil() => {
                let copy = Map::of(map.declared());
                map.for_each(|key, value| {
                    copy.insert(key.clone(), value.deep_copy());
                });
                Data::Map(copy)
            }
            other => other.clone(),
        };
        Self { data, origin: self.origin.clone() }
    }

    /// Go's `reflect.DeepEqual`: the same types all the way down, and equal. Origins do not count.
    ///
    /// What is nested too deeply, or too large to compare, is not equal to anything but itself.
    pub fn deep_equal(&self, other: &Self) -> bool {
        self.equals(other, DEEPEST, &mut { MOST })
    }

    fn equals(&self, other: &Self, depth: usize, left: &mut usize) -> bool {
        let (Some(depth), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else { return false };
        *left = rest;
        match (&self.data, &other.data) {
            (Data::Nil, Data::Nil) => true,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Int(a, x), Data::Int(b, y)) => a == b && x == y,
            (Data::Uint(a, x), Data::Uint(b, y)) => a == b && x == y,
            (Data::Float(a, x), Data::Float(b, y)) => a == b && x == y,
            (Data::String(a), Data::String(b)) => a == b,
            (Data::List(a), Data::List(b)) => {
                a.element() == b.element()
                    && a.is_nil() == b.is_nil()
                    && a.len() == b.len()
                    && (a.same(b) || a.iter().zip(b.iter()).all(|(a, b)| a.equals(b, depth, left)))
            }
            (Data::Map(a), Data::Map(b)) => {
                a.declared() == b.declared()
                    && a.is_nil() == b.is_nil()
                    && a.len() == b.len()
                    && (a.same(b)
                        || a.entries()
                            .iter()
                            .all(|(key, value)| b.get(key).is_some_and(|b| value.equals(&b, depth, left))))
            }
            (Data::Object(a), Data::Object(b)) => {
                Rc::ptr_eq(a, b) || (a.type_name() == b.type_name() && a.plain().equals(&b.plain(), depth, left))
            }
            _ => false,
        }
    }
}

/// How deep values are compared.
const DEEPEST: usize = 1_000;

/// How many values are compared.
const MOST: usize = 5_000_000;

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Self { data, origin: Origin::UNKNOWN }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Data::Bool(value).into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::string(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Data::Map(map).into()
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Data::List(list).into()
    }
}
