//! What the API server serves: groups, versions, kinds. In two requests where the server can aggregate them, which it
//! can since Kubernetes 1.27; else in one a version.

use crate::client::{Answer, Call, Client};
use crate::failure::Failure;
use serde_json::Value;
use std::collections::BTreeSet;

/// What client-go accepts, newest first.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Everything that is served.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) versions: Vec<GroupVersion>,
    /// The group versions that are announced and not there, each with the reason; servers that aggregate give none.
    pub(crate) failed: Vec<(String, String)>,
}

/// A version of a group, and what is in it.
#[derive(Debug)]
pub(crate) struct GroupVersion {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resources: Vec<Resource>,
}

/// A resource or, with a `/` in its name, a part of one.
#[derive(Debug)]
pub(crate) struct Resource {
    /// `configmaps`
    pub(crate) name: String,
    /// `ConfigMap`
    pub(crate) kind: String,
    pub(crate) is_namespaced: bool,
    pub(crate) can_be_patched: bool,
}

/// Where things of a kind are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) group: String,
    pub(crate) version: String,
    /// `configmaps`
    pub(crate) resource: String,
    pub(crate) is_namespaced: bool,
}

/// Group, version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gvk {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

impl Discovery {
    pub(crate) async fn of(client: &Client) -> Result<Self, Failure> {
        let mut discovery = Self::default();
        for path in ["/api", "/apis"] {
            let answer = client.send(&Call::get(path, ACCEPT)).await?;
            if matches!(answer.status, 403 | 404) {
                continue;
            }
            discovery.add(client, answer).await?;
        }
        Ok(discovery)
    }

    async fn add(&mut self, client: &Client, answer: Answer) -> Result<(), Failure> {
        let is_aggregated = answer.content_type.contains("as=APIGroupDiscoveryList");
        let body = answer.raw("")?;
        let json: Value = serde_json::from_slice(&body).map_err(|error| Failure::new(error.to_string()))?;
        if is_aggregated {
            self.add_aggregated(&json);
            return Ok(());
        }
        let core =
            items(&json, "versions").filter_map(Value::as_str).map(|version| (String::new(), version.to_owned()));
        let grouped = items(&json, "groups").flat_map(|group| {
            let name = text(group, "name").to_owned();
            items(group, "versions").map(move |version| (name.clone(), text(version, "version").to_owned()))
        });
        for (group, version) in core.chain(grouped) {
            let path = resources_path(&join(&group, &version));
            let list = client.send(&Call::get(&path, "application/json")).await;
            let list = list.and_then(|answer| answer.object(""));
            let resources = match list {
                Ok(list) => resources(&list).collect(),
                // It counts as served, with nothing in it.
                Err(failure) => {
                    self.failed.push((join(&group, &version), failure.message));
                    Vec::new()
                }
            };
            self.versions.push(GroupVersion { group, version, resources });
        }
        Ok(())
    }

    fn add_aggregated(&mut self, list: &Value) {
        for group in items(list, "items") {
            let name = group.get("metadata").map_or("", |metadata| text(metadata, "name"));
            for entry in items(group, "versions") {
                let version = text(entry, "version").to_owned();
                // What is announced and not there is left out without a word, as in Helm.
                if text(entry, "freshness") == "Stale" {
                    continue;
                }
                let mut resources = Vec::new();
                for resource in items(entry, "resources") {
                    let own = text(resource, "resource");
                    let parts = items(resource, "subresources")
                        .map(|part| (format!("{own}/{}", text(part, "subresource")), part));
                    for (name, described) in std::iter::once((own.to_owned(), resource)).chain(parts) {
                        let kind = described.get("responseKind").map_or("", |kind| text(kind, "kind"));
                        if !kind.is_empty() {
                            resources.push(Resource {
                                name,
                                kind: kind.to_owned(),
                                is_namespaced: text(resource, "scope") == "Namespaced",
                                can_be_patched: can_be_patched(described),
                            });
                        }
                    }
                }
                self.versions.push(GroupVersion { group: name.to_owned(), version, resources });
            }
        }
    }

    /// What `.Capabilities.APIVersions` has, in order.
    pub(crate) fn api_versions(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for GroupVersion { group, version, resources } in &self.versions {
            let both = join(group, version);
            found.extend(resources.iter().map(|resource| format!("{both}/{}", resource.kind)));
            found.insert(both);
        }
        found.into_iter().collect()
    }

    /// Where a kind is served, by the rules of client-go's mapper: a kind goes by its name in small letters too, and
    /// lists of it are known, if only by name.
    pub(crate) fn mapping(&self, wanted: &Gvk) -> Option<Mapping> {
        let kind = wanted.kind.as_str();
        let fits = |served: &&GroupVersion| {
            served.group == wanted.group && (served.version == wanted.version || wanted.version.is_empty())
        };
        self.versions.iter().filter(fits).find_map(|GroupVersion { group, version, resources }| {
            let mapping = |resource: String, is_namespaced| Mapping {
                group: group.clone(),
                version: version.clone(),
                resource,
                is_namespaced,
            };
            let mut whole = resources.iter().filter(|resource| !resource.name.contains('/'));
            let of_kind = whole.clone().find(|resource| resource.kind == kind || resource.kind.to_lowercase() == kind);
            if let Some(resource) = of_kind {
                return Some(mapping(resource.name.clone(), resource.is_namespaced));
            }
            let listed = whole.find(|resource| kind.strip_suffix("List") == Some(&resource.kind));
            match listed {
                Some(resource) => Some(mapping(guessed_plural(kind), resource.is_namespaced)),
                None => (kind == "List").then(|| mapping("lists".to_owned(), false)),
            }
        })
    }

    /// Whether things of exactly this kind can be patched.
    pub(crate) fn can_be_patched(&self, wanted: &Gvk) -> bool {
        let served = self.versions.iter().filter(|it| it.group == wanted.group && it.version == wanted.version);
        let mut resources = served.flat_map(|served| &served.resources);
        resources.any(|it| it.kind == wanted.kind && it.can_be_patched && !it.name.contains('/'))
    }
}

impl Mapping {
    /// The path of all things in a namespace, or of one; parts that are empty are left out.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let (root, group) = if self.group.is_empty() { ("api", "") } else { ("apis", self.group.as_str()) };
        let namespaces = if namespace.is_empty() { "" } else { "namespaces" };
        let parts = [root, group, &self.version, namespaces, namespace, &self.resource, name];
        parts.into_iter().filter(|part| !part.is_empty()).map(|part| format!("/{}", escaped(part))).collect()
    }

    /// `deployments.apps`, as errors name it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) }
    }
}

impl Gvk {
    /// From `apiVersion` and `kind`. The error is apimachinery's.
    pub(crate) fn new(api_version: &str, kind: &str) -> Result<Self, String> {
        let (group, version) = match api_version.matches('/').count() {
            _ if api_version == "/" => ("", ""),
            0 => ("", api_version),
            1 => api_version.split_once('/').unwrap_or_default(),
            _ => return Err(format!("unexpected GroupVersion string: {api_version}")),
        };
        Ok(Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() })
    }

    pub(crate) fn group_version(&self) -> String {
        join(&self.group, &self.version)
    }
}

/// Where the resources of a group version are listed.
pub(crate) fn resources_path(group_version: &str) -> String {
    let root = if group_version == "v1" { "api" } else { "apis" };
    format!("/{root}/{}", group_version.split('/').map(escaped).collect::<Vec<_>>().join("/"))
}

/// The resources of an `APIResourceList`.
pub(crate) fn resources(list: &Value) -> impl Iterator<Item = Resource> {
    items(list, "resources").map(|resource| Resource {
        name: text(resource, "name").to_owned(),
        kind: text(resource, "kind").to_owned(),
        is_namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
        can_be_patched: can_be_patched(resource),
    })
}

fn can_be_patched(resource: &Value) -> bool {
    items(resource, "verbs").any(|verb| verb == "patch")
}

fn join(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// apimachinery's guess at what things of a kind are called.
fn guessed_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

/// A part of a path with what may not stand in one as `%20`.
fn escaped(part: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~$&+,;=:@!'()*".contains(&byte);
    part.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn aggregated() -> Discovery {
        let list = json!({"items": [
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
                {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced",
                 "verbs": ["get", "patch"],
                 "subresources": [{"subresource": "scale", "responseKind": {"kind": "Scale"}, "verbs": ["get"]}]},
                {"resource": "odd", "responseKind": null, "scope": "Cluster", "verbs": []},
            ]}]},
            {"metadata": {"name": "metrics"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
        ]});
        let mut discovery = Discovery::default();
        discovery.add_aggregated(&list);
        discovery
    }

    #[test]
    fn what_is_served_is_read() {
        let discovery = aggregated();
        assert_eq!(discovery.api_versions(), ["apps/v1", "apps/v1/Deployment", "apps/v1/Scale"]);
        assert!(discovery.failed.is_empty());
        let old = json!({"resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["patch"]}]});
        let old: Vec<Resource> = resources(&old).collect();
        assert!(old[0].is_namespaced && old[0].can_be_patched && old[0].kind == "Pod");
    }

    #[test]
    fn kinds_are_found_as_client_go_finds_them() {
        let discovery = aggregated();
        let found = |api_version: &str, kind: &str| {
            let mapping = discovery.mapping(&Gvk::new(api_version, kind).expect("it is one"));
            mapping.map(|mapping| mapping.path("n", "a b"))
        };
        let deployment = Some("/apis/apps/v1/namespaces/n/deployments/a%20b".to_owned());
        assert_eq!(found("apps/v1", "Deployment"), deployment);
        assert_eq!(found("apps/v1", "deployment"), deployment);
        assert_eq!(
            found("apps/v1", "DeploymentList").as_deref(),
            Some("/apis/apps/v1/namespaces/n/deploymentlists/a%20b")
        );
        assert!(found("apps/v1", "List").is_some());
        assert_eq!(
            (found("apps/v1", "Scale"), found("apps/v2", "Deployment"), found("v1", "Deployment")),
            (None, None, None)
        );
        assert!(Gvk::new("a/b/c", "X").is_err());
    }
}
