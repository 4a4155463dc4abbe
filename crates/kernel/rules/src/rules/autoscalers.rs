//! Autoscalers: that what they scale is there, and that their range is one.

use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::Tree;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let (target, least, most) = match (item.group(), item.resource.kind()) {
            ("autoscaling", "HorizontalPodAutoscaler") => (["spec", "scaleTargetRef"], "minReplicas", "maxReplicas"),
            ("keda.sh", "ScaledObject") => (["spec", "scaleTargetRef"], "minReplicaCount", "maxReplicaCount"),
            ("autoscaling.k8s.io", "VerticalPodAutoscaler") => (["spec", "targetRef"], "", ""),
            _ => continue,
        };
        let number = |key: &str| item.node().text_at(&["spec", key]).and_then(|text| text.parse::<i64>().ok());
        if let (Some(fewest), Some(largest)) = (number(least), number(most))
            && fewest > largest
        {
            let message = format!("{item}: {least} is {fewest} and {most} {largest}");
            let at = item.node().at(&["spec", least]).unwrap_or(item.node());
            found.push(Finding::new("scale-range", at, message));
        }
        let Some(reference) = item.node().below(&target) else { continue };
        let kind = reference.text_at(&["kind"]).unwrap_or("Deployment");
        // What others define may be made by others.
        if !matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "DaemonSet") {
            continue;
        }
        let Some(at) = reference.get("name") else { continue };
        let Some(name) = at.text() else { continue };
        if scene.find(kind, &item.namespace, name).is_none() {
            let message = format!("{item} scales the {kind} `{name}`, and there is none in its namespace");
            let meant = closest(name, scene.names(kind, &item.namespace));
            found.push(Finding::new("scale-target", at, message).meant(meant));
        }
    }
}
