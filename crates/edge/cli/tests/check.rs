//! `onepane check`, and what a template that fails tells of its values.

use onepane_testkit::{Finished, run_once};
use std::path::Path;

const SECRET: &str = "hunter2";

/// A repository with a release of one chart, whose only template is `template`.
fn repository(template: &str, values: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let helmfile =
        "releases:\n- name: api\n  namespace: shop\n  chart: ./api\n  values:\n  - values.yaml\n  - replicas: 2\n";
    let files = [
        ("clusters/dev/kustomization.yaml", "resources: []\n"),
        ("helm-charts/helmfile.yaml", helmfile),
        ("helm-charts/values.yaml", values),
        ("helm-charts/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.0\n"),
        ("helm-charts/api/values.yaml", "image:\n  tag: \"1\"\n"),
        ("helm-charts/api/templates/a.yaml", template),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
        std::fs::write(&path, text).expect("a file can be written");
    }
    folder
}

fn onepane(folder: &Path, arguments: &[&str]) -> (Finished, String) {
    let finished = run_once(env!("CARGO_BIN_EXE_onepane"), arguments, folder);
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    (finished, said)
}

#[test]
fn the_example_reads_all_of_its_values() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    assert_eq!(onepane(folder.path(), &["init", "--example", "shop"]).0.code, Some(0));
    let shop = folder.path().join("shop");
    let (finished, said) = onepane(&shop, &["check"]);
    assert_eq!((finished.code, said.as_str()), (Some(0), "5 charts, 5 values files, everything is read\n"));

    let path = shop.join("helm-charts/values/api.yaml");
    let values = std::fs::read_to_string(&path).expect("it can be read");
    let line = values.lines().count() + 1;
    std::fs::write(&path, format!("{values}resurces: {SECRET}\n")).expect("it can be written");
    let (finished, said) = onepane(&shop, &["check"]);
    assert_eq!(finished.code, Some(1), "{said}");
    let place = format!("helm-charts/values/api.yaml:{line}:1: warning[values-unread]: no template reads `resurces`\n");
    assert!(said.starts_with(&place), "{said}");
    assert!(said.ends_with("5 charts, 5 values files, 1 unread\n"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn a_mistyped_key_is_found_at_its_line_with_the_one_that_was_meant() {
    let template = "kind: A\nname: {{ .Values.image.tag }}{{ .Values.replicas }}\n";
    let repository = repository(template, "# ours\nimage:\n  tagg: hunter2\n");
    let (finished, said) = onepane(repository.path(), &["check"]);
    let wanted = "helm-charts/values.yaml:3:3: warning[values-unread]: no template reads `image.tagg`\n    \
                  did you mean `image.tag`?\n1 chart, 1 values file, 1 unread\n";
    assert_eq!((finished.code, said.as_str()), (Some(1), wanted));

    let (finished, said) = onepane(repository.path(), &["check", "--output", "json"]);
    assert_eq!(finished.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!(report["given"][0]["primary"]["span"]["line"], 3, "{said}");
    assert_eq!(report["given"][0]["hints"][0], "did you mean `image.tag`?", "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn a_chart_is_checked_with_the_values_it_is_given() {
    let template = "name: {{ .Values.name }}\n";
    let repository = repository(template, "nme: a\n");
    let charts = repository.path().join("helm-charts");
    // Of the chart's own values, an unread one is only worth a note.
    let (finished, said) = onepane(&charts, &["check", "api"]);
    let own = "api/values.yaml:1:1: note[values-unread]: no template reads `image`\n";
    let outcome = "1 chart, 0 values files, 0 unread, and 1 in the charts' own values\n";
    assert_eq!((finished.code, said), (Some(0), format!("{own}{outcome}")));
    let (finished, said) = onepane(&charts, &["check", "api", "--values", "values.yaml"]);
    assert_eq!(finished.code, Some(1));
    assert!(
        said.starts_with(
            "values.yaml:1:1: warning[values-unread]: no template reads `nme`\n    did you mean `name`?\n"
        ),
        "{said}"
    );
}

#[test]
fn what_can_not_be_checked_is_an_error() {
    let repository = repository("a: {{ .Values.image }}\n", "a: [\n");
    for (arguments, says) in [
        (["check", "nowhere"].as_slice(), "there is no chart or folder `nowhere`"),
        (&["check", "--values", "helm-charts/values.yaml"], "name the chart"),
    ] {
        let (finished, _) = onepane(repository.path(), arguments);
        assert_eq!(finished.code, Some(1), "{arguments:?}");
        assert!(finished.stderr.contains(says), "{arguments:?}: {}", finished.stderr);
    }
    // A file that is broken is a finding, and hides no others.
    let (finished, said) = onepane(repository.path(), &["check"]);
    assert_eq!(finished.code, Some(1));
    assert!(said.contains("error[yaml-syntax]") && said.contains("helm-charts/values.yaml"), "{said}");
}

#[test]
fn a_failed_render_tells_the_key_and_the_values_files() {
    let template = "a: {{ required \"a tag is needed\" .Values.image.digest }}\n";
    let repository = repository(template, "image:\n  digst: hunter2\n");
    let (finished, _) = onepane(repository.path(), &["render"]);
    assert_eq!(finished.code, Some(1));
    let said = &finished.stderr;
    for part in [
        "execution error at (api/templates/a.yaml:1:6): a tag is needed",
        "`.Values.image.digest` is set by none of: helm-charts/api/values.yaml, helm-charts/values.yaml, the values in \
         helm-charts/helmfile.yaml",
        "did you mean `.Values.image.digst`, as helm-charts/values.yaml:2 has it?",
        "in the release `api`",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn helm_template_fails_in_helms_words_and_tells_more_with_debug() {
    let repository =
        repository("a: {{ range .Values.image.parts }}{{ . }}{{ end }}\n", "image:\n  password: hunter2\n");
    let charts = repository.path().join("helm-charts");
    let template = ["helm", "template", "x", "api", "-f", "values.yaml", "--set", "image.parts=a"];
    let (plain, _) = onepane(&charts, &template);
    let words = "Error: api/templates/a.yaml:1:19\n  executing \"api/templates/a.yaml\" at <.Values.image.parts>:\n    \
                 range can't iterate over a\n\nUse --debug flag to render out invalid YAML\n";
    assert_eq!((plain.code, plain.stderr.as_str()), (Some(1), words));
    let (debug, _) = onepane(&charts, &[&template[..], &["--debug"]].concat());
    let first = words.split("\n\n").next().expect("there is a first paragraph");
    let told = debug.stderr.strip_prefix(first).unwrap_or_else(|| panic!("{}", debug.stderr));
    assert!(told.contains("`.Values.image.parts` is a string, set by `--set`"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}
