//! Ingresses and routes: that the Services behind them are there, with the ports that are named.

use crate::scene::Item;
use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::Tree;
use onepane_yaml::Node;
use std::collections::HashMap;

const CODE: &str = "ingress-backend";

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let mut routes: HashMap<(String, String, String), String> = HashMap::new();
    for item in scene.judged() {
        if item.is("networking.k8s.io", "Ingress") {
            for backend in backends(item.node()) {
                let Some(service) = backend.get("service") else { continue };
                let (Some(name), port) = (service.get("name"), service.get("port")) else { continue };
                let port = port.and_then(|port| port.get("name").or_else(|| port.get("number")));
                judge(scene, item, &item.namespace, name, port, found);
            }
            duplicates(item, &mut routes, found);
        } else if item.group() == "gateway.networking.k8s.io" && item.resource.kind().ends_with("Route") {
            for reference in
                item.node().list_at(&["spec", "rules"]).iter().flat_map(|rule| rule.list_at(&["backendRefs"]))
            {
                let is_service = reference.text_at(&["kind"]).is_none_or(|kind| kind == "Service")
                    && reference.text_at(&["group"]).is_none_or(str::is_empty);
                let namespace = reference.text_at(&["namespace"]).unwrap_or(&item.namespace);
                if let Some(name) = reference.get("name").filter(|_| is_service && scene.is_ours(namespace)) {
                    judge(scene, item, namespace, name, reference.get("port"), found);
                }
            }
        }
    }
}

fn backends(ingress: &Node) -> Vec<&Node> {
    let rules = ingress.list_at(&["spec", "rules"]);
    let paths = rules.iter().flat_map(|rule| rule.list_at(&["http", "paths"]));
    ingress.below(&["spec", "defaultBackend"]).into_iter().chain(paths.filter_map(|path| path.get("backend"))).collect()
}

fn judge(
    scene: &Scene<'_>,
    item: &Item<'_>,
    namespace: &str,
    name_at: &Node,
    port_at: Option<&Node>,
    found: &mut Vec<Finding>,
) {
    let Some(name) = name_at.text() else { return };
    let Some(service) = scene.find("Service", namespace, name) else {
        let message = format!("{item} leads to the Service `{name}`, and there is none in the namespace {namespace}");
        let meant = closest(name, scene.names("Service", namespace));
        found.push(Finding::new(CODE, name_at, message).meant(meant));
        return;
    };
    let Some((port_at, wanted)) = port_at.and_then(|port| Some((port, port.text()?))) else { return };
    let ports = service.node().list_at(&["spec", "ports"]);
    let of = |key: &str| -> Vec<&str> { ports.iter().filter_map(|port| port.text_at(&[key])).collect() };
    if !of("port").contains(&wanted) && !of("name").contains(&wanted) {
        let message = format!("{item} leads to the port {wanted} of {service}, which has none such");
        let finding = Finding::new(CODE, port_at, message).meant(closest(wanted, of("name")));
        found.push(finding.hint(format!("it has {}", of("port").join(", "))));
    }
}

/// The same host and path twice: which of the two gets a request is up to the controller.
fn duplicates(item: &Item<'_>, routes: &mut HashMap<(String, String, String), String>, found: &mut Vec<Finding>) {
    // Canaries are told apart by annotations.
    if item.resource.annotations().any(|(key, _)| key.contains("canary")) {
        return;
    }
    let class = item.node().text_at(&["spec", "ingressClassName"]).unwrap_or_default();
    for rule in item.node().list_at(&["spec", "rules"]) {
        let host = rule.text_at(&["host"]).unwrap_or_default();
        for path in rule.list_at(&["http", "paths"]) {
            let text = path.text_at(&["path"]).unwrap_or("/");
            let key = (class.to_owned(), host.to_owned(), text.to_owned());
            match routes.get(&key) {
                Some(other) if *other != item.to_string() => {
                    let message = format!("{item} and {other} are both for {host}{text}");
                    let at = rule.get("host").or_else(|| path.get("path")).unwrap_or(item.node());
                    found.push(Finding::new("ingress-duplicate", at, message));
                }
                Some(_) => {}
                None => drop(routes.insert(key, item.to_string())),
            }
        }
    }
}
