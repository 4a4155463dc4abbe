//! Fields that an API server does not let anybody change.

use crate::difference::FieldChange;
use onepane_resource::ManifestName as Name;
use serde_json::Value;

/// The field of `change` that can't be changed in place, if it is one. `before` is the whole resource.
pub(crate) fn refused<'c>(name: &Name, change: &'c FieldChange, before: &Value) -> Option<&'c str> {
    let is_refused = match (name.group(), name.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => change.is_below("spec.selector"),
        ("apps", "StatefulSet") => {
            let changeable = [
                "spec.replicas",
                "spec.ordinals",
                "spec.template",
                "spec.updateStrategy",
                "spec.revisionHistoryLimit",
                "spec.persistentVolumeClaimRetentionPolicy",
                "spec.minReadySeconds",
            ];
            change.is_below("spec") && !changeable.iter().any(|path| change.is_below(path))
        }
        ("batch", "Job") => [
            "spec.selector",
            "spec.template",
            "spec.completionMode",
            "spec.podFailurePolicy",
            "spec.backoffLimitPerIndex",
        ]
        .iter()
        .any(|path| change.is_below(path)),
        ("", "Pod") => {
            let changeable = ["spec.activeDeadlineSeconds", "spec.tolerations", "spec.terminationGracePeriodSeconds"];
            let is_image = change.path.ends_with(".image") && change.path.contains("ontainers[");
            change.is_below("spec") && !is_image && !changeable.iter().any(|path| change.is_below(path))
        }
        ("", "PersistentVolumeClaim") => {
            let changeable = ["spec.resources.requests", "spec.volumeAttributesClassName"];
            change.is_below("spec") && !changeable.iter().any(|path| change.is_below(path))
        }
        ("", "PersistentVolume") => {
            change.is_below("spec.persistentVolumeSource")
                || change.is_below("spec.nodeAffinity")
                || change.is_below("spec.csi")
        }
        // An address that was given can't be taken back while the type stays.
        ("", "Service") => change.is_below("spec.clusterIP") && change.before.is_some(),
        ("", "ConfigMap" | "Secret") => {
            let is_frozen = before.get("immutable") == Some(&Value::Bool(true));
            let is_type = name.kind == "Secret" && change.is_below("type");
            let is_data = ["data", "stringData", "binaryData", "immutable"].iter().any(|path| change.is_below(path));
            is_type || is_frozen && is_data
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => change.is_below("roleRef"),
        ("storage.k8s.io", "StorageClass") => {
            ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"].iter().any(|path| change.is_below(path))
        }
        ("networking.k8s.io", "IngressClass") => change.is_below("spec.controller"),
        ("scheduling.k8s.io", "PriorityClass") => change.is_below("value") || change.is_below("preemptionPolicy"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            change.is_below("spec.scope") || change.is_below("spec.group") || change.is_below("spec.names.plural")
        }
        ("coordination.k8s.io" | "node.k8s.io", "RuntimeClass") => change.is_below("handler"),
        _ => false,
    };
    is_refused.then_some(&change.path)
}
