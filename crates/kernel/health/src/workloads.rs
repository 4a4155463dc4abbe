//! Kinds that make pods.

use crate::conditions::Conditions;
use crate::{Health, number, text};
use serde_json::Value;

fn count(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// How many there are to be: one, if nothing is said.
fn wanted(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

/// The first of several counts that is short of what is wanted.
fn short_of(object: &Value, wanted: i64, fields: &[(&str, &str)]) -> Option<Health> {
    fields.iter().find_map(|(field, what)| {
        let count = count(object, field);
        (count < wanted).then(|| Health::in_progress(format!("{count} of {wanted} are {what}")))
    })
}

/// Nobody has looked at it yet.
fn is_unseen(object: &Value) -> bool {
    number(object, "/status/observedGeneration").is_none() && number(object, "/metadata/generation").is_some()
}

pub(crate) fn deployment(object: &Value, conditions: &Conditions<'_>) -> Health {
    if conditions.reason("Progressing") == "ProgressDeadlineExceeded" {
        return Health::failed(conditions.message("Progressing").unwrap_or_default());
    }
    if is_unseen(object) {
        return Health::in_progress("its controller has not seen it");
    }
    let wanted = wanted(object);
    let counts = [("replicas", "there"), ("updatedReplicas", "as they are now")];
    if let Some(short) = short_of(object, wanted, &counts) {
        return short;
    }
    let old = count(object, "replicas") - count(object, "updatedReplicas");
    if old > 0 {
        return Health::in_progress(format!("{old} of before have to go"));
    }
    if let Some(short) = short_of(object, wanted, &[("availableReplicas", "available"), ("readyReplicas", "ready")]) {
        return short;
    }
    match conditions.is("Available") {
        Some(false) => Health::in_progress(conditions.message("Available").unwrap_or_default()),
        _ => Health::current(),
    }
}

pub(crate) fn replica_set(object: &Value, conditions: &Conditions<'_>) -> Health {
    if let Some(failure) = conditions.true_message("ReplicaFailure") {
        return Health::in_progress(failure);
    }
    if is_unseen(object) {
        return Health::in_progress("its controller has not seen it");
    }
    let counts = [("fullyLabeledReplicas", "there"), ("availableReplicas", "available"), ("readyReplicas", "ready")];
    short_of(object, wanted(object), &counts)
        .or_else(|| surplus(object, "replicas", wanted(object)))
        .unwrap_or_else(Health::current)
}

pub(crate) fn stateful_set(object: &Value) -> Health {
    // Pods are replaced when somebody deletes them.
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Health::current();
    }
    if is_unseen(object) {
        return Health::in_progress("its controller has not seen it");
    }
    let wanted = wanted(object);
    if let Some(short) = short_of(object, wanted, &[("replicas", "there"), ("readyReplicas", "ready")]) {
        return short;
    }
    if let Some(surplus) = surplus(object, "replicas", wanted) {
        return surplus;
    }
    // The first ones keep what they are.
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    if partition > 0 {
        let counts = [("updatedReplicas", "as they are now")];
        return short_of(object, wanted - partition, &counts).unwrap_or_else(Health::current);
    }
    let revision = |field: &str| text(object, &format!("/status/{field}"));
    match (revision("currentRevision"), revision("updateRevision")) {
        (Some(current), Some(update)) if current != update => Health::in_progress("some are as they were before"),
        _ => Health::current(),
    }
}

pub(crate) fn daemon_set(object: &Value) -> Health {
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Health::current();
    }
    let (false, Some(wanted)) = (is_unseen(object), number(object, "/status/desiredNumberScheduled")) else {
        return Health::in_progress("its controller has not seen it");
    };
    let counts = [
        ("currentNumberScheduled", "there"),
        ("updatedNumberScheduled", "as they are now"),
        ("numberAvailable", "available"),
        ("numberReady", "ready"),
    ];
    short_of(object, wanted, &counts).unwrap_or_else(Health::current)
}

pub(crate) fn job(object: &Value, conditions: &Conditions<'_>) -> Health {
    if let Some(failed) = conditions.true_message("Failed") {
        return Health::failed(failed);
    }
    if conditions.is("Complete") == Some(true) {
        return Health::current();
    }
    if conditions.is("Suspended") == Some(true) {
        return Health::in_progress("it is suspended");
    }
    let wanted = number(object, "/spec/completions").unwrap_or(1);
    Health::in_progress(format!(
        "{} of {wanted} have succeeded, {} are active, {} have failed",
        count(object, "succeeded"),
        count(object, "active"),
        count(object, "failed")
    ))
}

fn surplus(object: &Value, field: &str, wanted: i64) -> Option<Health> {
    let surplus = count(object, field) - wanted;
    (surplus > 0).then(|| Health::in_progress(format!("{surplus} too many have to go")))
}
