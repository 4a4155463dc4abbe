//! Waiting until what was applied has become what it should be: [`until_current`].

use crate::event::{Event, Happened};
use crate::failure::Failure;
use crate::identity::Identity;
use crate::server::{Kind, Server};
use crate::set::PART_OF;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use kube::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event as Seen};
use onepane_health::{Failed, Health, Runs, Status, Trouble, failed_container, health, runs, takes_time, trouble};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a pod may be in a trouble that no time mends before its workload counts as failed.
const GRACE: Duration = Duration::from_secs(20);
/// A workload has failed whose pod has crashed so often, whatever it may still wait for: two and a half minutes.
const MOST_CRASHES: i64 = 6;

/// Kubernetes' word for a container that ends again and again.
const CRASHES: &str = "CrashLoopBackOff";

/// A log that does not come within that is not told: others are waited for.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// What a watch tells of: an object of the set, or a pod.
enum Watched {
    Member(Kind),
    Pods,
}

/// What one of the watches says, by its number.
type Told = (usize, Result<Seen<DynamicObject>, watcher::Error>);

/// Waits until the objects of these kinds are what they should be, or can't become that, at most as long as `patience`;
/// gives how many are not.
///
/// # Errors
/// For an object that can't be read.
pub(crate) async fn until_current(
    server: &Server,
    kinds: Vec<(Kind, HashSet<Identity>)>,
    set: &str,
    patience: Duration,
    tell: &dyn Fn(&Event),
) -> Result<usize, Failure> {
    let kinds: Vec<_> =
        kinds.into_iter().filter(|(kind, _)| takes_time(&kind.resource.group, &kind.resource.kind)).collect();
    let mut waiting = Waiting::default();
    let mut watches: SelectAll<BoxStream<'_, Told>> = SelectAll::new();
    let mut watched: Vec<Watched> = Vec::new();
    for (kind, identities) in kinds {
        let api: Api<DynamicObject> = Api::all_with(server.client().clone(), &kind.resource);
        let config = watcher::Config::default().labels(&format!("{PART_OF}={set}"));
        let at = watched.len();
        watches.push(watcher::watcher(api, config).map(move |seen| (at, seen)).boxed());
        watched.push(Watched::Member(kind));
        waiting.undecided.extend(identities);
    }
    let namespaces: BTreeSet<String> = waiting.undecided.iter().map(|one| one.namespace.clone()).collect();
    for namespace in namespaces.iter().filter(|namespace| !namespace.is_empty()) {
        let pods = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        let api: Api<DynamicObject> = Api::namespaced_with(server.client().clone(), namespace, &pods);
        let at = watched.len();
        watches.push(watcher::watcher(api, watcher::Config::default()).map(move |seen| (at, seen)).boxed());
        watched.push(Watched::Pods);
    }
    let end = Instant::now() + patience;
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    while !waiting.undecided.is_empty() {
        tokio::select! {
            seen = watches.next() => {
                let Some((at, seen)) = seen else { break };
                // What a watch fails on, it tries again.
                let Ok(Seen::Apply(object) | Seen::InitApply(object)) = seen else { continue };
                let mut object = serde_json::to_value(object).map_err(|error| Failure::Connection(error.to_string()))?;
                match &watched[at] {
                    Watched::Member(kind) => {
                        kind.name(&mut object);
                        if waiting.member(&object, tell) {
                            tell_log(server, &object, tell).await;
                        }
                    }
                    Watched::Pods => {
                        if let Some(owner) = waiting.pod(&object, tell) {
                            tell_log_of(server, &owner, &object, tell).await;
                        }
                        waiting.give_up_troubled(tell);
                    }
                }
            }
            _ = clock.tick() => {
                waiting.note_who_waits_for_nothing();
                waiting.give_up_troubled(tell);
            }
            () = tokio::time::sleep_until(end) => break,
        }
    }
    for identity in &waiting.undecided {
        let said = waiting.said.get(identity).map_or_else(String::new, |health| format!(": {}", health.message));
        let message = format!("it is not ready after {} s{said}", patience.as_secs());
        let health = Health { status: Status::Failed, message };
        tell(&Event { object: identity.clone(), happened: Happened::Became(health) });
    }
    Ok(waiting.undecided.len() + waiting.failed)
}

#[derive(Default)]
struct Waiting {
    undecided: HashSet<Identity>,
    failed: usize,
    /// How objects were when that was last told.
    said: HashMap<Identity, Health>,
    /// Pods in trouble: what of, whose, and since when.
    troubled: HashMap<String, (Trouble, Identity, Instant)>,
    /// How often pods have crashed, by their names.
    crashes: HashMap<String, Crashes>,
}

/// How often a pod has crashed.
struct Crashes {
    owner: Identity,
    runs: Runs,
    /// What that was when it was first seen.
    first: Runs,
    /// How often it was started when everything else had come up that it may need, if that has come to be.
    alone_since: Option<i64>,
}

impl Crashes {
    /// Whether it will not come up: it has crashed twice, and once more since nothing else was on its way.
    fn are_enough(&self) -> bool {
        self.alone_since.is_some_and(|begun| self.runs.has_crashed_since(begun))
            || self.runs.ended - self.first.ended >= MOST_CRASHES
    }
}

impl Waiting {
    /// An object; gives whether it has failed by this.
    fn member(&mut self, object: &Value, tell: &dyn Fn(&Event)) -> bool {
        let identity = Identity::of(object);
        let failed = self.failed;
        if self.undecided.contains(&identity) {
            self.became(identity, health(object), tell);
        }
        self.failed > failed
    }

    fn became(&mut self, identity: Identity, health: Health, tell: &dyn Fn(&Event)) {
        if self.said.get(&identity) == Some(&health) {
            return;
        }
        match health.status {
            Status::Current => _ = self.undecided.remove(&identity),
            Status::Failed => {
                self.undecided.remove(&identity);
                self.failed += 1;
            }
            Status::InProgress | Status::Terminating => {}
        }
        self.said.insert(identity.clone(), health.clone());
        tell(&Event { object: identity, happened: Happened::Became(health) });
    }

    /// A pod, if it is one of what is waited for; gives of what, if it has got into a trouble that has a log.
    fn pod(&mut self, pod: &Value, tell: &dyn Fn(&Event)) -> Option<Identity> {
        let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let owner = owner_of(pod).unwrap_or_else(|| as_pod(pod));
        if !self.undecided.contains(&owner) {
            return None;
        }
        let runs = runs(pod);
        let new = || Crashes { owner: owner.clone(), runs: Runs::default(), first: runs, alone_since: None };
        let crashes = self.crashes.entry(name.to_owned()).or_insert_with(new);
        if crashes.runs != runs || crashes.alone_since.is_none() {
            crashes.runs = runs;
            self.note_who_waits_for_nothing();
        }
        let Some(trouble) = trouble(pod) else {
            self.troubled.remove(name);
            return None;
        };
        let is_told = self.troubled.get(name).is_some_and(|(before, ..)| before.reason == trouble.reason);
        if is_told {
            return None;
        }
        // One trouble after another, as of an image that is tried again and again, is one.
        let since = self.troubled.get(name).map_or_else(Instant::now, |(.., since)| *since);
        self.troubled.insert(name.to_owned(), (trouble.clone(), owner.clone(), since));
        let has_log = trouble.has_log;
        let happened = Happened::InTrouble { pod: name.to_owned(), trouble };
        tell(&Event { object: owner.clone(), happened });
        has_log.then_some(owner)
    }

    /// Services that crash until others are there are common. What crashes itself is not on its way.
    fn note_who_waits_for_nothing(&mut self) {
        let crashing: HashSet<&Identity> =
            self.crashes.values().filter(|pod| pod.runs.is_crashing()).map(|pod| &pod.owner).collect();
        // Of more than two it makes no difference which they are.
        let coming: Vec<&Identity> = self.undecided.iter().filter(|one| !crashing.contains(one)).take(2).collect();
        for pod in self.crashes.values_mut() {
            match coming.iter().any(|one| **one != pod.owner) {
                true => pod.alone_since = None,
                false => _ = pod.alone_since.get_or_insert(pod.runs.begun),
            }
        }
    }

    /// Workloads whose pods have been in trouble for long have failed, and those whose pods crash although nothing else is on
    /// its way that they could wait for.
    fn give_up_troubled(&mut self, tell: &dyn Fn(&Event)) {
        let lasting = self.troubled.iter().filter(|(pod, (trouble, _, since))| match trouble.reason.as_str() {
            CRASHES => self.crashes.get(*pod).is_some_and(Crashes::are_enough),
            _ => trouble.is_lasting && since.elapsed() > GRACE,
        });
        let lasting: Vec<(String, Trouble, Identity)> =
            lasting.map(|(pod, (trouble, owner, _))| (pod.clone(), trouble.clone(), owner.clone())).collect();
        for (pod, trouble, owner) in lasting {
            if self.undecided.contains(&owner) {
                let times = match self.crashes.get(&pod) {
                    Some(crashes) if trouble.reason == CRASHES => format!(", {} times by now", crashes.runs.ended),
                    _ => String::new(),
                };
                let message = format!("the pod {pod} is in {}{times}: {}", trouble.reason, trouble.message);
                self.became(owner, Health { status: Status::Failed, message }, tell);
            }
        }
    }
}

/// Tells what a pod of a workload that has failed has said last.
async fn tell_log(server: &Server, workload: &Value, tell: &dyn Fn(&Event)) {
    let identity = Identity::of(workload);
    if identity.group.is_empty() && identity.kind == "Pod" {
        return tell_log_of(server, &identity, workload, tell).await;
    }
    // What is not answered here is no reason to fail: it is told that it has failed already.
    let pods = server.pods(&identity.namespace).await.unwrap_or_default();
    let own = pods.iter().filter(|pod| owner_of(pod).as_ref() == Some(&identity) && failed_container(pod).is_some());
    let started = |pod: &&Value| pod.pointer("/metadata/creationTimestamp").and_then(Value::as_str).map(str::to_owned);
    if let Some(pod) = own.max_by_key(started) {
        tell_log_of(server, &identity, pod, tell).await;
    }
}

/// Tells what the container of a pod has said last that has failed.
async fn tell_log_of(server: &Server, owner: &Identity, pod: &Value, tell: &dyn Fn(&Event)) {
    let Some(Failed { container, is_previous }) = failed_container(pod) else { return };
    let pod = as_pod(pod);
    let asked = tokio::time::timeout(LOG_PATIENCE, server.log(&pod, &container, is_previous)).await;
    if let Ok(Ok(log)) = asked
        && !log.trim().is_empty()
    {
        tell(&Event { object: owner.clone(), happened: Happened::Said { pod: pod.name, container, log } });
    }
}

/// A pod, which says that it is one only where it is read by itself.
fn as_pod(pod: &Value) -> Identity {
    Identity { group: String::new(), kind: "Pod".to_owned(), ..Identity::of(pod) }
}

/// The workload that a pod is of: the owner of its ReplicaSet is named as that is, without the hash.
fn owner_of(pod: &Value) -> Option<Identity> {
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    let api_version = text(owner, "/apiVersion")?;
    let (mut kind, mut name) = (text(owner, "/kind")?, text(owner, "/name")?);
    if kind == "ReplicaSet"
        && let Some(hash) = text(pod, "/metadata/labels/pod-template-hash")
        && let Some(deployment) = name.strip_suffix(&format!("-{hash}"))
    {
        (kind, name) = ("Deployment".to_owned(), deployment.to_owned());
    }
    let group = onepane_resource::GroupVersionKind::split_api_version(&api_version).0.to_owned();
    Some(Identity { group, kind, namespace: text(pod, "/metadata/namespace")?, name })
}
