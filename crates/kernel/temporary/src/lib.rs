//! Manifests made to live for a while, beside others of the same: [`Rewriting`].
//!
//! An environment that a folder describes is moved into one namespace of its own, so that many of them stand side by side
//! and none is in another's way. What lives in namespaces goes there; what does not gets the namespace's name behind its
//! own; and what refers to either is told (`references`). What would reach beyond the namespace all the same is taken back
//! (`isolation`): webhooks and admission policies look at that namespace only, nothing is a default of the whole cluster,
//! no port of a node is taken. Everything carries a label that says whose it is, and an annotation that says until when.
//!
//! [`images`] says which images are a service's, and puts others in their place.
//!
//! # What stays as it is
//! - CustomResourceDefinitions: their names say what they define, so that all environments of a cluster share them. They are
//!   given back apart ([`Rewritten::definitions`]).
//! - Text: names of services in DNS (`api.shop.svc`), what is in ConfigMaps and Secrets, expressions in CEL. Where such
//!   text names a namespace that was moved, a note says so.
//! - Labels, names of hosts in Ingresses and routes, ports of hosts, addresses of load balancers.
//!
//! It knows objects as JSON, and no cluster: who asks says which kinds live in namespaces.

pub mod images;
mod isolation;
mod names;
mod references;

pub use names::{LONGEST_NAME, namespace_name};

use onepane_resource::GroupVersionKind;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The label that says whose an object is: the name of the temporary namespace.
pub const RUN: &str = "onepane.dev/ci-run";
/// The annotation that says until when it may live, as in RFC 3339.
pub const EXPIRES: &str = "onepane.dev/ci-expires";

/// Where an environment goes, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The namespace.
    pub namespace: String,
    /// When it may be removed by anybody, as in RFC 3339.
    pub expires: String,
}

/// Why something can't live in a temporary namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it is: `RoleBinding/kube-system/a`.
    pub object: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.why)
    }
}

impl std::error::Error for Refused {}

/// An environment in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rewritten {
    /// What lives in the namespace, and what has its name behind its own.
    pub objects: Vec<Value>,
    /// Definitions of kinds, unchanged.
    pub definitions: Vec<Value>,
    /// What is not as it would be without, for people.
    pub notes: Vec<String>,
}

/// What becomes of the names of an environment.
#[derive(Clone, Debug)]
pub struct Rewriting {
    place: Place,
    /// The namespaces that objects were in.
    namespaces: BTreeSet<String>,
    /// New names of what lives in no namespace, by group, kind and name.
    renamed: BTreeMap<(String, String, String), String>,
    /// Labels and annotations of the namespaces that were among the objects.
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
}

/// Annotations by which an object would stay when its environment goes, and those that say what was applied before.
const NOT_TAKEN: [&str; 5] = [
    "helm.sh/resource-policy",
    "kustomize.toolkit.fluxcd.io/prune",
    "argocd.argoproj.io/sync-options",
    "client.lifecycle.config.k8s.io/deletion",
    "kubectl.kubernetes.io/last-applied-configuration",
];

impl Rewriting {
    /// For all that will be in the environment. `is_namespaced` says of a kind, by its `apiVersion`, whether it lives in
    /// namespaces; kinds that it does not know do, unless their definition is among the objects.
    ///
    /// # Errors
    /// For what can't live in a namespace of its own.
    pub fn new<'o>(
        place: Place,
        objects: impl IntoIterator<Item = &'o Value> + Clone,
        is_namespaced: &dyn Fn(&str, &str) -> Option<bool>,
    ) -> Result<Self, Refused> {
        let mut rewriting = Self {
            place,
            namespaces: BTreeSet::new(),
            renamed: BTreeMap::new(),
            labels: Map::new(),
            annotations: Map::new(),
        };
        let mut defined: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        for object in objects.clone() {
            if is_definition(object) {
                let kind = (text(object, "/spec/group"), text(object, "/spec/names/kind"));
                defined.insert(kind, text(object, "/spec/scope") == "Namespaced");
            }
        }
        for object in objects {
            let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
            let (group, name) = (group_of(object), text(object, "/metadata/name"));
            let refused = |why: &str| Err(Refused { object: called(object), why: why.to_owned() });
            let namespace = text(object, "/metadata/namespace");
            if namespace.starts_with("kube-") {
                return refused(&format!(
                    "lives in {namespace}, where nothing is temporary: leave it out in the folder"
                ));
            }
            match (group, kind) {
                ("", "Namespace") => {
                    rewriting.namespaces.insert(name.to_owned());
                    rewriting.take_from_namespace(object);
                    continue;
                }
                ("apiextensions.k8s.io", "CustomResourceDefinition") => continue,
                ("apiregistration.k8s.io", "APIService") => {
                    return refused("is served to the whole cluster under this name only: leave it out in the folder");
                }
                _ => {}
            }
            let is_namespaced = is_namespaced(api_version, kind).or_else(|| defined.get(&(group, kind)).copied());
            if is_namespaced.unwrap_or(true) {
                if !namespace.is_empty() {
                    rewriting.namespaces.insert(namespace.to_owned());
                }
            } else {
                let new = names::suffixed(name, &rewriting.place.namespace);
                rewriting.renamed.insert((group.to_owned(), kind.to_owned(), name.to_owned()), new);
            }
        }
        Ok(rewriting)
    }

    /// The namespace, with what the folder's own namespaces say of themselves, and whose it is.
    pub fn namespace(&self) -> Value {
        let mut labels = self.labels.clone();
        labels.insert("app.kubernetes.io/managed-by".to_owned(), "onepane".into());
        let mut namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.place.namespace},
        });
        namespace["metadata"]["labels"] = labels.into();
        namespace["metadata"]["annotations"] = self.annotations.clone().into();
        self.mark(&mut namespace);
        namespace
    }

    /// The groups and kinds of what lives in no namespace, as `ClusterRole.rbac.authorization.k8s.io`.
    pub fn cluster_kinds(&self) -> BTreeSet<String> {
        let name = |(group, kind, _): &(String, String, String)| match group.as_str() {
            "" => kind.clone(),
            group => format!("{kind}.{group}"),
        };
        self.renamed.keys().map(name).collect()
    }

    /// Some or all of the objects in their place.
    ///
    /// # Errors
    /// For two that would be one there, as they differ in their namespaces only.
    pub fn rewritten(&self, objects: Vec<Value>) -> Result<Rewritten, Refused> {
        let mut rewritten = Rewritten::default();
        let mut seen: BTreeMap<(String, String, String), String> = BTreeMap::new();
        for mut object in objects {
            let group = group_of(&object).to_owned();
            match (group.as_str(), text(&object, "/kind")) {
                ("", "Namespace") => continue,
                ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                    rewritten.definitions.push(object);
                    continue;
                }
                _ => {}
            }
            let was = called(&object);
            references::rewrite(self, &mut object);
            let key = (group, text(&object, "/kind").to_owned(), text(&object, "/metadata/name").to_owned());
            self.settle(&key, &mut object);
            if let Some(other) = seen.insert((key.0, key.1, text(&object, "/metadata/name").to_owned()), was.clone()) {
                let why = format!("and {other} would be one and the same in a single namespace");
                return Err(Refused { object: was, why });
            }
            isolation::isolate(&mut object, &self.place.namespace, &mut rewritten.notes);
            self.mark(&mut object);
            references::note_text(self, &object, &was, &mut rewritten.notes);
            rewritten.objects.push(object);
        }
        Ok(rewritten)
    }

    /// Gives an object its own new name, or its namespace.
    fn settle(&self, key: &(String, String, String), object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        match self.renamed.get(key) {
            Some(new) => {
                metadata.insert("name".to_owned(), new.clone().into());
                metadata.remove("namespace");
            }
            None => _ = metadata.insert("namespace".to_owned(), self.place.namespace.clone().into()),
        }
    }

    /// Says whose an object is and until when, and no more that it stays.
    fn mark(&self, object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        let labels = map_in(metadata, "labels");
        labels.insert(RUN.to_owned(), self.place.namespace.clone().into());
        let annotations = map_in(metadata, "annotations");
        annotations.retain(|key, _| !NOT_TAKEN.contains(&key.as_str()));
        annotations.insert(EXPIRES.to_owned(), self.place.expires.clone().into());
    }

    /// What a namespace of the folder says of itself holds for the temporary one; the first has its way.
    fn take_from_namespace(&mut self, object: &Value) {
        let maps = [("/metadata/labels", &mut self.labels), ("/metadata/annotations", &mut self.annotations)];
        for (pointer, taken) in maps {
            for (key, value) in object.pointer(pointer).and_then(Value::as_object).into_iter().flatten() {
                if key != "kubernetes.io/metadata.name" && value.is_string() {
                    taken.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
    }
}

/// A map below a key, made if there is none.
fn map_in<'m>(parent: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it was made one")
}

fn is_definition(object: &Value) -> bool {
    (group_of(object), text(object, "/kind")) == ("apiextensions.k8s.io", "CustomResourceDefinition")
}

fn group_of(object: &Value) -> &str {
    GroupVersionKind::split_api_version(text(object, "/apiVersion")).0
}

fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// `Kind/namespace/name`
fn called(object: &Value) -> String {
    let (kind, namespace, name) =
        (text(object, "/kind"), text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{kind}/{namespace}{slash}{name}")
}

#[cfg(test)]
mod tests;
