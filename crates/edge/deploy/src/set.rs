//! Which objects belong together: [`Set`], by Kubernetes' specification of ApplySets.
//!
//! The parent is a Secret without data. `kubectl get --selector applyset.kubernetes.io/part-of=ID` lists the members.

use crate::failure::Failure;
use crate::identity::Identity;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The label of members.
pub(crate) const PART_OF: &str = "applyset.kubernetes.io/part-of";
const ID: &str = "applyset.kubernetes.io/id";
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// Who manages the set, for others: kubectl leaves such sets alone.
const OURS: &str = "onepane/v1";

/// The parent of a set, and where its members may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    namespace: String,
    name: String,
    /// Groups and kinds, as `Deployment.apps`.
    pub(crate) kinds: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Set {
    /// One without members.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Self { namespace, name, kinds: BTreeSet::new(), namespaces: BTreeSet::new() }
    }

    /// The label's value for members.
    pub(crate) fn id(&self) -> String {
        let digest = Sha256::digest(format!("{}.{}.Secret.", self.name, self.namespace));
        format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(digest))
    }

    /// The path of the parent.
    pub(crate) fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets/{}", self.namespace, self.name)
    }

    /// What the parent says; a Secret of this name that is no such parent, or is somebody else's, is none to take.
    pub(crate) fn read(&mut self, parent: &Value) -> Result<(), Failure> {
        let text = |pointer: &str| parent.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let annotation = |name: &str| text(&format!("/metadata/annotations/{}", name.replace('/', "~1")));
        let place = format!("Secret/{}/{}", self.namespace, self.name);
        if text(&format!("/metadata/labels/{}", ID.replace('/', "~1"))) != self.id() {
            return Err(Failure::Guarded(format!("{place} is there and names no set of objects")));
        }
        let tooling = annotation(TOOLING);
        if !tooling.starts_with("onepane/") {
            return Err(Failure::Guarded(format!("the set of {place} is managed by `{tooling}`")));
        }
        let list = |text: &str| text.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        self.kinds = list(annotation(KINDS));
        self.namespaces = list(annotation(NAMESPACES));
        Ok(())
    }

    /// The set with `objects` in it.
    pub(crate) fn with<'o>(&self, objects: impl IntoIterator<Item = &'o Identity>) -> Self {
        let mut set = self.clone();
        for object in objects {
            set.kinds.insert(object.group_kind());
            if !object.namespace.is_empty() && object.namespace != self.namespace {
                set.namespaces.insert(object.namespace.clone());
            }
        }
        set
    }

    /// The parent as it is applied.
    pub(crate) fn parent(&self) -> Value {
        let list = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {ID: self.id()},
                "annotations": {TOOLING: OURS, KINDS: list(&self.kinds), NAMESPACES: list(&self.namespaces)},
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(group: &str, kind: &str, namespace: &str) -> Identity {
        Identity { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: "a".into() }
    }

    #[test]
    fn a_parent_reads_back() {
        let set = Set::new("default", "prod").with(&[
            identity("apps", "Deployment", "shop"),
            identity("", "ConfigMap", "default"),
            identity("rbac.authorization.k8s.io", "ClusterRole", ""),
        ]);
        let mut read = Set::new("default", "prod");
        assert_eq!(read.read(&set.parent()), Ok(()));
        assert_eq!(read, set);
        let kinds: Vec<&str> = set.kinds.iter().map(String::as_str).collect();
        assert_eq!(kinds, ["ClusterRole.rbac.authorization.k8s.io", "ConfigMap", "Deployment.apps"]);
        assert_eq!(set.namespaces, BTreeSet::from(["shop".to_owned()]));
    }

    #[test]
    fn what_is_somebody_elses_is_not_taken() {
        let mut set = Set::new("default", "prod");
        let plain = json!({"metadata": {"name": "prod"}});
        assert!(matches!(set.read(&plain), Err(Failure::Guarded(why)) if why.contains("names no set")));
        let mut theirs = set.parent();
        theirs["metadata"]["annotations"][TOOLING] = json!("kubectl/v1.37");
        assert!(matches!(set.read(&theirs), Err(Failure::Guarded(why)) if why.contains("kubectl/v1.37")));
    }
}
