//! Pods: a scheduler and a kubelet that pretend. What happens is told by the scenario.
//!
//! A pod is bound to a node, its containers are created, started, become ready, exit, are started again. Where it has got
//! to stands in its status, and in its [`Progress`] the step that is next and when.

use super::{pods_of, set_condition, write_status};
use crate::cluster::Cluster;
use crate::object::{self, items, number, text};
use crate::scenario::{Behaviour, usual};
use crate::store::Key;
use crate::work::Progress;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Steps of a pod on a node.
const START: u32 = 1;
const OUTCOME: u32 = 2;
const RESTART: u32 = 3;
const BACK_OFF: u32 = 4;
const STOP: u32 = 5;

/// How long the containers of a pod take to be created, and to stop.
const A_WHILE: Duration = Duration::from_secs(1);
/// How long a container that has ended a second time is left alone; twice as long each time, up to the second one.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);
/// Containers are started again so often, and then left as they are: nobody waits for more.
const MOST_RESTARTS: i64 = 16;

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, pod: &Value) {
    if cluster.options.nodes == 0 {
        // Without a scheduler pods stay as they are; nothing on a node could stop them either.
        return;
    }
    if object::is_being_deleted(pod) {
        return stop(cluster, key, pod);
    }
    if matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed") {
        return;
    }
    let behaviour = cluster.scenario.behaviour(pod);
    if text(pod, &["spec", "nodeName"]).is_empty() {
        return schedule(cluster, key, pod, &behaviour);
    }
    if object::at(pod, &["status", "startTime"]).is_none() {
        create(cluster, key, pod);
        return appoint(cluster, key, pod, START, A_WHILE);
    }
    let Some(progress) = cluster.work.progress.get(object::uid(pod)).copied() else { return };
    if progress.due > Instant::now() {
        return;
    }
    cluster.work.progress.remove(object::uid(pod));
    match progress.step {
        START => start(cluster, key, pod, &behaviour),
        OUTCOME => outcome(cluster, key, pod, &behaviour),
        RESTART => run(cluster, key, pod, &behaviour),
        BACK_OFF => wait(cluster, key, pod, "ImagePullBackOff", "Back-off pulling image"),
        _ => {}
    }
}

fn appoint(cluster: &mut Cluster, key: &Key, pod: &Value, step: u32, after: Duration) {
    let due = Instant::now() + cluster.options.scaled(after);
    cluster.work.progress.insert(object::uid(pod).to_owned(), Progress { step, due });
    cluster.work.appoint(key.clone(), due);
}

fn schedule(cluster: &mut Cluster, key: &Key, pod: &Value, behaviour: &Behaviour) {
    let mut status = pod["status"].clone();
    if *behaviour == Behaviour::Unschedulable {
        let message = format!("0/{} nodes are available: insufficient cpu.", cluster.options.nodes);
        set_condition(&mut status, "PodScheduled", "False", "Unschedulable", &message);
        return write_status(cluster, key, status);
    }
    let nodes: Vec<String> = cluster.store.list("nodes", None).map(|((_, name), _)| name.clone()).collect();
    let at = cluster.random.usize(0..nodes.len().max(1));
    let (Some(node), Some(kind)) = (nodes.get(at).cloned(), cluster.kinds.by_key(&key.resource)) else { return };
    set_condition(&mut status, "PodScheduled", "True", "", "");
    cluster.change(&kind, key, "binding", |pod| {
        object::set(pod, &["spec", "nodeName"], node);
        pod["status"] = status;
    });
}

fn create(cluster: &mut Cluster, key: &Key, pod: &Value) {
    let mut status = pod["status"].clone();
    set_condition(&mut status, "PodScheduled", "True", "", "");
    set_condition(&mut status, "PodReadyToStartContainers", "True", "", "");
    let is_initialized = items(pod, &["spec", "initContainers"]).is_empty();
    set_condition(
        &mut status,
        "Initialized",
        if is_initialized { "True" } else { "False" },
        if is_initialized { "" } else { "ContainersNotInitialized" },
        "",
    );
    set_ready(&mut status, false);
    status["phase"] = "Pending".into();
    status["startTime"] = object::now().into();
    status["hostIP"] = "10.0.0.1".into();
    status["containerStatuses"] =
        containers(pod, "containers", |_| json!({"waiting": {"reason": "ContainerCreating"}}), false);
    write_status(cluster, key, status);
}

/// The statuses of containers in a state.
fn containers(pod: &Value, list: &str, state: impl Fn(&Value) -> Value, is_ready: bool) -> Value {
    let before = items(pod, &["status", "containerStatuses"]);
    let statuses = items(pod, &["spec", list]).iter().map(|container| {
        let restarts = before
            .iter()
            .find(|before| before["name"] == container["name"])
            .and_then(|before| before["restartCount"].as_i64())
            .unwrap_or(0);
        let state = state(container);
        let is_running = state.get("running").is_some();
        let mut status = json!({
            "name": container["name"], "image": container["image"], "imageID": "", "ready": is_ready,
            "started": is_running, "restartCount": restarts, "state": state,
        });
        if is_running || status["state"].get("terminated").is_some() {
            status["imageID"] = format!("embedded://{}", text(container, &["image"])).into();
            status["containerID"] = format!("embedded://{}/{}", object::uid(pod), text(container, &["name"])).into();
        }
        status
    });
    statuses.collect::<Vec<Value>>().into()
}

fn set_ready(status: &mut Value, is_ready: bool) {
    let (value, reason) = if is_ready { ("True", "") } else { ("False", "ContainersNotReady") };
    set_condition(status, "Ready", value, reason, "");
    set_condition(status, "ContainersReady", value, reason, "");
}

fn start(cluster: &mut Cluster, key: &Key, pod: &Value, behaviour: &Behaviour) {
    match behaviour {
        Behaviour::Hang | Behaviour::Unschedulable => {}
        Behaviour::ImagePullFails => {
            wait(cluster, key, pod, "ErrImagePull", "failed to pull and unpack image");
            appoint(cluster, key, pod, BACK_OFF, A_WHILE);
        }
        _ => run(cluster, key, pod, behaviour),
    }
}

/// Containers wait for a reason.
fn wait(cluster: &mut Cluster, key: &Key, pod: &Value, reason: &str, message: &str) {
    let mut status = pod["status"].clone();
    let state = |container: &Value| {
        let image = text(container, &["image"]);
        json!({"waiting": {"reason": reason, "message": format!("{message} {image:?}")}})
    };
    status["containerStatuses"] = containers(pod, "containers", state, false);
    write_status(cluster, key, status);
}

fn run(cluster: &mut Cluster, key: &Key, pod: &Value, behaviour: &Behaviour) {
    let mut status = pod["status"].clone();
    let now = object::now();
    status["phase"] = "Running".into();
    if status.get("podIP").is_none() {
        let address = format!("10.244.{}.{}", cluster.random.u8(..), cluster.random.u8(1..255));
        status["podIPs"] = json!([{"ip": address}]);
        status["podIP"] = address.into();
    }
    let ended = |container: &Value| {
        let ended = ["state", "lastState"].map(|of| &container[of]["terminated"]);
        ended.into_iter().find(|ended| !ended.is_null()).map_or(Value::Null, |ended| json!({ "terminated": ended }))
    };
    let last: Vec<Value> = items(&status, &["containerStatuses"]).iter().map(ended).collect();
    let begun = restarts(pod) + i64::from(last.iter().any(|last| !last.is_null()));
    let mut running = containers(pod, "containers", |_| json!({"running": {"startedAt": now}}), false);
    for (container, last) in running.as_array_mut().into_iter().flatten().zip(last) {
        container["restartCount"] = begun.into();
        if !last.is_null() {
            container["lastState"] = last;
        }
    }
    status["containerStatuses"] = running;
    if !items(pod, &["spec", "initContainers"]).is_empty() {
        let done = |_: &Value| json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}});
        status["initContainerStatuses"] = containers(pod, "initContainers", done, true);
        set_condition(&mut status, "Initialized", "True", "", "");
    }
    set_ready(&mut status, false);
    write_status(cluster, key, status);
    let after = match current(cluster, pod, behaviour, begun) {
        Behaviour::Ready { after } | Behaviour::Succeed { after } | Behaviour::Fail { after, .. } => after,
        _ => return,
    };
    appoint(cluster, key, pod, OUTCOME, after);
}

/// The behaviour, or the usual one where the pod, or others of its controller, have failed often enough.
fn current(cluster: &Cluster, pod: &Value, behaviour: &Behaviour, restarts: i64) -> Behaviour {
    let Behaviour::Fail { times: Some(times), .. } = behaviour else { return behaviour.clone() };
    let owner = object::controller_of(pod).and_then(|owner| cluster.store.by_uid(text(owner, &["uid"])));
    let owner = owner.and_then(|key| cluster.store.get(key));
    let siblings = owner.map(|owner| pods_of(cluster, owner)).unwrap_or_default();
    let failed = siblings.iter().filter(|(_, pod)| text(pod, &["status", "phase"]) == "Failed").count() as i64;
    match restarts + failed >= i64::from(*times) {
        true => usual(pod),
        false => behaviour.clone(),
    }
}

fn restarts(pod: &Value) -> i64 {
    let statuses = items(pod, &["status", "containerStatuses"]).iter();
    statuses.filter_map(|container| number(container, &["restartCount"])).max().unwrap_or(0)
}

fn outcome(cluster: &mut Cluster, key: &Key, pod: &Value, behaviour: &Behaviour) {
    match current(cluster, pod, behaviour, restarts(pod)) {
        Behaviour::Ready { .. } => {
            let mut status = pod["status"].clone();
            for container in status["containerStatuses"].as_array_mut().into_iter().flatten() {
                container["ready"] = true.into();
            }
            set_ready(&mut status, true);
            write_status(cluster, key, status);
        }
        Behaviour::Succeed { .. } => exit(cluster, key, pod, 0),
        Behaviour::Fail { exit_code, .. } => exit(cluster, key, pod, exit_code),
        _ => {}
    }
}

fn exit(cluster: &mut Cluster, key: &Key, pod: &Value, code: i32) {
    let now = object::now();
    let reason = if code == 0 { "Completed" } else { "Error" };
    let terminated = json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": pod["status"]["startTime"], "finishedAt": now}});
    let policy = text(pod, &["spec", "restartPolicy"]);
    let is_over = policy == "Never" || (policy == "OnFailure" && code == 0);
    let mut status = pod["status"].clone();
    set_ready(&mut status, false);
    if is_over {
        status["phase"] = if code == 0 { "Succeeded" } else { "Failed" }.into();
        if code == 0 {
            for of in ["Ready", "ContainersReady", "Initialized"] {
                let value = if of == "Initialized" { "True" } else { "False" };
                set_condition(&mut status, of, value, "PodCompleted", "");
            }
        }
        status["containerStatuses"] = containers(pod, "containers", |_| terminated.clone(), false);
        return write_status(cluster, key, status);
    }
    // As a kubelet has it: the first time it is started again at once, and then after longer and longer.
    let restarts = restarts(pod);
    if restarts == 0 {
        status["containerStatuses"] = containers(pod, "containers", |_| terminated.clone(), false);
        write_status(cluster, key, status);
        return appoint(cluster, key, pod, RESTART, A_WHILE);
    }
    let message = format!("back-off restarting failed container of pod {}", object::name(pod));
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    let mut statuses = containers(pod, "containers", |_| waiting.clone(), false);
    for container in statuses.as_array_mut().into_iter().flatten() {
        container["lastState"] = terminated.clone();
    }
    status["containerStatuses"] = statuses;
    write_status(cluster, key, status);
    if restarts < MOST_RESTARTS {
        let back_off = FIRST_BACK_OFF * (1 << (restarts - 1).clamp(0, 5) as u32);
        appoint(cluster, key, pod, RESTART, back_off.min(LONGEST_BACK_OFF));
    }
}

/// A pod on its way out stops after a while, if it was running at all.
fn stop(cluster: &mut Cluster, key: &Key, pod: &Value) {
    let grace = number(pod, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
    if grace == 0 {
        return;
    }
    match cluster.work.progress.get(object::uid(pod)).copied() {
        Some(Progress { step: STOP, due }) => {
            if due > Instant::now() {
                return;
            }
            if object::finalizers(pod).is_empty() {
                cluster.store_removal(key);
            } else {
                let mut stopped = pod.clone();
                object::set(&mut stopped, &["metadata", "deletionGracePeriodSeconds"], 0);
                cluster.put(key.clone(), stopped);
            }
        }
        _ => appoint(cluster, key, pod, STOP, A_WHILE.min(Duration::from_secs(grace.unsigned_abs()))),
    }
}
