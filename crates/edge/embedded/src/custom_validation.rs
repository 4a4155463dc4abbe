//! Custom resources held against their schemas, in the words of the real server.
//!
//! Types, `required`, `enum`, bounds of numbers and lengths, `pattern` and `nullable` are looked at. CEL rules, formats,
//! `oneOf` and its like are not.

use crate::failure::Cause;
use regex::Regex;
use serde_json::Value;

const DEEPEST: usize = 100;

/// What is wrong with a custom resource.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["spec", "status"].into_iter().chain(
        schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(|p| p.keys())
            .map(String::as_str)
            .filter(|name| !matches!(*name, "apiVersion" | "kind" | "metadata" | "spec" | "status")),
    ) {
        if let (Some(of), Some(value)) = (schema["properties"].get(field), value.get(field)) {
            check(of, value, field, 0, &mut causes);
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            causes.push(Cause::required(name, ""));
        }
    }
    causes
}

fn check(schema: &Value, value: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    if depth > DEEPEST {
        return;
    }
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    let is_int_or_string = schema["x-kubernetes-int-or-string"] == true;
    if let Some(wanted) = schema["type"].as_str() {
        let is = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::Null => "null",
        };
        if is != wanted && !(wanted == "number" && is == "integer") && !is_int_or_string {
            let message = format!("Invalid value: {is:?}: {path} in body must be of type {wanted}: {is:?}");
            causes.push(Cause { reason: "FieldValueTypeInvalid", message, field: path.to_owned() });
            return;
        }
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", values.join(", "));
        causes.push(Cause { reason: "FieldValueNotSupported", message, field: path.to_owned() });
    }
    let mut refuse = |why: String| causes.push(Cause::invalid(path, value, &format!("{path} in body {why}")));
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
                refuse(format!("should be greater than or equal to {least}"));
            }
            if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
                refuse(format!("should be less than or equal to {most}"));
            }
        }
        Value::String(text) => {
            let length = text.chars().count() as u64;
            if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
                refuse(format!("should be at least {least} chars long"));
            }
            if let Some(pattern) = schema["pattern"].as_str()
                && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
            {
                refuse(format!("should match '{pattern}'"));
            }
        }
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    causes.push(Cause::required(format!("{path}.{name}"), ""));
                }
            }
            for (name, value) in fields {
                let of = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
                if let Some(of) = of.filter(|of| of.is_object()) {
                    check(of, value, &format!("{path}.{name}"), depth + 1, causes);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"), depth + 1, causes);
            }
        }
        _ => {}
    }
}
