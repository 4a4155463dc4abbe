//! Containers: volumes that they mount, ports that are probed, what they request and may use.

use crate::scene::{Item, place};
use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::{Tree, pods};
use onepane_schema::quantity;
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        let Some(template) = item.template() else { continue };
        let claims = item.node().list_at(&["spec", "volumeClaimTemplates"]);
        let claims = claims.into_iter().filter_map(|claim| claim.text_at(&["metadata", "name"]));
        let volumes = template.list_at(&["spec", "volumes"]);
        let volumes: Vec<&str> = volumes.iter().filter_map(|volume| volume.text_at(&["name"])).chain(claims).collect();
        for container in pods::containers(template) {
            mounts(item, container, &volumes, found);
            probes(item, container, found);
            resources(item, container, found);
        }
    }
}

fn mounts(item: &Item<'_>, container: &Node, volumes: &[&str], found: &mut Vec<Finding>) {
    for list in ["volumeMounts", "volumeDevices"] {
        for mount in container.list_at(&[list]) {
            let Some(at) = mount.get("name") else { continue };
            let Some(name) = at.text().filter(|name| !volumes.contains(name)) else { continue };
            let message = format!("{item}: {} mounts the volume `{name}`, which its pod has none of", shown(container));
            found.push(Finding::new("volume-missing", at, message).meant(closest(name, volumes.iter().copied())));
        }
    }
}

fn probes(item: &Item<'_>, container: &Node, found: &mut Vec<Finding>) {
    let ports = container.list_at(&["ports"]);
    let names: Vec<&str> = ports.iter().filter_map(|port| port.text_at(&["name"])).collect();
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        for how in ["httpGet", "tcpSocket"] {
            let Some(at) = container.at(&[probe, how, "port"]) else { continue };
            let Some(name) = at.text().filter(|name| name.parse::<u32>().is_err()) else { continue };
            if !names.contains(&name) {
                let message =
                    format!("{item}: the {probe} of {} asks the port `{name}`, which it has none of", shown(container));
                found.push(Finding::new("port-missing", at, message).meant(closest(name, names.iter().copied())));
            }
        }
    }
}

fn resources(item: &Item<'_>, container: &Node, found: &mut Vec<Finding>) {
    let Some(resources) = container.get("resources") else { return };
    for (name, request) in resources.below(&["requests"]).map(Tree::pairs).unwrap_or_default() {
        let limit = resources.at(&["limits", name]);
        let (Some(wanted), Some(most)) = (request.text(), limit.and_then(Tree::text)) else { continue };
        if quantity(wanted).zip(quantity(most)).is_some_and(|(wanted, most)| wanted > most) {
            let message = format!("{item}: {} requests {wanted} of {name} and may use {most}", shown(container));
            found.push(Finding::new("requests-over-limits", request, message));
        }
    }
}

/// ``the container `api` ``
fn shown(container: &Node) -> String {
    match container.text_at(&["name"]) {
        Some(name) => format!("the container `{name}`"),
        None => "a container".to_owned(),
    }
}

/// Where a container that lacks something is told of.
pub(super) fn place_of(container: &Node) -> &Node {
    container.get("name").or_else(|| place(container, &[])).unwrap_or(container)
}
