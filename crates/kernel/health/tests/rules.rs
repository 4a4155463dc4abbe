//! Objects as clusters have them, and what is said of them.

use onepane_health::{Status, health, runs, takes_time, trouble};
use serde_json::{Value, json};

/// An object of `kind` with this spec and status.
fn object(api_version: &str, kind: &str, spec: Value, status: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "generation": 2}, "spec": spec, "status": status})
}

fn assert_said(object: &Value, status: Status, message: &str) {
    let said = health(object);
    assert_eq!((said.status, said.message.as_str()), (status, message), "{object}");
}

#[test]
fn a_deployment_is_current_when_all_of_its_pods_are_new_and_available() {
    let all = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3,
        "conditions": [{"type": "Available", "status": "True"}]});
    let with = |changes: Value| {
        let mut status = all.clone();
        for (key, value) in changes.as_object().expect("it is one") {
            status[key] = value.clone();
        }
        object("apps/v1", "Deployment", json!({"replicas": 3}), status)
    };
    assert_said(&with(json!({})), Status::Current, "");
    for (changes, message) in [
        (json!({"observedGeneration": 1}), "its controller has not seen the last change"),
        (json!({"observedGeneration": null}), "its controller has not seen it"),
        (json!({"replicas": 1, "updatedReplicas": 1}), "1 of 3 are there"),
        (json!({"updatedReplicas": 2}), "2 of 3 are as they are now"),
        (json!({"replicas": 4}), "1 of before have to go"),
        (json!({"availableReplicas": 2}), "2 of 3 are available"),
        (json!({"readyReplicas": null}), "0 of 3 are ready"),
        (json!({"conditions": [{"type": "Available", "status": "False", "message": "too few"}]}), "too few"),
    ] {
        assert_said(&with(changes), Status::InProgress, message);
    }
    let late = json!({"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "timed out"}], "observedGeneration": 2});
    assert_said(&with(late), Status::Failed, "timed out");
}

#[test]
fn other_workloads_count_what_is_theirs() {
    let set = |spec: Value, status: Value| object("apps/v1", "StatefulSet", spec, status);
    let ready = json!({"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "a"});
    assert_said(&set(json!({"replicas": 2}), ready.clone()), Status::Current, "");
    assert_said(&set(json!({"replicas": 3}), ready.clone()), Status::InProgress, "2 of 3 are there");
    assert_said(&set(json!({"replicas": 1}), ready.clone()), Status::InProgress, "1 too many have to go");
    let mut moving = ready.clone();
    moving["updateRevision"] = json!("b");
    assert_said(&set(json!({"replicas": 2}), moving.clone()), Status::InProgress, "some are as they were before");
    let partition = json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
    assert_said(&set(partition.clone(), moving.clone()), Status::InProgress, "0 of 1 are as they are now");
    moving["updatedReplicas"] = json!(1);
    assert_said(&set(partition, moving), Status::Current, "");
    assert_said(&set(json!({"updateStrategy": {"type": "OnDelete"}}), json!({})), Status::Current, "");

    let daemons = |status: Value| object("apps/v1", "DaemonSet", json!({}), status);
    assert_said(&daemons(json!({})), Status::InProgress, "its controller has not seen it");
    let mut status = json!({"observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
        "updatedNumberScheduled": 2, "numberAvailable": 1, "numberReady": 2});
    assert_said(&daemons(status.clone()), Status::InProgress, "1 of 2 are available");
    status["numberAvailable"] = json!(2);
    assert_said(&daemons(status), Status::Current, "");

    let replicas = json!({"observedGeneration": 2, "replicas": 1, "fullyLabeledReplicas": 1, "availableReplicas": 1, "readyReplicas": 1});
    assert_said(&object("apps/v1", "ReplicaSet", json!({}), replicas.clone()), Status::Current, "");
    assert_said(
        &object("apps/v1", "ReplicaSet", json!({"replicas": 0}), replicas),
        Status::InProgress,
        "1 too many have to go",
    );
}

#[test]
fn a_job_is_current_when_it_has_completed() {
    let job = |status: Value| object("batch/v1", "Job", json!({"completions": 2}), status);
    let active = json!({"startTime": "2026-01-05T10:00:00Z", "active": 1, "succeeded": 1});
    assert_said(&job(active), Status::InProgress, "1 of 2 have succeeded, 1 are active, 0 have failed");
    assert_said(&job(json!({"conditions": [{"type": "Complete", "status": "True"}]})), Status::Current, "");
    let failed = json!({"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]});
    assert_said(&job(failed), Status::Failed, "BackoffLimitExceeded");
    assert_said(
        &job(json!({"conditions": [{"type": "Suspended", "status": "True"}]})),
        Status::InProgress,
        "it is suspended",
    );
}

#[test]
fn what_stands_in_the_way_of_a_pod_is_told() {
    let pod = |status: Value| object("v1", "Pod", json!({}), status);
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    assert_said(&pod(ready), Status::Current, "");
    assert_said(&pod(json!({"phase": "Succeeded"})), Status::Current, "");
    assert_said(&pod(json!({"phase": "Failed", "reason": "Evicted"})), Status::Failed, "Evicted");
    assert_said(&pod(json!({})), Status::InProgress, "it is Pending");

    let crashes = pod(json!({"phase": "Running", "containerStatuses": [{"name": "api",
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}));
    assert_said(&crashes, Status::Failed, "api: CrashLoopBackOff: it ended with exit code 3");
    assert!(trouble(&crashes).is_some_and(|trouble| trouble.has_log));
    let killed =
        pod(json!({"containerStatuses": [{"name": "api", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}));
    assert_said(&killed, Status::Failed, "api: CrashLoopBackOff: it ended with OOMKilled");
    let absent = pod(json!({"initContainerStatuses": [{"name": "init",
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}]}));
    assert_said(&absent, Status::Failed, "init: ImagePullBackOff: not found");
    assert!(trouble(&absent).is_some_and(|trouble| !trouble.has_log));
    let starting =
        pod(json!({"containerStatuses": [{"name": "api", "state": {"waiting": {"reason": "ContainerCreating"}}}]}));
    assert_eq!(trouble(&starting), None);
    let homeless = pod(json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available"}]}));
    assert_said(&homeless, Status::InProgress, "Unschedulable: 0/1 nodes are available");
}

#[test]
fn other_kinds_say_it_in_their_ways() {
    let ready = |status: &str| json!({"conditions": [{"type": "Ready", "status": status, "message": "no issuer"}]});
    let certificate = |status: Value| object("cert-manager.io/v1", "Certificate", json!({}), status);
    assert_said(&certificate(json!({})), Status::Current, "");
    assert_said(&certificate(ready("True")), Status::Current, "");
    assert_said(&certificate(ready("False")), Status::InProgress, "no issuer");
    let stalled = json!({"conditions": [{"type": "Stalled", "status": "True", "message": "gave up"},
        {"type": "Ready", "status": "False"}]});
    assert_said(&certificate(stalled), Status::Failed, "gave up");
    let moving = json!({"conditions": [{"type": "Reconciling", "status": "True", "reason": "Progressing"}]});
    assert_said(&certificate(moving), Status::InProgress, "Progressing");

    let definition = |status: Value| object("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({}), status);
    assert_said(&definition(json!({})), Status::InProgress, "it is not served yet");
    assert_said(&definition(json!({"conditions": [{"type": "Established", "status": "True"}]})), Status::Current, "");
    let taken = json!({"conditions": [{"type": "NamesAccepted", "status": "False", "message": "taken"}]});
    assert_said(&definition(taken), Status::Failed, "taken");

    let service = |spec: Value, status: Value| object("v1", "Service", spec, status);
    assert_said(&service(json!({}), json!({"loadBalancer": {}})), Status::Current, "");
    let balanced = json!({"type": "LoadBalancer"});
    assert_said(&service(balanced.clone(), json!({"loadBalancer": {}})), Status::InProgress, "it has no address yet");
    assert_said(&service(balanced, json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}})), Status::Current, "");

    assert_said(
        &object("v1", "PersistentVolumeClaim", json!({}), json!({"phase": "Lost"})),
        Status::Failed,
        "its volume is gone",
    );
    assert_said(
        &object("v1", "Namespace", json!({}), json!({"phase": "Terminating"})),
        Status::InProgress,
        "it is Terminating",
    );
    let unavailable = json!({"conditions": [{"type": "Available", "status": "False", "message": "no endpoints"}]});
    assert_said(
        &object("apiregistration.k8s.io/v1", "APIService", json!({}), unavailable),
        Status::InProgress,
        "no endpoints",
    );
    // Of others of Kubernetes' own, a condition that is not true is no reason to wait.
    let scaler = json!({"conditions": [{"type": "Ready", "status": "False"}]});
    assert_said(&object("autoscaling/v2", "HorizontalPodAutoscaler", json!({}), scaler), Status::Current, "");
    let mut going = object("v1", "ConfigMap", json!({}), json!({}));
    going["metadata"]["deletionTimestamp"] = json!("2026-01-05T10:00:00Z");
    assert_said(&going, Status::Terminating, "it is being deleted since 2026-01-05T10:00:00Z");
}

#[test]
fn most_kinds_take_no_time() {
    for (group, kind) in [
        ("apps", "Deployment"),
        ("", "Pod"),
        ("cert-manager.io", "Certificate"),
        ("gateway.networking.k8s.io", "Gateway"),
    ] {
        assert!(takes_time(group, kind), "{kind}");
    }
    for (group, kind) in [("", "ConfigMap"), ("rbac.authorization.k8s.io", "Role"), ("networking.k8s.io", "Ingress")] {
        assert!(!takes_time(group, kind), "{kind}");
    }
}

#[test]
fn runs_of_containers_are_counted() {
    let of = |statuses: Value| {
        let runs = runs(&json!({"status": {"containerStatuses": statuses}}));
        (runs.begun, runs.ended, runs.is_crashing())
    };
    let ended = json!({"terminated": {"exitCode": 1}});
    let container =
        |restarts: i64, state: Value, last: Value| json!({"restartCount": restarts, "state": state, "lastState": last});
    let (running, back_off) = (json!({"running": {}}), json!({"waiting": {"reason": "CrashLoopBackOff"}}));
    assert_eq!(of(json!([])), (0, 0, false));
    assert_eq!(
        of(json!([container(0, json!({"waiting": {"reason": "ContainerCreating"}}), json!({}))])),
        (0, 0, false)
    );
    assert_eq!(of(json!([container(0, running.clone(), json!({}))])), (1, 0, false));
    assert_eq!(of(json!([container(0, ended.clone(), json!({}))])), (1, 1, true));
    // It has crashed once, and may go on now.
    assert_eq!(of(json!([container(1, running.clone(), ended.clone())])), (2, 1, false));
    assert_eq!(of(json!([container(1, back_off, ended.clone())])), (2, 2, true));
    // Of several the one that crashes.
    let both = json!([container(0, running.clone(), json!({})), container(2, running, ended)]);
    assert_eq!(of(both), (3, 2, true));
    let done = json!({"restartCount": 0, "state": {"terminated": {"exitCode": 0}}});
    let pod = json!({"status": {"initContainerStatuses": [done], "containerStatuses": []}});
    assert!(!runs(&pod).is_crashing());
    assert_eq!(
        runs(&json!({"status": {"containerStatuses": [{"restartCount": i64::MAX, "state": {"running": {}}}]}})).begun,
        i64::MAX
    );
}
