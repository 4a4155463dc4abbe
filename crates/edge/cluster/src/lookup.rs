//! Helm's `lookup`, answered by the cluster.

use crate::cluster::Cluster;
use crate::discovery::{Gvk, Mapping, resources, resources_path};
use crate::failure::Failure;
use crate::value::to_value;
use onepane_template::Host;
use onepane_value::{Map, Value};
use serde_json::Value as Json;

impl Host for Cluster {
    /// The resource, or the list of all of a kind where there is no name. Errors are Helm's, and are logged as well.
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, String> {
        // What is no API version counts as none.
        let gvk = Gvk::new(api_version, kind).unwrap_or(Gvk { kind: kind.to_owned(), ..Gvk::default() });
        let mapping = self.mapping_for_lookup(&gvk).map_err(|failure| {
            let Gvk { group, version, kind } = &gvk;
            let shown = format!("{group}/{version}, Kind={kind}");
            let error = failure.message;
            let fields = vec![("GroupVersion", gvk.group_version()), ("error", error.clone())];
            self.log_error("unable to retrieve resource list", fields);
            let fields = vec![("groupVersionKind", shown.clone()), ("error", error.clone())];
            self.log_error("unable to get apiresource", fields);
            format!("unable to get apiresource from unstructured: {shown}: {error}")
        })?;
        let namespace = if mapping.is_namespaced { namespace } else { "" };
        check_segment("namespace", namespace)?;
        check_segment("resource name", name)?;
        let found = self.get_object(&mapping.path(namespace, name), "");
        match found {
            Ok(json) if name.is_empty() => Ok(to_value(&completed(json))),
            Ok(json) => Ok(to_value(&json)),
            Err(failure) if failure.is_not_found => Ok(Map::new().into()),
            Err(failure) => Err(failure.message),
        }
    }
}

impl Cluster {
    /// Asked anew and not of what was discovered, since a template may look up what is announced and not there. A kind
    /// that its version does not have maps to the root of all paths, as it does in Helm.
    fn mapping_for_lookup(&self, gvk: &Gvk) -> Result<Mapping, Failure> {
        let group_version = gvk.group_version();
        if group_version.is_empty() {
            return Err(Failure::new("groupVersion shouldn't be empty"));
        }
        let path = resources_path(&group_version);
        let mut known = self.looked_up.borrow_mut();
        let list = match known.get(&path) {
            Some(list) => list,
            None => {
                let list = match self.get_object(&path, "") {
                    Err(failure) if failure.is_not_found && group_version == "v1" => Json::Null,
                    list => list?,
                };
                known.entry(path).or_insert(list)
            }
        };
        let found = resources(list).find(|resource| resource.kind == gvk.kind && !resource.name.contains('/'));
        Ok(match found {
            Some(resource) => Mapping {
                group: gvk.group.clone(),
                version: gvk.version.clone(),
                resource: resource.name,
                is_namespaced: resource.is_namespaced,
            },
            None => {
                Mapping { group: String::new(), version: String::new(), resource: String::new(), is_namespaced: false }
            }
        })
    }
}

/// A list whose items have kinds, which the API server leaves out.
fn completed(mut list: Json) -> Json {
    let text = |name: &str| list.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let kind = kind.strip_suffix("List").unwrap_or(&kind);
    let Some(fields) = list.as_object_mut() else { return list };
    let items = fields.entry("items").or_insert(Json::Null);
    if items.is_null() {
        *items = Json::Array(Vec::new());
    }
    for item in items.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
        let has = |name: &str| item.get(name).and_then(Json::as_str).is_some_and(|text| !text.is_empty());
        if !has("kind") && !has("apiVersion") {
            item.insert("kind".to_owned(), kind.into());
            item.insert("apiVersion".to_owned(), api_version.as_str().into());
        }
    }
    list
}

/// What may be a part of a path. Errors are client-go's.
pub(crate) fn check_segment(what: &str, segment: &str) -> Result<(), String> {
    let problems: Vec<String> = match segment {
        "." | ".." => vec![format!("may not be '{segment}'")],
        _ => {
            ['/', '%'].into_iter().filter(|c| segment.contains(*c)).map(|c| format!("may not contain '{c}'")).collect()
        }
    };
    if problems.is_empty() { Ok(()) } else { Err(format!("invalid {what} {segment:?}: [{}]", problems.join(" "))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_of_a_list_get_their_kind() {
        let list = json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [{"a": 1}, {"kind": "X"}]});
        let items = json!([{"a": 1, "kind": "Deployment", "apiVersion": "apps/v1"}, {"kind": "X"}]);
        assert_eq!(completed(list)["items"], items);
        assert_eq!(completed(json!({"kind": "APIVersions"}))["items"], json!([]));
    }

    #[test]
    fn parts_of_paths_are_checked() {
        assert_eq!(check_segment("namespace", "a b"), Ok(()));
        let error = check_segment("namespace", "a/%").err();
        assert_eq!(error.as_deref(), Some("invalid namespace \"a/%\": [may not contain '/' may not contain '%']"));
    }
}
