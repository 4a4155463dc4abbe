//! What has to hold of the example's files as they are in this folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("shop")
}

/// Contents by path below `folder`.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder is there") {
            let path = entry.expect("readable").path();
            assert!(!path.is_symlink(), "{} is a symlink, which not every system has", path.display());
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").to_owned();
                found.insert(name, fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

#[test]
fn every_chart_has_the_library_as_it_is() {
    let charts = shop().join("helm-charts");
    let library = files(&charts.join("service-library"));
    for chart in ["storefront", "api", "worker"] {
        let copy = files(&charts.join(chart).join("charts/service-library"));
        assert!(copy == library, "{chart} has an old service-library; run `make -C crates/edge/example/shop charts`");
    }
}

#[test]
fn every_cluster_has_an_expected_build() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected");
    for entry in fs::read_dir(shop().join("clusters")).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            let name = path.file_name().expect("it has a name").to_string_lossy();
            let file = expected.join(format!("clusters-{name}.yaml"));
            assert!(file.is_file(), "{} is missing; run scripts/compare-example --update", file.display());
        }
    }
}

#[test]
fn the_services_share_what_they_have_in_common() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    let common = |service: &str| -> Vec<_> {
        ["serve/serve.go", "metrics/metrics.go"]
            .map(|file| fs::read(services.join(service).join("internal").join(file)).expect("the file is there"))
            .into()
    };
    assert!(common("api") == common("storefront"), "storefront's copies differ from api's");
    assert!(common("api") == common("worker"), "worker's copies differ from api's");
}
