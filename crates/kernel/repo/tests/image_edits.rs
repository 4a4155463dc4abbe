//! Over the kustomizations of the corpus: an image's new tag changes the line that says it, and nothing else.

use onepane_diagnostics::FileId;
use onepane_kustomize::{ImageChange, KUSTOMIZATION_FILES, KustomizationDraft};
use onepane_testkit::corpus;
use onepane_yaml::{Node, read};
use std::ffi::OsStr;

/// How many lines of the one text stand between what both begin and end with.
fn lines_lost(from: &str, to: &str) -> usize {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let same = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let (from, to) = (&from[same..], &to[same..]);
    from.len() - from.iter().rev().zip(to.iter().rev()).take_while(|(one, other)| one == other).count()
}

#[test]
fn a_tag_is_changed_in_its_line() {
    let corpus = match corpus("kustomize") {
        Ok(corpus) => corpus,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    let is_kustomization = |name: &OsStr| KUSTOMIZATION_FILES.iter().any(|file| name == *file);
    let files = corpus.files(|path| path.file_name().is_some_and(is_kustomization));
    let (mut tried, mut added) = (0, 0);
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let file = FileId::new("kustomization.yaml");
        let Ok(nodes) = read(&text, file) else { continue };
        let images = nodes.first().and_then(|root| root.get("images")?.items()).unwrap_or_default();
        let field = |entry: &Node, key: &str| entry.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        for entry in images {
            let change = ImageChange {
                name: field(entry, "name"),
                new_name: "*".to_owned(),
                new_tag: "77.8".to_owned(),
                digest: String::new(),
            };
            let Ok(mut draft) = KustomizationDraft::open_as_it_is(&text, file) else { continue };
            draft.set_image(&change).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let new = draft.text();
            let (lost, came) = (lines_lost(&text, new), lines_lost(new, &text));
            let has = |key: &str| usize::from(entry.get(key).is_some());
            // A digest goes with the tag that it was of; what says neither gets a line.
            let is_flow = text.lines().any(|line| line.contains('{') && line.contains(&change.name));
            let most = if is_flow { 1 } else { has("newTag") + has("digest") };
            assert!(lost <= most.max(1) && came == 1, "{}: {lost} lines went, {came} came\n{new}", path.display());
            let read_back = read(new, file).expect("it can be read");
            let entries = read_back[0].get("images").and_then(Node::items).expect("they are there");
            let is_set = |entry: &Node| field(entry, "name") == change.name && field(entry, "newTag") == "77.8";
            assert!(entries.iter().any(is_set), "{}: {new}", path.display());
            tried += 1;
            added += usize::from(lost == 0);
        }
    }
    println!("{tried} images, {added} of which had no tag");
    assert!(tried > 20, "only {tried} were tried");
}
