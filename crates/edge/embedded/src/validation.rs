//! What the API server refuses of Kubernetes' own kinds, as far as it matters to who deploys: names, what has to be there,
//! what may not be changed.

use crate::custom_validation;
use crate::failure::{Cause, Failure, Result};
use crate::kinds::Kind;
use crate::object::{self, at, items, text};
use crate::selector::Selector;
use serde_json::{Value, json};

/// Holds an object against the rules of its kind, and against what it was before.
pub(crate) fn validate(kind: &Kind, new: &Value, old: Option<&Value>) -> Result<()> {
    let mut causes = Vec::new();
    if old.is_none() {
        name(kind, new, &mut causes);
    }
    metadata(new, old, &mut causes);
    match &kind.custom {
        Some(version) => {
            let schema = &version["schema"]["openAPIV3Schema"];
            causes.extend(custom_validation::violations(schema, new));
        }
        None => {
            required(kind, new, &mut causes);
            if let Some(old) = old {
                immutable(kind, new, old, &mut causes);
            }
        }
    }
    match causes.is_empty() {
        true => Ok(()),
        false => Err(Failure::invalid(&kind.group, &kind.kind, object::name(new), &causes)),
    }
}

fn name(kind: &Kind, new: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(new);
    let field = "metadata.name";
    if name.is_empty() {
        causes.push(Cause::required(field, "name or generateName is required"));
        return;
    }
    let value = json!(name);
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |part: &str| {
        part.chars().all(|c| is_alphanumeric(c) || c == '-')
            && part.starts_with(is_alphanumeric)
            && part.ends_with(is_alphanumeric)
    };
    match (&*kind.group, &*kind.kind) {
        ("rbac.authorization.k8s.io", _) => {
            if matches!(name, "." | "..") || name.contains(['/', '%']) {
                causes.push(Cause::invalid(field, &value, "may not be a path or contain '/' or '%'"));
            }
        }
        ("", "Service") => {
            if name.len() > 63 || !is_label(name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
                let why = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
                causes.push(Cause::invalid(field, &value, why));
            }
        }
        ("", "Namespace") => {
            if name.len() > 63 || !is_label(name) {
                let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
                causes.push(Cause::invalid(field, &value, why));
            }
        }
        _ => {
            if name.len() > 253 {
                causes.push(Cause::invalid(field, &value, "must be no more than 253 characters"));
            } else if !name.split('.').all(is_label) {
                let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
                causes.push(Cause::invalid(field, &value, why));
            }
        }
    }
}

fn metadata(new: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    for (index, owner) in items(new, &["metadata", "ownerReferences"]).iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, &[field]).is_empty() {
                let field = format!("metadata.ownerReferences[{index}].{field}");
                causes.push(Cause::invalid(field, &json!(""), "must not be empty"));
            }
        }
    }
    let labels = at(new, &["metadata", "labels"]).and_then(Value::as_object);
    for value in labels.into_iter().flat_map(|labels| labels.values()) {
        let label = value.as_str().unwrap_or_default();
        let ends = |c: char| c.is_ascii_alphanumeric();
        let is_valid = label.is_empty()
            || (label.len() <= 63
                && label.chars().all(|c| ends(c) || "-_.".contains(c))
                && label.starts_with(ends)
                && label.ends_with(ends));
        if !is_valid {
            let why = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
            causes.push(Cause::invalid("metadata.labels", value, why));
        }
    }
    if let Some(old) = old.filter(|old| object::is_being_deleted(old)) {
        let before = object::finalizers(old);
        let added: Vec<String> = object::finalizers(new)
            .iter()
            .filter(|finalizer| !before.contains(finalizer))
            .map(Value::to_string)
            .collect();
        if !added.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", &why));
        }
    }
}

fn required(kind: &Kind, new: &Value, causes: &mut Vec<Cause>) {
    match (&*kind.group, &*kind.kind) {
        ("", "Pod") => containers(new, &["spec"], causes),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            let selector = at(new, &["spec", "selector"]);
            let labels = at(new, &["spec", "template", "metadata", "labels"]).cloned().unwrap_or(Value::Null);
            if selector.is_none() {
                causes.push(Cause::required("spec.selector", ""));
            }
            let matches = selector
                .and_then(Selector::of_workload)
                .is_some_and(|selector| selector.matches(&new["spec"]["template"]));
            if !matches {
                let field = "spec.template.metadata.labels";
                causes.push(Cause::invalid(field, &labels, "`selector` does not match template `labels`"));
            }
            containers(new, &["spec", "template", "spec"], causes);
        }
        ("batch", "Job") => {
            containers(new, &["spec", "template", "spec"], causes);
            job_restarts(new, "spec.template.spec", &["spec", "template", "spec"], causes);
        }
        ("batch", "CronJob") => {
            if text(new, &["spec", "schedule"]).is_empty() {
                causes.push(Cause::required("spec.schedule", ""));
            }
            let path = ["spec", "jobTemplate", "spec", "template", "spec"];
            containers(new, &path, causes);
            job_restarts(new, "spec.jobTemplate.spec.template.spec", &path, causes);
        }
        ("", "Service") => {
            let is_headless = text(new, &["spec", "clusterIP"]) == "None";
            let is_external = text(new, &["spec", "type"]) == "ExternalName";
            if items(new, &["spec", "ports"]).is_empty() && !is_headless && !is_external {
                causes.push(Cause::required("spec.ports", ""));
            }
            let ports = items(new, &["spec", "ports"]);
            for (index, port) in ports.iter().enumerate().filter(|_| ports.len() > 1) {
                if text(port, &["name"]).is_empty() {
                    causes.push(Cause::required(format!("spec.ports[{index}].name"), ""));
                }
            }
            if is_external && text(new, &["spec", "externalName"]).is_empty() {
                causes.push(Cause::required("spec.externalName", ""));
            }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if text(new, &["roleRef", "name"]).is_empty() =>
        {
            causes.push(Cause::required("roleRef.name", ""));
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(new, causes),
        _ => {}
    }
}

fn containers(new: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    let shown = path.join(".");
    let containers = items(new, &[path, &["containers"]].concat());
    if containers.is_empty() {
        causes.push(Cause::required(format!("{shown}.containers"), ""));
    }
    for list in ["initContainers", "containers"] {
        let mut seen: Vec<&str> = Vec::new();
        for (index, container) in items(new, &[path, &[list]].concat()).iter().enumerate() {
            let field = format!("{shown}.{list}[{index}]");
            let name = text(container, &["name"]);
            if name.is_empty() {
                causes.push(Cause::required(format!("{field}.name"), ""));
            }
            if text(container, &["image"]).is_empty() {
                causes.push(Cause::required(format!("{field}.image"), ""));
            }
            if !name.is_empty() && seen.contains(&name) {
                let message = format!("Duplicate value: {name:?}");
                causes.push(Cause { reason: "FieldValueDuplicate", message, field: format!("{field}.name") });
            }
            seen.push(name);
            for (port, of) in items(container, &["ports"]).iter().enumerate() {
                let number = of["containerPort"].as_i64();
                let field = format!("{field}.ports[{port}].containerPort");
                match number {
                    None | Some(0) => causes.push(Cause::required(field, "")),
                    Some(number) if !(1..=65535).contains(&number) => {
                        causes.push(Cause::invalid(field, &json!(number), "must be between 1 and 65535, inclusive"));
                    }
                    _ => {}
                }
            }
        }
    }
}

fn job_restarts(new: &Value, shown: &str, path: &[&str], causes: &mut Vec<Cause>) {
    let policy = text(new, &[path, &["restartPolicy"]].concat());
    if !matches!(policy, "Never" | "OnFailure") {
        let field = format!("{shown}.restartPolicy");
        match policy {
            "" => causes.push(Cause::required(field, "valid values: \"OnFailure\", \"Never\"")),
            _ => {
                let message = format!("Unsupported value: {policy:?}: supported values: \"OnFailure\", \"Never\"");
                causes.push(Cause { reason: "FieldValueNotSupported", message, field });
            }
        }
    }
}

fn definition(new: &Value, causes: &mut Vec<Cause>) {
    let (group, plural) = (text(new, &["spec", "group"]), text(new, &["spec", "names", "plural"]));
    let wanted = format!("{plural}.{group}");
    if object::name(new) != wanted {
        let why = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &json!(object::name(new)), why));
    }
    for (field, value) in [("spec.group", group), ("spec.names.plural", plural)] {
        if value.is_empty() {
            causes.push(Cause::required(field, ""));
        }
    }
    if text(new, &["spec", "names", "kind"]).is_empty() {
        causes.push(Cause::required("spec.names.kind", ""));
    }
    let scope = text(new, &["spec", "scope"]);
    if !matches!(scope, "Namespaced" | "Cluster") {
        let message = format!("Unsupported value: {scope:?}: supported values: \"Cluster\", \"Namespaced\"");
        causes.push(Cause { reason: "FieldValueNotSupported", message, field: "spec.scope".to_owned() });
    }
    let versions = items(new, &["spec", "versions"]);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        let versions = items(new, &["spec", "versions"]).to_vec().into();
        causes.push(Cause::invalid("spec.versions", &versions, why));
    }
    for (index, version) in versions.iter().enumerate() {
        if at(version, &["schema", "openAPIV3Schema"]).is_none() {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::required(field, "schemas are required"));
        }
    }
}

fn immutable(kind: &Kind, new: &Value, old: &Value, causes: &mut Vec<Cause>) {
    let mut fixed = |path: &[&str]| {
        let (new, old) = (at(new, path), at(old, path));
        if new != old {
            let value = new.cloned().unwrap_or(Value::Null);
            causes.push(Cause::invalid(path.join("."), &value, "field is immutable"));
        }
    };
    match (&*kind.group, &*kind.kind) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => fixed(&["spec", "selector"]),
        ("batch", "Job") => {
            fixed(&["spec", "completions"]);
            fixed(&["spec", "selector"]);
            fixed(&["spec", "template"]);
        }
        ("apps", "StatefulSet") => {
            const FREE: &[&str] = &[
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ];
            if differs_outside(&new["spec"], &old["spec"], FREE) {
                let free: Vec<String> = FREE.iter().map(|field| format!("'{field}'")).collect();
                let (last, first) = free.split_last().expect("there are several");
                let why = format!(
                    "updates to statefulset spec for fields other than {} and {last} are forbidden",
                    first.join(", ")
                );
                causes.push(Cause::forbidden("spec", &why));
            }
        }
        ("", "Service") => {
            let path = ["spec", "clusterIP"];
            let (was, is) = (text(old, &path), text(new, &path));
            let stays =
                text(new, &["spec", "type"]) != "ExternalName" && text(old, &["spec", "type"]) != "ExternalName";
            if stays && !was.is_empty() && was != is {
                causes.push(Cause::invalid("spec.clusterIPs[0]", &json!([is]), "may not change once set"));
            }
        }
        ("", "ConfigMap" | "Secret") => {
            if kind.kind == "Secret" {
                fixed(&["type"]);
            }
            if old["immutable"] == true {
                for field in ["data", "binaryData"] {
                    if new.get(field) != old.get(field) {
                        causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
                    }
                }
                if new.get("immutable") != old.get("immutable") {
                    causes.push(Cause::forbidden("immutable", "field is immutable when `immutable` is set"));
                }
            }
        }
        ("", "Pod") => {
            let but_images = |pod: &Value| {
                let mut spec = pod["spec"].clone();
                for list in ["containers", "initContainers"] {
                    for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                        object::remove(container, &["image"]);
                    }
                }
                spec
            };
            const FREE: &[&str] =
                &["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"];
            let binds = text(old, &["spec", "nodeName"]).is_empty();
            let free: &[&str] = if binds { &[FREE, &["nodeName"]].concat() } else { FREE };
            if differs_outside(&but_images(new), &but_images(old), free) {
                let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
                causes.push(Cause::forbidden("spec", why));
            }
        }
        ("", "PersistentVolumeClaim") => {
            const FREE: &[&str] = &["resources", "volumeAttributesClassName"];
            let binds = text(old, &["spec", "volumeName"]).is_empty();
            let free: &[&str] = if binds { &[FREE, &["volumeName"]].concat() } else { FREE };
            if differs_outside(&new["spec"], &old["spec"], free) {
                let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
                causes.push(Cause::forbidden("spec", why));
            }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") if new["roleRef"] != old["roleRef"] => {
            causes.push(Cause::invalid("roleRef", &new["roleRef"], "cannot change roleRef"));
        }
        ("storage.k8s.io", "StorageClass") => {
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
                if new.get(field) != old.get(field) {
                    let why = format!("updates to {field} are forbidden.");
                    causes.push(Cause::forbidden(field, &why));
                }
            }
        }
        _ => {}
    }
}

fn differs_outside(new: &Value, old: &Value, free: &[&str]) -> bool {
    let rest = |value: &Value| -> Vec<(String, Value)> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| !free.contains(&&***name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    rest(new) != rest(old)
}
