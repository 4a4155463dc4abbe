//! Versions that Applications of Argo CD and Kustomizations of Flux say themselves: changed where they stand.

mod edits;

use edits::{changed, with_chart};
use onepane_repo::Repository;
use onepane_world::MemoryWorld;
use std::collections::BTreeMap;

/// Two clusters of Argo CD, each with its own Application, of which that of `dev` has this source.
fn argocd(source: &str) -> MemoryWorld {
    let own = "git@example.com:o/r.git";
    let application = |source: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: argocd}}\nspec:\n  \
             destination: {{namespace: shop}}\n{}",
            source.replace("OWN", own)
        )
    };
    let plain = "  source:\n    repoURL: OWN\n    path: charts/web\n    helm: {values: 'image: {tag: v1}'}\n";
    with_chart(MemoryWorld::new(), "charts/web")
        .with("onepane.yaml", "follow: argocd\nrepository: https://example.com/o/r\nclusters: {dev: apps/dev, prod: apps/prod}\n")
        .with("apps/dev/kustomization.yaml", "resources: [web.yaml]\n")
        .with("apps/prod/kustomization.yaml", "resources: [web.yaml]\n")
        .with("apps/dev/web.yaml", application(source))
        .with("apps/prod/web.yaml", application(plain))
        .with("tree/kustomization.yaml", "resources: [pod.yaml]\n")
        .with("tree/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: r.example.com/web}]}\n")
}

/// The one line of the Application that changes.
fn line(source: &str, to: &str) -> String {
    let (lines, why) = changed(&argocd(source), to);
    assert!(lines.len() == 1 && why.is_none(), "{lines:?} {why:?}");
    lines[0].strip_prefix("apps/dev/web.yaml: ").unwrap_or_else(|| panic!("{lines:?}")).to_owned()
}

const CHART: &str = "  source:\n    repoURL: OWN\n    path: charts/web\n";

#[test]
fn values_of_an_application_are_changed_where_they_stand() {
    for (helm, to, expected) in [
        (
            "    helm:\n      values: |\n        # ours\n        image:\n          tag: v1 # now\n",
            ":v2",
            "          tag: v1 # now →           tag: v2 # now",
        ),
        (
            "    helm:\n      values: 'image: {tag: v1}'\n",
            ":v2",
            "      values: 'image: {tag: v1}' →       values: 'image: {tag: v2}'",
        ),
        (
            "    helm:\n      valuesObject:\n        image: {tag: \"1.10\"} # now\n",
            ":1.20",
            "        image: {tag: \"1.10\"} # now →         image: {tag: \"1.20\"} # now",
        ),
        (
            "    helm:\n      parameters:\n      - name: image.tag\n        value: v1 # now\n",
            ":v2",
            "        value: v1 # now →         value: v2 # now",
        ),
        (
            "    helm:\n      parameters:\n      - {name: image.tag, value: '1.1', forceString: true}\n",
            ":1.20",
            "      - {name: image.tag, value: '1.1', forceString: true} →       - {name: image.tag, value: '1.20', forceString: true}",
        ),
        // The last has the word.
        (
            "    helm:\n      values: 'image: {tag: v1}'\n      parameters:\n      - name: image.tag\n        value: v1\n",
            ":v2",
            "        value: v1 →         value: v2",
        ),
        (
            "    helm:\n      values: |\n        image: {tag: v1}\n      parameters:\n      - name: other\n        value: v1\n",
            ":v2",
            "        image: {tag: v1} →         image: {tag: v2}",
        ),
        (
            "    helm:\n      parameters:\n      - name: whole\n        value: r.example.com/web:v1\n",
            ":v2",
            "        value: r.example.com/web:v1 →         value: r.example.com/web:v2",
        ),
    ] {
        assert_eq!(line(&format!("{CHART}{helm}"), to), expected, "{helm}");
    }
}

#[test]
fn one_of_several_sources_is_changed() {
    let sources = "  sources:\n  - repoURL: OWN\n    ref: own\n  - repoURL: OWN\n    path: charts/web\n    helm:\n      valueFiles: [$own/values/dev.yaml]\n";
    let world = argocd(sources).with("values/dev.yaml", "image: {tag: v1} # dev\n");
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["values/dev.yaml: image: {tag: v1} # dev → image: {tag: v2} # dev".to_owned()], None)
    );
    let inline = sources.replace("valueFiles: [$own/values/dev.yaml]", "values: |-\n        image:\n          tag: v1");
    assert_eq!(line(&inline, ":v2"), "          tag: v1 →           tag: v2");
}

#[test]
fn images_of_an_application_are_changed_where_they_stand() {
    let tree = "  source:\n    repoURL: OWN\n    path: tree\n    kustomize:\n      images:\n";
    for (image, to, expected) in [
        ("r.example.com/web:v1", ":v2", "r.example.com/web:v2"),
        ("r.example.com/web@sha256:aa", ":v2@sha256:bb", "r.example.com/web:v2@sha256:bb"),
        ("r.example.com/web=r.example.com/web:v1", ":v2", "r.example.com/web=r.example.com/web:v2"),
    ] {
        let lines = format!("{tree}      - {image} # now\n");
        assert_eq!(line(&lines, to), format!("      - {image} # now →       - {expected} # now"));
    }
    // An entry of the folder's own says something else.
    let world = argocd(&format!("{tree}      - r.example.com/web:v1\n"))
        .with("tree/kustomization.yaml", "resources: [pod.yaml]\nimages:\n- name: r.example.com/web\n  newTag: v0\n");
    assert_eq!(
        changed(&world, ":v2"),
        (vec!["apps/dev/web.yaml:       - r.example.com/web:v1 →       - r.example.com/web:v2".to_owned()], None)
    );
    // One for both clusters is left alone, and nothing else can say it.
    let shared = argocd(CHART)
        .with("apps/dev/kustomization.yaml", "resources: [../base]\n")
        .with("apps/prod/kustomization.yaml", "resources: [../base]\n")
        .with("apps/base/kustomization.yaml", "resources: [web.yaml]\n")
        .with(
            "apps/base/web.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n  destination: \
             {namespace: shop}\n  source: {repoURL: 'git@example.com:o/r.git', path: tree, kustomize: {images: ['r.example.com/web:v1']}}\n",
        );
    let repository = Repository::open(&shared).expect("the layout is good");
    let wanted = BTreeMap::from([("r.example.com/web".to_owned(), edits::version(":v2"))]);
    let error = repository.promote("apps/dev".into(), &wanted).expect_err("it is not for dev alone");
    assert_eq!(error.code, "promote-not-taken", "{error:?}");
}

#[test]
fn what_an_application_set_says_is_changed() {
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: web, namespace: argocd}\nspec:\n  \
               generators:\n  - list:\n      elements:\n      - {name: one, tag: v1} # now\n  template:\n    metadata: {name: '{{name}}'}\n    \
               spec:\n      destination: {namespace: shop}\n      source:\n        repoURL: 'https://example.com/o/r'\n        path: charts/web\n        \
               helm:\n          values: |\n            image:\n              tag: '{{tag}}'\n";
    let world = argocd(CHART).with("apps/dev/web.yaml", set);
    assert_eq!(
        changed(&world, ":v2"),
        (
            vec![
                "apps/dev/web.yaml:       - {name: one, tag: v1} # now →       - {name: one, tag: v2} # now".to_owned()
            ],
            None
        )
    );
    // Several that run the same image.
    let several = set.replace("      - {name: one", "      - {name: two, tag: v1}\n      - {name: one");
    assert_eq!(
        changed(&argocd(CHART).with("apps/dev/web.yaml", several), ":v2"),
        (
            vec![
                "apps/dev/web.yaml:       - {name: two, tag: v1} →       - {name: two, tag: v2}".to_owned(),
                "apps/dev/web.yaml:       - {name: one, tag: v1} # now →       - {name: one, tag: v2} # now".to_owned()
            ],
            None
        )
    );
    // Beside what is filled in.
    let beside = set.replace("tag: '{{tag}}'", "tag: v1 # now\n              of: '{{name}}'").replace(", tag: v1", "");
    assert_eq!(
        changed(&argocd(CHART).with("apps/dev/web.yaml", beside), ":v2"),
        (vec!["apps/dev/web.yaml:               tag: v1 # now →               tag: v2 # now".to_owned()], None)
    );
}

#[test]
fn images_and_patches_of_a_kustomization_of_flux_are_changed_where_they_stand() {
    let kustomization = |name: &str, path: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: \
             flux-system}}\nspec:\n  path: {path}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
        )
    };
    let flux = |more: &str| {
        let mut world = MemoryWorld::new()
            .with("onepane.yaml", "follow: flux\n")
            .with("apps/web/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: r.example.com/web}]}\n");
        for name in ["dev", "prod"] {
            world = world
                .with(format!("clusters/{name}/flux-system/kustomization.yaml"), "resources: [sync.yaml]\n")
                .with(
                    format!("clusters/{name}/flux-system/sync.yaml"),
                    kustomization("flux-system", &format!("./clusters/{name}"), ""),
                )
                .with(format!("clusters/{name}/apps.yaml"), kustomization("apps", "./apps/web", more));
        }
        world
    };
    let images = "  images:\n  - name: r.example.com/web\n    newTag: v1 # now\n";
    assert_eq!(
        changed(&flux(images), ":v2"),
        (vec!["clusters/dev/apps.yaml:     newTag: v1 # now →     newTag: v2 # now".to_owned()], None)
    );
    let patch = "  patches:\n  - patch: |\n      apiVersion: v1\n      kind: Pod\n      metadata: {name: web}\n      spec: {containers: [{name: a, image: 'r.example.com/web:v1'}]}\n";
    let (lines, why) = changed(&flux(patch), ":v2");
    assert_eq!((lines.len(), why), (1, None), "{lines:?}");
    assert!(
        lines[0].starts_with("clusters/dev/apps.yaml: ") && lines[0].ends_with("'r.example.com/web:v2'}]}"),
        "{lines:?}"
    );
}
