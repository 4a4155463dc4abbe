//! Reading and writing, beside what sigs.k8s.io/yaml, go-yaml v3 and encoding/json answer.
//!
//! `go_yaml.tsv` holds inputs of ours and Go's answers to them. A line is one case; dropping in a line adds a test.

use onepane_diagnostics::FileId;
use onepane_value::{Text, Value, from_json, from_yaml_as_go, to_json, to_yaml, to_yaml_pretty};

fn shown(text: Result<Text, String>) -> Result<String, String> {
    text.map(|text| text.to_str().into_owned())
}

/// Does what the operation's name says as the Go program did that made the table.
fn run(operation: &str, input: &str) -> Result<String, String> {
    match operation {
        "unmarshal" => shown(to_json(&from_yaml_as_go(input)?)),
        "marshal" => shown(to_yaml(&from_json(input.as_bytes())?)),
        "marshalstr" => shown(to_yaml(&Value::string(input))),
        "pretty" => shown(to_yaml_pretty(&from_json(input.as_bytes())?)),
        "json" => shown(to_json(&from_json(input.as_bytes())?)),
        "kyaml" | "sorted" => {
            let documents = onepane_yaml::read_documents(input, FileId::new("case.yaml")).map_err(|e| e.message)?;
            let document = documents.first().ok_or("EMPTY")?;
            if operation == "kyaml" {
                return Ok(onepane_yaml::write_kyaml_document(document));
            }
            onepane_yaml::write_sorted(&document.root).map_err(|error| error.message)
        }
        other => Err(format!("no operation {other}")),
    }
}

/// Errors of the tree carry a place and no line of Go's; everything else must be the same text.
fn same(operation: &str, ours: &Result<String, String>, go: &Result<String, String>) -> bool {
    match (ours, go) {
        (Err(ours), Err(go)) if matches!(operation, "kyaml" | "sorted") => {
            go.contains(ours.trim_start_matches("yaml: ").split(" already defined").next().unwrap_or(ours))
        }
        (ours, go) => ours == go,
    }
}

#[test]
fn we_answer_as_go_does() {
    let text = |json: &str| match from_json(json.as_bytes()).expect("the table holds JSON strings").as_text() {
        Some(text) => text.to_str().into_owned(),
        None => String::new(),
    };
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in include_str!("go_yaml.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [operation, input, kind, answer] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {line}");
        };
        let input = text(input);
        let go = if kind == "O" { Ok(text(answer)) } else { Err(text(answer)) };
        let ours = run(operation, &input);
        cases += 1;
        if !same(operation, &ours, &go) {
            failures.push(format!("{operation} {input:?}\n  go:   {go:?}\n  ours: {ours:?}"));
        }
    }
    assert!(cases > 200, "the table is there");
    assert!(failures.is_empty(), "{} of {cases} differ\n{}", failures.len(), failures.join("\n"));
}
