//! What many hold to be better, and not everybody: these rules are off unless asked for.

use super::containers::place_of;
use crate::scene::{Item, place};
use crate::{Finding, Scene};
use onepane_resource::{Tree, pods};
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let Some(template) = item.template() else { continue };
        let is_served = scene.all().iter().any(|other| {
            other.is("", "Service")
                && other.namespace == item.namespace
                && other.node().at(&["spec", "selector"]).is_some_and(|selector| pods::is_selected(template, selector))
        });
        host(item, template, found);
        if is_served
            && item.is("apps", "Deployment")
            && item.node().text_at(&["spec", "replicas"]).is_none_or(|text| text == "1")
        {
            let is_scaled = scene
                .all()
                .iter()
                .any(|other| other.node().text_at(&["spec", "scaleTargetRef", "name"]) == Some(item.resource.name()));
            if !is_scaled {
                let message = format!("{item} has one pod: a rollout or a drain interrupts what it serves");
                found.push(Finding::new("opinion-single-replica", item.place(&["spec", "replicas"]), message));
            }
        }
        for container in template.list_at(&["spec", "containers"]) {
            let mut tell = |code, at: &Node, what: &str| {
                let name = container.text_at(&["name"]).unwrap_or_default();
                found.push(Finding::new(code, at, format!("{item}: the container `{name}` {what}")));
            };
            let here = place_of(container);
            if is_served && container.get("readinessProbe").is_none() {
                tell("opinion-probes", here, "has no readinessProbe, and gets requests as soon as it has started");
            }
            let has = |list: &str, name: &str| container.at(&["resources", list, name]).is_some();
            if !has("requests", "cpu") || !has("requests", "memory") {
                tell("opinion-requests", here, "does not request cpu and memory");
            }
            if !has("limits", "memory") {
                tell("opinion-memory-limit", here, "has no limit of memory");
            }
            security(template, container, &mut tell);
        }
    }
}

fn security(template: &Node, container: &Node, tell: &mut dyn FnMut(&'static str, &Node, &str)) {
    let here = place(container, &["securityContext"]).unwrap_or(container);
    let own = |key: &str| container.at(&["securityContext", key]);
    let either = |key: &str| own(key).or_else(|| template.at(&["spec", "securityContext", key]));
    let is_root = either("runAsUser").and_then(Tree::text) == Some("0");
    let is_somebody = either("runAsNonRoot").is_some_and(Tree::is_true) || either("runAsUser").is_some();
    if is_root || !is_somebody {
        tell("opinion-root", here, "may run as root");
    }
    if own("privileged").is_some_and(Tree::is_true)
        || own("allowPrivilegeEscalation").and_then(Tree::text) != Some("false")
    {
        tell("opinion-privileged", here, "is privileged, or may gain privileges");
    }
    if !own("readOnlyRootFilesystem").is_some_and(Tree::is_true) {
        tell("opinion-writable-root", here, "may write to its own root");
    }
}

fn host(item: &Item<'_>, template: &Node, found: &mut Vec<Finding>) {
    let Some(spec) = template.get("spec") else { return };
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        if let Some(at) = spec.get(key).filter(|value| value.is_true()) {
            found.push(Finding::new("opinion-host", at, format!("{item}: its pods have {key}")));
        }
    }
    for volume in template.list_at(&["spec", "volumes"]) {
        if let Some(at) = volume.get("hostPath") {
            let name = volume.text_at(&["name"]).unwrap_or_default();
            let at = place(volume, &["hostPath"]).unwrap_or(at);
            found.push(Finding::new("opinion-host", at, format!("{item}: the volume `{name}` is of its host's files")));
        }
    }
}
