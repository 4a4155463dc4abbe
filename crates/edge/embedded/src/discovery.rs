//! What is served, as clients find out.

use crate::kinds::{Kinds, join_version};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The version of Kubernetes whose API this is.
pub(crate) const VERSION: &str = "v1.34.4";

pub(crate) fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": format!("{VERSION}+onepane-embedded"), "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "embedded",
    })
}

/// `/api`
pub(crate) fn core_versions(address: &str) -> Value {
    let address = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]);
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address})
}

/// `/apis`
pub(crate) fn groups(kinds: &Kinds) -> Value {
    let groups = kinds.groups();
    let groups: Vec<Value> = groups.iter().filter(|(group, _)| !group.is_empty()).map(described).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`
pub(crate) fn group(kinds: &Kinds, name: &str) -> Option<Value> {
    let groups = kinds.groups();
    let found = groups.iter().find(|(group, _)| group == name && !group.is_empty())?;
    let mut group = described(found);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Some(group)
}

fn described((group, versions): &(String, Vec<String>)) -> Value {
    let of = |version: &String| json!({"groupVersion": join_version(group, version), "version": version});
    let all: Vec<Value> = versions.iter().map(of).collect();
    json!({"name": group, "versions": all, "preferredVersion": all.first()})
}

/// `/api/v1` and `/apis/GROUP/VERSION`
pub(crate) fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let of = kinds.all().filter(|kind| kind.group == group && kind.version == version);
    let resources: Vec<Value> = of.flat_map(|kind| kind.described()).collect();
    let version = join_version(group, version);
    (!resources.is_empty()).then(
        || json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}

/// Everything at once, for the core group or for all others.
pub(crate) fn aggregated(kinds: &Kinds, is_core: bool) -> Value {
    let groups = kinds.groups();
    let groups = groups.iter().filter(|(group, _)| group.is_empty() == is_core).map(|(group, versions)| {
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let of = kinds.all().filter(|kind| kind.group == *group && kind.version == *version);
                let resources: Vec<Value> = of
                    .map(|kind| {
                        let all = kind.described();
                        let mut own = all.first().map(aggregated_resource).unwrap_or_default();
                        let below: Vec<Value> = all.iter().skip(1).map(aggregated_subresource).collect();
                        for resource in std::iter::once(&mut own) {
                            complete(resource, group, version);
                        }
                        let below: Vec<Value> = below
                            .into_iter()
                            .map(|mut below| {
                                complete(&mut below, group, version);
                                below
                            })
                            .collect();
                        if !below.is_empty() {
                            own["subresources"] = below.into();
                        }
                        own
                    })
                    .collect();
                json!({"version": version, "freshness": "Current", "resources": resources})
            })
            .collect();
        let mut metadata = json!({});
        if !group.is_empty() {
            metadata["name"] = group.clone().into();
        }
        json!({"metadata": metadata, "versions": versions})
    });
    let groups: Vec<Value> = groups.collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups})
}

/// A kind that names no group is of the group around it.
fn complete(resource: &mut Value, group: &str, version: &str) {
    let kind = &mut resource["responseKind"];
    if kind["version"].is_null() {
        kind["group"] = group.into();
        kind["version"] = version.into();
    }
}

fn response_kind(resource: &Value) -> Value {
    json!({"group": resource["group"], "version": resource["version"], "kind": resource["kind"]})
}

fn aggregated_resource(resource: &Value) -> Value {
    let scope = if resource["namespaced"] == true { "Namespaced" } else { "Cluster" };
    let mut own = json!({
        "resource": resource["name"], "responseKind": response_kind(resource), "scope": scope,
        "singularResource": resource["singularName"], "verbs": resource["verbs"],
    });
    for field in ["shortNames", "categories"] {
        if let Some(names) = resource.get(field) {
            own[field] = names.clone();
        }
    }
    own
}

fn aggregated_subresource(resource: &Value) -> Value {
    let name = resource["name"].as_str().and_then(|name| name.split_once('/')).map(|(_, name)| name);
    json!({"subresource": name, "responseKind": response_kind(resource), "verbs": resource["verbs"]})
}

/// `/openapi/v3`: which documents there are.
pub(crate) fn openapi(kinds: &Kinds) -> Value {
    let mut paths = BTreeMap::new();
    for (group, versions) in kinds.groups() {
        for version in versions {
            let path = match &*group {
                "" => format!("api/{version}"),
                group => format!("apis/{group}/{version}"),
            };
            let address = format!("/openapi/v3/{path}?hash=embedded");
            paths.insert(path, json!({"serverRelativeURL": address}));
        }
    }
    json!({"paths": paths})
}

/// A document of `/openapi/v3`: the paths that can be patched, and no schemas. It is what clients look at to find out that
/// the server knows `fieldValidation`.
pub(crate) fn openapi_document(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut paths = BTreeMap::new();
    for kind in kinds.all().filter(|kind| kind.group == group && kind.version == version) {
        let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/{version}") };
        let namespaces = if kind.is_namespaced { "/namespaces/{namespace}" } else { "" };
        let parameter =
            |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
        let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"].map(parameter).to_vec();
        let of = json!({"group": group, "version": version, "kind": kind.kind});
        let patch = json!({"parameters": parameters, "responses": {}, "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": of});
        paths.insert(format!("{root}{namespaces}/{}/{{name}}", kind.plural), json!({"patch": patch}));
    }
    (!paths.is_empty()).then(|| {
        json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": paths, "components": {"schemas": {}}})
    })
}

/// `/openapi/v2`, without definitions.
pub(crate) fn swagger() -> Value {
    json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": {}, "definitions": {}})
}
