//! What would reach beyond a namespace, taken back: [`isolate`].

use crate::references::NAME_LABEL;
use crate::{group_of, map_in, text};
use serde_json::{Value, json};

/// Labels of ClusterRoles by which they become part of others, for the whole cluster.
const AGGREGATES: &str = "rbac.authorization.k8s.io/aggregate-to-";
/// Annotations by which a class is the one of all that name none.
const DEFAULTS: [&str; 3] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
    "ingressclass.kubernetes.io/is-default-class",
];

/// Keeps what an object does to its namespace. What is thereby left out is noted.
pub(crate) fn isolate(object: &mut Value, namespace: &str, notes: &mut Vec<String>) {
    let (group, kind) = (group_of(object).to_owned(), text(object, "/kind").to_owned());
    match (group.as_str(), kind.as_str()) {
        ("", "Service") => free_ports(object),
        ("scheduling.k8s.io", "PriorityClass") => _ = object.as_object_mut().map(|map| map.remove("globalDefault")),
        ("storage.k8s.io", "StorageClass") | ("networking.k8s.io", "IngressClass") => {
            if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                annotations.retain(|key, _| !DEFAULTS.contains(&key.as_str()));
            }
        }
        ("rbac.authorization.k8s.io", "ClusterRole") => {
            if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
                labels.retain(|key, _| !key.starts_with(AGGREGATES));
            }
        }
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            let name = text(object, "/metadata/name").to_owned();
            let Some(webhooks) = object.get_mut("webhooks").and_then(Value::as_array_mut) else { return };
            webhooks.retain_mut(|webhook| {
                let is_any = keep_rules(webhook.get_mut("rules"));
                if !is_any {
                    let webhook = text(webhook, "/name");
                    notes
                        .push(format!("{kind}/{name}: {webhook} is about what lives in no namespace, and is left out"));
                }
                select(webhook, namespace);
                is_any
            });
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
            if let Some(constraints) = object.pointer_mut("/spec/matchConstraints") {
                keep_rules(constraints.get_mut("resourceRules"));
            }
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding") => {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                map_in(spec, "matchResources");
                select(&mut spec["matchResources"], namespace);
            }
        }
        _ => {}
    }
}

/// Ports of nodes and addresses are the whole cluster's: those that were chosen belong to whoever chose them first.
fn free_ports(service: &mut Value) {
    let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) else { return };
    // `None` is no address.
    if spec.get("clusterIP").and_then(Value::as_str) != Some("None") {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    spec.remove("healthCheckNodePort");
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        port.as_object_mut().map(|port| port.remove("nodePort"));
    }
}

/// Leaves the rules about what lives in namespaces; gives whether there are any.
fn keep_rules(rules: Option<&mut Value>) -> bool {
    let Some(rules) = rules.and_then(Value::as_array_mut) else { return true };
    rules.retain(|rule| rule.get("scope").and_then(Value::as_str) != Some("Cluster"));
    for rule in rules.iter_mut().filter_map(Value::as_object_mut) {
        rule.insert("scope".to_owned(), "Namespaced".into());
    }
    !rules.is_empty()
}

/// Adds to a selector of namespaces that it is this one.
fn select(value: &mut Value, namespace: &str) {
    let Some(map) = value.as_object_mut() else { return };
    let selector = map_in(map, "namespaceSelector");
    let expressions = selector.entry("matchExpressions").or_insert_with(|| json!([]));
    if !expressions.is_array() {
        *expressions = json!([]);
    }
    if let Some(expressions) = expressions.as_array_mut() {
        expressions.push(json!({"key": NAME_LABEL, "operator": "In", "values": [namespace]}));
    }
}
