//! What is applied before what: [`Step`].

use onepane_resource::compare_install;
use serde_json::Value;
use std::cmp::Ordering;

/// When an object is applied, by its kind.
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

/// When an object is applied. All of a step are applied at once, and those of the next when that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    /// As it says for Argo CD; each begins when all of those before are ready.
    pub(crate) sync_wave: i64,
    pub(crate) wave: Wave,
    /// Behind how many others of its wave it waits.
    pub(crate) layer: u32,
}

/// Argo CD's annotation.
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

impl Step {
    /// What an object's kind and annotations say.
    pub(crate) fn of(object: &Value) -> Self {
        let wave = wave_of(object);
        let annotation = object.pointer("/metadata/annotations").and_then(|all| all.get(SYNC_WAVE)?.as_str());
        let sync_wave = match wave {
            // Nothing can be there before them, whatever they say.
            Wave::Places | Wave::Definitions => i64::MIN,
            // As Argo CD has it, what is no number says nothing.
            _ => annotation.and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        };
        Self { sync_wave, wave, layer: 0 }
    }

    /// The first one in which what waits for something of this one can be.
    pub(crate) fn next(self) -> Self {
        Self { layer: self.layer + 1, ..self }
    }
}

fn wave_of(object: &Value) -> Wave {
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

    #[test]
    fn what_is_said_for_argo_counts_more_than_the_kind() {
        let object = |kind: &str, wave: &str| json!({"kind": kind, "metadata": {"annotations": {"argocd.argoproj.io/sync-wave": wave}}});
        let steps = [
            object("Namespace", "9"),
            object("Deployment", "-1"),
            object("ConfigMap", "soon"),
            object("Deployment", "0"),
            object("Secret", "2"),
        ]
        .map(|object| Step::of(&object));
        assert!(steps.is_sorted(), "{steps:?}");
        assert_eq!((steps[1].sync_wave, steps[2].sync_wave, steps[4].sync_wave), (-1, 0, 2));
    }
}
