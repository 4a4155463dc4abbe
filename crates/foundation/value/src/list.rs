//! Go slices: [`List`].

use crate::Value;
use crate::release::{Held, release};
use std::ops::Deref;
use std::rc::Rc;

/// A Go slice. No function of sprig or Helm changes a slice in place, so it is shared and unchanging.
#[derive(Clone, Debug)]
pub struct List {
    /// None once it is being dropped, and where there are no items.
    items: Option<Rc<[Value]>>,
    element: ElementType,
    nil: bool,
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
        Self { items: Some(items.into()), element, nil: false }
    }

    /// A nil slice: empty, and `null` to Go's encoders. `rest`, `initial` and `concat` give one.
    pub fn nil(element: ElementType) -> Self {
        Self { items: None, element, nil: true }
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// The declared type of the items.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Whether both are the same slice in memory.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.items, &other.items) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Some(items) = self.items.take().filter(|items| Rc::strong_count(items) == 1) {
            release(Held::Items(items));
        }
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::new(items.into_iter().collect::<Rc<[Value]>>())
    }
}
