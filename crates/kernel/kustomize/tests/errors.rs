//! What is said of kustomizations that cannot be built: every error names the kustomization, the entry and its line, and
//! what to do next.
//!
//! The cases stand in `errors/*.txt`: `## name`, then `-- path` and the text of a file of it, then `-- error` and what is
//! printed. All have the files of `common.txt`. With `ONEPANE_RECORD=1` what is printed is written down anew.

use onepane_diagnostics::{Diagnostic, FileId, render_full};
use onepane_kustomize::{KUSTOMIZATION_FILES, Options, build};
use onepane_world::{MemoryWorld, World};
use std::fmt::Write;
use std::path::Path;

/// A case, or the files that all have.
struct Case {
    name: String,
    files: Vec<(String, String)>,
    error: String,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            cases.push(Case { name: name.to_owned(), files: Vec::new(), error: String::new() });
            continue;
        }
        let case = cases.last_mut().expect("a file of cases starts with the name of one");
        match line.strip_prefix("-- ") {
            Some(path) => case.files.push((path.to_owned(), String::new())),
            None => {
                let (_, text) = case.files.last_mut().expect("a case starts with a file");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    for case in &mut cases {
        if case.files.last().is_some_and(|(path, _)| path == "error") {
            case.error = case.files.pop().expect("it was looked at").1.trim_end().to_owned();
        }
    }
    cases
}

fn fails(case: &Case, common: &[(String, String)]) -> Option<(Box<Diagnostic>, String)> {
    let world = common.iter().chain(&case.files).fold(MemoryWorld::new(), |world, (path, text)| {
        world.with(path, text.trim_end_matches('\n').to_owned() + "\n")
    });
    let options = Options { strict: true, ..Options::default() };
    let built = build(&world, "app".into(), &options).and_then(|built| built.to_yaml());
    let error = built.err()?;
    let source = |file: FileId| Some(String::from_utf8_lossy(&world.read(file.path()).ok()?).into());
    let shown = render_full(&error, &source, false);
    Some((error, shown))
}

/// What each error must say, whatever its words, and this one does not.
fn lacks(error: &Diagnostic) -> Option<&'static str> {
    let frames = || error.trace.iter().filter_map(|frame| Some((&*frame.message, frame.span?)));
    let is_kustomization =
        |file: FileId| file.path().file_name().is_some_and(|name| KUSTOMIZATION_FILES.contains(&name));
    let own = error.primary.as_ref().filter(|label| is_kustomization(label.span.file));
    let names_file = own.is_some() || frames().any(|(_, span)| is_kustomization(span.file));
    // What cannot be read has no entries, and what cannot be written is known by its resource.
    let whole = ["yaml-syntax", "kustomize-empty", "kustomize-ambiguous"].contains(&error.code) && own.is_some();
    let whole = whole || error.code == "yaml-not-json";
    let names_entry = frames().any(|(message, _)| message.starts_with("in `"));
    match (&error.primary, error.hints.is_empty()) {
        (None, _) => Some("a place"),
        _ if !names_file => Some("the kustomization"),
        _ if !whole && !names_entry && error.code != "kustomize-cycle" => Some("the entry"),
        (_, true) if error.code != "yaml-syntax" => Some("a next step"),
        _ => None,
    }
}

#[test]
fn errors_name_the_kustomization_the_entry_its_line_and_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let read = |path: &Path| std::fs::read_to_string(path).expect("it is a text");
    let common = cases(&read(&folder.join("common.txt"))).swap_remove(0).files;
    let record = std::env::var_os("ONEPANE_RECORD").is_some();
    let mut count = 0;
    let mut wrong = String::new();
    let files = std::fs::read_dir(&folder).expect("the cases are there").map(|entry| entry.expect("a file").path());
    for path in files.filter(|path| !path.ends_with("common.txt")) {
        let mut recorded = String::new();
        for case in cases(&read(&path)) {
            count += 1;
            let Some((error, shown)) = fails(&case, &common) else {
                writeln!(wrong, "{} builds\n", case.name).expect("a string takes all");
                continue;
            };
            if let Some(part) = lacks(&error) {
                writeln!(wrong, "{} lacks {part}:\n{shown}\n", case.name).expect("a string takes all");
            }
            if !record && shown.trim_end() != case.error {
                writeln!(wrong, "{}: wanted\n{}\ngot\n{shown}\n", case.name, case.error).expect("a string takes all");
            }
            writeln!(recorded, "## {}", case.name).expect("a string takes all");
            for (path, text) in case.files.iter().chain([&("error".to_owned(), shown.trim_end().to_owned() + "\n")]) {
                write!(recorded, "-- {path}\n{text}").expect("a string takes all");
            }
        }
        if record {
            std::fs::write(&path, recorded).expect("it can be written");
        }
    }
    assert!(count > 80, "only {count} cases were found");
    assert!(wrong.is_empty(), "{wrong}");
}
