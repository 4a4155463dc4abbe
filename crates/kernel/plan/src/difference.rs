//! Where two documents differ: [`field_changes`].

use onepane_resource::join_key;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Its path, as `spec.containers[name=api].image`.
    pub path: String,
    /// What it was; `None` where it was not there.
    pub before: Option<Value>,
    /// What it is; `None` where it is not there any more.
    pub after: Option<Value>,
    /// Whether what it was and is may not be shown.
    pub is_hidden: bool,
}

impl FieldChange {
    /// Hides what a Secret holds.
    pub(crate) fn hide_data(&mut self) {
        let is_copy = self.path.contains("last-applied-configuration");
        if is_copy || self.is_below("data") || self.is_below("stringData") {
            self.is_hidden = true;
            (self.before, self.after) =
                (self.before.take().map(|_| Value::Null), self.after.take().map(|_| Value::Null));
        }
    }

    /// Whether it is the field at `path`, or within it.
    pub(crate) fn is_below(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// Whether it is one that every release of a chart changes, and that changes nothing by itself: the chart's version in
    /// labels, checksums in annotations.
    pub fn is_noise(&self) -> bool {
        const LABELS: [&str; 3] = ["helm.sh/chart", "app.kubernetes.io/version", "chart"];
        let Some((parent, key)) = self.path.strip_suffix("\"]").and_then(|path| path.rsplit_once("[\"")) else {
            return self.path.ends_with("labels.chart");
        };
        let key_is = |keys: &[&str]| keys.contains(&key);
        parent.ends_with("labels") && key_is(&LABELS)
            || parent.ends_with("annotations") && (key.starts_with("checksum/") || key.contains("checksum"))
    }
}

/// Which fields differ, in the order of their paths' keys; none if the documents are the same.
pub(crate) fn field_changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => maps(path, before, after, changes),
        (Value::Array(before), Value::Array(after)) => match shared_key(before, after) {
            Some(key) => keyed(path, key, before, after, changes),
            None => lists(path, before, after, changes),
        },
        _ => push(path.to_owned(), Some(before), Some(after), changes),
    }
}

fn push(path: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    changes.push(FieldChange { path, before: before.cloned(), after: after.cloned(), is_hidden: false });
}

fn maps(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, changes: &mut Vec<FieldChange>) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let path = join_key(path, key);
        match (before.get(key), after.get(key)) {
            (Some(before), Some(after)) => compare(&path, before, after, changes),
            (before, after) => push(path, before, after, changes),
        }
    }
}

/// The keys by which items of lists are told apart in Kubernetes, the likeliest first.
const KEYS: [&str; 11] =
    ["name", "containerPort", "mountPath", "devicePath", "port", "ip", "topologyKey", "key", "host", "path", "type"];

/// The key that tells all items apart, on both sides.
fn shared_key(before: &[Value], after: &[Value]) -> Option<&'static str> {
    let tells_apart = |items: &[Value], key: &str| {
        let mut seen = BTreeSet::new();
        items.iter().all(|item| item.get(key).and_then(scalar).is_some_and(|value| seen.insert(value)))
    };
    KEYS.into_iter().find(|key| tells_apart(before, key) && tells_apart(after, key))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        // It would end the bracket of a path.
        Value::String(text) if !text.contains(']') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn keyed(path: &str, key: &str, before: &[Value], after: &[Value], changes: &mut Vec<FieldChange>) {
    let id = |item: &Value| item.get(key).and_then(scalar).unwrap_or_default();
    let find = |items: &[Value], wanted: &str| items.iter().position(|item| id(item) == wanted);
    let place = |id: &str| format!("{path}[{key}={id}]");
    for item in before {
        let id = id(item);
        match find(after, &id) {
            Some(at) => compare(&place(&id), item, &after[at], changes),
            None => push(place(&id), Some(item), None, changes),
        }
    }
    for item in after {
        let id = id(item);
        if find(before, &id).is_none() {
            push(place(&id), None, Some(item), changes);
        }
    }
    // The order counts for some lists: environment variables may use those before them.
    let common = |items: &[Value], others: &[Value]| -> Vec<Value> {
        items.iter().map(id).filter(|id| find(others, id).is_some()).map(Value::from).collect()
    };
    let (was, is) = (common(before, after), common(after, before));
    if was != is {
        push(path.to_owned(), Some(&was.into()), Some(&is.into()), changes);
    }
}

/// Lists whose items have no names: what they begin and end with in common is the same.
fn lists(path: &str, before: &[Value], after: &[Value], changes: &mut Vec<FieldChange>) {
    let start = before.iter().zip(after).take_while(|(before, after)| before == after).count();
    let (before_rest, after_rest) = (&before[start..], &after[start..]);
    let end =
        before_rest.iter().rev().zip(after_rest.iter().rev()).take_while(|(before, after)| before == after).count();
    let (before_rest, after_rest) = (&before_rest[..before_rest.len() - end], &after_rest[..after_rest.len() - end]);
    let place = |at: usize| format!("{path}[{}]", start + at);
    for (at, (before, after)) in before_rest.iter().zip(after_rest).enumerate() {
        compare(&place(at), before, after, changes);
    }
    let both = before_rest.len().min(after_rest.len());
    for (at, item) in before_rest.iter().enumerate().skip(both) {
        push(place(at), Some(item), None, changes);
    }
    for (at, item) in after_rest.iter().enumerate().skip(both) {
        push(place(at), None, Some(item), changes);
    }
}
