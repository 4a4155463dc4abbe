//! What a build knows of where its fields come from: every field of every case of the kustomize corpus, and each step by
//! name with the very line that asks for it.

use camino::Utf8Path;
use onepane_diagnostics::{FileId, Origin, Result, Span, Step};
use onepane_kustomize::{Built, LoadRestrictor, Options, Reorder, Tools, build_with};
use onepane_repo::LocalCharts;
use onepane_testkit::{Corpus, corpus};
use onepane_world::{MemoryWorld, OsWorld, World};
use onepane_yaml::{Content, Node};
use std::collections::HashMap;

/// The scalars and empty collections below a node, with the way to each.
fn leaves<'n>(node: &'n Node, path: &str, found: &mut Vec<(String, &'n Node)>) {
    match &node.content {
        Content::Mapping(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                leaves(value, &format!("{path}/{}", key.as_str().unwrap_or_default()), found);
            }
        }
        Content::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{path}/{index}"), found);
            }
        }
        _ => found.push((path.to_owned(), node)),
    }
}

/// The scalars of files by where they stand.
#[derive(Default)]
struct Texts(HashMap<FileId, HashMap<(u32, u32), String>>);

impl Texts {
    /// What stands there; of a place at the start of a line, whether `wanted` stands on that line.
    fn at(&mut self, world: &dyn World, span: Span, wanted: &str) -> Option<&str> {
        let texts = self.0.entry(span.file).or_insert_with(|| {
            let mut texts = HashMap::new();
            let bytes = world.read(span.file.path()).unwrap_or_else(|_| [].into());
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            for mut document in onepane_yaml::read(&text, span.file).unwrap_or_default() {
                document.resolve_aliases().expect("it was read before");
                let mut found = Vec::new();
                leaves(&document, "", &mut found);
                for (_, leaf) in found {
                    if let Some(span) = leaf.span {
                        let text = || leaf.as_str().unwrap_or_default().to_owned();
                        texts.entry((span.line, span.column)).or_insert_with(text);
                    }
                }
            }
            texts
        });
        let on_line = || texts.iter().find(|((line, _), text)| *line == span.line && *text == wanted);
        let there = texts.get(&(span.line, span.column));
        there.or_else(|| on_line().filter(|_| span.column == 1).map(|(_, text)| text)).map(String::as_str)
    }
}

/// What is wrong with what is known of a leaf, if anything is.
fn complaint(leaf: &Node, world: &dyn World, texts: &mut Texts) -> Option<String> {
    let origin = leaf.origin();
    let Some(newest) = origin.record() else { return Some("unknown".to_owned()) };
    let Some(span) = newest.span else { return Some(format!("{} without a line", newest.step.describe())) };
    let lines = world.read(span.file.path()).map(|bytes| bytes.split(|byte| *byte == b'\n').count());
    match lines {
        Ok(lines) if (1..=lines).contains(&(span.line as usize)) => {}
        _ => return Some(format!("{span} is no line of a file")),
    }
    if newest.step != Step::Source || newest.previous.is_known() {
        return None;
    }
    let is = leaf.as_str().unwrap_or_default();
    match texts.at(world, span, is) {
        Some(text) if text == is => None,
        Some(text) => Some(format!("it is {is:?}, and {span} says {text:?}")),
        None => Some(format!("nothing stands at {span}")),
    }
}

fn build(world: &dyn World, target: &str, options: &Options) -> Result<Built> {
    let tools = Tools { charts: Some(&LocalCharts), ..Tools::default() };
    build_with(world, Utf8Path::new(target), options, tools)
}

#[test]
fn every_field_of_the_corpus_says_what_wrote_it() {
    let corpus = match corpus("kustomize") {
        Ok(corpus) => corpus,
        Err(absent) => return eprintln!("SKIPPED origins of the corpus: {absent}"),
    };
    let (mut builds, mut count) = (0, 0);
    let mut complaints = Vec::new();
    for (name, folder, case) in Corpus::cases(&corpus.folder) {
        if case["outcome"] == "error" {
            continue;
        }
        let flags: Vec<&str> =
            case["flags"].as_array().into_iter().flatten().filter_map(|flag| flag.as_str()).collect();
        let has = |flag: &str| flags.iter().any(|given| given.contains(flag));
        let options = Options {
            load_restrictor: if has("LoadRestrictionsNone") { LoadRestrictor::None } else { LoadRestrictor::RootOnly },
            reorder: if has("none") { Reorder::None } else { Reorder::Unspecified },
            enable_helm: true,
            ..Options::default()
        };
        let folder = camino::Utf8PathBuf::from_path_buf(folder.join("in")).expect("names are UTF-8");
        let Ok(world) = OsWorld::within(&folder) else { continue };
        let target = case["target"].as_str().unwrap_or(".");
        let Ok(plain) = build(&world, target, &options) else { continue };
        let options = Options { origins: true, ..options };
        let tracked = build(&world, target, &options).unwrap_or_else(|error| panic!("{name} with origins: {error}"));
        assert_eq!(plain.to_yaml().ok(), tracked.to_yaml().ok(), "{name}: origins change the output");
        builds += 1;
        let mut texts = Texts::default();
        for resource in tracked.resources.iter() {
            let mut found = Vec::new();
            leaves(resource.node(), "", &mut found);
            for (path, leaf) in found {
                count += 1;
                if let Some(complaint) = complaint(leaf, &world, &mut texts) {
                    complaints.push(format!("{name}: {} {path}: {complaint}", resource.id()));
                }
            }
        }
    }
    eprintln!("{count} fields of {builds} builds");
    assert!(builds > 380, "only {builds} cases could be built");
    assert!(complaints.is_empty(), "{} of {count}:\n{}", complaints.len(), complaints.join("\n"));
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      serviceAccountName: worker
      containers:
      - name: web
        image: nginx:1
        args: [serve, $(HOST)]
        env:
        - name: A
          value: a
        envFrom:
        - configMapRef:
            name: settings
        - secretRef:
            name: password
      volumes:
      - name: v
        configMap: {name: motd}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: worker
---
apiVersion: v1
kind: Namespace
metadata:
  name: old
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: bind
subjects:
- kind: ServiceAccount
  name: default
- kind: ServiceAccount
  name: worker
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: none
";

const BASE: &str = "\
resources: [web.yaml]
configMapGenerator:
- name: settings
  literals:
  - a=base
  - b=base
- name: motd
  files:
  - motd.txt
  options:
    labels: {made: by-generator}
    immutable: true
secretGenerator:
- name: password
  type: example.com/secret
  envs: [secret.env]
";

const OVERLAY: &str = "\
resources:
- ../base
components:
- ../component
generatorOptions:
  annotations:
    of: generator-options
configMapGenerator:
- name: settings
  behavior: merge
  literals:
  - b=overlay
- name: motd
  behavior: replace
  files:
  - motd.txt=other.txt
generators:
- policy.yaml
namespace: shop
namePrefix: p-
nameSuffix: -s
commonLabels:
  common: label
labels:
- pairs:
    more: labels
  includeTemplates: true
commonAnnotations:
  an: annotation
patchesStrategicMerge:
- old.yaml
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      paused: true
      template:
        spec:
          containers:
          - name: side
            image: side:1
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/minReadySeconds
      value: 5
    - op: copy
      from: /spec/minReadySeconds
      path: /spec/progressDeadlineSeconds
- target: {kind: Deployment}
  path: operations.json
patchesJson6902:
- target: {group: apps, version: v1, kind: Deployment, name: web}
  path: last.yaml
replicas:
- {name: web, count: 5}
images:
- {name: nginx, newTag: '2'}
replacements:
- source: {kind: Deployment, name: web, fieldPath: spec.replicas}
  targets:
  - select: {kind: ServiceAccount}
    fieldPaths: [metadata.annotations.replicas]
    options: {create: true}
- source: {kind: Deployment, name: web, fieldPath: 'spec.template.spec.containers.[name=web].env'}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ['spec.template.spec.containers.[name=side].env']
    options: {create: true}
- path: made.yaml
transformers:
- |-
  apiVersion: builtin
  kind: ValueAddTransformer
  metadata: {name: add}
  value: added
  targets:
  - {selector: {kind: ServiceAccount}, fieldPath: added/field}
- labels.yaml
vars:
- name: HOST
  objref: {apiVersion: v1, kind: ServiceAccount, name: worker}
helmCharts:
- name: chart
  releaseName: r
  includeCRDs: true
  valuesInline:
    a: inline
buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]
";

fn everything() -> MemoryWorld {
    MemoryWorld::new()
        .with("base/kustomization.yaml", BASE)
        .with("base/web.yaml", WEB)
        .with("base/motd.txt", "hello\n")
        .with("base/secret.env", "# none\nUSER=me\n")
        .with("app/kustomization.yaml", OVERLAY)
        .with("app/other.txt", "other\n")
        .with("app/policy.yaml", "apiVersion: builtin\nkind: IAMPolicyGenerator\nmetadata: {name: p}\ncloud: gke\nkubernetesService: {name: cloud}\nserviceAccount: {name: a, projectId: b}\n")
        .with("app/old.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  revisionHistoryLimit: 3\n")
        .with("app/operations.json", "[{\"op\": \"add\", \"path\": \"/spec/template/metadata\", \"value\": {\"labels\": {\"json\": \"a\\/b\"}}}]")
        .with("app/last.yaml", "- op: add\n  path: /spec/last\n  value: {x: y}\n")
        .with("app/made.yaml", "sourceValue: v\ntargets:\n- select: {kind: ServiceAccount}\n  fieldPaths: ['list.[name=made].value']\n  options: {create: true}\n")
        .with("app/labels.yaml", "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels:\n  from: transformer\nfieldSpecs: [{path: metadata/labels, create: true}]\n")
        .with("component/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n      path: /spec/component\n      value: here\n")
        .with("app/charts/chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n")
        .with("app/charts/chart/values.yaml", "a: 1\nb: 2\n")
        .with("app/charts/chart/crds/crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: crd\n")
        .with("app/charts/chart/templates/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\na: {{ .Values.a }}\nb: {{ .Values.b }}\n")
}

/// Fields, and the step and the line that wrote each, newest first.
type Row = (&'static str, &'static [&'static str], &'static [(Step, &'static str)]);

const STEPS: &[Row] = &[
    (
        "Deployment",
        &["spec", "replicas"],
        &[(Step::Replicas, "- {name: web, count: 5}"), (Step::Source, "replicas: 1")],
    ),
    (
        "Deployment",
        &["spec", "template", "spec", "containers", "web", "image"],
        &[(Step::Image, "- {name: nginx, newTag: '2'}"), (Step::Source, "image: nginx:1")],
    ),
    ("Deployment", &["spec", "paused"], &[(Step::Patch, "paused: true")]),
    ("Deployment", &["spec", "revisionHistoryLimit"], &[(Step::Patch, "revisionHistoryLimit: 3")]),
    ("Deployment", &["spec", "minReadySeconds"], &[(Step::Patch, "value: 5")]),
    ("Deployment", &["spec", "progressDeadlineSeconds"], &[(Step::Patch, "- op: copy"), (Step::Patch, "value: 5")]),
    ("Deployment", &["spec", "template", "metadata", "labels", "json"], &[(Step::Patch, "[{\"op\": \"add\"")]),
    ("Deployment", &["spec", "last", "x"], &[(Step::Patch, "value: {x: y}")]),
    ("Deployment", &["spec", "component"], &[(Step::Patch, "value: here")]),
    (
        "Deployment",
        &["metadata", "name"],
        &[(Step::NameAffix, "nameSuffix: -s"), (Step::NameAffix, "namePrefix: p-"), (Step::Source, "name: web")],
    ),
    ("Deployment", &["metadata", "namespace"], &[(Step::Namespace, "namespace: shop")]),
    ("Deployment", &["metadata", "labels", "common"], &[(Step::Label, "common: label")]),
    ("Deployment", &["spec", "template", "metadata", "labels", "more"], &[(Step::Label, "more: labels")]),
    ("Deployment", &["metadata", "labels", "from"], &[(Step::Label, "from: transformer")]),
    ("Deployment", &["metadata", "labels", "app.kubernetes.io/managed-by"], &[(Step::Label, "buildMetadata: [")]),
    ("Deployment", &["metadata", "annotations", "an"], &[(Step::Annotation, "an: annotation")]),
    (
        "Deployment",
        &["metadata", "annotations", "config.kubernetes.io/origin"],
        &[(Step::Annotation, "buildMetadata: [")],
    ),
    (
        "Deployment",
        &["spec", "template", "spec", "serviceAccountName"],
        &[(Step::NameReference, "nameSuffix: -s"), (Step::Source, "serviceAccountName: worker")],
    ),
    (
        "Deployment",
        &["spec", "template", "spec", "containers", "web", "envFrom", "0", "configMapRef", "name"],
        &[(Step::NameReference, "- name: settings"), (Step::Source, "name: settings")],
    ),
    (
        "Deployment",
        &["spec", "template", "spec", "containers", "web", "args", "1"],
        &[(Step::Replacement, "- name: HOST"), (Step::Source, "args: [serve, $(HOST)]")],
    ),
    (
        "Deployment",
        &["spec", "template", "spec", "containers", "side", "env", "A", "value"],
        &[(Step::Replacement, "- source: {kind: Deployment, name: web, fieldPath: 'spec.t")],
    ),
    (
        "ServiceAccount",
        &["metadata", "annotations", "replicas"],
        &[(Step::Replacement, "- source: {kind: Deployment, name: web, fieldPath: spec.r")],
    ),
    ("ServiceAccount", &["list", "made", "name"], &[(Step::Replacement, "sourceValue: v")]),
    ("ServiceAccount", &["list", "made", "value"], &[(Step::Replacement, "sourceValue: v")]),
    ("ServiceAccount", &["added", "field"], &[(Step::Transformer, "apiVersion: builtin")]),
    ("Namespace", &["metadata", "name"], &[(Step::Namespace, "namespace: shop"), (Step::Source, "name: old")]),
    ("RoleBinding", &["subjects", "0", "namespace"], &[(Step::Namespace, "namespace: shop")]),
    (
        "RoleBinding",
        &["subjects", "1", "name"],
        &[(Step::NameReference, "nameSuffix: -s"), (Step::Source, "name: worker")],
    ),
    ("RoleBinding", &["subjects", "1", "namespace"], &[(Step::Namespace, "namespace: shop")]),
    ("ConfigMap", &["data", "a"], &[(Step::Generator, "- a=base")]),
    ("ConfigMap", &["data", "b"], &[(Step::Generator, "- b=overlay"), (Step::Generator, "- b=base")]),
    ("ConfigMap", &["metadata", "annotations", "of"], &[(Step::Generator, "of: generator-options")]),
    ("ConfigMap", &["data", "motd.txt"], &[(Step::Generator, "- motd.txt=other.txt")]),
    ("ConfigMap", &["metadata", "labels", "made"], &[(Step::Generator, "labels: {made: by-generator}")]),
    ("Secret", &["data", "USER"], &[(Step::Generator, "USER=me")]),
    ("Secret", &["type"], &[(Step::Generator, "type: example.com/secret")]),
    (
        "Secret",
        &["metadata", "name"],
        &[
            (Step::Generator, "- name: password"),
            (Step::NameAffix, "nameSuffix: -s"),
            (Step::NameAffix, "namePrefix: p-"),
            (Step::Generator, "- name: password"),
        ],
    ),
    (
        "ServiceAccount",
        &["metadata", "annotations", "iam.gke.io/gcp-service-account"],
        &[(Step::Generator, "apiVersion: builtin")],
    ),
    ("CustomResourceDefinition", &["metadata", "name"], &[(Step::Source, "name: crd")]),
    ("Pod", &["a"], &[(Step::Template, "a: {{ .Values.a }}")]),
];

/// The node at the end of the way; an item is named by its index or its name.
fn find<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, part| match node.items() {
        Some(items) => {
            let named = || items.iter().find(|item| item.get("name").and_then(Node::as_str) == Some(part));
            part.parse::<usize>().ok().and_then(|index| items.get(index)).or_else(named)
        }
        None => node.get(part),
    })
}

fn steps(world: &dyn World, origin: &Origin) -> Vec<(Step, String)> {
    let line = |span: Span| {
        let bytes = world.read(span.file.path()).expect("it is a file");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().nth(span.line as usize - 1).expect("it is a line").trim().to_owned()
    };
    origin.chain().map(|record| (record.step, line(record.span.expect("it has a line")))).collect()
}

#[test]
fn each_step_is_told_with_the_line_that_asks_for_it() {
    let world = everything();
    let options = Options { enable_helm: true, ..Options::default() };
    let plain = build(&world, "app", &options).expect("it builds");
    let tracked = build(&world, "app", &Options { origins: true, ..options }).expect("it builds");
    assert_eq!(plain.to_yaml(), tracked.to_yaml());
    let mut wrong = Vec::new();
    for (kind, path, wanted) in STEPS {
        let of_kind = tracked.resources.iter().filter(|resource| resource.kind() == *kind);
        let told: Vec<_> =
            of_kind.filter_map(|resource| Some(steps(&world, &find(resource.node(), path)?.origin()))).collect();
        let is_wanted = |told: &Vec<(Step, String)>| {
            told.len() == wanted.len()
                && told.iter().zip(*wanted).all(|(told, wanted)| told.0 == wanted.0 && told.1.starts_with(wanted.1))
        };
        if !told.iter().any(is_wanted) {
            wrong.push(format!("{kind} {path:?}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut texts = Texts::default();
    for resource in tracked.resources.iter() {
        let mut found = Vec::new();
        leaves(resource.node(), "", &mut found);
        for (path, leaf) in found {
            assert_eq!(complaint(leaf, &world, &mut texts), None, "{} {path}", resource.id());
        }
    }
}
