//! Bindings of roles: that the role and the ServiceAccounts are there.

use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::Tree;

/// Roles that every cluster has.
const BUILTIN: [&str; 4] = ["cluster-admin", "admin", "edit", "view"];

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        if item.group() != "rbac.authorization.k8s.io" || !item.resource.kind().ends_with("RoleBinding") {
            continue;
        }
        if let Some(at) = item.node().at(&["roleRef", "name"])
            && let (Some(name), Some(kind)) = (at.text(), item.node().text_at(&["roleRef", "kind"]))
        {
            let namespace = if kind == "Role" { item.namespace.as_str() } else { "" };
            // Kubernetes has roles of its own in its own namespace, too.
            let is_builtin = match kind {
                "ClusterRole" => BUILTIN.contains(&name) || name.starts_with("system:"),
                _ => namespace.starts_with("kube-"),
            };
            if !is_builtin && scene.find(kind, namespace, name).is_none() {
                let message = format!("{item} binds the {kind} `{name}`, which is not there");
                let meant = closest(name, scene.names(kind, namespace));
                found.push(Finding::new("binding-role", at, message).meant(meant));
            }
        }
        for subject in item.node().list_at(&["subjects"]) {
            if subject.text_at(&["kind"]) != Some("ServiceAccount") {
                continue;
            }
            let namespace = subject.text_at(&["namespace"]).unwrap_or(&item.namespace);
            let Some(at) = subject.get("name") else { continue };
            let Some(name) = at.text().filter(|name| *name != "default") else { continue };
            if scene.is_ours(namespace) && scene.find("ServiceAccount", namespace, name).is_none() {
                let message = format!("{item} is for the ServiceAccount {namespace}/{name}, which is not there");
                let meant = closest(name, scene.names("ServiceAccount", namespace));
                found.push(Finding::new("binding-subject", at, message).meant(meant));
            }
        }
    }
}
