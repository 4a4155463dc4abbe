//! Versions that values say: changed in their lines where only the environment is made of them, and nowhere else.

mod edits;

use edits::{changed, lines, promoted, version, with_chart};
use onepane_repo::{LastChart, Repository};
use onepane_world::{Edited, MemoryWorld};
use std::collections::BTreeMap;

/// The clusters `dev` and `prod`, each with these lines in its kustomization.
fn clusters(dev: &str, prod: &str) -> MemoryWorld {
    let mut world = MemoryWorld::new();
    for (name, text) in [("dev", dev), ("prod", prod)] {
        world = with_chart(world, &format!("clusters/{name}/charts/web"))
            .with(format!("clusters/{name}/kustomization.yaml"), text);
    }
    world
}

const CHART: &str = "helmCharts:\n- name: web\n  releaseName: web\n";

#[test]
fn a_line_of_a_values_file_is_changed() {
    let entry = format!("{CHART}  valuesFile: values.yaml\n");
    for (values, to, expected) in [
        (
            "# ours\nimage:\n  tag: 1.2.3   # kept\nother: 1.2.3\n",
            ":1.3.0",
            "  tag: 1.2.3   # kept →   tag: 1.3.0   # kept",
        ),
        ("image:\n  tag: \"1.2.3\"\n", ":1.3.0", "  tag: \"1.2.3\" →   tag: \"1.3.0\""),
        (
            "image: {tag: '1.2.3', pullPolicy: Always}\n",
            ":1.3.0",
            "image: {tag: '1.2.3', pullPolicy: Always} → image: {tag: '1.3.0', pullPolicy: Always}",
        ),
        // The number that it is read as is 1.1.
        ("image:\n  tag: 1.10 # no string\n", ":1.20", "  tag: 1.10 # no string →   tag: \"1.20\" # no string"),
        ("image:\n  tag: 7\n", ":1.3.0", "  tag: 7 →   tag: 1.3.0"),
        ("image:\r\n  tag: 1.2.3 # kept\r\n", ":1.3.0", "  tag: 1.2.3 # kept\r →   tag: 1.3.0 # kept\r"),
        (
            "whole: r.example.com/web:1.2.3\n",
            ":1.3.0",
            "whole: r.example.com/web:1.2.3 → whole: r.example.com/web:1.3.0",
        ),
        (
            "whole: 'r.example.com/web@sha256:aa'\n",
            ":1@sha256:bb",
            "whole: 'r.example.com/web@sha256:aa' → whole: 'r.example.com/web:1@sha256:bb'",
        ),
    ] {
        let world = clusters(&entry, CHART).with("clusters/dev/values.yaml", values);
        assert_eq!(changed(&world, to), (vec![format!("clusters/dev/values.yaml: {expected}")], None), "{values}");
    }
}

#[test]
fn tags_and_digests_go_together() {
    let entry = format!("{CHART}  valuesFile: values.yaml\n");
    let at = |values: &str, to: &str| {
        let (lines, why) = changed(&clusters(&entry, CHART).with("clusters/dev/values.yaml", values), to);
        let lines: Vec<String> = lines.into_iter().map(|line| line.replace("clusters/dev/values.yaml: ", "")).collect();
        (lines, why)
    };
    let both = "image:\n  tag: '1'\n  digest: sha256:aa\n";
    assert_eq!(
        at(both, ":2@sha256:bb"),
        (vec!["  tag: '1' →   tag: '2'".to_owned(), "  digest: sha256:aa →   digest: sha256:bb".to_owned()], None)
    );
    assert_eq!(at(both, ":2").0[1], "  digest: sha256:aa →   digest: \"\"");
    let empty = "image:\n  tag: '1'\n  digest: ''\n";
    assert_eq!(at(empty, ":1@sha256:bb").0, ["  digest: '' →   digest: 'sha256:bb'"]);
    let (lines, why) = at("image:\n  tag: '1'\n", ":1@sha256:bb");
    assert!(lines.iter().any(|line| line.contains("digest: sha256:bb")), "{lines:?}");
    assert_eq!(why.as_deref(), Some("no line says the digest"));
}

#[test]
fn inline_values_and_additional_files_are_changed_too() {
    let inline = format!("# one\n{CHART}  valuesInline:\n    image: {{tag: v1}} # here\n");
    assert_eq!(
        changed(&clusters(&inline, CHART), ":v2"),
        (
            vec![
                "clusters/dev/kustomization.yaml:     image: {tag: v1} # here →     image: {tag: v2} # here".to_owned()
            ],
            None
        )
    );
    // The last file has the word.
    let entry = format!("{CHART}  valuesFile: a.yaml\n  additionalValuesFiles: [b.yaml]\n");
    let world = clusters(&entry, CHART)
        .with("clusters/dev/a.yaml", "image: {tag: v1}\n")
        .with("clusters/dev/b.yaml", "image: {tag: v1}\n");
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["clusters/dev/b.yaml: image: {tag: v1} → image: {tag: v2}".to_owned()], None)
    );
}

#[test]
fn what_is_not_for_the_environment_alone_or_not_ours_is_left_alone() {
    let own_entry = |lines: &[String]| {
        assert!(lines.iter().all(|line| line.starts_with("clusters/dev/kustomization.yaml: + ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("newTag: v2")), "{lines:?}");
    };
    let base = "resources: [../../base]\n";
    let shared = |dev: &str, prod: &str| {
        with_chart(MemoryWorld::new(), "base/charts/web")
            .with("base/kustomization.yaml", format!("{CHART}  valuesFile: values.yaml\n"))
            .with("base/values.yaml", "image: {tag: v1}\n")
            .with("clusters/dev/kustomization.yaml", dev)
            .with("clusters/prod/kustomization.yaml", prod)
    };
    let (lines, why) = changed(&shared(base, base), ":v2");
    own_entry(&lines);
    assert_eq!(why.as_deref(), Some("base/values.yaml is not for clusters/dev alone"));
    // Nobody else reads it.
    let (lines, why) = changed(&shared(base, "resources: []\n"), ":v2");
    assert_eq!((lines, why), (vec!["base/values.yaml: image: {tag: v1} → image: {tag: v2}".to_owned()], None));
    // A folder changes what all of its readers are made of.
    let world = shared(base, base);
    let promotion = promoted(&world, "base", "r.example.com/web", ":v2");
    assert_eq!(edits::lines(&world, &promotion), ["base/values.yaml: image: {tag: v1} → image: {tag: v2}"]);
    // Not of those that read the file without the folder.
    let group = "resources: [../../base]\n";
    let world = shared("resources: [../../groups/one]\n", base).with("groups/one/kustomization.yaml", group);
    let promotion = promoted(&world, "groups/one", "r.example.com/web", ":v2");
    assert_eq!(promotion.carried[0].file, "groups/one/kustomization.yaml");
    assert_eq!(promotion.carried[0].left.as_deref(), Some("base/values.yaml is not for groups/one alone"));

    let entry = format!("{CHART}  valuesFile: values.yaml\n");
    for (values, expected) in [
        ("t: &t v1\nimage: {tag: *t}\n", "values.yaml:2 says it by an alias"),
        ("image:\n  tag: &t v1\n", "it has an anchor or a tag"),
        ("image:\n  tag: >-\n    v1\n", "it is a block"),
        ("other: v1\n", "no line says the version"),
    ] {
        let tag = if values.contains("other") { ":9.9.9" } else { ":v1" };
        let world = clusters(&entry, CHART).with("clusters/dev/values.yaml", values);
        let repository = Repository::open(&world).expect("the layout is good");
        let running = repository.running("clusters/dev".into(), &|_| true).expect("it builds").wanted;
        assert_eq!(running["r.example.com/web"], version(tag));
        let (lines, why) = changed(&world, ":v2");
        own_entry(&lines);
        let why = why.expect("it is told");
        assert!(why.contains(expected), "{values}: {why}");
    }
    // What a chart is delivered with is not an environment's.
    let world = clusters(CHART, CHART)
        .with("clusters/dev/charts/web/values.yaml", "image: {repository: r.example.com/web, tag: v1}\nwhole: ''\n");
    let (lines, _) = changed(&world, ":v2");
    own_entry(&lines);
}

#[test]
fn a_line_for_several_images_is_changed_for_all_or_for_none() {
    let pods = "{{ range list \"a\" \"b\" }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: '{{ . }}'}\nspec: \
                {containers: [{name: a, image: 'r.example.com/{{ . }}:{{ $.Values.tag }}'}]}\n{{ end }}\n";
    let world = clusters(&format!("{CHART}  valuesInline: {{tag: v1}}\n"), "resources: []\n")
        .with("clusters/dev/charts/web/templates/pod.yaml", pods);
    let promotion = promoted(&world, "dev", "r.example.com/a", ":v2");
    assert_eq!(promotion.carried[0].left.as_deref(), Some("the image r.example.com/b would change as well"));
    let repository = Repository::open(&world).expect("the layout is good");
    let wanted = ["a", "b"].map(|name| (format!("r.example.com/{name}"), version(":v2")));
    let promotion = repository.promote("clusters/dev".into(), &BTreeMap::from(wanted)).expect("it can be done");
    assert_eq!(
        lines(&world, &promotion),
        ["clusters/dev/kustomization.yaml:   valuesInline: {tag: v1} →   valuesInline: {tag: v2}"]
    );
    // Those that can be changed are, whatever becomes of others.
    let wanted = BTreeMap::from([
        ("r.example.com/a".to_owned(), version(":v2")),
        ("r.example.com/web".to_owned(), version(":v2")),
    ]);
    let dev = format!(
        "{CHART}  valuesInline: {{tag: v1}}\n- name: other\n  releaseName: o\n  valuesInline: {{image: {{tag: v1}}}}\n"
    );
    let world = with_chart(world.with("clusters/dev/kustomization.yaml", dev), "clusters/dev/charts/other");
    let repository = Repository::open(&world).expect("the layout is good");
    let promotion = repository.promote("clusters/dev".into(), &wanted).expect("it can be done");
    let left: Vec<bool> = promotion.carried.iter().map(|carried| carried.left.is_some()).collect();
    assert_eq!(left, [true, false], "{promotion:?}");
    let text = &promotion.edits[camino::Utf8Path::new("clusters/dev/kustomization.yaml")];
    assert!(text.contains("valuesInline: {tag: v1}\n") && text.contains("{image: {tag: v2}}\n"), "{text}");
}

/// A repository that Flux delivers to two clusters, each with its own overlay over `apps/web`.
fn flux(release: &str, dev: &str, more: &[(&str, &str)]) -> MemoryWorld {
    let mut world = with_chart(MemoryWorld::new(), "charts/web")
        .with("onepane.yaml", "follow: flux\n")
        .with("apps/web/kustomization.yaml", "resources: [release.yaml]\n")
        .with("apps/web/release.yaml", release);
    for name in ["dev", "prod"] {
        let kustomization = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME, namespace: \
             flux-system}\nspec:\n  path: PATH\n  sourceRef: {kind: GitRepository, name: flux-system}\n";
        let of = |name: &str, path: &str| kustomization.replace("NAME", name).replace("PATH", path);
        world = world
            .with(format!("clusters/{name}/flux-system/kustomization.yaml"), "resources: [sync.yaml]\n")
            .with(format!("clusters/{name}/flux-system/sync.yaml"), of("flux-system", &format!("./clusters/{name}")))
            .with(format!("clusters/{name}/apps.yaml"), of("apps", &format!("./apps/{name}")))
            .with(format!("apps/{name}/kustomization.yaml"), if name == "dev" { dev } else { "resources: [../web]\n" });
    }
    more.iter().fold(world, |world, (path, text)| world.with(path, text))
}

fn release(more: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: shop}}\nspec:\n  \
         chart: {{spec: {{chart: ./charts/web, sourceRef: {{kind: GitRepository, name: flux-system, namespace: \
         flux-system}}}}}}\n{more}"
    )
}

#[test]
fn values_of_flux_are_changed_where_they_stand() {
    let values = "  values:\n    image:\n      tag: v1 # now\n";
    // In a patch of the overlay.
    let dev = "resources: [../web]\npatches:\n- path: web.yaml\n";
    let patch = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: shop}\nspec:\n  values:\n    image:\n      tag: v1 # dev's\n";
    let world = flux(&release(values), dev, &[("apps/dev/web.yaml", patch)]);
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["apps/dev/web.yaml:       tag: v1 # dev's →       tag: v2 # dev's".to_owned()], None)
    );
    // In a patch within the kustomization.
    let inline = format!(
        "resources: [../web]\npatches:\n- patch: |-\n{}",
        patch.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    let world = flux(&release(values), &inline, &[]);
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["apps/dev/kustomization.yaml:           tag: v1 # dev's →           tag: v2 # dev's".to_owned()], None)
    );
    // In the object itself, which no other cluster has.
    let own = flux(&release(values), "resources: [web.yaml]\n", &[("apps/dev/web.yaml", &release(values))]);
    assert_eq!(
        changed(&own, ":v2"),
        (vec!["apps/dev/web.yaml:       tag: v1 # now →       tag: v2 # now".to_owned()], None)
    );
    // In a values file that became a ConfigMap.
    let from = release("  valuesFrom:\n  - {kind: ConfigMap, name: web}\n");
    let dev = "resources: [web.yaml]\nnamespace: shop\nconfigMapGenerator:\n- name: web\n  options: {disableNameSuffixHash: true}\n  files: [values.yaml]\n";
    let world = flux(
        &release(values),
        dev,
        &[("apps/dev/web.yaml", &from), ("apps/dev/values.yaml", "# dev\nimage:\n  tag: \"v1\"\n")],
    );
    assert_eq!(changed(&world, ":v2"), (vec!["apps/dev/values.yaml:   tag: \"v1\" →   tag: \"v2\"".to_owned()], None));
    // The object that both have is left alone, and nothing else can say it.
    let world = flux(&release(values), "resources: [../web]\n", &[]);
    let repository = Repository::open(&world).expect("the layout is good");
    let wanted = BTreeMap::from([("r.example.com/web".to_owned(), version(":v2"))]);
    let error = repository.promote("clusters/dev".into(), &wanted).expect_err("it is not for dev alone");
    assert!(error.message.contains("kustomization") || error.message.contains("apps/web/release.yaml"), "{error}");
}

/// A repository whose charts are rendered by a state file, rendered.
fn releases(state: &str, more: &[(&str, &str)]) -> MemoryWorld {
    let mut world = with_chart(MemoryWorld::new(), "helm-charts/web").with("helm-charts/helmfile.yaml.gotmpl", state);
    for name in ["dev", "prod"] {
        let text = format!("resources: [../../helm-charts/rendered/web-{name}]\n");
        world = world.with(format!("clusters/{name}/kustomization.yaml"), text);
    }
    world = more.iter().fold(world, |world, (path, text)| world.with(path, text));
    let files = {
        let repository = Repository::open(&world).expect("the layout is good");
        let state = repository.state("default").unwrap_or_else(|error| panic!("{error:?}"));
        let render = |release| repository.render(release, &mut LastChart::default()).expect("it renders").files;
        state.releases.iter().flat_map(render).collect::<Vec<_>>()
    };
    files.into_iter().fold(world, |world, file| world.with(file.path, file.contents))
}

const STATE: &str = "\
environments:
  default:
    values: [env.yaml]
---
releases:
{{- range list \"dev\" \"prod\" }}
- name: web-{{ . }}
  chart: ./web
  values:
  - common.yaml
  - {{ . }}.yaml.gotmpl
{{- end }}
";

#[test]
fn values_of_releases_are_changed_and_rendered() {
    let plain = "releases:\n- {name: web-dev, chart: ./web, values: [common.yaml, dev.yaml]}\n- name: web-prod\n  chart: ./web\n  values:\n  - common.yaml\n  - image: {tag: v1} # prod's\n- name: web-set\n  chart: ./web\n  set:\n  - name: image.tag\n    value: v5\n";
    let files = [
        ("helm-charts/common.yaml", "image: {pullPolicy: Always}\n"),
        ("helm-charts/dev.yaml", "image:\n  tag: v1 # dev's\n"),
    ];
    let world = releases(plain, &files);
    let rendered = |name: &str| {
        format!(
            "helm-charts/rendered/web-{name}/pod-web-{name}.yaml:     image: r.example.com/web:v1 →     image: r.example.com/web:v2"
        )
    };
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["helm-charts/dev.yaml:   tag: v1 # dev's →   tag: v2 # dev's".to_owned(), rendered("dev")], None)
    );
    // What comes of it is what the release renders to.
    let promotion = promoted(&world, "prod", "r.example.com/web", ":v2");
    assert_eq!(
        lines(&world, &promotion),
        [
            "helm-charts/helmfile.yaml.gotmpl:   - image: {tag: v1} # prod's →   - image: {tag: v2} # prod's"
                .to_owned(),
            rendered("prod")
        ]
    );
    let edited = Edited::new(&world, promotion.edits.clone());
    let repository = Repository::open(&edited).expect("the layout is good");
    for release in &repository.state("default").expect("it can be read").releases {
        let rendered = repository.render(release, &mut LastChart::default()).expect("it renders");
        assert_eq!(repository.differences(&rendered).expect("it can be listed"), []);
    }
    // `set:`
    let world = world.with("clusters/dev/kustomization.yaml", "resources: [../../helm-charts/rendered/web-set]\n");
    let (lines, why) = changed(&world, ":v6");
    assert_eq!((lines[0].as_str(), why), ("helm-charts/helmfile.yaml.gotmpl:     value: v5 →     value: v6", None));
    // What both inherit.
    let files = [("helm-charts/common.yaml", "image: {tag: v1}\n"), ("helm-charts/dev.yaml", "{}\n")];
    let world = releases(&plain.replace("- image: {tag: v1} # prod's", "- a: 1"), &files);
    let (lines, why) = changed(&world, ":v2");
    assert!(lines.iter().all(|line| line.starts_with("clusters/dev/kustomization.yaml: + ")), "{lines:?}");
    assert!(why.as_deref().is_some_and(|why| why.contains("rendered/web-prod/")), "{why:?}");
    // What is on disk is something else.
    let stale = world.with("helm-charts/rendered/web-dev/pod-web-dev.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web-dev}\nspec: {containers: [{name: main, image: 'r.example.com/web:v1'}]}\n");
    let (_, why) = changed(&stale, ":v2");
    assert!(why.as_deref().is_some_and(|why| why.contains("is not what its release renders to")), "{why:?}");
}

#[test]
fn values_of_a_states_environment_are_found() {
    let files = [
        ("helm-charts/env.yaml", "tags:\n  dev: \"v1\" # first\n  prod: \"v1\"\n"),
        ("helm-charts/common.yaml", "a: 1\n"),
        ("helm-charts/dev.yaml.gotmpl", "image:\n  tag: {{ .Values.tags.dev }}\n"),
        ("helm-charts/prod.yaml.gotmpl", "image:\n  tag: {{ .Values.tags.prod }}\n"),
    ];
    let world = releases(STATE, &files);
    let (lines, why) = changed(&world, ":v2");
    assert_eq!(
        (lines[0].as_str(), lines.len(), why),
        ("helm-charts/env.yaml:   dev: \"v1\" # first →   dev: \"v2\" # first", 2, None)
    );
}
