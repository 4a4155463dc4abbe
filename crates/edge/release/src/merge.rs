//! Three-way merges, as Helm's for what is applied by the client: [`merged`].
//!
//! What a release had and has no more is removed, what it has is set, and what others have set stays. Lists that Kubernetes
//! merges by a key are, element by element. Several originals count as one that has all of their fields: revisions that were
//! begun and left may have set some of theirs.

use onepane_resource::{Schema, SchemaType};
use serde_json::{Map, Value};

/// How deep objects are looked into.
const DEEPEST: usize = 100;

/// `live` with the changes from `originals` to `target`; `None` for a kind of which nobody knows how its lists are merged.
pub(crate) fn merged(originals: &[Value], target: &Value, live: &Value) -> Option<Value> {
    let text = |name: &str| target.get(name).and_then(Value::as_str).unwrap_or_default();
    let of = Schema::builtin().of_kind(text("apiVersion"), text("kind"))?;
    // Definitions are merged as what they define.
    if text("kind") == "CustomResourceDefinition" && text("apiVersion").ends_with("/v1beta1") {
        return None;
    }
    Some(merge(&originals.iter().collect::<Vec<_>>(), target, live, Some(of), 0))
}

/// The same where all lists are one thing.
pub(crate) fn merged_plainly(originals: &[Value], target: &Value, live: &Value) -> Value {
    merge(&originals.iter().collect::<Vec<_>>(), target, live, None, 0)
}

/// `live` with what differs between `originals` and `target`, and no more: what others have changed stays changed.
pub(crate) fn two_way(originals: &[Value], target: &Value, live: &Value) -> Value {
    let mut wanted = live.clone();
    for original in originals {
        apply_patch(&mut wanted, &merge_patch(original, target), 0);
    }
    wanted
}

fn merge(originals: &[&Value], target: &Value, live: &Value, of: Option<SchemaType<'_>>, depth: usize) -> Value {
    match (target, live) {
        (Value::Object(target), Value::Object(live)) if depth < DEEPEST => {
            Value::Object(merge_fields(originals, target, live, of, depth))
        }
        (Value::Array(target), Value::Array(live)) if depth < DEEPEST => {
            match of.and_then(|of| Some((of.merge_keys()?, of.elements()))) {
                Some((keys, elements)) => Value::Array(merge_items(originals, target, live, keys, elements, depth)),
                None => Value::Array(target.clone()),
            }
        }
        (target, _) => target.clone(),
    }
}

fn merge_fields(
    originals: &[&Value],
    target: &Map<String, Value>,
    live: &Map<String, Value>,
    of: Option<SchemaType<'_>>,
    depth: usize,
) -> Map<String, Value> {
    let mut out = live.clone();
    for original in originals.iter().filter_map(|original| original.as_object()) {
        for name in original.keys().filter(|name| !target.contains_key(*name)) {
            out.remove(name);
        }
    }
    for (name, wanted) in target {
        if wanted.is_null() {
            out.remove(name);
            continue;
        }
        let before: Vec<&Value> = originals.iter().filter_map(|original| original.get(name)).collect();
        let value = match live.get(name) {
            // Of a union, which says by one field which others there are, only those that are wanted stay.
            Some(_) if retains_keys(name, depth) && wanted.is_object() && before.iter().any(|one| *one != wanted) => {
                wanted.clone()
            }
            Some(there) => merge(&before, wanted, there, of.and_then(|of| of.field(name)), depth + 1),
            None => wanted.clone(),
        };
        out.insert(name.clone(), value);
    }
    out
}

/// Fields with Kubernetes' patch strategy `retainKeys`: how Deployments and others roll.
fn retains_keys(name: &str, depth: usize) -> bool {
    depth == 1 && matches!(name, "strategy")
}

fn merge_items(
    originals: &[&Value],
    target: &[Value],
    live: &[Value],
    keys: &[Box<str>],
    elements: Option<SchemaType<'_>>,
    depth: usize,
) -> Vec<Value> {
    let before: Vec<&Value> = originals.iter().filter_map(|original| original.as_array()).flatten().collect();
    let find = |items: &[&Value], wanted: &Value| -> Vec<Value> {
        items.iter().filter(|item| is_same(item, wanted, keys)).map(|item| (**item).clone()).collect()
    };
    let there: Vec<&Value> = live.iter().collect();
    // What is wanted comes first, in its order, and then what others have added.
    let mut out: Vec<Value> = target
        .iter()
        .map(|wanted| match find(&there, wanted).first() {
            Some(there) => {
                let before = find(&before, wanted);
                merge(&before.iter().collect::<Vec<_>>(), wanted, there, elements, depth + 1)
            }
            None => wanted.clone(),
        })
        .collect();
    for item in live {
        let is_wanted = target.iter().any(|wanted| is_same(item, wanted, keys));
        if !is_wanted && find(&before, item).is_empty() {
            out.push(item.clone());
        }
    }
    out
}

/// Whether two elements of a merged list are the same thing.
fn is_same(a: &Value, b: &Value, keys: &[Box<str>]) -> bool {
    if keys.is_empty() {
        return a == b;
    }
    // Kubernetes' strategic merge goes by the first key alone.
    keys.first().is_some_and(|key| match (a.get(&**key), b.get(&**key)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    })
}

/// The JSON merge patch from `from` to `to`.
pub(crate) fn merge_patch(from: &Value, to: &Value) -> Value {
    let (Some(before), Some(after)) = (from.as_object(), to.as_object()) else { return to.clone() };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            Some(same) if same == value => {}
            Some(other) if other.is_object() && value.is_object() => {
                patch.insert(name.clone(), merge_patch(other, value));
            }
            _ => _ = patch.insert(name.clone(), value.clone()),
        }
    }
    Value::Object(patch)
}

fn apply_patch(value: &mut Value, patch: &Value, depth: usize) {
    let Some(patch) = patch.as_object().filter(|_| depth < DEEPEST) else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return };
    for (name, change) in patch {
        if change.is_null() {
            fields.remove(name);
        } else {
            apply_patch(fields.entry(name).or_insert(Value::Null), change, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(containers: Value, extra: Value) -> Value {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {"template": {"spec": {"containers": containers}}}});
        apply_patch(&mut object, &extra, 0);
        object
    }

    #[test]
    fn others_keep_what_they_have_set() {
        let original = deployment(json!([{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "gone"}]), json!({}));
        let target = deployment(json!([{"name": "a", "image": "a:2"}]), json!({"spec": {"paused": true}}));
        let live = deployment(
            json!([{"name": "injected"}, {"name": "gone"},
                {"name": "a", "image": "a:1", "args": ["x"], "imagePullPolicy": "Always"}]),
            json!({"spec": {"replicas": 3}, "status": {"replicas": 3}}),
        );
        let wanted = deployment(
            json!([{"name": "a", "image": "a:2", "imagePullPolicy": "Always"}, {"name": "injected"}]),
            json!({"spec": {"replicas": 3, "paused": true}, "status": {"replicas": 3}}),
        );
        assert_eq!(merged(&[original], &target, &live), Some(wanted));
    }

    #[test]
    fn a_strategy_is_what_is_wanted() {
        let with = |strategy: Value| deployment(json!([]), json!({"spec": {"strategy": strategy}}));
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
        let merged =
            merged(&[with(json!({"type": "RollingUpdate"}))], &with(json!({"type": "Recreate"})), &with(rolling));
        assert_eq!(merged, Some(with(json!({"type": "Recreate"}))));
    }

    #[test]
    fn of_unknown_kinds_only_what_changed_is_sent() {
        let object = |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Queue", "spec": spec});
        let (original, target) = (object(json!({"a": 1, "b": 1})), object(json!({"a": 1, "c": [2]})));
        let live = object(json!({"a": 9, "b": 1, "d": 4}));
        assert_eq!(merged(std::slice::from_ref(&original), &target, &live), None);
        assert_eq!(two_way(std::slice::from_ref(&original), &target, &live), object(json!({"a": 9, "d": 4, "c": [2]})));
        assert_eq!(merged_plainly(&[original], &target, &live), object(json!({"a": 1, "d": 4, "c": [2]})));
        assert_eq!(merge_patch(&live, &live), json!({}));
    }
}
