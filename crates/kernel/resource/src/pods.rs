//! The pods that a resource makes: their template, labels and containers, and what they refer to.
//!
//! Everything here is for both forms of a [`Tree`].

use crate::Tree;

/// Where a resource has the template of its pods, as keys; `None` for what makes none, and for a pod itself.
pub fn template_path(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (group, kind) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            Some(&["spec", "template"])
        }
        ("", "ReplicationController") | ("argoproj.io", "Rollout") => Some(&["spec", "template"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// The template of a resource's pods; a pod is its own.
pub fn template<'d, T: Tree>(group: &str, kind: &str, document: &'d T) -> Option<&'d T> {
    if (group, kind) == ("", "Pod") {
        return Some(document);
    }
    document.below(template_path(group, kind)?)
}

/// The containers of a template, those that come first included; the ephemeral ones, which nobody writes down, are not.
pub fn containers<T: Tree>(template: &T) -> impl Iterator<Item = &T> {
    let lists = ["initContainers", "containers"].into_iter();
    lists.flat_map(|list| template.list_at(&["spec", list]))
}

/// Whether the labels of a template are those of a map of labels, which has some.
pub fn is_selected<T: Tree>(template: &T, selector: &T) -> bool {
    let labels = template.below(&["metadata", "labels"]);
    let wanted = selector.pairs();
    let has = |key: &str, value: &T| {
        value.text().is_some() && labels.and_then(|labels| labels.text_at(&[key])) == value.text()
    };
    !wanted.is_empty() && wanted.into_iter().all(|(key, value)| has(key, value))
}

/// Whether a label selector, `matchLabels` and `matchExpressions`, takes a template; an empty one takes all.
pub fn is_matched<T: Tree>(template: &T, selector: &T) -> bool {
    labels_match(template.below(&["metadata", "labels"]), selector)
}

/// Whether a label selector takes something with these labels; an empty one takes all.
pub fn labels_match<T: Tree>(labels: Option<&T>, selector: &T) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.text_at(&[key]));
    let by_labels = selector.below(&["matchLabels"]).map(Tree::pairs).unwrap_or_default();
    let by_expressions = selector.list_at(&["matchExpressions"]);
    by_labels.into_iter().all(|(key, value)| label(key).is_some() && label(key) == value.text())
        && by_expressions.into_iter().all(|expression| {
            let has = expression.text_at(&["key"]).and_then(label);
            let is_listed =
                has.is_some_and(|has| expression.list_at(&["values"]).iter().any(|one| one.text() == Some(has)));
            match expression.text_at(&["operator"]) {
                Some("In") => is_listed,
                Some("NotIn") => !is_listed,
                Some("Exists") => has.is_some(),
                Some("DoesNotExist") => has.is_none(),
                _ => false,
            }
        })
}

/// How pods get at something they refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// As environment variables, which are read once.
    Environment,
    /// As a volume or otherwise.
    Other,
}

/// Something that pods need.
#[derive(Clone, Debug)]
pub struct Reference<'t, T> {
    /// Its kind, in the namespace of the pods.
    pub kind: &'static str,
    /// Its name.
    pub name: &'t str,
    /// Where the name stands.
    pub at: &'t T,
    /// How it is used.
    pub how: Use,
    /// The keys of it that have to be there, where single ones are named.
    pub keys: Vec<&'t T>,
}

/// What the pods of a template need. What may be missing is not among it.
pub fn references<T: Tree>(template: &T) -> Vec<Reference<'_, T>> {
    let mut found = Vec::new();
    fn add<'t, T: Tree>(
        found: &mut Vec<Reference<'t, T>>,
        kind: &'static str,
        source: Option<&'t T>,
        name: &str,
        how: Use,
    ) {
        let needed = source.filter(|source| !source.child("optional").is_some_and(Tree::is_true));
        let Some((source, at)) = needed.and_then(|source| Some((source, source.child(name)?))) else { return };
        if let Some(name) = at.text() {
            let items = source.list_at(&["items"]).into_iter().filter_map(|item| item.child("key"));
            let keys = source.child("key").into_iter().chain(items).collect();
            found.push(Reference { kind, name, at, how, keys });
        }
    }
    for container in containers(template) {
        for source in container.list_at(&["envFrom"]) {
            add(&mut found, "ConfigMap", source.child("configMapRef"), "name", Use::Environment);
            add(&mut found, "Secret", source.child("secretRef"), "name", Use::Environment);
        }
        for variable in container.list_at(&["env"]) {
            let source = variable.child("valueFrom");
            let map = source.and_then(|source| source.child("configMapKeyRef"));
            add(&mut found, "ConfigMap", map, "name", Use::Environment);
            let secret = source.and_then(|source| source.child("secretKeyRef"));
            add(&mut found, "Secret", secret, "name", Use::Environment);
        }
    }
    for volume in template.list_at(&["spec", "volumes"]) {
        add(&mut found, "ConfigMap", volume.child("configMap"), "name", Use::Other);
        add(&mut found, "Secret", volume.child("secret"), "secretName", Use::Other);
        add(&mut found, "PersistentVolumeClaim", volume.child("persistentVolumeClaim"), "claimName", Use::Other);
        for source in volume.list_at(&["projected", "sources"]) {
            add(&mut found, "ConfigMap", source.child("configMap"), "name", Use::Other);
            add(&mut found, "Secret", source.child("secret"), "name", Use::Other);
        }
    }
    add(&mut found, "ServiceAccount", template.child("spec"), "serviceAccountName", Use::Other);
    for secret in template.list_at(&["spec", "imagePullSecrets"]) {
        add(&mut found, "Secret", Some(secret), "name", Use::Other);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_take_what_their_labels_and_expressions_say() {
        let pod = json!({"metadata": {"labels": {"app": "a", "tier": "web"}}});
        let cases = [
            (json!({}), true),
            (json!({"matchLabels": {"app": "a"}}), true),
            (json!({"matchLabels": {"app": "b"}}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "api"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["x"]}]}), true),
            (json!({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}), false),
            (
                json!({"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}),
                true,
            ),
        ];
        for (selector, wanted) in cases {
            assert_eq!(is_matched(&pod, &selector), wanted, "{selector}");
        }
        // A Service without a selector selects nothing.
        assert!(!is_selected(&pod, &json!({})));
        assert!(is_selected(&pod, &json!({"app": "a"})));
    }

    #[test]
    fn what_may_be_missing_is_no_need() {
        let pod = json!({"spec": {
            "containers": [{"env": [
                {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}},
            ]}],
            "volumes": [{"configMap": {"name": "m", "items": [{"key": "a", "path": "b"}]}}],
        }});
        let found: Vec<_> = references(&pod)
            .iter()
            .map(|one| (one.kind, one.name, one.keys.iter().filter_map(|key| key.text()).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found, [("Secret", "s", vec!["k"]), ("ConfigMap", "m", vec!["a"])]);
    }
}
