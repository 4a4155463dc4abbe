//! Laying one table of values over another.
//!
//! Nothing here changes a map in place: what stays the same is shared, what changes is copied along its path. That
//! is what makes coalescing cheap, which Helm does half a dozen times a render on deep copies.

use onepane_diagnostics::{Diagnostic, Origin, Record};
use onepane_value::{Data, Map, Text, Value, format::sprint};

/// What becomes of null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// A null in the winning table removes the losing table's key; nulls of chart defaults do not get in. This is
    /// Helm's coalescing.
    Remove,
    /// A null in the winning table removes the losing table's key, and nulls of chart defaults get in: Helm 3's
    /// coalescing.
    RemoveGiven,
    /// Nulls are values, to be looked at by a later coalescing. This is Helm's merging.
    Keep,
}

/// Where warnings go.
pub(crate) type Warn<'w> = &'w mut dyn FnMut(Diagnostic);

/// `under` below `over`: `over` wins, tables are laid over each other key by key, and a null in `over` removes a key.
pub fn coalesce_tables(over: &Map, under: &Map) -> Map {
    lay_over(over, under, "", Nulls::Remove, false, &mut |_| {})
}

/// `under` below `over`: `over` wins, tables are laid over each other key by key. `path` is for warnings.
///
/// With `clean`, nulls of `under` are taken for absent, all the way down: chart defaults in coalescing.
pub(crate) fn lay_over(over: &Map, under: &Map, path: &str, nulls: Nulls, clean: bool, warn: Warn<'_>) -> Map {
    if over.same(under) {
        return over.clone();
    }
    let mut result = Lazy { map: over, copy: None };
    under.for_each(|key, low| {
        let Some(high) = over.get(key) else {
            if !(clean && low.is_nil()) {
                result.set(key, if clean { without_nulls(low) } else { low.clone() });
            }
            return;
        };
        match (&high.data, &low.data) {
            (Data::Nil, low) => {
                let removed = match nulls {
                    Nulls::Remove => !matches!(low, Data::Nil),
                    Nulls::RemoveGiven => true,
                    Nulls::Keep => false,
                };
                if removed {
                    result.remove(key);
                }
            }
            (Data::Map(high_map), Data::Map(low_map)) => {
                let map = lay_over(high_map, low_map, &joined(path, key), nulls, clean, warn);
                let origin = overriding(&high.origin, &low.origin);
                if !map.same(high_map) || !origin.same(&high.origin) {
                    result.set(key, Value { data: Data::Map(map), origin });
                }
            }
            (_, Data::Map(_)) => {
                let message = format!(
                    "warning: cannot overwrite table with non table for {} ({})",
                    joined(path, key),
                    sprint(std::slice::from_ref(low))
                );
                warn(*Diagnostic::warning("values-type", message));
            }
            (Data::Map(_), low_data) => {
                if !matches!(low_data, Data::Nil) {
                    let message = format!(
                        "warning: destination for {} is a table. Ignoring non-table value ({})",
                        joined(path, key),
                        sprint(std::slice::from_ref(low))
                    );
                    warn(*Diagnostic::warning("values-type", message));
                }
            }
            _ => {
                let origin = overriding(&high.origin, &low.origin);
                if !origin.same(&high.origin) {
                    result.set(key, Value { data: high.data.clone(), origin });
                }
            }
        }
    });
    result.finish()
}

/// A value without the nulls in its tables; itself where there are none.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value.as_map() {
        Some(map) => {
            let cleaned = cleaned(map);
            if cleaned.same(map) {
                value.clone()
            } else {
                Value { data: Data::Map(cleaned), origin: value.origin.clone() }
            }
        }
        None => value.clone(),
    }
}

fn cleaned(map: &Map) -> Map {
    let mut result = Lazy { map, copy: None };
    map.for_each(|key, value| match &value.data {
        Data::Nil => result.remove(key),
        Data::Map(inner) => {
            let inner_cleaned = cleaned(inner);
            if !inner_cleaned.same(inner) {
                result.set(key, Value { data: Data::Map(inner_cleaned), origin: value.origin.clone() });
            }
        }
        _ => {}
    });
    result.finish()
}

/// `winner` with `loser` at the end of its history, unless it stands there already.
pub(crate) fn overriding(winner: &Origin, loser: &Origin) -> Origin {
    if !loser.is_known() || !winner.is_known() {
        return winner.clone();
    }
    let mut at = winner;
    loop {
        if at.same(loser) {
            return winner.clone();
        }
        match at.record() {
            Some(record) => at = &record.previous,
            None => break,
        }
    }
    appended(winner, loser)
}

fn appended(chain: &Origin, last: &Origin) -> Origin {
    // Chains are as long as there are values files and flags; the loop above has walked them already.
    let records: Vec<&Record> = chain.chain().collect();
    records.into_iter().rev().fold(last.clone(), |previous, record| {
        Origin::from(Record {
            step: record.step,
            span: record.span,
            note: record.note.clone(),
            inputs: record.inputs.clone(),
            previous,
        })
    })
}

/// A dotted path and one more key.
pub(crate) fn joined(path: &str, key: &Text) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// A map that is copied once it changes.
pub(crate) struct Lazy<'m> {
    map: &'m Map,
    copy: Option<Map>,
}

impl<'m> Lazy<'m> {
    pub(crate) fn new(map: &'m Map) -> Self {
        Self { map, copy: None }
    }

    pub(crate) fn set(&mut self, key: &Text, value: Value) {
        self.own().insert(key.clone(), value);
    }

    pub(crate) fn remove(&mut self, key: &Text) {
        self.own().remove(key);
    }

    pub(crate) fn finish(self) -> Map {
        self.copy.unwrap_or_else(|| self.map.clone())
    }

    fn own(&mut self) -> &Map {
        let map = self.map;
        self.copy.get_or_insert_with(|| map.shallow_copy())
    }
}
