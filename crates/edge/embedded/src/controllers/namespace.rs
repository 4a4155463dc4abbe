//! Namespaces: what every one has, and how they end.

use crate::cluster::{Cluster, Writing};
use crate::deletion::Propagation;
use crate::object;
use crate::store::Key;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A certificate that is none: nothing is served with TLS here.
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nZW1iZWRkZWQ=\n-----END CERTIFICATE-----\n";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key, object: &Value) {
    match object::is_being_deleted(object) {
        true => end(cluster, key),
        false => furnish(cluster, &key.name),
    }
}

fn furnish(cluster: &mut Cluster, namespace: &str) {
    let find = |cluster: &Cluster, resource: &str, name: &str| {
        let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
        cluster.store.get(&key).is_some()
    };
    if !find(cluster, "serviceaccounts", "default") {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}});
        cluster.create_by_controller("v1", "ServiceAccount", account);
    }
    if !find(cluster, "configmaps", "kube-root-ca.crt") {
        let annotations = json!({"kubernetes.io/description": DESCRIPTION});
        let metadata = json!({"name": "kube-root-ca.crt", "namespace": namespace, "annotations": annotations});
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": AUTHORITY}});
        cluster.create_by_controller("v1", "ConfigMap", map);
    }
}

fn end(cluster: &mut Cluster, key: &Key) {
    for (inside, object) in cluster.store.in_namespace(&key.name) {
        if !object::is_being_deleted(&object) {
            cluster.delete_by_controller(&inside, Propagation::Background);
        }
    }
    let left = cluster.store.in_namespace(&key.name);
    let Some(kind) = cluster.kinds.by_key(&key.resource) else { return };
    if left.is_empty() {
        // Gone meanwhile is what was wanted.
        let _ = cluster.update(&kind, key, &Writing::by_controller("finalize"), |old| {
            let mut new = old.clone();
            object::remove(&mut new, &["spec", "finalizers"]);
            Ok(new)
        });
        return;
    }
    let mut resources: BTreeMap<&str, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for (inside, object) in &left {
        *resources.entry(&inside.resource).or_default() += 1;
        for finalizer in object::finalizers(object).iter().filter_map(Value::as_str) {
            *finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    let Some(object) = cluster.store.get(key) else { return };
    let mut status = object["status"].clone();
    let mut set = |of: &str, value: bool, reasons: (&str, &str), message: &str| {
        let (value, reason) = if value { ("True", reasons.0) } else { ("False", reasons.1) };
        super::set_condition(&mut status, of, value, reason, message);
    };
    set(
        "NamespaceDeletionDiscoveryFailure",
        false,
        ("", "ResourcesDiscovered"),
        "All resources successfully discovered",
    );
    set(
        "NamespaceDeletionGroupVersionParsingFailure",
        false,
        ("", "ParsedGroupVersions"),
        "All legacy kube types successfully parsed",
    );
    let message = "All content successfully deleted, may be waiting on finalization";
    set("NamespaceDeletionContentFailure", false, ("", "ContentDeleted"), message);
    let of = |(name, count): (&str, usize)| format!("{name} has {count} resource instances");
    let what: Vec<String> = resources.into_iter().map(|(name, count)| of((&format!("{name}."), count))).collect();
    let message = format!("Some resources are remaining: {}", what.join(", "));
    set("NamespaceContentRemaining", true, ("SomeResourcesRemain", "ContentRemoved"), &message);
    let what: Vec<String> =
        finalizers.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let message = match what.is_empty() {
        true => "All content-preserving finalizers finished".to_owned(),
        false => format!("Some content in the namespace has finalizers remaining: {}", what.join(", ")),
    };
    set("NamespaceFinalizersRemaining", !what.is_empty(), ("SomeFinalizersRemain", "ContentHasNoFinalizers"), &message);
    super::write_status(cluster, key, status);
}
