//! Functions without a process: what they leave on the history of what they changed, and who may run them.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Step;
use onepane_kustomize::{FunctionCall, Functions, Options, Tools, build, build_with};
use onepane_resource::GroupVersionKind;
use onepane_world::MemoryWorld;
use onepane_yaml::Node;
use std::sync::Mutex;

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
      - name: log
        image: log:1
";

const FUNCTION: &str = "\
apiVersion: my.io/v1
kind: Scale
metadata:
  name: up
  annotations:
    config.kubernetes.io/function: 'exec: {path: ./scale}'
";

/// Makes something of what a function is told; remembers where it would have run.
struct Fake<F>(F, Mutex<Vec<String>>);

impl<F: Fn(&str) -> String> Functions for Fake<F> {
    fn plugin(&self, of: &GroupVersionKind) -> Result<Utf8PathBuf, String> {
        Ok(format!("/plugins/{}", of.kind).into())
    }

    fn run(&self, call: &FunctionCall<'_>) -> Result<Option<Vec<u8>>, String> {
        let (program, folder, input) = match *call {
            FunctionCall::Function { specification, folder, input } => {
                (Utf8Path::new(&specification.executable.path), folder, input)
            }
            FunctionCall::Plugin { program, folder, input, .. } => (program, folder, input),
        };
        self.1.lock().unwrap().push(format!("{program} in {folder}"));
        Ok(Some((self.0)(input).into_bytes()))
    }
}

fn world() -> MemoryWorld {
    MemoryWorld::new()
        .with("base/web.yaml", DEPLOYMENT)
        .with("base/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: base-\n")
        .with("over/kustomization.yaml", "resources: [../base]\ntransformers: [scale.yaml]\n")
        .with("over/scale.yaml", FUNCTION)
}

fn histories(node: &Node, path: &[&str]) -> Vec<(Step, String, String)> {
    let node = path.iter().fold(node, |node, key| match key.parse::<usize>() {
        Ok(index) => &node.items().unwrap()[index],
        Err(_) => node.get(key).unwrap(),
    });
    let origin = node.origin();
    let steps = origin.chain().map(|record| {
        let (place, note) = (record.span.map(|span| span.to_string()), record.note.as_deref());
        (record.step, place.unwrap_or_default(), note.unwrap_or_default().to_owned())
    });
    steps.collect()
}

#[test]
fn what_a_function_changed_or_made_says_so_and_the_rest_is_as_it_was() {
    let scale = |input: &str| {
        let changed = input.replace("replicas: 1", "replicas: 3\n    paused: true").replace("log:1", "log:2");
        let made = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: made}, data: {a: b}}\nfunctionConfig:";
        changed.replace("functionConfig:", made)
    };
    let fake = Fake(scale, Mutex::default());
    let tools = Tools { functions: Some(&fake), ..Tools::default() };
    let options = Options { origins: true, ..Options::default() };
    let built = build_with(&world(), "over".into(), &options, tools).unwrap();
    assert_eq!(*fake.1.lock().unwrap(), ["./scale in over"]);
    let plain = build_with(&world(), "over".into(), &Options::default(), tools).unwrap();
    assert_eq!(plain.to_yaml().unwrap(), built.to_yaml().unwrap());

    let by_kind = |kind: &str| built.resources.iter().find(|resource| resource.kind() == kind).unwrap();
    let (web, made) = (by_kind("Deployment"), by_kind("ConfigMap"));
    let function = (Step::Function, "over/scale.yaml:1:1".to_owned(), "Scale up".to_owned());
    let source = |line: u32, column: u32| (Step::Source, format!("base/web.yaml:{line}:{column}"), String::new());
    let of = |path: &[&str]| histories(web.node(), path);
    assert_eq!(of(&["spec", "replicas"]), [function.clone(), source(6, 13)]);
    assert_eq!(of(&["spec", "paused"]), std::slice::from_ref(&function));
    let containers = ["spec", "template", "spec", "containers"];
    assert_eq!(of(&[&containers[..], &["0", "image"]].concat()), [source(11, 16)]);
    assert_eq!(of(&[&containers[..], &["1", "image"]].concat()), [function.clone(), source(13, 16)]);
    assert_eq!(of(&["metadata", "name"])[0].0, Step::NameAffix);
    assert_eq!((web.name(), &*web.original_id().name), ("base-web", "web"));
    assert_eq!(web.source.unwrap().path(), "base/web.yaml");
    assert_eq!(web.overlays.len(), 2);
    assert_eq!(histories(made.node(), &["data", "a"]), std::slice::from_ref(&function));
    assert_eq!(histories(made.node(), &[]), [function]);
}

#[test]
fn a_build_that_is_handed_no_one_runs_nothing_and_says_who_does() {
    let error = build(&world(), "over".into(), &Options::default()).map(drop).unwrap_err();
    assert_eq!(error.message, "external plugins disabled; unable to load external plugin 'Scale'");
    assert!(error.hints[0].contains("onepane kustomize build --enable-alpha-plugins"), "{:?}", error.hints);
    assert_eq!(error.primary.unwrap().span.to_string(), "over/scale.yaml:1:1");
}

#[test]
fn a_mount_shows_a_container_nothing_but_the_folder() {
    let fake = Fake(str::to_owned, Mutex::default());
    let tools = Tools { functions: Some(&fake), ..Tools::default() };
    for (source, allowed) in [
        ("sub", true),
        (".", true),
        ("..", false),
        ("a/../..", false),
        ("/", false),
        ("x,source=/etc", false),
        ("..x", false),
    ] {
        let function = format!("container: {{image: i, mounts: [{{src: '{source}', dst: /d}}]}}");
        let function = FUNCTION.replace("exec: {path: ./scale}", &function.replace('\'', "''"));
        let world = world().with("over/scale.yaml", function);
        let built = build_with(&world, "over".into(), &Options::default(), tools);
        assert_eq!(built.is_ok(), allowed, "{source}: {:?}", built.map(drop));
    }
}

#[test]
fn whatever_a_function_prints_is_no_panic() {
    let printed = [
        "kind: ResourceList\nitems: {a: b}\n",
        "kind: ResourceList\nitems: [~, [], {}, 1]\n",
        "kind: ResourceList\nitems: [{metadata: {annotations: {config.k8s.io/id: '99999999999999999999'}}}]\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: text\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: text}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [a], annotations: {config.k8s.io/id: {}}}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {internal.config.kubernetes.io/previousNames: b}}\n",
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "- a\n---\n- b\n",
        "\u{0}",
        "%YAML 9.9\n---\n",
    ];
    for text in printed {
        let fake = Fake(|_: &str| text.to_owned(), Mutex::default());
        let tools = Tools { functions: Some(&fake), ..Tools::default() };
        for field in ["generators", "transformers", "validators"] {
            let kustomization = format!("resources: [../base]\n{field}: [scale.yaml]\n");
            let world = world().with("over/kustomization.yaml", kustomization);
            let _ = build_with(&world, "over".into(), &Options::default(), tools).map(|built| built.to_yaml());
        }
    }
}
