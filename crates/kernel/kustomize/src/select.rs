//! Choosing resources by type, name, namespace, labels and annotations: [`Selector`].

use crate::label_selector::LabelSelector;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{Resource, ResourceId, ResourceSet};
use regex::Regex;

/// The `target:` of a patch. An empty part matches anything; the others are regular expressions that must match as
/// a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) annotations: String,
    pub(crate) labels: String,
}

/// A [`Selector`] whose expressions have been read.
pub(crate) struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    annotations: LabelSelector,
    labels: LabelSelector,
}

impl Selector {
    /// Reads the expressions.
    ///
    /// # Errors
    /// `kustomize-selector` for one that is none.
    pub(crate) fn matcher(&self) -> Result<Matcher> {
        Ok(Matcher {
            group: Pattern::new(&self.group)?,
            version: Pattern::new(&self.version)?,
            kind: Pattern::new(&self.kind)?,
            name: Pattern::new(&self.name)?,
            namespace: Pattern::new(&self.namespace)?,
            annotations: LabelSelector::parse(&self.annotations)?,
            labels: LabelSelector::parse(&self.labels)?,
        })
    }

    /// Whether it says anything of labels or annotations.
    pub(crate) fn has_metadata(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    /// Whether it says anything of type, name or namespace.
    pub(crate) fn has_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].iter().any(|part| !part.is_empty())
    }

    /// The positions of the resources that it selects.
    pub(crate) fn select(&self, resources: &ResourceSet) -> Result<Vec<usize>> {
        let matcher = self.matcher()?;
        // An exact name needs no scan.
        if let Pattern::Exact(name) = &matcher.name {
            let positions = resources.positions_by_any_name(name).iter().copied();
            return Ok(positions
                .filter(|at| resources.get(*at).is_some_and(|resource| matcher.matches(resource)))
                .collect());
        }
        Ok(resources.iter().enumerate().filter(|(_, resource)| matcher.matches(resource)).map(|(at, _)| at).collect())
    }
}

impl Matcher {
    /// Whether it selects `resource`: by its first or its current name and namespace, by its current type.
    pub(crate) fn matches(&self, resource: &Resource) -> bool {
        let id = resource.id();
        let either = |pattern: &Pattern, original: &dyn Fn() -> String, current: &str| {
            matches!(pattern, Pattern::Any) || pattern.matches(current) || pattern.matches(&original())
        };
        self.kind.matches(&id.gvk.kind)
            && self.group.matches(&id.gvk.group)
            && self.version.matches(&id.gvk.version)
            && either(&self.name, &|| resource.original_id().name.into(), &id.name)
            && either(
                &self.namespace,
                &|| resource.original_id().effective_namespace().to_owned(),
                id.effective_namespace(),
            )
            && self.matches_metadata(resource)
    }

    /// Whether labels and annotations fit.
    pub(crate) fn matches_metadata(&self, resource: &Resource) -> bool {
        self.labels.matches(|key| resource.label(key)) && self.annotations.matches(|key| resource.annotation(key))
    }

    /// Whether an id fits, its namespace as it is written.
    pub(crate) fn matches_id(&self, id: &ResourceId) -> bool {
        self.kind.matches(&id.gvk.kind)
            && self.group.matches(&id.gvk.group)
            && self.version.matches(&id.gvk.version)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }
}

/// An expression that must match a text as a whole.
enum Pattern {
    /// Anything.
    Any,
    /// This very text: most expressions are plain names.
    Exact(String),
    /// A regular expression.
    Expression(Regex),
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self> {
        if pattern.is_empty() {
            return Ok(Self::Any);
        }
        if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')) {
            return Ok(Self::Exact(pattern.to_owned()));
        }
        compile(&format!("^(?:{pattern})$"), pattern).map(Self::Expression)
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == text,
            Self::Expression(expression) => expression.is_match(text),
        }
    }
}

/// Compiles `expression`, which stands as `written` in the file.
pub(crate) fn compile(expression: &str, written: &str) -> Result<Regex> {
    /// Expressions of a kustomization are short; this bounds what a hostile one may cost.
    const LARGEST: usize = 4 << 20;
    regex::RegexBuilder::new(expression).size_limit(LARGEST).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Diagnostic::error("kustomize-selector", format!("`{written}` is not a regular expression: {reason}"))
            .hint("write `\\` before a character that stands for itself")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_yaml::Node;

    fn deployment(name: &str, namespace: &str) -> Resource {
        let mut resource = Resource::new(Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::scalar("apps/v1")),
            (Node::scalar("kind"), Node::scalar("Deployment")),
        ]));
        resource.set_name(Node::string(name));
        if !namespace.is_empty() {
            resource.set_namespace(Some(Node::string(namespace)));
        }
        resource
    }

    #[test]
    fn expressions_match_as_a_whole_and_against_the_first_name_too() {
        let mut resource = deployment("web", "");
        resource.store_previous_id();
        resource.set_name(Node::string("dev-web"));
        for (name, namespace, selected) in [
            ("", "", true),
            ("web", "", true),
            ("dev-web", "", true),
            ("dev", "", false),
            ("dev.*", "", true),
            ("a|web", "default", true),
            ("web", "shop", false),
        ] {
            let selector = Selector {
                kind: "Deployment".into(),
                name: name.into(),
                namespace: namespace.into(),
                ..Selector::default()
            };
            assert_eq!(selector.matcher().unwrap().matches(&resource), selected, "{name} {namespace}");
        }
    }

    #[test]
    fn a_broken_expression_is_an_error() {
        let selector = Selector { name: "[".into(), ..Selector::default() };
        assert!(selector.matcher().is_err_and(|error| error.code == "kustomize-selector"));
    }
}
