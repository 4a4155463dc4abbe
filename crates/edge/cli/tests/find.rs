//! `onepane find` and `onepane list` over all clusters of the example company.

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

fn output(shop: &Path, arguments: &[&str]) -> String {
    let finished = onepane(shop, arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
    String::from_utf8(finished.stdout).expect("output is UTF-8")
}

/// What is found, as `dev Deployment shop/api`.
fn found(shop: &Path, terms: &[&str]) -> BTreeSet<String> {
    let json: Value =
        serde_json::from_str(&output(shop, &[&["find", "--output", "json"], terms].concat())).expect("JSON");
    let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let items = json.as_array().expect("it is a list").iter();
    items
        .map(|item| {
            format!(
                "{} {} {}/{}",
                text(item, "cluster"),
                text(item, "kind"),
                text(item, "namespace"),
                text(item, "name")
            )
        })
        .collect()
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

#[test]
fn resources_of_all_clusters_are_found_by_what_they_are() {
    let (_folder, shop) = shop();
    let api = |clusters: &[&str]| -> BTreeSet<String> {
        clusters.iter().map(|cluster| format!("{cluster} Deployment shop/api")).collect()
    };
    let deployments = ["kind=Deployment", "name=api"];
    assert_eq!(found(&shop, &deployments), api(&["dev", "prod-eu", "prod-us", "staging"]));
    assert_eq!(found(&shop, &["kind=Deployment", "release=api"]), api(&["dev", "prod-eu", "prod-us", "staging"]));
    assert_eq!(found(&shop, &["kind=Deployment", "chart=*/api", "cluster=prod-*"]), api(&["prod-eu", "prod-us"]));
    let by_image = found(&shop, &["image=api:1.4.2"]);
    assert_eq!(
        by_image,
        set(&[
            "prod-eu Deployment shop-system/queue-operator",
            "prod-eu Deployment shop/api",
            "prod-us Deployment shop-system/queue-operator",
            "prod-us Deployment shop/api",
        ])
    );
    // The overlay's replicas, not those of the chart.
    let many = found(&shop, &["kind=Deployment", "spec.replicas>=5"]);
    assert!(
        many.contains("prod-eu Deployment shop/worker") && !many.contains("prod-us Deployment shop/worker"),
        "{many:?}"
    );
    assert_eq!(found(&shop, &["kind=Ingress", "host=*.localhost"]), set(&["dev Ingress shop/storefront"]));
    let other = found(&shop, &["kind=Ingress", "host!=*.localhost", "--cluster", "prod-eu"]);
    assert_eq!(other, set(&["prod-eu Ingress monitoring/grafana", "prod-eu Ingress shop/storefront"]));
}

#[test]
fn hits_are_rows_with_the_files_that_they_come_from() {
    let (_folder, shop) = shop();
    let text = output(&shop, &["find", "kind=Deployment", "queue-operator", "--files", "--cluster", "dev"]);
    assert_eq!(
        text,
        "CLUSTER  KIND        NAMESPACE    NAME            FILE\ndev      Deployment  shop-system  queue-operator  \
         components/queues/deployment.yaml\n"
    );
    let generated = output(&shop, &["find", "kind=ConfigMap", "shop-settings", "--files", "--cluster", "clusters/dev"]);
    // The group `dev` puts its own into what `default` generates.
    assert!(generated.contains("groups/dev/kustomization.yaml"), "{generated}");
    assert_eq!(output(&shop, &["find", "no-such-thing"]), "nothing is found\n");
    let wrong = onepane(&shop, &["find", "imag=x"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("did you mean `image`?"), "{}", wrong.stderr);
}

#[test]
fn what_secrets_hold_is_neither_printed_nor_found() {
    let (_folder, shop) = shop();
    let plain = "example-only-not-a-secret";
    let json = output(&shop, &["find", "kind=Secret", "--output", "json"]);
    assert!(json.contains("grafana-admin") && !json.contains(plain), "{json}");
    assert!(!json.contains("ZXhhbXBsZS1vbmx5"), "{json}");
    let guess = output(&shop, &["find", "kind=Secret", "data.password=ZXhhbXBsZS1vbmx5LW5vdC1hLXNlY3JldA=="]);
    assert_eq!(guess, "nothing is found\n");
    assert!(!output(&shop, &["list", "resources", "--output", "json"]).contains("ZXhhbXBsZS1vbmx5"));
}

#[test]
fn lists_say_on_which_clusters_things_are() {
    let (_folder, shop) = shop();
    let row = |what: &str, name: &str| {
        let text = output(&shop, &["list", what]);
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is not among:\n{text}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("components", "high-availability"), "high-availability prod-eu, prod-us");
    assert_eq!(row("releases", "grafana"), "grafana in monitoring prod-eu, prod-us, staging");
    assert!(row("charts", "service-library").starts_with("service-library 1.2.0 dev, dev/ci, prod-eu"));
    assert!(row("services", "worker").ends_with("dev, dev/ci, prod-eu, prod-us, staging"));
    assert!(row("groups", "staging").ends_with("staging staging"));
    assert_eq!(
        row("images", "registry.shop.example.com/api:1.4.2"),
        "registry.shop.example.com/api:1.4.2 prod-eu, prod-us"
    );
    assert!(output(&shop, &["list"]).starts_with("CLUSTER  RESOURCES  NAMESPACES  IMAGES\ndev "));
}

#[test]
fn a_cluster_that_can_not_be_built_hides_no_other() {
    let (_folder, shop) = shop();
    let path = shop.join("clusters/dev/kustomization.yaml");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("- platform\n", "- platfrm\n")).expect("it can be written");
    let finished = onepane(&shop, &["find", "kind=Deployment", "name=api"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("platfrm"), "{}", finished.stderr);
    let text = String::from_utf8(finished.stdout).expect("output is UTF-8");
    assert_eq!(text.lines().count(), 4, "{text}");
}
