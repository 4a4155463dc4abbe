//! What Kustomize 5.8.1 printed for the same replacements.

use super::*;
use crate::testing::{json, yaml};
use onepane_diagnostics::{FileId, Span, Step};

const TARGET: &str = r#"
data:
  a: foo
  n: 80
  b: true
  e: ""
  q: "80"
  f: 1.5
  j: {x: 1}
  l: [a, b]
  i: web:1.0
  s: |
    {"a": {"b": 1, "c": "x"}}
  y: |
    # c
    a:
      b: 1 # d
    l:
    - name: q
"#;

fn written(path: &str, value: &str, options: &FieldOptions) -> Result<String> {
    let mut node = yaml(TARGET);
    write_value(&mut node, &[path], &Node::scalar(value), options, None)?;
    let place = lookup(&node, &split(path)).ok().flatten().map(json);
    Ok(place.unwrap_or_else(|| json(&node)))
}

#[test]
fn a_scalar_keeps_its_type() {
    for (path, value, expected) in [
        ("data.a", "5", "\"5\""),
        ("data.n", "81", "81"),
        ("data.n", "abc", "<cannot decode !!str `abc` as a !!int>"),
        ("data.b", "5", "<cannot decode !!int `5` as a !!bool>"),
        ("data.e", "5", "\"5\""),
        ("data.q", "abc", "\"abc\""),
        ("data.f", "7", "7"),
        ("data.j", "7", "7"),
        ("data.l.0", "7", "\"7\""),
    ] {
        assert_eq!(written(path, value, &FieldOptions::default()).unwrap(), expected, "{path} {value}");
    }
}

#[test]
fn what_is_made_has_the_type_of_its_text() {
    let create = FieldOptions { create: true, ..FieldOptions::default() };
    for (path, value, expected) in [
        ("data.new", "7", "7"),
        ("data.new.x", "yes", "\"yes\""),
        ("data.l.2", "7", "7"),
        ("data.m.[name=x].v", "7", "7"),
    ] {
        assert_eq!(written(path, value, &create).unwrap(), expected, "{path} {value}");
    }
    let error = written("data.new", "7", &FieldOptions::default()).unwrap_err();
    assert_eq!(error.message, "unable to find field \"data.new\" in replacement target");
}

#[test]
fn an_element_of_a_text_is_replaced_or_added() {
    for (index, expected) in [(0, "X:1.0"), (1, "web:X"), (-1, "X:web:1.0"), (7, "web:1.0:X")] {
        let options = FieldOptions { delimiter: ":".into(), index, create: false };
        assert_eq!(written("data.i", "X", &options).unwrap(), format!("{expected:?}"), "{index}");
    }
    let options = FieldOptions { delimiter: ":".into(), ..FieldOptions::default() };
    let error = written("data.j", "X", &options).unwrap_err();
    assert_eq!(error.message, "delimiter option can only be used with scalar nodes");
}

#[test]
fn texts_that_are_json_or_yaml_are_written_into() {
    for (path, scalar, expected) in [
        ("data.s.a.b", "data.s", r#"{"a":{"b":7,"c":"x"}}"#),
        ("data.s.a.c", "data.s", r#"{"a":{"b":1,"c":"7"}}"#),
        ("data.y.a.b", "data.y", "# c\na:\n  b: 7 # d\nl:\n- name: q"),
        ("data.y.l.0.name", "data.y", "# c\na:\n  b: 1 # d\nl:\n- name: \"7\""),
    ] {
        let mut node = yaml(TARGET);
        write_value(&mut node, &[path], &Node::scalar("7"), &FieldOptions::default(), None).unwrap();
        assert_eq!(lookup(&node, &split(scalar)).unwrap().map(raw_text), Some(expected), "{path}");
    }
}

/// Kustomize 5.8.1 still replaced the whole text here; its later tests say this.
#[test]
fn elements_of_texts_within_texts_are_replaced() {
    let mut node = yaml("data:\n  s: '{\"url\": \"https://example.com/app/api\"}'\n");
    let options = FieldOptions { delimiter: "/".into(), index: 3, create: false };
    write_value(&mut node, &["data.s.url"], &Node::scalar("shop"), &options, None).unwrap();
    let text = lookup(&node, &split("data.s")).unwrap().map(raw_text);
    assert_eq!(text, Some(r#"{"url":"https://example.com/shop/api"}"#));
}

#[test]
fn sources_give_a_field_or_an_element_of_it() {
    let id = ResourceId::default();
    let source = |path: &str, delimiter: &str, index| {
        let options = FieldOptions { delimiter: delimiter.into(), index, create: false };
        source_value(&yaml(TARGET), &id, path, &options).map(|node| json(&node)).map_err(|error| error.message)
    };
    assert_eq!(source("data.n", "", 0), Ok("80".to_owned()));
    assert_eq!(source("data.j", "", 0), Ok("{\"x\":1}".to_owned()));
    assert_eq!(source("data.i", ":", 1), Ok("\"1.0\"".to_owned()));
    assert_eq!(source("data.i", ":", 2), Err("options.index 2 is out of bounds for value web:1.0".to_owned()));
    let missing = "fieldPath `data.z` is missing for replacement source [noKind].[noVer].[noGrp]/[noName].[noNs]";
    assert_eq!(source("data.z", "", 0), Err(missing.to_owned()));
}

#[test]
fn what_is_written_remembers_where_it_came_from() {
    let mut node = yaml("a: 1\n");
    let origin = Origin::at(Step::Replacement, Span::new(FileId::new("kustomization.yaml"), 9, 1));
    write_value(&mut node, &["a"], &Node::scalar("2"), &FieldOptions::default(), Some(&origin)).unwrap();
    let steps: Vec<_> = node.get("a").unwrap().origin().chain().map(|record| record.step).collect();
    assert_eq!(steps, [Step::Replacement, Step::Source]);
}
