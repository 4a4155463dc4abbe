//! Which resources a policy or a binding is for: [`Request`].

use onepane_resource::{GroupVersionKind, pods};
use serde_json::Value;

/// A resource, as it would be created.
pub(crate) struct Request<'a> {
    pub(crate) document: &'a Value,
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    /// Its kind's name in paths: `deployments`.
    pub(crate) plural: &'a str,
    /// Nothing for what lives in no namespace.
    pub(crate) namespace: &'a str,
    /// The namespace as a resource, where it is one of the repository's.
    pub(crate) namespace_object: Option<&'a Value>,
}

impl Request<'_> {
    /// Whether `matchConstraints` of a policy, or `matchResources` of a binding, take it. Without any, all are taken.
    pub(crate) fn is_taken(&self, constraints: Option<&Value>) -> bool {
        let Some(constraints) = constraints else { return true };
        let rules = |key: &str| constraints.get(key).and_then(Value::as_array);
        let is_in = rules("resourceRules").is_none_or(|rules| rules.iter().any(|rule| self.is_of(rule)));
        let is_out = rules("excludeResourceRules").is_some_and(|rules| rules.iter().any(|rule| self.is_of(rule)));
        let labels = |object: Option<&Value>, selector: Option<&Value>| {
            let labels = object.and_then(|object| object.pointer("/metadata/labels"));
            selector.is_none_or(|selector| pods::labels_match(labels, selector))
        };
        // A namespace is selected by its own labels; what lives in none is by any selector.
        let by_namespace = match (self.kind, self.namespace) {
            ("Namespace", _) => labels(Some(self.document), constraints.get("namespaceSelector")),
            (_, "") => true,
            _ => labels(self.namespace_object, constraints.get("namespaceSelector")),
        };
        is_in && !is_out && by_namespace && labels(Some(self.document), constraints.get("objectSelector"))
    }

    fn is_of(&self, rule: &Value) -> bool {
        let (group, version) = GroupVersionKind::split_api_version(self.api_version);
        let list = |key: &str| rule.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let has = |key: &str, wanted: &str| list(key).any(|one| one == "*" || one == wanted);
        let resource = list("resources").any(|one| matches!(one, "*" | "*/*") || one == self.plural);
        let name = self.document.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let is_named = list("resourceNames").next().is_none() || list("resourceNames").any(|one| one == name);
        let scope = match rule.get("scope").and_then(Value::as_str) {
            Some("Namespaced") => !self.namespace.is_empty(),
            Some("Cluster") => self.namespace.is_empty(),
            _ => true,
        };
        has("apiGroups", group)
            && has("apiVersions", version)
            && has("operations", "CREATE")
            && resource
            && is_named
            && scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_and_selectors_have_to_take_it() {
        let document = json!({"metadata": {"name": "a", "labels": {"app": "a"}}});
        let namespace = json!({"metadata": {"name": "shop", "labels": {"team": "shop"}}});
        let request = Request {
            document: &document,
            api_version: "apps/v1",
            kind: "Deployment",
            plural: "deployments",
            namespace: "shop",
            namespace_object: Some(&namespace),
        };
        let rule = |resources: &str| json!({"apiGroups": ["apps"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resources]});
        let cases = [
            (json!({}), true),
            (json!({"resourceRules": [rule("deployments")]}), true),
            (json!({"resourceRules": [rule("*")], "excludeResourceRules": [rule("deployments")]}), false),
            (json!({"resourceRules": [rule("statefulsets")]}), false),
            (
                json!({"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["*"]}]}),
                false,
            ),
            (json!({"namespaceSelector": {"matchLabels": {"team": "shop"}}}), true),
            (json!({"namespaceSelector": {"matchLabels": {"team": "other"}}}), false),
            (json!({"objectSelector": {"matchLabels": {"app": "b"}}}), false),
        ];
        for (constraints, wanted) in cases {
            assert_eq!(request.is_taken(Some(&constraints)), wanted, "{constraints}");
        }
        assert!(request.is_taken(None));
    }
}
