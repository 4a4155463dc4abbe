//! How a resource is, as Helm's waiters see it: [`Verdict`].
//!
//! The kinds that make pods, claims, and definitions are judged and worded as kstatus does, of which errors of Helm's tell;
//! all others by [`onepane_health`].

use onepane_health::{Status, health};
use serde_json::Value;

/// How a resource is, and why that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) state: State,
    pub(crate) message: String,
}

/// How a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Current,
    InProgress,
    Failed,
    Terminating,
    NotFound,
    Unknown,
}

impl State {
    /// kstatus' word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// That resources are ready; of Jobs, that they have begun.
    Ready,
    /// The same, and that Jobs have completed.
    ReadyAndDone,
    /// That hooks have run: Jobs and pods to their end, while all others need only be there.
    Run,
}

impl Verdict {
    pub(crate) fn new(state: State, message: impl Into<String>) -> Self {
        Self { state, message: message.into() }
    }

    /// Of what is not there.
    pub(crate) fn absent() -> Self {
        Self::new(State::NotFound, "Resource not found")
    }

    /// Of an object of the cluster.
    pub(crate) fn of(object: &Value, goal: Goal) -> Self {
        let kind = kind_of(object);
        let is_job = kind == ("batch", "Job");
        let special = match goal {
            Goal::Run if is_job => return of_generation(object).unwrap_or_else(|| job_to_its_end(object)),
            Goal::Run if kind == ("", "Pod") => return of_generation(object).unwrap_or_else(|| pod_to_its_end(object)),
            Goal::Run => return of_generation(object).unwrap_or_else(|| Self::current("Resource is current")),
            Goal::ReadyAndDone if is_job => Some(job_to_its_end(object)),
            _ => None,
        };
        if let Some(early) = of_generation(object) {
            return early;
        }
        let verdict = special.or_else(|| match kind {
            ("apps", "Deployment") => Some(deployment(object)),
            ("apps", "ReplicaSet") => Some(replica_set(object)),
            ("apps", "StatefulSet") => Some(stateful_set(object)),
            ("apps", "DaemonSet") => Some(daemon_set(object)),
            ("batch", "Job") => Some(job_begun(object)),
            ("", "Pod") => Some(pod(object)),
            ("", "PersistentVolumeClaim") => Some(claim(object)),
            ("", "Service") => Some(service(object)),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(definition(object)),
            _ => None,
        });
        verdict.unwrap_or_else(|| {
            let health = health(object);
            let state = match health.status {
                Status::Current => State::Current,
                Status::InProgress => State::InProgress,
                Status::Failed => State::Failed,
                Status::Terminating => State::Terminating,
            };
            Self::new(state, health.message)
        })
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(State::Current, message)
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self::new(State::InProgress, message)
    }
}

/// Group and kind.
fn kind_of(object: &Value) -> (&str, &str) {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    (text("apiVersion").split_once('/').map_or("", |(group, _)| group), text("kind"))
}

fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn conditions(object: &Value) -> impl Iterator<Item = (&str, &str, &str, &str)> {
    let list = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    list.map(|condition| {
        let field = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
        (field("type"), field("status"), field("reason"), field("message"))
    })
}

/// What holds of all kinds: what goes, what its controller has not seen, and what says so itself.
fn of_generation(object: &Value) -> Option<Verdict> {
    if !text(object, "/metadata/deletionTimestamp").is_empty() {
        return Some(Verdict::new(State::Terminating, "Resource scheduled for deletion"));
    }
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let observed = object.pointer("/status/observedGeneration").and_then(Value::as_i64);
    if let (Some(generation), Some(observed)) = (generation, observed)
        && generation != observed
    {
        let kind = kind_of(object).1;
        let message = format!("{kind} generation is {generation}, but latest observed generation is {observed}");
        return Some(Verdict::in_progress(message));
    }
    conditions(object).find_map(|(kind, status, _, message)| match (kind, status) {
        ("Reconciling", "True") => Some(Verdict::in_progress(message)),
        ("Stalled", "True") => Some(Verdict::new(State::Failed, message)),
        _ => None,
    })
}

/// The first of several counts that is short of what is wanted.
fn short(counts: &[(&str, i64, i64)]) -> Option<Verdict> {
    let (what, has, wanted) = counts.iter().find(|(_, has, wanted)| has < wanted)?;
    Some(Verdict::in_progress(format!("{what}: {has}/{wanted}")))
}

fn surplus(has: i64, wanted: i64) -> Option<Verdict> {
    (has > wanted).then(|| Verdict::in_progress(format!("Pending termination: {}", has - wanted)))
}

fn deployment(object: &Value) -> Verdict {
    let mut is_progressing = object.pointer("/spec/progressDeadlineSeconds").is_none()
        || number(object, "/spec/progressDeadlineSeconds", 0) == i64::from(i32::MAX);
    let mut is_available = false;
    for (kind, status, reason, _) in conditions(object) {
        match kind {
            "Progressing" if reason == "ProgressDeadlineExceeded" => {
                return Verdict::new(State::Failed, "Progress deadline exceeded");
            }
            "Progressing" if status == "True" && reason == "NewReplicaSetAvailable" => is_progressing = true,
            "Available" if status == "True" => is_available = true,
            _ => {}
        }
    }
    let count = |name: &str| number(object, &format!("/status/{name}"), 0);
    let wanted = number(object, "/spec/replicas", 1);
    let (has, updated) = (count("replicas"), count("updatedReplicas"));
    short(&[("Replicas", has, wanted), ("Updated", updated, wanted)])
        .or_else(|| surplus(has, wanted))
        .or_else(|| {
            short(&[("Available", count("availableReplicas"), updated), ("Ready", count("readyReplicas"), wanted)])
        })
        .unwrap_or_else(|| match (is_progressing, is_available) {
            (false, _) => Verdict::in_progress("ReplicaSet not Available"),
            (_, false) => Verdict::in_progress("Deployment not Available"),
            _ => Verdict::current(format!("Deployment is available. Replicas: {has}")),
        })
}

fn replica_set(object: &Value) -> Verdict {
    if conditions(object).any(|(kind, status, ..)| (kind, status) == ("ReplicaFailure", "True")) {
        return Verdict::in_progress("Replica Failure condition. Check Pods");
    }
    let count = |name: &str| number(object, &format!("/status/{name}"), 0);
    let wanted = number(object, "/spec/replicas", 1);
    short(&[
        ("Labelled", count("fullyLabeledReplicas"), wanted),
        ("Available", count("availableReplicas"), wanted),
        ("Ready", count("readyReplicas"), wanted),
    ])
    .or_else(|| surplus(count("replicas"), wanted))
    .unwrap_or_else(|| Verdict::current(format!("ReplicaSet is available. Replicas: {}", count("replicas"))))
}

fn stateful_set(object: &Value) -> Verdict {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Verdict::current("StatefulSet is using the ondelete update strategy");
    }
    let count = |name: &str| number(object, &format!("/status/{name}"), 0);
    let wanted = number(object, "/spec/replicas", 1);
    let has = count("replicas");
    let early = short(&[("Replicas", has, wanted), ("Ready", count("readyReplicas"), wanted)]);
    if let Some(early) = early.or_else(|| surplus(has, wanted)) {
        return early;
    }
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition", -1);
    if partition != -1 {
        let updated = count("updatedReplicas");
        return short(&[("updated", updated, wanted - partition)])
            .unwrap_or_else(|| Verdict::current(format!("Partition rollout complete. updated: {updated}")));
    }
    if let Some(short) = short(&[("current", count("currentReplicas"), wanted)]) {
        return short;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Verdict::in_progress("Waiting for updated revision to match current");
    }
    Verdict::current(format!("All replicas scheduled as expected. Replicas: {has}"))
}

fn daemon_set(object: &Value) -> Verdict {
    for (pointer, name) in
        [("/metadata/generation", "metadata.generation"), ("/status/observedGeneration", "status.observedGeneration")]
    {
        if object.pointer(pointer).and_then(Value::as_i64).is_none() {
            return Verdict::in_progress(format!("DaemonSet {name} not found"));
        }
    }
    let count = |name: &str| number(object, &format!("/status/{name}"), 0);
    let wanted = number(object, "/status/desiredNumberScheduled", -1);
    if wanted == -1 {
        return Verdict::in_progress("Missing .status.desiredNumberScheduled");
    }
    short(&[
        ("Current", count("currentNumberScheduled"), wanted),
        ("Updated", count("updatedNumberScheduled"), wanted),
        ("Available", count("numberAvailable"), wanted),
        ("Ready", count("numberReady"), wanted),
    ])
    .unwrap_or_else(|| Verdict::current(format!("All replicas scheduled as expected. Replicas: {wanted}")))
}

/// How a Job ended, if it has.
fn job_ended(object: &Value) -> Option<Verdict> {
    let wanted = number(object, "/spec/completions", number(object, "/spec/parallelism", 1));
    let count = |name: &str| number(object, &format!("/status/{name}"), 0);
    conditions(object).find_map(|(kind, status, ..)| match (kind, status) {
        ("Complete", "True") => {
            Some(Verdict::current(format!("Job Completed. succeeded: {}/{wanted}", count("succeeded"))))
        }
        ("Failed", "True") => {
            Some(Verdict::new(State::Failed, format!("Job Failed. failed: {}/{wanted}", count("failed"))))
        }
        _ => None,
    })
}

fn job_to_its_end(object: &Value) -> Verdict {
    job_ended(object).unwrap_or_else(|| Verdict::in_progress("Job in progress"))
}

fn job_begun(object: &Value) -> Verdict {
    job_ended(object).unwrap_or_else(|| {
        if text(object, "/status/startTime").is_empty() {
            return Verdict::in_progress("Job not started");
        }
        let count = |name: &str| number(object, &format!("/status/{name}"), 0);
        let (succeeded, active, failed) = (count("succeeded"), count("active"), count("failed"));
        Verdict::current(format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}"))
    })
}

fn pod_to_its_end(object: &Value) -> Verdict {
    let name = text(object, "/metadata/name");
    match text(object, "/status/phase") {
        "Succeeded" => Verdict::current(format!("pod {name} succeeded")),
        "Failed" => Verdict::new(State::Failed, format!("pod {name} failed")),
        _ => Verdict::in_progress("Pod in progress"),
    }
}

fn pod(object: &Value) -> Verdict {
    let has = |wanted: &str, is: &str| conditions(object).any(|(kind, status, ..)| (kind, status) == (wanted, is));
    match text(object, "/status/phase") {
        "Succeeded" => Verdict::current("Pod has completed successfully"),
        "Failed" => Verdict::current("Pod has completed, but not successfully"),
        "Running" if has("Ready", "True") => Verdict::current("Pod is Ready"),
        "Running" => {
            let containers = object.pointer("/status/containerStatuses").and_then(Value::as_array);
            let crashing: Vec<&str> = containers
                .into_iter()
                .flatten()
                .filter(|container| text(container, "/state/waiting/reason") == "CrashLoopBackOff")
                .map(|container| text(container, "/name"))
                .collect();
            match crashing.as_slice() {
                [] => Verdict::in_progress("Pod is running but is not Ready"),
                names => {
                    let message = format!("Containers in CrashLoop state: {}", names.join(","));
                    Verdict::new(State::Failed, message)
                }
            }
        }
        "Pending" => {
            let unschedulable = conditions(object)
                .any(|(kind, status, reason, _)| (kind, status, reason) == ("PodScheduled", "False", "Unschedulable"));
            match unschedulable {
                true if is_younger_than_15_seconds(object) => Verdict::in_progress("Pod has not been scheduled"),
                true => Verdict::new(State::Failed, "Pod could not be scheduled"),
                false => Verdict::in_progress("Pod is in the Pending phase"),
            }
        }
        _ => Verdict::in_progress("Pod phase not available"),
    }
}

/// kstatus gives the scheduler that long.
fn is_younger_than_15_seconds(object: &Value) -> bool {
    let made = crate::time::Time::parse(text(object, "/metadata/creationTimestamp"));
    made.is_some_and(|made| crate::time::Time::now().unix() - made.unix() < 15)
}

fn claim(object: &Value) -> Verdict {
    match text(object, "/status/phase") {
        "Bound" => Verdict::current("PVC is Bound"),
        phase => {
            let phase = if phase.is_empty() { "unknown" } else { phase };
            Verdict::in_progress(format!("PVC is not Bound. phase: {phase}"))
        }
    }
}

fn service(object: &Value) -> Verdict {
    if text(object, "/spec/type") == "LoadBalancer" && text(object, "/spec/clusterIP").is_empty() {
        return Verdict::in_progress("ClusterIP not set. Service type: LoadBalancer");
    }
    Verdict::current("Service is ready")
}

fn definition(object: &Value) -> Verdict {
    for (kind, status, reason, message) in conditions(object) {
        match (kind, status) {
            ("NamesAccepted", "False") => return Verdict::new(State::Failed, message),
            ("Established", "False") if reason != "Installing" => return Verdict::new(State::Failed, message),
            ("Established", "True") => return Verdict::current("CRD is established"),
            _ => {}
        }
    }
    Verdict::in_progress("Install in progress")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(api_version: &str, kind: &str, spec: Value, status: Value, goal: Goal) -> (State, String) {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 1},
            "spec": spec, "status": status});
        let Verdict { state, message } = Verdict::of(&object, goal);
        (state, message)
    }

    #[test]
    fn words_are_those_of_kstatus() {
        let available = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1, "conditions": [{"type": "Available", "status": "True"}]});
        let failed = json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]});
        let cases = [
            ("apps/v1", "Deployment", json!({}), json!({}), Goal::Ready, State::InProgress, "Replicas: 0/1"),
            (
                "apps/v1",
                "Deployment",
                json!({}),
                available,
                Goal::Ready,
                State::Current,
                "Deployment is available. Replicas: 1",
            ),
            (
                "batch/v1",
                "Job",
                json!({}),
                json!({"startTime": "t"}),
                Goal::Ready,
                State::Current,
                "Job in progress. success:0, active: 0, failed: 0",
            ),
            (
                "batch/v1",
                "Job",
                json!({}),
                json!({"startTime": "t"}),
                Goal::ReadyAndDone,
                State::InProgress,
                "Job in progress",
            ),
            ("batch/v1", "Job", json!({}), failed, Goal::Run, State::Failed, "Job Failed. failed: 1/1"),
            ("v1", "Pod", json!({}), json!({"phase": "Failed"}), Goal::Run, State::Failed, "pod x failed"),
            (
                "v1",
                "Pod",
                json!({}),
                json!({"phase": "Failed"}),
                Goal::Ready,
                State::Current,
                "Pod has completed, but not successfully",
            ),
            (
                "v1",
                "PersistentVolumeClaim",
                json!({}),
                json!({"phase": "Pending"}),
                Goal::Ready,
                State::InProgress,
                "PVC is not Bound. phase: Pending",
            ),
            (
                "v1",
                "PersistentVolumeClaim",
                json!({}),
                json!({"phase": "Pending"}),
                Goal::Run,
                State::Current,
                "Resource is current",
            ),
            (
                "apps/v1",
                "DaemonSet",
                json!({}),
                json!({}),
                Goal::Ready,
                State::InProgress,
                "DaemonSet status.observedGeneration not found",
            ),
            (
                "apps/v1",
                "StatefulSet",
                json!({}),
                json!({"observedGeneration": 2}),
                Goal::Ready,
                State::InProgress,
                "StatefulSet generation is 1, but latest observed generation is 2",
            ),
        ];
        for (api_version, kind, spec, status, goal, state, message) in cases {
            assert_eq!(verdict(api_version, kind, spec, status, goal), (state, message.to_owned()), "{kind} {goal:?}");
        }
    }
}
