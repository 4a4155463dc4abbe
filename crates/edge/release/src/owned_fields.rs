//! Fields that were set by merging on the client, made such that the server knows as applied: [`taken_over`].

use serde_json::{Map, Value, json};

/// The managed fields of `object` in which what `manager` has updated counts as applied by it; `None` if there is nothing to
/// change. Parts that have a say of their own, as the status has, stay as they are.
pub(crate) fn taken_over(object: &Value, manager: &str) -> Option<Vec<Value>> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let is = |entry: &Value, operation: &str| {
        entry["manager"] == *manager
            && entry["operation"] == *operation
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    };
    if !entries.iter().any(|entry| is(entry, "Update")) {
        return None;
    }
    let mut kept: Vec<Value> = Vec::new();
    let mut fields = json!({});
    let mut applied: Option<Value> = None;
    for entry in entries {
        if is(entry, "Update") || is(entry, "Apply") {
            unite(&mut fields, &entry["fieldsV1"]);
            // One that is applied says in which version; else the last that was updated does.
            if applied.as_ref().is_none_or(|applied| !is(applied, "Apply")) {
                applied = Some(entry.clone());
            }
        } else {
            kept.push(entry.clone());
        }
    }
    let mut entry = applied?;
    entry["operation"] = json!("Apply");
    entry["fieldsV1"] = fields;
    kept.push(entry);
    Some(kept)
}

fn unite(into: &mut Value, from: &Value) {
    let Some(from) = from.as_object() else { return };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(into) = into.as_object_mut() else { return };
    for (key, value) in from {
        unite(into.entry(key).or_insert_with(|| json!({})), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_updated_is_applied() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
        let status = json!({"manager": "helm", "operation": "Update", "subresource": "status", "fieldsV1": {}});
        let object = json!({"metadata": {"managedFields": [
            entry("helm", "Update", json!({"f:data": {"f:a": {}}})),
            entry("kubectl", "Update", json!({"f:data": {"f:c": {}}})),
            entry("helm", "Apply", json!({"f:data": {".": {}, "f:b": {}}})),
            status,
        ]}});
        let wanted = vec![
            entry("kubectl", "Update", json!({"f:data": {"f:c": {}}})),
            status.clone(),
            entry("helm", "Apply", json!({"f:data": {"f:a": {}, ".": {}, "f:b": {}}})),
        ];
        assert_eq!(taken_over(&object, "helm"), Some(wanted));
        assert_eq!(taken_over(&object, "other"), None);
        assert_eq!(taken_over(&json!({}), "helm"), None);
    }
}
