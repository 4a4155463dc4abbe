//! What manifests consist of, as the plugin helm-diff sees it: [`parse`].

use onepane_value::{Data, Map, Value, from_yaml, to_yaml};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) kind: String,
    pub(super) text: String,
    /// Whether it stays when the release no longer has it.
    pub(super) is_kept: bool,
}

/// What resources go by: namespace, name, kind, API group.
pub(super) type Specs = BTreeMap<String, Spec>;

/// Lists may hold lists this deep.
const DEEPEST: usize = 20;

/// The resources of a stream of manifests. Tests that are hooks are none, unless they are asked for. `said` takes what the
/// plugin logs.
pub(super) fn parse(
    manifest: &str,
    namespace: &str,
    includes_tests: bool,
    said: &mut dyn FnMut(String),
) -> Result<Specs, String> {
    let mut specs = Specs::new();
    for text in format!("\n{manifest}").split("\n---\n").map(str::trim).filter(|text| !text.is_empty()) {
        add(text, namespace, includes_tests, DEEPEST, &mut specs, said)?;
    }
    Ok(specs)
}

fn add(
    text: &str,
    namespace: &str,
    includes_tests: bool,
    depth: usize,
    specs: &mut Specs,
    said: &mut dyn FnMut(String),
) -> Result<(), String> {
    // What is said of it may quote values.
    let value = from_yaml(text, None).map_err(|_| "a manifest of the release is no YAML".to_owned())?;
    let field = |map: &Map, key: &str| map.get(key).and_then(|value| value.as_text().map(|text| text.to_string()));
    let Some(map) = value.as_map() else { return Ok(()) };
    let (api_version, kind) = (field(map, "apiVersion").unwrap_or_default(), field(map, "kind").unwrap_or_default());
    if api_version.is_empty() && kind.is_empty() {
        return Ok(());
    }
    if kind.ends_with("List") {
        if depth == 0 {
            return Err("a manifest of the release holds lists that are nested too deep".to_owned());
        }
        let items = map.get("items").and_then(|items| items.as_list().map(|items| items.to_vec())).unwrap_or_default();
        for item in items {
            add(&to_yaml(&item)?.to_str(), namespace, includes_tests, depth - 1, specs, said)?;
        }
        return Ok(());
    }
    let metadata = map.get("metadata");
    let metadata = metadata.as_ref().and_then(Value::as_map);
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    let annotation = |key: &str| match &annotations.as_ref()?.data {
        Data::Map(annotations) => field(annotations, key),
        _ => None,
    };
    let is_test = matches!(annotation("helm.sh/hook").as_deref(), Some("test" | "test-success"));
    if is_test && !includes_tests {
        return Ok(());
    }
    let of_metadata = |key: &str| metadata.and_then(|metadata| field(metadata, key)).unwrap_or_default();
    let name = annotation("helm-diff/base-name").unwrap_or_else(|| of_metadata("name"));
    let own = of_metadata("namespace");
    let namespace = if own.is_empty() { namespace } else { &own };
    let group = api_version.rsplit_once('/').map_or(api_version.as_str(), |(group, _)| group);
    let key = format!("{namespace}, {name}, {kind} ({group})");
    let is_kept = annotation("helm.sh/resource-policy").as_deref() == Some("keep");
    match specs.entry(key) {
        Entry::Occupied(there) => said(format!("Error: Found duplicate key {:?} in manifest", there.key())),
        Entry::Vacant(free) => {
            free.insert(Spec { kind, text: text.to_owned(), is_kept });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_go_by_where_and_what_they_are() {
        let stream = "---\n# Source: c/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\n---\napiVersion: apps/v1\n\
                      kind: Deployment\nmetadata:\n  name: b\n  namespace: other\n  annotations: {helm.sh/resource-policy: keep}\n---\n\
                      # nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n---\n\
                      apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Service, metadata: {name: s}}]\n---\napiVersion: \
                      v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        let mut said = Vec::new();
        let specs = parse(stream, "n", false, &mut |line| said.push(line)).expect("it is good");
        let keys: Vec<&str> = specs.keys().map(String::as_str).collect();
        assert_eq!(keys, ["n, a, ConfigMap (v1)", "n, s, Service (v1)", "other, b, Deployment (apps)"]);
        assert!(specs["other, b, Deployment (apps)"].is_kept);
        assert_eq!(specs["n, a, ConfigMap (v1)"].text.lines().next(), Some("# Source: c/a.yaml"));
        assert_eq!(said, ["Error: Found duplicate key \"n, a, ConfigMap (v1)\" in manifest"]);
        assert_eq!(parse(stream, "n", true, &mut |_| {}).map(|specs| specs.len()), Ok(4));
        assert!(parse("a: [", "n", true, &mut |_| {}).is_err());
    }
}
