//! What is kept: objects under their versions, and the bounded history of changes that watches are told from.

use crate::object;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// The name of a kind in all its versions, such as `deployments.apps`.
pub(crate) type StorageKey = Arc<str>;

/// Where an object is kept. The namespace is empty for what is in none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) resource: StorageKey,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A change of an object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) resource: StorageKey,
    /// The object after the change, or, when it was removed, as it was last, with the version of the removal.
    pub(crate) object: Arc<Value>,
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) is_removal: bool,
}

/// All objects.
#[derive(Debug)]
pub(crate) struct Store {
    objects: BTreeMap<StorageKey, BTreeMap<(String, String), Arc<Value>>>,
    version: u64,
    history: VecDeque<Change>,
    history_limit: usize,
    /// The newest version whose change is forgotten.
    compacted: u64,
    by_uid: HashMap<String, Key>,
    /// By the uid of an owner.
    dependents: HashMap<String, BTreeSet<Key>>,
}

impl Store {
    pub(crate) fn new(history_limit: usize) -> Self {
        Self {
            objects: BTreeMap::new(),
            version: 1,
            history: VecDeque::new(),
            history_limit,
            compacted: 0,
            by_uid: HashMap::new(),
            dependents: HashMap::new(),
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(&key.resource)?.get(&(key.namespace.clone(), key.name.clone()))
    }

    /// The objects of a kind in a namespace, or in all of them, ordered by namespace and name.
    pub(crate) fn list<'s>(
        &'s self,
        resource: &str,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = (&'s (String, String), &'s Arc<Value>)> {
        let of = self.objects.get(resource);
        let from = (namespace.unwrap_or_default().to_owned(), String::new());
        let range = of.map(|of| of.range(from..)).into_iter().flatten();
        range.take_while(move |((other, _), _)| namespace.is_none_or(|namespace| namespace == other))
    }

    /// Every object in a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<(Key, Arc<Value>)> {
        let mut found = Vec::new();
        for resource in self.objects.keys() {
            for ((namespace, name), object) in self.list(resource, Some(namespace)) {
                let key = Key { resource: resource.clone(), namespace: namespace.clone(), name: name.clone() };
                found.push((key, object.clone()));
            }
        }
        found
    }

    pub(crate) fn by_uid(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    pub(crate) fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Keeps an object under a new version.
    pub(crate) fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object::set(&mut object, &["metadata", "resourceVersion"], self.version.to_string());
        let object = Arc::new(object);
        let of = self.objects.entry(key.resource.clone()).or_default();
        let before = of.insert((key.namespace.clone(), key.name.clone()), object.clone());
        if let Some(before) = &before {
            self.forget_owners(&key, before);
        }
        for owner in object::items(&object, &["metadata", "ownerReferences"]) {
            self.dependents.entry(object::text(owner, &["uid"]).to_owned()).or_default().insert(key.clone());
        }
        self.by_uid.insert(object::uid(&object).to_owned(), key.clone());
        self.note(Change {
            version: self.version,
            resource: key.resource,
            object: object.clone(),
            before,
            is_removal: false,
        });
        object
    }

    /// Removes an object; as it was last, under the version of its removal.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let of = self.objects.get_mut(&key.resource)?;
        let before = of.remove(&(key.namespace.clone(), key.name.clone()))?;
        self.forget_owners(key, &before);
        self.by_uid.remove(object::uid(&before));
        self.version += 1;
        let mut object = Value::clone(&before);
        object::set(&mut object, &["metadata", "resourceVersion"], self.version.to_string());
        let object = Arc::new(object);
        let change = Change {
            version: self.version,
            resource: key.resource.clone(),
            object: object.clone(),
            before: Some(before),
            is_removal: true,
        };
        self.note(change);
        Some(object)
    }

    fn forget_owners(&mut self, key: &Key, object: &Value) {
        for owner in object::items(object, &["metadata", "ownerReferences"]) {
            let uid = object::text(owner, &["uid"]);
            if let Some(of) = self.dependents.get_mut(uid) {
                of.remove(key);
                if of.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
    }

    fn note(&mut self, change: Change) {
        self.history.push_back(change);
        while self.history.len() > self.history_limit {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.history.pop_front() {
            self.compacted = oldest.version;
        }
    }

    /// Forgets the history, as a real server does after a while.
    pub(crate) fn compact(&mut self) {
        self.history.clear();
        self.compacted = self.version;
    }

    /// The changes of a kind after a version; `None` when some of them are forgotten.
    pub(crate) fn since<'s>(&'s self, version: u64, resource: &'s str) -> Option<impl Iterator<Item = &'s Change>> {
        if version < self.compacted {
            return None;
        }
        let start = self.history.partition_point(|change| change.version <= version);
        Some(self.history.range(start..).filter(move |change| *change.resource == *resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn history_is_bounded_and_says_what_it_forgot() {
        let mut store = Store::new(2);
        let key = |name: &str| Key { resource: "configmaps".into(), namespace: "a".into(), name: name.into() };
        for name in ["x", "y", "z"] {
            store.put(key(name), json!({"metadata": {"name": name, "namespace": "a", "uid": name}}));
        }
        assert!(store.since(1, "configmaps").is_none());
        assert_eq!(store.since(2, "configmaps").expect("it is known").count(), 2);
        assert_eq!(store.since(2, "secrets").expect("it is known").count(), 0);
        store.remove(&key("x"));
        let last = store.since(4, "configmaps").expect("it is known").last().expect("there is one");
        assert!(last.is_removal && last.object["metadata"]["resourceVersion"] == "5");
        assert_eq!(store.list("configmaps", Some("a")).count(), 2);
    }
}
