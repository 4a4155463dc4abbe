//! Which kinds live in namespaces and which outside them.

use Scope::{Cluster, Namespaced};

/// Where resources of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// Outside namespaces.
    Cluster,
}

/// The scope of a kind that Kubernetes itself brings; `None` for any other.
///
/// The kinds and versions are those that Kustomize 5.8 knows (Kubernetes 1.21's API) and the two kinds of admission
/// policies that it knows from after 5.8.1 on. A version that is not in the
/// table is unknown on purpose: equality of ids depends on it.
pub fn scope_of(group: &str, version: &str, kind: &str) -> Option<Scope> {
    let found = SCOPES.binary_search_by(|(g, v, k, _)| (*g, *v, *k).cmp(&(group, version, kind))).ok()?;
    SCOPES.get(found).map(|row| row.3)
}

/// Sorted by group, version and kind.
#[rustfmt::skip]
const SCOPES: &[(&str, &str, &str, Scope)] = &[
    ("", "v1", "ComponentStatus", Cluster),
    ("", "v1", "ConfigMap", Namespaced),
    ("", "v1", "Endpoints", Namespaced),
    ("", "v1", "Event", Namespaced),
    ("", "v1", "LimitRange", Namespaced),
    ("", "v1", "Namespace", Cluster),
    ("", "v1", "Node", Cluster),
    ("", "v1", "NodeProxyOptions", Cluster),
    ("", "v1", "PersistentVolume", Cluster),
    ("", "v1", "PersistentVolumeClaim", Namespaced),
    ("", "v1", "Pod", Namespaced),
    ("", "v1", "PodAttachOptions", Namespaced),
    ("", "v1", "PodExecOptions", Namespaced),
    ("", "v1", "PodPortForwardOptions", Namespaced),
    ("", "v1", "PodProxyOptions", Namespaced),
    ("", "v1", "PodTemplate", Namespaced),
    ("", "v1", "ReplicationController", Namespaced),
    ("", "v1", "ResourceQuota", Namespaced),
    ("", "v1", "Secret", Namespaced),
    ("", "v1", "Service", Namespaced),
    ("", "v1", "ServiceAccount", Namespaced),
    ("", "v1", "ServiceProxyOptions", Namespaced),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", Cluster),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", Cluster),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", Cluster),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", Cluster),
    ("admissionregistration.k8s.io", "v1beta1", "MutatingWebhookConfiguration", Cluster),
    ("admissionregistration.k8s.io", "v1beta1", "ValidatingWebhookConfiguration", Cluster),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", Cluster),
    ("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition", Cluster),
    ("apiregistration.k8s.io", "v1", "APIService", Cluster),
    ("apiregistration.k8s.io", "v1beta1", "APIService", Cluster),
    ("apps", "v1", "ControllerRevision", Namespaced),
    ("apps", "v1", "DaemonSet", Namespaced),
    ("apps", "v1", "Deployment", Namespaced),
    ("apps", "v1", "ReplicaSet", Namespaced),
    ("apps", "v1", "StatefulSet", Namespaced),
    ("autoscaling", "v1", "HorizontalPodAutoscaler", Namespaced),
    ("autoscaling", "v1", "Scale", Namespaced),
    ("autoscaling", "v2beta1", "HorizontalPodAutoscaler", Namespaced),
    ("autoscaling", "v2beta2", "HorizontalPodAutoscaler", Namespaced),
    ("batch", "v1", "CronJob", Namespaced),
    ("batch", "v1", "Job", Namespaced),
    ("batch", "v1beta1", "CronJob", Namespaced),
    ("certificates.k8s.io", "v1", "CertificateSigningRequest", Cluster),
    ("certificates.k8s.io", "v1beta1", "CertificateSigningRequest", Cluster),
    ("coordination.k8s.io", "v1", "Lease", Namespaced),
    ("coordination.k8s.io", "v1beta1", "Lease", Namespaced),
    ("discovery.k8s.io", "v1", "EndpointSlice", Namespaced),
    ("discovery.k8s.io", "v1beta1", "EndpointSlice", Namespaced),
    ("events.k8s.io", "v1", "Event", Namespaced),
    ("events.k8s.io", "v1beta1", "Event", Namespaced),
    ("extensions", "v1beta1", "Ingress", Namespaced),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "FlowSchema", Cluster),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "PriorityLevelConfiguration", Cluster),
    ("networking.k8s.io", "v1", "Ingress", Namespaced),
    ("networking.k8s.io", "v1", "IngressClass", Cluster),
    ("networking.k8s.io", "v1", "NetworkPolicy", Namespaced),
    ("networking.k8s.io", "v1beta1", "Ingress", Namespaced),
    ("networking.k8s.io", "v1beta1", "IngressClass", Cluster),
    ("node.k8s.io", "v1", "RuntimeClass", Cluster),
    ("node.k8s.io", "v1beta1", "RuntimeClass", Cluster),
    ("policy", "v1", "PodDisruptionBudget", Namespaced),
    ("policy", "v1beta1", "PodDisruptionBudget", Namespaced),
    ("policy", "v1beta1", "PodSecurityPolicy", Cluster),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", Cluster),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", Cluster),
    ("rbac.authorization.k8s.io", "v1", "Role", Namespaced),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", Namespaced),
    ("rbac.authorization.k8s.io", "v1beta1", "ClusterRole", Cluster),
    ("rbac.authorization.k8s.io", "v1beta1", "ClusterRoleBinding", Cluster),
    ("rbac.authorization.k8s.io", "v1beta1", "Role", Namespaced),
    ("rbac.authorization.k8s.io", "v1beta1", "RoleBinding", Namespaced),
    ("scheduling.k8s.io", "v1", "PriorityClass", Cluster),
    ("scheduling.k8s.io", "v1beta1", "PriorityClass", Cluster),
    ("storage.k8s.io", "v1", "CSIDriver", Cluster),
    ("storage.k8s.io", "v1", "CSINode", Cluster),
    ("storage.k8s.io", "v1", "StorageClass", Cluster),
    ("storage.k8s.io", "v1", "VolumeAttachment", Cluster),
    ("storage.k8s.io", "v1beta1", "CSIDriver", Cluster),
    ("storage.k8s.io", "v1beta1", "CSINode", Cluster),
    ("storage.k8s.io", "v1beta1", "CSIStorageCapacity", Namespaced),
    ("storage.k8s.io", "v1beta1", "StorageClass", Cluster),
    ("storage.k8s.io", "v1beta1", "VolumeAttachment", Cluster),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(SCOPES.is_sorted_by(|a, b| (a.0, a.1, a.2) < (b.0, b.1, b.2)));
    }

    #[test]
    fn scopes_are_found_by_exact_version() {
        for (group, version, kind, scope) in [
            ("", "v1", "Namespace", Some(Cluster)),
            ("apps", "v1", "Deployment", Some(Namespaced)),
            ("rbac.authorization.k8s.io", "v1", "ClusterRole", Some(Cluster)),
            ("", "", "Namespace", None),
            ("policy", "v2", "PodSecurityPolicy", None),
        ] {
            assert_eq!(scope_of(group, version, kind), scope, "{group}/{version} {kind}");
        }
    }
}
