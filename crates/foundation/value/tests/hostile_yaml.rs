//! Input that is out to harm: it gets one clear error, soon, on a thread's ordinary stack.

use onepane_diagnostics::{FileId, Step};
use onepane_value::{Data, Map, Value, from_json, from_yaml, from_yaml_documents, to_json, to_yaml};

/// Nine levels of lists that hold the level before ten times: a thousand million strings.
fn alias_bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    text
}

fn source() -> Option<(FileId, Step)> {
    Some((FileId::new("values.yaml"), Step::ValuesFile))
}

#[test]
fn an_alias_bomb_is_refused_as_value_and_as_tree() {
    let text = alias_bomb();
    let error = from_yaml(&text, source()).expect_err("it is a bomb");
    assert_eq!((error.code, error.message.as_str()), ("yaml-alias-bomb", "document contains excessive aliasing"));
    assert!(error.primary.is_some());
    let nodes = onepane_yaml::read(&text, FileId::new("bomb.yaml")).expect("its syntax is right");
    let error = onepane_yaml::write_sorted(&nodes[0]).expect_err("it is a bomb");
    assert_eq!(error.code, "yaml-alias-bomb");
}

#[test]
fn hostile_nesting_is_refused_before_the_stack_is() {
    let deep = 200_000;
    let texts = [
        "[".repeat(deep),
        "{a: ".repeat(deep),
        "- ".repeat(deep),
        "? ".repeat(deep),
        format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        (0..3000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        (0..2000).map(|level| format!("{0}a:\n{0}- b:\n", "  ".repeat(level))).collect(),
    ];
    for text in &texts {
        let start = &text[..text.len().min(12)];
        let error = from_yaml(text, source()).expect_err(start);
        assert_eq!(error.message, "exceeded max depth of 1000", "{start}");
        let error = onepane_yaml::read(text, FileId::new("deep.yaml")).expect_err(start);
        assert_eq!(error.message, "exceeded max depth of 1000", "{start}");
    }
    assert_eq!(from_json("[".repeat(deep).as_bytes()).expect_err("it is deep"), "exceeded max depth");
}

#[test]
fn a_map_that_contains_itself_is_no_yaml() {
    let map = Map::new();
    map.insert("self", Value::from(map.clone()));
    let value = Value::from(map.clone());
    let error = to_yaml(&value).expect_err("it has no end");
    assert!(error.contains("encountered a cycle via map[string]interface {}"), "{error}");
    assert!(to_json(&value).is_err());
    map.remove("self");
}

#[test]
fn what_is_allowed_to_be_deep_survives_reading_writing_and_dropping() {
    let depth = 900;
    let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let value = from_yaml(&text, None).expect("it is within bounds");
    let written = to_yaml(&value).expect("it is within bounds").to_str().into_owned();
    assert_eq!(written.matches('-').count(), depth);
    let nodes = onepane_yaml::read(&text, FileId::new("deep.yaml")).expect("it is within bounds");
    assert!(onepane_yaml::write_kyaml(&nodes[0]).starts_with("[["));
}

#[test]
fn values_know_their_lines_and_written_yaml_knows_its_values() {
    let text = "a:\n  b: x\n  c:\n  - 1\n  - two\nd: |\n  l\n  m\n";
    let value = from_yaml(text, source()).expect("it is YAML");
    let line = |value: &Value| value.origin.span().map(|span| (span.line, span.column, span.length));
    let root = value.as_map().expect("a map");
    let a = root.get("a").expect("a");
    // A block is called by its key.
    assert_eq!(line(&a), Some((1, 1, 1)));
    let a = a.as_map().expect("a map");
    assert_eq!(line(&a.get("b").expect("b")), Some((2, 6, 1)));
    let c = a.get("c").expect("c");
    assert_eq!(line(&c.as_list().expect("a list")[1]), Some((5, 5, 3)));
    let written = to_yaml(&value).expect("it is JSON");
    assert_eq!(written.to_str(), "a:\n  b: x\n  c:\n  - 1\n  - two\nd: |\n  l\n  m\n");
    let line_of = |needle: &str| {
        let at = written.to_str().find(needle).expect("it is written");
        written.origin_at(at + needle.len() - 1).span().map(|span| span.line)
    };
    assert_eq!(line_of("b: x"), Some(2));
    assert_eq!(line_of("- 1"), Some(4));
    assert_eq!(line_of("two"), Some(5));
    assert_eq!(line_of("m\n"), Some(6));
    let plain = from_yaml(text, None).expect("it is YAML");
    let unmarked = to_yaml(&plain).expect("it is JSON");
    assert!(unmarked.marks().is_none());
    assert_eq!(unmarked, written);
}

#[test]
fn documents_are_parted_by_lines_of_dashes() {
    let text = "# c\n---\na: 1\n--- # d\nb: 2\n";
    let documents = from_yaml_documents(text, source()).expect("it is YAML");
    let keys: Vec<_> = documents.iter().filter_map(|document| document.as_map()).map(Map::keys).collect();
    assert_eq!(keys.len(), 2);
    let b = documents.last().and_then(Value::as_map).and_then(|map| map.get("b")).expect("b");
    assert_eq!(b.origin.span().map(|span| span.line), Some(5));
    assert!(matches!(b.data, Data::Float(two, _) if two == 2.0));
    assert!(from_yaml_documents("--- a\n", source()).is_err());
}
