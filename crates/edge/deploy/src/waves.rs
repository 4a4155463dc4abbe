//! What is applied before what: [`wave_of`].

use onepane_resource::compare_install;
use serde_json::Value;
use std::cmp::Ordering;

/// When an object is applied. All of a wave are applied at once, and those of the next when that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wave {
    /// What others live in.
    Places,
    /// Definitions of what others are, which are awaited.
    Definitions,
    /// What pods need to start: accounts, permissions, configuration, storage, services.
    Needs,
    /// All others.
    Others,
    /// What has a say in requests, and may refuse those of before.
    Gates,
}

/// The wave of an object by its kind.
pub(crate) fn wave_of(object: &Value) -> Wave {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "Namespace" | "PriorityClass" => Wave::Places,
        "CustomResourceDefinition" => Wave::Definitions,
        "APIService"
        | "MutatingWebhookConfiguration"
        | "ValidatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding" => Wave::Gates,
        // The order in which Helm installs kinds, cut where pods begin.
        kind if compare_install(kind, "DaemonSet") == Ordering::Less => Wave::Needs,
        _ => Wave::Others,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_need_comes_first() {
        let kinds = ["Namespace", "CustomResourceDefinition", "Secret", "Service", "Deployment", "Queue", "APIService"];
        let waves = kinds.map(|kind| wave_of(&json!({"kind": kind})));
        let wanted =
            [Wave::Places, Wave::Definitions, Wave::Needs, Wave::Needs, Wave::Others, Wave::Others, Wave::Gates];
        assert_eq!(waves, wanted);
        assert!(waves.is_sorted());
    }
}
