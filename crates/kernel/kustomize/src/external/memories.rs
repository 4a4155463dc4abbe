//! What a build remembers of a resource, as annotations: so Kustomize keeps it, so functions see it, and what they give
//! back is what is remembered from then on. A function that leaves these annotations out makes a build forget.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{GeneratorBehavior, PreviousId, Resource};
use onepane_yaml::Node;

const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
const NAME_CHANGE: &str = "internal.config.kubernetes.io/allowNameChange";
const KIND_CHANGE: &str = "internal.config.kubernetes.io/allowKindChange";
const HELM_GENERATED: &str = "internal.config.kubernetes.io/helm-generated";

/// Which resource it is, for transformers.
pub(super) const ID: &str = "kustomize.config.k8s.io/id";

/// A copy of the resource with its memories as annotations.
pub(super) fn told(resource: &Resource) -> Resource {
    let mut told = resource.clone();
    let mut tell = |key: &str, value: String| {
        if !value.is_empty() {
            told.set_annotation(key, Node::string(value));
        }
    };
    let previous = |part: fn(&PreviousId) -> &str| resource.previous.iter().map(part).collect::<Vec<_>>().join(",");
    tell(PREVIOUS_NAMES, previous(|id| &id.name));
    tell(PREVIOUS_NAMESPACES, previous(|id| &id.namespace));
    tell(PREVIOUS_KINDS, previous(|id| &id.kind));
    tell(PREFIXES, resource.prefixes.join(","));
    tell(SUFFIXES, resource.suffixes.join(","));
    // Of what was generated, this is always said.
    if resource.behavior != GeneratorBehavior::Unspecified || resource.source.is_none() {
        tell(BEHAVIOR, resource.behavior.name().to_owned());
    }
    let enabled = |is: bool| if is { "enabled".to_owned() } else { String::new() };
    tell(NEEDS_HASH, enabled(resource.needs_hash));
    tell(NAME_CHANGE, enabled(resource.allows_name_change));
    tell(KIND_CHANGE, enabled(resource.allows_kind_change));
    tell(HELM_GENERATED, if resource.helm_generated { "true".to_owned() } else { String::new() });
    told
}

/// Takes the memories out of a resource's annotations.
///
/// # Errors
/// `kustomize-function` where they don't fit together.
pub(super) fn recall(resource: &mut Resource) -> Result<()> {
    let mut take = |key: &str| {
        let value = resource.remove_annotation(key);
        value.and_then(|value| value.as_str().map(str::to_owned)).filter(|value| !value.is_empty())
    };
    let list = |text: Option<String>| -> Vec<Box<str>> {
        text.map(|text| text.split(',').map(Into::into).collect()).unwrap_or_default()
    };
    let (names, namespaces, kinds) =
        (list(take(PREVIOUS_NAMES)), list(take(PREVIOUS_NAMESPACES)), list(take(PREVIOUS_KINDS)));
    let (prefixes, suffixes) = (list(take(PREFIXES)), list(take(SUFFIXES)));
    let behavior = take(BEHAVIOR);
    let mut enabled = |key: &str, word: &str| take(key).as_deref() == Some(word);
    let needs_hash = enabled(NEEDS_HASH, "enabled");
    let (name_change, kind_change) = (enabled(NAME_CHANGE, "enabled"), enabled(KIND_CHANGE, "enabled"));
    let helm_generated = enabled(HELM_GENERATED, "true");
    if names.len() != namespaces.len() || names.len() != kinds.len() {
        let message = format!(
            "number of previous names, number of previous namespaces, number of previous kinds not equal in {}",
            resource.id()
        );
        return Err(Diagnostic::error("kustomize-function", message));
    }
    let parts = names.into_iter().zip(namespaces).zip(kinds);
    resource.previous = parts.map(|((name, namespace), kind)| PreviousId { namespace, name, kind }).collect();
    (resource.prefixes, resource.suffixes) = (prefixes, suffixes);
    resource.behavior = behavior.map_or(GeneratorBehavior::Unspecified, |word| GeneratorBehavior::parse(&word));
    resource.needs_hash = needs_hash;
    (resource.allows_name_change, resource.allows_kind_change) = (name_change, kind_change);
    resource.helm_generated = helm_generated;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_recalled() {
        let mut resource = Resource::new(Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::scalar("v1")),
            (Node::scalar("kind"), Node::scalar("ConfigMap")),
        ]));
        resource.set_name(Node::string("a"));
        resource.store_previous_id();
        resource.set_name(Node::string("x-a"));
        resource.store_previous_id();
        resource.prefixes = vec!["x-".into(), "y-".into()];
        resource.suffixes = vec!["-1".into()];
        (resource.behavior, resource.needs_hash, resource.helm_generated) = (GeneratorBehavior::Merge, true, true);
        let told = told(&resource);
        assert_eq!(told.annotation(PREVIOUS_NAMES), Some("a,x-a"));
        assert_eq!(told.annotation(PREVIOUS_NAMESPACES), Some("default,default"));
        assert_eq!(told.annotation(NEEDS_HASH), Some("enabled"));
        let mut recalled = Resource::new(told.into_node());
        recall(&mut recalled).unwrap();
        assert_eq!(recalled.node(), resource.node());
        assert_eq!(recalled.previous, resource.previous);
        assert_eq!((recalled.prefixes, recalled.suffixes), (resource.prefixes, resource.suffixes));
        assert_eq!(
            (recalled.behavior, recalled.needs_hash, recalled.helm_generated),
            (GeneratorBehavior::Merge, true, true)
        );
    }

    #[test]
    fn memories_that_do_not_fit_together_are_refused() {
        let mut resource = Resource::new(Node::mapping(Vec::new()));
        resource.set_annotation(PREVIOUS_NAMES, Node::string("a,b"));
        assert_eq!(recall(&mut resource).unwrap_err().code, "kustomize-function");
    }
}
