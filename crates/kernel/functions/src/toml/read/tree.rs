//! The tables of a document while it is read: which may still grow, and which are closed.

use super::shown_part;
use onepane_value::{ElementType, List, Map, Value};
use std::collections::BTreeMap;

/// The parts of a key.
pub(super) type Path = Vec<String>;

/// A table.
#[derive(Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
    /// Whether a header or an inline table defined it, rather than a key below it.
    defined: bool,
}

enum Entry {
    Value(Value),
    Table(Tree),
    Tables(Vec<Tree>),
}

impl Tree {
    /// Defines a table by its header.
    pub(super) fn open(&mut self, path: &[String]) -> Result<(), String> {
        self.define(path, "was already created as a hash.")
    }

    /// Defines a table as a key's value.
    pub(super) fn open_inline(&mut self, path: &[String]) -> Result<(), String> {
        // In an array the table is the tree itself.
        if path.is_empty() { Ok(()) } else { self.define(path, "has already been defined.") }
    }

    fn define(&mut self, path: &[String], complaint: &str) -> Result<(), String> {
        let Some((last, above)) = path.split_last() else { return Ok(()) };
        let parent = self.descend(above, complaint)?;
        let entry = parent.entries.entry(last.clone()).or_insert_with(|| Entry::Table(Self::default()));
        match entry {
            Entry::Table(table) if !table.defined => {
                table.defined = true;
                Ok(())
            }
            _ => Err(format!("Key '{}' has already been defined.", shown(path))),
        }
    }

    /// Adds a table to an array of tables.
    pub(super) fn add_to_array(&mut self, path: &[String]) -> Result<(), String> {
        let Some((last, above)) = path.split_last() else { return Ok(()) };
        let parent = self.descend(above, "was already created as a hash.")?;
        match parent.entries.entry(last.clone()).or_insert_with(|| Entry::Tables(Vec::new())) {
            Entry::Tables(tables) => {
                tables.push(Self { defined: true, ..Self::default() });
                Ok(())
            }
            _ => Err(format!("Key '{}' was already created and cannot be used as an array.", shown(path))),
        }
    }

    /// Sets a key that must not be there yet.
    pub(super) fn insert(&mut self, path: &[String], value: Value) -> Result<(), String> {
        let Some((last, above)) = path.split_last() else { return Ok(()) };
        let parent = self.descend(above, "has already been defined.")?;
        if parent.entries.contains_key(last) {
            return Err(format!("Key '{}' has already been defined.", shown(path)));
        }
        parent.entries.insert(last.clone(), Entry::Value(value));
        Ok(())
    }

    /// The table at `path`, made where there is none; the last one where there is an array of them.
    fn descend(&mut self, path: &[String], complaint: &str) -> Result<&mut Self, String> {
        let mut table = self;
        for (index, part) in path.iter().enumerate() {
            let entry = table.entries.entry(part.clone()).or_insert_with(|| Entry::Table(Self::default()));
            let next = match entry {
                Entry::Table(table) => Some(table),
                Entry::Tables(tables) => tables.last_mut(),
                Entry::Value(_) => None,
            };
            table = next.ok_or_else(|| format!("Key '{}' {complaint}", shown(&path[..=index])))?;
        }
        Ok(table)
    }

    /// The table as a map.
    pub(super) fn into_value(self) -> Value {
        let entries = self.entries.into_iter().map(|(key, entry)| {
            let value = match entry {
                Entry::Value(value) => value,
                Entry::Table(table) => table.into_value(),
                Entry::Tables(tables) => {
                    let tables: Vec<Value> = tables.into_iter().map(Self::into_value).collect();
                    List::of(ElementType::Map, tables).into()
                }
            };
            (key, value)
        });
        Value::from(entries.collect::<Map>())
    }
}

fn shown(path: &[String]) -> String {
    path.iter().map(|part| shown_part(part)).collect::<Vec<_>>().join(".")
}
