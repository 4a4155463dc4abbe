//! Jobs: pods until enough have succeeded, or too many failed.

use super::{condition, is_active, is_ready, pod_of, pods_of, set_condition, write_status};
use crate::cluster::Cluster;
use crate::deletion::Propagation;
use crate::object::{self, items, number, text};
use crate::store::Key;
use serde_json::{Value, json};

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, job: &Value) {
    let is_over =
        ["Complete", "Failed"].iter().any(|of| condition(job, of).is_some_and(|found| found["status"] == "True"));
    if is_over || object::is_being_deleted(job) {
        return;
    }
    let pods = pods_of(cluster, job);
    let in_phase = |phase: &str| pods.iter().filter(|(_, pod)| text(pod, &["status", "phase"]) == phase).count() as i64;
    let (succeeded, failed) = (in_phase("Succeeded"), in_phase("Failed"));
    let active: Vec<_> = pods.iter().filter(|(_, pod)| is_active(pod)).collect();
    let restarts: i64 = active
        .iter()
        .flat_map(|(_, pod)| items(pod, &["status", "containerStatuses"]))
        .filter_map(|container| container["restartCount"].as_i64())
        .sum();
    let completions = number(job, &["spec", "completions"]);
    let parallelism = number(job, &["spec", "parallelism"]).unwrap_or(1).max(0);
    let limit = number(job, &["spec", "backoffLimit"]).unwrap_or(6);
    let is_suspended = job["spec"]["suspend"] == true;
    let mut status = json!({"ready": 0, "terminating": 0, "uncountedTerminatedPods": {}});
    if let Some(before) = job["status"].get("conditions") {
        status["conditions"] = before.clone();
    }
    if !is_suspended {
        let started = job["status"].get("startTime").cloned();
        status["startTime"] = started.unwrap_or_else(|| object::now().into());
    }
    let is_complete = completions.map_or(succeeded > 0 && active.is_empty(), |wanted| succeeded >= wanted);
    let is_hopeless = failed > limit || (restarts > limit && restarts > 0);
    if is_complete {
        let message = "Reached expected number of succeeded pods";
        set_condition(&mut status, "SuccessCriteriaMet", "True", "CompletionsReached", message);
        set_condition(&mut status, "Complete", "True", "CompletionsReached", message);
        status["completionTime"] = object::now().into();
    } else if is_hopeless {
        let message = "Job has reached the specified backoff limit";
        set_condition(&mut status, "FailureTarget", "True", "BackoffLimitExceeded", message);
        set_condition(&mut status, "Failed", "True", "BackoffLimitExceeded", message);
    }
    let is_over = is_complete || is_hopeless;
    let mut running = active.len() as i64;
    if is_over || is_suspended {
        for (key, _) in &active {
            cluster.delete_by_controller(key, Propagation::Background);
        }
        running = 0;
        if is_suspended && !is_over {
            set_condition(&mut status, "Suspended", "True", "JobSuspended", "Job suspended");
        }
    } else {
        let missing = completions.map_or(parallelism, |wanted| (wanted - succeeded).min(parallelism));
        // Without a number of completions the first success is the sign that there is nothing left to do.
        let missing = if completions.is_none() && succeeded > 0 { 0 } else { missing };
        while running < missing {
            let mut pod = pod_of(job, &job["spec"]["template"]);
            object::set(&mut pod, &["metadata", "generateName"], format!("{}-", object::name(job)));
            if cluster.create_by_controller("v1", "Pod", pod).is_none() {
                break;
            }
            running += 1;
        }
    }
    let ready = if is_over { 0 } else { active.iter().filter(|(_, pod)| is_ready(pod)).count() as i64 };
    status["ready"] = ready.into();
    for (field, count) in [("active", running), ("succeeded", succeeded), ("failed", failed)] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    write_status(cluster, key, status);
}
