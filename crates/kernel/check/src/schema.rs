//! `values.schema.json`: who describes a key knows it.

use crate::graph::Graph;
use crate::seen::{Id, Seen};
use serde_json::Value;

/// References may run in circles.
const DEEPEST: usize = 64;

/// Marks what a schema describes of the values at `place`. What is no schema describes nothing: rendering reports it.
pub(crate) fn read(graph: &mut Graph, place: Id, bytes: &[u8]) {
    if let Ok(schema) = serde_json::from_slice::<Value>(bytes) {
        describe(graph, place, &schema, &schema, 0);
    }
}

fn describe(graph: &mut Graph, place: Id, schema: &Value, root: &Value, depth: usize) {
    let Value::Object(keywords) = schema else { return };
    graph.spend(1);
    if depth > DEEPEST || graph.is_exhausted() {
        return graph.read_whole(&Seen::place(place));
    }
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                match target {
                    Some(target) => describe(graph, place, target, root, depth + 1),
                    None => graph.read_whole(&Seen::place(place)),
                }
            }
            ("$dynamicRef" | "$recursiveRef", _) => graph.read_whole(&Seen::place(place)),
            ("properties", Value::Object(properties)) => {
                for (key, schema) in properties {
                    let child = graph.child(place, key);
                    describe(graph, child, schema, root, depth + 1);
                }
            }
            // Keys of any name are meant to be there.
            ("additionalProperties" | "unevaluatedProperties" | "patternProperties", value)
                if *value != Value::Bool(false) =>
            {
                graph.read_whole(&Seen::place(place));
            }
            ("items" | "additionalItems" | "contains", schema @ Value::Object(_)) => {
                let element = graph.element(place);
                describe(graph, element, schema, root, depth + 1);
            }
            ("items" | "prefixItems", Value::Array(schemas)) => {
                let element = graph.element(place);
                schemas.iter().for_each(|schema| describe(graph, element, schema, root, depth + 1));
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| describe(graph, place, schema, root, depth + 1));
            }
            ("if" | "then" | "else" | "not", schema) => describe(graph, place, schema, root, depth + 1),
            ("dependentSchemas" | "dependencies", Value::Object(schemas)) => {
                schemas.values().for_each(|schema| describe(graph, place, schema, root, depth + 1));
            }
            _ => {}
        }
    }
}
