//! In which order kinds go to a cluster and leave it: [`compare_install`], [`compare_uninstall`].
//!
//! The tables are Helm 4's. `kustomize build` has an order of its own for what it prints.

use std::cmp::Ordering;

/// What others need comes first; unknown kinds come last, by name.
const INSTALL: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Where the order of removal is not that of installation reversed: services go before what they lead to, so that
/// nothing new is let in.
const UNINSTALLED_BEFORE_WORKLOADS: &str = "Service";
const FIRST_WORKLOAD_REMOVED: &str = "CronJob";

/// Compares kinds by when they are installed. Kinds that compare equal keep their order.
pub fn compare_install(a: &str, b: &str) -> Ordering {
    compare(a, b, |kind| INSTALL.iter().position(|known| *known == kind))
}

/// Whether the order of installation names a kind; the others come last, by name.
pub fn is_known_to_install_order(kind: &str) -> bool {
    INSTALL.contains(&kind)
}

/// Compares kinds by when they are removed: much the reverse of [`compare_install`]. Unknown kinds come last here too.
pub fn compare_uninstall(a: &str, b: &str) -> Ordering {
    compare(a, b, |kind| {
        let before = if kind == UNINSTALLED_BEFORE_WORKLOADS { FIRST_WORKLOAD_REMOVED } else { kind };
        let position = INSTALL.iter().position(|known| *known == before)?;
        // Twice the position leaves room for what comes just before another kind.
        Some(2 * (INSTALL.len() - position) - usize::from(kind == UNINSTALLED_BEFORE_WORKLOADS))
    })
}

fn compare(a: &str, b: &str, rank: impl Fn(&str) -> Option<usize>) -> Ordering {
    match (rank(a), rank(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(compare: fn(&str, &str) -> Ordering) -> Vec<&'static str> {
        let mut kinds = vec![
            "Widget",
            "Ingress",
            "CronJob",
            "Service",
            "Deployment",
            "Secret",
            "Namespace",
            "Gadget",
            "IngressClass",
        ];
        kinds.sort_by(|a, b| compare(a, b));
        kinds
    }

    #[test]
    fn what_others_need_is_installed_first() {
        assert_eq!(
            sorted(compare_install),
            ["Namespace", "Secret", "Service", "Deployment", "CronJob", "IngressClass", "Ingress", "Gadget", "Widget"]
        );
    }

    #[test]
    fn removal_starts_with_what_lets_requests_in() {
        assert_eq!(
            sorted(compare_uninstall),
            ["Ingress", "IngressClass", "Service", "CronJob", "Deployment", "Secret", "Namespace", "Gadget", "Widget"]
        );
    }
}
