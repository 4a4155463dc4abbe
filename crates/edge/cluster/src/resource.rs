//! A resource of a manifest, and where it is in the cluster: [`Resource`].

use crate::discovery::{Gvk, Mapping};
use crate::identity::metadata;
use crate::lookup::check_segment;
use serde_json::Value;
use std::fmt;

/// A resource of a manifest, and where it is in the cluster.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What it is to be, with the namespace that it is in.
    pub object: Value,
    /// `kind`
    pub kind: String,
    /// Its group, which is empty for Kubernetes' core.
    pub group: String,
    /// The version of the group.
    pub version: String,
    /// Where it is; empty for what is in none.
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    mapping: Mapping,
}

impl Resource {
    /// `object`, in `namespace` if it says none and its kind is in one.
    pub(crate) fn new(mut object: Value, gvk: Gvk, mapping: Mapping, namespace: &str) -> Self {
        let given = metadata(&object, "namespace");
        let namespace = match (mapping.is_namespaced, given) {
            (false, _) => "",
            (true, "") => namespace,
            (true, given) => given,
        }
        .to_owned();
        let name = metadata(&object, "name").to_owned();
        if mapping.is_namespaced {
            // Metadata that is none was refused before.
            if let Some(fields) = object.as_object_mut()
                && !fields.get("metadata").is_some_and(Value::is_object)
            {
                fields.insert("metadata".to_owned(), serde_json::json!({}));
            }
            object["metadata"]["namespace"] = Value::from(namespace.as_str());
        }
        let Gvk { group, version, kind } = gvk;
        Self { object, kind, group, version, namespace, name, mapping }
    }

    /// Whether it is one whose name the server makes up.
    pub fn has_generated_name(&self) -> bool {
        !metadata(&self.object, "generateName").is_empty()
    }

    /// Where it is.
    pub fn path(&self) -> String {
        self.mapping.path(&self.namespace, &self.name)
    }

    /// Where resources of its kind are made.
    pub fn collection(&self) -> String {
        self.mapping.path(&self.namespace, "")
    }

    /// What client-go knows of it: `deployments.apps web`.
    pub fn asked(&self) -> String {
        format!("{} {}", self.mapping.qualified(), self.name)
    }

    /// `deployments`
    pub fn plural(&self) -> &str {
        &self.mapping.resource
    }

    /// As Go's `GroupVersionKind` prints itself: `apps/v1, Kind=Deployment`.
    pub fn go_kind(&self) -> String {
        let Self { group, version, kind, .. } = self;
        format!("{group}/{version}, Kind={kind}")
    }

    /// Whether both are the same thing in the cluster, in whatever version.
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |it: &Self| [&it.name, &it.namespace, &it.group, &it.kind].map(String::clone);
        key(self) == key(other)
    }

    /// Refuses names that are no parts of a path. The error is client-go's.
    pub(crate) fn check_path(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("resource name may not be empty".to_owned());
        }
        check_segment("namespace", &self.namespace)?;
        check_segment("resource name", &self.name)
    }
}

impl fmt::Display for Resource {
    /// As Helm's errors name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} in namespace {:?}", self.kind, self.name, self.namespace)
    }
}
