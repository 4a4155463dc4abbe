//! ReplicaSets: as many pods as are wanted.

use super::{is_active, is_ready, pod_of, pods_of, write_status};
use crate::cluster::Cluster;
use crate::deletion::Propagation;
use crate::object::{self, number};
use crate::store::Key;
use serde_json::{Value, json};

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, set: &Value) {
    let wanted = number(set, &["spec", "replicas"]).unwrap_or(1).max(0) as usize;
    if !object::is_being_deleted(set) {
        let pods: Vec<_> = pods_of(cluster, set).into_iter().filter(|(_, pod)| is_active(pod)).collect();
        for _ in pods.len()..wanted {
            let mut pod = pod_of(set, &set["spec"]["template"]);
            object::set(&mut pod, &["metadata", "generateName"], format!("{}-", object::name(set)));
            if cluster.create_by_controller("v1", "Pod", pod).is_none() {
                break;
            }
        }
        if pods.len() > wanted {
            // Those that are not ready yet go first.
            let mut pods = pods;
            pods.sort_by_key(|(_, pod)| is_ready(pod));
            let surplus = pods.len() - wanted;
            for (pod, _) in pods.into_iter().take(surplus) {
                cluster.delete_by_controller(&pod, Propagation::Background);
            }
        }
    }
    let pods: Vec<_> = pods_of(cluster, set).into_iter().filter(|(_, pod)| is_active(pod)).collect();
    let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
    let mut status = json!({"replicas": pods.len(), "observedGeneration": number(set, &["metadata", "generation"])});
    if !pods.is_empty() {
        status["fullyLabeledReplicas"] = pods.len().into();
    }
    if ready > 0 {
        status["readyReplicas"] = ready.into();
        status["availableReplicas"] = ready.into();
    }
    write_status(cluster, key, status);
}
