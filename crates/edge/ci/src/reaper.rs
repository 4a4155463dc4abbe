//! The CronJob that reaps, with what it may do: [`reaper`].

use serde_json::{Value, json};

/// How a reaper is installed.
#[derive(Clone, Debug)]
pub struct Reaper<'r> {
    /// An image of onepane.
    pub image: &'r str,
    /// The namespace that it runs in, which is made for it.
    pub namespace: &'r str,
    /// When it runs, as CronJobs have it.
    pub schedule: &'r str,
}

/// What it and all of its own is called.
const NAME: &str = "onepane-reaper";

/// Kinds of Kubernetes that live in no namespace and that an environment may have, by group and what they are called in
/// rules.
const KINDS: [(&str, &[&str]); 6] = [
    ("rbac.authorization.k8s.io", &["clusterroles", "clusterrolebindings"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("storage.k8s.io", &["storageclasses"]),
    ("networking.k8s.io", &["ingressclasses"]),
    ("node.k8s.io", &["runtimeclasses"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
];

/// The objects of a reaper: a namespace, an account, what it may do, a policy that narrows that down, and a CronJob.
///
/// Permissions can't be given by label, so that whoever may delete one namespace may delete all. The policy makes up for
/// it: of what this account deletes, the API server lets only that go which says that a run made it.
pub fn reaper(reaper: &Reaper<'_>) -> Vec<Value> {
    let Reaper { image, namespace, schedule } = reaper;
    let rbac = "rbac.authorization.k8s.io";
    let admission = "admissionregistration.k8s.io/v1";
    let metadata = |is_namespaced: bool| {
        let mut metadata = json!({"name": NAME, "labels": {"app.kubernetes.io/name": NAME}});
        if is_namespaced {
            metadata["namespace"] = (*namespace).into();
        }
        metadata
    };
    let mut rules = vec![
        json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "delete"]}),
        json!({"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["list", "delete"]}),
    ];
    rules.extend(
        KINDS.iter().map(
            |(group, resources)| json!({"apiGroups": [group], "resources": resources, "verbs": ["list", "delete"]}),
        ),
    );
    let user = format!("request.userInfo.username == 'system:serviceaccount:{namespace}:{NAME}'");
    let is_ours = "has(oldObject.metadata.labels) && 'onepane.dev/ci-run' in oldObject.metadata.labels && \
                   has(oldObject.metadata.annotations) && 'onepane.dev/ci-expires' in oldObject.metadata.annotations";
    let container = json!({
        "name": "reap", "image": image, "args": ["ci", "reap", "--in-cluster"],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
    });
    let pod = json!({
        "metadata": {"labels": {"app.kubernetes.io/name": NAME}},
        "spec": {
            "serviceAccountName": NAME, "restartPolicy": "Never", "containers": [container],
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    });
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": namespace, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(true)}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": metadata(false), "rules": rules}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": metadata(false),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}]}),
        json!({"apiVersion": admission, "kind": "ValidatingAdmissionPolicy", "metadata": metadata(false), "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["*"]}]},
            "matchConditions": [{"name": "is-the-reaper", "expression": user}],
            "validations": [{"expression": is_ours, "message": "the reaper deletes only what runs of onepane ci made"}]}}),
        json!({"apiVersion": admission, "kind": "ValidatingAdmissionPolicyBinding", "metadata": metadata(false), "spec": {
            "policyName": NAME, "validationActions": ["Deny"]}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(true), "spec": {
            "schedule": schedule, "concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 2,
            "jobTemplate": {"spec": {"backoffLimit": 0, "activeDeadlineSeconds": 600, "template": pod}}}}),
    ]
}
