//! Deleting: preconditions, grace, finalizers, and what becomes of dependents.

use crate::cluster::{Cluster, Writing};
use crate::failure::{Failure, Result};
use crate::kinds::Kind;
use crate::object::{self, at, items, text};
use crate::store::Key;
use serde_json::{Value, json};
use std::sync::Arc;

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They are deleted afterwards.
    #[default]
    Background,
    /// They are deleted before.
    Foreground,
    /// They are left alone, and no longer dependents.
    Orphan,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) grace: Option<i64>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) dry_run: bool,
}

/// What is left after a deletion.
#[derive(Debug)]
pub(crate) enum Left {
    /// Nothing; the object as it was.
    Gone(Arc<Value>),
    /// It waits for somebody.
    Waiting(Arc<Value>),
}

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

impl Cluster {
    pub(crate) fn delete(&mut self, kind: &Kind, key: &Key, deletion: &Deletion) -> Result<Left> {
        let old = self.store.get(key).cloned().ok_or_else(|| Failure::not_found(kind, &key.name))?;
        let is_forever = matches!(&*key.name, "default" | "kube-system" | "kube-public");
        if kind.kind == "Namespace" && kind.group.is_empty() && is_forever {
            return Err(Failure::forbidden(kind, &key.name, "this namespace may not be deleted", Value::Null));
        }
        if let Some(uid) = deletion.uid.as_ref().filter(|uid| **uid != object::uid(&old)) {
            let is = object::uid(&old);
            let why = format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({is}). The object might have been deleted and then recreated"
            );
            return Err(Failure::precondition(kind, &key.name, &why));
        }
        let version = text(&old, &["metadata", "resourceVersion"]);
        if let Some(wanted) = deletion.resource_version.as_ref().filter(|wanted| **wanted != version) {
            let why = format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
            );
            return Err(Failure::precondition(kind, &key.name, &why));
        }
        let grace = grace(kind, &old, deletion.grace);
        let mut new = Value::clone(&old);
        for finalizer in [FOREGROUND, ORPHAN] {
            if deletion.propagation.is_some() && !object::is_being_deleted(&old) {
                object::remove_finalizer(&mut new, finalizer);
            }
        }
        let added = match deletion.propagation {
            Some(Propagation::Foreground) => Some(FOREGROUND),
            Some(Propagation::Orphan) => Some(ORPHAN),
            _ if self.has_instances(kind, &old) => Some(CLEANUP),
            _ => None,
        };
        if let Some(finalizer) =
            added.filter(|finalizer| !object::finalizers(&new).iter().any(|other| other == finalizer))
        {
            let finalizers = object::mapping(&mut new, &["metadata"]).entry("finalizers").or_insert(json!([]));
            if let Value::Array(finalizers) = finalizers {
                finalizers.push(finalizer.into());
            }
        }
        let waits =
            !object::finalizers(&new).is_empty() || !items(&new, &["spec", "finalizers"]).is_empty() || grace > 0;
        if deletion.dry_run {
            return Ok(if waits { Left::Waiting(old) } else { Left::Gone(old) });
        }
        if !waits {
            self.store_removal(key);
            return Ok(Left::Gone(old));
        }
        if object::is_being_deleted(&old) {
            // What is on its way out can only be hurried.
            let left = object::number(&old, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
            if grace >= left {
                return Ok(Left::Waiting(old));
            }
        }
        let due = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(grace);
        object::set(&mut new, &["metadata", "deletionTimestamp"], due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        object::set(&mut new, &["metadata", "deletionGracePeriodSeconds"], grace);
        if let Some(generation) = object::number(&old, &["metadata", "generation"]) {
            object::set(&mut new, &["metadata", "generation"], generation + 1);
        }
        if kind.kind == "Namespace" && kind.group.is_empty() {
            object::remove(&mut new, &["metadata", "deletionGracePeriodSeconds"]);
            object::set(&mut new, &["status", "phase"], "Terminating");
        }
        Ok(Left::Waiting(self.put(key.clone(), new)))
    }

    fn has_instances(&self, kind: &Kind, definition: &Value) -> bool {
        kind.kind == "CustomResourceDefinition" && self.store.list(object::name(definition), None).next().is_some()
    }

    /// Evicts what a controller no longer wants, if it is still there.
    pub(crate) fn delete_by_controller(&mut self, key: &Key, propagation: Propagation) {
        if let Some(kind) = self.kinds.by_key(&key.resource) {
            let deletion = Deletion { propagation: Some(propagation), ..Deletion::default() };
            // Not found is what was wanted.
            let _ = self.delete(&kind, key, &deletion);
        }
    }

    /// The garbage collector's look at one object: whether its owners are gone, and what its own deletion waits for.
    pub(crate) fn collect_garbage(&mut self, key: &Key) {
        let Some(object) = self.store.get(key).cloned() else { return };
        let owners = items(&object, &["metadata", "ownerReferences"]);
        let is_orphaned = |owner: &Value| self.store.by_uid(text(owner, &["uid"])).is_none();
        if !owners.is_empty() && owners.iter().all(is_orphaned) && !object::is_being_deleted(&object) {
            self.delete_by_controller(key, Propagation::Background);
            return;
        }
        if !object::is_being_deleted(&object) {
            return;
        }
        let waits_for = |finalizer: &str| object::finalizers(&object).iter().any(|other| other == finalizer);
        let uid = object::uid(&object);
        if waits_for(ORPHAN) {
            for dependent in self.store.dependents(uid) {
                self.disown(&dependent, uid);
            }
            self.finalize(key, ORPHAN);
        } else if waits_for(FOREGROUND) {
            let mut is_blocked = false;
            for dependent in self.store.dependents(uid) {
                let Some(found) = self.store.get(&dependent).cloned() else { continue };
                let blocks = items(&found, &["metadata", "ownerReferences"])
                    .iter()
                    .any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true);
                if !object::is_being_deleted(&found) {
                    self.delete_by_controller(&dependent, Propagation::Foreground);
                }
                is_blocked |= blocks && self.store.get(&dependent).is_some();
            }
            if !is_blocked {
                self.finalize(key, FOREGROUND);
            }
        }
    }

    fn disown(&mut self, key: &Key, uid: &str) {
        let Some(kind) = self.kinds.by_key(&key.resource) else { return };
        self.change(&kind, key, "", |object| {
            let rest: Vec<Value> = items(object, &["metadata", "ownerReferences"])
                .iter()
                .filter(|owner| owner["uid"] != uid)
                .cloned()
                .collect();
            object::set(object, &["metadata", "ownerReferences"], rest);
        });
    }

    pub(crate) fn finalize(&mut self, key: &Key, finalizer: &str) {
        let Some(kind) = self.kinds.by_key(&key.resource) else { return };
        // Gone meanwhile is as good as finalized.
        let _ = self.update(&kind, key, &Writing::by_controller(""), |old| {
            let mut new = old.clone();
            object::remove_finalizer(&mut new, finalizer);
            Ok(new)
        });
    }

    /// A definition that is being deleted waits for its resources, which go first.
    pub(crate) fn clean_up_definition(&mut self, key: &Key, definition: &Value) {
        if !object::is_being_deleted(definition) {
            return;
        }
        let resource: Arc<str> = object::name(definition).into();
        let instances: Vec<Key> = self
            .store
            .list(&resource, None)
            .map(|((namespace, name), _)| Key {
                resource: resource.clone(),
                namespace: namespace.clone(),
                name: name.clone(),
            })
            .collect();
        for instance in &instances {
            self.delete_by_controller(instance, Propagation::Background);
        }
        if self.store.list(&resource, None).next().is_none() {
            self.finalize(key, CLEANUP);
        }
    }
}

/// How many seconds an object is left: pods that are on a node have time to stop.
fn grace(kind: &Kind, object: &Value, asked: Option<i64>) -> i64 {
    let is_pod = kind.group.is_empty() && kind.kind == "Pod";
    let is_over = matches!(text(object, &["status", "phase"]), "Succeeded" | "Failed");
    if !is_pod || text(object, &["spec", "nodeName"]).is_empty() || is_over {
        return 0;
    }
    let own = at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(30);
    asked.unwrap_or(own).max(0)
}
