//! Which object: [`Identity`].

use onepane_resource::GroupVersionKind;
use serde_json::Value;
use std::fmt;

/// What tells an object of a cluster from all others. The version of its kind does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The group of its kind; empty for those of the core.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty where its kind lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Identity {
    /// That of an object, as far as it says.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            group: GroupVersionKind::split_api_version(&text("/apiVersion")).0.to_owned(),
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
        }
    }

    /// Group and kind as ApplySets write them: `Deployment.apps`.
    pub(crate) fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}
