//! The hosts that a resource answers for or asks a name for: [`hosts`].

use onepane_resource::Resource;
use onepane_yaml::Node;

/// The hosts of an Ingress, a Gateway or its routes, and of the kinds of Istio, Traefik, Contour, OpenShift and
/// cert-manager that do the same; each once.
pub fn hosts(resource: &Resource) -> Vec<String> {
    let node = resource.node();
    let group = resource.api_version().split_once('/').map_or("", |(group, _)| group);
    let mut found: Vec<String> = Vec::new();
    let mut add = |paths: &[&[&str]]| {
        for path in paths {
            collect(node, path, &mut |text| {
                if !text.is_empty() && !found.iter().any(|other| other == text) {
                    found.push(text.to_owned());
                }
            });
        }
    };
    match (group, resource.kind()) {
        (_, "Ingress") => add(&[&["spec", "rules", "host"], &["spec", "tls", "hosts"]]),
        ("gateway.networking.k8s.io", "Gateway") => add(&[&["spec", "listeners", "hostname"]]),
        ("gateway.networking.k8s.io", _) => add(&[&["spec", "hostnames"]]),
        ("networking.istio.io", "Gateway") => add(&[&["spec", "servers", "hosts"]]),
        ("networking.istio.io", "VirtualService") => add(&[&["spec", "hosts"]]),
        ("route.openshift.io", "Route") => add(&[&["spec", "host"]]),
        ("projectcontour.io", "HTTPProxy") => add(&[&["spec", "virtualhost", "fqdn"]]),
        ("cert-manager.io", "Certificate") => add(&[&["spec", "dnsNames"], &["spec", "commonName"]]),
        ("externaldns.k8s.io", "DNSEndpoint") => add(&[&["spec", "endpoints", "dnsName"]]),
        ("traefik.io" | "traefik.containo.us", "IngressRoute" | "IngressRouteTCP") => {
            collect(node, &["spec", "routes", "match"], &mut |rule| found.extend(of_rule(rule)));
            found.dedup();
        }
        _ => {}
    }
    found
}

/// The scalars at the end of a chain of keys, through every item of the lists on the way.
fn collect<'n>(node: &'n Node, path: &[&str], take: &mut impl FnMut(&'n str)) {
    if let Some(items) = node.items() {
        items.iter().for_each(|item| collect(item, path, take));
    } else if let Some((key, rest)) = path.split_first() {
        node.get(key).into_iter().for_each(|below| collect(below, rest, take));
    } else if let Some(text) = node.as_str() {
        take(text);
    }
}

/// What stands in backticks behind `Host(` or `HostSNI(` in a rule of Traefik.
fn of_rule(rule: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, _) in rule.match_indices("Host") {
        let rest = rule[at..].trim_start_matches("HostSNI").trim_start_matches("Host");
        let Some(inside) = rest.strip_prefix('(').and_then(|rest| rest.split(')').next()) else { continue };
        hosts.extend(inside.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    hosts
}
