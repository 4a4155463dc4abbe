//! [`Sorted`]: what a map holds, by key.
//!
//! Values are maps of a handful of keys, and templates look into them all the time. Of so few, a vector is searched
//! several times as fast as a tree, since the beginnings of keys stand in it, and takes half of the memory. A map that
//! grows large becomes a tree, so that a loop that sets key after key takes no more than its time.

use crate::{Text, Value};
use std::cmp::Ordering;
use std::collections::{BTreeMap, btree_map};
use std::slice;

/// Keys and values, sorted by the keys' bytes.
#[derive(Clone, Debug)]
pub(crate) enum Sorted {
    Few(Vec<Entry>),
    Many(BTreeMap<Text, Value>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key's first bytes as a number: most keys differ there.
    start: u64,
    key: Text,
    value: Value,
}

impl Entry {
    /// How its key compares with one that starts alike.
    fn cmp_behind_start(&self, key: &[u8]) -> Ordering {
        let own = self.key.as_bytes();
        match (own.get(START..), key.get(START..)) {
            (Some(own), Some(key)) => own.cmp(key),
            // One of them is all in the start, but for zeros at its end.
            _ => own.len().cmp(&key.len()),
        }
    }
}

/// As many as a vector holds.
const FEW: usize = 64;

/// How many bytes of a key stand in a number.
const START: usize = size_of::<u64>();

fn start_of(key: &[u8]) -> u64 {
    let half = |bytes: &[u8; 4]| u64::from(u32::from_be_bytes(*bytes));
    match (key.first_chunk(), key.first_chunk(), key.last_chunk()) {
        (Some(start), ..) => u64::from_be_bytes(*start),
        // The halves overlap in the same bytes.
        (None, Some(first), Some(last)) => half(first) << 32 | half(last) << (8 * (8 - key.len())),
        _ => key.iter().rev().fold(0, |start, byte| start >> 8 | u64::from(*byte) << 56),
    }
}

/// Where `key` is among `entries`, or where it would be.
fn find(entries: &[Entry], key: &[u8]) -> Result<usize, usize> {
    let start = start_of(key);
    let mut at = entries.partition_point(|entry| entry.start < start);
    while let Some(entry) = entries.get(at).filter(|entry| entry.start == start) {
        match entry.cmp_behind_start(key) {
            Ordering::Less => at += 1,
            Ordering::Equal => return Ok(at),
            Ordering::Greater => break,
        }
    }
    Err(at)
}

impl Default for Sorted {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Sorted {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Value> {
        match self {
            Self::Few(entries) => find(entries, key).ok().map(|at| &entries[at].value),
            Self::Many(tree) => tree.get(key),
        }
    }

    /// Sets `key`, giving what it was.
    pub(crate) fn insert(&mut self, key: Text, value: Value) -> Option<Value> {
        let entries = match self {
            Self::Few(entries) => entries,
            Self::Many(tree) => return tree.insert(key, value),
        };
        match find(entries, &key) {
            Ok(at) => return Some(std::mem::replace(&mut entries[at].value, value)),
            Err(at) if entries.len() < FEW => entries.insert(at, Entry { start: start_of(&key), key, value }),
            Err(_) => {
                let mut tree: BTreeMap<Text, Value> =
                    entries.drain(..).map(|Entry { key, value, .. }| (key, value)).collect();
                tree.insert(key, value);
                *self = Self::Many(tree);
            }
        }
        None
    }

    /// Removes `key`, giving what it was.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        match self {
            Self::Few(entries) => find(entries, key).ok().map(|at| entries.remove(at).value),
            Self::Many(tree) => tree.remove(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(entries) => entries.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Few(entries) => Iter::Few(entries.iter()),
            Self::Many(tree) => Iter::Many(tree.iter()),
        }
    }
}

impl FromIterator<(Text, Value)> for Sorted {
    /// Of equal keys the last one counts.
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        let entry = |(key, value): (Text, Value)| Entry { start: start_of(&key), key, value };
        let mut entries: Vec<Entry> = entries.into_iter().map(entry).collect();
        entries.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| a.cmp_behind_start(&b.key)));
        entries.dedup_by(|later, kept| {
            let same = later.start == kept.start && later.key == kept.key;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        if entries.len() <= FEW {
            return Self::Few(entries);
        }
        Self::Many(entries.into_iter().map(|Entry { key, value, .. }| (key, value)).collect())
    }
}

/// The entries in order.
pub(crate) enum Iter<'s> {
    Few(slice::Iter<'s, Entry>),
    Many(btree_map::Iter<'s, Text, Value>),
}

impl<'s> Iterator for Iter<'s> {
    type Item = (&'s Text, &'s Value);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(entries) => entries.next().map(|entry| (&entry.key, &entry.value)),
            Self::Many(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Few(entries) => entries.size_hint(),
            Self::Many(tree) => tree.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that are alike, short, long, empty, beyond ASCII, and with zeros at their end.
    fn keys() -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = ["", "a", "a\0", "a\0\0", "ab", "abcdefgh", "abcdefgh\0", "abcdefghi", "abcdefgz"]
            .iter()
            .map(|key| key.as_bytes().to_vec())
            .collect();
        keys.extend([vec![0], vec![0; 8], vec![0; 9], vec![0xFF], vec![0xFF; 9], "Übergröße".as_bytes().to_vec()]);
        keys.extend((0..100).map(|number| format!("key{}", number * 37 % 100).into_bytes()));
        keys
    }

    fn seen(sorted: &Sorted) -> Vec<(Vec<u8>, Option<i64>)> {
        let number = |value: &Value| match value.data {
            crate::Data::Int(number, _) => Some(number),
            _ => None,
        };
        sorted.iter().map(|(key, value)| (key.to_vec(), number(value))).collect()
    }

    #[test]
    fn few_and_many_are_as_a_tree_would_have_them() {
        let mut sorted = Sorted::default();
        let mut tree = BTreeMap::new();
        for (number, key) in keys().into_iter().enumerate() {
            let number = number as i64;
            assert!(sorted.insert(key.as_slice().into(), Value::int(number)).is_none());
            tree.insert(key, Some(number));
            assert_eq!(seen(&sorted), tree.clone().into_iter().collect::<Vec<_>>());
            assert_eq!(sorted.len(), tree.len());
        }
        assert!(matches!(sorted, Sorted::Many(_)));
        for key in keys() {
            assert!(sorted.get(&key).is_some(), "{key:?}");
            assert!(sorted.insert(key.as_slice().into(), Value::int(-1)).is_some());
            assert!(sorted.remove(&key).is_some() && sorted.get(&key).is_none());
        }
        assert_eq!(sorted.len(), 0);
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        for keys in [keys(), keys()[..20].to_vec()] {
            let twice = keys.iter().chain(&keys).enumerate();
            let sorted: Sorted =
                twice.map(|(number, key)| (key.as_slice().into(), Value::int(number as i64))).collect();
            let wanted: BTreeMap<_, _> =
                keys.iter().enumerate().map(|(at, key)| (key.clone(), Some((at + keys.len()) as i64))).collect();
            assert_eq!(seen(&sorted), wanted.into_iter().collect::<Vec<_>>());
            for key in &keys {
                assert!(sorted.get(key).is_some(), "{key:?}");
            }
        }
    }
}
