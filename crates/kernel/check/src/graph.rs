//! The values as far as templates look at them: [`Graph`].
//!
//! A *place* stands for what a values file may say under some keys; its children come into being when a template asks
//! for them. A *made* node stands for the maps and lists that an expression of a template makes. Maps are changed in
//! place by templates (`set`, `merge`), so both know what was stored in them.

use crate::seen::{Id, Seen};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Keys nested deeper than this are not told apart: a template that calls itself may go down without end.
const DEEPEST: u16 = 32;

/// What one analysis may cost: looks at nodes, and nodes.
const MOST_STEPS: u64 = 8_000_000;
const MOST_NODES: usize = 20_000;

/// All nodes of an analysis.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    /// Nodes of expressions, by the definition and the position in its file.
    made: HashMap<(usize, usize), Id>,
    steps: u64,
    /// Whether keys of what is read whole are told apart as well. It finds nothing else, and takes longer.
    pub(crate) is_precise: bool,
    /// Whether something grew since this was last set to false.
    pub(crate) changed: bool,
}

#[derive(Default)]
struct Node {
    /// A place of the values, not a made map.
    is_place: bool,
    /// The values of a chart.
    is_chart: bool,
    parent: Option<Id>,
    depth: u16,
    /// The keys that templates ask for.
    keys: BTreeMap<Rc<str>, Id>,
    /// What stands for every key, and for every item of a list.
    element: Option<Id>,
    /// What templates put in by name,
    stored: BTreeMap<Rc<str>, Seen>,
    /// by a name that is not known, or as items,
    stored_anywhere: Seen,
    /// and the maps they merged into it.
    merged: Vec<Id>,
    /// All below it is read.
    whole: bool,
    /// It or something below it was changed by a template.
    altered: bool,
}

/// What is known of a key of a values file.
pub(crate) enum Known {
    /// Nothing reads it.
    Unread,
    /// It is read with all that is below it.
    Whole,
    /// It is read; these places tell what is below it.
    Places(Vec<Id>),
}

impl Graph {
    /// A place without a parent: a root of values, or what all charts share.
    pub(crate) fn root(&mut self) -> Id {
        self.push(Node { is_place: true, ..Node::default() })
    }

    /// Says that `id` holds the values of a chart.
    pub(crate) fn set_chart(&mut self, id: Id) {
        self.nodes[id as usize].is_chart = true;
    }

    /// Puts `child` under `key`, whatever stood there.
    pub(crate) fn share(&mut self, id: Id, key: &str, child: Id) {
        self.nodes[id as usize].keys.insert(key.into(), child);
    }

    /// The node of what the expression at `site` makes.
    pub(crate) fn made(&mut self, site: (usize, usize)) -> Id {
        match self.made.get(&site) {
            Some(id) => *id,
            None => {
                let id = self.push(Node::default());
                self.made.insert(site, id);
                id
            }
        }
    }

    /// A made node that belongs to no expression.
    pub(crate) fn map(&mut self) -> Id {
        self.push(Node::default())
    }

    /// Whether the analysis has cost what it may; its results are then to be thrown away.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps > MOST_STEPS || self.nodes.len() > MOST_NODES
    }

    pub(crate) fn spend(&mut self, steps: usize) {
        self.steps += steps as u64;
    }

    fn push(&mut self, node: Node) -> Id {
        self.changed = true;
        self.nodes.push(node);
        (self.nodes.len() - 1) as Id
    }

    /// The place under `key` of a place, which is read by that.
    pub(crate) fn child(&mut self, id: Id, key: &str) -> Id {
        let node = &self.nodes[id as usize];
        if let Some(child) = node.keys.get(key) {
            return *child;
        }
        // Methods of Go's type of values.
        if node.is_chart && matches!(key, "AsMap" | "Table" | "PathValue" | "YAML" | "Encode") {
            if key != "AsMap" {
                self.read_whole(&Seen::place(id));
            }
            return id;
        }
        match self.place_below(id) {
            None => id,
            Some(child) => {
                self.nodes[id as usize].keys.insert(key.into(), child);
                child
            }
        }
    }

    /// The place that stands for every key of a place.
    pub(crate) fn element(&mut self, id: Id) -> Id {
        if let Some(element) = self.nodes[id as usize].element {
            return element;
        }
        match self.place_below(id) {
            None => id,
            Some(element) => {
                self.nodes[id as usize].element = Some(element);
                element
            }
        }
    }

    fn place_below(&mut self, id: Id) -> Option<Id> {
        let depth = self.nodes[id as usize].depth + 1;
        if depth > DEEPEST || self.is_exhausted() {
            self.read_whole(&Seen::place(id));
            return None;
        }
        Some(self.push(Node { is_place: true, parent: Some(id), depth, ..Node::default() }))
    }

    /// What stands under `key`.
    pub(crate) fn key(&mut self, from: &Seen, key: &str) -> Seen {
        self.look(from, |graph, id, found| {
            let node = &graph.nodes[id as usize];
            if let Some(stored) = node.stored.get(key) {
                found.add(stored);
            }
            found.add(&node.stored_anywhere);
            if !node.is_place {
                return;
            }
            if let Some(element) = node.element.filter(|element| graph.nodes[*element as usize].altered) {
                found.add_place(element);
            }
            let child = if node.whole && !node.altered && !graph.is_precise { id } else { graph.child(id, key) };
            found.add_place(child);
        })
    }

    /// What stands under a key that is not known, or is an item.
    pub(crate) fn any_key(&mut self, from: &Seen) -> Seen {
        let mut found = self.look(from, |graph, id, found| {
            let node = &graph.nodes[id as usize];
            node.stored.values().for_each(|stored| {
                found.add(stored);
            });
            found.add(&node.stored_anywhere);
            if !node.is_place {
                return;
            }
            for child in node.keys.values().filter(|child| graph.nodes[**child as usize].altered) {
                found.add_place(*child);
            }
            let element = if node.whole && !node.altered && !graph.is_precise { id } else { graph.element(id) };
            found.add_place(element);
        });
        // A list of strings is seen as its strings.
        found.add(&Seen { names: from.names.clone(), pieces: from.pieces.clone(), ..Seen::default() });
        found
    }

    /// Visits the nodes of `from` and those merged into them.
    fn look(&mut self, from: &Seen, mut visit: impl FnMut(&mut Self, Id, &mut Seen)) -> Seen {
        let mut found = Seen::default();
        // Of a text that is not known, nothing is known below it either.
        if from.names.iter().any(|name| name.end.is_some()) {
            found = Seen::unknown();
        }
        for id in self.with_merged(&from.places) {
            visit(self, id, &mut found);
        }
        self.spend(found.places.len());
        found
    }

    fn with_merged(&mut self, places: &[Id]) -> Vec<Id> {
        let mut all = places.to_vec();
        let mut at = 0;
        if places.iter().any(|id| !self.nodes[*id as usize].merged.is_empty()) {
            let mut visited: std::collections::HashSet<Id> = places.iter().copied().collect();
            while let Some(id) = all.get(at).copied() {
                at += 1;
                all.extend(self.nodes[id as usize].merged.iter().copied().filter(|id| visited.insert(*id)));
            }
        }
        self.spend(all.len() + 1);
        all
    }

    /// The keys that were put into made maps; `None` where others may be there.
    pub(crate) fn stored_keys(&mut self, from: &Seen) -> Option<Vec<Rc<str>>> {
        let mut keys = Vec::new();
        for id in self.with_merged(&from.places) {
            let node = &self.nodes[id as usize];
            if node.is_place || node.stored_anywhere != Seen::default() {
                return None;
            }
            keys.extend(node.stored.keys().cloned());
        }
        Some(keys)
    }

    /// `set`: puts `value` under `key`, or under a key that is not known.
    pub(crate) fn store(&mut self, id: Id, key: Option<&str>, value: &Seen) {
        let node = &mut self.nodes[id as usize];
        let grown = match key {
            Some(key) => match node.stored.get_mut(key) {
                Some(stored) => stored.add(value),
                None => {
                    node.stored.insert(key.into(), value.clone());
                    true
                }
            },
            None => node.stored_anywhere.add(value),
        };
        self.spend(1);
        if grown {
            self.altered(id, value);
        }
    }

    /// `merge`: lays maps into the map `id`.
    pub(crate) fn merge(&mut self, id: Id, maps: &Seen) {
        let node = &mut self.nodes[id as usize];
        let new: Vec<Id> = maps.places.iter().copied().filter(|map| *map != id && !node.merged.contains(map)).collect();
        node.merged.extend(&new);
        self.spend(maps.places.len());
        if !new.is_empty() {
            self.altered(id, maps);
        }
    }

    fn altered(&mut self, id: Id, by: &Seen) {
        self.changed = true;
        let mut at = Some(id);
        let mut is_whole = false;
        while let Some(id) = at {
            let node = &mut self.nodes[id as usize];
            node.altered = true;
            is_whole |= node.whole;
            at = node.parent;
        }
        // Who reads all of a map reads what is put into it later.
        if is_whole {
            self.read_whole(by);
        }
    }

    /// Says that all of it is read.
    pub(crate) fn read_whole(&mut self, seen: &Seen) {
        let mut open = seen.places.clone();
        while let Some(id) = open.pop() {
            self.spend(1);
            let node = &mut self.nodes[id as usize];
            if std::mem::replace(&mut node.whole, true) {
                continue;
            }
            self.changed = true;
            open.extend(node.keys.values().chain(&node.element).chain(&node.merged));
            open.extend(node.stored.values().flat_map(|stored| &stored.places));
            open.extend(&node.stored_anywhere.places);
        }
    }

    /// What templates read of `key` of a values file whose place is any of `places`.
    pub(crate) fn known(&self, places: &[Id], key: &str) -> Known {
        self.below(places, |node| node.keys.get(key).into_iter().chain(&node.element).copied().collect())
    }

    /// What templates read of the items of a list.
    pub(crate) fn known_items(&self, places: &[Id]) -> Known {
        match self.below(places, |node| node.element.into_iter().collect()) {
            // Whoever looks at a list as if it were a map does not look at its items; that is not for us to say.
            Known::Unread => Known::Whole,
            known => known,
        }
    }

    fn below(&self, places: &[Id], next: impl Fn(&Node) -> Vec<Id>) -> Known {
        let mut found = Vec::new();
        for id in places {
            let node = &self.nodes[*id as usize];
            if self.is_leaf(node) {
                return Known::Whole;
            }
            found.extend(next(node));
        }
        if found.is_empty() { Known::Unread } else { Known::Places(found) }
    }

    /// Whether all below it counts as read. Where a template looks at a value and at none of its keys, it may look at
    /// all of it: whether it is empty is decided by what is in it.
    fn is_leaf(&self, node: &Node) -> bool {
        node.whole || (node.keys.is_empty() && node.element.is_none() && !node.is_chart)
    }

    /// The keys that templates ask for at any of `places`.
    pub(crate) fn keys(&self, places: &[Id]) -> Vec<&str> {
        places.iter().flat_map(|id| self.nodes[*id as usize].keys.keys().map(|key| &**key)).collect()
    }

    /// The places below `root` that a path leads to, in which `any` stands for every key; read whole or not.
    pub(crate) fn places_at(&self, root: Id, path: &[String], any: &str) -> Vec<Id> {
        let mut places = vec![root];
        for key in path {
            let next = places.iter().flat_map(|id| {
                let node = &self.nodes[*id as usize];
                let named = if key == any { None } else { node.keys.get(key.as_str()) };
                named.into_iter().chain(&node.element).copied()
            });
            let mut next: Vec<Id> = next.collect();
            next.sort_unstable();
            next.dedup();
            places = next;
        }
        places
    }

    /// The shortest way from `root` to each of its places; `any` stands for every key.
    pub(crate) fn all_paths(&self, root: Id, any: &str) -> crate::uses::Paths {
        let mut paths = crate::uses::Paths::from([(root, Vec::new())]);
        let mut open = std::collections::VecDeque::from([root]);
        while let Some(id) = open.pop_front() {
            let node = &self.nodes[id as usize];
            let path = paths[&id].clone();
            let named = node.keys.iter().map(|(key, child)| (&**key, *child));
            for (key, child) in named.chain(node.element.map(|element| (any, element))) {
                if let std::collections::hash_map::Entry::Vacant(entry) = paths.entry(child) {
                    entry.insert(path.iter().cloned().chain([key.to_owned()]).collect());
                    open.push_back(child);
                }
            }
        }
        paths
    }

    /// The paths below `root` at which templates ask for `key`, but no more than `most`.
    pub(crate) fn paths_of(&self, root: Id, key: &str, most: usize) -> Vec<String> {
        const FAR: usize = 6;
        let mut found = Vec::new();
        let mut open: Vec<(Id, String, usize)> = vec![(root, String::new(), 0)];
        let mut visited = std::collections::HashSet::new();
        while let Some((id, path, depth)) = open.pop() {
            if !visited.insert(id) {
                continue;
            }
            for (name, child) in &self.nodes[id as usize].keys {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                if **name == *key {
                    found.push(path.clone());
                    if found.len() >= most {
                        return found;
                    }
                }
                if depth < FAR {
                    open.push((*child, path, depth + 1));
                }
            }
        }
        found
    }
}
