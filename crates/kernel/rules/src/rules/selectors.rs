//! Workloads: that they select the pods they make, which the API server insists on.

use crate::{Finding, Scene};
use onepane_resource::pods;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let selects = matches!(item.resource.kind(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet");
        if item.group() != "apps" || !selects {
            continue;
        }
        let (Some(selector), Some(template)) = (item.node().at(&["spec", "selector"]), item.template()) else {
            continue;
        };
        if !pods::is_matched(template, selector) {
            let message = format!("{item} does not select its own pods: the labels of its template are others");
            found.push(Finding::new("selector-mismatch", item.place(&["spec", "selector"]), message));
        }
    }
}
