//! DaemonSets: a pod on each node.

use super::{hash_of, is_active, is_ready, pod_of, pods_of, write_status};
use crate::cluster::Cluster;
use crate::deletion::Propagation;
use crate::object::{self, number, text};
use crate::store::Key;
use serde_json::{Value, json};

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, set: &Value) {
    let nodes: Vec<String> = cluster.store.list("nodes", None).map(|((_, name), _)| name.clone()).collect();
    let hash = hash_of(&set["spec"]["template"]);
    let is_current = |pod: &Value| text(pod, &["metadata", "labels", "controller-revision-hash"]) == hash;
    if !object::is_being_deleted(set) {
        let pods: Vec<_> = pods_of(cluster, set).into_iter().filter(|(_, pod)| is_active(pod)).collect();
        let updates = text(set, &["spec", "updateStrategy", "type"]) != "OnDelete";
        for node in &nodes {
            let of_node: Vec<_> = pods.iter().filter(|(_, pod)| text(pod, &["spec", "nodeName"]) == node).collect();
            match of_node.first() {
                None => {
                    let mut pod = pod_of(set, &set["spec"]["template"]);
                    object::set(&mut pod, &["metadata", "generateName"], format!("{}-", object::name(set)));
                    object::set(&mut pod, &["metadata", "labels", "controller-revision-hash"], hash.clone());
                    object::set(&mut pod, &["spec", "nodeName"], node.clone());
                    cluster.create_by_controller("v1", "Pod", pod);
                }
                Some((pod_key, pod)) if updates && !is_current(pod) => {
                    cluster.delete_by_controller(pod_key, Propagation::Background);
                }
                Some(_) => {}
            }
        }
    }
    let pods: Vec<_> = pods_of(cluster, set).into_iter().filter(|(_, pod)| is_active(pod)).collect();
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let updated = pods.iter().filter(|(_, pod)| is_current(pod)).count();
    let mut status = json!({
        "currentNumberScheduled": pods.len(), "desiredNumberScheduled": nodes.len(), "numberMisscheduled": 0,
        "numberReady": ready, "observedGeneration": number(set, &["metadata", "generation"]),
    });
    let unavailable = nodes.len().saturating_sub(ready);
    for (field, count) in
        [("updatedNumberScheduled", updated), ("numberAvailable", ready), ("numberUnavailable", unavailable)]
    {
        if count > 0 {
            status[field] = count.into();
        }
    }
    write_status(cluster, key, status);
}
