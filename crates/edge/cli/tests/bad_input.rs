//! Bad and hostile input: one clear error that names the file and the line, a non-zero exit code, never a crash, and
//! an end within seconds.

use onepane_testkit::{Finished, run};
use std::path::Path;
use std::time::{Duration, Instant};

/// A folder with files, and a command that must fail in it.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
    /// What stderr must name: the place and the cause.
    says: &'static [&'static str],
}

const CHART: (&str, &str) = ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
const TEMPLATE: &[&str] = &["helm", "template", "x", "chart"];
const BUILD: &[&str] = &["kustomize", "build", "overlay"];

const CASES: &[Case] = &[
    Case {
        name: "broken YAML in a values file",
        files: &[CHART, ("chart/values.yaml", "a: 1\nb: [1,\nc: 2\n"), ("chart/templates/a.yaml", "")],
        arguments: TEMPLATE,
        says: &["values.yaml", "line 3"],
    },
    Case {
        name: "broken YAML in a rendered manifest",
        files: &[CHART, ("chart/templates/a.yaml", "kind: A\nmetadata: {{ \"{\" }}\n")],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml"],
    },
    Case {
        name: "broken YAML in a resource",
        files: &[("overlay/kustomization.yaml", "resources: [a.yaml]\n"), ("overlay/a.yaml", "kind: A\n  b: [\n")],
        arguments: BUILD,
        says: &["a.yaml", "2"],
    },
    Case {
        name: "broken YAML in a kustomization",
        files: &[("overlay/kustomization.yaml", "resources:\n- a\n b: c\n")],
        arguments: BUILD,
        says: &["kustomization.yaml"],
    },
    Case {
        name: "an unknown field in a kustomization",
        files: &[("overlay/kustomization.yaml", "resources: []\nnamePrefixes: a\n")],
        arguments: BUILD,
        says: &["namePrefixes", "kustomization.yaml"],
    },
    Case {
        name: "template syntax",
        files: &[CHART, ("chart/templates/a.yaml", "a: b\nc: {{ .Values.x \n")],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml:2"],
    },
    Case {
        name: "an unknown function",
        files: &[CHART, ("chart/templates/a.yaml", "a: b\nc: {{ toYam .Values }}\n")],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml:2", "toYam"],
    },
    Case {
        name: "a missing value",
        files: &[CHART, ("chart/templates/a.yaml", "a: b\nc: {{ .Values.x.y.z }}\n")],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml:2", "nil pointer evaluating interface {}.y"],
    },
    Case {
        name: "a required value",
        files: &[CHART, ("chart/templates/a.yaml", "c: {{ required \"x is needed\" .Values.x }}\n")],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml:1", "x is needed"],
    },
    Case {
        name: "a recursive tpl",
        files: &[
            CHART,
            ("chart/values.yaml", "x: '{{ tpl .Values.x . }}'\n"),
            ("chart/templates/a.yaml", "c: {{ tpl .Values.x . }}\n"),
        ],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml"],
    },
    Case {
        name: "a recursive include",
        files: &[
            CHART,
            ("chart/templates/a.yaml", "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}\nc: {{ include \"a\" . }}\n"),
        ],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml"],
    },
    Case {
        name: "a template that never ends",
        files: &[
            CHART,
            (
                "chart/templates/a.yaml",
                "{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}{{ end }}",
            ),
        ],
        arguments: TEMPLATE,
        says: &["chart/templates/a.yaml"],
    },
    Case {
        name: "an alias bomb in values",
        files: &[CHART, ("chart/values.yaml", BOMB), ("chart/templates/a.yaml", "c: {{ toYaml .Values }}\n")],
        arguments: TEMPLATE,
        says: &["values.yaml"],
    },
    Case {
        name: "an alias bomb in a resource",
        files: &[("overlay/kustomization.yaml", "resources: [a.yaml]\n"), ("overlay/a.yaml", BOMB)],
        arguments: BUILD,
        says: &["a.yaml"],
    },
    Case {
        name: "a cyclic base",
        files: &[
            ("overlay/kustomization.yaml", "resources: [../base]\n"),
            ("base/kustomization.yaml", "resources: [../overlay]\n"),
        ],
        arguments: BUILD,
        says: &["cycle", "base"],
    },
    Case {
        name: "an absent file",
        files: &[("overlay/kustomization.yaml", "resources:\n- gone.yaml\n")],
        arguments: BUILD,
        says: &["gone.yaml", "kustomization.yaml"],
    },
    Case {
        name: "a file outside the overlay",
        files: &[
            ("overlay/kustomization.yaml", "resources:\n- ../secret.yaml\n"),
            ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"),
        ],
        arguments: BUILD,
        says: &["secret.yaml"],
    },
    Case { name: "an absent chart", files: &[], arguments: TEMPLATE, says: &["chart"] },
];

const BOMB: &str = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\ni: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h,*h]\n";

/// Longer than any of these takes on a slow machine, and far below what an unbounded one would take.
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn every_bad_input_gets_one_clear_error() {
    let failures: Vec<String> =
        CASES.iter().filter_map(|case| check(case).err().map(|reason| format!("{}: {reason}", case.name))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn check(case: &Case) -> Result<(), String> {
    let folder = folder_with(case.files);
    let start = Instant::now();
    let finished = onepane(folder.path(), case.arguments)?;
    let elapsed = start.elapsed();
    expect_clear_error(&finished, case.says)?;
    if elapsed > LIMIT { Err(format!("it took {elapsed:?}")) } else { Ok(()) }
}

fn expect_clear_error(finished: &Finished, says: &[&str]) -> Result<(), String> {
    if finished.crashed() || finished.code == Some(0) {
        return Err(format!("exit code {:?}: {}", finished.code, finished.stderr));
    }
    if !finished.stdout.is_empty() {
        return Err("there is output in spite of the error".to_owned());
    }
    match says.iter().find(|part| !finished.stderr.contains(**part)) {
        Some(part) => Err(format!("the error does not say {part:?}:\n{}", finished.stderr)),
        None => Ok(()),
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, contents) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, contents).expect("the file can be written");
    }
    folder
}

fn onepane(folder: &Path, arguments: &[&str]) -> Result<Finished, String> {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    run(Path::new(env!("CARGO_BIN_EXE_onepane")), &arguments, folder, home.path())
}

#[test]
fn a_link_that_leaves_the_overlay_is_not_followed() {
    let folder = folder_with(&[
        ("overlay/kustomization.yaml", "resources:\n- link.yaml\n"),
        ("secret.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ]);
    std::os::unix::fs::symlink("../secret.yaml", folder.path().join("overlay/link.yaml"))
        .expect("the link can be made");
    let finished = onepane(folder.path(), BUILD).expect("it runs");
    expect_clear_error(&finished, &["link.yaml"]).expect("the link is refused");
}

#[test]
fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
    for text in ["[".repeat(200_000), "{a: ".repeat(200_000), "- ".repeat(200_000)] {
        let folder = folder_with(&[("overlay/kustomization.yaml", "resources: [a.yaml]\n")]);
        std::fs::write(folder.path().join("overlay/a.yaml"), text).expect("the file can be written");
        let finished = onepane(folder.path(), BUILD).expect("it runs");
        expect_clear_error(&finished, &["a.yaml"]).expect("nesting is bounded");
    }
}

#[test]
fn a_failed_build_leaves_what_was_there() {
    let folder = folder_with(&[
        ("clusters/dev/kustomization.yaml", "resources:\n- gone.yaml\n"),
        ("out/clusters-dev.yaml", "kept\n"),
    ]);
    let finished = onepane(folder.path(), &["build", "dev", "--output", "out"]).expect("it runs");
    expect_clear_error(&finished, &["gone.yaml"]).expect("the file is absent");
    let left = std::fs::read_to_string(folder.path().join("out/clusters-dev.yaml")).expect("it is still there");
    assert_eq!(left, "kept\n");
    assert_eq!(std::fs::read_dir(folder.path().join("out")).expect("it is a folder").count(), 1);
}
