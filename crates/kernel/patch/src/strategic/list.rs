//! Lists that are merged element by element, where every element has its keys.
//!
//! What upstream does to them comes to this. Elements are told apart by their keys. What the patch says of an element
//! is merged into it; elements that only the patch has come first. Where one key tells elements apart, those that the
//! patch mentions come before the others too, in the patch's order. Of elements that repeat a key only the last is
//! kept, in the place of the first, and unmerged; with several keys it keeps its own place.
//!
//! Lists whose elements lack keys go through [`super::incomplete`].

use super::directive::Directive;
use super::{Merger, Of, incomplete, shell};
use crate::shape::{Shape, is_empty_map, is_null_or_empty, raw_text};
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Node};
use std::collections::HashMap;

/// How the elements of a list are told apart.
#[derive(Clone, Copy)]
enum Identity<'k> {
    /// By their text.
    Text,
    /// By one key, which all have.
    Key(&'k str),
    /// By several keys, all of which all have.
    Keys(&'k [Box<str>]),
}

/// What became of an element that both lists have.
pub(super) enum Merged {
    /// It was merged in place.
    Kept,
    Deleted,
    /// The patch gave another in its place.
    Replaced(Node),
}

/// Positions of the elements of one identity.
#[derive(Clone, Copy)]
struct Group {
    first: usize,
    last: usize,
}

impl<'k> Identity<'k> {
    /// `None` when the identity of some element cannot be told.
    fn of<'n>(keys: &'k [Box<str>], elements: impl Iterator<Item = &'n Node> + Clone) -> Option<Self> {
        let complete = |key: &str| elements.clone().all(|element| has_key(element, key));
        match keys {
            [] => elements.clone().all(|element| Shape::of(element) == Shape::Scalar).then_some(Self::Text),
            [key] => complete(key).then_some(Self::Key(key)),
            keys => {
                // A key that no element has is as good as not asked for.
                let absent = |key: &str| {
                    elements.clone().all(|element| Shape::of(element) == Shape::Mapping && !has_key(element, key))
                };
                let mut used = keys.iter().filter(|key| !absent(key));
                match (used.next(), used.next()) {
                    (Some(key), None) => complete(key).then_some(Self::Key(key)),
                    _ => keys.iter().all(|key| complete(key)).then_some(Self::Keys(keys)),
                }
            }
        }
    }

    fn text(self, element: &Node) -> Box<str> {
        let value = |key: &str| element.get(key).map_or("", raw_text);
        match self {
            Self::Text => raw_text(element).into(),
            Self::Key(key) => value(key).into(),
            Self::Keys(keys) => {
                let mut text = String::new();
                for key in keys {
                    let value = value(key);
                    // The length keeps values apart that hold the separator.
                    text.push_str(&format!("{}:{value}/", value.len()));
                }
                text.into()
            }
        }
    }

    fn groups<'n>(self, elements: impl Iterator<Item = &'n Node>) -> HashMap<Box<str>, Group> {
        let mut groups: HashMap<Box<str>, Group> = HashMap::new();
        for (position, element) in elements.enumerate() {
            let group = groups.entry(self.text(element)).or_insert(Group { first: position, last: position });
            group.last = position;
        }
        groups
    }
}

/// Whether an element has a key that is not null and not empty.
fn has_key(element: &Node, key: &str) -> bool {
    element.get(key).is_some_and(|value| !is_null_or_empty(value) && !raw_text(value).is_empty())
}

impl<'a> Merger<'a> {
    /// Merges `changes` into `items`.
    pub(super) fn merge_elements(
        &self,
        items: Vec<Node>,
        changes: &[&Node],
        keys: &[Box<str>],
        of: Of<'a>,
        depth: usize,
    ) -> Result<Vec<Node>> {
        let all = items.iter().chain(changes.iter().copied());
        let Some(identity) = Identity::of(keys, all) else {
            return incomplete::merge(self, items, changes, keys, of, depth);
        };
        let groups = identity.groups(items.iter());
        let mut items: Vec<Option<Node>> = items.into_iter().map(Some).collect();
        let mut mentioned: HashMap<Box<str>, ()> = HashMap::with_capacity(changes.len());
        // Of new elements the element, of old ones where they stand.
        let mut front: Vec<Result<Node, usize>> = Vec::with_capacity(changes.len());
        for change in changes {
            let text = identity.text(change);
            let group = groups.get(&text).copied();
            if mentioned.insert(text, ()).is_some() {
                continue;
            }
            match group {
                Some(group) => {
                    let Some(Some(item)) = items.get_mut(group.first) else { continue };
                    match self.merge_element(item, change, of, depth)? {
                        Merged::Deleted => {}
                        Merged::Kept if is_empty_map(item) => {}
                        // What replaces an element is put back by upstream when it goes through the old list.
                        Merged::Kept | Merged::Replaced(_) => front.push(Err(group.last)),
                    }
                }
                None => {
                    if let Some(new) = self.adopt(change, of, depth + 1)?.filter(|new| !is_empty_map(new)) {
                        front.push(Ok(new));
                    }
                }
            }
        }
        let mut rest: Vec<usize> = Vec::with_capacity(items.len());
        for (text, group) in &groups {
            if !mentioned.contains_key(text) {
                if let Some(Some(item)) = items.get_mut(group.first) {
                    self.settle(item, of, depth + 1)?;
                }
                rest.push(group.first);
            }
        }
        let mut merged = Vec::with_capacity(items.len() + front.len());
        if let Identity::Keys(_) = identity {
            for element in front {
                match element {
                    Ok(new) => merged.push(new),
                    Err(position) => rest.push(position),
                }
            }
            let last = |position: &usize| {
                items.get(*position).and_then(Option::as_ref).and_then(|item| groups.get(&identity.text(item)))
            };
            rest = rest.iter().map(|position| last(position).map_or(*position, |group| group.last)).collect();
            rest.sort_unstable();
            merged.extend(rest.into_iter().filter_map(|position| items.get_mut(position).and_then(Option::take)));
            return Ok(merged);
        }
        for element in front {
            merged.extend(match element {
                Ok(new) => Some(new),
                Err(position) => items.get_mut(position).and_then(Option::take),
            });
        }
        rest.sort_unstable();
        for first in rest {
            let text = items.get(first).and_then(Option::as_ref).map(|item| identity.text(item));
            let last = text.and_then(|text| groups.get(&text)).map_or(first, |group| group.last);
            merged.extend(items.get_mut(last).and_then(Option::take));
        }
        Ok(merged)
    }

    /// What the merge of a resource does to a list that the patch does not mention.
    pub(super) fn settle_elements(
        &self,
        items: &mut Vec<Node>,
        keys: &[Box<str>],
        of: Of<'a>,
        depth: usize,
    ) -> Result<()> {
        let whole = match Identity::of(keys, items.iter()) {
            Some(identity) => identity.groups(items.iter()).len() == items.len(),
            None => false,
        };
        if whole {
            return items.iter_mut().try_for_each(|item| self.settle(item, of, depth + 1));
        }
        *items = self.merge_elements(std::mem::take(items), &[], keys, of, depth)?;
        Ok(())
    }

    /// A list that only the patch has, made of `items` of it.
    pub(super) fn adopt_list(
        &self,
        patch: &Node,
        items: Vec<&Node>,
        keys: &[Box<str>],
        of: Of<'a>,
        depth: usize,
    ) -> Result<Node> {
        let elements = match Identity::of(keys, items.iter().copied()) {
            Some(identity) => self.adopt_elements(&items, identity, of, depth)?,
            None => incomplete::adopt(self, &items, keys, of, depth)?,
        };
        let mut adopted = shell(patch, Content::Sequence(elements));
        self.options.stamp(&mut adopted, patch, None);
        Ok(adopted)
    }

    fn adopt_elements(&self, items: &[&Node], identity: Identity<'_>, of: Of<'a>, depth: usize) -> Result<Vec<Node>> {
        let groups = identity.groups(items.iter().copied());
        let mut adopted: Vec<(usize, Node)> = Vec::with_capacity(groups.len());
        for (position, item) in items.iter().enumerate() {
            let Some(group) = groups.get(&identity.text(item)).filter(|group| group.first == position) else {
                continue;
            };
            let Some(element) = self.adopt_below(item, of, depth + 1)?.filter(|element| !is_empty_map(element)) else {
                continue;
            };
            let element = match items.get(group.last) {
                Some(last) if group.last != group.first => self.copy(last),
                _ => element,
            };
            let place = if let Identity::Keys(_) = identity { group.last } else { group.first };
            adopted.push((place, element));
        }
        adopted.sort_by_key(|(place, _)| *place);
        Ok(adopted.into_iter().map(|(_, element)| element).collect())
    }

    /// Merges an element that both lists have.
    pub(super) fn merge_element(&self, item: &mut Node, change: &Node, of: Of<'a>, depth: usize) -> Result<Merged> {
        if Shape::of(item) == Shape::Mapping && Shape::of(change) == Shape::Mapping {
            let of = self.type_of(of, item, Some(change));
            return match Directive::of_mapping(change)? {
                Directive::Delete => Ok(Merged::Deleted),
                Directive::Replace => Ok(Merged::Replaced(self.adopt_mapping(change, true, of, depth + 1)?)),
                Directive::Merge { .. } => {
                    self.merge_mapping(item, change, of, depth + 1)?;
                    Ok(Merged::Kept)
                }
            };
        }
        if Shape::of(item) == Shape::Scalar && Shape::of(change) == Shape::Scalar {
            return Ok(Merged::Replaced(self.copy(change)));
        }
        Ok(match self.merge(item, change, of, depth + 1)? {
            super::Outcome::Kept => Merged::Kept,
            super::Outcome::Deleted => Merged::Deleted,
        })
    }
}
