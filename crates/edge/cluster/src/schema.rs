//! Manifests held against the schemas that the API server publishes (OpenAPI 2), as kubectl does on this side. Helm
//! leaves that to the server wherever the server can, and then never sends the manifest; so it is for lists, for kinds
//! that can't be patched, and for Kubernetes before 1.27.

use serde_json::{Map, Value};

/// How deep a manifest is looked into.
const DEEPEST: usize = 256;

/// The published schemas.
pub(crate) struct Schemas {
    definitions: Map<String, Value>,
}

/// Where a schema or a part of a manifest stands, as errors say it.
type Place = String;

impl Schemas {
    pub(crate) fn new(mut openapi: Value) -> Self {
        let definitions = match openapi.get_mut("definitions").map(Value::take) {
            Some(Value::Object(definitions)) => definitions,
            _ => Map::new(),
        };
        Self { definitions }
    }

    /// What is wrong with a thing of a kind, in kubectl's words. What has no schema is not looked at.
    pub(crate) fn problems(&self, group: &str, version: &str, kind: &str, thing: &Value) -> Vec<String> {
        let is_meant = |entry: &Value| {
            let is = |name: &str, wanted: &str| entry.get(name).and_then(Value::as_str) == Some(wanted);
            is("group", group) && is("version", version) && is("kind", kind)
        };
        let model = self.definitions.iter().find(|(_, schema)| {
            let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            kinds.is_some_and(|kinds| kinds.iter().any(is_meant))
        });
        let mut problems = Vec::new();
        if let Some((name, schema)) = model {
            self.check(schema, name.clone(), thing, kind.to_owned(), 0, &mut problems);
        }
        problems
    }

    fn check(&self, schema: &Value, at: Place, thing: &Value, item: Place, depth: usize, problems: &mut Vec<String>) {
        if depth > DEEPEST {
            return;
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/definitions/"))
        {
            if let Some(schema) = self.definitions.get(name) {
                self.check(schema, name.to_owned(), thing, item, depth + 1, problems);
            }
            return;
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let wanted = match (schema.get("type").and_then(Value::as_str), properties) {
            (None, None) => return,
            (None, Some(_)) | (Some("object"), _) => "map",
            (Some(other), _) => other,
        };
        let actual = kind_of(thing);
        let fits = match wanted {
            // Anything simple can be made a string.
            "string" => !matches!(actual, "map" | "array"),
            "integer" | "number" => actual == "number",
            wanted => actual == wanted,
        };
        if !fits {
            problems.push(said(&item, &format!("invalid type for {at}: got {actual:?}, expected {wanted:?}")));
            return;
        }
        match (thing, properties) {
            (Value::Array(things), _) => {
                let Some(schema) = schema.get("items") else { return };
                for (index, thing) in things.iter().enumerate() {
                    let element = format!("{item}[{index}]");
                    if thing.is_null() {
                        problems.push(said(&item, &format!("unknown object type \"nil\" in {element}")));
                        continue;
                    }
                    self.check(schema, at.clone(), thing, element, depth + 1, problems);
                }
            }
            (Value::Object(fields), Some(properties)) => {
                for (name, thing) in sorted(fields).into_iter().filter(|(_, thing)| !thing.is_null()) {
                    match properties.get(name) {
                        None => problems.push(said(&item, &format!("unknown field {name:?} in {at}"))),
                        Some(schema) => {
                            self.check(
                                schema,
                                format!("{at}.{name}"),
                                thing,
                                format!("{item}.{name}"),
                                depth + 1,
                                problems,
                            );
                        }
                    }
                }
                let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                for name in required.filter_map(Value::as_str) {
                    if fields.get(name).is_none_or(Value::is_null) {
                        problems.push(said(&item, &format!("missing required field {name:?} in {at}")));
                    }
                }
            }
            (Value::Object(fields), None) => {
                let of_each = schema.get("additionalProperties").filter(|schema| schema.is_object());
                for (name, thing) in sorted(fields) {
                    let item = format!("{item}.{name}");
                    if thing.is_null() {
                        problems.push(format!("unknown object type \"nil\" in {item}"));
                    } else if let Some(schema) = of_each {
                        self.check(schema, at.clone(), thing, item, depth + 1, problems);
                    }
                }
            }
            _ => {}
        }
    }
}

fn said(item: &str, problem: &str) -> String {
    format!("ValidationError({item}): {problem}")
}

fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

fn kind_of(thing: &Value) -> &'static str {
    match thing {
        Value::Null => "nil",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn problems_have_kubectls_words() {
        let schemas = Schemas::new(json!({"definitions": {
            "io.Pod": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
                "required": ["spec"],
                "properties": {
                    "spec": {"$ref": "#/definitions/io.PodSpec"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "ports": {"type": "array", "items": {"type": "integer"}},
                    "any": {},
                },
            },
            "io.PodSpec": {"type": "object", "properties": {"on": {"type": "boolean"}}},
        }}));
        let problems = |thing: Value| schemas.problems("", "v1", "Pod", &thing);
        let good = json!({"spec": {"on": true}, "labels": {"a": 1}, "ports": [1, 2.5], "any": [{}]});
        assert_eq!(problems(good), Vec::<String>::new());
        assert_eq!(
            problems(json!({"nope": 1, "labels": {"a": []}, "ports": {}, "spec": {"on": "yes"}})),
            [
                "ValidationError(Pod.labels.a): invalid type for io.Pod.labels: got \"array\", expected \"string\"",
                "ValidationError(Pod): unknown field \"nope\" in io.Pod",
                "ValidationError(Pod.ports): invalid type for io.Pod.ports: got \"map\", expected \"array\"",
                "ValidationError(Pod.spec.on): invalid type for io.PodSpec.on: got \"string\", expected \"boolean\"",
            ]
        );
        assert_eq!(problems(json!({})), ["ValidationError(Pod): missing required field \"spec\" in io.Pod"]);
        assert_eq!(
            problems(json!({"spec": {}, "ports": [null]})),
            ["ValidationError(Pod.ports): unknown object type \"nil\" in Pod.ports[0]"]
        );
        assert_eq!(schemas.problems("", "v1", "Other", &json!({})), Vec::<String>::new());
    }
}
