//! The objects of a release as they are in the cluster: [`Session::with_resources`].

use crate::failure::Failure;
use crate::hooks::segment;
use crate::release::Release;
use crate::session::Session;
use futures::stream::{StreamExt, iter};
use onepane_cluster::{Request, Validation};
use serde_json::{Map, Value, json};

/// What objects are wanted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    Objects,
    /// As the server puts them into tables.
    Tables,
}

const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

impl Session<'_> {
    /// Adds to a release what the cluster has of it, by version and kind, and the pods of its workloads. What can't be had is
    /// left out, as in Helm.
    pub async fn with_resources(&self, release: &mut Release, format: Format) -> Result<(), Failure> {
        let resources = self.cluster.build(&[release.manifest.as_bytes()], &self.namespace, Validation::None).await?;
        let asked = iter(&resources).map(|resource| async {
            let query = if format == Format::Tables { "?includeObject=Object" } else { "" };
            let accept = if format == Format::Tables { TABLE } else { "application/json" };
            let request = Request { accept, ..Request::get(format!("{}{query}", resource.path()), resource.asked()) };
            self.cluster.ask(&request).await.ok()
        });
        let found: Vec<Option<Value>> = asked.buffered(32).collect().await;
        let mut groups: Map<String, Value> = Map::new();
        let mut add = |group: String, object: Value| {
            let entry = groups.entry(group).or_insert_with(|| json!([]));
            if let Some(list) = entry.as_array_mut() {
                list.push(object);
            }
        };
        let mut selectors: Vec<Value> = Vec::new();
        for (resource, object) in resources.iter().zip(found) {
            let Some(object) = object.map(|object| sorted(&object)) else { continue };
            add(format!("{}/{}", resource.version, resource.kind), object);
            let Some(selector) = selector_of(&resource.kind, &resource.object).filter(|one| !selectors.contains(one))
            else {
                continue;
            };
            selectors.push(selector.clone());
            if let Some(pods) = self.pods(&resource.namespace, &selector, format).await {
                add("v1/Pod(related)".to_owned(), pods);
            }
        }
        release.info.resources = Some(Value::Object(groups));
        Ok(())
    }

    /// The pods that a selector means, as one list or table.
    async fn pods(&self, namespace: &str, selector: &Value, format: Format) -> Option<Value> {
        let labels = selector.as_object().into_iter().flatten();
        let mut labels: Vec<String> = labels
            .map(|(key, value)| {
                let key: Vec<String> = key.split('/').map(segment).collect();
                format!("{}%3D{}", key.join("%2F"), segment(value.as_str().unwrap_or_default()))
            })
            .collect();
        labels.sort_unstable();
        let path = format!("/api/v1/namespaces/{}/pods?labelSelector={}", segment(namespace), labels.join("%2C"));
        let request = match format {
            Format::Tables => Request { accept: TABLE, ..Request::get(format!("{path}&includeObject=Object"), "pods") },
            Format::Objects => Request::get(path, "pods"),
        };
        let mut list = self.cluster.ask(&request).await.ok()?;
        // Items of a list do not say what they are, and are asked to.
        for item in list.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            item["apiVersion"] = json!("v1");
            item["kind"] = json!("Pod");
        }
        Some(sorted(&list))
    }
}

/// An object with its fields in order of their names, as Go prints maps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, field)| (name.clone(), sorted(field))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn selector_of(kind: &str, object: &Value) -> Option<Value> {
    let pointer = match kind {
        "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => "/spec/selector/matchLabels",
        "ReplicationController" => "/spec/selector",
        _ => return None,
    };
    object.pointer(pointer).filter(|labels| labels.is_object()).cloned()
}
