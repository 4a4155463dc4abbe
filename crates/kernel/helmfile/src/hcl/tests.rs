//! Against what Helmfile itself makes of expressions and states: `tests/hcl/expressions.tsv` and `tests/hcl/states.txt`.

use super::values;
use onepane_diagnostics::{FileId, Result, Span};
use onepane_value::Map;
use onepane_world::MemoryWorld;
use serde_json::Value as Json;

fn read(files: &[(&str, &str)]) -> Result<Map> {
    let world = files.iter().fold(MemoryWorld::new(), |world, (name, text)| world.with(*name, *text));
    let span = Span::new(FileId::new("helmfile.yaml"), 1, 1);
    let files: Vec<_> = files.iter().map(|(name, _)| ((*name).into(), span)).collect();
    values(&world, &files)
}

/// As JSON whose numbers are floats, as there.
fn json(text: &str) -> Json {
    fn floats(value: Json) -> Json {
        match value {
            Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
            Json::Array(items) => items.into_iter().map(floats).collect(),
            Json::Object(entries) => {
                Json::Object(entries.into_iter().map(|(key, value)| (key, floats(value))).collect())
            }
            other => other,
        }
    }
    floats(serde_json::from_str(text).expect("recorded and written JSON is JSON"))
}

fn written(map: Map) -> Json {
    json(&onepane_value::to_json(&map.into()).expect("values can be written").to_string())
}

#[test]
fn expressions_are_worth_what_helmfile_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("../../tests/hcl/expressions.tsv").lines().filter(|line| !line.starts_with("# ")) {
        let (expression, wanted) = line.split_once('\t').expect("a line has an expression and a result");
        let found = read(&[("v.hcl", &format!("values {{\n  x = {expression}\n}}\n"))]);
        count += 1;
        match (wanted, found) {
            ("!", Err(error)) => {
                let span = error.primary.as_ref().expect("an error has its place").span;
                assert_eq!((span.file, span.line >= 2), (FileId::new("v.hcl"), true), "{expression}: {error:?}");
            }
            ("!", Ok(found)) => wrong.push(format!("{expression}: an error is wanted, not {}", written(found))),
            (wanted, Err(error)) => wrong.push(format!("{expression}: {wanted} is wanted, not {error:?}")),
            (wanted, Ok(found)) => {
                let found = written(found);
                if found["x"] != json(wanted) {
                    wrong.push(format!("{expression}: {wanted} is wanted, not {}", found["x"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 600, "{count} expressions");
}

#[test]
fn states_have_the_values_that_helmfile_says() {
    let mut wrong = Vec::new();
    let mut files: Vec<(&str, String)> = Vec::new();
    let mut count = 0;
    for line in include_str!("../../tests/hcl/states.txt").lines().skip_while(|line| line.starts_with("# ")) {
        if let Some(name) = line.strip_prefix("=== ") {
            files.push((name, String::new()));
            continue;
        }
        let Some(wanted) = line.strip_prefix(">>> ") else {
            if files.is_empty() {
                files.push(("v.hcl", String::new()));
            }
            let (_, text) = files.last_mut().expect("a file was begun");
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let state = std::mem::take(&mut files);
        let named: Vec<(&str, &str)> = state.iter().map(|(name, text)| (*name, text.as_str())).collect();
        count += 1;
        match (wanted, read(&named)) {
            ("!", Err(error)) => assert!(error.primary.is_some(), "{error:?} has no place"),
            ("!", Ok(found)) => wrong.push(format!("{state:#?}: an error is wanted, not {}", written(found))),
            (wanted, Err(error)) => wrong.push(format!("{state:#?}: {wanted} is wanted, not {error:?}")),
            (wanted, Ok(found)) => {
                let found = written(found);
                if found != json(wanted) {
                    wrong.push(format!("{state:#?}: {wanted} is wanted, not {found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 40, "{count} states");
}

#[test]
fn errors_have_their_line_and_column() {
    let place = |text: &str| {
        let error = read(&[("v.hcl", text)]).expect_err("it is wrong");
        let span = error.primary.as_ref().expect("an error has its place").span;
        (span.line, span.column, error.message)
    };
    let (line, column, message) = place("values {\n  a = 1\n  b = upper(\"é\", [1])\n}\n");
    assert_eq!((line, column), (3, 7), "{message}");
    assert!(message.contains("`upper` takes 1 argument, not 2"), "{message}");
    let (line, column, message) = place("values {\n  b = \"é${trim(\"x\", [1])}\"\n}\n");
    assert_eq!((line, column), (2, 21), "{message}");
    let (line, column, message) = place("values {\n  a = hv.b\n  b = hv.c\n  c = hv.a\n  d = hv.a\n}\n");
    assert_eq!((line, column), (2, 7), "{message}");
    assert!(message.contains("a -> b -> c -> a"), "{message}");
    let (line, _, message) = place("values {\n  a = [\n    1,\n    nosuch(2),\n  ]\n}\n");
    assert_eq!(line, 4, "{message}");
    assert!(message.contains("there is no function named `nosuch`"), "{message}");
}

#[test]
fn what_would_fill_memory_is_refused() {
    let doubled = (1..60)
        .fold("values {\n  a0 = [1]\n".to_owned(), |text, at| format!("{text}  a{at} = [hv.a{0}, hv.a{0}]\n", at - 1));
    let text = (1..60).fold("values {\n  a0 = \"x\"\n".to_owned(), |text, at| {
        format!("{text}  a{at} = \"${{hv.a{0}}}${{hv.a{0}}}\"\n", at - 1)
    });
    let deep =
        (1..2000).fold("values {\n  a0 = 1\n".to_owned(), |text, at| format!("{text}  a{at} = [hv.a{}]\n", at - 1));
    let loops =
        "values {\n  a = [for a in range(1024) : [for b in range(1024) : [for c in range(1024) : 1]]]\n".to_owned();
    let product = "values {\n  a = setproduct(range(1000), range(1000), range(1000))\n".to_owned();
    let wide = "values {\n  a = format(\"%2000000000d\", 1)\n".to_owned();
    let nested = format!("values {{\n  a = {}1{}\n", "[".repeat(5000), "]".repeat(5000));
    for text in [doubled, text, deep, loops, product, wide, nested] {
        let error = read(&[("v.hcl", &format!("{text}}}\n"))]).expect_err("it is too much");
        assert!(error.primary.is_some(), "{error:?}");
    }
}

#[test]
fn files_without_values_have_none() {
    for text in ["", "# nothing\n", "values {\n}\n", "locals {\n  a = 1\n}\n"] {
        assert_eq!(read(&[("v.hcl", text)]).expect("it is right").len(), 0, "{text:?}");
    }
}
