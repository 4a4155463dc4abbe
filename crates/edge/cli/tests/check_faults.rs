//! Faults that are seeded in repositories, and found by `onepane check` at the lines where they were made.

mod seeded;

use seeded::faults::{EXAMPLE, REPOSITORY, RESOURCES, SCHEMA, STALE};
use seeded::{Fault, base, checked, copy, onepane};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds each fault in a copy of `from`, on all cores; what was missed makes the test fail.
fn seed(from: &Path, faults: &[&Fault], then: &(dyn Fn(&Path) + Sync)) {
    let missed = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let folder = tempfile::tempdir().expect("a temporary folder can be made");
                    copy(from, folder.path());
                    let line = fault.seed(folder.path());
                    then(folder.path());
                    let (found, _) = checked(folder.path(), &[]);
                    if let Some(what) = fault.missed(&found, line) {
                        missed.lock().expect("no thread panics").push(what);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no thread panics");
    println!("{} of {} seeded faults were found at their lines", faults.len() - missed.len(), faults.len());
    assert!(missed.is_empty(), "{} of {} were missed:\n{}", missed.len(), faults.len(), missed.join("\n"));
}

/// The example company without its services, which take time to copy.
fn example(folder: &Path) -> std::path::PathBuf {
    assert_eq!(onepane(folder, &["init", "--example", "company"]).0.code, Some(0));
    let plain = folder.join("plain");
    for part in ["clusters", "components", "groups", "helm-charts"] {
        copy(&folder.join("company").join(part), &plain.join(part));
    }
    plain
}

#[test]
fn there_are_enough_of_them() {
    let count = [SCHEMA, RESOURCES, REPOSITORY, EXAMPLE, STALE].iter().map(|faults| faults.len()).sum::<usize>();
    assert!(count >= 100, "{count}");
}

#[test]
fn what_is_clean_has_no_findings() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plain = example(folder.path());
    for repository in [&folder.path().join("company"), &plain, &base()] {
        let (found, said) = checked(repository, &["--fail-on", "note"]);
        assert!(found.is_empty(), "{}: {said}", repository.display());
    }
}

#[test]
fn faults_of_schemas_are_found() {
    seed(&base(), &SCHEMA.iter().collect::<Vec<_>>(), &|_| {});
}

#[test]
fn faults_of_resources_are_found() {
    seed(&base(), &RESOURCES.iter().collect::<Vec<_>>(), &|_| {});
}

#[test]
fn faults_of_repositories_are_found() {
    seed(&base(), &REPOSITORY.iter().collect::<Vec<_>>(), &|_| {});
}

#[test]
fn faults_of_charts_and_groups_are_found_where_they_were_made() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plain = example(folder.path());
    seed(&plain, &EXAMPLE.iter().collect::<Vec<_>>(), &|repository| {
        let (finished, _) = onepane(repository, &["render"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    });
    seed(&plain, &STALE.iter().collect::<Vec<_>>(), &|_| {});
}

/// What kubeconform makes of what is built, with the same schemas: whether it finds anything wrong.
fn kubeconform(folder: &Path, program: &Path, locations: &[String]) -> bool {
    let (built, manifests) = onepane(folder, &["build", "dev"]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    let path = folder.join("manifests.yaml");
    std::fs::write(&path, manifests).expect("it can be written");
    let mut command = std::process::Command::new(program);
    command.args(["-strict", "-output", "json", "-ignore-missing-schemas"]);
    for location in locations {
        command.args(["-schema-location", location]);
    }
    let output = command.arg(&path).output().expect("it can be run");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let resources = said["resources"].as_array().expect("it lists what is wrong");
    resources.iter().any(|one| matches!(one["status"].as_str(), Some("statusInvalid" | "statusError")))
}

/// The definition of `seeded/base` as kubeconform wants it.
const QUEUE: &str = r#"{"type": "object", "required": ["spec"], "properties": {"spec": {"type": "object",
    "required": ["service"], "additionalProperties": false, "properties": {
        "service": {"type": "string", "pattern": "^[a-z]+$"}, "mode": {"type": "string", "enum": ["fifo", "lifo"]},
        "attempts": {"type": "integer", "minimum": 1, "maximum": 10}, "port": {"type": ["string", "integer"]},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}}, "namespace": {"type": "string"},
        "retry": {"type": "object", "additionalProperties": false, "properties": {
            "after": {"type": "string"}, "never": {"type": "boolean"}, "share": {"type": "number"}},
            "oneOf": [{"required": ["after"]}, {"required": ["never"]}]}}}}}"#;

#[test]
fn side_by_side_with_kubeconform() {
    let Some(program) = onepane_testkit::peer("kubeconform") else { return };
    let schemas = program.with_file_name("kubernetes-json-schemas");
    if !schemas.is_dir() {
        println!("SKIPPED comparison with kubeconform: scripts/kubeconform-schemas makes {}", schemas.display());
        return;
    }
    let own = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(own.path().join("queue-example-v1.json"), QUEUE).expect("it can be written");
    let location = |folder: &Path| format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", folder.display());
    let locations = [location(&schemas), location(own.path())];
    assert!(!kubeconform(base_copy().path(), &program, &locations), "what is clean is valid to it, too");
    let (mut both, mut ours_alone, mut theirs_alone) = (0, Vec::new(), Vec::new());
    for fault in SCHEMA {
        let folder = base_copy();
        let line = fault.seed(folder.path());
        let ours = fault.missed(&checked(folder.path(), &[]).0, line).is_none();
        let theirs = kubeconform(folder.path(), &program, &locations);
        let edit = format!("{}: {} → {}", fault.code, fault.from.trim(), fault.to.trim());
        match (ours, theirs) {
            (true, true) => both += 1,
            (true, false) => ours_alone.push(edit),
            (false, true) => theirs_alone.push(edit),
            (false, false) => panic!("{edit} is found by neither"),
        }
    }
    println!(
        "of {} faults of schemas both find {both}, onepane alone {}, kubeconform alone {}",
        SCHEMA.len(),
        ours_alone.len(),
        theirs_alone.len()
    );
    ours_alone.iter().for_each(|edit| println!("  onepane alone: {edit}"));
    assert!(theirs_alone.is_empty(), "kubeconform alone finds: {theirs_alone:?}");
}

fn base_copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    copy(&base(), folder.path());
    folder
}
