//! What objects of Flux and Argo CD deliver, in small repositories.

use onepane_diagnostics::{Diagnostic, Result};
use onepane_repo::{BuildOptions, ChartSources, LocatedChart, Repository, WantedChart};
use onepane_world::MemoryWorld;
use std::sync::{Arc, Mutex};

/// `Kind namespace/name` of what a cluster is built to, and the codes and messages of what is said.
fn built(world: &MemoryWorld, cluster: &str) -> (Vec<String>, Vec<String>) {
    let repository = Repository::open(world).expect("the layout is good").with_charts(&SHELF);
    let unit = repository.unit(cluster).expect("it is there");
    let built = repository.build(&unit, &BuildOptions::default()).unwrap_or_else(|error| panic!("{error:?}"));
    let names = built.resources.iter().map(|one| format!("{} {}/{}", one.kind(), one.namespace(), one.name()));
    let said = built.warnings.iter().map(|warning| format!("{}: {}", warning.code, warning.message));
    (names.collect(), said.collect())
}

/// The manifest of one resource, as it is built.
fn manifest(world: &MemoryWorld, cluster: &str, kind: &str, name: &str) -> String {
    let repository = Repository::open(world).expect("the layout is good").with_charts(&SHELF);
    let unit = repository.unit(cluster).expect("it is there");
    let built = repository.build(&unit, &BuildOptions::default()).unwrap_or_else(|error| panic!("{error:?}"));
    let found = built.resources.iter().find(|one| one.kind() == kind && one.name() == name);
    let found = found.unwrap_or_else(|| panic!("there is no {kind} {name}: {:?}", built.warnings));
    onepane_yaml::write_sorted(found.node()).expect("it is YAML")
}

/// Has one chart.
struct Shelf(Mutex<Vec<WantedChart>>);

static SHELF: Shelf = Shelf(Mutex::new(Vec::new()));

impl ChartSources for Shelf {
    fn chart(&self, wanted: &WantedChart) -> Result<LocatedChart> {
        self.0.lock().expect("nobody panics with it").push(wanted.clone());
        if wanted.name != "web" {
            return Err(Diagnostic::error("gitops-chart", format!("nobody has {}", wanted.name)));
        }
        let world = with_chart(MemoryWorld::new(), "web");
        Ok(LocatedChart { world: Arc::new(world), path: "web".into() })
    }
}

fn with_chart(world: MemoryWorld, folder: &str) -> MemoryWorld {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}'}\nspec: {a: '{{ .Values.a }}', b: '{{ \
               .Values.b }}', c: '{{ .Values.deep.c }}', namespace: '{{ .Release.Namespace }}'}\n";
    world
        .with(format!("{folder}/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n")
        .with(format!("{folder}/values.yaml"), "a: 1\nb: 1\ndeep: {c: 1}\n")
        .with(format!("{folder}/templates/pod.yaml"), pod)
        .with(format!("{folder}/crds/crd.yaml"), "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: xs.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: X}}\n")
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata:\n  text: TEXT\n";

fn config(name: &str, text: &str) -> String {
    CONFIG.replace("NAME", name).replace("TEXT", text)
}

fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: \
         flux-system}}\nspec:\n  path: {path}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

fn flux() -> MemoryWorld {
    MemoryWorld::new()
        .with("onepane.yaml", "follow: flux\n")
        .with("clusters/eu/flux-system/kustomization.yaml", "resources: [sync.yaml]\n")
        .with("clusters/eu/flux-system/sync.yaml", kustomization("flux-system", "./clusters/eu", ""))
        .with("clusters/eu/apps.yaml", kustomization("apps", "./apps", ""))
        .with("apps/one.yaml", config("one", "${who:=nobody} $$x"))
        .with("apps/deep/two.yaml", config("two", "b"))
        .with("apps/values.yaml", "no: manifest\n")
}

#[test]
fn kustomizations_of_flux_are_followed_from_a_folder_without_one() {
    let (names, said) = built(&flux(), "eu");
    assert_eq!(
        names,
        ["Kustomization flux-system/apps", "Kustomization flux-system/flux-system", "ConfigMap /one", "ConfigMap /two"]
    );
    assert!(said.is_empty(), "{said:?}");
    // Without variables nothing is replaced.
    assert!(manifest(&flux(), "eu", "ConfigMap", "one").contains("${who:=nobody} $$x"));
}

#[test]
fn what_a_kustomization_adds_is_in_what_it_delivers() {
    let more = "  targetNamespace: shop\n  namePrefix: p-\n  commonMetadata: {labels: {team: a}}\n  patches:\n  - patch: \
                |\n      - {op: add, path: /data/more, value: \"${number}\"}\n    target: {kind: ConfigMap, name: one}\n  \
                postBuild:\n    substitute: {who: me, number: \"12\"}\n    substituteFrom:\n    - {kind: ConfigMap, \
                name: settings}\n    - {kind: Secret, name: hidden}\n    - {kind: Secret, name: none, optional: true}\n";
    let world = flux()
        .with("clusters/eu/apps.yaml", kustomization("apps", "apps", more))
        .with("clusters/eu/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata: {who: other, domain: example.com}\n")
        .with("clusters/eu/hidden.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden, namespace: flux-system}\nstringData: {token: hunter2}\n")
        .with("apps/one.yaml", config("one", "${who} on ${domain}, $${kept}, ${token}, ${none}!"))
        .with(
            "apps/deep/two.yaml",
            config("two", "${who}").replace("{name: two}", "{name: two, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}"),
        );
    let one = manifest(&world, "eu", "ConfigMap", "p-one");
    assert_eq!(
        one,
        "apiVersion: v1\ndata:\n  more: 12\n  text: me on example.com, ${kept}, ${token}, !\nkind: \
         ConfigMap\nmetadata:\n  labels:\n    team: a\n  name: p-one\n  namespace: shop\n"
    );
    assert!(manifest(&world, "eu", "ConfigMap", "p-two").contains("${who}"));
    let (_, said) = built(&world, "eu");
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn releases_of_flux_are_rendered_with_values_in_their_order() {
    let release = |name: &str, chart: &str, more: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: \
             shop}}\nspec:\n  {chart}\n{more}"
        )
    };
    let here = "chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}";
    let there = "chart: {spec: {chart: web, version: 1.x, sourceRef: {kind: HelmRepository, name: host}}}";
    let values = "  valuesFrom:\n  - {kind: ConfigMap, name: base}\n  - {kind: Secret, name: deep, valuesKey: c, targetPath: \
                  deep.c}\n  values: {b: 3}\n";
    let world = with_chart(flux(), "charts/web")
        .with("apps/base.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base, namespace: shop}\ndata: {values.yaml: 'a: 2\n\n    b: 2'}\n")
        .with("apps/deep.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: deep, namespace: shop}\ndata: {c: NQ==}\n")
        .with("apps/host.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: host, namespace: shop}\nspec: {url: https://charts.example.com}\n")
        .with("apps/here.yaml", release("here", here, values))
        .with("apps/there.yaml", release("there", there, "  targetNamespace: other\n  install: {crds: Skip}\n  postRenderers:\n  - kustomize:\n      patches:\n      - patch: |\n          - {op: add, path: /spec/d, value: 4}\n        target: {kind: Pod}\n"))
        .with("apps/gone.yaml", release("gone", &there.replace("chart: web", "chart: none"), ""));
    let (names, said) = built(&world, "eu");
    for name in ["Pod shop/here", "Pod other/other-there", "CustomResourceDefinition /xs.example.com"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?} {said:?}");
    }
    let here = manifest(&world, "eu", "Pod", "here");
    assert!(here.contains("  a: \"2\"\n  b: \"3\"\n  c: \"5\"\n  namespace: shop\n"), "{here}");
    let there = manifest(&world, "eu", "Pod", "other-there");
    assert!(there.contains("  a: \"1\"\n  b: \"1\"\n  c: \"1\"\n  d: 4\n  namespace: other\n"), "{there}");
    // What can't be had is one finding, and no more.
    assert_eq!(said, ["gitops-chart: nobody has none"]);
    let asked = SHELF.0.lock().expect("nobody panics with it");
    let wanted =
        WantedChart { address: "https://charts.example.com".into(), name: "web".into(), version: "1.x".into() };
    assert!(asked.contains(&wanted), "{asked:?}");
}

#[test]
fn artifacts_and_charts_of_registries_are_sources_of_flux() {
    let generator = "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {name: parts, namespace: \
                     flux-system}\nspec:\n  sources: [{alias: all, kind: GitRepository, name: flux-system}]\n  artifacts:\n  - \
                     name: part\n    copy: [{from: '@all/parts/one/**', to: '@artifact/one/'}]\n";
    let part = kustomization("part", "./one", "")
        .replace("kind: GitRepository, name: flux-system", "kind: ExternalArtifact, name: part");
    let release = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: web, namespace: shop}\nspec: {url: \
                   'oci://example.com/charts/web', ref: {tag: 3.0.0}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: \
                   HelmRelease\nmetadata: {name: web, namespace: shop}\nspec: {chartRef: {kind: OCIRepository, name: web}, \
                   releaseName: from-registry}\n";
    let world = flux()
        .with("clusters/eu/generator.yaml", generator)
        .with("clusters/eu/part.yaml", part)
        .with("parts/one/x.yaml", config("in-part", "a"))
        .with("apps/web.yaml", release);
    let (names, said) = built(&world, "eu");
    for name in ["ConfigMap /in-part", "Pod shop/from-registry"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?} {said:?}");
    }
    assert!(said.is_empty(), "{said:?}");
    let wanted =
        WantedChart { address: "oci://example.com/charts".into(), name: "web".into(), version: "3.0.0".into() };
    assert!(SHELF.0.lock().expect("nobody panics with it").contains(&wanted));
}

#[test]
fn what_is_out_of_reach_or_broken_hides_nothing_else() {
    let world = flux()
        .with("clusters/eu/away.yaml", kustomization("away", "x", "").replace("name: flux-system}\n", "name: away}\n"))
        .with("clusters/eu/source.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: away, namespace: flux-system}\nspec: {url: 'https://user:hunter2@example.com/o/r'}\n")
        .with("clusters/eu/gone.yaml", kustomization("gone", "./none", ""))
        .with("clusters/eu/out.yaml", kustomization("out", "../../etc", ""))
        .with("clusters/eu/loop.yaml", kustomization("loop", "./clusters/eu", ""))
        .with("clusters/eu/bad.yaml", kustomization("bad", "./bad", "  postBuild: {substitute: {a: b}}\n"))
        .with("bad/x.yaml", config("x", "${a-b}"));
    let (names, said) = built(&world, "eu");
    assert!(names.iter().any(|name| name == "ConfigMap /one"), "{names:?} {said:?}");
    let all = said.join("\n");
    for wanted in [
        "not in this repository: https://user@example.com/o/r",
        "there is no folder `none`",
        "variables can't be replaced: missing closing brace",
    ] {
        assert!(all.contains(wanted), "{wanted} is not in {all}");
    }
    assert!(!all.contains("hunter2"));
    assert_eq!(said.iter().filter(|one| one.contains("etc")).count(), 1, "{all}");
}

#[test]
fn a_chart_that_fails_on_a_secret_does_not_tell_it() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: shop}\nspec:\n  \
                   chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system, namespace: \
                   flux-system}}}\n  valuesFrom: [{kind: Secret, name: hidden}]\n";
    let world = with_chart(flux(), "charts/web")
        .with("charts/web/templates/pod.yaml", "{{ fail (printf \"it is %s\" .Values.token) }}\n")
        .with("apps/web.yaml", release)
        .with("apps/hidden.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden, namespace: shop}\nstringData: {values.yaml: 'token: hunter2'}\n");
    let (_, said) = built(&world, "eu");
    assert!(said.iter().any(|one| one.contains("it is ***")), "{said:?}");
    assert!(!said.iter().any(|one| one.contains("hunter2")), "{said:?}");
}

const APPLICATION: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: NAME, namespace: \
                           argocd}\nspec:\n  destination: {namespace: shop}\n  source:\n    repoURL: \
                           git@example.com:o/r.git\n    path: PATH\nMORE";

fn application(name: &str, path: &str, more: &str) -> String {
    APPLICATION.replace("NAME", name).replace("PATH", path).replace("MORE", more)
}

fn argocd() -> MemoryWorld {
    with_chart(MemoryWorld::new(), "charts/web")
        .with("onepane.yaml", "follow: argocd\nrepository: https://example.com/o/r\nclusters: {eu: apps/root}\n")
        .with("apps/root/plain.yaml", application("plain", "plain", "    directory: {recurse: true, exclude: '{skip*,*/skip*}'}\n"))
        .with("apps/root/tree.yaml", application("tree", "tree", "    kustomize: {namePrefix: p-, images: ['nginx=web:2'], commonLabels: {team: a}}\n"))
        .with("apps/root/chart.yaml", application("chart", "charts/web", "    helm: {releaseName: r, valueFiles: [/over.yaml], valuesObject: {b: 3}, parameters: [{name: deep.c, value: '4', forceString: true}]}\n"))
        .with("over.yaml", "a: 2\nb: 2\n")
        .with("plain/one.yaml", config("one", "a"))
        .with("plain/below/two.yaml", config("two", "b"))
        .with("plain/below/skip.yaml", config("three", "c"))
        .with("plain/job.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: once-}\n")
        .with("plain/values.yaml", "no: manifest\n")
        .with("plain/x.jsonnet", "{}")
        .with("tree/kustomization.yaml", "resources: [pod.yaml]\n")
        .with("tree/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{image: nginx}]}\n")
}

#[test]
fn applications_of_argo_cd_are_kustomizations_charts_and_folders() {
    let (names, said) = built(&argocd(), "eu");
    for name in ["ConfigMap shop/one", "ConfigMap shop/two", "Pod shop/p-web", "Pod shop/r", "Job shop/"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?} {said:?}");
    }
    assert!(!names.iter().any(|name| name.ends_with("/three")), "{names:?}");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`plain/x.jsonnet` is Jsonnet"), "{said:?}");
    let pod = manifest(&argocd(), "eu", "Pod", "p-web");
    assert!(pod.contains("image: web:2") && pod.contains("team: a"), "{pod}");
    let release = manifest(&argocd(), "eu", "Pod", "r");
    assert!(release.contains("  a: \"2\"\n  b: \"3\"\n  c: \"4\"\n  namespace: shop\n"), "{release}");
}

#[test]
fn several_sources_lend_one_another_values_files() {
    let sources = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: several, namespace: argocd}\nspec:\n  \
                   destination: {namespace: shop}\n  sources:\n  - {repoURL: 'https://charts.example.com/two', chart: web, \
                   targetRevision: 2.0.0, helm: {valueFiles: [$own/over.yaml, $gone/x.yaml], values: 'b: 9'}}\n  - \
                   {repoURL: 'https://example.com/o/r.git', ref: own}\n  - {repoURL: 'https://example.com/o/r.git', path: \
                   tree}\n";
    let world = argocd().with("apps/root/several.yaml", sources);
    let release = manifest(&world, "eu", "Pod", "several");
    assert!(release.contains("  a: \"2\"\n  b: \"9\"\n  c: \"1\"\n  namespace: shop\n"), "{release}");
    let (names, said) = built(&world, "eu");
    assert!(names.iter().any(|name| name == "Pod shop/web"), "{names:?}");
    assert!(
        said.iter().any(|one| one.contains("the values file `$gone/x.yaml` is not in this repository")),
        "{said:?}"
    );
    let asked = SHELF.0.lock().expect("nobody panics with it");
    assert!(asked.iter().any(|wanted| wanted.address == "https://charts.example.com/two" && wanted.version == "2.0.0"));
}

#[test]
fn sets_of_argo_cd_make_applications_of_lists_and_folders() {
    let set =
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n";
    let template = |name: &str, path: &str| {
        format!(
            "  template:\n    metadata: {{name: '{name}'}}\n    spec:\n      destination: {{namespace: shop}}\n      \
             source: {{repoURL: 'https://example.com/o/r.git', path: '{path}'}}\n"
        )
    };
    let git =
        "git: {repoURL: 'https://example.com/o/r', directories: [{path: envs/*}, {path: envs/old, exclude: true}]}";
    let list = "list: {elements: [{team: a}, {team: b}]}";
    let world = argocd()
        .with("envs/dev/one.yaml", config("dev", "a"))
        .with("envs/old/one.yaml", config("old", "a"))
        .with("a/dev/x.yaml", config("a-dev", "a"))
        .with("b/dev/x.yaml", config("b-dev", "a"))
        .with(
            "apps/root/folders.yaml",
            format!("{set}  generators: [{{{git}}}]\n{}", template("e-{{path.basename}}", "{{path}}")),
        )
        .with(
            "apps/root/matrix.yaml",
            format!(
                "{set}  goTemplate: true\n  generators: [{{matrix: {{generators: [{{{git}}}, {{{list}}}]}}}}]\n{}",
                template("m-{{ .team | upper | lower }}", "{{ .team }}/{{ .path.basename }}")
            )
            .replace("name: set", "name: matrix"),
        )
        .with(
            "apps/root/clusters.yaml",
            format!("{set}  generators: [{{clusters: {{}}}}]\n{}", template("x", "x"))
                .replace("name: set", "name: clusters"),
        );
    let (names, said) = built(&world, "eu");
    for name in [
        "Application argocd/e-dev",
        "ConfigMap shop/dev",
        "Application argocd/m-a",
        "Application argocd/m-b",
        "ConfigMap shop/a-dev",
        "ConfigMap shop/b-dev",
    ] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?} {said:?}");
    }
    assert!(!names.iter().any(|name| name.ends_with("/old") || name.ends_with("e-old")), "{names:?}");
    assert!(said.iter().any(|one| one.contains("the generator `clusters` asks which clusters")), "{said:?}");
    // Clusters that are registered in the repository are known.
    let cluster = "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME, namespace: argocd, labels: {argocd.argoproj.io/secret-type: \
                   cluster, region: REGION}}\nstringData: {name: NAME, server: 'https://NAME', config: hunter2}\n";
    let of = |name, region| cluster.replace("NAME", name).replace("REGION", region);
    let set = format!(
        "{set}  generators: [{{clusters: {{selector: {{matchLabels: {{region: eu}}}}}}}}]\n{}",
        template("c-{{name}}-{{metadata.labels.region}}", "{{nameNormalized}}/dev")
    );
    let world = world
        .with("apps/root/a.yaml", of("A", "eu"))
        .with("apps/root/b.yaml", of("b", "us"))
        .with("apps/root/clusters.yaml", set.replace("name: set", "name: clusters"));
    let (names, said) = built(&world, "eu");
    assert!(names.iter().any(|name| name == "Application argocd/c-A-eu"), "{names:?} {said:?}");
    assert!(!names.iter().any(|name| name.starts_with("Application argocd/c-b")), "{names:?}");
}

#[test]
fn nothing_is_followed_unless_the_repository_says_so() {
    let world = MemoryWorld::new()
        .with("clusters/eu/kustomization.yaml", "resources: [apps.yaml]\n")
        .with("clusters/eu/apps.yaml", kustomization("apps", "./apps", ""))
        .with("apps/one.yaml", config("one", "a"));
    assert_eq!(built(&world, "eu").0, ["Kustomization flux-system/apps"]);
}
