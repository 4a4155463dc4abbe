//! Lists that are merged element by element although elements lack keys, repeat them in part, or are no mappings.
//!
//! Upstream's outcome for them follows from how it goes to work, so its steps are gone through here one by one: the
//! keys of all elements are gathered and filled in from one another, each distinct combination is merged and set in a
//! new list, and the old list is then set into that. Setting compares with every element, so the whole is quadratic;
//! it is kept to lists of a size that people write, longer ones being refused.
//!
//! Fixtures: the tests of `tests/strategic_lists.rs`, whose expectations were printed by Kustomize 5.8.1.

use super::directive::{self, Directive};
use super::list::Merged;
use super::{Merger, Of, unmergeable};
use crate::shape::{Shape, is_empty_map, is_null, is_null_or_empty, raw_text};
use onepane_diagnostics::{Origin, Result};
use onepane_yaml::Node;
use std::collections::HashSet;

/// The longest list whose elements may lack keys.
const LONGEST: usize = 2_000;

/// Merges `changes` into `items`.
pub(super) fn merge<'a>(
    merger: &Merger<'a>,
    items: Vec<Node>,
    changes: &[&Node],
    keys: &[Box<str>],
    of: Of<'a>,
    depth: usize,
) -> Result<Vec<Node>> {
    let old = (0..items.len()).collect();
    let changes = changes.iter().map(|change| (*change).clone()).collect();
    Bench { merger, nodes: items, old, changes: Some(changes), of, depth }.run(keys)
}

/// What a list that only the patch has is made of.
pub(super) fn adopt<'a>(
    merger: &Merger<'a>,
    items: &[&Node],
    keys: &[Box<str>],
    of: Of<'a>,
    depth: usize,
) -> Result<Vec<Node>> {
    let nodes = items.iter().map(|item| (*item).clone()).collect();
    Bench { merger, nodes, old: (0..items.len()).collect(), changes: None, of, depth }.run(keys)
}

struct Bench<'m, 'a> {
    merger: &'m Merger<'a>,
    /// All elements, old and new; lists hold positions in it.
    nodes: Vec<Node>,
    /// The list that is merged into.
    old: Vec<usize>,
    /// The patch's list; `None` when it is the very list that is merged into. Directives are taken out of its elements
    /// when they are first looked at, so that those which are looked at twice are then merged.
    changes: Option<Vec<Node>>,
    of: Of<'a>,
    depth: usize,
}

impl Bench<'_, '_> {
    fn run(mut self, keys: &[Box<str>]) -> Result<Vec<Node>> {
        if self.nodes.len() + self.changes.as_ref().map_or(0, Vec::len) > LONGEST {
            let message =
                format!("a list of more than {LONGEST} elements is merged by {keys:?}, which some of them lack");
            let error = match self.nodes.first() {
                Some(node) => unmergeable(message, node),
                None => onepane_diagnostics::Diagnostic::error("patch-kind-mismatch", message),
            };
            return Err(error.hint("give every element its keys"));
        }
        let text_key: [Box<str>; 1] = ["".into()];
        let keys = if keys.is_empty() { &text_key[..] } else { keys };
        let mut combinations = self.combinations(keys);
        if keys.len() > 1 {
            fill_in(&mut combinations);
        }
        let mut new = Vec::new();
        let mut valid_keys: Vec<&str> = Vec::new();
        for combination in &combinations {
            let values;
            (valid_keys, values) = valid(&combinations, combination, keys);
            let sources = self.sources(&valid_keys, &values);
            let Some(element) = self.merged(&valid_keys, &values)? else {
                let old = std::mem::take(&mut self.old);
                self.old = self.set(old, None, &valid_keys, &values)?;
                continue;
            };
            for ((key, value), source) in valid_keys.iter().zip(&values).zip(&sources) {
                if let Some(node) = self.nodes.get_mut(element)
                    && node.entries().is_some()
                    && node.get(key).is_none()
                    && !value.is_empty()
                {
                    let mut filled_in = Node::scalar(value.as_str());
                    filled_in.history.0 = source.clone();
                    node.set(key, filled_in);
                }
            }
            new = self.set(new, Some(element), &valid_keys, &values)?;
        }
        if !combinations.is_empty() {
            for position in std::mem::take(&mut self.old) {
                new = self.put_back(new, position, &valid_keys)?;
            }
        }
        let mut taken: HashSet<usize> = HashSet::new();
        let mut nodes: Vec<Option<Node>> = self.nodes.into_iter().map(Some).collect();
        let repeated = new.iter().any(|position| !taken.insert(*position));
        Ok(new
            .into_iter()
            .filter_map(|position| {
                let node = nodes.get_mut(position)?;
                if repeated { node.clone() } else { node.take() }
            })
            .collect())
    }

    /// The distinct combinations of key values, those of the patch first.
    fn combinations(&self, keys: &[Box<str>]) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        let mut combinations = Vec::new();
        let old = self.old.iter().filter_map(|position| self.nodes.get(*position));
        for node in self.changes.iter().flatten().chain(old) {
            let value = |key: &str| {
                if key.is_empty() {
                    return raw_text(node).to_owned();
                }
                node.get(key).filter(|value| !is_null_or_empty(value)).map_or("", raw_text).to_owned()
            };
            let combination: Vec<String> = keys.iter().map(|key| value(key)).collect();
            if seen.insert(combination.clone()) {
                combinations.push(combination);
            }
        }
        combinations
    }

    /// The element of those keys, merged; `None` where nothing is left of it.
    fn merged(&mut self, keys: &[&str], values: &[String]) -> Result<Option<usize>> {
        let one = [values.to_vec()];
        let (keys, values) = valid(&one, values, keys);
        let mut found = None;
        for position in &self.old {
            if self.nodes.get(*position).is_some_and(|node| is_element(node, &keys, &values)) {
                found = Some(*position);
                break;
            }
        }
        let (merger, of, depth) = (self.merger, self.of, self.depth);
        let Some(changes) = &mut self.changes else {
            let Some(position) = found else { return Ok(None) };
            let Some(node) = self.nodes.get_mut(position) else { return Ok(None) };
            let adopted = merger.adopt_below(node, of, depth + 1)?;
            node.remove(directive::KEY);
            return Ok(adopted.filter(|adopted| !is_empty_map(adopted)).map(|adopted| {
                *node = adopted;
                position
            }));
        };
        let change = changes.iter_mut().find(|change| is_element(change, &keys, &values));
        let merged = match (found, change) {
            (None, None) => None,
            (None, Some(change)) => {
                let adopted = merger.adopt(change, of, depth + 1)?;
                if Directive::of_mapping(change).is_ok() {
                    change.remove(directive::KEY);
                }
                adopted.map(|adopted| self.add(adopted))
            }
            (Some(position), None) => {
                if let Some(node) = self.nodes.get_mut(position) {
                    merger.settle(node, of, depth + 1)?;
                }
                Some(position)
            }
            (Some(position), Some(change)) => match self.nodes.get_mut(position) {
                Some(node) => {
                    let merged = merger.merge_element(node, change, of, depth)?;
                    change.remove(directive::KEY);
                    match merged {
                        Merged::Kept => Some(position),
                        Merged::Deleted => None,
                        Merged::Replaced(other) => Some(self.add(other)),
                    }
                }
                None => None,
            },
        };
        Ok(merged.filter(|position| self.nodes.get(*position).is_some_and(|node| !is_empty_map(node))))
    }

    /// Where the values of keys stand that an element may lack, for the memories of those that are filled in.
    fn sources(&self, keys: &[&str], values: &[String]) -> Vec<Origin> {
        let elements = || self.changes.iter().flatten().chain(&self.nodes);
        let source = |(key, value): (&&str, &String)| {
            let mut found = elements().filter_map(|node| node.get(key)).filter(|found| raw_text(found) == value);
            found.next().filter(|_| self.merger.options.origins).map_or(Origin::UNKNOWN, Node::origin)
        };
        keys.iter().zip(values).map(source).collect()
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Sets `element` in the place of those with the keys, or behind them all; none takes them out. Empty elements go
    /// in any case, and where there are no values to compare all go.
    fn set(&self, list: Vec<usize>, element: Option<usize>, keys: &[&str], values: &[String]) -> Result<Vec<usize>> {
        let wants_mapping =
            keys.first().is_some_and(|key| !key.is_empty()) && values.first().is_some_and(|v| !v.is_empty());
        let mut result = Vec::with_capacity(list.len() + 1);
        let mut any = false;
        for position in list {
            let Some(node) = self.nodes.get(position) else { continue };
            if is_empty_map(node) {
                continue;
            }
            if Shape::of(node) != Shape::Mapping && wants_mapping {
                result.push(position);
                continue;
            }
            let mut found = !values.is_empty();
            for (key, value) in keys.iter().zip(values) {
                if !has(node, key, value)? {
                    found = false;
                    break;
                }
            }
            if !found {
                if !values.is_empty() {
                    result.push(position);
                }
                continue;
            }
            any = true;
            result.extend(element);
        }
        if !any {
            result.extend(element.filter(|element| self.nodes.get(*element).is_some_and(|node| !is_null(node))));
        }
        Ok(result)
    }

    /// Sets an element of the old list into the new one.
    fn put_back(&self, mut new: Vec<usize>, position: usize, keys: &[&str]) -> Result<Vec<usize>> {
        let Some(node) = self.nodes.get(position) else { return Ok(new) };
        if keys.first() == Some(&"") {
            return self.set(new, Some(position), &[""], &[raw_text(node).to_owned()]);
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            Shape::Mapping.expect(node)?;
            match node.get(key).filter(|_| !is_null(node)) {
                Some(value) => values.push(raw_text(value).to_owned()),
                None => new.push(position),
            }
        }
        if keys.len() > 1 {
            new = self.set(new, None, keys, &values)?;
        }
        self.set(new, Some(position), keys, &values)
    }
}

/// Combinations that agree in something and contradict each other in nothing become one.
fn fill_in(combinations: &mut [Vec<String>]) {
    for i in 0..combinations.len() {
        let first = combinations[i].clone();
        for j in 0..combinations.len() {
            let Some(both) = agree(&first, &combinations[j]) else { continue };
            combinations[i].clone_from(&both);
            combinations[j] = both;
        }
    }
}

fn agree(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let mut common = false;
    let mut both = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        match (a == b, a.is_empty(), b.is_empty()) {
            (true, ..) => {
                common = true;
                both.push(a.clone());
            }
            (false, false, false) => return None,
            (false, false, true) => both.push(a.clone()),
            (false, true, _) => both.push(b.clone()),
        }
    }
    common.then_some(both)
}

/// The keys for which any combination has a value, and `values` of them; all keys where there is none.
fn valid<'k, K: AsRef<str>>(
    combinations: &[Vec<String>],
    values: &[String],
    keys: &'k [K],
) -> (Vec<&'k str>, Vec<String>) {
    let has_value = |at: usize| combinations.iter().any(|values| values.get(at).is_some_and(|value| !value.is_empty()));
    let used: Vec<usize> = (0..keys.len()).filter(|at| has_value(*at)).collect();
    let used = if used.is_empty() { (0..keys.len()).collect() } else { used };
    let pick = |at: &usize| values.get(*at).cloned().unwrap_or_default();
    (used.iter().filter_map(|at| keys.get(*at).map(AsRef::as_ref)).collect(), used.iter().map(pick).collect())
}

/// Whether all keys have exactly those values.
fn is_element(node: &Node, keys: &[&str], values: &[String]) -> bool {
    match (keys.first(), values.first()) {
        (Some(&""), Some(value)) => raw_text(node) == value,
        _ => keys.iter().zip(values).all(|(key, value)| node.get(key).is_some_and(|found| raw_text(found) == value)),
    }
}

/// Whether a key has that value, or any where no value is given.
fn has(node: &Node, key: &str, value: &str) -> Result<bool> {
    if is_null(node) {
        return Ok(false);
    }
    if key.is_empty() {
        Shape::Scalar.expect(node)?;
        return Ok(raw_text(node) == value);
    }
    Shape::Mapping.expect(node)?;
    Ok(node.get(key).is_some_and(|found| value.is_empty() || raw_text(found) == value))
}
