//! StatefulSets: pods with names and claims of their own, one after another.

use super::{hash_of, is_active, is_ready, pod_of, pods_of, write_status};
use crate::cluster::Cluster;
use crate::deletion::Propagation;
use crate::object::{self, items, number, text};
use crate::store::Key;
use serde_json::{Value, json};

const REVISION: &str = "controller-revision-hash";

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, set: &Value) {
    let wanted = number(set, &["spec", "replicas"]).unwrap_or(1).max(0);
    let first = number(set, &["spec", "ordinals", "start"]).unwrap_or(0);
    let revision = format!("{}-{}", object::name(set), hash_of(&set["spec"]["template"]));
    if !object::is_being_deleted(set) {
        step(cluster, set, first, wanted, &revision);
    }
    report(cluster, key, set, wanted, &revision);
}

/// Makes the next pod, or takes the last one away.
fn step(cluster: &mut Cluster, set: &Value, first: i64, wanted: i64, revision: &str) {
    let in_order = text(set, &["spec", "podManagementPolicy"]) != "Parallel";
    let pods = pods_of(cluster, set);
    let find = |ordinal: i64| {
        let name = format!("{}-{ordinal}", object::name(set));
        pods.iter().find(|(key, _)| key.name == name)
    };
    for ordinal in first..first + wanted {
        match find(ordinal) {
            None => {
                create(cluster, set, ordinal, revision);
                if in_order {
                    return;
                }
            }
            // One that is over is made anew.
            Some((key, pod)) if !is_active(pod) => {
                if !object::is_being_deleted(pod) {
                    cluster.delete_by_controller(key, Propagation::Background);
                }
                if in_order {
                    return;
                }
            }
            Some((_, pod))
                if in_order && !is_ready(pod) && text(pod, &["metadata", "labels", REVISION]) == revision =>
            {
                return;
            }
            Some(_) => {}
        }
    }
    let ordinal_of = |key: &Key| key.name.rsplit('-').next().and_then(|end| end.parse::<i64>().ok()).unwrap_or(0);
    let mut surplus: Vec<&Key> =
        pods.iter().map(|(key, _)| key).filter(|key| !(first..first + wanted).contains(&ordinal_of(key))).collect();
    surplus.sort_by_key(|key| std::cmp::Reverse(ordinal_of(key)));
    for key in surplus {
        cluster.delete_by_controller(key, Propagation::Background);
        if in_order {
            return;
        }
    }
    if text(set, &["spec", "updateStrategy", "type"]) == "OnDelete" {
        return;
    }
    let partition = number(set, &["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or(0);
    for ordinal in (first + partition.max(0)..first + wanted).rev() {
        match find(ordinal) {
            Some((key, pod)) if text(pod, &["metadata", "labels", REVISION]) != revision => {
                if !object::is_being_deleted(pod) {
                    cluster.delete_by_controller(key, Propagation::Background);
                }
                return;
            }
            Some((_, pod)) if !is_ready(pod) => return,
            _ => {}
        }
    }
}

fn create(cluster: &mut Cluster, set: &Value, ordinal: i64, revision: &str) {
    let name = format!("{}-{ordinal}", object::name(set));
    let mut pod = pod_of(set, &set["spec"]["template"]);
    object::set(&mut pod, &["metadata", "name"], name.clone());
    object::set(&mut pod, &["metadata", "labels", REVISION], revision);
    object::set(&mut pod, &["metadata", "labels", "statefulset.kubernetes.io/pod-name"], name.clone());
    object::set(&mut pod, &["metadata", "labels", "apps.kubernetes.io/pod-index"], ordinal.to_string());
    object::set(&mut pod, &["spec", "hostname"], name.clone());
    let service = text(set, &["spec", "serviceName"]);
    if !service.is_empty() {
        object::set(&mut pod, &["spec", "subdomain"], service);
    }
    let mut volumes = items(&pod, &["spec", "volumes"]).to_vec();
    for template in items(set, &["spec", "volumeClaimTemplates"]) {
        let claim_name = format!("{}-{name}", object::name(template));
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": template["spec"]});
        claim["metadata"] = json!({"name": claim_name, "namespace": object::namespace(set)});
        if let Some(labels) = object::at(set, &["spec", "selector", "matchLabels"]) {
            object::set(&mut claim, &["metadata", "labels"], labels.clone());
        }
        cluster.create_by_controller("v1", "PersistentVolumeClaim", claim);
        volumes.retain(|volume| volume["name"] != template["metadata"]["name"]);
        volumes.push(json!({"name": object::name(template), "persistentVolumeClaim": {"claimName": claim_name}}));
    }
    if !volumes.is_empty() {
        object::set(&mut pod, &["spec", "volumes"], volumes);
    }
    cluster.create_by_controller("v1", "Pod", pod);
}

fn report(cluster: &mut Cluster, key: &Key, set: &Value, wanted: i64, revision: &str) {
    let pods: Vec<_> = pods_of(cluster, set).into_iter().filter(|(_, pod)| is_active(pod)).collect();
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count() as i64;
    let updated =
        pods.iter().filter(|(_, pod)| text(pod, &["metadata", "labels", REVISION]) == revision).count() as i64;
    let before = text(set, &["status", "currentRevision"]);
    let is_complete = updated == wanted && ready == wanted;
    let current = if before.is_empty() || is_complete { revision } else { before };
    let mut status = json!({
        "observedGeneration": number(set, &["metadata", "generation"]), "replicas": pods.len(), "availableReplicas": ready,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    let on_current = if current == revision { updated } else { pods.len() as i64 - updated };
    for (field, count) in [("readyReplicas", ready), ("updatedReplicas", updated), ("currentReplicas", on_current)] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    write_status(cluster, key, status);
}
