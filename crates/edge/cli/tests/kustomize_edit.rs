//! `kustomize edit`: what it makes of a file, and, where it is there, the real Kustomize beside ours.

use onepane_testkit::peer;
use onepane_value::{from_yaml_as_go, to_json};
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

const FILES: [(&str, &str); 9] = [
    ("a.yaml", MANIFEST),
    ("b.yml", MANIFEST),
    ("p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  p: q\n"),
    ("t1.yaml", MANIFEST),
    ("t2.yaml", MANIFEST),
    ("v.env", "V=1\n"),
    ("sub/c.yaml", MANIFEST),
    ("base/kustomization.yaml", "resources: [b.yaml]\n"),
    ("base/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n"),
];

/// A kustomization to start with, what is done, and what stands there then; without that, the edit is refused.
struct Case {
    start: String,
    arguments: Vec<String>,
    result: Option<String>,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize_edit/cases.txt")
}

/// The texts to start with (`=== name`) and the cases (`$ name: arguments`, then the result behind `| ` or `refused`).
fn read() -> (Vec<(String, String)>, Vec<Case>) {
    let (mut starts, mut cases): (Vec<(String, String)>, Vec<Case>) = (Vec::new(), Vec::new());
    for line in fs::read_to_string(path()).expect("the cases are there").lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            starts.push((name.to_owned(), String::new()));
        } else if let Some((start, arguments)) = line.strip_prefix("$ ").and_then(|line| line.split_once(": ")) {
            let arguments = arguments.split(' ').map(str::to_owned).collect();
            cases.push(Case { start: start.to_owned(), arguments, result: None });
        } else if let Some(case) = cases.last_mut() {
            if let Some(text) = line.strip_prefix('|') {
                let result = case.result.get_or_insert_default();
                result.push_str(text.strip_prefix(' ').unwrap_or(text));
                result.push('\n');
            }
        } else if let Some((_, text)) = starts.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    (starts, cases)
}

/// What a program makes of a kustomization; nothing where it refuses, and then the file is as it was.
fn edited(program: &Path, leading: &[&str], text: &str, arguments: &[String]) -> Option<String> {
    let folder = folder_with(&FILES);
    let kustomization = folder.path().join("kustomization.yaml");
    fs::write(&kustomization, text).expect("files can be written");
    let mut command = Command::new(program);
    command.args(leading).arg("edit").args(arguments).current_dir(folder.path());
    let output = command.output().expect("it can be started");
    let written = fs::read_to_string(&kustomization).expect("it is still there");
    if output.status.success() {
        return Some(written);
    }
    assert_eq!(written, text, "{arguments:?}: {output:?}");
    None
}

fn ours(text: &str, arguments: &[String]) -> Option<String> {
    edited(Path::new(env!("CARGO_BIN_EXE_onepane")), &["kustomize"], text, arguments)
}

#[test]
fn files_change_where_the_edit_says_and_nowhere_else() {
    let (starts, cases) = read();
    let starts: HashMap<_, _> = starts.into_iter().collect();
    for case in &cases {
        let (start, arguments) = (&starts[&case.start], &case.arguments);
        assert_eq!(ours(start, arguments), case.result, "{}: {arguments:?}", case.start);
    }
    let Some(kustomize) = peer("kustomize") else { return };
    let mut differences = Vec::new();
    for case in &cases {
        let theirs = edited(&kustomize, &[], &starts[&case.start], &case.arguments);
        let content = |text: &Option<String>| {
            text.as_ref().map(|text| to_json(&from_yaml_as_go(text).expect("it is YAML")).expect("it has no cycles"))
        };
        if content(&theirs) != content(&case.result) {
            let theirs = theirs.unwrap_or("refused".to_owned());
            differences.push(format!("{}: {:?}\n{theirs}", case.start, case.arguments));
        }
    }
    assert!(differences.is_empty(), "Kustomize does otherwise:\n{}", differences.join("\n"));
}

#[test]
#[ignore = "it writes the cases anew from what we do"]
fn record() {
    let (starts, cases) = read();
    let mut text = String::new();
    for (name, start) in &starts {
        _ = write!(text, "=== {name}\n{start}");
    }
    let starts: HashMap<_, _> = starts.into_iter().collect();
    for case in cases {
        _ = writeln!(text, "$ {}: {}", case.start, case.arguments.join(" "));
        match ours(&starts[&case.start], &case.arguments) {
            None => text.push_str("refused\n"),
            Some(result) if result.is_empty() => text.push_str("|\n"),
            Some(result) => result.lines().for_each(|line| _ = writeln!(text, "{}", format!("| {line}").trim_end())),
        }
    }
    fs::write(path(), text).expect("the cases can be written");
}

#[test]
fn a_link_and_the_rights_of_the_file_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (file, link) = (folder.path().join("k.yaml"), folder.path().join("kustomization.yaml"));
    fs::write(&file, "namePrefix: a-\n").expect("files can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("rights can be set");
    std::os::unix::fs::symlink("k.yaml", &link).expect("links can be made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
    command.args(["kustomize", "edit", "set", "namesuffix", "--", "-b"]).current_dir(folder.path());
    assert!(command.status().expect("it can be started").success());
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&file).expect("it is there").ends_with("nameSuffix: -b\n"));
    // Two files are one too many, and none is none.
    fs::write(folder.path().join("Kustomization"), "").expect("files can be written");
    assert!(!command.status().expect("it can be started").success());
}

/// Files whose variables can be converted; the patch has a target, for Kustomize lets one without select everything.
const WITH_VARIABLES: [(&str, &str); 5] = [
    (
        "kustomization.yaml",
        "resources: [pod.yaml, base]\npatches:\n- path: patch.yaml\n  target: {kind: Pod, name: p}\nreplacements: []\nvars:\n\
         - name: SECRET\n  objref: {apiVersion: v1, kind: Secret, name: s}\n\
         - name: PORT\n  objref: {apiVersion: v1, kind: Pod, name: p}\n  fieldref: {fieldPath: spec.containers.0.ports.0.name}\n",
    ),
    (
        "pod.yaml",
        "# $(SECRET) is set elsewhere\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    a.b/c: $(SECRET)\n\
         spec:\n  containers:\n  - name: c\n    command: [\"run\", \"$(SECRET)\"]\n    args:\n    - --url=http://h/$(SECRET)/x\n\
         \x20   - $(PORT):$(SECRET)\n    ports:\n    - name: web\n      containerPort: 80\n",
    ),
    (
        "patch.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n    env:\n    - name: E\n\
         \x20     value: $(PORT)\n",
    ),
    ("base/kustomization.yaml", "resources: [secret.yaml]\n"),
    (
        "base/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    note: $(PORT)/1\ndata:\n  k: \"\"\n",
    ),
];

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
    folder
}

#[test]
fn variables_become_replacements() {
    let run = |program: &Path, leading: &[&str]| {
        let folder = folder_with(&WITH_VARIABLES);
        let mut command = Command::new(program);
        command.args(leading).args(["edit", "fix", "--vars"]).current_dir(folder.path());
        let output = command.output().expect("it can be started");
        assert!(output.status.success(), "{output:?}");
        let text = |file: &str| fs::read_to_string(folder.path().join(file)).expect("it is there");
        (WITH_VARIABLES.map(|(file, _)| text(file)), String::from_utf8(output.stdout).expect("it is text"))
    };
    let (files, said) = run(Path::new(env!("CARGO_BIN_EXE_onepane")), &["kustomize"]);
    assert!(said.contains("vars -> replacements") && !said.contains("Warning"), "the build is the same: {said}");
    let [kustomization, pod, patch, base, secret] = &files;
    assert!(kustomization.contains("      delimiter: /\n      index: 3\n"), "{kustomization}");
    assert!(pod.starts_with("# SECRET_PLACEHOLDER is set") && pod.contains("- PORT_PLACEHOLDER:SECRET_PLACEHOLDER\n"));
    assert!(patch.contains("value: PORT_PLACEHOLDER\n") && base == WITH_VARIABLES[3].1 && !secret.contains('$'));
    let Some(kustomize) = peer("kustomize") else { return };
    let (theirs, _) = run(&kustomize, &[]);
    let content = |text: &str| to_json(&from_yaml_as_go(text).expect("it is YAML")).expect("it has no cycles");
    assert_eq!(content(kustomization), content(&theirs[0]), "{kustomization}\n{}", theirs[0]);
    assert_eq!(files[1..], theirs[1..]);
}

#[test]
fn variables_that_nothing_sets_apart_are_refused_and_nothing_changes() {
    for (file, line, wanted) in [
        (
            "pod.yaml",
            "    - a$(SECRET)b",
            "error with pod.yaml: cannot convert all vars to replacements; $(SECRET) is not",
        ),
        (
            "patch.yaml",
            "- {op: add, path: /x, value: $(PORT)}",
            "error with patch.yaml: $(PORT) stands in an operation",
        ),
    ] {
        let mut files = WITH_VARIABLES.map(|(name, text)| (name, text.to_owned()));
        for (_, text) in files.iter_mut().filter(|(name, _)| *name == file) {
            *text = if line.starts_with('-') {
                line.to_owned()
            } else {
                text.replace("    ports:", &format!("{line}\n    ports:"))
            };
        }
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let folder = folder_with(&files);
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["kustomize", "edit", "fix", "--vars"]).current_dir(folder.path());
        let output = command.output().expect("it can be started");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(wanted), "{output:?}");
        for (name, text) in files {
            assert_eq!(fs::read_to_string(folder.path().join(name)).expect("it is there"), text, "{name}");
        }
    }
}
