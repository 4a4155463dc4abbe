//! Waiting until resources are what they should be, or gone, as Helm's strategies do: [`Wait`].

use crate::session::Session;
use crate::verdict::{Goal, State, Verdict};
use futures::stream::{StreamExt, iter};
use onepane_cluster::{Request, Resource};
use onepane_resource::defined_kinds;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How it is waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// For everything, until it has become what it should be.
    Watcher,
    /// The same by the rules of Helm 3.
    Legacy,
    /// For hooks alone.
    #[default]
    HookOnly,
}

/// How it is waited, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// How.
    pub strategy: Strategy,
    /// Whether Jobs of the release are to complete.
    pub for_jobs: bool,
    /// How long for each thing that is waited for. None at all means half a minute.
    pub timeout: Duration,
}

/// How long is waited where no time is given.
const USUAL: Duration = Duration::from_secs(30);
/// How soon it is looked again the first time, and how late at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 32;
/// Go's words for a time that is over.
const LATE: &str = "context deadline exceeded";

impl Wait {
    fn end(&self) -> Instant {
        Instant::now() + if self.timeout.is_zero() { USUAL } else { self.timeout }
    }

    /// Until the resources of a release are ready. The error is Helm's.
    pub(crate) async fn until_ready(&self, session: &Session<'_>, resources: &[Resource]) -> Result<(), String> {
        let goal = if self.for_jobs { Goal::ReadyAndDone } else { Goal::Ready };
        match self.strategy {
            Strategy::HookOnly => Ok(()),
            Strategy::Watcher => until(session, resources, goal, self.end()).await,
            Strategy::Legacy => until_ready_as_before(session, resources, self.for_jobs, self.end()).await,
        }
    }

    /// Until hooks have run. The error is Helm's.
    pub(crate) async fn until_run(&self, session: &Session<'_>, resources: &[Resource]) -> Result<(), String> {
        match self.strategy {
            Strategy::Legacy => until_run_as_before(session, resources, self.end()).await,
            _ => until(session, resources, Goal::Run, self.end()).await,
        }
    }

    /// Until resources are gone. The error is Helm's.
    pub(crate) async fn until_gone(&self, session: &Session<'_>, resources: &[Resource]) -> Result<(), String> {
        if self.strategy == Strategy::HookOnly {
            return Ok(());
        }
        let end = self.end();
        let mut pauses = Pauses::new();
        loop {
            let seen = look(session, resources, &|object| Verdict::of(object, Goal::Run)).await?;
            let mut left =
                resources.iter().zip(&seen).filter(|(_, verdict)| verdict.state != State::NotFound).peekable();
            if left.peek().is_none() {
                return Ok(());
            }
            if Instant::now() >= end {
                let told = left.map(|(Resource { kind, namespace, name, .. }, Verdict { state, message })| {
                    let state = state.name();
                    format!("resource {kind}/{namespace}/{name} still exists. status: {state}, message: {message}")
                });
                let told: Vec<String> = if self.strategy == Strategy::Legacy { Vec::new() } else { told.collect() };
                return Err(told.into_iter().chain([LATE.to_owned()]).collect::<Vec<_>>().join("\n"));
            }
            pauses.pause(session, end).await;
        }
    }

    /// Until what is defined is served, and listed as such, which the server does a moment later. Where it is never listed,
    /// who needs it says so.
    pub(crate) async fn until_defined(session: &Session<'_>, definitions: &[Resource]) -> Result<(), String> {
        let end = Instant::now() + Duration::from_secs(60);
        until(session, definitions, Goal::Ready, end).await?;
        let mut pauses = Pauses::new();
        loop {
            session.cluster.forget_served();
            let kinds = iter(definitions).flat_map(|one| iter(defined_kinds(&one.object)));
            let is_listed =
                kinds.all(|kind| async move { session.cluster.serves(&kind.api_version(), &kind.kind).await });
            if is_listed.await || Instant::now() >= end {
                return Ok(());
            }
            pauses.pause(session, end).await;
        }
    }
}

/// Pauses that grow.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    async fn pause(&mut self, session: &Session<'_>, end: Instant) {
        let left = end.saturating_duration_since(Instant::now());
        session.cluster.pause(self.0.min(left).max(Duration::from_millis(1))).await;
        self.0 = (self.0 * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// How each of the resources is. That the server can't be reached for a moment says nothing of them.
async fn look(
    session: &Session<'_>,
    resources: &[Resource],
    judge: &dyn Fn(&Value) -> Verdict,
) -> Result<Vec<Verdict>, String> {
    let seen = iter(resources).map(|resource| async {
        match session.cluster.ask(&Request::get(resource.path(), resource.asked())).await {
            Ok(object) => Ok(judge(&object)),
            Err(refusal) if refusal.is_not_found() => Ok(Verdict::absent()),
            Err(refusal) if matches!(refusal.code, 401 | 403) => Err(refusal.message),
            Err(_) => Ok(Verdict::new(State::Unknown, "")),
        }
    });
    seen.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
}

async fn until(session: &Session<'_>, resources: &[Resource], goal: Goal, end: Instant) -> Result<(), String> {
    let is_paused = |resource: &&Resource| {
        resource.kind == "Deployment" && resource.object.pointer("/spec/paused") == Some(&Value::Bool(true))
    };
    // Whoever pauses one knows that nothing comes of it.
    let mut waiting: Vec<(Resource, Option<Verdict>)> = resources
        .iter()
        .filter(|resource| goal == Goal::Run || !is_paused(resource))
        .map(|resource| (resource.clone(), None))
        .collect();
    let mut pauses = Pauses::new();
    loop {
        let is_open = |verdict: &Option<Verdict>| {
            !verdict.as_ref().is_some_and(|verdict| matches!(verdict.state, State::Current | State::Failed))
        };
        let open: Vec<usize> = (0..waiting.len()).filter(|at| is_open(&waiting[*at].1)).collect();
        let asked: Vec<Resource> = open.iter().map(|at| waiting[*at].0.clone()).collect();
        let seen = look(session, &asked, &|object| Verdict::of(object, goal)).await?;
        for (at, verdict) in open.into_iter().zip(seen) {
            waiting[at].1 = Some(verdict);
        }
        let is_late = Instant::now() >= end;
        if is_late || !waiting.iter().any(|(_, verdict)| is_open(verdict)) {
            let told = waiting.iter().filter_map(|(Resource { kind, namespace, name, .. }, verdict)| {
                let Verdict { state, message } = verdict.as_ref().filter(|it| it.state != State::Current)?;
                let state = state.name();
                Some(format!("resource {kind}/{namespace}/{name} not ready. status: {state}, message: {message}"))
            });
            let mut told: Vec<String> = told.collect();
            if is_late && waiting.iter().any(|(_, verdict)| is_open(verdict)) {
                told.push(LATE.to_owned());
            }
            return if told.is_empty() { Ok(()) } else { Err(told.join("\n")) };
        }
        pauses.pause(session, end).await;
    }
}

/// By the rules of Helm 3: pods, claims, services and workloads, of which a share may be unavailable.
async fn until_ready_as_before(
    session: &Session<'_>,
    resources: &[Resource],
    for_jobs: bool,
    end: Instant,
) -> Result<(), String> {
    let mut pauses = Pauses::new();
    loop {
        let seen = look(session, resources, &|object| was_ready(object, for_jobs)).await?;
        if let Some(failed) = seen.iter().find(|verdict| verdict.state == State::Failed) {
            return Err(failed.message.clone());
        }
        if seen.iter().all(|verdict| verdict.state == State::Current) {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(LATE.to_owned());
        }
        pauses.pause(session, end).await;
    }
}

/// Whether Helm 3 would have taken an object for ready.
fn was_ready(object: &Value, for_jobs: bool) -> Verdict {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let count = |name: &str| number(&format!("/status/{name}")).unwrap_or(0);
    let ready = |is: bool| Verdict::new(if is { State::Current } else { State::InProgress }, "");
    let has_condition = |kind: &str, wanted: &str| {
        let list = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
        list.into_iter().any(|condition| condition["type"] == *kind && condition["status"] == *wanted)
    };
    let is_seen = number("/status/observedGeneration") == number("/metadata/generation");
    let replicas = number("/spec/replicas").unwrap_or(1);
    match text("/kind") {
        "Pod" => ready(has_condition("Ready", "True")),
        "Job" if for_jobs => {
            if count("failed") > number("/spec/backoffLimit").unwrap_or(6) {
                let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
                return Verdict::new(State::Failed, format!("job is failed: {namespace}/{name}"));
            }
            ready(number("/spec/completions").is_none_or(|wanted| count("succeeded") >= wanted))
        }
        "Deployment" => {
            if object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
                return ready(true);
            }
            let unavailable = match text("/spec/strategy/type") {
                "Recreate" => 0,
                _ => share(object.pointer("/spec/strategy/rollingUpdate/maxUnavailable"), replicas, Rounding::Down),
            };
            let updated = count("updatedReplicas").min(count("readyReplicas"));
            ready(is_seen && updated >= replicas - unavailable)
        }
        "PersistentVolumeClaim" => ready(text("/status/phase") == "Bound"),
        "Service" => {
            let is_elsewhere = text("/spec/type") == "ExternalName";
            let has_address = !text("/spec/clusterIP").is_empty();
            let has_external =
                object.pointer("/spec/externalIPs").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            let is_balanced = text("/spec/type") != "LoadBalancer"
                || has_external
                || object.pointer("/status/loadBalancer/ingress").is_some();
            ready(is_elsewhere || has_address && is_balanced)
        }
        "DaemonSet" => {
            if is_seen && text("/spec/updateStrategy/type") != "RollingUpdate" {
                return ready(true);
            }
            let wanted = count("desiredNumberScheduled");
            let unavailable =
                share(object.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable"), wanted, Rounding::Up);
            ready(is_seen && count("updatedNumberScheduled") == wanted && count("numberReady") >= wanted - unavailable)
        }
        "StatefulSet" => {
            if is_seen && text("/spec/updateStrategy/type") != "RollingUpdate" {
                return ready(true);
            }
            let partition = number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
            let is_one = partition != 0 || text("/status/currentRevision") == text("/status/updateRevision");
            let counts = count("updatedReplicas") >= replicas - partition && count("readyReplicas") == replicas;
            ready(is_seen && counts && is_one)
        }
        "CustomResourceDefinition" => {
            ready(has_condition("Established", "True") || has_condition("NamesAccepted", "False"))
        }
        "ReplicaSet" | "ReplicationController" => ready(is_seen && count("readyReplicas") >= count("replicas")),
        _ => ready(true),
    }
}

/// Whether a share of a pod counts.
enum Rounding {
    Up,
    Down,
}

/// A number, or a share of `whole` such as `25%`.
fn share(value: Option<&Value>, whole: i64, rounding: Rounding) -> i64 {
    let Some(value) = value else { return 0 };
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok()).unwrap_or(0);
    let hundredfold = whole.saturating_mul(percent);
    match rounding {
        Rounding::Down => hundredfold / 100,
        Rounding::Up => hundredfold.saturating_add(99) / 100,
    }
}

/// Until Jobs and pods have run to their end, with the words of Helm 3.
async fn until_run_as_before(session: &Session<'_>, resources: &[Resource], end: Instant) -> Result<(), String> {
    let waited: Vec<Resource> =
        resources.iter().filter(|resource| matches!(resource.kind.as_str(), "Job" | "Pod")).cloned().collect();
    let mut pauses = Pauses::new();
    loop {
        let seen = look(session, &waited, &|object| {
            let verdict = Verdict::of(object, Goal::Run);
            let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            match (verdict.state, object["kind"].as_str()) {
                (State::Failed, Some("Job")) => {
                    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
                    let failed = conditions.into_iter().flatten().find(|condition| condition["type"] == "Failed");
                    let reason = failed.and_then(|condition| condition["reason"].as_str()).unwrap_or_default();
                    Verdict::new(State::Failed, format!("job {name} failed: {reason}"))
                }
                _ => verdict,
            }
        })
        .await?;
        let failed: Vec<&str> =
            seen.iter().filter(|verdict| verdict.state == State::Failed).map(|verdict| &*verdict.message).collect();
        if !seen.iter().any(|verdict| matches!(verdict.state, State::InProgress | State::Unknown)) {
            return if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) };
        }
        if Instant::now() >= end {
            return Err("timed out waiting for the condition".to_owned());
        }
        pauses.pause(session, end).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn helm_3_lets_a_share_be_unavailable() {
        let deployment = |ready: i64| {
            json!({"kind": "Deployment", "metadata": {"generation": 1},
                "spec": {"replicas": 4, "strategy": {"rollingUpdate": {"maxUnavailable": "25%"}}},
                "status": {"observedGeneration": 1, "updatedReplicas": 4, "readyReplicas": ready}})
        };
        assert_eq!(was_ready(&deployment(3), false).state, State::Current);
        assert_eq!(was_ready(&deployment(2), false).state, State::InProgress);
        let job = json!({"kind": "Job", "metadata": {"name": "j", "namespace": "n"}, "spec": {"backoffLimit": 0},
            "status": {"failed": 1}});
        assert_eq!(was_ready(&job, true).message, "job is failed: n/j");
        assert_eq!(was_ready(&job, false).state, State::Current);
    }
}
