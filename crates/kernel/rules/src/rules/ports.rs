//! Ports: that they are some.

use crate::{Finding, Scene};
use onepane_resource::{Tree, pods};
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        // A zero is as good as nothing, but where a port has to be.
        let mut numbers: Vec<(&Node, i64)> = Vec::new();
        fn number<'n>(port: &'n Node, key: &str, least: i64) -> Option<(&'n Node, i64)> {
            port.get(key).map(|node| (node, least))
        }
        if let Some(template) = item.template() {
            for port in pods::containers(template).flat_map(|container| container.list_at(&["ports"])) {
                numbers.extend(number(port, "containerPort", 1));
                numbers.extend(number(port, "hostPort", 0));
            }
        }
        if item.is("", "Service") {
            for port in item.node().list_at(&["spec", "ports"]) {
                numbers.extend(number(port, "port", 1));
                numbers.extend(number(port, "targetPort", 0));
                numbers.extend(number(port, "nodePort", 0));
            }
        }
        for (node, least) in numbers {
            let Some(number) = node.text().and_then(|text| text.parse::<i64>().ok()) else { continue };
            if !(least..=65535).contains(&number) {
                let message = format!("{item}: {number} is no port, which is a number from 1 to 65535");
                found.push(Finding::new("port-invalid", node, message));
            }
        }
    }
}
