//! What a structural schema says beside its structure: [`Conditions`].

use crate::definition::{DEEPEST, LARGEST_PATTERN, has_key};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The `allOf`, `anyOf`, `oneOf` and `not` of one schema.
#[derive(Debug)]
pub(crate) struct Conditions {
    /// The schema they stand in, for the defaults of its fields, which are filled in before anything is looked at.
    schema: Value,
    /// Read when a value of the schema is looked at, which few are.
    compiled: OnceLock<Vec<Condition>>,
}

#[derive(Debug)]
struct Condition {
    validator: Validator,
    /// What is wrong with a value that it refuses.
    why: String,
}

const KEYS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];

impl Conditions {
    /// The conditions of a schema, where it has any.
    pub(crate) fn of(schema: &Value) -> Option<Self> {
        let fields = schema.as_object()?;
        // That is said in a way of its own.
        let is_int_or_string = fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
        let own = fields.keys().filter(|key| KEYS.contains(&key.as_str()));
        let counts = own.filter(|key| !(is_int_or_string && *key == "anyOf")).count() > 0;
        counts.then(|| Self { schema: schema.clone(), compiled: OnceLock::new() })
    }

    /// What is wrong with a value, as the rest of a sentence that begins with its path.
    pub(crate) fn refuse(&self, value: &Value) -> Vec<&str> {
        let mut value = value.clone();
        fill_in(&self.schema, &mut value, 0);
        let conditions = self.compiled.get_or_init(|| self.compile());
        conditions
            .iter()
            .filter(|condition| !condition.validator.is_valid(&value))
            .map(|one| one.why.as_str())
            .collect()
    }

    fn compile(&self) -> Vec<Condition> {
        let compile = |key: &str| {
            let condition = self.schema.get(key)?;
            // A structural schema may not lead elsewhere.
            if has_key(condition, "$ref", 0) {
                return None;
            }
            let schema = Value::Object(Map::from_iter([(key.to_owned(), condition.clone())]));
            // The dialect of OpenAPI 3.0, whose bounds are told to be exclusive by another key. What is no schema, or has
            // patterns of another kind, is not looked at.
            let validator = jsonschema::options()
                .with_draft(Draft::Draft4)
                .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
                .should_validate_formats(false)
                .build(&schema)
                .ok()?;
            Some(Condition { validator, why: why(key, condition) })
        };
        KEYS.iter().filter_map(|key| compile(key)).collect()
    }
}

/// Fills in the defaults of fields that are not there.
pub(crate) fn fill_in(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, below) in properties.into_iter().flatten() {
                if let Some(default) = below.get("default")
                    && fields.get(name).is_none_or(Value::is_null)
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    fill_in(below, value, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            if let Some(below) = schema.get("items") {
                items.iter_mut().for_each(|item| fill_in(below, item, depth + 1));
            }
        }
        _ => {}
    }
}

/// What is wrong with a value that a condition refuses. Most conditions choose among fields.
fn why(key: &str, condition: &Value) -> String {
    let alternatives = condition.as_array().map(Vec::as_slice).unwrap_or_default();
    let fields: Option<Vec<String>> = alternatives.iter().map(required).collect();
    match (key, fields.filter(|fields| !fields.is_empty())) {
        ("anyOf", Some(fields)) => format!("has to have {}", fields.join(" or ")),
        ("oneOf", Some(fields)) => format!("has to have exactly one of {}", fields.join(", ")),
        ("anyOf", None) => "fits none of the schemas of `anyOf`".to_owned(),
        ("oneOf", None) => "has to fit exactly one of the schemas of `oneOf`".to_owned(),
        ("allOf", _) => "does not fit all schemas of `allOf`".to_owned(),
        _ => match required(condition) {
            Some(fields) => format!("may not have {fields}"),
            None => "fits the schema that `not` rules out".to_owned(),
        },
    }
}

/// The fields that a schema wants, where it wants nothing else.
fn required(schema: &Value) -> Option<String> {
    let fields = schema.as_object().filter(|fields| fields.len() == 1)?;
    let names = fields.get("required")?.as_array()?;
    let quoted: Vec<String> = names.iter().filter_map(|name| Some(format!("`{}`", name.as_str()?))).collect();
    Some(quoted.join(" and "))
}
