//! Every tag in the values files of the corpus can follow a policy or be set, and nothing else in its file changes by it.

use onepane_diagnostics::FileId;
use onepane_images::{Newest, ScalarChange, Seen, set_markers, set_scalars, visit_scalars};
use onepane_testkit::corpus;
use onepane_yaml::{Content, Node};
use std::collections::BTreeMap;
use std::ffi::OsStr;

#[test]
fn a_tag_in_a_values_file_is_changed_and_nothing_else() {
    let corpus = match corpus("helm") {
        Ok(corpus) => corpus,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    let files = corpus.files(|path| path.file_name().is_some_and(|name| name == "values.yaml"));
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

/// Lines and columns.
type Places = Vec<(u32, u32)>;

/// The places of values that say an image's version.
fn versions(node: &Node, found: &mut Places) {
    match &node.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                let is_version = matches!(key.as_str(), Some("tag" | "image" | "digest" | "newTag" | "imageTag"));
                match (&value.content, value.span) {
                    (Content::Scalar(text), Some(place)) if is_version && !text.is_empty() => {
                        found.push((place.line, place.column));
                    }
                    _ => versions(value, found),
                }
            }
        }
        Content::Sequence(items) => items.iter().for_each(|item| versions(item, found)),
        _ => {}
    }
}

/// Sets each version that `places` finds in the YAML files of the corpora, and sees to it that its line changes there and no
/// other byte: how many were set, and how many refused; `None`, and a line that says so, where there is no corpus.
fn set_each(extensions: &[&str], places: &dyn Fn(&str, &[Node]) -> Places) -> Option<(usize, usize)> {
    let file = FileId::new("values.yaml");
    let (mut tried, mut refused) = (0, 0);
    for name in ["helm", "helmfile", "kustomize"] {
        let corpus = corpus(name).map_err(|why| println!("SKIPPED: {why}")).ok()?;
        let is_yaml = |extension: &OsStr| extensions.iter().any(|known| extension == *known);
        for path in corpus.files(|path| path.extension().is_some_and(is_yaml)) {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let Ok(documents) = onepane_yaml::read(&text, file) else { continue };
            for (line, column) in places(&text, &documents) {
                // What looks like a number is to stay a string.
                let change = ScalarChange { line, column, text: "77.10".to_owned() };
                let new = match set_scalars(&text, file, &[change]) {
                    Ok(new) => new,
                    Err(error) => {
                        assert_eq!(error.code, "scalar-in-place", "{}: {error}", path.display());
                        refused += 1;
                        continue;
                    }
                };
                let (old, new): (Vec<&str>, Vec<&str>) = (text.split('\n').collect(), new.split('\n').collect());
                assert_eq!(old.len(), new.len(), "{}", path.display());
                let differing: Vec<usize> = (0..old.len()).filter(|&at| old[at] != new[at]).collect();
                assert_eq!(differing, [line as usize - 1], "{}", path.display());
                let (old, new) = (old[differing[0]], new[differing[0]]);
                let before: String = old.chars().take(column as usize - 1).collect();
                let rest = new.strip_prefix(&before).unwrap_or_else(|| panic!("{}: {new}", path.display()));
                let quoted = ["\"77.10\"", "'77.10'"].into_iter().find_map(|text| rest.strip_prefix(text));
                let behind = quoted.unwrap_or_else(|| panic!("{}: {new}", path.display()));
                assert!(old.ends_with(behind), "{}: {old} {new}", path.display());
                tried += 1;
            }
        }
    }
    Some((tried, refused))
}

#[test]
fn a_version_that_is_set_changes_its_line_and_no_other_byte() {
    let set = set_each(&["yaml", "yml", "gotmpl"], &|_, documents| {
        let mut places = Vec::new();
        documents.iter().for_each(|document| versions(document, &mut places));
        places
    });
    let Some((tried, refused)) = set else { return };
    println!("{tried} versions, {refused} refused");
    assert!(tried > 2000 && refused * 20 < tried, "{tried} were set, {refused} refused");
}

/// Whether a scalar says an image's version: by its key, or as the value of an operation on such a key.
fn is_version(seen: &Seen<'_>) -> bool {
    let Some(entries) = seen.around.and_then(Node::entries) else { return false };
    let key = entries.iter().find(|(_, value)| std::ptr::eq(value, seen.node)).and_then(|(key, _)| key.as_str());
    let is_one = |key: &str| matches!(key, "tag" | "image" | "digest" | "newTag" | "imageTag");
    let operand = || seen.around.and_then(|around| around.get("path")?.as_str()?.rsplit('/').next().map(is_one));
    key.is_some_and(is_one) || key == Some("value") && operand() == Some(true)
}

#[test]
fn a_version_in_a_text_within_a_file_changes_its_line_and_no_other_byte() {
    let set = set_each(&["yaml", "yml"], &|text, documents| {
        let mut places = Vec::new();
        visit_scalars(text, documents, &mut |seen| {
            let own = seen.node.span.map(|span| (span.line, span.column));
            let is_text = seen.node.as_str().is_some_and(|text| !text.is_empty());
            places.extend(seen.place().filter(|place| Some(*place) != own && is_text && is_version(seen)));
        });
        places
    });
    let Some((tried, refused)) = set else { return };
    println!("{tried} versions in texts within files, {refused} refused");
    assert!(tried > 50 && refused * 5 < tried, "{tried} were set, {refused} refused");
}
