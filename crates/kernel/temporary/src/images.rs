//! Which images are a service's, and others in their place: [`of_service`], [`replace`].

use crate::text;
use onepane_resource::pods::{containers, template};
use onepane_resource::{ImageName, Tree};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The names of a service's images, without tag and digest: those whose last part is the service's name. If there are none,
/// what the container of that name, or the only one, of the workload of that name runs.
pub fn of_service(objects: &[Value], service: &str) -> BTreeSet<String> {
    let named: BTreeSet<String> = all(objects)
        .into_iter()
        .map(ImageName::parse)
        .filter(|image| image.base() == service)
        .map(|image| image.name.to_owned())
        .collect();
    if !named.is_empty() {
        return named;
    }
    let is_it = |object: &&Value| {
        let label = object.below(&["metadata", "labels", "app.kubernetes.io/name"]).and_then(Value::as_str);
        text(object, "/metadata/name") == service || label == Some(service)
    };
    let run = objects.iter().filter(is_it).filter_map(|object| {
        let template = template(crate::group_of(object), text(object, "/kind"), object)?;
        let all: Vec<&Value> = containers(template).collect();
        let own = all.iter().find(|container| text(container, "/name") == service);
        let chosen = own.or(if all.len() == 1 { all.first() } else { None })?;
        Some(ImageName::parse(text(chosen, "/image")).name.to_owned())
    });
    run.filter(|name| !name.is_empty()).collect()
}

/// Every image that is run, each once.
pub fn all(objects: &[Value]) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for object in objects.iter().filter(|object| !crate::is_definition(object)) {
        let mut rest = vec![object];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(items) => rest.extend(items),
                Value::Object(map) => {
                    for list in LISTS.iter().filter_map(|list| map.get(*list)) {
                        let images = list.as_array().into_iter().flatten().map(|container| text(container, "/image"));
                        found.extend(images.filter(|image| !image.is_empty()));
                    }
                    rest.extend(map.values());
                }
                _ => {}
            }
        }
    }
    found
}

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Puts others in place of images; gives which, by what was there.
pub fn replace(objects: &mut [Value], other: &dyn Fn(&ImageName<'_>) -> Option<String>) -> BTreeMap<String, String> {
    let mut replaced = BTreeMap::new();
    for object in objects.iter_mut().filter(|object| !crate::is_definition(object)) {
        replace_in(object, other, &mut replaced);
    }
    replaced
}

fn replace_in(
    value: &mut Value,
    other: &dyn Fn(&ImageName<'_>) -> Option<String>,
    replaced: &mut BTreeMap<String, String>,
) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in(item, other, replaced)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if LISTS.contains(&key.as_str()) {
                    for container in value.as_array_mut().into_iter().flatten() {
                        let Some(Value::String(image)) = container.get_mut("image") else { continue };
                        if let Some(new) = other(&ImageName::parse(image)).filter(|new| new != image) {
                            replaced.insert(std::mem::replace(image, new.clone()), new);
                        }
                    }
                }
                replace_in(value, other, replaced);
            }
        }
        _ => {}
    }
}
