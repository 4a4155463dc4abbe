//! Kinds of Kubernetes 1.37 that are on their way out: since when, until when, and what to use instead.

/// What a kind's version is replaced by, and when.
struct Deprecation {
    api_version: &'static str,
    kind: &'static str,
    since: (u32, u32),
    /// The first version without it.
    removed: (u32, u32),
    replacement: &'static str,
}

/// A kind's version that is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// The first version of Kubernetes that warns of it.
    pub since: (u32, u32),
    /// The first version without it, where that is settled.
    pub removed: Option<(u32, u32)>,
    /// The `apiVersion` and kind to use instead, as `apps/v1 Deployment`; empty where there is none.
    pub replacement: &'static str,
}

/// What is known of the way out of `api_version` and `kind`, whatever the version of the cluster.
pub fn deprecation(api_version: &str, kind: &str) -> Option<Deprecated> {
    let found = DEPRECATIONS.iter().find(|known| known.api_version == api_version && known.kind == kind)?;
    let Deprecation { since, removed, replacement, .. } = *found;
    Some(Deprecated { since, removed: Some(removed).filter(|removed| *removed != (0, 0)), replacement })
}

/// What Kubernetes' API server warns of where `api_version` and `kind` are applied to a cluster of version
/// `major.minor`; `None` where they are fine there, or unknown.
pub fn deprecation_warning(api_version: &str, kind: &str, (major, minor): (u32, u32)) -> Option<String> {
    // Lists go with what they list.
    let (single, list) = match kind.strip_suffix("List") {
        Some(single) => (single, "List"),
        None => (kind, ""),
    };
    let Deprecated { since, removed, replacement } = deprecation(api_version, single)?;
    if since > (major, minor) {
        return None;
    }
    let mut warning = format!("{api_version} {kind} is deprecated in v{}.{}+", since.0, since.1);
    if let Some(removed) = removed {
        warning += &format!(", unavailable in v{}.{}+", removed.0, removed.1);
    }
    if !replacement.is_empty() {
        warning += &format!("; use {replacement}{list}");
    }
    Some(warning)
}

const fn entry(
    api_version: &'static str,
    kind: &'static str,
    since: (u32, u32),
    removed: (u32, u32),
    replacement: &'static str,
) -> Deprecation {
    Deprecation { api_version, kind, since, removed, replacement }
}

const DEPRECATIONS: &[Deprecation] = &[
    entry("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicyBinding", (1, 35), (1, 38), ""),
    entry("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy", (1, 35), (1, 38), ""),
    entry("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicyBinding", (1, 29), (1, 32), ""),
    entry("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicy", (1, 29), (1, 32), ""),
    entry(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingAdmissionPolicyBinding",
        (1, 37),
        (1, 40),
        "admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding",
    ),
    entry(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingAdmissionPolicy",
        (1, 37),
        (1, 40),
        "admissionregistration.k8s.io/v1 MutatingAdmissionPolicy",
    ),
    entry(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        (1, 16),
        (1, 22),
        "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
    ),
    entry("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding", (1, 31), (1, 34), ""),
    entry("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy", (1, 31), (1, 34), ""),
    entry(
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        (1, 16),
        (1, 22),
        "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
    ),
    entry("apps/v1beta1", "ControllerRevision", (1, 8), (1, 16), "apps/v1 ControllerRevision"),
    entry("apps/v1beta1", "DeploymentRollback", (1, 8), (1, 16), "apps/v1 DeploymentRollback"),
    entry("apps/v1beta1", "Deployment", (1, 8), (1, 16), "apps/v1 Deployment"),
    entry("apps/v1beta1", "Scale", (1, 8), (1, 16), "autoscaling/v1 Scale"),
    entry("apps/v1beta1", "StatefulSet", (1, 8), (1, 16), "apps/v1 StatefulSet"),
    entry("apps/v1beta2", "ControllerRevision", (1, 9), (1, 16), "apps/v1 ControllerRevision"),
    entry("apps/v1beta2", "DaemonSet", (1, 9), (1, 16), "apps/v1 DaemonSet"),
    entry("apps/v1beta2", "Deployment", (1, 9), (1, 16), "apps/v1 Deployment"),
    entry("apps/v1beta2", "ReplicaSet", (1, 9), (1, 16), "apps/v1 ReplicaSet"),
    entry("apps/v1beta2", "Scale", (1, 9), (1, 16), "autoscaling/v1 Scale"),
    entry("apps/v1beta2", "StatefulSet", (1, 9), (1, 16), "apps/v1 StatefulSet"),
    entry("authentication.k8s.io/v1alpha1", "SelfSubjectReview", (1, 29), (1, 32), ""),
    entry("authentication.k8s.io/v1beta1", "SelfSubjectReview", (1, 30), (1, 33), ""),
    entry("authentication.k8s.io/v1beta1", "TokenReview", (1, 19), (1, 22), "authentication.k8s.io/v1 TokenReview"),
    entry(
        "authorization.k8s.io/v1beta1",
        "LocalSubjectAccessReview",
        (1, 19),
        (1, 22),
        "authorization.k8s.io/v1 LocalSubjectAccessReview",
    ),
    entry(
        "authorization.k8s.io/v1beta1",
        "SelfSubjectAccessReview",
        (1, 19),
        (1, 22),
        "authorization.k8s.io/v1 SelfSubjectAccessReview",
    ),
    entry(
        "authorization.k8s.io/v1beta1",
        "SelfSubjectRulesReview",
        (1, 19),
        (1, 22),
        "authorization.k8s.io/v1 SelfSubjectRulesReview",
    ),
    entry(
        "authorization.k8s.io/v1beta1",
        "SubjectAccessReview",
        (1, 19),
        (1, 22),
        "authorization.k8s.io/v1 SubjectAccessReview",
    ),
    entry("batch/v1beta1", "CronJob", (1, 21), (1, 25), "batch/v1 CronJob"),
    entry("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", (1, 34), (1, 37), ""),
    entry(
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        (1, 19),
        (1, 22),
        "certificates.k8s.io/v1 CertificateSigningRequest",
    ),
    entry(
        "certificates.k8s.io/v1beta1",
        "ClusterTrustBundle",
        (1, 37),
        (1, 40),
        "certificates.k8s.io/v1 ClusterTrustBundle",
    ),
    entry(
        "certificates.k8s.io/v1beta1",
        "PodCertificateRequest",
        (1, 37),
        (1, 40),
        "certificates.k8s.io/v1 PodCertificateRequest",
    ),
    entry("coordination.k8s.io/v1alpha2", "LeaseCandidate", (1, 35), (1, 38), ""),
    entry("coordination.k8s.io/v1beta1", "LeaseCandidate", (1, 36), (1, 39), ""),
    entry("coordination.k8s.io/v1beta1", "Lease", (1, 19), (1, 22), "coordination.k8s.io/v1 Lease"),
    entry("discovery.k8s.io/v1beta1", "EndpointSlice", (1, 21), (1, 25), "discovery.k8s.io/v1 EndpointSlice"),
    entry("events.k8s.io/v1beta1", "Event", (1, 22), (1, 25), ""),
    entry("extensions/v1beta1", "DaemonSet", (1, 8), (1, 16), "apps/v1 DaemonSet"),
    entry("extensions/v1beta1", "DeploymentRollback", (1, 8), (1, 16), ""),
    entry("extensions/v1beta1", "Deployment", (1, 8), (1, 16), "apps/v1 Deployment"),
    entry("extensions/v1beta1", "Ingress", (1, 14), (1, 22), "networking.k8s.io/v1 Ingress"),
    entry("extensions/v1beta1", "NetworkPolicy", (1, 9), (1, 16), "networking.k8s.io/v1 NetworkPolicy"),
    entry("extensions/v1beta1", "ReplicaSet", (1, 8), (1, 16), "apps/v1 ReplicaSet"),
    entry("extensions/v1beta1", "Scale", (1, 2), (1, 16), ""),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema",
        (1, 23),
        (1, 26),
        "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema",
    ),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "PriorityLevelConfiguration",
        (1, 23),
        (1, 26),
        "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
    ),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "FlowSchema",
        (1, 26),
        (1, 29),
        "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema",
    ),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "PriorityLevelConfiguration",
        (1, 26),
        (1, 29),
        "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
    ),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "FlowSchema",
        (1, 29),
        (1, 32),
        "flowcontrol.apiserver.k8s.io/v1 FlowSchema",
    ),
    entry(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "PriorityLevelConfiguration",
        (1, 29),
        (1, 32),
        "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration",
    ),
    entry("lifecycle.k8s.io/v1alpha1", "EvictionRequest", (1, 40), (1, 43), ""),
    entry("lifecycle.k8s.io/v1alpha1", "Eviction", (1, 40), (1, 43), ""),
    entry("networking.k8s.io/v1beta1", "IPAddress", (1, 34), (1, 37), ""),
    entry("networking.k8s.io/v1beta1", "IngressClass", (1, 19), (1, 22), "networking.k8s.io/v1 IngressClassList"),
    entry("networking.k8s.io/v1beta1", "Ingress", (1, 19), (1, 22), "networking.k8s.io/v1 Ingress"),
    entry("networking.k8s.io/v1beta1", "ServiceCIDR", (1, 34), (1, 37), ""),
    entry("node.k8s.io/v1beta1", "RuntimeClass", (1, 22), (1, 25), ""),
    entry("policy/v1beta1", "Eviction", (1, 22), (1, 25), ""),
    entry("policy/v1beta1", "PodDisruptionBudget", (1, 21), (1, 25), "policy/v1 PodDisruptionBudget"),
    entry(
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRoleBinding",
        (1, 17),
        (1, 22),
        "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
    ),
    entry(
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRole",
        (1, 17),
        (1, 22),
        "rbac.authorization.k8s.io/v1 ClusterRole",
    ),
    entry(
        "rbac.authorization.k8s.io/v1beta1",
        "RoleBinding",
        (1, 17),
        (1, 22),
        "rbac.authorization.k8s.io/v1 RoleBinding",
    ),
    entry("rbac.authorization.k8s.io/v1beta1", "Role", (1, 17), (1, 22), "rbac.authorization.k8s.io/v1 Role"),
    entry("resource.k8s.io/v1alpha3", "DeviceTaintRule", (1, 36), (1, 39), ""),
    entry("resource.k8s.io/v1alpha3", "ResourcePoolStatusRequest", (1, 39), (1, 42), ""),
    entry("resource.k8s.io/v1beta1", "DeviceClass", (1, 35), (1, 38), ""),
    entry("resource.k8s.io/v1beta1", "ResourceClaimTemplate", (1, 35), (1, 38), ""),
    entry("resource.k8s.io/v1beta1", "ResourceClaim", (1, 35), (1, 38), ""),
    entry("resource.k8s.io/v1beta1", "ResourceSlice", (1, 35), (1, 38), ""),
    entry("resource.k8s.io/v1beta2", "DeviceClass", (1, 36), (1, 39), ""),
    entry("resource.k8s.io/v1beta2", "DeviceTaintRule", (1, 39), (1, 42), ""),
    entry("resource.k8s.io/v1beta2", "ResourceClaimTemplate", (1, 36), (1, 39), ""),
    entry("resource.k8s.io/v1beta2", "ResourceClaim", (1, 36), (1, 39), ""),
    entry("resource.k8s.io/v1beta2", "ResourceSlice", (1, 36), (1, 39), ""),
    entry("scheduling.k8s.io/v1beta1", "PodGroup", (1, 40), (1, 43), ""),
    entry("scheduling.k8s.io/v1beta1", "PriorityClass", (1, 14), (1, 22), "scheduling.k8s.io/v1 PriorityClass"),
    entry("scheduling.k8s.io/v1beta1", "Workload", (1, 40), (1, 43), ""),
    entry(
        "storage.k8s.io/v1alpha1",
        "CSIStorageCapacity",
        (1, 21),
        (1, 24),
        "storage.k8s.io/v1beta1 CSIStorageCapacity",
    ),
    entry("storage.k8s.io/v1alpha1", "VolumeAttachment", (1, 21), (1, 24), "storage.k8s.io/v1 VolumeAttachment"),
    entry(
        "storage.k8s.io/v1alpha1",
        "VolumeAttributesClass",
        (1, 32),
        (1, 35),
        "storage.k8s.io/v1 VolumeAttributesClass",
    ),
    entry("storage.k8s.io/v1beta1", "CSIDriver", (1, 19), (1, 22), "storage.k8s.io/v1 CSIDriver"),
    entry("storage.k8s.io/v1beta1", "CSINode", (1, 17), (1, 22), "storage.k8s.io/v1 CSINode"),
    entry("storage.k8s.io/v1beta1", "CSIStorageCapacity", (1, 24), (1, 27), "storage.k8s.io/v1 CSIStorageCapacity"),
    entry("storage.k8s.io/v1beta1", "StorageClass", (1, 19), (1, 22), "storage.k8s.io/v1 StorageClass"),
    entry("storage.k8s.io/v1beta1", "VolumeAttachment", (1, 19), (1, 22), "storage.k8s.io/v1 VolumeAttachment"),
    entry(
        "storage.k8s.io/v1beta1",
        "VolumeAttributesClass",
        (1, 34),
        (1, 37),
        "storage.k8s.io/v1 VolumeAttributesClass",
    ),
    entry(
        "storagemigration.k8s.io/v1beta1",
        "StorageVersionMigration",
        (1, 37),
        (1, 40),
        "storagemigration.k8s.io/v1 StorageVersionMigration",
    ),
    entry("v1", "ComponentStatus", (1, 19), (0, 0), ""),
    entry("v1", "Endpoints", (1, 33), (0, 0), "discovery.k8s.io/v1 EndpointSlice"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_those_of_the_api_server() {
        let warning = |kind, version| deprecation_warning("extensions/v1beta1", kind, version);
        assert_eq!(
            warning("Deployment", (1, 37)).as_deref(),
            Some("extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment")
        );
        assert_eq!(warning("Deployment", (1, 7)), None);
        assert_eq!(deprecation_warning("apps/v1", "Deployment", (1, 37)), None);
    }
}
