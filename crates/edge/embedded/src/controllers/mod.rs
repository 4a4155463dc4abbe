//! What makes something of objects: one controller a file, each a function from a key to changes.
//!
//! They are told of keys that changed, of their owners, and of appointments they made; nothing is polled. Each looks at
//! the state as it is, and may be told too often.

mod daemon_set;
mod deployment;
mod job;
mod namespace;
mod pod;
mod replica_set;
mod stateful_set;

use crate::cluster::Cluster;
use crate::definitions;
use crate::object::{self, items, text};
use crate::store::Key;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// One look at an object.
pub(crate) fn reconcile(cluster: &mut Cluster, key: &Key) {
    cluster.collect_garbage(key);
    let Some(object) = cluster.store.get(key).cloned() else { return };
    match &*key.resource {
        "namespaces" => namespace::reconcile(cluster, key, &object),
        "customresourcedefinitions.apiextensions.k8s.io" => definition(cluster, key, &object),
        "persistentvolumeclaims" if object::is_being_deleted(&object) => release(cluster, key),
        "persistentvolumes" if object::is_being_deleted(&object) => {
            cluster.finalize(key, "kubernetes.io/pv-protection")
        }
        _ if !cluster.options.controllers => {}
        "deployments.apps" => deployment::reconcile(cluster, key, &object),
        "replicasets.apps" => replica_set::reconcile(cluster, key, &object),
        "statefulsets.apps" => stateful_set::reconcile(cluster, key, &object),
        "daemonsets.apps" => daemon_set::reconcile(cluster, key, &object),
        "jobs.batch" => job::reconcile(cluster, key, &object),
        "pods" => pod::reconcile(cluster, key, &object),
        "persistentvolumeclaims" => claim(cluster, key, &object),
        _ => {}
    }
}

/// A definition is accepted, served, and in the end cleaned up.
fn definition(cluster: &mut Cluster, key: &Key, object: &Value) {
    cluster.clean_up_definition(key, object);
    let Some(object) = cluster.store.get(key).cloned() else { return };
    let status = definitions::status(cluster, &object);
    if object.get("status") != Some(&status)
        && let Some(kind) = cluster.kinds.by_key(&key.resource)
    {
        cluster.change(&kind, key, "status", |object| object["status"] = status);
    }
}

/// A claim that is being deleted is kept as long as a pod uses it.
fn release(cluster: &mut Cluster, key: &Key) {
    let uses = |pod: &Value| {
        let mut volumes = items(pod, &["spec", "volumes"]).iter();
        volumes.any(|volume| text(volume, &["persistentVolumeClaim", "claimName"]) == key.name)
    };
    let is_used = cluster.store.list("pods", Some(&key.namespace)).any(|(_, pod)| is_active(pod) && uses(pod));
    if !is_used {
        cluster.finalize(key, "kubernetes.io/pvc-protection");
    }
}

/// The claims that a pod uses may go when it is gone.
pub(crate) fn claims_of(pod: &Value) -> Vec<Key> {
    let volumes = items(pod, &["spec", "volumes"]).iter();
    let claims =
        volumes.map(|volume| text(volume, &["persistentVolumeClaim", "claimName"])).filter(|name| !name.is_empty());
    let key = |name: &str| Key {
        resource: "persistentvolumeclaims".into(),
        namespace: object::namespace(pod).to_owned(),
        name: name.to_owned(),
    };
    claims.map(key).collect()
}

/// A claim is bound to a volume that is nowhere.
fn claim(cluster: &mut Cluster, key: &Key, object: &Value) {
    if cluster.options.nodes == 0 || text(object, &["status", "phase"]) != "Pending" {
        return;
    }
    let Some(kind) = cluster.kinds.by_key(&key.resource) else { return };
    let volume = format!("pvc-{}", object::uid(object));
    cluster.change(&kind, key, "", |object| object::default(object, &["spec", "volumeName"], volume));
    cluster.change(&kind, key, "status", |object| {
        let capacity = object["spec"]["resources"]["requests"].clone();
        let modes = object["spec"]["accessModes"].clone();
        object["status"] = json!({"phase": "Bound", "accessModes": modes, "capacity": capacity});
    });
}

/// The pods that an object controls.
fn pods_of(cluster: &Cluster, owner: &Value) -> Vec<(Key, Arc<Value>)> {
    controlled(cluster, owner, "pods")
}

/// The objects of a kind that an object controls.
fn controlled(cluster: &Cluster, owner: &Value, resource: &str) -> Vec<(Key, Arc<Value>)> {
    let dependents = cluster.store.dependents(object::uid(owner)).into_iter().filter(|key| *key.resource == *resource);
    let found = dependents.filter_map(|key| cluster.store.get(&key).map(|found| (key.clone(), found.clone())));
    found.filter(|(_, found)| object::controller_of(found).is_some_and(|of| of["uid"] == object::uid(owner))).collect()
}

/// The reference to a controller.
fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": object::name(owner), "uid": object::uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// A pod of a template.
fn pod_of(owner: &Value, template: &Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]});
    pod["metadata"] = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    for field in ["creationTimestamp", "name"] {
        object::remove(&mut pod, &["metadata", field]);
    }
    object::set(&mut pod, &["metadata", "namespace"], object::namespace(owner));
    object::set(&mut pod, &["metadata", "ownerReferences"], owned_by(owner));
    pod
}

/// A short name for a template, the same for the same template.
fn hash_of(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    let mut hash = hasher.finish();
    let mut name = String::new();
    for _ in 0..9 {
        name.extend(LETTERS.get((hash % LETTERS.len() as u64) as usize).map(|letter| char::from(*letter)));
        hash /= LETTERS.len() as u64;
    }
    name
}

fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
}

/// Whether a pod is neither over nor on its way out.
fn is_active(pod: &Value) -> bool {
    !object::is_being_deleted(pod) && !matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

fn condition<'v>(object: &'v Value, of: &str) -> Option<&'v Value> {
    items(object, &["status", "conditions"]).iter().find(|condition| condition["type"] == of)
}

/// Sets a condition of a status; the time of its transition is that of the last other value.
fn set_condition(status: &mut Value, of: &str, value: &str, reason: &str, message: &str) {
    let now = object::now();
    let conditions = object::mapping(status, &[]).entry("conditions").or_insert(json!([]));
    let Value::Array(conditions) = conditions else { return };
    let mut new = json!({"type": of, "status": value, "lastTransitionTime": now});
    if !reason.is_empty() {
        new["reason"] = reason.into();
    }
    if !message.is_empty() {
        new["message"] = message.into();
    }
    match conditions.iter_mut().find(|condition| condition["type"] == of) {
        Some(old) => {
            if old["status"] == value {
                new["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            for field in ["lastUpdateTime", "lastProbeTime"] {
                if let Some(time) = old.get(field) {
                    new[field] = time.clone();
                }
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

/// Writes a status, if it is another one.
fn write_status(cluster: &mut Cluster, key: &Key, status: Value) {
    let Some(kind) = cluster.kinds.by_key(&key.resource) else { return };
    if cluster.store.get(key).is_some_and(|object| object.get("status") != Some(&status)) {
        cluster.change(&kind, key, "status", |object| object["status"] = status);
    }
}
