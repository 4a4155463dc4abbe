//! Strategic merges with the results that Kustomize 5.8.1 printed: `strategic_merge.txt` beside this file.

use onepane_diagnostics::{FileId, Step};
use onepane_patch::{PatchOptions, patch_resource};
use onepane_resource::Resource;
use onepane_yaml::{Content, Node, read, write_sorted};

struct Case<'t> {
    title: &'t str,
    target: &'t str,
    patch: &'t str,
    result: &'t str,
}

fn cases() -> Vec<Case<'static>> {
    let text = include_str!("strategic_merge.txt");
    text.split("### ")
        .skip(1)
        .map(|case| {
            let (title, rest) = case.split_once('\n').expect("a case has a title");
            let (target, rest) = rest.split_once("--- patch\n").expect("a case has a patch");
            let (patch, result) = rest.split_once("--- result\n").expect("a case has a result");
            Case { title, target, patch, result: result.trim_end() }
        })
        .collect()
}

fn resource(text: &str, file: &str) -> Resource {
    Resource::new(read(text, FileId::new(file)).expect("fixtures are YAML").swap_remove(0))
}

fn merged(case: &Case<'_>, origins: bool) -> Resource {
    let mut target = resource(case.target, "target.yaml");
    let options = PatchOptions { origins, note: Some("patch.yaml"), ..PatchOptions::default() };
    patch_resource(&mut target, &resource(case.patch, "patch.yaml"), &options).expect(case.title);
    target
}

#[test]
fn results_are_those_of_kustomize() {
    let cases = cases();
    assert!(cases.len() > 20, "the fixtures were read");
    for case in &cases {
        let result = write_sorted(merged(case, false).node()).expect(case.title);
        assert_eq!(result.trim_end(), case.result, "{}", case.title);
    }
}

#[test]
fn origins_change_no_byte() {
    for case in &cases() {
        let [with, without] =
            [true, false].map(|origins| write_sorted(merged(case, origins).node()).expect(case.title));
        assert_eq!(with, without, "{}", case.title);
    }
}

/// Every scalar comes from a line of the target or from a line of the patch; the latter ones say so.
#[test]
fn every_value_knows_the_line_that_gave_it() {
    fn check(node: &Node, title: &str) {
        match &node.content {
            Content::Mapping(entries) => entries.iter().for_each(|(_, value)| check(value, title)),
            Content::Sequence(items) => items.iter().for_each(|item| check(item, title)),
            _ => {
                let origin = node.origin();
                let newest = origin.record().unwrap_or_else(|| panic!("{title}: {node:?} has no origin"));
                let file = newest.span.expect("a place").file.path().as_str();
                match newest.step {
                    Step::Patch => assert_eq!(file, "patch.yaml", "{title}"),
                    step => assert_eq!((step, file), (Step::Source, "target.yaml"), "{title}"),
                }
            }
        }
    }
    for case in &cases() {
        check(merged(case, true).node(), case.title);
    }
}

#[test]
fn a_value_that_a_patch_changed_remembers_what_it_was() {
    let mut target = resource("apiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec:\n  a: 1\n", "target.yaml");
    let patch = resource("apiVersion: v1\nkind: Foo\nmetadata: {name: x}\nspec:\n  a: 2\n", "patch.yaml");
    let options = PatchOptions { origins: true, ..PatchOptions::default() };
    patch_resource(&mut target, &patch, &options).unwrap();
    let origin = target.node().at(&["spec", "a"]).unwrap().origin();
    let chain: Vec<_> = origin.chain().map(|record| record.span.map(|span| span.to_string())).collect();
    assert_eq!(chain, [Some("patch.yaml:5:6".to_owned()), Some("target.yaml:5:6".to_owned())]);
}
