//! A plan for programs.

use super::{PinChange, Plan};
use onepane_plan::{Action, Change, FieldChange};
use serde_json::{Value, json};

pub(super) fn of(plan: &Plan) -> String {
    let clusters = plan.clusters.iter().map(|cluster| {
        let changes: Vec<Value> = cluster.changes.iter().map(change).collect();
        json!({"cluster": cluster.unit.as_str(), "changes": changes, "folded": cluster.folded})
    });
    let pins = plan.pins.iter().map(pin);
    let report = json!({
        "from": plan.from, "to": plan.to, "clusters": Value::from_iter(clusters), "pins": Value::from_iter(pins),
    });
    format!("{report:#}\n")
}

/// One resource, and what happens to it.
pub(crate) fn change(change: &Change) -> Value {
    let from = if let Action::Replaced { from } = &change.action { Some(from) } else { None };
    let name = &change.name;
    let consequences: Vec<Value> =
        change.consequences.iter().map(|one| json!({"kind": one.kind.name(), "text": one.text})).collect();
    json!({
        "apiVersion": name.api_version, "kind": name.kind, "namespace": name.namespace, "name": name.name,
        "action": change.action.name(), "inPlaceOf": from, "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        "consequences": consequences,
    })
}

/// What was not there has no `before`, what is not there any more no `after`; of secrets neither says what it is.
fn field(field: &FieldChange) -> Value {
    let mut object = json!({"path": field.path, "noise": field.is_noise()});
    if field.is_hidden {
        object["secret"] = true.into();
    }
    for (key, value) in [("before", &field.before), ("after", &field.after)] {
        if let Some(value) = value {
            object[key] = value.clone();
        }
    }
    object
}

pub(crate) fn pin(pin: &PinChange) -> Value {
    let commits = pin.range.as_ref().map(|range| {
        let commits: Vec<Value> =
            range.ahead.iter().map(|commit| json!({"id": commit.id, "title": commit.title})).collect();
        json!({"commits": commits, "unlisted": range.unlisted, "goesBack": range.goes_back})
    });
    json!({"path": pin.path.as_str(), "from": pin.from, "to": pin.to, "range": commits})
}
