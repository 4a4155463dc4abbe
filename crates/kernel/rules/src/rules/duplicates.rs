//! Resources that are there twice. Two of one API version are an error of the build; two of different ones are told here.

use crate::{Finding, Scene};
use std::collections::HashMap;

pub(crate) fn check(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let mut seen: HashMap<(&str, &str, &str, &str), &str> = HashMap::new();
    for item in scene.judged() {
        let resource = item.resource;
        let identity = (item.group(), resource.kind(), item.namespace.as_str(), resource.name());
        if let Some(other) = seen.get(&identity) {
            let message = format!("{item} is there twice, as {other} and as {}", resource.api_version());
            let at = item.node().at(&["metadata", "name"]).unwrap_or(item.node());
            found.push(
                Finding::new("duplicate-resource", at, message).hint("to the API server both are one: take one out"),
            );
        } else {
            seen.insert(identity, resource.api_version());
        }
    }
}
