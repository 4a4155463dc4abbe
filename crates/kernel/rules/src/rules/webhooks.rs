//! Webhooks, API services and conversions: that the Service behind them is there.

use crate::scene::Item;
use crate::{Finding, Scene};
use onepane_resource::Tree;
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        for service in services(item) {
            let (Some(namespace), Some(at)) = (service.text_at(&["namespace"]), service.get("name")) else { continue };
            let Some(name) = at.text() else { continue };
            if scene.is_ours(namespace) && scene.find("Service", namespace, name).is_none() {
                let message = format!("{item} is served by the Service {namespace}/{name}, which is not there");
                found.push(Finding::new("webhook-service", at, message));
            }
        }
    }
}

fn services<'a>(item: &Item<'a>) -> Vec<&'a Node> {
    let node = item.node();
    match (item.group(), item.resource.kind()) {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let webhooks = node.list_at(&["webhooks"]);
            webhooks.into_iter().filter_map(|webhook| webhook.below(&["clientConfig", "service"])).collect()
        }
        ("apiregistration.k8s.io", "APIService") => node.below(&["spec", "service"]).into_iter().collect(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            node.below(&["spec", "conversion", "webhook", "clientConfig", "service"]).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
