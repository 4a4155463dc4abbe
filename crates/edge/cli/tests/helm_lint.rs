//! `helm lint` over charts that are wrong in one way each: what it says and returns is what Helm 4.3.1 said and returned.
//!
//! A case is a file of `lint/`: after a line of purpose the files, each below `-- path --`, then below `-- session --`
//! the commands and what came of them. `HELM=/path/to/helm cargo test -p onepane-cli --test helm_lint -- --ignored`
//! records the answers again.

use onepane_testkit::run;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SESSION: &str = "session";

/// A text in parts, each below a line `-- name --`; the first part has no name.
fn parts(text: &str) -> Vec<(&str, String)> {
    let mut parts = vec![("", String::new())];
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            Some(name) => parts.push((name, String::new())),
            None => parts.last_mut().expect("there is a first part").1 += line,
        }
    }
    parts
}

/// The commands of a case, and what `helm` makes of them.
fn session(case: &Path, text: &str, program: &Path, before: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path().canonicalize().expect("it is there");
    let home = tempfile::tempdir().expect("there is room");
    let mut out = String::new();
    for (name, contents) in parts(text).iter().skip(1) {
        if *name == SESSION {
            for command in contents.lines().filter_map(|line| line.strip_prefix("$ helm ")) {
                let arguments: Vec<String> =
                    before.iter().copied().chain(command.split(' ')).map(str::to_owned).collect();
                let finished = run(program, &arguments, &folder, home.path())
                    .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
                assert!(!finished.crashed(), "{}: {}", case.display(), finished.stderr);
                writeln!(out, "$ helm {command}").expect("memory takes everything");
                out += &String::from_utf8_lossy(&finished.stdout);
                // Of what Helm logs beside its findings only what templates demand is said alike.
                let is_other = |line: &&str| {
                    line.starts_with("level=")
                        && !["\"missing required value", "\"funcMap fail\""].iter().any(|said| line.contains(said))
                };
                for line in finished.stderr.lines().filter(|line| !is_other(line)) {
                    writeln!(out, "stderr: {line}").expect("memory takes everything");
                }
                writeln!(out, "exit: {}", finished.code.unwrap_or(-1)).expect("memory takes everything");
            }
            continue;
        }
        let path = folder.join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(&path).expect("the folder can be made");
            continue;
        }
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(&path, contents).expect("the file can be written");
    }
    out.replace(&*folder.to_string_lossy(), "$DIR")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let entries = std::fs::read_dir(folder).expect("the cases are there");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    cases.sort();
    cases
}

#[test]
fn lint_says_what_helm_said() {
    let mut failures = String::new();
    for case in cases() {
        let text = std::fs::read_to_string(&case).expect("the case can be read");
        let parts = parts(&text);
        let wanted = &parts.iter().find(|(name, _)| *name == SESSION).expect("a case has a session").1;
        let given = session(&case, &text, Path::new(env!("CARGO_BIN_EXE_onepane")), &["helm"]);
        if given != *wanted {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            write!(failures, "== {name}\n{given}-- but Helm said --\n{wanted}\n").expect("memory takes everything");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
#[ignore = "it asks the real Helm and writes the cases"]
fn record() {
    let helm = PathBuf::from(std::env::var_os("HELM").expect("HELM names Helm's binary"));
    for case in cases() {
        let text = std::fs::read_to_string(&case).expect("the case can be read");
        let head = &text[..text.find("-- session --\n").expect("a case has a session")];
        let answers = session(&case, &text, &helm, &[]);
        std::fs::write(&case, format!("{head}-- session --\n{answers}")).expect("the case can be written");
    }
}
