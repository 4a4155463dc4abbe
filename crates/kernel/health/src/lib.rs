//! How an object of a cluster is, by the rules of kstatus: [`health`].
//!
//! An object is [current](Status::Current) once its controller has seen what it says and made it so. Which fields tell that
//! is known for Kubernetes' own kinds (`workloads`, `others`); of all others the conditions that controllers agree on are
//! read. [`trouble`] says of a pod what stands in its way long before its workload gives up.
//!
//! Two kinds are judged otherwise than by kstatus, since whoever waits wants to know the end: a Job is current when it has
//! completed, not when it has begun, and a PersistentVolumeClaim that waits is, since it may be one that is bound when a pod
//! wants it; such a pod says that it can't be scheduled.
//!
//! It knows objects as JSON, and no cluster.

mod conditions;
mod others;
mod pods;
mod workloads;

pub use pods::{Failed, Runs, Trouble, failed_container, runs, trouble};

use conditions::Conditions;
use serde_json::Value;

/// What has become of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is as it should be.
    Current,
    /// It is on the way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
}

/// What has become of an object, and why that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What has become of it.
    pub status: Status,
    /// What is missing, in words of its controller where it has any; empty for what is current.
    pub message: String,
}

impl Health {
    fn current() -> Self {
        Self { status: Status::Current, message: String::new() }
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self { status: Status::InProgress, message: message.into() }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self { status: Status::Failed, message: message.into() }
    }
}

/// What has become of `object`.
pub fn health(object: &Value) -> Health {
    if let Some(since) = text(object, "/metadata/deletionTimestamp") {
        return Health { status: Status::Terminating, message: format!("it is being deleted since {since}") };
    }
    let generation = number(object, "/metadata/generation");
    let observed = number(object, "/status/observedGeneration");
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return Health::in_progress("its controller has not seen the last change");
    }
    let conditions = Conditions::of(object);
    if let Some(stalled) = conditions.true_message("Stalled") {
        return Health::failed(stalled);
    }
    if let Some(reconciling) = conditions.true_message("Reconciling") {
        return Health::in_progress(reconciling);
    }
    let group = text(object, "/apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    let kind = text(object, "/kind").unwrap_or_default();
    match (group, kind) {
        ("apps", "Deployment") => workloads::deployment(object, &conditions),
        ("apps", "ReplicaSet") => workloads::replica_set(object, &conditions),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps", "DaemonSet") => workloads::daemon_set(object),
        ("batch", "Job") => workloads::job(object, &conditions),
        ("", "Pod") => pods::pod(object, &conditions),
        ("", "PersistentVolumeClaim") => others::claim(object),
        ("", "Service") => others::service(object),
        ("", "Namespace") => others::namespace(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => others::definition(&conditions),
        ("apiregistration.k8s.io", "APIService") => others::api_service(&conditions),
        _ if is_builtin(group) => Health::current(),
        _ => others::foreign(&conditions),
    }
}

/// Whether objects of a kind take their time to become what they should be; others are current once they are stored.
pub fn takes_time(group: &str, kind: &str) -> bool {
    let is_known = matches!(
        (group, kind),
        ("apps" | "batch", _)
            | ("", "Pod" | "PersistentVolumeClaim" | "Service" | "Namespace")
            | ("apiextensions.k8s.io" | "apiregistration.k8s.io", _)
    );
    is_known || !is_builtin(group)
}

/// Kinds of Kubernetes' own are there once they are stored, if nothing else is known of them.
fn is_builtin(group: &str) -> bool {
    !group.contains('.')
        || group.ends_with(".k8s.io") && !group.ends_with(".x-k8s.io") && group != "gateway.networking.k8s.io"
}

fn text<'o>(object: &'o Value, pointer: &str) -> Option<&'o str> {
    object.pointer(pointer).and_then(Value::as_str)
}

fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}
