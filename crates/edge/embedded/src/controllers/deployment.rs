//! Deployments: a ReplicaSet for each template, and the change from one to the next in one step.
//!
//! The new ReplicaSet is brought to its size at once, and the old ones go when all of its pods are ready. How many pods
//! may be missing or surplus meanwhile is not looked at; with `Recreate` the old pods go first.

use super::{condition, controlled, hash_of, owned_by, set_condition, write_status};
use crate::cluster::Cluster;
use crate::deletion::Propagation;
use crate::object::{self, number, text};
use crate::store::Key;
use crate::work::Progress;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const REVISION: &str = "deployment.kubernetes.io/revision";

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, deployment: &Value) {
    if object::is_being_deleted(deployment) {
        return;
    }
    let wanted = number(deployment, &["spec", "replicas"]).unwrap_or(1).max(0);
    let hash = hash_of(&deployment["spec"]["template"]);
    let name = format!("{}-{hash}", object::name(deployment));
    let of = |set: &Value, field: &str| number(set, &["status", field]).unwrap_or(0);
    let mut sets = controlled(cluster, deployment, "replicasets.apps");
    let is_paused = deployment["spec"]["paused"] == true;
    let latest = sets.iter().map(|(_, set)| revision(set)).max().unwrap_or(0);
    if !is_paused && !sets.iter().any(|(key, _)| key.name == name) {
        let recreates = text(deployment, &["spec", "strategy", "type"]) == "Recreate";
        let old_pods: i64 = sets.iter().map(|(_, set)| of(set, "replicas")).sum();
        if recreates && old_pods > 0 {
            for (key, set) in &sets {
                scale(cluster, key, set, 0);
            }
        } else {
            create(cluster, deployment, &name, &hash, latest + 1);
        }
        sets = controlled(cluster, deployment, "replicasets.apps");
    }
    let current = sets.iter().find(|(key, _)| key.name == name).cloned();
    if let Some((set_key, set)) = &current {
        scale(cluster, set_key, set, wanted);
        if revision(set) < latest {
            annotate(cluster, set_key, latest + 1);
        }
        let is_complete = of(set, "availableReplicas") >= wanted && number(set, &["spec", "replicas"]) == Some(wanted);
        let old: Vec<_> = sets.iter().filter(|(key, _)| key.name != name).collect();
        if is_complete || old.iter().all(|(_, set)| of(set, "availableReplicas") == 0) {
            for (key, set) in &old {
                scale(cluster, key, set, 0);
            }
            forget_oldest(cluster, deployment, &old);
        }
    }
    report(cluster, key, deployment, &name, wanted);
}

fn revision(set: &Value) -> i64 {
    text(set, &["metadata", "annotations", REVISION]).parse().unwrap_or(0)
}

fn create(cluster: &mut Cluster, deployment: &Value, name: &str, hash: &str, revision: i64) {
    let mut template = deployment["spec"]["template"].clone();
    object::set(&mut template, &["metadata", "labels", "pod-template-hash"], hash);
    let mut selector = deployment["spec"]["selector"].clone();
    object::set(&mut selector, &["matchLabels", "pod-template-hash"], hash);
    let wanted = number(deployment, &["spec", "replicas"]).unwrap_or(1);
    let annotations =
        json!({REVISION: revision.to_string(), "deployment.kubernetes.io/desired-replicas": wanted.to_string()});
    let metadata = json!({
        "name": name, "namespace": object::namespace(deployment), "labels": template["metadata"]["labels"],
        "annotations": annotations, "ownerReferences": owned_by(deployment),
    });
    let spec = json!({"replicas": wanted, "selector": selector, "template": template});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec});
    cluster.create_by_controller("apps/v1", "ReplicaSet", set);
}

fn scale(cluster: &mut Cluster, key: &Key, set: &Value, replicas: i64) {
    if number(set, &["spec", "replicas"]) != Some(replicas)
        && let Some(kind) = cluster.kinds.by_key(&key.resource)
    {
        cluster.change(&kind, key, "", |set| object::set(set, &["spec", "replicas"], replicas));
    }
}

/// What is rolled back to is the newest again.
fn annotate(cluster: &mut Cluster, key: &Key, revision: i64) {
    if let Some(kind) = cluster.kinds.by_key(&key.resource) {
        cluster.change(&kind, key, "", |set| {
            object::set(set, &["metadata", "annotations", REVISION], revision.to_string())
        });
    }
}

fn forget_oldest(cluster: &mut Cluster, deployment: &Value, old: &[&(Key, Arc<Value>)]) {
    let limit = number(deployment, &["spec", "revisionHistoryLimit"]).unwrap_or(10).max(0) as usize;
    let mut empty: Vec<_> =
        old.iter().filter(|(_, set)| number(set, &["status", "replicas"]).unwrap_or(0) == 0).collect();
    empty.sort_by_key(|(_, set)| revision(set));
    let surplus = empty.len().saturating_sub(limit);
    for (key, _) in empty.into_iter().take(surplus) {
        cluster.delete_by_controller(key, Propagation::Background);
    }
}

/// Writes the status: counts, and whether it is available and gets on.
fn report(cluster: &mut Cluster, key: &Key, deployment: &Value, name: &str, wanted: i64) {
    let sets = controlled(cluster, deployment, "replicasets.apps");
    let sum = |field: &str| -> i64 { sets.iter().filter_map(|(_, set)| number(set, &["status", field])).sum() };
    let current = sets.iter().find(|(key, _)| key.name == name).map(|(_, set)| set);
    let of_current = |field: &str| current.and_then(|set| number(set, &["status", field])).unwrap_or(0);
    let (total, updated, available) = (sum("replicas"), of_current("replicas"), sum("availableReplicas"));
    let mut status = json!({"observedGeneration": number(deployment, &["metadata", "generation"])});
    if let Some(conditions) = deployment["status"].get("conditions") {
        status["conditions"] = conditions.clone();
    }
    let counts = [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (total.max(wanted) - available).max(0)),
    ];
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        status[field] = count.into();
    }
    match available >= wanted {
        true => set_condition(
            &mut status,
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        ),
        false => set_condition(
            &mut status,
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        ),
    }
    let is_complete = updated == wanted && total == wanted && available == wanted;
    let is_late = !is_complete && is_late(cluster, key, deployment, [updated, total, available]);
    let (value, reason, message) = match (is_complete, is_late) {
        (true, _) => ("True", "NewReplicaSetAvailable", format!("ReplicaSet {name:?} has successfully progressed.")),
        (false, true) => {
            ("False", "ProgressDeadlineExceeded", format!("ReplicaSet {name:?} has timed out progressing."))
        }
        (false, false) => ("True", "ReplicaSetUpdated", format!("ReplicaSet {name:?} is progressing.")),
    };
    let before = condition(deployment, "Progressing").map(|before| before["reason"].clone());
    set_condition(&mut status, "Progressing", value, reason, &message);
    for entry in status["conditions"].as_array_mut().into_iter().flatten() {
        let is_new =
            entry.get("lastUpdateTime").is_none() || (entry["type"] == "Progressing" && before != Some(reason.into()));
        if is_new {
            entry["lastUpdateTime"] = object::now().into();
        }
    }
    let revision = current.map_or(0, |set| revision(set));
    let Some(kind) = cluster.kinds.by_key(&key.resource) else { return };
    if revision > 0 && text(deployment, &["metadata", "annotations", REVISION]) != revision.to_string() {
        cluster.change(&kind, key, "status", |deployment| {
            object::set(deployment, &["metadata", "annotations", REVISION], revision.to_string());
        });
    }
    write_status(cluster, key, status);
}

/// Whether nothing changed for longer than the deadline; an appointment is made to find out.
fn is_late(cluster: &mut Cluster, key: &Key, deployment: &Value, counts: [i64; 3]) -> bool {
    let deadline = number(deployment, &["spec", "progressDeadlineSeconds"]).unwrap_or(600).max(0) as u64;
    let deadline = cluster.options.scaled(Duration::from_secs(deadline)).max(Duration::from_millis(100));
    let generation = number(deployment, &["metadata", "generation"]).unwrap_or(0);
    let step =
        hash_of(&json!([generation, counts])).bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let uid = object::uid(deployment).to_owned();
    let now = Instant::now();
    match cluster.work.progress.get(&uid) {
        Some(progress) if progress.step == step => now >= progress.due,
        _ => {
            cluster.work.progress.insert(uid, Progress { step, due: now + deadline });
            cluster.work.appoint(key.clone(), now + deadline);
            false
        }
    }
}
