//! Versions that patches say: changed in their lines, in files of their own and in the texts of kustomizations.

mod edits;

use edits::{changed, lines, promoted};
use onepane_world::MemoryWorld;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: main
        image: r.example.com/web:v0
      - name: side
        image: r.example.com/side:v0
";

/// The clusters `dev` and `prod` over one base, each with these lines in its kustomization.
fn clusters(dev: &str, prod: &str) -> MemoryWorld {
    let head = "resources: [../../base]\n";
    MemoryWorld::new()
        .with("base/kustomization.yaml", "resources: [web.yaml]\n")
        .with("base/web.yaml", DEPLOYMENT)
        .with("clusters/dev/kustomization.yaml", format!("{head}{dev}"))
        .with("clusters/prod/kustomization.yaml", format!("{head}{prod}"))
}

/// A strategic merge patch that says `image`, each line behind `indentation`.
fn merge(image: &str, indentation: &str) -> String {
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n      containers:\n      \
         - name: main\n        image: {image}\n"
    );
    text.lines().map(|line| format!("{indentation}{line}\n")).collect()
}

const TARGET: &str = "  target: {kind: Deployment, name: web}\n";

/// The one line that changes, without its file.
fn line(world: &MemoryWorld, to: &str) -> String {
    let (lines, why) = changed(world, to);
    assert!(why.is_none() && lines.len() == 1, "{lines:?} {why:?}");
    lines[0].strip_prefix("clusters/dev/kustomization.yaml: ").unwrap_or(&lines[0]).to_owned()
}

#[test]
fn a_line_of_a_patch_within_a_kustomization_is_changed() {
    let path = "/spec/template/spec/containers/0/image";
    for (patch, to, expected) in [
        (
            format!("patches:\n- patch: |-\n{}", merge("r.example.com/web:v1 # ours", "    ")),
            ":v2",
            "            image: r.example.com/web:v1 # ours →             image: r.example.com/web:v2 # ours",
        ),
        (
            format!("patches:\n- patch: |\n\n{}{TARGET}", merge("'r.example.com/web:v1'", "      ")),
            ":v2@sha256:aa",
            "              image: 'r.example.com/web:v1' →               image: 'r.example.com/web:v2@sha256:aa'",
        ),
        (
            format!("patchesStrategicMerge:\n- |-\n{}", merge("r.example.com/web@sha256:aa", "  ")),
            ":v2",
            "          image: r.example.com/web@sha256:aa →           image: r.example.com/web:v2",
        ),
        (
            format!(
                "patches:\n- patch: |-\n    - op: replace # it\n      path: {path}\n      value: r.example.com/web:v1\n{TARGET}"
            ),
            ":v2",
            "      value: r.example.com/web:v1 →       value: r.example.com/web:v2",
        ),
        (
            format!(
                "patches:\n- patch: '[{{\"op\": \"replace\", \"path\": \"{path}\", \"value\": \"r.example.com/web:v1\"}}]'\n{TARGET}"
            ),
            ":v2",
            "- patch: '[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"r.example.com/web:v1\"}]' → - patch: '[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"r.example.com/web:v2\"}]'",
        ),
        (
            format!(
                "patches:\n- patch: |-\n    [\n      {{\"op\": \"add\", \"path\": \"{path}\",\n       \"value\": \"r.example.com/web:v1\"}}\n    ]\n{TARGET}"
            ),
            ":v2",
            "       \"value\": \"r.example.com/web:v1\"} →        \"value\": \"r.example.com/web:v2\"}",
        ),
        (
            format!(
                "patchesJson6902:\n- patch: |-\n    - {{op: add, path: /spec/template/spec/containers/-, value: {{name: x, image: 'r.example.com/web:v1'}}}}\n    - {{op: remove, path: /spec/template/spec/containers/0}}\n{}",
                TARGET.replace("{kind", "{group: apps, version: v1, kind")
            ),
            ":v2",
            "    - {op: add, path: /spec/template/spec/containers/-, value: {name: x, image: 'r.example.com/web:v1'}} →     - {op: add, path: /spec/template/spec/containers/-, value: {name: x, image: 'r.example.com/web:v2'}}",
        ),
    ] {
        assert_eq!(line(&clusters(&patch, ""), to), expected, "{patch}");
    }
    // Ends of lines stay.
    let patch = format!("patches:\n- patch: |-\n{}", merge("r.example.com/web:v1", "    ")).replace('\n', "\r\n");
    assert_eq!(
        line(&clusters(&patch, ""), ":v2"),
        "            image: r.example.com/web:v1\r →             image: r.example.com/web:v2\r"
    );
}

#[test]
fn a_line_of_a_patch_in_a_file_is_changed() {
    let world = clusters("patches:\n- path: web.yaml\n", "")
        .with("clusters/dev/web.yaml", merge("r.example.com/web:v1 # ours", ""));
    assert_eq!(
        line(&world, ":v2"),
        "clusters/dev/web.yaml:         image: r.example.com/web:v1 # ours →         image: r.example.com/web:v2 # ours"
    );
    let patch = "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"r.example.com/web:v1\"}]\n";
    let world = clusters(&format!("patches:\n- path: web.json\n{TARGET}"), "").with("clusters/dev/web.json", patch);
    let (lines, why) = changed(&world, ":v2");
    assert_eq!((lines.len(), why), (1, None), "{lines:?}");
    assert!(lines[0].starts_with("clusters/dev/web.json: "), "{lines:?}");
}

#[test]
fn a_patch_that_is_not_for_the_environment_alone_or_not_on_one_line_is_left_alone() {
    let own_entry = |world: &MemoryWorld, expected: &str| {
        let (lines, why) = changed(world, ":v2");
        assert!(lines.iter().all(|line| line.starts_with("clusters/dev/kustomization.yaml: + ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("newTag: v2")), "{lines:?}");
        assert!(why.as_deref().is_some_and(|why| why.contains(expected)), "{why:?}");
    };
    let patch = format!("resources: [web.yaml]\npatches:\n- patch: |-\n{}", merge("r.example.com/web:v1", "    "));
    let world = clusters("", "").with("base/kustomization.yaml", patch);
    own_entry(&world, "base/kustomization.yaml is not for clusters/dev alone");
    // The folder that both are made of says it for both.
    let promotion = promoted(&world, "base", "r.example.com/web", ":v2");
    assert_eq!(
        lines(&world, &promotion),
        ["base/kustomization.yaml:             image: r.example.com/web:v1 →             image: r.example.com/web:v2"]
    );
    for (image, expected) in
        [("&v r.example.com/web:v1", "it has an anchor or a tag"), ("!!str r.example.com/web:v1", "anchor or a tag")]
    {
        own_entry(&clusters(&format!("patches:\n- patch: |-\n{}", merge(image, "    ")), ""), expected);
    }
    // In quotes with escapes: no line says it as it reads.
    let escaped = merge("r.example.com/web:v1", "").replace('\n', "\\n");
    own_entry(&clusters(&format!("patches:\n- patch: \"{escaped}\"\n"), ""), "no line says the version");
    // A manifest is not a patch: it gets an entry, and nobody need be told why.
    let (lines, why) = changed(&clusters("", ""), ":v2");
    assert!(lines.iter().any(|line| line.ends_with("+   newTag: v2")) && why.is_none(), "{lines:?} {why:?}");
    // Where an entry has the last word, that is what changes.
    let both = format!(
        "patches:\n- patch: |-\n{}images:\n- name: r.example.com/web\n  newTag: v1.5\n",
        merge("r.example.com/web:v1", "    ")
    );
    assert_eq!(line(&clusters(&both, ""), ":v2"), "  newTag: v1.5 →   newTag: v2");
}
