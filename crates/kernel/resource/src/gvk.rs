//! The type of a resource: [`GroupVersionKind`].

use crate::{Scope, scope_of};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Group, version and kind of a resource. An absent part is empty: `v1`/`Pod` has no group.
#[derive(Clone, Debug, Default)]
pub struct GroupVersionKind {
    /// `apps` of `apps/v1`.
    pub group: Box<str>,
    /// `v1` of `apps/v1`.
    pub version: Box<str>,
    /// `Deployment`.
    pub kind: Box<str>,
    /// The scope that a schema of the build's own tells; it makes no difference to which type this is.
    told: Option<Scope>,
}

impl GroupVersionKind {
    /// From the three parts.
    pub fn new(group: impl Into<Box<str>>, version: impl Into<Box<str>>, kind: impl Into<Box<str>>) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into(), told: None }
    }

    /// The same type, of which a schema tells the scope. That of Kubernetes' own kinds is never another.
    pub(crate) fn told(self, scope: Option<Scope>) -> Self {
        Self { told: scope, ..self }
    }

    /// From the fields of a manifest. Everything before the first `/` of `api_version` is the group.
    pub fn parse(api_version: &str, kind: &str) -> Self {
        let (group, version) = Self::split_api_version(api_version);
        Self::new(group, version, kind)
    }

    /// Group and version of an `apiVersion`.
    pub fn split_api_version(api_version: &str) -> (&str, &str) {
        api_version.split_once('/').unwrap_or(("", api_version))
    }

    /// `apps/v1`, or `v1` without a group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether it is known to live outside namespaces. Unknown kinds count as namespaced.
    pub fn is_cluster_scoped(&self) -> bool {
        scope_of(&self.group, &self.version, &self.kind).or(self.told) == Some(Scope::Cluster)
    }

    fn parts(&self) -> (&str, &str, &str) {
        (&self.group, &self.version, &self.kind)
    }

    /// Whether `selector` matches: each part of it that is not empty must be equal.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        let selects = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        selects(&selector.group, &self.group)
            && selects(&selector.version, &self.version)
            && selects(&selector.kind, &self.kind)
    }
}

impl PartialEq for GroupVersionKind {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for GroupVersionKind {}

impl Hash for GroupVersionKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for GroupVersionKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GroupVersionKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// `Deployment.v1.apps`, with `[noKind]`, `[noVer]`, `[noGrp]` for absent parts, as Kustomize's messages have it.
impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |part: &'_ str, absent: &'static str| -> String {
            if part.is_empty() { absent.to_owned() } else { part.to_owned() }
        };
        write!(f, "{}.{}.{}", or(&self.kind, "[noKind]"), or(&self.version, "[noVer]"), or(&self.group, "[noGrp]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_split_at_the_first_slash() {
        for (text, group, version) in [("v1", "", "v1"), ("apps/v1", "apps", "v1"), ("a/b/c", "a", "b/c"), ("", "", "")]
        {
            let gvk = GroupVersionKind::parse(text, "Kind");
            assert_eq!((&*gvk.group, &*gvk.version), (group, version), "{text}");
            assert_eq!(gvk.api_version(), text);
        }
    }

    #[test]
    fn the_text_names_absent_parts() {
        assert_eq!(GroupVersionKind::parse("apps/v1", "Deployment").to_string(), "Deployment.v1.apps");
        assert_eq!(GroupVersionKind::default().to_string(), "[noKind].[noVer].[noGrp]");
    }

    #[test]
    fn empty_parts_of_a_selector_match_anything() {
        let gvk = GroupVersionKind::parse("extensions/v1beta1", "Deployment");
        for (selector, selected) in [
            (GroupVersionKind::default(), true),
            (GroupVersionKind::new("", "", "Deployment"), true),
            (GroupVersionKind::new("apps", "", "Deployment"), false),
        ] {
            assert_eq!(gvk.is_selected_by(&selector), selected, "{selector}");
        }
    }
}
