//! CustomResourceDefinitions, from which kinds are made.

use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::object::{self, at, items, text};
use crate::types;
use serde_json::{Value, json};
use std::sync::Arc;

/// The conditions of a definition that was accepted, and of one whose names are taken.
pub(crate) fn status(cluster: &Cluster, definition: &Value) -> Value {
    let group = text(definition, &["spec", "group"]);
    let names = &definition["spec"]["names"];
    let (plural, kind) = (text(names, &["plural"]), text(names, &["kind"]));
    let own = object::name(definition);
    let other = cluster.store.list("customresourcedefinitions.apiextensions.k8s.io", None).find(|(_, other)| {
        object::name(other) != own
            && text(other, &["spec", "group"]) == group
            && text(other, &["status", "acceptedNames", "kind"]) == kind
    });
    let versions = items(definition, &["spec", "versions"]).iter();
    let stored: Vec<Value> =
        versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
    let mut all = items(definition, &["status", "storedVersions"]).to_vec();
    all.extend(
        stored.into_iter().filter(|version| !items(definition, &["status", "storedVersions"]).contains(version)),
    );
    let condition = |of: &str, status: &str, reason: &str, message: &str| {
        let before = items(definition, &["status", "conditions"]).iter().find(|before| before["type"] == of);
        let time =
            before.filter(|before| before["status"] == status).map(|before| before["lastTransitionTime"].clone());
        let time = time.unwrap_or_else(|| object::now().into());
        json!({"type": of, "status": status, "lastTransitionTime": time, "reason": reason, "message": message})
    };
    if other.is_some() {
        let why = format!("{kind:?} is already in use");
        let names = condition("NamesAccepted", "False", "KindConflict", &why);
        let established = condition("Established", "False", "NotAccepted", "not all names are accepted");
        return json!({"conditions": [names, established], "acceptedNames": {"plural": plural, "kind": ""}, "storedVersions": all});
    }
    let accepted = condition("NamesAccepted", "True", "NoConflicts", "no conflicts found");
    let message = "the initial names have been accepted";
    let established = condition("Established", "True", "InitialNamesAccepted", message);
    json!({"conditions": [accepted, established], "acceptedNames": names, "storedVersions": all})
}

/// Serves the kinds of a definition as it is now, once it is established.
pub(crate) fn define(cluster: &mut Cluster, definition: &Value) {
    let is_established = items(definition, &["status", "conditions"])
        .iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    let name = object::name(definition).to_owned();
    if !is_established {
        return;
    }
    let names = &definition["spec"]["names"];
    let words = |field: &str| -> Vec<String> {
        items(names, &[field]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let kinds = items(definition, &["spec", "versions"]).iter().filter(|version| version["served"] == true);
    let kinds = kinds.map(|version| {
        let subresources =
            ["status", "scale"].into_iter().filter(|name| at(version, &["subresources", name]).is_some());
        let mut schema = at(version, &["schema", "openAPIV3Schema"]).cloned().unwrap_or_default();
        if at(definition, &["spec", "preserveUnknownFields"]) == Some(&Value::Bool(true)) {
            object::set(&mut schema, &["x-kubernetes-preserve-unknown-fields"], true);
        }
        Arc::new(Kind {
            group: text(definition, &["spec", "group"]).to_owned(),
            version: text(version, &["name"]).to_owned(),
            plural: text(names, &["plural"]).to_owned(),
            singular: text(names, &["singular"]).to_owned(),
            kind: text(names, &["kind"]).to_owned(),
            list_kind: text(names, &["listKind"]).to_owned(),
            is_namespaced: text(definition, &["spec", "scope"]) == "Namespaced",
            short_names: words("shortNames"),
            categories: words("categories"),
            subresources: subresources.map(str::to_owned).collect(),
            verbs: None,
            shape: types::custom_kind(&schema),
            custom: Some(version.clone()),
        })
    });
    let kinds = kinds.collect();
    cluster.kinds.define(&name, kinds);
}
