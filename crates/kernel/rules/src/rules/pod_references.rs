//! What pods need: ConfigMaps, Secrets, claims, ServiceAccounts, and keys of them.

use crate::scene::Item;
use crate::{Finding, Scene};
use onepane_diagnostics::closest;
use onepane_resource::{Tree, name_without_hash, pods};
use onepane_yaml::Node;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for item in scene.judged() {
        if let Some(template) = item.template() {
            let own = own_claims(item);
            for reference in pods::references(template) {
                judge(scene, item, &own, &reference, found);
            }
        }
        if item.is("networking.k8s.io", "Ingress") {
            certificates(scene, item, found);
        }
    }
}

fn judge(
    scene: &Scene<'_>,
    item: &Item<'_>,
    own_claims: &[&str],
    reference: &pods::Reference<'_, Node>,
    found: &mut Vec<Finding>,
) {
    let pods::Reference { kind, name, at, keys, .. } = reference;
    let (code, is_there_anyway) = match *kind {
        "ConfigMap" => ("missing-config-map", *name == "kube-root-ca.crt"),
        "Secret" => ("missing-secret", false),
        "PersistentVolumeClaim" => ("missing-claim", own_claims.contains(name)),
        _ => ("missing-service-account", *name == "default"),
    };
    if is_there_anyway || name.is_empty() {
        return;
    }
    match scene.find(kind, &item.namespace, name) {
        Some(target) => keys.iter().for_each(|key| found.extend(missing_key(item, target, key))),
        None => {
            let is_data = matches!(*kind, "ConfigMap" | "Secret");
            if is_data && scene.may_be_made(&item.namespace, name) {
                return;
            }
            found.push(missing(scene, code, item, kind, name, at));
        }
    }
}

/// That something is not there, and what it was probably meant to be.
fn missing(scene: &Scene<'_>, code: &'static str, item: &Item<'_>, kind: &str, name: &str, at: &Node) -> Finding {
    let message = format!("{item} needs the {kind} `{name}`, and there is none in its namespace");
    let finding = Finding::new(code, at, message);
    let names = || scene.names(kind, &item.namespace);
    // One with a hash is referred to without.
    let meant = closest(name, names().map(|name| name_without_hash(name).unwrap_or(name)));
    if let Some(meant) = meant {
        return finding.meant(Some(meant));
    }
    let generated = names().any(|other| name_without_hash(other) == Some(name));
    let elsewhere = scene.all().iter().find(|other| other.resource.kind() == kind && other.resource.name() == name);
    match elsewhere {
        _ if generated => finding.hint("it is generated with a hash in its name, which this field does not follow"),
        Some(other) if !other.namespace.is_empty() => {
            finding.hint(format!("there is one in the namespace {}", other.namespace))
        }
        _ if kind == "Secret" => finding.hint("if it is made elsewhere, say so with a suppression or `optional: true`"),
        _ => finding,
    }
}

fn missing_key(item: &Item<'_>, target: &Item<'_>, key: &Node) -> Option<Finding> {
    let wanted = key.text()?;
    let maps = ["data", "stringData", "binaryData"].into_iter();
    let keys: Vec<&str> = maps
        .flat_map(|map| target.node().below(&[map]).map(Tree::pairs).unwrap_or_default())
        .map(|(key, _)| key)
        .collect();
    // Tokens are filled in by the cluster.
    let is_filled_in = target.node().text_at(&["type"]).is_some_and(|kind| kind.contains("service-account-token"));
    if keys.contains(&wanted) || is_filled_in {
        return None;
    }
    let message = format!("{item} needs the key `{wanted}` of {target}, which has none of that name");
    let finding = Finding::new("missing-key", key, message);
    Some(finding.meant(closest(wanted, keys)))
}

/// The claims that a StatefulSet makes for each of its pods.
fn own_claims<'a>(item: &Item<'a>) -> Vec<&'a str> {
    let templates = item.node().list_at(&["spec", "volumeClaimTemplates"]);
    templates.into_iter().filter_map(|template| template.text_at(&["metadata", "name"])).collect()
}

/// The Secrets with certificates of an Ingress, unless something makes them. Many controllers have one of their own to fall
/// back on.
fn certificates(scene: &Scene<'_>, item: &Item<'_>, found: &mut Vec<Finding>) {
    let is_made = item
        .resource
        .annotations()
        .any(|(key, _)| key.contains("cert-manager.io/") || key.contains("tls-acme") || key.contains("acme."));
    for entry in item.node().list_at(&["spec", "tls"]) {
        let Some(at) = entry.get("secretName") else { continue };
        let Some(name) = at.text().filter(|name| !name.is_empty()) else { continue };
        if !is_made
            && scene.find("Secret", &item.namespace, name).is_none()
            && !scene.may_be_made(&item.namespace, name)
        {
            let message =
                format!("{item} has its certificate from the Secret `{name}`, and there is none in its namespace");
            found.push(
                Finding::new("opinion-certificate", at, message)
                    .meant(closest(name, scene.names("Secret", &item.namespace))),
            );
        }
    }
}
