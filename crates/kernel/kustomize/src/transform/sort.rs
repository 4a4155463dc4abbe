//! The order of the output.

use crate::accumulate::located;
use crate::kustomization::SortOptions;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{GroupVersionKind, ResourceId, ResourceSet};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The kinds that come first: others need them.
pub(crate) const ORDER_FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come last: they would get in the way of the others.
pub(crate) const ORDER_LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts as `sortOptions:` says.
///
/// # Errors
/// `kustomize-sort` for an order that does not exist, and for lists of kinds that go with the other one.
pub(crate) fn sort_resources(resources: &mut ResourceSet, options: &SortOptions) -> Result<()> {
    let fail = |message: &str, hint: &str| {
        Err(located(Diagnostic::error("kustomize-sort", message).hint(hint), options.order.span))
    };
    match (options.order.text.as_str(), &options.legacy) {
        ("fifo", None) => {}
        ("fifo", Some(_)) => {
            return fail(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
                "`order: legacy` sorts by these lists; without them `fifo` keeps the order of `resources:`",
            );
        }
        ("legacy", None) => sort_legacy(resources),
        ("legacy", Some((first, last))) => sort_by_kinds(resources, first, last),
        _ => {
            return fail(
                "the field 'sortOptions.order' must be one of [fifo, legacy]",
                "`legacy` sorts by kind, `fifo` keeps the order of `resources:`",
            );
        }
    }
    Ok(())
}

/// Sorts by kind, those first that others need, then by group, version, namespace and name.
pub(crate) fn sort_legacy(resources: &mut ResourceSet) {
    sort_by_kinds(resources, ORDER_FIRST, ORDER_LAST);
}

fn sort_by_kinds<S: AsRef<str>>(resources: &mut ResourceSet, first: &[S], last: &[S]) {
    let mut ranks: HashMap<&str, i64> = HashMap::with_capacity(first.len() + last.len());
    for (index, kind) in first.iter().enumerate() {
        ranks.insert(kind.as_ref(), index as i64 - first.len() as i64);
    }
    for (index, kind) in last.iter().enumerate() {
        ranks.insert(kind.as_ref(), index as i64 + 1);
    }
    resources.sort_by(|a, b| {
        let (a, b) = (a.id(), b.id());
        let rank = |id: &ResourceId| ranks.get(&*id.gvk.kind).copied().unwrap_or(0);
        rank(a).cmp(&rank(b)).then_with(|| compare_types(&a.gvk, &b.gvk)).then_with(|| compare_names(a, b))
    });
}

fn compare_types(a: &GroupVersionKind, b: &GroupVersionKind) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let order = type_text(a).cmp(type_text(b));
    // Kustomize keeps Kubernetes' own namespaces before those of other groups.
    let namespaces = &*a.kind == "Namespace" && &*b.kind == "Namespace";
    if namespaces && (a.group.is_empty() || b.group.is_empty()) { order.reverse() } else { order }
}

/// Of ids whose types are equal, or make the same text.
fn compare_names(a: &ResourceId, b: &ResourceId) -> Ordering {
    if a.namespace == b.namespace && a.gvk == b.gvk {
        return or(&a.name, "~N").cmp(or(&b.name, "~N"));
    }
    id_text(a).cmp(id_text(b))
}

/// Types are compared as one text, in which parts that are absent have names.
fn type_text(gvk: &GroupVersionKind) -> impl Iterator<Item = u8> {
    joined([or(&gvk.group, "~G"), "_", or(&gvk.version, "~V"), "_", or(&gvk.kind, "~K")])
}

fn id_text(id: &ResourceId) -> impl Iterator<Item = u8> {
    let (kind, version) = (or(&id.gvk.kind, "[noKind]"), or(&id.gvk.version, "[noVer]"));
    let (namespace, name) = (or(&id.namespace, "~X"), or(&id.name, "~N"));
    joined([kind, ".", version, ".", or(&id.gvk.group, "[noGrp]"), "|", namespace, "|", name])
}

fn or<'t>(part: &'t str, absent: &'t str) -> &'t str {
    if part.is_empty() { absent } else { part }
}

fn joined<'t, const N: usize>(parts: [&'t str; N]) -> impl Iterator<Item = u8> + 't {
    parts.into_iter().flat_map(str::bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_resource::Resource;
    use onepane_yaml::Node;

    fn set(resources: &[(&str, &str, &str)]) -> ResourceSet {
        let mut set = ResourceSet::new();
        for (api_version, kind, name) in resources {
            let mut resource = Resource::new(Node::mapping(vec![
                (Node::scalar("apiVersion"), Node::scalar(*api_version)),
                (Node::scalar("kind"), Node::scalar(*kind)),
            ]));
            resource.set_name(Node::string(*name));
            set.append(resource).unwrap();
        }
        set
    }

    fn names(set: &ResourceSet) -> Vec<&str> {
        set.iter().map(Resource::name).collect()
    }

    #[test]
    fn what_others_need_comes_first() {
        let mut set = set(&[
            ("apps/v1", "Deployment", "d"),
            ("example.com/v1", "Widget", "w"),
            ("v1", "Service", "s"),
            ("example.com/v1", "Namespace", "n2"),
            ("v1", "Namespace", "n1"),
            ("v1", "ConfigMap", "b"),
            ("v1", "ConfigMap", "a"),
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "v"),
        ]);
        sort_legacy(&mut set);
        assert_eq!(names(&set), ["n1", "n2", "a", "b", "s", "d", "w", "v"]);
    }

    #[test]
    fn orders_that_do_not_exist_are_refused() {
        let mut set = set(&[("v1", "Service", "s"), ("v1", "ConfigMap", "a")]);
        let order = |text: &str| crate::decode::Located { text: text.into(), span: None };
        let options = |text: &str, legacy| SortOptions { order: order(text), legacy };
        sort_resources(&mut set, &options("fifo", None)).unwrap();
        assert_eq!(names(&set), ["s", "a"]);
        assert!(sort_resources(&mut set, &options("random", None)).is_err());
        assert!(sort_resources(&mut set, &options("fifo", Some((vec![], vec![])))).is_err());
        let kinds = (vec!["Service".to_owned()], vec!["ConfigMap".to_owned()]);
        sort_resources(&mut set, &options("legacy", Some(kinds))).unwrap();
        assert_eq!(names(&set), ["s", "a"]);
    }
}
