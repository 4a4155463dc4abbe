//! What is told of the values that a template failed on: each file in `explain/` is a chart, what it is given, and the
//! notes and hints that are to come besides Helm's own words.

use camino::Utf8Path;
use onepane_chart::{Compat, Origins, ValueSources, load, merge_sources, read_from};
use onepane_helm::{Capabilities, Early, Release, RenderOptions, Schemas, render};
use onepane_world::MemoryWorld;
use std::path::Path;

/// Stands in values of the fixtures, and must not be told.
const SECRET: &str = "hunter2";

/// The sections of a fixture: `--- name`, then its text.
fn sections(text: &str) -> Vec<(String, String)> {
    let cut = text.split("--- ").skip(1).filter_map(|section| section.split_once('\n'));
    cut.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn explain(sections: &[(String, String)]) -> (String, String) {
    let files = sections.iter().filter(|(name, _)| name.contains('/') || name.ends_with(".yaml"));
    let about = MemoryWorld::new().with("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    let world = files.fold(about, |world, (path, text)| world.with(path, text));
    let flags = sections.iter().filter(|(name, _)| name == "--set").flat_map(|(_, text)| text.lines());
    let given: Vec<String> = flags.map(str::to_owned).collect();
    let values: Vec<String> = sections
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !name.contains('/') && name.ends_with(".yaml"))
        .cloned()
        .collect();
    let mut told = values.clone();
    if !given.is_empty() {
        told.push("`--set`".to_owned());
    }
    let sources = ValueSources { files: values, set: given, ..ValueSources::default() };
    let run = |origins, explain| {
        let chart = load(Utf8Path::new("c"), &world, origins, &mut |_| {}).expect("the chart is good");
        let given = merge_sources(&sources, origins, &|path| read_from(&world, path)).expect("the values are good");
        let options = RenderOptions {
            release: Release { name: "r".into(), namespace: "n".into(), ..Release::default() },
            capabilities: Capabilities::default(),
            schemas: Schemas::Checked,
            origins,
            compat: Compat::Helm4,
            explain,
        };
        let outcome = render(chart, &given, &options, &world, Early::new(origins), &mut |_| {});
        *outcome.expect_err("the template fails").diagnostic
    };
    let plain = run(Origins::Untracked, None);
    let told = run(Origins::Tracked, Some(told));
    assert_eq!(told.message, plain.message, "Helm's words stay as they are");
    assert!(plain.hints.is_empty(), "only a second render knows more: {:?}", plain.hints);
    let mut said = String::new();
    for frame in &told.trace {
        let place = frame.span.map_or_else(String::new, |span| format!(" ({span})"));
        said += &format!("note: {}{place}\n", frame.message);
    }
    told.hints.iter().for_each(|hint| said += &format!("help: {hint}\n"));
    (told.message, said)
}

#[test]
fn what_failed_is_told_with_its_key_and_who_set_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let (mut seen, mut differing) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).expect("the fixtures are there") {
        let path = entry.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let sections = sections(&text);
        let wanted = |name: &str| {
            let found = sections.iter().find(|(section, _)| section == name);
            found.unwrap_or_else(|| panic!("{} has no section {name}", path.display())).1.clone()
        };
        let (message, said) = explain(&sections);
        assert!(message.contains(wanted("fails").trim()), "{}: it fails otherwise: {message}", path.display());
        if said != wanted("says") {
            differing.push(format!("{}:\n{said}", path.display()));
        }
        assert!(!said.contains(SECRET), "{}: it tells a value: {said}", path.display());
        seen += 1;
    }
    assert!(differing.is_empty(), "these say something else now:\n{}", differing.join("\n"));
    assert!(seen >= 15, "only {seen} fixtures were found");
}
