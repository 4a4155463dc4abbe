//! Every tag in the values files of the corpus can follow a policy, and nothing else in its file changes by it.

use onepane_diagnostics::FileId;
use onepane_images::{Newest, set_markers};
use onepane_testkit::corpus;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn values_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            values_files(&path, found);
        } else if path.file_name().is_some_and(|name| name == "values.yaml") {
            found.push(path);
        }
    }
}

#[test]
fn a_tag_in_a_values_file_is_changed_and_nothing_else() {
    let corpus = match corpus("helm") {
        Ok(corpus) => corpus,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    let mut files = Vec::new();
    values_files(&corpus.folder, &mut files);
    files.sort();
    let newest = Newest { name: "r.example.com/x".to_owned(), tag: "77.8".to_owned(), digest: String::new() };
    let policies = BTreeMap::from([("flux:x".to_owned(), newest)]);
    let mut tried = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let is_tag = |line: &&str| {
            let line = line.trim_start();
            let value = line.strip_prefix("tag: ").map(str::trim).unwrap_or_default();
            // One that is there, on its line, and without a comment of its own.
            !value.is_empty() && !value.contains(['#', '{', '|', '>', '&', '*']) && value != "\"\"" && value != "''"
        };
        if !text.lines().any(|line| is_tag(&line)) || onepane_yaml::read(&text, FileId::new("values.yaml")).is_err() {
            continue;
        }
        let marked: Vec<String> = text
            .split_inclusive('\n')
            .map(|line| match is_tag(&line.trim_end()) {
                true => format!("{} # {{\"$imagepolicy\": \"flux:x:tag\"}}\n", line.trim_end()),
                false => line.to_owned(),
            })
            .collect();
        let before = marked.concat();
        let set = set_markers(&before, FileId::new("values.yaml"), &policies);
        let (after, _) = set.unwrap_or_else(|error| panic!("{}: {error}", path.display())).expect("something changes");
        let lines: Vec<&str> = after.split_inclusive('\n').collect();
        assert_eq!(lines.len(), marked.len(), "{}", path.display());
        for (new, old) in lines.iter().zip(&marked) {
            if *new == old {
                assert!(!old.contains("$imagepolicy") || !is_tag(&old.trim_end()), "{}: {old}", path.display());
                continue;
            }
            assert!(old.contains("$imagepolicy") && new.contains("77.8"), "{}: {new}", path.display());
            tried += 1;
        }
    }
    println!("{tried} tags");
    assert!(tried > 100, "only {tried} were tried");
}
