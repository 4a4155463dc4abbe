//! What a service is given: its address and ports.

use crate::cluster::Cluster;
use crate::failure::{Cause, Failure, Result};
use crate::kinds::Kind;
use crate::object::{self, at, items, set, text};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Keeps what an earlier version was given, where the new one does not say otherwise.
pub(crate) fn keep(kind: &Kind, old: &Value, new: &mut Value) {
    if (&*kind.group, &*kind.kind) != ("", "Service") || text(new, &["spec", "type"]) == "ExternalName" {
        return;
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
        if at(new, &["spec", field]).is_none()
            && let Some(value) = at(old, &["spec", field])
        {
            set(new, &["spec", field], value.clone());
        }
    }
    if matches!(text(new, &["spec", "type"]), "NodePort" | "LoadBalancer") {
        let old = items(old, &["spec", "ports"]).to_vec();
        for port in ports(new) {
            let same = old.iter().find(|other| other["port"] == port["port"] && other["protocol"] == port["protocol"]);
            if let Some(number) = same.and_then(|same| same.get("nodePort"))
                && port.get("nodePort").is_none()
            {
                port["nodePort"] = number.clone();
            }
        }
    }
}

fn ports(service: &mut Value) -> std::slice::IterMut<'_, Value> {
    let ports = service.get_mut("spec").and_then(|spec| spec.get_mut("ports")).and_then(Value::as_array_mut);
    ports.map(|ports| ports.iter_mut()).unwrap_or_default()
}

/// Gives a service what it lacks.
pub(crate) fn allocate(cluster: &mut Cluster, kind: &Kind, new: &mut Value, old: Option<&Value>) -> Result<()> {
    if (&*kind.group, &*kind.kind) != ("", "Service") {
        return Ok(());
    }
    let of_type = text(new, &["spec", "type"]).to_owned();
    if of_type == "ExternalName" {
        return Ok(());
    }
    let uid = object::uid(new).to_owned();
    let used: HashSet<String> = cluster
        .store
        .list("services", None)
        .filter(|(_, service)| object::uid(service) != uid)
        .map(|(_, service)| text(service, &["spec", "clusterIP"]).to_owned())
        .collect();
    let address = text(new, &["spec", "clusterIP"]).to_owned();
    if address.is_empty() {
        let address = (0..65_000).map(|_| format!("10.96.{}.{}", cluster.random.u8(1..), cluster.random.u8(1..255)));
        let Some(address) = address.into_iter().find(|address| !used.contains(address)) else {
            return Err(Failure::internal("failed to allocate a serviceIP: range is full"));
        };
        set(new, &["spec", "clusterIP"], address);
    } else if address != "None" && old.is_none() && used.contains(&address) {
        let why = "failed to allocate IP: provided IP is already allocated";
        let cause = Cause::invalid("spec.clusterIPs", &json!([address]), why);
        return Err(Failure::invalid("", "Service", object::name(new), &[cause]));
    }
    let address = text(new, &["spec", "clusterIP"]).to_owned();
    object::default(new, &["spec", "clusterIPs"], json!([address]));
    // One without addresses and pods may be of any family.
    let is_any = address == "None" && at(new, &["spec", "selector"]).is_none();
    object::default(new, &["spec", "ipFamilies"], if is_any { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) });
    object::default(new, &["spec", "ipFamilyPolicy"], if is_any { "RequireDualStack" } else { "SingleStack" });
    if matches!(&*of_type, "NodePort" | "LoadBalancer") {
        let mut taken: HashSet<i64> = HashSet::new();
        for (_, service) in cluster.store.list("services", None).filter(|(_, service)| object::uid(service) != uid) {
            taken.extend(items(service, &["spec", "ports"]).iter().filter_map(|port| port["nodePort"].as_i64()));
        }
        for port in ports(new) {
            if port.get("nodePort").is_none_or(|port| port.as_i64() == Some(0))
                && let Some(free) = (30_000..32_768).find(|number| taken.insert(*number))
            {
                port["nodePort"] = free.into();
            }
        }
    }
    Ok(())
}
