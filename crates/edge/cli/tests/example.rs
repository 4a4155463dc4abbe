//! The example company, from `init` to `why`, against what the upstream tools build of it.

use onepane_testkit::{Finished, run, run_once};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The example, made once for all tests.
fn shop() -> &'static Path {
    static SHOP: OnceLock<PathBuf> = OnceLock::new();
    SHOP.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
        let shop = folder.join("shop");
        let finished = onepane(&folder, &["init", "--example", "shop"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        shop
    })
}

fn onepane(folder: &Path, arguments: &[&str]) -> Finished {
    run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder)
}

fn output(arguments: &[&str]) -> String {
    let finished = onepane(shop(), arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
    String::from_utf8(finished.stdout).expect("output is UTF-8")
}

fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_cluster_builds_to_what_helm_and_kustomize_make_of_it() {
    let units = [
        "clusters/dev",
        "clusters/dev/ci",
        "clusters/dev/ci/integration-test",
        "clusters/staging",
        "clusters/prod-eu",
        "clusters/prod-us",
    ];
    for unit in units {
        let expected = fixture(&format!("../example/expected/{}.yaml", unit.replace('/', "-")));
        assert!(output(&["build", unit]) == expected, "{unit} differs; scripts/compare-example shows how");
    }
}

#[test]
fn what_is_rendered_is_up_to_date_and_stale_files_are_found() {
    assert!(output(&["render", "--check"]).contains("all up to date"));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let copy = folder.path().join("copy");
    assert_eq!(onepane(folder.path(), &["init", "--example", "copy"]).code, Some(0));
    let rendered = copy.join("helm-charts/rendered");
    std::fs::write(rendered.join("api/service-api.yaml"), "kind: Service\n").expect("it can be written");
    std::fs::write(rendered.join("api/old.yaml"), "kind: Old\n").expect("it can be written");
    std::fs::remove_file(rendered.join("worker/kustomization.yaml")).expect("it can be removed");
    let stale = onepane(&copy, &["render", "--check"]);
    assert_eq!(stale.code, Some(1));
    let said = String::from_utf8_lossy(&stale.stdout).into_owned();
    for line in [
        "changed  helm-charts/rendered/api/service-api.yaml",
        "removed  helm-charts/rendered/api/old.yaml",
        "new      helm-charts/rendered/worker/kustomization.yaml",
    ] {
        assert!(said.contains(line), "{line:?} is missing in:\n{said}");
    }
    assert_eq!(onepane(&copy, &["render"]).code, Some(0));
    assert_eq!(onepane(&copy, &["render", "--check"]).code, Some(0));
    assert!(!rendered.join("api/old.yaml").exists());
}

/// The chains that the fixtures hold: a values file and a template, a group's patch over that, an image that a cluster
/// overrides.
#[test]
fn why_shows_the_whole_chain() {
    let memory = "spec.template.spec.containers[name=api].resources.limits.memory";
    let image = "spec.template.spec.containers[name=storefront].image";
    let cases = [
        ("values-and-template", ["why", "staging", "Deployment/api", memory]),
        ("patch", ["why", "prod-eu", "Deployment/api", memory]),
        ("image", ["why", "prod-eu", "Deployment/storefront", image]),
    ];
    for (name, arguments) in cases {
        let expected = fixture(&format!("tests/why/{name}.txt"));
        assert_eq!(output(&arguments), expected, "{name}");
    }
}

#[test]
fn an_image_can_be_previewed() {
    let name = "registry.shop.example.com/storefront";
    let preview = output(&["build", "prod-eu", "--set-image", &format!("{name}={name}:9.9.9")]);
    assert!(preview.contains(&format!("image: {name}:9.9.9\n")));
    assert!(!output(&["build", "prod-eu"]).contains("9.9.9"));
}

#[test]
fn programs_read_json() {
    let built: serde_json::Value =
        serde_json::from_str(&output(&["build", "dev", "--output", "json"])).expect("it is JSON");
    let items = built["clusters/dev"]["items"].as_array().expect("there is a list");
    assert!(items.iter().all(|item| item["kind"].is_string()) && items.len() > 10);
    let why = output(&["why", "staging", "Deployment/api", "spec.replicas", "--output", "json"]);
    let why: serde_json::Value = serde_json::from_str(&why).expect("it is JSON");
    assert_eq!(why["fields"][0]["field"], "spec.replicas");
    assert!(why["fields"][0]["steps"].as_array().is_some_and(|steps| !steps.is_empty()));
}

#[test]
fn secrets_do_not_show_in_why() {
    let built = output(&["build", "prod-eu", "--output", "json"]);
    let built: serde_json::Value = serde_json::from_str(&built).expect("it is JSON");
    let items = built["clusters/prod-eu"]["items"].as_array().expect("there is a list");
    let secrets: Vec<_> = items.iter().filter(|item| item["kind"] == "Secret").collect();
    assert!(!secrets.is_empty(), "the example has secrets");
    for secret in secrets {
        let name = secret["metadata"]["name"].as_str().expect("it has a name");
        let why = output(&["why", "prod-eu", &format!("Secret/{name}")]);
        let values = ["data", "stringData"].iter().filter_map(|key| secret[key].as_object()).flatten();
        for value in values.filter_map(|(_, value)| value.as_str()) {
            assert!(!why.contains(value), "the value of {name} shows");
        }
    }
}

#[test]
fn a_new_repository_builds() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    assert_eq!(onepane(folder.path(), &["init", "new"]).code, Some(0));
    let new = folder.path().join("new");
    assert_eq!(onepane(&new, &["render", "--check"]).code, Some(0));
    let built = onepane(&new, &["build"]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    let again = onepane(folder.path(), &["init", "new"]);
    assert_eq!(again.code, Some(1), "a folder with files in it is left alone");
}

/// The binary is a drop-in when it is called by another tool's name.
#[test]
fn it_answers_to_other_names() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let link = folder.path().join("kustomize");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_onepane"), &link).expect("the link can be made");
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let arguments = ["build", "clusters/dev"].map(str::to_owned);
    let finished = run(&link, &arguments, shop(), home.path()).expect("it ends in time");
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(String::from_utf8_lossy(&finished.stdout) == fixture("../example/expected/clusters-dev.yaml"));
}
