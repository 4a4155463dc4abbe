//! Patches: JSON patch, JSON merge patch, strategic merge patch. Server-side apply is in `managed_fields`.

use crate::failure::{Failure, Result};
use crate::types::{List, Shape};
use serde_json::{Map, Value};

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchKind {
    /// By the media type of a request.
    pub(crate) fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }
}

/// A JSON patch may have so many operations, as on a real server.
const MOST_OPERATIONS: usize = 10_000;

/// Changes a value by a patch of the first three kinds.
pub(crate) fn patch(kind: PatchKind, shape: &Shape, value: &mut Value, patch: &Value) -> Result<()> {
    match kind {
        PatchKind::Json => {
            if patch.as_array().is_some_and(|operations| operations.len() > MOST_OPERATIONS) {
                let message = format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}");
                return Err(Failure::new(413, "RequestEntityTooLarge", message));
            }
            let operations: json_patch::Patch = serde_json::from_value(patch.clone())
                .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
            json(value, &operations)
        }
        PatchKind::Merge => {
            if !patch.is_object() {
                return Err(Failure::bad_request("error decoding patch: a merge patch is an object"));
            }
            json_patch::merge(value, patch);
            Ok(())
        }
        PatchKind::Strategic | PatchKind::Apply => match (value, patch) {
            (Value::Object(fields), Value::Object(patch)) => strategic(shape, fields, patch),
            _ => Err(Failure::bad_request("error decoding patch: a strategic merge patch is an object")),
        },
    }
}

/// What a JSON patch may make of an object: so many steps from the top to the bottom, so many bytes, with so many
/// operations that can double it. Otherwise a small patch could make an object that fills the memory, or the stack.
const DEEPEST: usize = 200;
const LARGEST: usize = 6 * 1024 * 1024;
const MOST_COPIES: usize = 100;

fn json(value: &mut Value, operations: &json_patch::Patch) -> Result<()> {
    let refuse = |why: &dyn std::fmt::Display| {
        let message = format!("the server rejected our request due to an error in our request: {why}");
        Failure::new(422, "Invalid", message)
    };
    let mut copies = 0;
    for operation in &operations.0 {
        if operation.path().tokens().count() > DEEPEST {
            return Err(refuse(&"a path is too long"));
        }
        json_patch::patch(value, std::slice::from_ref(operation)).map_err(|error| refuse(&error))?;
        if matches!(operation, json_patch::PatchOperation::Copy(_) | json_patch::PatchOperation::Move(_)) {
            copies += 1;
            if copies > MOST_COPIES || depth(value) > DEEPEST || value.to_string().len() > LARGEST {
                return Err(refuse(&"it copies or moves too much"));
            }
        }
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Merges mappings: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder` are directives.
fn strategic(shape: &Shape, fields: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<()> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            fields.clear();
            fields.extend(
                patch.iter().filter(|(name, _)| *name != "$patch").map(|(name, value)| (name.clone(), value.clone())),
            );
            return Ok(());
        }
        Some("delete") => {
            fields.clear();
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(Failure::bad_request(format!("unrecognized patch directive: {other}"))),
    }
    if let Some(Value::Array(kept)) = patch.get("$retainKeys") {
        fields.retain(|name, _| kept.iter().any(|kept| kept == name));
    }
    let whole = patch;
    for (name, value) in patch {
        if let Some(of) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(of), value) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if name.starts_with('$') {
            continue;
        }
        let below = below(shape, name);
        match value {
            Value::Null => {
                fields.remove(name);
            }
            Value::Object(patch) => {
                let entry = fields.entry(name.clone()).or_insert(Value::Null);
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                if let Value::Object(fields) = entry {
                    strategic(&below, fields, patch)?;
                }
                // A mapping that its patch deletes is gone altogether.
                if patch.get("$patch").is_some_and(|directive| directive == "delete") {
                    fields.remove(name);
                }
            }
            Value::Array(patch) => {
                let merged = match (&below, fields.get(name)) {
                    (Shape::List(list), before) => {
                        let before = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                        let order = order(whole, name);
                        strategic_list(list, before, patch, order)?
                    }
                    _ => patch.clone(),
                };
                fields.insert(name.clone(), Value::Array(merged));
            }
            scalar => {
                fields.insert(name.clone(), scalar.clone());
            }
        }
    }
    for name in whole.keys().filter_map(|name| name.strip_prefix("$setElementOrder/")) {
        if let (Shape::List(list), Some(Value::Array(items)), false) =
            (below(shape, name), fields.get(name), whole.contains_key(name))
        {
            let arranged = strategic_list(&list, items, &[], order(whole, name))?;
            fields.insert(name.to_owned(), Value::Array(arranged));
        }
    }
    Ok(())
}

/// In which order a patch wants the items of a list, where it says so.
fn order<'p>(patch: &'p Map<String, Value>, name: &str) -> Option<&'p [Value]> {
    patch.get(&format!("$setElementOrder/{name}")).and_then(Value::as_array).map(Vec::as_slice)
}

fn below(shape: &Shape, name: &str) -> Shape {
    match shape {
        Shape::Struct(of) => of.get().fields.get(name).map_or(Shape::Any, |field| field.shape.clone()),
        Shape::Map(of) => of.values.clone(),
        _ => Shape::Any,
    }
}

fn strategic_list(list: &List, before: &[Value], patch: &[Value], order: Option<&[Value]>) -> Result<Vec<Value>> {
    let Some(key) = &list.merge else { return Ok(patch.to_vec()) };
    let replaces = patch.iter().any(|item| item.get("$patch").is_some_and(|directive| directive == "replace"));
    if replaces {
        return Ok(patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect());
    }
    let mut merged = before.to_vec();
    for item in patch {
        if key.is_empty() {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
            continue;
        }
        let Some(fields) = item.as_object() else {
            return Err(Failure::bad_request(format!("expected an object as item of a list that is merged by {key}")));
        };
        let Some(identity) = fields.get(&**key) else {
            let message = format!("map: {item} does not contain declared merge key: {key}");
            return Err(Failure::new(500, "InternalError", message));
        };
        let at = merged.iter().position(|other| other.get(&**key) == Some(identity));
        let deletes = fields.get("$patch").is_some_and(|directive| directive == "delete");
        match (at, deletes) {
            (Some(at), true) => {
                merged.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => {
                if let Some(Value::Object(other)) = merged.get_mut(at) {
                    strategic(&list.items, other, fields)?;
                }
            }
            (None, false) => {
                let mut new = Map::new();
                strategic(&list.items, &mut new, fields)?;
                merged.push(Value::Object(new));
            }
        }
    }
    let deletes = |item: &&Value| item.get("$patch").is_none();
    let order: Vec<&Value> = order.unwrap_or(patch).iter().filter(deletes).collect();
    Ok(arrange(key, merged, before, &order))
}

/// Puts the items that a patch names in its order, and the others among them where they stood before: an item that is new
/// comes before those that it is not told to follow.
fn arrange(key: &str, merged: Vec<Value>, before: &[Value], order: &[&Value]) -> Vec<Value> {
    let is_same = |a: &Value, b: &Value| if key.is_empty() { a == b } else { a.get(key) == b.get(key) };
    let wanted = |item: &Value| order.iter().position(|other| is_same(other, item));
    let stood = |item: &Value| before.iter().position(|other| is_same(other, item));
    let (mut named, others): (Vec<Value>, Vec<Value>) = merged.into_iter().partition(|item| wanted(item).is_some());
    named.sort_by_key(wanted);
    let mut arranged = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        if let Some(place) = stood(&item) {
            while let Some(other) = others.next_if(|other| stood(other).is_some_and(|other| other < place)) {
                arranged.push(other);
            }
        }
        arranged.push(item);
    }
    arranged.extend(others);
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::builtin_kind;
    use serde_json::json;

    #[test]
    fn a_json_patch_can_not_fill_the_memory() {
        let wide: Vec<Value> =
            (0..60).map(|index| json!({"op": "copy", "from": "", "path": format!("/x{index}")})).collect();
        let deep = "/a".repeat(300);
        for operations in [json!(wide), json!([{"op": "add", "path": deep, "value": 1}])] {
            let mut value = json!({"a": {}});
            let refused = patch(PatchKind::Json, &Shape::Any, &mut value, &operations).expect_err("it is too much");
            assert_eq!(refused.code, 422);
        }
    }

    #[test]
    fn lists_are_merged_by_their_keys() {
        let shape = builtin_kind("v1", "Pod").expect("it is one");
        let mut pod = json!({"metadata": {"finalizers": ["a"]}, "spec": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "t"}],
            "containers": [{"name": "a", "image": "1", "command": ["x"]}, {"name": "b", "image": "1"}]}});
        let change = json!({"metadata": {"finalizers": ["b"]}, "spec": {"nodeSelector": {"$patch": "delete"}, "tolerations": [{"key": "u"}],
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "a", "image": "2", "command": ["y"]}, {"$patch": "delete", "name": "b"}, {"name": "c"}]}});
        patch(PatchKind::Strategic, &shape, &mut pod, &change).expect("it can be applied");
        let expected = json!({"metadata": {"finalizers": ["b", "a"]}, "spec": {"tolerations": [{"key": "u"}],
            "containers": [{"name": "c"}, {"name": "a", "image": "2", "command": ["y"]}]}});
        assert_eq!(pod, expected);
    }
}
