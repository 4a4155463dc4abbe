//! Values as cty has them: each with its type, since what functions and operators do depends on it.

use super::number::Number;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;
use unicode_normalization::UnicodeNormalization;

/// What a value is. `Any` is what `null` is where nobody says more, and what parameters are that take anything.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Any,
    Bool,
    Number,
    String,
    List(Rc<Type>),
    Set(Rc<Type>),
    Map(Rc<Type>),
    Tuple(Rc<[Type]>),
    Object(Rc<BTreeMap<Rc<str>, Type>>),
}

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) kind: Type,
    pub(super) data: Data,
}

/// What a value holds. Lists, sets and tuples are sequences, maps and objects are mappings; the elements' types are in
/// the type of the whole.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(Rc<Number>),
    String(Rc<str>),
    Sequence(Rc<Whole<Vec<Data>>>),
    Mapping(Rc<Whole<BTreeMap<Rc<str>, Data>>>),
}

/// Elements, and how much and how deep they are all together: parts are shared, so that little text can make much.
#[derive(Debug)]
pub(super) struct Whole<T> {
    pub(super) parts: T,
    weight: u64,
    depth: u32,
}

/// No value has more elements, nor more text for the number of its characters.
pub(super) const HEAVIEST: u64 = 1 << 22;
/// No value is deeper.
pub(super) const DEEPEST: u32 = 200;

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any)
            | (Self::Bool, Self::Bool)
            | (Self::Number, Self::Number)
            | (Self::String, Self::String) => true,
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                Rc::ptr_eq(a, b) || a == b
            }
            (Self::Tuple(a), Self::Tuple(b)) => Rc::ptr_eq(a, b) || a == b,
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Type {
    pub(super) fn list(of: Self) -> Self {
        Self::List(Rc::new(of))
    }

    pub(super) fn set(of: Self) -> Self {
        Self::Set(Rc::new(of))
    }

    pub(super) fn map(of: Self) -> Self {
        Self::Map(Rc::new(of))
    }

    pub(super) fn is_sequence(&self) -> bool {
        matches!(self, Self::List(_) | Self::Set(_) | Self::Tuple(_))
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Object(_))
    }

    pub(super) fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// The type of the elements, where they have one.
    pub(super) fn element(&self) -> Option<&Self> {
        match self {
            Self::List(of) | Self::Set(of) | Self::Map(of) => Some(of),
            _ => None,
        }
    }

    /// How people call it.
    pub(super) fn name(&self) -> String {
        let of = |what: &str, element: &Self| match element {
            Self::Any => format!("{what} of any single type"),
            element => format!("{what} of {}", element.name()),
        };
        match self {
            Self::Any => "dynamic".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::List(element) => of("list", element),
            Self::Set(element) => of("set", element),
            Self::Map(element) => of("map", element),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
        }
    }
}

impl Data {
    pub(super) fn sequence(parts: Vec<Self>) -> Self {
        let weight = parts.iter().fold(1, |sum: u64, part| sum.saturating_add(part.weight()));
        let depth = parts.iter().map(Self::depth).max().unwrap_or(0) + 1;
        Self::Sequence(Rc::new(Whole { parts, weight, depth }))
    }

    pub(super) fn mapping(parts: BTreeMap<Rc<str>, Self>) -> Self {
        let of_names = parts.keys().fold(1, |sum: u64, name| sum.saturating_add(name.len() as u64 / 16));
        let weight = parts.values().fold(of_names, |sum, part| sum.saturating_add(part.weight()));
        let depth = parts.values().map(Self::depth).max().unwrap_or(0) + 1;
        Self::Mapping(Rc::new(Whole { parts, weight, depth }))
    }

    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 1,
            Self::String(text) => 1 + text.len() as u64 / 16,
            Self::Sequence(whole) => whole.weight,
            Self::Mapping(whole) => whole.weight,
        }
    }

    pub(super) fn depth(&self) -> u32 {
        match self {
            Self::Sequence(whole) => whole.depth,
            Self::Mapping(whole) => whole.depth,
            _ => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self { kind: Type::Bool, data: Data::Bool(value) }
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self { kind: Type::Number, data: Data::Number(Rc::new(value)) }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Number::from(value).into()
    }
}

impl From<&str> for Value {
    /// In normal form C, as cty keeps all text.
    fn from(text: &str) -> Self {
        Self { kind: Type::String, data: Data::String(normal(text)) }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// Text in normal form C.
pub(super) fn normal(text: &str) -> Rc<str> {
    if text.is_ascii() { text.into() } else { text.nfc().collect::<String>().into() }
}

impl Value {
    pub(super) fn null(kind: Type) -> Self {
        Self { kind, data: Data::Null }
    }

    pub(super) fn tuple(parts: impl IntoIterator<Item = Self>) -> Self {
        let (kinds, parts): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.kind, part.data)).unzip();
        Self { kind: Type::Tuple(kinds.into()), data: Data::sequence(parts) }
    }

    pub(super) fn object(entries: impl IntoIterator<Item = (Rc<str>, Self)>) -> Self {
        let (mut kinds, mut parts) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in entries {
            kinds.insert(name.clone(), value.kind);
            parts.insert(name, value.data);
        }
        Self { kind: Type::Object(Rc::new(kinds)), data: Data::mapping(parts) }
    }

    /// A list of what is all of one type, but for nulls that have none; `of` is that of an empty one.
    pub(super) fn list(of: &Type, parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let parts: Vec<Self> = parts.into_iter().collect();
        let of = common(of, &parts)?;
        let data = Data::sequence(parts.into_iter().map(|part| part.data).collect());
        Some(Self { kind: Type::list(of), data })
    }

    /// A list of strings.
    pub(super) fn texts(parts: impl IntoIterator<Item = String>) -> Self {
        let parts = parts.into_iter().map(|part| Self::from(part).data).collect();
        Self { kind: Type::list(Type::String), data: Data::sequence(parts) }
    }

    /// A map, under the rules of [`Value::list`].
    pub(super) fn map(of: &Type, entries: impl IntoIterator<Item = (Rc<str>, Self)>) -> Option<Self> {
        let (names, parts): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let of = common(of, &parts)?;
        let data = Data::mapping(names.into_iter().zip(parts.into_iter().map(|part| part.data)).collect());
        Some(Self { kind: Type::map(of), data })
    }

    /// A set, under the rules of [`Value::list`]: each element once, in cty's order.
    pub(super) fn set(of: &Type, parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let parts: Vec<Self> = parts.into_iter().collect();
        let of = common(of, &parts)?;
        let mut parts: Vec<(Rank, Data)> = parts.into_iter().map(|part| (part.rank(), part.data)).collect();
        parts.sort_by(|a, b| a.0.compare(&b.0));
        let same = |a: &Data, b: &Data| {
            let value = |data: &Data| Self { kind: of.clone(), data: data.clone() };
            value(a).equals(&value(b))
        };
        parts.dedup_by(|b, a| same(&a.1, &b.1));
        let data = Data::sequence(parts.into_iter().map(|(_, part)| part).collect());
        Some(Self { kind: Type::set(of), data })
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<&Number> {
        match &self.data {
            Data::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match &self.data {
            Data::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// How many elements it has.
    pub(super) fn count(&self) -> usize {
        match &self.data {
            Data::Sequence(whole) => whole.parts.len(),
            Data::Mapping(whole) => whole.parts.len(),
            _ => 0,
        }
    }

    /// The elements of a list, a set or a tuple; of anything else, none.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + '_ {
        let parts = match &self.data {
            Data::Sequence(whole) => whole.parts.as_slice(),
            _ => &[],
        };
        parts.iter().enumerate().map(|(at, data)| {
            let kind = match &self.kind {
                Type::Tuple(kinds) => kinds.get(at),
                kind => kind.element(),
            };
            Self { kind: kind.cloned().unwrap_or(Type::Any), data: data.clone() }
        })
    }

    /// The entries of a map or an object, by name; of anything else, none.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Rc<str>, Self)> + '_ {
        let parts = match &self.data {
            Data::Mapping(whole) => Some(&whole.parts),
            _ => None,
        };
        parts.into_iter().flatten().map(|(name, data)| (name.clone(), self.named(name, data)))
    }

    /// An entry of a map or an object.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        match &self.data {
            Data::Mapping(whole) => whole.parts.get(name).map(|data| self.named(name, data)),
            _ => None,
        }
    }

    fn named(&self, name: &str, data: &Data) -> Self {
        let kind = match &self.kind {
            Type::Object(kinds) => kinds.get(name),
            kind => kind.element(),
        };
        Self { kind: kind.cloned().unwrap_or(Type::Any), data: data.clone() }
    }

    /// Whether both are the same, of the same type. All nulls are.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self.is_null(), other.is_null()) {
            (true, true) => return true,
            (false, false) => {}
            _ => return false,
        }
        if self.kind != other.kind {
            return false;
        }
        match (&self.data, &other.data) {
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Number(a), Data::Number(b)) => a.equals(b),
            (Data::String(a), Data::String(b)) => a == b,
            (Data::Sequence(a), Data::Sequence(b)) => {
                if Rc::ptr_eq(a, b) {
                    return true;
                }
                let all = || self.items().zip(other.items()).all(|(a, b)| a.equals(&b));
                a.parts.len() == b.parts.len() && all()
            }
            (Data::Mapping(a), Data::Mapping(b)) => {
                if Rc::ptr_eq(a, b) {
                    return true;
                }
                let all = || self.entries().all(|(name, a)| other.get(&name).is_some_and(|b| a.equals(&b)));
                a.parts.len() == b.parts.len() && all()
            }
            _ => false,
        }
    }

    /// By what the elements of sets are ordered.
    fn rank(&self) -> Rank {
        match &self.data {
            Data::Null => Rank::Null,
            Data::Bool(value) => Rank::Bool(*value),
            Data::Number(number) => Rank::Number(number.clone()),
            Data::String(text) => Rank::Text(text.to_string()),
            _ => {
                let mut text = String::new();
                self.spell(&mut text);
                Rank::Text(text)
            }
        }
    }

    /// cty orders what is no primitive by this spelling.
    fn spell(&self, text: &mut String) {
        match &self.data {
            Data::Null => text.push('~'),
            Data::Bool(value) => text.push(if *value { 'T' } else { 'F' }),
            Data::Number(number) => text.push_str(&number.formatted('g', Some(10))),
            Data::String(string) => {
                let quoted = onepane_value::format::sprintf(b"%q", &[string.to_string().into()]);
                text.push_str(&quoted.to_string());
            }
            Data::Sequence(_) => {
                let (open, close) = if matches!(self.kind, Type::Tuple(_)) { ('<', '>') } else { ('[', ']') };
                text.push(open);
                for item in self.items() {
                    item.spell(text);
                    text.push(';');
                }
                text.push(close);
            }
            Data::Mapping(_) => {
                let is_map = matches!(self.kind, Type::Map(_));
                text.push(if is_map { '{' } else { '<' });
                for (name, value) in self.entries() {
                    if is_map {
                        Self::from(&*name).spell(text);
                        text.push(':');
                    }
                    value.spell(text);
                    text.push(';');
                }
                text.push(if is_map { '}' } else { '>' });
            }
        }
    }
}

/// The type that all have, but for nulls that have none.
fn common(of_none: &Type, parts: &[Value]) -> Option<Type> {
    let mut found = Type::Any;
    for part in parts {
        match (&found, &part.kind) {
            (_, Type::Any) => {}
            (Type::Any, kind) => found = kind.clone(),
            (found, kind) if found == kind => {}
            _ => return None,
        }
    }
    Some(if parts.is_empty() { of_none.clone() } else { found })
}

enum Rank {
    Bool(bool),
    Number(Rc<Number>),
    Text(String),
    /// Behind all.
    Null,
}

impl Rank {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.compare(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}
