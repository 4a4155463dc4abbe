//! Schemas of the build's own, and what the files of `crds:` and `configurations:` say. What is expected was printed by
//! Kustomize 5.8.1.

use onepane_kustomize::{Cache, Options, Tools, build_with};
use onepane_world::MemoryWorld;

const THING: &str = "\
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec:
  parts: [{name: a, size: 1}, {name: b, size: 2}]
  tags: [x, z]
  pairs: [{host: h, port: 1, v: a}, {host: h, port: 2, v: b}]
";
const PATCH: &str = "\
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec:
  parts: [{name: b, size: 3}]
  tags: [w]
  pairs: [{host: h, port: 2, v: c}]
";
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: a, image: a}, {name: b, image: b}]
";
const POD_PATCH: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: b, image: c}]}\n";

/// A document with the type of `Thing`, and `PATHS`.
const SCHEMA: &str = r##"
{"definitions": {
  "com.example.v1.Thing": {
    "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
    "properties": {"spec": {"$ref": "#/definitions/com.example.v1.Spec"}}},
  "com.example.v1.Spec": {"properties": {
    "parts": {"type": ["array"], "items": {"type": "object"},
      "x-kubernetes-patch-strategy": "retainKeys,merge", "x-kubernetes-patch-merge-key": "name"},
    "tags": {"type": "array", "x-kubernetes-patch-strategy": "merge"},
    "pairs": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-list-map-keys": ["host", "port"], "x-kubernetes-patch-merge-key": "port"}}}},
 "paths": {PATHS}}"##;

const GET: &str =
    r#"{"get": {"x-kubernetes-group-version-kind": {"group": "example.com", "version": "v1", "kind": "Thing"}}}"#;

fn world(paths: &[&str]) -> MemoryWorld {
    let paths: Vec<String> = paths.iter().map(|path| format!("{path:?}: {GET}")).collect();
    MemoryWorld::new()
        .with("app/thing.yaml", THING)
        .with("app/patch.yaml", PATCH)
        .with("app/pod.yaml", POD)
        .with("app/pod-patch.yaml", POD_PATCH)
        .with("app/schema.json", SCHEMA.replace("PATHS", &paths.join(",")))
        .with("app/kustomization.yaml", "resources: [thing.yaml, pod.yaml]\npatches: [{path: patch.yaml}, {path: pod-patch.yaml}]\nopenapi: {path: schema.json}\n")
        .with("known/kustomization.yaml", "configMapGenerator: [{name: known}]\n")
        .with("unknown/kustomization.yaml", "resources: [a.yaml]\n")
        .with("unknown/a.yaml", "apiVersion: other.com/v1\nkind: Other\nmetadata: {name: a}\n")
        .with("merged/kustomization.yaml", "resources: [a.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n    data: {a: b}\n")
        .with("merged/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
}

fn built(world: &MemoryWorld, cache: Option<&Cache>) -> Result<String, String> {
    let tools = Tools { cache, ..Tools::default() };
    let built = build_with(world, "top".into(), &Options::default(), tools).and_then(|built| built.to_yaml());
    built.map_err(|error| error.message)
}

fn with(world: MemoryWorld, kustomization: &str) -> Result<String, String> {
    built(&world.with("top/kustomization.yaml", kustomization), None)
}

#[test]
fn lists_are_merged_as_the_document_says() {
    let yaml = with(world(&[]), "resources: [../app]\n").expect("it builds");
    let thing = "    port: 1\n    v: a\n  - host: h\n    port: 2\n    v: c\n  parts:\n  - name: b\n    size: 3\n  - name: \
                 a\n    size: 1\n  tags:\n  - w\n  - x\n  - z\n";
    assert!(yaml.contains(thing), "{yaml}");
    // Kubernetes' own kinds are unknown then, and their lists replaced.
    assert!(yaml.ends_with("containers:\n  - image: c\n    name: b\n"), "{yaml}");
}

#[test]
fn kubernetes_own_kinds_stay_known_where_they_were_asked_for_before() {
    for (before, stay) in [("known", false), ("unknown", true), ("merged", true)] {
        let kustomization = format!("resources: [../{before}, ../app]\n");
        let world = world(&[]).with("top/kustomization.yaml", &kustomization);
        let yaml = built(&world, None).expect("it builds");
        assert_eq!(yaml.contains("- image: a\n    name: a\n"), stay, "{before}: {yaml}");
        let cache = Cache::new();
        for _ in 0..2 {
            assert_eq!(built(&world, Some(&cache)).as_ref(), Ok(&yaml), "{before}: the cache changes it");
        }
    }
}

#[test]
fn paths_tell_what_lives_outside_namespaces() {
    let (things, in_namespaces) = ("/apis/example.com/v1/things", "/apis/example.com/v1/namespaces/{namespace}/things");
    for (paths, namespaced) in [(&[][..], true), (&[things], false), (&[things, in_namespaces], true)] {
        let yaml = with(world(paths), "resources: [../app]\nnamespace: shop\n").expect("it builds");
        let one = |kind: &str| yaml.split("---\n").find(|one| one.contains(kind)).expect("it is there");
        assert_eq!(one("kind: Thing").contains("namespace: shop"), namespaced, "{paths:?}");
        assert!(one("kind: Pod").contains("namespace: shop"));
    }
    let two = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: a}\n---\napiVersion: \
               example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: b}\n";
    let app = "resources: [two.yaml]\nopenapi: {path: schema.json}\n";
    let build = |paths: &[&str]| {
        let world = world(paths).with("app/two.yaml", two).with("app/kustomization.yaml", app);
        with(world, "resources: [../app]\n")
    };
    assert!(build(&[]).is_ok());
    let refused = build(&[things]).expect_err("they are the same");
    assert_eq!(refused, "may not add resource with an already registered id: Thing.v1.example.com/t.b");
}

#[test]
fn a_version_is_kept_by_the_whole_build() {
    let yaml = with(world(&[]), "resources: [../app]\nopenapi: {version: v1.21.2}\n").expect("it builds");
    assert!(yaml.contains("- image: a\n    name: a\n") && yaml.contains("parts:\n  - name: b\n    size: 3\n  tags"));
}

const CUSTOM: &str = "\
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec:
  selector: {x: z}
  notes: {x: z}
  id: ident
  ref: {name: config, other: config}
  refs: [{name: config}]
  nested: {key: {mine: config}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
";
const DEFINITIONS: &str = r#"{
"example.com/v1.Thing": {"Schema": {"properties":
  {"apiVersion": {}, "kind": {}, "metadata": {}, "spec": {"$ref": "example.com/v1.Spec"}}}},
"example.com/v1.Spec": {"SCHEMA": {"properties": {
  "selector": {"x-kubernetes-label-selector": ""},
  "notes": {"x-kubernetes-annotation": ""},
  "id": {"x-kubernetes-identity": ""},
  "ref": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"},
  "refs": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap"},
  "nested": {"$ref": "example.com/v1.Nested"}}}},
"example.com/v1.Nested": {"schema": {"properties": {"key": {"x-kubernetes-object-ref-api-version": "v1",
  "x-kubernetes-object-ref-kind": "ConfigMap", "x-kubernetes-object-ref-name-key": "mine"}}}}}"#;

#[test]
fn definitions_of_custom_resources_say_what_their_fields_are() {
    let top =
        "resources: [a.yaml]\ncrds: [crd.json]\nnamePrefix: p-\ncommonLabels: {l: v}\ncommonAnnotations: {k: v}\n";
    let world = |definitions: &str| MemoryWorld::new().with("top/a.yaml", CUSTOM).with("top/crd.json", definitions);
    let yaml = with(world(DEFINITIONS), top).expect("it builds");
    let spec = "  id: p-ident\n  nested:\n    key:\n      mine: p-config\n  notes:\n    k: v\n    x: z\n  ref:\n    name: \
                p-config\n    other: config\n  refs:\n  - name: p-config\n  selector:\n    l: v\n    x: z\n";
    assert!(yaml.contains(spec), "{yaml}");
    for (definitions, outcome) in [
        ("", true),
        ("{}", true),
        ("[]", false),
        ("a: b", false),
        ("kind: CustomResourceDefinition", false),
        (r#"{"a": {"Schema": []}}"#, false),
        (r#"{"a": {"Schema": {"properties": {"b": "c"}}}}"#, false),
    ] {
        assert_eq!(with(world(definitions), top).is_ok(), outcome, "{definitions}");
    }
}

#[test]
fn configurations_take_numbers_for_paths_and_for_nothing_else() {
    let top = "resources: [a.yaml]\nconfigurations: [c.yaml]\nnameSuffix: -s\n";
    for (configuration, outcome) in [
        ("nameSuffix: [{path: spec/id, kind: Thing}]", true),
        ("NameSuffix: [{Path: spec/id, Kind: Thing}]", true),
        ("nameSuffix: [{path: a, kind: 1}]", false),
        ("nameReference: [{kind: 1, fieldSpecs: []}]", false),
        ("nameSuffix: [{path: a, create: 'true'}]", false),
        ("nameSuffix: [{path: metadata/name, skip: true}]", false),
    ] {
        let world = MemoryWorld::new().with("top/a.yaml", CUSTOM).with("top/c.yaml", configuration);
        let built = with(world, top);
        assert_eq!(built.is_ok(), outcome, "{configuration}: {built:?}");
        assert!(built.is_err() || built.is_ok_and(|yaml| yaml.contains("id: ident-s")));
    }
}
