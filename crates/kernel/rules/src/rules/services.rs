//! Services: that they select pods, and ports that these have.

use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::{Tree, pods};
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged().iter().filter(|item| item.is("", "Service")) {
        let Some(spec) = item.node().get("spec") else { continue };
        // Without a selector, somebody else says what is behind it.
        let Some(selector) = spec.get("selector").filter(|selector| !selector.pairs().is_empty()) else { continue };
        if spec.text_at(&["type"]) == Some("ExternalName") {
            continue;
        }
        let selected: Vec<&Node> = scene
            .templates(&item.namespace)
            .filter(|(_, template)| pods::is_selected(*template, selector))
            .map(|(_, template)| template)
            .collect();
        if selected.is_empty() {
            let message = format!("{item} selects no pods: nothing in its namespace has all of these labels");
            let mut finding = Finding::new("service-no-pods", item.place(&["spec", "selector"]), message);
            // The one workload that all labels but one fit.
            let near = scene.templates(&item.namespace).find_map(|(workload, template)| {
                let labels = template.below(&["metadata", "labels"]);
                let differing: Vec<_> = selector
                    .pairs()
                    .into_iter()
                    .filter(|(key, value)| labels.and_then(|labels| labels.text_at(&[key])) != value.text())
                    .collect();
                let [(key, _)] = differing.as_slice() else { return None };
                let is_by_all = selector.pairs().len() > 1 || labels.is_some_and(|labels| labels.get(key).is_some());
                is_by_all.then(|| (workload.to_string(), (*key).to_owned()))
            });
            if let Some((workload, key)) = near {
                finding = finding.hint(format!("the pods of {workload} differ in the label `{key}` only"));
            }
            found.push(finding);
            continue;
        }
        let ports: Vec<&Node> = selected
            .iter()
            .flat_map(|template| pods::containers(*template))
            .flat_map(|container| container.list_at(&["ports"]))
            .collect();
        let names: Vec<&str> = ports.iter().filter_map(|port| port.text_at(&["name"])).collect();
        for port in spec.list_at(&["ports"]) {
            let Some(target) = port.get("targetPort") else { continue };
            let Some(name) = target.text().filter(|name| name.parse::<u32>().is_err()) else { continue };
            if !names.contains(&name) {
                let message =
                    format!("{item} sends to the port `{name}`, and no container that it selects has one of that name");
                found.push(Finding::new("service-port", target, message).meant(closest(name, names.iter().copied())));
            }
        }
    }
}
