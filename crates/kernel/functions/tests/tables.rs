//! What sprig 3.3 answers to thousands of calls (`tables/*.jsonl`, made by running it), and that we answer the same.
//!
//! A line is `[function, arguments, result]`. A time is `{"sec", "nsec", "zone"}` as an argument and `{"time"}`, its
//! `String()`, as a result; `{"error"}` is the text of an error or of a panic; null is nil.

use onepane_template::{Context, Function, FunctionError, FunctionTable, Host, Offline};
use onepane_value::{Data, Map, Text, Value};
use onepane_world::{MemoryWorld, World};
use serde_json::Value as Json;

/// An execution without templates.
#[derive(Default)]
struct Bare(MemoryWorld);

impl Context for Bare {
    fn include(&mut self, name: &str, _: &Value) -> Result<Text, FunctionError> {
        Err(format!("no template {name}").into())
    }

    fn tpl(&mut self, _: &Text, _: &Value) -> Result<Text, FunctionError> {
        Err("no templates".into())
    }

    fn world(&self) -> &dyn World {
        &self.0
    }

    fn host(&self) -> &dyn Host {
        &Offline
    }

    fn charge(&mut self, _: usize) -> Result<(), FunctionError> {
        Ok(())
    }
}

fn call(function: &Function, arguments: &[Value]) -> Result<Value, String> {
    (function.call)(&mut Bare::default(), arguments).map_err(|error| match error {
        FunctionError::Message(message) => message,
        FunctionError::Nested(error) => error.to_string(),
    })
}

/// A time of the table, made by the functions under test: there is no other way to one.
fn time(functions: &FunctionTable, json: &Json) -> Value {
    let call = |name: &str, arguments: &[Value]| {
        let world = MemoryWorld::new().with_env("TZ", json["zone"].as_str().expect("a zone"));
        let function = functions.get(name).expect("it is sprig's");
        (function.call)(&mut Bare(world), arguments).expect("a time of the table")
    };
    let mut time = call("mustToDate", &["2006".into(), "1970".into()]);
    let now = call("unixEpoch", std::slice::from_ref(&time)).as_text().expect("a text").to_string();
    let mut missing = json["sec"].as_i64().expect("seconds") - now.parse::<i64>().expect("seconds");
    while missing != 0 {
        // No more fits into a duration.
        let step = missing.clamp(-9_000_000_000, 9_000_000_000);
        time = call("mustDateModify", &[format!("{step}s").into(), time]);
        missing -= step;
    }
    call("mustDateModify", &[format!("{}ns", json["nsec"]).into(), time])
}

fn argument(functions: &FunctionTable, json: &Json) -> Value {
    match json {
        Json::Null => Value::NIL,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => Value::int(number.as_i64().expect("the table's numbers are integers")),
        Json::String(text) => text.as_str().into(),
        Json::Object(object) if object.contains_key("sec") => time(functions, json),
        Json::Object(object) if object.contains_key("int64") => {
            Value::int64(object["int64"].as_str().and_then(|number| number.parse().ok()).expect("a number"))
        }
        Json::Object(object) => {
            object.iter().map(|(key, value)| (key.as_str(), argument(functions, value))).collect::<Map>().into()
        }
        Json::Array(items) => {
            items.iter().map(|item| argument(functions, item)).collect::<onepane_value::List>().into()
        }
    }
}

fn result(value: Result<Value, String>) -> Json {
    let value = match value {
        Ok(value) => value,
        Err(error) => return serde_json::json!({"error": error}),
    };
    match &value.data {
        Data::Nil => Json::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(number, _) => (*number).into(),
        Data::Uint(number, _) => (*number).into(),
        Data::Float(number, _) => (*number).into(),
        Data::String(text) => text.to_str().into_owned().into(),
        Data::List(list) if list.is_nil() => Json::Null,
        Data::List(list) => list.iter().map(|item| result(Ok(item.clone()))).collect(),
        Data::Map(map) => map.entries().into_iter().map(|(key, value)| (key.to_string(), result(Ok(value)))).collect(),
        Data::Object(object) => serde_json::json!({"time": object.display().expect("it is a time").to_string()}),
    }
}

fn check(table_text: &str) {
    let functions = &onepane_functions::SPRIG;
    let mut wrong = Vec::new();
    let lines = table_text.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line of the table"));
    for line in lines {
        let name = line[0].as_str().expect("a name");
        let function = functions.get(name).unwrap_or_else(|| panic!("there is no function {name}"));
        let arguments = line[1].as_array().expect("arguments").iter().map(|json| argument(functions, json));
        let ours = result(call(function, &arguments.collect::<Vec<_>>()));
        if ours != line[2] {
            wrong.push(format!("{name} {}\n  ours: {ours}\n  Go's: {}", line[1], line[2]));
        }
    }
    assert!(wrong.is_empty(), "{} calls differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn dates_are_read_and_written_as_go_does() {
    check(include_str!("tables/date.jsonl"));
}

#[test]
fn urls_are_taken_apart_and_put_together_as_go_does() {
    check(include_str!("tables/url.jsonl"));
}

#[test]
fn digests_passwords_and_errors_of_keys_are_as_sprig_has_them() {
    check(include_str!("tables/crypto.jsonl"));
}

#[test]
fn patterns_match_split_and_replace_as_go_does() {
    check(include_str!("tables/regex.jsonl"));
}
