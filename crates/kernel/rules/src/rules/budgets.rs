//! PodDisruptionBudgets and NetworkPolicies: that they select pods, and that evictions are possible at all.

use crate::scene::Item;
use crate::{Finding, Scene};
use onepane_resource::{Tree, pods};
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        if item.is("policy", "PodDisruptionBudget") {
            let Some(selector) = item.node().at(&["spec", "selector"]) else { continue };
            let selected = selected(scene, item, selector);
            if selected.is_empty() {
                let message = format!("{item} selects no pods");
                found.push(Finding::new("budget-no-pods", item.place(&["spec", "selector"]), message));
            } else {
                found.extend(blocks(scene, item, &selected));
            }
        } else if item.is("networking.k8s.io", "NetworkPolicy") {
            let Some(selector) = item.node().at(&["spec", "podSelector"]) else { continue };
            if !selector.pairs().is_empty() && selected(scene, item, selector).is_empty() {
                let message = format!("{item} selects no pods: it allows and forbids nothing");
                found.push(Finding::new("network-policy-no-pods", item.place(&["spec", "podSelector"]), message));
            }
        }
    }
}

fn selected<'s, 'a>(scene: &'s Scene<'a>, item: &Item<'_>, selector: &Node) -> Vec<&'s Item<'a>> {
    let here = scene.templates(&item.namespace);
    here.filter(|(_, template)| pods::is_matched(*template, selector)).map(|(workload, _)| workload).collect()
}

/// A budget that lets no pod go however many there are.
fn blocks(scene: &Scene<'_>, item: &Item<'_>, selected: &[&Item<'_>]) -> Option<Finding> {
    let spec = item.node().get("spec")?;
    let (at, why) =
        if let Some(most) = spec.get("maxUnavailable").filter(|most| matches!(most.text(), Some("0" | "0%"))) {
            (most, "none may be unavailable".to_owned())
        } else {
            let least = spec.get("minAvailable")?;
            let is_all = least.text() == Some("100%");
            let replicas = replicas(scene, selected);
            let number = least.text().and_then(|text| text.parse::<u64>().ok());
            match (number, replicas) {
                _ if is_all => (least, "all have to be available".to_owned()),
                (Some(number), Some(replicas)) if number >= replicas => {
                    (least, format!("{number} have to be available, of {replicas} that there are"))
                }
                _ => return None,
            }
        };
    let message = format!("{item} lets no pod be evicted: {why}, so that nodes can't be drained");
    Some(Finding::new("budget-blocks", at, message))
}

/// How many pods there are, where that is said and nothing scales them.
fn replicas(scene: &Scene<'_>, selected: &[&Item<'_>]) -> Option<u64> {
    let mut sum = 0;
    for workload in selected {
        let is_scaled = scene.all().iter().any(|other| {
            other.group().contains("autoscaling") || other.group() == "keda.sh"
        } && other.namespace == workload.namespace
            && other.node().text_at(&["spec", "scaleTargetRef", "name"]) == Some(workload.resource.name()));
        if is_scaled || workload.resource.kind() == "DaemonSet" {
            return None;
        }
        sum += match workload.node().text_at(&["spec", "replicas"]) {
            Some(text) => text.parse::<u64>().ok()?,
            None => 1,
        };
    }
    Some(sum)
}
