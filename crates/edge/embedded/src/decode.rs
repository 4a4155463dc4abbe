//! What a client sends, as a server reads it: fields that there are none of are dropped, as are nulls.
//!
//! Kubernetes' own kinds are read as Go reads them into structs: values of wrong types are refused, lists and mappings
//! without content are as good as absent, structs that are no pointers are there. Others are pruned by their schemas.

use crate::types::{Scalar, Shape};
use serde_json::{Map, Value};

/// What was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    /// The paths of fields that there are none of.
    pub(crate) unknown: Vec<String>,
}

/// Reads one of Kubernetes' own kinds; the error is the message.
pub(crate) fn builtin(shape: &Shape, kind: &str, value: &mut Value) -> Result<Decoded, String> {
    let mut decoded = Decoded::default();
    read(shape, value, "", kind, &mut decoded)?;
    Ok(decoded)
}

fn read(shape: &Shape, value: &mut Value, path: &str, kind: &str, decoded: &mut Decoded) -> Result<(), String> {
    let wrong = |value: &Value, wanted: &str| {
        let what = match value {
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            _ => "object",
        };
        // As Go words it: list indices are no part of the path.
        Err(format!("json: cannot unmarshal {what} into Go struct field {kind}.{} of type {wanted}", plain(path)))
    };
    match (shape, &mut *value) {
        (_, Value::Null) | (Shape::Any, _) => Ok(()),
        (Shape::Struct(of), Value::Object(fields)) => {
            let of = of.get();
            fields.retain(|name, value| {
                let is_known = of.fields.contains_key(name) || of.keeps_unknown;
                if !is_known {
                    decoded.unknown.push(join(path, name));
                }
                is_known && !value.is_null()
            });
            for (name, field) in &of.fields {
                match fields.get_mut(name) {
                    Some(value) => {
                        read(&field.shape, value, &join(path, name), kind, decoded)?;
                        let is_void = match (&field.shape, &*value) {
                            (Shape::List(_), Value::Array(items)) => items.is_empty(),
                            (Shape::Map(_), Value::Object(fields)) => fields.is_empty(),
                            _ => false,
                        };
                        // Lists that are always written say so by being empty; others are left out.
                        if is_void && !field.required {
                            fields.remove(name);
                        }
                    }
                    None if field.present => {
                        let mut empty = Value::Object(Map::new());
                        read(&field.shape, &mut empty, &join(path, name), kind, decoded)?;
                        fields.insert(name.clone(), empty);
                    }
                    // Numbers and flags that are always written are nought where nobody set them.
                    None => {
                        if let Some(default) = field.default.as_ref().filter(|_| field.required) {
                            fields.insert(name.clone(), default.clone());
                        }
                    }
                }
            }
            Ok(())
        }
        (Shape::Struct(_), other) => wrong(other, "object"),
        (Shape::Map(of), Value::Object(fields)) => {
            for (name, value) in fields.iter_mut() {
                if value.is_null() && matches!(of.values, Shape::Scalar(Scalar::Text)) {
                    *value = Value::String(String::new());
                }
                read(&of.values, value, path, kind, decoded)?;
                let _ = name;
            }
            Ok(())
        }
        (Shape::Map(_), other) => wrong(other, "map"),
        (Shape::List(list), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                read(&list.items, item, &format!("{path}[{index}]"), kind, decoded)?;
            }
            Ok(())
        }
        (Shape::List(_), other) => wrong(other, "list"),
        (Shape::Scalar(scalar), value) => match (scalar, &*value) {
            (Scalar::Text | Scalar::Bytes | Scalar::Time, Value::String(_))
            | (Scalar::Number, Value::Number(_))
            | (Scalar::Boolean, Value::Bool(_))
            | (Scalar::Quantity | Scalar::IntOrString, Value::String(_) | Value::Number(_)) => {
                if *scalar == Scalar::Quantity && value.is_number() {
                    *value = Value::String(value.to_string());
                }
                Ok(())
            }
            (Scalar::Integer, Value::Number(number)) => {
                // 3.0 is a whole number to Go's reader.
                match number.as_i64() {
                    Some(_) => Ok(()),
                    None => match number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15) {
                        Some(whole) => {
                            *value = (whole as i64).into();
                            Ok(())
                        }
                        None => wrong(value, "int64"),
                    },
                }
            }
            (Scalar::Text | Scalar::Bytes, other) => wrong(other, "string"),
            (Scalar::Boolean, other) => wrong(other, "bool"),
            (Scalar::Integer | Scalar::Number, other) => wrong(other, "int32"),
            (Scalar::Time, other) => wrong(other, "time"),
            (Scalar::Quantity | Scalar::IntOrString, other) => wrong(other, "string"),
        },
    }
}

fn plain(path: &str) -> String {
    path.chars().filter(|c| !matches!(c, '[' | ']')).filter(|c| !c.is_ascii_digit() || !path.contains('[')).collect()
}

/// Prunes a custom resource and fills in the defaults of its schema.
pub(crate) fn custom(shape: &Shape, value: &mut Value) -> Decoded {
    let mut decoded = Decoded::default();
    prune(shape, value, "", &mut decoded);
    decoded
}

fn prune(shape: &Shape, value: &mut Value, path: &str, decoded: &mut Decoded) {
    match (shape, value) {
        (Shape::Struct(of), Value::Object(fields)) => {
            let of = of.get();
            fields.retain(|name, _| {
                let is_known = of.fields.contains_key(name) || of.keeps_unknown;
                if !is_known {
                    decoded.unknown.push(join(path, name));
                }
                is_known
            });
            for (name, field) in &of.fields {
                let is_null = fields.get(name).is_none_or(Value::is_null);
                if let Some(default) = field.default.as_ref().filter(|_| is_null) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    prune(&field.shape, value, &join(path, name), decoded);
                }
            }
        }
        (Shape::Map(of), Value::Object(fields)) => {
            for (name, value) in fields {
                prune(&of.values, value, &join(path, name), decoded);
            }
        }
        (Shape::List(list), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune(&list.items, item, &format!("{path}[{index}]"), decoded);
            }
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
