//! What the API server fills in where nobody said anything, for the kinds that matter most.
//!
//! Facts, as a real server of Kubernetes 1.34 answers them; kinds that are not here are kept as they were sent.

use crate::kinds::Kind;
use crate::object::{at, default, items, mapping, remove, set, text};
use base64::Engine;
use serde_json::{Value, json};

/// Fills in the defaults of one of Kubernetes' own kinds.
pub(crate) fn fill(kind: &Kind, object: &mut Value) {
    match (&*kind.group, &*kind.kind) {
        ("", "Pod") => {
            pod_spec(object, &["spec"], true);
            default(object, &["spec", "enableServiceLinks"], true);
            for containers in ["containers", "initContainers"] {
                list(object, &["spec", containers]).for_each(requests);
            }
            default(object, &["status", "phase"], "Pending");
        }
        ("", "Service") => service(object),
        ("", "Secret") => secret(object),
        ("", "PersistentVolumeClaim") => {
            default(object, &["spec", "volumeMode"], "Filesystem");
            default(object, &["status", "phase"], "Pending");
        }
        ("scheduling.k8s.io", "PriorityClass") => default(object, &["preemptionPolicy"], "PreemptLowerPriority"),
        ("", "PersistentVolume") => {
            if at(object, &["spec", "hostPath"]).is_some() {
                default(object, &["spec", "hostPath", "type"], "");
            }
            default(object, &["spec", "persistentVolumeReclaimPolicy"], "Retain");
            default(object, &["spec", "volumeMode"], "Filesystem");
            default(object, &["status", "phase"], "Pending");
        }
        ("", "Namespace") => {
            let name = text(object, &["metadata", "name"]).to_owned();
            set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
            default(object, &["status", "phase"], "Active");
        }
        ("", "ReplicationController") => {
            default(object, &["spec", "replicas"], 1);
            pod_spec(object, &["spec", "template", "spec"], true);
        }
        ("apps", "Deployment") => {
            default(object, &["spec", "replicas"], 1);
            default(object, &["spec", "progressDeadlineSeconds"], 600);
            default(object, &["spec", "revisionHistoryLimit"], 10);
            default(object, &["spec", "strategy", "type"], "RollingUpdate");
            if text(object, &["spec", "strategy", "type"]) == "RollingUpdate" {
                default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%");
                default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%");
            }
            pod_spec(object, &["spec", "template", "spec"], true);
        }
        ("apps", "ReplicaSet") => {
            default(object, &["spec", "replicas"], 1);
            pod_spec(object, &["spec", "template", "spec"], true);
        }
        ("apps", "StatefulSet") => {
            default(object, &["spec", "replicas"], 1);
            default(object, &["spec", "podManagementPolicy"], "OrderedReady");
            default(object, &["spec", "revisionHistoryLimit"], 10);
            default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == "RollingUpdate" {
                default(object, &["spec", "updateStrategy", "rollingUpdate", "partition"], 0);
            }
            let retention = &["spec", "persistentVolumeClaimRetentionPolicy"];
            default(object, retention, json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
            for claim in list(object, &["spec", "volumeClaimTemplates"]) {
                default(claim, &["apiVersion"], "v1");
                default(claim, &["kind"], "PersistentVolumeClaim");
                default(claim, &["spec", "volumeMode"], "Filesystem");
                default(claim, &["status", "phase"], "Pending");
            }
            pod_spec(object, &["spec", "template", "spec"], true);
        }
        ("apps", "DaemonSet") => {
            default(object, &["metadata", "annotations", "deprecated.daemonset.template.generation"], "1");
            default(object, &["spec", "revisionHistoryLimit"], 10);
            default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == "RollingUpdate" {
                default(object, &["spec", "updateStrategy", "rollingUpdate", "maxSurge"], 0);
                default(object, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], 1);
            }
            pod_spec(object, &["spec", "template", "spec"], true);
        }
        ("batch", "Job") => job(object),
        ("batch", "CronJob") => {
            default(object, &["spec", "concurrencyPolicy"], "Allow");
            default(object, &["spec", "suspend"], false);
            default(object, &["spec", "successfulJobsHistoryLimit"], 3);
            default(object, &["spec", "failedJobsHistoryLimit"], 1);
            pod_spec(object, &["spec", "jobTemplate", "spec", "template", "spec"], false);
        }
        ("networking.k8s.io", "NetworkPolicy") => network_policy(object),
        ("networking.k8s.io", "Ingress") => {}
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            default(object, &["roleRef", "apiGroup"], "rbac.authorization.k8s.io");
            for subject in list(object, &["subjects"]) {
                if matches!(text(subject, &["kind"]), "User" | "Group") {
                    default(subject, &["apiGroup"], "rbac.authorization.k8s.io");
                }
            }
        }
        ("storage.k8s.io", "StorageClass") => {
            default(object, &["reclaimPolicy"], "Delete");
            default(object, &["volumeBindingMode"], "Immediate");
        }
        ("autoscaling", "HorizontalPodAutoscaler") => default(object, &["spec", "minReplicas"], 1),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let kind = text(object, &["spec", "names", "kind"]).to_owned();
            default(object, &["spec", "names", "singular"], kind.to_lowercase());
            default(object, &["spec", "names", "listKind"], format!("{kind}List"));
            default(object, &["spec", "conversion", "strategy"], "None");
        }
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let is_mutating = kind.kind.starts_with('M');
            for hook in list(object, &["webhooks"]) {
                default(hook, &["failurePolicy"], "Fail");
                default(hook, &["matchPolicy"], "Equivalent");
                default(hook, &["timeoutSeconds"], 10);
                default(hook, &["namespaceSelector"], json!({}));
                default(hook, &["objectSelector"], json!({}));
                if is_mutating {
                    default(hook, &["reinvocationPolicy"], "Never");
                }
                if at(hook, &["clientConfig", "service"]).is_some() {
                    default(hook, &["clientConfig", "service", "port"], 443);
                }
                for rule in list(hook, &["rules"]) {
                    default(rule, &["scope"], "*");
                }
            }
        }
        _ => {}
    }
}

/// The list at a path, to be changed in place; none where there is none.
fn list<'v>(object: &'v mut Value, path: &[&str]) -> std::slice::IterMut<'v, Value> {
    let mut value = Some(object);
    for field in path {
        value = value.and_then(|value| value.get_mut(*field));
    }
    value.and_then(Value::as_array_mut).map(|items| items.iter_mut()).unwrap_or_default()
}

fn pod_spec(object: &mut Value, path: &[&str], restarts: bool) {
    if at(object, path).is_none_or(|spec| !spec.is_object()) {
        return;
    }
    let below = |field: &'static str| [path, &[field]].concat();
    if restarts {
        default(object, &below("restartPolicy"), "Always");
    }
    default(object, &below("dnsPolicy"), "ClusterFirst");
    default(object, &below("terminationGracePeriodSeconds"), 30);
    default(object, &below("schedulerName"), "default-scheduler");
    default(object, &below("securityContext"), json!({}));
    let account = text(object, &below("serviceAccountName")).to_owned();
    if !account.is_empty() {
        set(object, &below("serviceAccount"), account);
    }
    for containers in ["containers", "initContainers"] {
        list(object, &below(containers)).for_each(container);
    }
    for volume in list(object, &below("volumes")) {
        for source in ["secret", "configMap", "projected", "downwardAPI"] {
            if at(volume, &[source]).is_some() {
                default(volume, &[source, "defaultMode"], 420);
            }
        }
        for source in list(volume, &["projected", "sources"]) {
            if at(source, &["serviceAccountToken"]).is_some() {
                default(source, &["serviceAccountToken", "expirationSeconds"], 3600);
            }
        }
        if at(volume, &["hostPath"]).is_some() {
            default(volume, &["hostPath", "type"], "");
        }
        if volume.as_object().is_some_and(|fields| fields.len() == 1) {
            default(volume, &["emptyDir"], json!({}));
        }
    }
}

fn container(container: &mut Value) {
    let image = text(container, &["image"]);
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let policy = match tag {
        None | Some("latest") if !image.contains('@') => "Always",
        _ => "IfNotPresent",
    };
    default(container, &["imagePullPolicy"], policy);
    default(container, &["resources"], json!({}));
    default(container, &["terminationMessagePath"], "/dev/termination-log");
    default(container, &["terminationMessagePolicy"], "File");
    for port in list(container, &["ports"]) {
        default(port, &["protocol"], "TCP");
    }
    for variable in list(container, &["env"]) {
        if at(variable, &["valueFrom", "fieldRef"]).is_some() {
            default(variable, &["valueFrom", "fieldRef", "apiVersion"], "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if at(container, &[probe]).is_none() {
            continue;
        }
        default(container, &[probe, "timeoutSeconds"], 1);
        default(container, &[probe, "periodSeconds"], 10);
        default(container, &[probe, "successThreshold"], 1);
        default(container, &[probe, "failureThreshold"], 3);
        if at(container, &[probe, "httpGet"]).is_some() {
            default(container, &[probe, "httpGet", "scheme"], "HTTP");
            default(container, &[probe, "httpGet", "path"], "/");
        }
    }
}

/// What is not requested is requested up to its limit: in pods, and not in templates of them.
fn requests(container: &mut Value) {
    let limits = at(container, &["resources", "limits"]).and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, limit) in limits {
        default(container, &["resources", "requests", &name], limit);
    }
}

fn service(object: &mut Value) {
    default(object, &["spec", "type"], "ClusterIP");
    default(object, &["spec", "sessionAffinity"], "None");
    let of_type = text(object, &["spec", "type"]).to_owned();
    if of_type != "ExternalName" {
        default(object, &["spec", "internalTrafficPolicy"], "Cluster");
    }
    if matches!(&*of_type, "NodePort" | "LoadBalancer") {
        default(object, &["spec", "externalTrafficPolicy"], "Cluster");
    }
    if of_type == "LoadBalancer" {
        default(object, &["spec", "allocateLoadBalancerNodePorts"], true);
    }
    for port in list(object, &["spec", "ports"]) {
        default(port, &["protocol"], "TCP");
        if let Some(number) = port.get("port").cloned() {
            default(port, &["targetPort"], number);
        }
    }
}

fn secret(object: &mut Value) {
    default(object, &["type"], "Opaque");
    if let Some(Value::Object(texts)) = remove(object, &["stringData"]) {
        for (key, text) in texts {
            let text = base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
            set(object, &["data", &key], text);
        }
    }
}

fn job(object: &mut Value) {
    let asks = |field| at(object, &["spec", field]).is_some();
    if !asks("completions") && !asks("parallelism") {
        default(object, &["spec", "completions"], 1);
    }
    default(object, &["spec", "parallelism"], 1);
    default(object, &["spec", "backoffLimit"], 6);
    default(object, &["spec", "completionMode"], "NonIndexed");
    default(object, &["spec", "podReplacementPolicy"], "TerminatingOrFailed");
    default(object, &["spec", "suspend"], false);
    default(object, &["spec", "manualSelector"], false);
    pod_spec(object, &["spec", "template", "spec"], false);
}

fn network_policy(object: &mut Value) {
    let has_egress = !items(object, &["spec", "egress"]).is_empty();
    let types = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    default(object, &["spec", "policyTypes"], types);
    for rules in ["ingress", "egress"] {
        for rule in list(object, &["spec", rules]) {
            for port in list(rule, &["ports"]) {
                default(port, &["protocol"], "TCP");
            }
        }
    }
}

/// How well a pod's resources are assured.
fn quality(pod: &Value) -> &'static str {
    let containers = || items(pod, &["spec", "containers"]).iter().chain(items(pod, &["spec", "initContainers"]));
    let of = |container: &Value, list: &str, name: &str| at(container, &["resources", list, name]).cloned();
    let assured = |container: &Value| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = of(container, "limits", name);
            limit.is_some() && of(container, "requests", name) == limit
        })
    };
    let asks = |container: &Value| {
        ["limits", "requests"]
            .iter()
            .any(|list| ["cpu", "memory"].iter().any(|name| of(container, list, name).is_some()))
    };
    match () {
        () if !containers().any(asks) => "BestEffort",
        () if containers().all(assured) => "Guaranteed",
        () => "Burstable",
    }
}

/// What belongs to an object from the moment it is made: identities of Jobs, accounts of pods, finalizers of namespaces.
pub(crate) fn fill_new(kind: &Kind, object: &mut Value) {
    match (&*kind.group, &*kind.kind) {
        ("", "Namespace") => default(object, &["spec", "finalizers"], json!(["kubernetes"])),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let versions = items(object, &["spec", "versions"]).iter();
            let stored: Vec<Value> =
                versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
            let names = json!({"plural": "", "kind": ""});
            set(object, &["status"], json!({"conditions": null, "acceptedNames": names, "storedVersions": stored}));
        }
        ("", "Event") => {
            default(object, &["reportingComponent"], "");
            default(object, &["reportingInstance"], "");
        }
        ("apps", "StatefulSet") => default(object, &["status", "availableReplicas"], 0),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            let is_claim = kind.kind == "PersistentVolumeClaim";
            let finalizer = if is_claim { "kubernetes.io/pvc-protection" } else { "kubernetes.io/pv-protection" };
            let finalizers = mapping(object, &["metadata"]).entry("finalizers").or_insert(json!([]));
            if let Value::Array(finalizers) = finalizers
                && !finalizers.iter().any(|other| other == finalizer)
            {
                finalizers.push(finalizer.into());
            }
            if !is_claim {
                set(object, &["status", "lastPhaseTransitionTime"], crate::object::now());
            }
        }
        ("", "Pod") => {
            default(object, &["spec", "serviceAccountName"], "default");
            let account = text(object, &["spec", "serviceAccountName"]).to_owned();
            set(object, &["spec", "serviceAccount"], account);
            default(object, &["spec", "priority"], 0);
            default(object, &["spec", "preemptionPolicy"], "PreemptLowerPriority");
            let class = quality(object);
            set(object, &["status", "qosClass"], class);
            let toleration =
                |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
            let keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
            for key in keys {
                if !items(object, &["spec", "tolerations"]).iter().any(|other| other["key"] == key) {
                    let tolerations = mapping(object, &["spec"]).entry("tolerations").or_insert(json!([]));
                    if let Value::Array(tolerations) = tolerations {
                        tolerations.push(toleration(key));
                    }
                }
            }
        }
        ("batch", "Job") if at(object, &["spec", "manualSelector"]) != Some(&Value::Bool(true)) => {
            let uid = text(object, &["metadata", "uid"]).to_owned();
            let name = text(object, &["metadata", "name"]).to_owned();
            set(object, &["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"], uid.clone());
            for (label, value) in [
                ("batch.kubernetes.io/controller-uid", &uid),
                ("batch.kubernetes.io/job-name", &name),
                ("controller-uid", &uid),
                ("job-name", &name),
            ] {
                set(object, &["spec", "template", "metadata", "labels", label], value.clone());
            }
            let labels = object["spec"]["template"]["metadata"]["labels"].clone();
            default(object, &["metadata", "labels"], labels);
        }
        _ => {}
    }
}
