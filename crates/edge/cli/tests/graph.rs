//! `onepane graph` on the example company: what is made of what, in every format.

use onepane_testkit::{Finished, run_once};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn onepane(folder: &Path, arguments: &[&str]) -> Finished {
    run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder)
}

fn shop() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = onepane(folder.path(), &["init", "--example", "shop"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let path = folder.path().join("shop");
    (folder, path)
}

fn graph(shop: &Path, arguments: &[&str]) -> String {
    let finished = onepane(shop, &[&["graph"], arguments].concat());
    assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
    String::from_utf8(finished.stdout).expect("output is UTF-8")
}

fn edges(graph: &Value) -> BTreeSet<String> {
    let text = |edge: &Value, key: &str| edge[key].as_str().unwrap_or_default().to_owned();
    let list = graph["edges"].as_array().expect("it is a list");
    list.iter().map(|edge| format!("{} {} {}", text(edge, "from"), text(edge, "kind"), text(edge, "to"))).collect()
}

#[test]
fn the_company_is_drawn_as_its_files_say() {
    let (_folder, shop) = shop();
    let whole: Value = serde_json::from_str(&graph(&shop, &["--output", "json"])).expect("it is JSON");
    assert_eq!(whole["findings"], serde_json::json!([]));
    let found = edges(&whole);
    for edge in [
        "cluster:prod-eu base group:prod",
        "cluster:prod-eu base component:queues",
        "cluster:prod-eu component component:cluster-facts",
        "cluster:dev/ci base group:dev",
        "group:prod base group:default",
        "group:prod component component:high-availability",
        "group:default base release:api",
        "release:api renders chart:api",
        "chart:api depends on chart:service-library",
        "release:api runs image:registry.shop.example.com/api",
        "component:queues runs image:registry.shop.example.com/api",
        "image:registry.shop.example.com/api built from service:api",
    ] {
        assert!(found.contains(edge), "{edge} is not among {found:#?}");
    }
    // The cluster's own folders are part of it.
    assert!(!found.iter().any(|edge| edge.contains("cluster:prod-eu/shop")));
    let services: BTreeSet<&str> = whole["nodes"]
        .as_array()
        .expect("it is a list")
        .iter()
        .filter(|node| node["kind"] == "service")
        .filter_map(|node| {
            Some(node["name"].as_str()?).filter(|_| node["detail"].as_str().is_some_and(|detail| detail.len() == 8))
        })
        .collect();
    assert_eq!(services, BTreeSet::from(["api", "storefront", "worker"]));
}

#[test]
fn who_uses_something_is_told_by_going_back() {
    let (_folder, shop) = shop();
    let text = graph(&shop, &["components/network-policies", "--reverse"]);
    let wanted = "component network-policies\n├─ group prod\n│  ├─ cluster prod-eu\n│  └─ cluster prod-us\n└─ group \
                  staging\n   └─ cluster staging\n";
    assert_eq!(text, wanted);
    let both = graph(&shop, &["chart:worker", "--direction", "both"]);
    assert!(both.starts_with("needs\nchart worker (") && both.contains("is needed by\nchart worker ("), "{both}");
    let missing = onepane(&shop, &["graph", "groups/prd"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("there is no `groups/prd` in this repository"), "{}", missing.stderr);
    let near = onepane(&shop, &["graph", "storefrnt"]);
    assert!(near.stderr.contains("did you mean `storefront`?"), "{}", near.stderr);
}

#[test]
fn every_format_has_every_node_and_edge() {
    let (_folder, shop) = shop();
    let whole: Value = serde_json::from_str(&graph(&shop, &["--output", "json"])).expect("it is JSON");
    let count = |key: &str| whole[key].as_array().expect("it is a list").len();
    let (nodes, edges) = (count("nodes"), count("edges"));
    let dot = graph(&shop, &["--output", "dot"]);
    assert_eq!(dot.matches(" -> ").count(), edges);
    assert_eq!(dot.matches(" [label=").count(), nodes);
    let mermaid = graph(&shop, &["--output", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n"));
    assert_eq!(mermaid.lines().count(), 1 + nodes + edges);
    let svg = graph(&shop, &["--output", "svg"]);
    assert_eq!(svg.matches("<rect ").count(), nodes);
    assert_eq!(svg.matches("marker-end").count(), edges);
    assert_eq!(svg.matches("<text ").count(), svg.matches("</text>").count());
    // The same again: nothing depends on chance.
    assert_eq!(graph(&shop, &["--output", "svg"]), svg);
}

#[test]
fn what_is_broken_is_shown_with_the_rest() {
    let (_folder, shop) = shop();
    let path = shop.join("groups/default/kustomization.yaml");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("resources:\n", "resources:\n  - ../prod\n  - ../gone\n"))
        .expect("it can be written");
    fs::write(shop.join("groups/gone.txt"), "").expect("it can be written");
    let finished = onepane(&shop, &["graph", "--color", "never"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("`groups/gone` is named and is not there"), "{}", finished.stderr);
    assert!(finished.stderr.contains("these lead in a circle: group:default → group:prod → group:default"));
    let text = String::from_utf8(finished.stdout).expect("output is UTF-8");
    assert!(text.contains("missing groups/gone") && text.contains("leads in a circle"), "{text}");
    let svg = graph(&shop, &["--output", "svg"]);
    assert!(svg.contains("<path class=\"cycle\""), "the circle is drawn");
    // Nothing can be built of it.
    assert_eq!(onepane(&shop, &["build", "prod-eu"]).code, Some(1));
}
