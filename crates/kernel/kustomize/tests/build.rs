//! Builds in memory: what the corpus does not ask of us.

use onepane_diagnostics::{Diagnostic, Step};
use onepane_kustomize::{Cache, ImageOverride, LoadRestrictor, Options, Tools, build, build_with};
use onepane_world::MemoryWorld;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: nginx:1
";

fn world() -> MemoryWorld {
    MemoryWorld::new()
        .with("base/web.yaml", DEPLOYMENT)
        .with("base/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: base-\n")
        .with(
            "group/kustomization.yaml",
            "resources:\n  - ../base\npatches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      \
             metadata:\n        name: web\n      spec:\n        replicas: 2\n",
        )
        .with(
            "cluster/kustomization.yaml",
            "resources:\n  - ../group\nnamespace: shop\nimages:\n  - name: nginx\n    newTag: '2'\nreplicas:\n  \
             - name: web\n    count: 5\n",
        )
}

fn yaml(world: &MemoryWorld, path: &str, options: &Options) -> String {
    build(world, path.into(), options).unwrap().to_yaml().unwrap()
}

fn fails(world: &MemoryWorld, path: &str) -> Box<Diagnostic> {
    build(world, path.into(), &Options::default()).map(drop).unwrap_err()
}

#[test]
fn histories_change_no_byte_and_neither_does_the_cache() {
    let world = world();
    let plain = yaml(&world, "cluster", &Options::default());
    assert!(plain.contains("name: base-web") && plain.contains("image: nginx:2") && plain.contains("replicas: 5"));
    let options = Options { origins: true, ..Options::default() };
    assert_eq!(yaml(&world, "cluster", &options), plain);
    let cache = Cache::new();
    for _ in 0..2 {
        let cached = build_with(
            &world,
            "cluster".into(),
            &Options::default(),
            Tools { cache: Some(&cache), ..Tools::default() },
        )
        .unwrap();
        assert_eq!(cached.to_yaml().unwrap(), plain);
    }
}

#[test]
fn a_field_remembers_every_file_that_set_it() {
    let options = Options { origins: true, ..Options::default() };
    let built = build(&world(), "cluster".into(), &options).unwrap();
    let web = built.resources.get(0).unwrap();
    let chain = |path: &[&str]| -> Vec<(Step, String)> {
        let origin = web.node().at(path).unwrap().origin();
        origin
            .chain()
            .map(|record| (record.step, record.span.map(|span| span.to_string()).unwrap_or_default()))
            .collect()
    };
    assert_eq!(
        chain(&["spec", "replicas"]),
        [
            (Step::Replicas, "cluster/kustomization.yaml:9:12".to_owned()),
            (Step::Patch, "group/kustomization.yaml:10:13".to_owned()),
            (Step::Source, "base/web.yaml:6:13".to_owned()),
        ]
    );
    assert_eq!(chain(&["metadata", "namespace"]), [(Step::Namespace, "cluster/kustomization.yaml:3:12".to_owned())]);
    let overlays: Vec<&str> = web.overlays.iter().map(|file| file.path().as_str()).collect();
    assert_eq!(overlays, ["base/kustomization.yaml", "group/kustomization.yaml", "cluster/kustomization.yaml"]);
    assert_eq!(web.source.unwrap().path(), "base/web.yaml");
}

#[test]
fn a_preview_sets_images_last() {
    let image = ImageOverride { name: "nginx".into(), new_tag: "3".into(), ..ImageOverride::default() };
    let options = Options { set_images: vec![image], ..Options::default() };
    assert!(yaml(&world(), "cluster", &options).contains("image: nginx:3"));
}

#[test]
fn a_cycle_is_told_with_the_chain_that_closes_it() {
    let world = MemoryWorld::new()
        .with("a/kustomization.yaml", "resources: [../b]")
        .with("b/kustomization.yaml", "resources: [../a]");
    let error = fails(&world, "a");
    assert_eq!(error.code, "kustomize-cycle");
    let chain: Vec<&str> = error.trace.iter().map(|frame| frame.message.as_str()).collect();
    assert_eq!(chain, ["named by the kustomization in `b`", "named by the kustomization in `a`"]);
}

#[test]
fn mistakes_are_pointed_at_with_what_was_meant() {
    let cases = [
        ("resource: [web.yaml]", "kustomize-field", 1, "resources"),
        ("resources:\n  - wep.yaml", "kustomize-missing-file", 2, "web.yaml"),
        ("kind: Kustomisation\nresources: [web.yaml]", "kustomize-kind", 1, "Kustomization"),
        ("resources: [web.yaml]\nreplicas:\n  - name: wep\n    count: 1", "kustomize-replicas", 3, "web"),
        ("resources: [web.yaml]\nimages:\n  - name: x\n    newTag: 1.0", "kustomize-field", 4, "quotes"),
        ("resources:\n  - https://example.com/x", "kustomize-remote", 2, "folder"),
        ("resources:\n  - ../secret.yaml", "kustomize-outside-root", 2, "LoadRestrictionsNone"),
    ];
    for (text, code, line, hint) in cases {
        let world = MemoryWorld::new()
            .with("app/web.yaml", DEPLOYMENT)
            .with("secret.yaml", DEPLOYMENT)
            .with("app/kustomization.yaml", text);
        let error = fails(&world, "app");
        assert_eq!(error.code, code, "{text}");
        assert_eq!(error.primary.as_ref().unwrap().span.line, line, "{text}");
        assert!(error.hints.iter().any(|said| said.contains(hint)), "{text}: {:?}", error.hints);
    }
}

#[test]
fn files_outside_are_read_where_that_is_allowed() {
    let world =
        MemoryWorld::new().with("web.yaml", DEPLOYMENT).with("app/kustomization.yaml", "resources: [../web.yaml]");
    assert_eq!(fails(&world, "app").code, "kustomize-outside-root");
    let options = Options { load_restrictor: LoadRestrictor::None, ..Options::default() };
    assert!(yaml(&world, "app", &options).contains("kind: Deployment"));
}

#[test]
fn what_selects_nothing_is_told_with_its_line_and_is_an_error_where_that_is_wanted() {
    let world = world().with(
        "lost/kustomization.yaml",
        "resources: [../base]\npatches:\n- target: {kind: Deployment, name: wep}\n  patch: &remove '[{\"op\": \"remove\", \"path\": \"/spec/replicas\"}]'\n- target: {name: web}\n  patch: *remove\n\
         replacements:\n- sourceValue: a\n  targets:\n  - select: {kind: Service}\n",
    );
    let built = build(&world, "lost".into(), &Options::default()).unwrap();
    let told: Vec<_> = built
        .warnings
        .iter()
        .map(|warning| (warning.code, warning.primary.as_ref().map(|label| label.span.line), warning.hints.join(" ")))
        .collect();
    let wanted = [(Some(3), "did you mean `web`?"), (Some(10), "")];
    assert_eq!(told, wanted.map(|(line, hint)| ("kustomize-unmatched", line, hint.to_owned())));

    let strict = Options { strict: true, ..Options::default() };
    let error = build(&world, "lost".into(), &strict).map(drop).unwrap_err();
    assert_eq!((error.code, error.primary.map(|label| label.span.line)), ("kustomize-unmatched", Some(3)));
}
