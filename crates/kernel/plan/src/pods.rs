//! The pods that a resource makes: their template, labels and images, and what they refer to.

use onepane_resource::ManifestName as Name;
use serde_json::Value;

/// Where a resource has the template of its pods, and what it does when that changes.
pub(crate) fn template_path(name: &Name) -> Option<&'static str> {
    match (name.group(), name.kind.as_str()) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => Some("spec.template"),
        ("", "ReplicationController") | ("argoproj.io", "Rollout") => Some("spec.template"),
        ("batch", "CronJob") => Some("spec.jobTemplate.spec.template"),
        _ => None,
    }
}

/// The template of a resource's pods; a pod is its own.
pub(crate) fn template<'d>(name: &Name, document: &'d Value) -> Option<&'d Value> {
    if name.is("", "Pod") {
        return Some(document);
    }
    template_path(name)?.split('.').try_fold(document, |value, key| value.get(key))
}

/// The containers of a template, those that come first and pass by included.
pub(crate) fn containers(template: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["initContainers", "containers"].into_iter();
    lists.filter_map(|list| template.get("spec")?.get(list)?.as_array()).flatten()
}

/// Whether the labels of a template are those of a selector, which selects something.
pub(crate) fn is_selected(template: &Value, selector: &Value) -> bool {
    let labels = template.get("metadata").and_then(|metadata| metadata.get("labels"));
    let Some(wanted) = selector.as_object().filter(|wanted| !wanted.is_empty()) else { return false };
    wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// How pods get at something they refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// As environment variables, which are read once.
    Environment,
    /// As a volume or otherwise.
    Other,
}

/// What the pods of a template need: a kind, a name, and how it is used. What may be missing is not among it.
pub(crate) fn references<'t>(template: &'t Value) -> Vec<(&'static str, &'t str, Use)> {
    let mut found = Vec::new();
    let is_needed = |value: &Value| value.get("optional") != Some(&Value::Bool(true));
    let mut add = |kind: &'static str, value: Option<&'t Value>, key: &str, how: Use| {
        if let Some(value) = value.filter(|value| is_needed(value))
            && let Some(name) = value.get(key).and_then(Value::as_str)
        {
            found.push((kind, name, how));
        }
    };
    for container in containers(template) {
        for source in container.get("envFrom").and_then(Value::as_array).into_iter().flatten() {
            add("ConfigMap", source.get("configMapRef"), "name", Use::Environment);
            add("Secret", source.get("secretRef"), "name", Use::Environment);
        }
        for variable in container.get("env").and_then(Value::as_array).into_iter().flatten() {
            let source = variable.get("valueFrom");
            add("ConfigMap", source.and_then(|source| source.get("configMapKeyRef")), "name", Use::Environment);
            add("Secret", source.and_then(|source| source.get("secretKeyRef")), "name", Use::Environment);
        }
    }
    let spec = template.get("spec");
    for volume in spec.and_then(|spec| spec.get("volumes")?.as_array()).into_iter().flatten() {
        add("ConfigMap", volume.get("configMap"), "name", Use::Other);
        add("Secret", volume.get("secret"), "secretName", Use::Other);
        add("PersistentVolumeClaim", volume.get("persistentVolumeClaim"), "claimName", Use::Other);
        let sources = volume.get("projected").and_then(|projected| projected.get("sources")?.as_array());
        for source in sources.into_iter().flatten() {
            add("ConfigMap", source.get("configMap"), "name", Use::Other);
            add("Secret", source.get("secret"), "name", Use::Other);
        }
    }
    add("ServiceAccount", spec, "serviceAccountName", Use::Other);
    for secret in spec.and_then(|spec| spec.get("imagePullSecrets")?.as_array()).into_iter().flatten() {
        add("Secret", Some(secret), "name", Use::Other);
    }
    found
}
