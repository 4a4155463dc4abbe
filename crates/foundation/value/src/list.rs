//! Go slices: [`List`].

use crate::release::{Held, release};
use crate::{Data, IntKind, Text, Value};
use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

/// A Go slice. No function of sprig or Helm changes a slice in place, so it is shared and unchanging.
#[derive(Clone, Debug)]
pub struct List(Items);

/// Three words: a list is the largest of what a value can be, and values are what a render mostly copies.
#[derive(Clone, Debug)]
enum Items {
    /// It is a nil slice, or being dropped.
    Nil(ElementType),
    Values(ElementType, Rc<[Value]>),
    Bytes(Rc<Bytes>),
}

/// A `[]byte`: hardly ever looked at byte by byte, so that a value for each is made only then.
#[derive(Debug)]
struct Bytes {
    text: Text,
    items: OnceCell<Rc<[Value]>>,
}

impl Bytes {
    fn items(&self) -> &[Value] {
        self.items
            .get_or_init(|| self.text.iter().map(|byte| Data::Uint((*byte).into(), IntKind::Bits8).into()).collect())
    }
}

/// What a slice was declared to hold: seen by `typeOf` and `%T`, and by functions that want a `[]string`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `[]interface {}`
    Any,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[]map[string]interface {}`
    Map,
    /// `[][]interface {}`
    List,
    /// `[]uint8`, Go's `[]byte`
    Byte,
    /// `[]*chart.Maintainer`, a type of Helm's own.
    Maintainer,
    /// `[]*chart.Dependency`, another.
    Dependency,
}

impl ElementType {
    /// The type of a slice of it, as Go prints it.
    pub fn slice_type_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::String => "[]string",
            Self::Int => "[]int",
            Self::List => "[][]interface {}",
            Self::Map => "[]map[string]interface {}",
            Self::Byte => "[]uint8",
            Self::Maintainer => "[]*chart.Maintainer",
            Self::Dependency => "[]*chart.Dependency",
        }
    }
}

impl List {
    /// A `[]interface {}`.
    pub fn new(items: impl Into<Rc<[Value]>>) -> Self {
        Self::of(ElementType::Any, items)
    }

    /// A slice of a declared type; the items must be of it.
    pub fn of(element: ElementType, items: impl Into<Rc<[Value]>>) -> Self {
        Self(Items::Values(element, items.into()))
    }

    /// A `[]byte`.
    pub fn bytes(text: impl Into<Text>) -> Self {
        Self(Items::Bytes(Rc::new(Bytes { text: text.into(), items: OnceCell::new() })))
    }

    /// The bytes, if it is a `[]byte`.
    pub fn as_bytes(&self) -> Option<Text> {
        let byte = |item: &Value| match item.data {
            Data::Uint(byte, _) => byte as u8,
            _ => 0,
        };
        match &self.0 {
            Items::Bytes(bytes) => Some(bytes.text.clone()),
            _ if self.element() == ElementType::Byte => Some(self.iter().map(byte).collect::<Vec<u8>>().into()),
            _ => None,
        }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        match &self.0 {
            Items::Nil(_) => 0,
            Items::Values(_, items) => items.len(),
            Items::Bytes(bytes) => bytes.text.len(),
        }
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A nil slice: empty, and `null` to Go's encoders. `rest`, `initial` and `concat` give one.
    pub fn nil(element: ElementType) -> Self {
        Self(Items::Nil(element))
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        matches!(self.0, Items::Nil(_))
    }

    /// The declared type of the items.
    pub fn element(&self) -> ElementType {
        match self.0 {
            Items::Nil(element) | Items::Values(element, _) => element,
            Items::Bytes(_) => ElementType::Byte,
        }
    }

    /// Whether both are the same slice in memory.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Items::Values(_, a), Items::Values(_, b)) => Rc::ptr_eq(a, b),
            (Items::Bytes(a), Items::Bytes(b)) => Rc::ptr_eq(a, b),
            (Items::Nil(_), Items::Nil(_)) => true,
            _ => false,
        }
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        match &self.0 {
            Items::Nil(_) => &[],
            Items::Values(_, items) => items,
            Items::Bytes(bytes) => bytes.items(),
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Items::Values(element, items) = &mut self.0
            && Rc::strong_count(items) == 1
        {
            let element = *element;
            if let Items::Values(_, items) = std::mem::replace(&mut self.0, Items::Nil(element)) {
                release(Held::Items(items));
            }
        }
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::new(items.into_iter().collect::<Rc<[Value]>>())
    }
}
