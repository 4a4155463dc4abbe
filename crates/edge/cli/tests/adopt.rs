//! `onepane init` in repositories that were there before, and what works in them then.

use onepane_testkit::{Finished, git, run_once};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn onepane(folder: &Path, arguments: &[&str]) -> Finished {
    run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder)
}

fn output(folder: &Path, arguments: &[&str]) -> String {
    let finished = onepane(folder, arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.stderr);
    String::from_utf8(finished.stdout).expect("output is UTF-8")
}

/// A Git repository with these files in a commit.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("it can be written");
    }
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "All"]);
    folder
}

fn written(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("onepane.yaml")).unwrap_or_default()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.27\n";
const SYNC: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {url: 'ssh://git@example.com/org/fleet'}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec:\n  path: ./clusters/CLUSTER\n  sourceRef: {kind: GitRepository, name: flux-system}\n";
const APPS: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\nspec:\n  path: ./apps/CLUSTER\n  targetNamespace: shop\n  postBuild:\n    substitute:\n      replicas: \"3\"\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n";

fn flux() -> TempDir {
    let of = |text: &str, cluster| text.replace("CLUSTER", cluster);
    repository(&[
        ("clusters/eu/flux-system/gotk-sync.yaml", &of(SYNC, "eu")),
        ("clusters/eu/flux-system/kustomization.yaml", "resources: [gotk-sync.yaml]\n"),
        ("clusters/eu/apps.yaml", &of(APPS, "eu")),
        ("clusters/us/flux-system/gotk-sync.yaml", &of(SYNC, "us")),
        ("clusters/us/flux-system/kustomization.yaml", "resources: [gotk-sync.yaml]\n"),
        ("clusters/us/apps.yaml", &of(APPS, "us")),
        ("apps/base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("apps/base/web.yaml", &DEPLOYMENT.replace("replicas: 2", "replicas: ${replicas}")),
        ("apps/eu/kustomization.yaml", "resources: [../base]\n"),
        ("apps/us/kustomization.yaml", "resources: [../base]\nimages: [{name: nginx, newTag: '1.28'}]\n"),
        ("apps/us/notes.md", "Not a manifest\n"),
        ("infrastructure/README.md", "Nothing yet\n"),
    ])
}

#[test]
fn a_repository_of_flux_is_adopted_with_a_few_lines() {
    let folder = flux();
    let report = output(folder.path(), &["init"]);
    assert!(
        report.starts_with("Flux: 4 Kustomizations, 2 GitRepository objects\nKustomize: 5 kustomizations\n"),
        "{report}"
    );
    assert!(report.contains("cluster eu (clusters/eu): 4 resources\n"), "{report}");
    assert!(!report.contains("not followed"), "{report}");
    assert_eq!(
        written(&folder),
        "folders:\n  groups: apps\n  components: infrastructure\nfollow: flux\nrepository: ssh://git@example.com/org/fleet\n"
    );
    // A second time nothing is overwritten.
    fs::write(folder.path().join("onepane.yaml"), "follow: flux\n").expect("it can be written");
    let again = output(folder.path(), &["init"]);
    assert!(again.contains("onepane.yaml is there and stays as it is"), "{again}");
    assert_eq!(written(&folder), "follow: flux\n");
}

#[test]
fn everything_works_in_a_repository_of_flux() {
    let folder = flux();
    output(folder.path(), &["init"]);
    let built = output(folder.path(), &["build", "us"]);
    assert!(built.contains("  name: web\n  namespace: shop\nspec:\n  replicas: 3\n"), "{built}");
    let found = output(folder.path(), &["find", "image=nginx:1.28", "spec.replicas=3", "--files"]);
    let wanted =
        "CLUSTER  KIND        NAMESPACE  NAME  FILE\nus       Deployment  shop       web   apps/base/web.yaml\n";
    assert_eq!(found, wanted);
    let users = output(folder.path(), &["graph", "apps/base", "--reverse"]);
    assert_eq!(users, "group base\n├─ group eu\n│  └─ cluster eu\n└─ group us\n   └─ cluster us\n");
    let why = output(folder.path(), &["why", "us", "Deployment/web", "spec.template.spec.containers[name=web].image"]);
    assert!(why.contains("apps/us/kustomization.yaml:2") && why.contains("apps/base/web.yaml:11"), "{why}");
    // What was committed before it was adopted has the same layout.
    let plan = output(folder.path(), &["plan"]);
    assert!(plan.contains("0 of 2 clusters change"), "{plan}");
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "Adopted"]);
    let edit = |path: &str, from: &str, to: &str| {
        let path = folder.path().join(path);
        let text = fs::read_to_string(&path).expect("it is there");
        fs::write(path, text.replace(from, to)).expect("it can be written");
    };
    edit("clusters/us/apps.yaml", "replicas: \"3\"", "replicas: \"5\"");
    let plan = output(folder.path(), &["plan"]);
    assert!(plan.contains("~ Deployment shop/web\n      spec.replicas: 3 → 5"), "{plan}");
    assert!(plan.contains("1 of 2 clusters change"), "{plan}");
}

#[test]
fn an_app_of_apps_of_argo_cd_is_adopted() {
    let child = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: '{{ . }}', namespace: argocd}\nspec:\n  destination: {namespace: '{{ . }}'}\n  source: {repoURL: 'https://example.com/org/apps.git', path: '{{ . }}'}\n---\n";
    let folder = repository(&[
        ("root/Chart.yaml", "apiVersion: v2\nname: root\nversion: 0.1.0\n"),
        ("root/values.yaml", "apps: [one, two, gone]\n"),
        ("root/templates/apps.yaml", &format!("{{{{- range .Values.apps }}}}\n{child}{{{{- end }}}}\n")),
        ("one/web.yaml", DEPLOYMENT),
        ("two/kustomization.yaml", "resources: [web.yaml]\n"),
        ("two/web.yaml", DEPLOYMENT),
    ]);
    let report = output(folder.path(), &["init"]);
    assert!(report.contains("Argo CD: 1 Application\n"), "{report}");
    assert!(report.contains("gitops-folder") && report.contains("there is no folder `gone`"), "{report}");
    assert_eq!(
        written(&folder),
        "clusters:\n  root: root\nfollow: argocd\nrepository: https://example.com/org/apps.git\n"
    );
    let found: Value = serde_json::from_str(&output(folder.path(), &["find", "kind=Deployment", "--output", "json"]))
        .expect("it is JSON");
    let namespaces: Vec<&str> =
        found.as_array().expect("it is a list").iter().filter_map(|one| one["namespace"].as_str()).collect();
    assert_eq!(namespaces, ["one", "two"]);
    let graph = output(folder.path(), &["graph", "root", "--output", "mermaid"]);
    assert!(graph.contains("cluster root") && graph.contains("folder one") && graph.contains("image nginx"), "{graph}");
}

#[test]
fn plain_overlays_and_state_files_are_adopted() {
    let folder = repository(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", DEPLOYMENT),
        ("overlays/dev/kustomization.yaml", "resources: [../../base]\n"),
        ("overlays/prod/kustomization.yaml", "resources: [../../base]\n"),
    ]);
    let report = output(folder.path(), &["init"]);
    assert!(report.contains("cluster prod (overlays/prod): 1 resources\n"), "{report}");
    assert_eq!(written(&folder), "folders:\n  clusters: overlays\n");
    assert_eq!(output(folder.path(), &["list"]).lines().count(), 3);

    let folder = repository(&[
        ("deploy/helmfile.yaml", "releases: [{name: web, chart: ./web}]\n"),
        ("deploy/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
        ("deploy/web/templates/web.yaml", DEPLOYMENT),
    ]);
    let report = output(folder.path(), &["init"]);
    assert!(report.contains("Helmfile: 1 state file\nHelm: 1 chart\n") && report.contains("no clusters"), "{report}");
    assert_eq!(written(&folder), "folders:\n  helmCharts: deploy\n");
    assert_eq!(output(folder.path(), &["graph", "release:web"]), "release web (not rendered)\n└─ chart web (0.1.0)\n");
}

#[test]
fn a_repository_of_the_pattern_needs_no_lines_and_an_empty_one_is_told_so() {
    let folder = repository(&[
        ("clusters/eu/kustomization.yaml", "resources: [web.yaml]\n"),
        ("clusters/eu/web.yaml", DEPLOYMENT),
    ]);
    let report = output(folder.path(), &["init"]);
    assert!(report.contains("no onepane.yaml is needed"), "{report}");
    assert!(!folder.path().join("onepane.yaml").exists());
    let empty = repository(&[("README.md", "Nothing\n")]);
    let finished = onepane(empty.path(), &["init"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("`onepane init DIR` makes a new repository"), "{}", finished.stderr);
}
