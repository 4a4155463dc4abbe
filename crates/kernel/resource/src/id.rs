//! What tells resources apart: [`ResourceId`].

use crate::GroupVersionKind;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Type, namespace and name of a resource.
///
/// Two ids are equal when type and name are and their *effective* namespaces are: an absent namespace is `default`,
/// and a kind that lives outside namespaces has none whatever its manifest says (Kustomize's `resid.Equals`).
#[derive(Clone, Debug, Default)]
pub struct ResourceId {
    /// The type.
    pub gvk: GroupVersionKind,
    /// The namespace as written; empty when absent.
    pub namespace: Box<str>,
    /// The name; empty when absent.
    pub name: Box<str>,
}

impl ResourceId {
    /// The namespace that stands for "outside namespaces".
    pub const CLUSTER: &'static str = "_non_namespaceable_";
    /// The namespace that an absent one means.
    pub const DEFAULT_NAMESPACE: &'static str = "default";

    /// From its parts; an absent namespace is empty.
    pub fn new(gvk: GroupVersionKind, namespace: impl Into<Box<str>>, name: impl Into<Box<str>>) -> Self {
        Self { gvk, namespace: namespace.into(), name: name.into() }
    }

    /// [`Self::CLUSTER`], [`Self::DEFAULT_NAMESPACE`] or the namespace as written.
    pub fn effective_namespace(&self) -> &str {
        if self.gvk.is_cluster_scoped() { Self::CLUSTER } else { self.named_namespace() }
    }

    fn named_namespace(&self) -> &str {
        if self.namespace.is_empty() { Self::DEFAULT_NAMESPACE } else { &self.namespace }
    }

    /// Whether it is known to live outside namespaces.
    pub fn is_cluster_scoped(&self) -> bool {
        self.gvk.is_cluster_scoped()
    }

    /// Whether it lives in `default`, by name or by saying nothing.
    pub fn is_in_default_namespace(&self) -> bool {
        self.effective_namespace() == Self::DEFAULT_NAMESPACE
    }

    /// Whether both live in the same effective namespace.
    pub fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Whether type and name are equal, whatever the namespaces.
    pub fn same_gvk_and_name(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// Whether `selector` matches: each part of it that is not empty must be equal.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected_by(&selector.gvk)
    }
}

/// The name of a generated resource without the hash that Kustomize has put to its end; `None` where there is none.
pub fn name_without_hash(name: &str) -> Option<&str> {
    /// The digits of Kustomize's hashes.
    const DIGITS: &str = "bcdfghjkmt2456789";
    const LENGTH: usize = 10;
    let (stem, hash) = name.rsplit_once('-')?;
    (!stem.is_empty() && hash.len() == LENGTH && hash.chars().all(|digit| DIGITS.contains(digit))).then_some(stem)
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        // What a type's scope is takes a look into a table, and mostly need not be known.
        self.same_gvk_and_name(other)
            && (self.namespace == other.namespace
                || self.named_namespace() == other.named_namespace()
                || self.is_cluster_scoped()
                || other.is_cluster_scoped())
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The namespace is left out where it takes a table look-up to know what it means: few resources of one
        // type and name differ in it.
        self.gvk.kind.hash(state);
        self.gvk.group.hash(state);
        self.name.hash(state);
    }
}

/// `Deployment.v1.apps/web.shop`, with `[noName]` and `[noNs]` for absent parts, as Kustomize's messages have it.
impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(api_version: &str, kind: &str, namespace: &str, name: &str) -> ResourceId {
        ResourceId::new(GroupVersionKind::parse(api_version, kind), namespace, name)
    }

    #[test]
    fn equality_is_by_effective_namespace() {
        for (a, b, equal) in [
            (id("v1", "Pod", "", "a"), id("v1", "Pod", "default", "a"), true),
            (id("v1", "Pod", "x", "a"), id("v1", "Pod", "y", "a"), false),
            (id("v1", "Namespace", "x", "a"), id("v1", "Namespace", "y", "a"), true),
            (id("v1", "Namespace", "x", "a"), id("v1", "Namespace", ResourceId::CLUSTER, "a"), true),
            (id("v1", "Pod", "", "a"), id("v1", "Pod", "", "b"), false),
            (id("example.com/v1", "Cluster", "x", "a"), id("example.com/v1", "Cluster", "y", "a"), false),
        ] {
            assert_eq!(a == b, equal, "{a} {b}");
        }
    }

    #[test]
    fn the_text_is_that_of_kustomize() {
        assert_eq!(id("apps/v1", "Deployment", "shop", "web").to_string(), "Deployment.v1.apps/web.shop");
        assert_eq!(id("v1", "Pod", "", "").to_string(), "Pod.v1.[noGrp]/[noName].[noNs]");
    }

    #[test]
    fn a_selector_without_a_namespace_selects_from_all() {
        let pod = id("v1", "Pod", "x", "a");
        assert!(pod.is_selected_by(&id("", "Pod", "", "")));
        assert!(!pod.is_selected_by(&id("", "Pod", "y", "")));
    }
}
