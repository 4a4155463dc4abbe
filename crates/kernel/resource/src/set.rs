//! Resources in their order, found by any id they ever had: [`ResourceSet`].

use crate::{GeneratorBehavior, Resource, ResourceId};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::{Content, Node};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Resources in the order in which they were accumulated, no two of the same current id.
///
/// Look-ups go through an index that is built when first needed and kept up to date by everything but
/// [`ResourceSet::iter_mut`], which drops it. To change a single resource between look-ups, use
/// [`ResourceSet::update`].
#[derive(Clone, Debug, Default)]
pub struct ResourceSet {
    resources: Vec<Resource>,
    index: OnceLock<Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    /// Positions by current id, ascending.
    current: HashMap<ResourceId, Vec<usize>>,
    /// Positions by every id, current or previous; ascending and without repetition.
    any: HashMap<ResourceId, Vec<usize>>,
    /// Positions by every name, current or previous; ascending and without repetition.
    names: HashMap<Box<str>, Vec<usize>>,
}

impl Index {
    fn add(&mut self, position: usize, resource: &Resource) {
        let insert = |positions: &mut Vec<usize>| {
            if let Err(at) = positions.binary_search(&position) {
                positions.insert(at, position);
            }
        };
        insert(self.current.entry(resource.id().clone()).or_default());
        for id in resource.previous_ids().chain([resource.id().clone()]) {
            insert(self.names.entry(id.name.clone()).or_default());
            insert(self.any.entry(id).or_default());
        }
    }

    fn remove(&mut self, position: usize, resource: &Resource) {
        let take = |positions: Option<&mut Vec<usize>>| {
            if let Some(positions) = positions
                && let Ok(at) = positions.binary_search(&position)
            {
                positions.remove(at);
            }
        };
        take(self.current.get_mut(resource.id()));
        for id in resource.previous_ids().chain([resource.id().clone()]) {
            take(self.names.get_mut(&id.name));
            take(self.any.get_mut(&id));
        }
    }
}

impl ResourceSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// All, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.resources.iter()
    }

    /// All to change, in their order. The next look-up builds the index anew.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.index = OnceLock::new();
        self.resources.iter_mut()
    }

    /// The one at `position`.
    pub fn get(&self, position: usize) -> Option<&Resource> {
        self.resources.get(position)
    }

    /// Changes the one at `position` and keeps the index; `None` where there is none.
    pub fn update<R>(&mut self, position: usize, change: impl FnOnce(&mut Resource) -> R) -> Option<R> {
        let resource = self.resources.get_mut(position)?;
        let Some(index) = self.index.get_mut() else { return Some(change(resource)) };
        let (id, previous) = (resource.id().clone(), resource.previous.clone());
        let before = Stub { id, previous };
        let result = change(resource);
        if !before.describes(resource) {
            index.remove(position, &before.into_resource());
            index.add(position, resource);
        }
        Some(result)
    }

    /// The resources alone, in their order.
    pub fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    /// Positions of the resources whose current id is `id`.
    pub fn positions_by_current_id(&self, id: &ResourceId) -> &[usize] {
        self.index().current.get(id).map_or(&[], Vec::as_slice)
    }

    /// Positions of the resources that have or ever had `id`.
    pub fn positions_by_any_id(&self, id: &ResourceId) -> &[usize] {
        self.index().any.get(id).map_or(&[], Vec::as_slice)
    }

    /// Positions of the resources that have or ever had `name`.
    pub fn positions_by_any_name(&self, name: &str) -> &[usize] {
        self.index().names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The one resource that has or ever had `id`, as an untargeted patch finds it.
    ///
    /// # Errors
    /// `resource-no-match`, `resource-ambiguous`.
    pub fn find(&self, id: &ResourceId) -> Result<usize> {
        match self.positions_by_any_id(id) {
            [position] => Ok(*position),
            [] => Err(Diagnostic::error(
                "resource-no-match",
                format!("no matches for Id {id}; failed to find unique target for patch {id}"),
            )),
            _ => Err(Diagnostic::error(
                "resource-ambiguous",
                format!("multiple matches for Id {id}; failed to find unique target for patch {id}"),
            )),
        }
    }

    /// Adds one at the end.
    ///
    /// # Errors
    /// `resource-duplicate` when there is one of its current id.
    pub fn append(&mut self, resource: Resource) -> Result<()> {
        if let Some(&position) = self.positions_by_current_id(resource.id()).first() {
            let message = format!("may not add resource with an already registered id: {}", resource.id());
            let mut error = Diagnostic::error("resource-duplicate", message);
            if let Some(span) = resource.node().span {
                error = error.at(span);
            }
            if let Some(span) = self.resources.get(position).and_then(|first| first.node().span) {
                error = error.label(span, "it is first defined here");
            }
            return Err(error.hint("take one of them out, or give it another name or namespace"));
        }
        if let Some(index) = self.index.get_mut() {
            index.add(self.resources.len(), &resource);
        }
        self.resources.push(resource);
        Ok(())
    }

    /// Adds all at the end.
    ///
    /// # Errors
    /// As [`Self::append`]; those before the offending one stay added.
    pub fn append_all(&mut self, resources: impl IntoIterator<Item = Resource>) -> Result<()> {
        resources.into_iter().try_for_each(|resource| self.append(resource))
    }

    /// Puts `resource` in the place of the one with the same current id.
    ///
    /// # Errors
    /// `resource-no-match`.
    pub fn replace(&mut self, resource: Resource) -> Result<usize> {
        let Some(&position) = self.positions_by_current_id(resource.id()).last() else {
            let message = format!("cannot find resource with id {} to replace", resource.id());
            return Err(Diagnostic::error("resource-no-match", message));
        };
        self.update(position, |old| *old = resource);
        Ok(position)
    }

    /// Takes the one with the current id `id` out.
    ///
    /// # Errors
    /// `resource-no-match`.
    pub fn remove(&mut self, id: &ResourceId) -> Result<Resource> {
        let Some(&position) = self.positions_by_current_id(id).first() else {
            return Err(Diagnostic::error("resource-no-match", format!("id {id} not found in removal")));
        };
        self.index = OnceLock::new();
        Ok(self.resources.remove(position))
    }

    /// Keeps those for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Resource) -> bool) {
        let before = self.resources.len();
        self.resources.retain(keep);
        if self.resources.len() != before {
            self.index = OnceLock::new();
        }
    }

    /// Puts the resources into another order.
    pub fn sort_by(&mut self, compare: impl FnMut(&Resource, &Resource) -> std::cmp::Ordering) {
        self.index = OnceLock::new();
        self.resources.sort_by(compare);
    }

    /// Takes generated resources in, each by its [`GeneratorBehavior`]: a new one at the end, a merging or replacing
    /// one in the place of the one that has or had its id, whose name, labels, annotations and history it takes over.
    ///
    /// # Errors
    /// `resource-no-match` when there is nothing to merge into, `resource-duplicate` when there is and the behaviour
    /// is to create, `resource-ambiguous` when several match.
    pub fn absorb_all(&mut self, generated: impl IntoIterator<Item = Resource>) -> Result<()> {
        generated.into_iter().try_for_each(|resource| self.absorb(resource))
    }

    fn absorb(&mut self, mut generated: Resource) -> Result<()> {
        let id = generated.id().clone();
        let position = match self.positions_by_any_id(&id) {
            [] => {
                return match generated.behavior {
                    GeneratorBehavior::Merge | GeneratorBehavior::Replace => {
                        let message = format!("id {id} does not exist; cannot merge or replace");
                        Err(Diagnostic::error("resource-no-match", message)
                            .hint("name one that a base generates, with its `namespace`, or leave `behavior` out"))
                    }
                    _ => self.append(generated),
                };
            }
            [position] => *position,
            _ => {
                let message = format!("found multiple objects that could accept merge of {id}");
                let error = Diagnostic::error("resource-ambiguous", message);
                return Err(error.hint("name the `namespace` of the one that is meant"));
            }
        };
        let Some(old) = self.resources.get(position) else { return Ok(()) };
        match generated.behavior {
            GeneratorBehavior::Replace => take_over_metadata(&mut generated, old),
            GeneratorBehavior::Merge => {
                take_over_metadata(&mut generated, old);
                if let Some(origin) = old.node().at(&["metadata", "annotations", ORIGIN_ANNOTATION]) {
                    generated.set_annotation(ORIGIN_ANNOTATION, origin.clone());
                }
                for field in ["data", "binaryData"] {
                    merge_under(generated.node_mut(), old.node(), field);
                }
            }
            behavior => {
                let message = format!(
                    "id {id} exists; can not use behavior: '{}', behavior must be merge or replace",
                    behavior.name()
                );
                let error = Diagnostic::error("resource-duplicate", message);
                return Err(error.hint("`behavior: merge` adds to what is there; or give this one another name"));
            }
        }
        self.update(position, |old| *old = generated);
        Ok(())
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            for (position, resource) in self.resources.iter().enumerate() {
                index.add(position, resource);
            }
            index
        })
    }
}

/// Says where a resource came from; a merge leaves it.
const ORIGIN_ANNOTATION: &str = "config.kubernetes.io/origin";

/// What the index knows of a resource, to take it out again after it changed.
struct Stub {
    id: ResourceId,
    previous: Vec<crate::PreviousId>,
}

impl Stub {
    fn describes(&self, resource: &Resource) -> bool {
        let id = resource.id();
        self.id.gvk == id.gvk
            && self.id.name == id.name
            && self.id.namespace == id.namespace
            && self.previous == resource.previous
    }

    fn into_resource(self) -> Resource {
        let mut resource = Resource::new(Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::string(self.id.gvk.api_version())),
            (Node::scalar("kind"), Node::string(self.id.gvk.kind)),
        ]));
        resource.set_name(Node::string(self.id.name));
        resource.set_namespace(Some(Node::string(self.id.namespace)));
        resource.previous = self.previous;
        resource
    }
}

/// Labels and annotations of `old` under those of `new`; name, namespace and history of `old` (Kustomize's
/// `CopyMergeMetaDataFieldsFrom`). The hash is kept only where both want it.
fn take_over_metadata(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let Some(below) = old.node().at(&["metadata", field]) else { continue };
        let below = Node::mapping(vec![(Node::scalar(field), below.clone())]);
        let node = new.node_mut();
        if node.at(&["metadata"]).is_none() {
            node.set("metadata", Node::mapping(Vec::new()));
        }
        if let Some(metadata) = node.get_mut("metadata") {
            merge_under(metadata, &below, field);
        }
    }
    let metadata = |key: &str| old.node().at(&["metadata", key]).cloned();
    if let Some(name) = metadata("name") {
        new.set_name(name);
    }
    new.set_namespace(metadata("namespace"));
    new.needs_hash &= old.needs_hash;
    new.behavior = old.behavior;
    new.source = old.source;
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.referred_by.clone_from(&old.referred_by);
    new.allows_name_change = old.allows_name_change;
    new.allows_kind_change = old.allows_kind_change;
}

/// Puts the entries of `old.<field>` that `new.<field>` lacks before those that it has.
fn merge_under(new: &mut Node, old: &Node, field: &str) {
    let Some(below) = old.get(field).and_then(Node::entries).filter(|entries| !entries.is_empty()) else { return };
    if new.get(field).and_then(Node::entries).is_none() {
        new.set(field, Node::mapping(Vec::new()));
    }
    let Some(Content::Mapping(entries)) = new.get_mut(field).map(|node| &mut node.content) else { return };
    let mut above: HashMap<Box<str>, (Node, Node)> = HashMap::with_capacity(entries.len());
    let mut order: Vec<Box<str>> = Vec::with_capacity(entries.len());
    for (key, value) in entries.drain(..) {
        let text: Box<str> = key.as_str().unwrap_or_default().into();
        if above.insert(text.clone(), (key, value)).is_none() {
            order.push(text);
        }
    }
    for (key, value) in below {
        let entry = above.remove(key.as_str().unwrap_or_default()).map_or_else(
            || (key.clone(), value.clone()),
            |(key, mut over)| {
                if over.history.0.is_known() || over.span.is_some() {
                    over.history.0 = over.origin().over(&value.origin());
                }
                (key, over)
            },
        );
        entries.push(entry);
    }
    entries.extend(order.into_iter().filter_map(|key| above.remove(&key)));
}

impl IntoIterator for ResourceSet {
    type Item = Resource;
    type IntoIter = std::vec::IntoIter<Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.resources.into_iter()
    }
}

impl<'a> IntoIterator for &'a ResourceSet {
    type Item = &'a Resource;
    type IntoIter = std::slice::Iter<'a, Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str, data: &[(&str, &str)]) -> Resource {
        let data = data.iter().map(|(key, value)| (Node::scalar(*key), Node::string(*value))).collect();
        let mut resource = Resource::new(Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::scalar("v1")),
            (Node::scalar("kind"), Node::scalar("ConfigMap")),
            (Node::scalar("data"), Node::mapping(data)),
        ]));
        resource.set_name(Node::string(name));
        resource
    }

    fn data(resource: &Resource) -> Vec<(&str, &str)> {
        let entries = resource.node().get("data").and_then(Node::entries).unwrap_or_default();
        entries.iter().filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?))).collect()
    }

    #[test]
    fn a_second_resource_of_one_id_is_refused() {
        let mut set = ResourceSet::new();
        set.append(config_map("a", &[])).unwrap();
        let error = set.append(config_map("a", &[])).unwrap_err();
        assert_eq!(error.code, "resource-duplicate");
    }

    #[test]
    fn resources_are_found_by_every_id_they_had() {
        let mut set = ResourceSet::new();
        set.append_all([config_map("a", &[]), config_map("b", &[])]).unwrap();
        let a = set.get(0).unwrap().id().clone();
        assert_eq!(set.positions_by_current_id(&a), [0]);
        set.update(0, |resource| {
            resource.store_previous_id();
            resource.set_name(Node::string("x-a"));
        });
        assert_eq!(set.positions_by_current_id(&a), [] as [usize; 0]);
        assert_eq!(set.find(&a).unwrap(), 0);
        assert_eq!(set.positions_by_any_name("a"), [0]);
        assert_eq!(set.positions_by_any_name("x-a"), [0]);
        set.append(config_map("a", &[])).unwrap();
        assert_eq!(set.find(&a).unwrap_err().code, "resource-ambiguous");
        set.remove(&a).unwrap();
        assert_eq!(set.find(&a).unwrap(), 0);
    }

    #[test]
    fn absorbing_goes_by_the_behaviour() {
        for (behavior, expected) in [
            (GeneratorBehavior::Merge, Ok(vec![("a", "1"), ("b", "3"), ("c", "4")])),
            (GeneratorBehavior::Replace, Ok(vec![("b", "3"), ("c", "4")])),
            (GeneratorBehavior::Create, Err("resource-duplicate")),
            (GeneratorBehavior::Unspecified, Err("resource-duplicate")),
        ] {
            let mut set = ResourceSet::new();
            set.append(config_map("m", &[("a", "1"), ("b", "2")])).unwrap();
            let mut generated = config_map("m", &[("c", "4"), ("b", "3")]);
            generated.behavior = behavior;
            let result = set.absorb_all([generated]).map_err(|error| error.code);
            let result = result.map(|()| {
                let mut pairs = data(set.get(0).unwrap());
                pairs.sort_unstable();
                pairs
            });
            assert_eq!(result, expected, "{behavior:?}");
        }
    }

    #[test]
    fn merging_into_nothing_is_an_error() {
        let mut generated = config_map("m", &[]);
        generated.behavior = GeneratorBehavior::Merge;
        assert_eq!(ResourceSet::new().absorb_all([generated]).unwrap_err().code, "resource-no-match");
    }

    #[test]
    fn a_merged_resource_keeps_the_name_its_target_has_now() {
        let mut set = ResourceSet::new();
        set.append(config_map("m", &[])).unwrap();
        set.update(0, |resource| {
            resource.store_previous_id();
            resource.set_name(Node::string("x-m"));
            resource.set_label("app", Node::string("shop"));
        });
        let mut generated = config_map("m", &[("a", "1")]);
        generated.behavior = GeneratorBehavior::Merge;
        set.absorb_all([generated]).unwrap();
        let merged = set.get(0).unwrap();
        assert_eq!((merged.name(), &*merged.original_id().name), ("x-m", "m"));
        assert_eq!(merged.label("app"), Some("shop"));
    }
}
