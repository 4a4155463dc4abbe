//! Whether applying an object would change nothing: [`is_settled`].

use serde_json::{Map, Value};

/// Whether all that `wanted` says is in `live`, and `manager` has said there just that: the fields that it owns are those of
/// `wanted`, and each has its value.
///
/// A server writes some values in a form of its own. What is not the same to the letter is applied once more, which then
/// changes nothing.
pub(crate) fn is_settled(wanted: &Value, live: &Value, manager: &str) -> bool {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let mut own = entries.into_iter().flatten().filter(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        text("manager") == Some(manager) && text("operation") == Some("Apply") && entry.get("subresource").is_none()
    });
    // Of two versions of a kind, one is of before.
    let (Some(entry), None) = (own.next(), own.next()) else { return false };
    let is_of_version = entry.get("apiVersion") == wanted.get("apiVersion");
    let Some(Value::Object(fields)) = entry.get("fieldsV1") else { return false };
    let Value::Object(wanted) = wanted else { return false };
    is_of_version
        && wanted.iter().all(|(key, value)| is_said_elsewhere(key) || field_holds(fields, key, value, live))
        && fields.keys().all(|field| is_in(field, wanted))
}

/// What names an object is no field of it to managers.
fn is_said_elsewhere(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind")
}

fn field_holds(fields: &Map<String, Value>, key: &str, wanted: &Value, live: &Value) -> bool {
    let (Some(owned), Some(live)) = (fields.get(&format!("f:{key}")).and_then(Value::as_object), live.get(key)) else {
        // Name and namespace are nobody's, and a mapping of nothing else then is not there either.
        return key == "metadata" && wanted.as_object().is_some_and(|fields| fields.keys().all(|key| is_name(key)));
    };
    holds(owned, wanted, live, key == "metadata")
}

fn is_name(key: &str) -> bool {
    matches!(key, "name" | "namespace")
}

/// Whether what is owned below a value is what is wanted there, and is so.
fn holds(owned: &Map<String, Value>, wanted: &Value, live: &Value, is_metadata: bool) -> bool {
    let below = || owned.iter().filter(|(name, _)| *name != ".");
    match (wanted, live) {
        // Owned as a whole.
        _ if below().next().is_none() => wanted == live,
        (Value::Object(wanted), Value::Object(_)) => {
            wanted.iter().all(|(key, value)| (is_metadata && is_name(key)) || field_holds(owned, key, value, live))
                && below().all(|(name, _)| is_in(name, wanted))
        }
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == below().count()
                && below().all(|(name, owned)| {
                    let (Some(wanted), Some(live)) = (item(name, wanted), item(name, live)) else { return false };
                    owned.as_object().is_some_and(|owned| item_holds(owned, wanted, live))
                })
        }
        _ => false,
    }
}

fn item_holds(owned: &Map<String, Value>, wanted: &Value, live: &Value) -> bool {
    if wanted.is_object() { holds(owned, wanted, live, false) } else { wanted == live }
}

/// Whether a field that is owned, `f:NAME`, is one of these.
fn is_in(field: &str, fields: &Map<String, Value>) -> bool {
    field == "." || field.strip_prefix("f:").is_some_and(|name| fields.contains_key(name))
}

/// The item of a list that is owned as `k:{…}`, by its keys, or as `v:…`, by its value. A key that an item does not say has the
/// value that the server fills in.
fn item<'l>(name: &str, list: &'l [Value]) -> Option<&'l Value> {
    if let Some(keys) = name.strip_prefix("k:") {
        let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
        let has = |item: &Value, may_lack: bool| {
            keys.iter().all(|(key, value)| item.get(key).map_or(may_lack, |own| own == value))
        };
        return list.iter().find(|item| has(item, false)).or_else(|| list.iter().find(|item| has(item, true)));
    }
    let value: Value = serde_json::from_str(name.strip_prefix("v:")?).ok()?;
    list.iter().find(|item| **item == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "namespace": "b", "labels": {"app": "a"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": {"spec": {"containers": [
                {"name": "x", "image": "x:1", "args": ["a", "b"], "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}},
        })
    }

    fn live() -> Value {
        let mut live = wanted();
        live["spec"]["progressDeadlineSeconds"] = json!(600);
        live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Always");
        live["metadata"]["managedFields"] = json!([
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "apiVersion": "apps/v1",
             "fieldsV1": {"f:status": {}}},
            {"manager": "onepane", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:ports": {
                        "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}}}}}}}}},
        ]);
        live
    }

    #[test]
    fn what_was_applied_is_settled() {
        assert!(is_settled(&wanted(), &live(), "onepane"));
        assert!(!is_settled(&wanted(), &live(), "kubectl"));
    }

    #[test]
    fn whatever_differs_is_not() {
        type Edit = fn(&mut Value);
        let edits: [Edit; 8] = [
            |wanted| wanted["spec"]["replicas"] = json!(3),
            |wanted| wanted["spec"]["paused"] = json!(true),
            |wanted| _ = wanted["spec"].as_object_mut().expect("it is one").remove("replicas"),
            |wanted| wanted["metadata"]["labels"]["more"] = json!("x"),
            |wanted| wanted["spec"]["template"]["spec"]["containers"][0]["image"] = json!("x:2"),
            |wanted| wanted["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["b", "a"]),
            |wanted| wanted["spec"]["template"]["spec"]["containers"] = json!([]),
            |wanted| wanted["apiVersion"] = json!("apps/v2"),
        ];
        for (at, edit) in edits.iter().enumerate() {
            let mut changed = wanted();
            edit(&mut changed);
            assert!(!is_settled(&changed, &live(), "onepane"), "{at}");
        }
        // What is filled in by the server is nobody's.
        let mut shorter = wanted();
        let ports = &mut shorter["spec"]["template"]["spec"]["containers"][0]["ports"];
        *ports = json!([{"containerPort": 80}]);
        let mut filled_in = live();
        let key = "k:{\"containerPort\":80,\"protocol\":\"TCP\"}";
        let container =
            "/metadata/managedFields/1/fieldsV1/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"x\"}/f:ports";
        filled_in.pointer_mut(container).expect("it is there")[key] = json!({".": {}, "f:containerPort": {}});
        assert!(is_settled(&shorter, &filled_in, "onepane"));
        let mut drifted = live();
        drifted["spec"]["replicas"] = json!(5);
        assert!(!is_settled(&wanted(), &drifted, "onepane"));
    }
}
