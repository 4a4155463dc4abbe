//! StatefulSets: that the Service which gives their pods names is there.

use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::Tree;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged().iter().filter(|item| item.is("apps", "StatefulSet")) {
        let Some(at) = item.node().at(&["spec", "serviceName"]) else { continue };
        let Some(name) = at.text().filter(|name| !name.is_empty()) else { continue };
        if scene.find("Service", &item.namespace, name).is_none() {
            let message =
                format!("{item} has its pods' names from the Service `{name}`, and there is none in its namespace");
            let meant = closest(name, scene.names("Service", &item.namespace));
            found.push(Finding::new("stateful-set-service", at, message).meant(meant));
        }
    }
}
