//! Objects: JSON values with the parts that every kind has.

use serde_json::{Map, Value};

/// The text at a path of fields; the empty text where there is none.
pub(crate) fn text<'v>(object: &'v Value, path: &[&str]) -> &'v str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path of fields.
pub(crate) fn at<'v>(object: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(object, |value, field| value.get(field))
}

/// The whole number at a path of fields.
pub(crate) fn number(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// The items of the list at a path of fields.
pub(crate) fn items<'v>(object: &'v Value, path: &[&str]) -> &'v [Value] {
    at(object, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The mapping at a path of fields, made where there is none or something else.
pub(crate) fn mapping<'v>(object: &'v mut Value, path: &[&str]) -> &'v mut Map<String, Value> {
    let mut value = object;
    for field in path {
        value = as_mapping(value).entry(*field).or_insert(Value::Null);
    }
    as_mapping(value)
}

fn as_mapping(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("it was just made one"),
    }
}

/// Sets the value at a path of fields.
pub(crate) fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some((last, above)) = path.split_last() {
        mapping(object, above).insert((*last).to_owned(), value.into());
    }
}

/// Sets the value at a path of fields unless there is one.
pub(crate) fn default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if let Some((last, above)) = path.split_last() {
        let entry = mapping(object, above).entry(*last).or_insert(Value::Null);
        if entry.is_null() {
            *entry = value.into();
        }
    }
}

/// Removes the value at a path of fields.
pub(crate) fn remove(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, above) = path.split_last()?;
    let mut value = object;
    for field in above {
        value = value.get_mut(field)?;
    }
    value.as_object_mut()?.remove(*last)
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

pub(crate) fn is_being_deleted(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

pub(crate) fn finalizers(object: &Value) -> &[Value] {
    items(object, &["metadata", "finalizers"])
}

/// Removes a finalizer; whether it was there.
pub(crate) fn remove_finalizer(object: &mut Value, finalizer: &str) -> bool {
    let rest: Vec<Value> = finalizers(object).iter().filter(|other| *other != finalizer).cloned().collect();
    let was_there = rest.len() != finalizers(object).len();
    match rest.is_empty() {
        true => remove(object, &["metadata", "finalizers"]),
        false => mapping(object, &["metadata"]).insert("finalizers".to_owned(), rest.into()),
    };
    was_there
}

/// The reference of the controller that an object belongs to.
pub(crate) fn controller_of(object: &Value) -> Option<&Value> {
    items(object, &["metadata", "ownerReferences"]).iter().find(|owner| owner["controller"] == true)
}

/// Now, as it stands in objects.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
