//! What refers to names that are others now: [`rewrite`], and text that may, [`note_text`].

use crate::{Rewriting, text};
use serde_json::{Map, Value};

/// Fields that name something of a kind that lives in no namespace, by the kind.
const FIELDS: [(&str, &str); 10] = [
    ("storageClassName", "StorageClass"),
    ("storageClass", "StorageClass"),
    ("priorityClassName", "PriorityClass"),
    ("ingressClassName", "IngressClass"),
    ("runtimeClassName", "RuntimeClass"),
    ("gatewayClassName", "GatewayClass"),
    ("volumeAttributesClassName", "VolumeAttributesClass"),
    ("volumeSnapshotClassName", "VolumeSnapshotClass"),
    ("policyName", "ValidatingAdmissionPolicy"),
    ("volumeName", "PersistentVolume"),
];

/// Annotations that do.
const ANNOTATIONS: [(&str, &str); 4] = [
    ("kubernetes.io/ingress.class", "IngressClass"),
    ("volume.beta.kubernetes.io/storage-class", "StorageClass"),
    ("cert-manager.io/cluster-issuer", "ClusterIssuer"),
    ("scheduling.k8s.io/priority-class", "PriorityClass"),
];

/// The label by which selectors mean a namespace by its name.
pub(crate) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Tells an object what others are called now. Its own name and namespace are another matter.
pub(crate) fn rewrite(rewriting: &Rewriting, object: &mut Value) {
    let group = crate::group_of(object).to_owned();
    let kind = text(object, "/kind").to_owned();
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        rewrite_annotations(rewriting, annotations);
    }
    if let Some(owners) = object.pointer_mut("/metadata/ownerReferences") {
        walk(rewriting, owners);
    }
    if group == "rbac.authorization.k8s.io" && matches!(kind.as_str(), "Role" | "ClusterRole") {
        rewrite_rules(rewriting, object);
    }
    for (key, value) in object.as_object_mut().into_iter().flatten() {
        let is_text = group.is_empty() && matches!(kind.as_str(), "ConfigMap" | "Secret");
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") && !is_text {
            walk(rewriting, value);
        }
    }
}

fn walk(rewriting: &Rewriting, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(rewriting, item)),
        Value::Object(map) => {
            rewrite_map(rewriting, map);
            for (key, value) in map {
                match key.as_str() {
                    // Whatever these say, it is not what something is called.
                    "labels" | "nodeSelector" => {}
                    "annotations" => {
                        if let Some(annotations) = value.as_object_mut() {
                            rewrite_annotations(rewriting, annotations);
                        }
                    }
                    _ => walk(rewriting, value),
                }
            }
        }
        _ => {}
    }
}

/// One mapping: what its fields say as they stand beside one another.
fn rewrite_map(rewriting: &Rewriting, map: &mut Map<String, Value>) {
    let is_moved = |name: &str| rewriting.namespaces.contains(name);
    let new_namespace = &rewriting.place.namespace;
    for (key, value) in map.iter_mut() {
        match value {
            Value::String(name)
                if matches!(key.as_str(), "namespace" | "targetNamespace" | NAME_LABEL) && is_moved(name) =>
            {
                new_namespace.clone_into(name);
            }
            Value::String(name) => {
                let kind = FIELDS.iter().find(|(field, _)| field == key).map(|(_, kind)| *kind);
                if let Some(new) = kind.and_then(|kind| rewriting.new_name(None, kind, name)) {
                    new.clone_into(name);
                }
            }
            Value::Array(names) if key == "namespaces" || key == "matchNames" => {
                move_all(rewriting, names);
            }
            _ => {}
        }
    }
    if map.get("key").and_then(Value::as_str) == Some(NAME_LABEL)
        && let Some(Value::Array(values)) = map.get_mut("values")
    {
        move_all(rewriting, values);
    }
    let of = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let (Some(kind), Some(name)) = (of("kind"), of("name")) else { return };
    let group = of("apiGroup")
        .or_else(|| of("group"))
        .or_else(|| of("apiVersion").map(|version| version.split_once('/').map_or("", |(group, _)| group).to_owned()));
    let new = match kind.as_str() {
        "User" => account(rewriting, &name, "system:serviceaccount:"),
        "Group" => account(rewriting, &name, "system:serviceaccounts:"),
        "Namespace" => is_moved(&name).then(|| new_namespace.clone()),
        _ => rewriting.new_name(group.as_deref(), &kind, &name).cloned(),
    };
    if let Some(new) = new {
        map.insert("name".to_owned(), new.into());
    }
}

fn move_all(rewriting: &Rewriting, names: &mut [Value]) {
    for name in names {
        if name.as_str().is_some_and(|name| rewriting.namespaces.contains(name)) {
            *name = rewriting.place.namespace.clone().into();
        }
    }
}

/// A service account as a user, `system:serviceaccount:NAMESPACE:NAME`, or all of a namespace as a group.
fn account(rewriting: &Rewriting, name: &str, prefix: &str) -> Option<String> {
    let rest = name.strip_prefix(prefix)?;
    let (namespace, account) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
    let moved = rewriting.namespaces.contains(namespace);
    moved.then(|| format!("{prefix}{}{account}", rewriting.place.namespace))
}

fn rewrite_annotations(rewriting: &Rewriting, annotations: &mut Map<String, Value>) {
    for (key, value) in annotations {
        let Value::String(said) = value else { continue };
        if let Some((_, kind)) = ANNOTATIONS.iter().find(|(name, _)| name == key)
            && let Some(new) = rewriting.new_name(None, kind, said)
        {
            new.clone_into(said);
        }
        // Where a certificate is: `NAMESPACE/NAME`.
        if key.starts_with("cert-manager.io/inject-ca-from")
            && let Some((namespace, name)) = said.split_once('/')
            && rewriting.namespaces.contains(namespace)
        {
            *said = format!("{}/{name}", rewriting.place.namespace);
        }
    }
}

/// Rules that allow something for objects by their names.
fn rewrite_rules(rewriting: &Rewriting, role: &mut Value) {
    for rule in role.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        let words = |field: &str| -> Vec<String> {
            let list = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (groups, resources) = (words("apiGroups"), words("resources"));
        let names_namespaces = resources.iter().any(|resource| resource.split('/').next() == Some("namespaces"));
        for name in rule.get_mut("resourceNames").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(was) = name.as_str() else { continue };
            let new = rewriting.renamed.iter().find(|((group, kind, own), _)| {
                let is_meant = |resource: &String| is_plural_of(resource.split('/').next().unwrap_or_default(), kind);
                own == was && groups.contains(group) && resources.iter().any(is_meant)
            });
            let moved = names_namespaces && rewriting.namespaces.contains(was);
            let new = new.map(|(_, new)| new.clone()).or_else(|| moved.then(|| rewriting.place.namespace.clone()));
            if let Some(new) = new {
                *name = new.into();
            }
        }
    }
}

/// Whether a resource's name in paths is that of a kind, as Kubernetes makes plurals.
fn is_plural_of(resource: &str, kind: &str) -> bool {
    let kind = kind.to_lowercase();
    let stem = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
    resource == format!("{kind}s") || resource == format!("{kind}es") || stem.is_some_and(|plural| resource == plural)
}

impl Rewriting {
    /// The new name of something that lives in no namespace, of a kind of any group if none is named.
    fn new_name(&self, group: Option<&str>, kind: &str, name: &str) -> Option<&String> {
        let found = self.renamed.iter().find(|((own_group, own_kind, own_name), _)| {
            own_kind == kind && own_name == name && group.is_none_or(|group| group == own_group)
        });
        found.map(|(_, new)| new)
    }
}

/// Notes text that seems to name a service in one of the namespaces that are others now: nobody but its author knows
/// whether it does.
pub(crate) fn note_text(rewriting: &Rewriting, object: &Value, was: &str, notes: &mut Vec<String>) {
    let found = |text: &str| {
        rewriting.namespaces.iter().find(|namespace| {
            let name = format!(".{namespace}.svc");
            // A part of a longer name is another name.
            text.match_indices(&name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_alphanumeric()))
        })
    };
    let mut meant: Option<&String> = None;
    let mut rest = vec![object];
    while let (Some(value), None) = (rest.pop(), meant) {
        match value {
            Value::String(text) => meant = found(text),
            Value::Array(items) => rest.extend(items),
            Value::Object(map) => rest.extend(map.values()),
            _ => {}
        }
    }
    if let Some(namespace) = meant {
        notes.push(format!(
            "{was} names a service in {namespace} by DNS, and that namespace is not this one: use the service's name alone"
        ));
    }
}
