//! Go maps with string keys: [`Map`].

use crate::release::{Held, release};
use crate::sorted::Sorted;
use crate::{Text, Value};
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

/// A Go map from strings: shared by clones and changed in place, as `set`, `unset` and `merge` do.
///
/// It is kept sorted by key, the order in which Go's templates, fmt and encoders walk a map.
#[derive(Clone, Debug)]
pub struct Map {
    entries: Rc<Entries>,
    declared: MapType,
    nil: bool,
}

/// What maps share.
#[derive(Debug, Default)]
struct Entries(RefCell<Sorted>);

impl Deref for Entries {
    type Target = RefCell<Sorted>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        release(Held::Entries(std::mem::take(self.0.get_mut())));
    }
}

/// What a map was declared to be: seen by `typeOf` and `%T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    String,
    /// Helm's named type of `.Values`.
    Values,
    /// What Helm 3 calls that type.
    ValuesOfHelm3,
}

impl MapType {
    /// The type as Go prints it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::String => "map[string]string",
            Self::Values => "common.Values",
            Self::ValuesOfHelm3 => "chartutil.Values",
        }
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(MapType::Any)
    }

    /// An empty map of a declared type.
    pub fn of(declared: MapType) -> Self {
        Self { entries: Rc::default(), declared, nil: false }
    }

    /// A nil map: empty, `null` to Go's encoders, and an error to set a key of. `fromYaml ""` gives one.
    pub fn nil(declared: MapType) -> Self {
        Self { nil: true, ..Self::of(declared) }
    }

    /// Whether it is a nil map; whoever sets keys on behalf of a template must ask first.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// The declared type.
    pub fn declared(&self) -> MapType {
        self.declared
    }

    /// The same map, shared, under another declared type.
    pub fn declared_as(&self, declared: MapType) -> Self {
        Self { entries: self.entries.clone(), declared, nil: self.nil }
    }

    /// The value of `key`.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether there is a `key`.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.entries.borrow().get(key.as_ref()).is_some()
    }

    /// Sets `key`, returning what it was.
    pub fn insert(&self, key: impl Into<Text>, value: Value) -> Option<Value> {
        self.entries.borrow_mut().insert(key.into(), value)
    }

    /// Removes `key`, returning what it was.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries.borrow_mut().remove(key.as_ref())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().len() == 0
    }

    /// The entries as they are now, sorted by key; changing the map while walking them is safe.
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The keys as they are now, sorted.
    pub fn keys(&self) -> Vec<Text> {
        self.entries.borrow().iter().map(|(key, _)| key.clone()).collect()
    }

    /// Calls `visit` with each entry in order. `visit` must not change this map.
    pub fn for_each(&self, mut visit: impl FnMut(&Text, &Value)) {
        for (key, value) in self.entries.borrow().iter() {
            visit(key, value);
        }
    }

    /// Like [`Map::for_each`], until the first error.
    pub fn try_for_each<E>(&self, mut visit: impl FnMut(&Text, &Value) -> Result<(), E>) -> Result<(), E> {
        self.entries.borrow().iter().try_for_each(|(key, value)| visit(key, value))
    }

    /// Whether both are the same map in memory.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// A map of its own with the same entries; nested maps stay shared.
    pub fn shallow_copy(&self) -> Self {
        Self {
            entries: Rc::new(Entries(RefCell::new(self.entries.borrow().clone()))),
            declared: self.declared,
            nil: self.nil,
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self { entries: Rc::new(Entries(RefCell::new(entries))), declared: MapType::Any, nil: false }
    }
}
