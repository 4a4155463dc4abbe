//! Functions and plugins of `kustomize build`: what comes of them is what Kustomize 5.8.1 makes of them, and they are
//! told the same.
//!
//! A case is a file of `functions/`: after a line of purpose the files, each below `-- path --`, then below
//! `-- session --` the commands and what came of them: `$ build …`, with variables before it, and `$ cat FILE` for what a
//! function left behind. Those named `*.sh`, and all in `bin` and `plugins`, are programs. Where the real Kustomize is
//! there, it is asked the same; with `ONEPANE_RECORD=1` its answers are written down.

use onepane_testkit::peer;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SESSION: &str = "session";
const OURS: &str = env!("CARGO_BIN_EXE_onepane");

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

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
    let is_program = path.extension().is_some_and(|ending| ending == "sh")
        || path.components().any(|part| part.as_os_str() == "bin" || part.as_os_str() == "plugins");
    let mode = if is_program { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// What both programs say alike: the last cause, without the lists and texts that Kustomize prints behind it.
fn cause(stderr: &str) -> String {
    let mut said = String::new();
    // The file of a plugin's configuration has a name of its own in each run.
    let file = "kust-plugin-config-";
    let stderr: String = stderr
        .split_inclusive(file)
        .enumerate()
        .map(
            |(index, part)| {
                if index == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()) }
            },
        )
        .collect();
    for line in stderr.lines() {
        let Some(error) = line.strip_prefix("Error: ") else {
            writeln!(said, "stderr: {line}").expect("memory takes everything");
            continue;
        };
        let ends = ["resource map", "got ScalarNode", "got SequenceNode", "missing kind", "missing Resource metadata"];
        let end = ends.iter().find_map(|end| error.find(end).map(|at| at + end.len())).unwrap_or(error.len());
        // Kustomize writes some ids as Go does, with addresses.
        let start = ["exists;", "does not exist;"].iter().find_map(|start| error.find(start)).unwrap_or(0);
        writeln!(said, "error: {}", error[start..end].trim_end()).expect("memory takes everything");
        // Ours goes on with the place.
        break;
    }
    said
}

/// The commands of a case, and what `program` makes of them.
fn session(text: &str, program: &Path, before: &[&str]) -> String {
    let room = tempfile::tempdir().expect("there is room");
    let folder = room.path().canonicalize().expect("it is there");
    let mut out = String::new();
    for (name, contents) in parts(text).iter().skip(1) {
        if *name != SESSION {
            write_program(&folder.join(name), contents);
            continue;
        }
        for command in contents.lines().filter_map(|line| line.strip_prefix("$ ")) {
            writeln!(out, "$ {command}").expect("memory takes everything");
            if let Some(file) = command.strip_prefix("cat ") {
                let text = fs::read_to_string(folder.join(file));
                out += &text.unwrap_or_else(|_| "none\n".to_owned());
                continue;
            }
            let words: Vec<String> =
                command.split(' ').map(|word| word.replace("$DIR", &folder.to_string_lossy())).collect();
            let start = words.iter().position(|word| word == "build").expect("a command is `build`");
            let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
            let home = folder.join("home").to_string_lossy().into_owned();
            let variables = words[..start].iter().filter_map(|word| word.split_once('='));
            let output = Command::new(program)
                .args(before)
                .args(&words[start..])
                .current_dir(&folder)
                .env_clear()
                .envs([("PATH", path.as_str()), ("HOME", home.as_str()), ("LC_ALL", "C")])
                .envs(variables)
                .output()
                .expect("it can be started");
            out += &String::from_utf8_lossy(&output.stdout);
            out += &cause(&String::from_utf8_lossy(&output.stderr));
            writeln!(out, "exit: {}", output.status.code().unwrap_or(-1)).expect("memory takes everything");
        }
    }
    out.replace(&*folder.to_string_lossy(), "$DIR")
}

/// Whether what we said is what was recorded; of an error the last cause is enough.
fn same(given: &str, wanted: &str) -> bool {
    let (mut given, mut wanted) = (given.lines(), wanted.lines());
    loop {
        match (given.next(), wanted.next()) {
            (None, None) => return true,
            (Some(given), Some(wanted)) if given == wanted => {}
            (Some(given), Some(wanted)) => match (given.strip_prefix("error: "), wanted.strip_prefix("error: ")) {
                (Some(given), Some(wanted)) if !given.is_empty() && wanted.ends_with(given) => {}
                _ => return false,
            },
            _ => return false,
        }
    }
}

fn cases() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions");
    let entries = fs::read_dir(folder).expect("the cases are there");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    cases.sort();
    cases.into_iter().map(|case| (case.clone(), fs::read_to_string(case).expect("a case can be read"))).collect()
}

#[test]
fn functions_give_what_kustomize_makes_of_them() {
    let mut failures = String::new();
    for (case, text) in cases() {
        let parts = parts(&text);
        let wanted = &parts.iter().find(|(name, _)| *name == SESSION).expect("a case has a session").1;
        let given = session(&text, Path::new(OURS), &["kustomize"]);
        if !same(&given, wanted) {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            write!(failures, "== {name}\n{given}-- but Kustomize said --\n{wanted}\n")
                .expect("memory takes everything");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn what_is_recorded_is_what_kustomize_says() {
    let Some(kustomize) = peer("kustomize") else { return };
    let is_recording = std::env::var_os("ONEPANE_RECORD").is_some();
    for (case, text) in cases() {
        let head = &text[..text.find("-- session --\n").expect("a case has a session")];
        let answered = format!("{head}-- session --\n{}", session(&text, &kustomize, &[]));
        if is_recording {
            fs::write(&case, answered).expect("the case can be written");
        } else {
            assert_eq!(text, answered, "{}", case.display());
        }
    }
}
