//! Who set which fields: the entries of `metadata.managedFields`, kept up with every write.

use crate::failure::{Cause, Failure, Result};
use crate::field_set::FieldSet;
use crate::kinds::Kind;
use crate::object;
use crate::typed::{self, Comparison};
use serde_json::{Value, json};

/// Who writes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    pub(crate) name: String,
    /// The subresource that is written, empty for the object itself.
    pub(crate) subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug)]
struct Entry {
    manager: String,
    is_applied: bool,
    api_version: String,
    subresource: String,
    time: String,
    fields: FieldSet,
}

/// Fields that nobody owns.
const OWNERLESS: &[&[&str]] = &[
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:resourceVersion"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:deletionTimestamp"],
    &["f:metadata", "f:deletionGracePeriodSeconds"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:managedFields"],
];

impl Entry {
    fn read(value: &Value) -> Self {
        let text = |key| object::text(value, &[key]).to_owned();
        Self {
            manager: text("manager"),
            is_applied: text("operation") == "Apply",
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            fields: FieldSet::from_json(&value["fieldsV1"]),
        }
    }

    fn write(&self) -> Value {
        let operation = if self.is_applied { "Apply" } else { "Update" };
        let mut entry = json!({
            "manager": self.manager, "operation": operation, "apiVersion": self.api_version,
            "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_json(),
        });
        if !self.time.is_empty() {
            entry["time"] = self.time.clone().into();
        }
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.clone().into();
        }
        entry
    }

    fn is_of(&self, manager: &Manager, is_applied: bool, api_version: &str) -> bool {
        self.manager == manager.name
            && self.is_applied == is_applied
            && self.subresource == manager.subresource
            && (is_applied || self.api_version == api_version)
    }
}

fn read(object: &Value) -> Vec<Entry> {
    object::items(object, &["metadata", "managedFields"]).iter().map(Entry::read).collect()
}

fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|a, b| {
        let key =
            |entry: &Entry| (!entry.is_applied, entry.time.clone(), entry.manager.clone(), entry.subresource.clone());
        key(a).cmp(&key(b))
    });
    match entries.is_empty() {
        true => object::remove(object, &["metadata", "managedFields"]),
        false => {
            let entries: Vec<Value> = entries.iter().map(Entry::write).collect();
            object::mapping(object, &["metadata"]).insert("managedFields".to_owned(), entries.into())
        }
    };
}

/// Removes what a write may not own: what is nobody's, and what is written elsewhere.
fn strip(fields: &mut FieldSet, kind: &Kind, subresource: &str) {
    for path in OWNERLESS {
        fields.cut(path);
    }
    if kind.kind == "Namespace" && kind.group.is_empty() {
        fields.cut(&["f:spec", "f:finalizers"]);
    }
    let has_status = kind.has("status");
    match subresource {
        "" if has_status => fields.cut(&["f:status"]),
        "status" => {
            fields.cut(&["f:spec"]);
            if kind.custom.is_some() {
                fields.cut(&["f:metadata"]);
            }
        }
        _ => {}
    }
}

/// Whether anything but what is nobody's differs.
pub(crate) fn is_changed(kind: &Kind, old: &Value, new: &Value) -> bool {
    let mut comparison = typed::compare(&kind.shape, old, new);
    for set in [&mut comparison.added, &mut comparison.modified, &mut comparison.removed] {
        for path in
            OWNERLESS.iter().filter(|path| !path.contains(&"f:deletionTimestamp") && !path.contains(&"f:generation"))
        {
            set.cut(path);
        }
    }
    !comparison.is_empty() || order_differs(old, new)
}

/// The order of lists that are merged is nobody's, but a change still.
fn order_differs(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .any(|(name, value)| name != "managedFields" && new.get(name).is_some_and(|new| order_differs(value, new))),
        (Value::Array(old), Value::Array(new)) => {
            old != new
                && (old.len() != new.len()
                    || old
                        .iter()
                        .zip(new)
                        .any(|(old, new)| order_differs(old, new) || (!old.is_object() && old != new))
                    || old.iter().any(|item| new.contains(item)))
        }
        _ => false,
    }
}

/// Notes who made `new` of `old`, which is the empty object where there was none. `new` may bring entries of its own.
pub(crate) fn updated(kind: &Kind, old: &Value, new: &mut Value, manager: &Manager) {
    let brought = object::at(new, &["metadata", "managedFields"]).cloned();
    let mut entries = match &brought {
        // Whoever writes `[]` or `[{}]` wants the history dropped.
        Some(Value::Array(entries)) if entries.is_empty() || entries == &[json!({})] => {
            write(new, Vec::new());
            return;
        }
        Some(Value::Array(_)) => read(new),
        _ => read(old),
    };
    let mut comparison = typed::compare(&kind.shape, old, new);
    for set in [&mut comparison.added, &mut comparison.modified, &mut comparison.removed] {
        strip(set, kind, &manager.subresource);
    }
    take_from_others(&mut entries, &comparison, None);
    let changed = comparison.changed();
    let api_version = kind.api_version();
    if !changed.is_empty() {
        match entries.iter_mut().find(|entry| entry.is_of(manager, false, &api_version)) {
            Some(entry) => {
                entry.fields.add(&changed);
                entry.time = object::now();
            }
            None => entries.push(Entry {
                manager: manager.name.clone(),
                is_applied: false,
                api_version,
                subresource: manager.subresource.clone(),
                time: object::now(),
                fields: changed,
            }),
        }
    }
    write(new, entries);
}

fn take_from_others(entries: &mut [Entry], comparison: &Comparison, but: Option<usize>) {
    let changed = comparison.changed();
    for (index, entry) in entries.iter_mut().enumerate() {
        if Some(index) != but {
            entry.fields.subtract(&changed);
        }
        entry.fields.subtract(&comparison.removed);
    }
}

/// What a server-side apply makes of an object.
pub(crate) struct Apply<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) manager: &'a Manager,
    pub(crate) force: bool,
}

impl Apply<'_> {
    /// Merges what is applied into `live`. `finish` makes an object of what was merged: defaults, what may not be changed.
    ///
    /// # Errors
    /// When what is applied does not fit its kind, or, unless forced, when others own what it changes.
    pub(crate) fn apply(
        &self,
        live: &Value,
        applied: &Value,
        finish: impl FnOnce(Value) -> Result<Value>,
    ) -> Result<Value> {
        let Self { kind, manager, force } = *self;
        if let Some(problem) = typed::problem(&kind.shape, applied, "") {
            let (namespace, name) = (object::namespace(applied), object::name(applied));
            let api_version = kind.api_version();
            let message = format!(
                "failed to create typed patch object ({namespace}/{name}; {api_version}, Kind={}): {problem}",
                kind.kind
            );
            return Err(Failure::new(500, "", message));
        }
        let mut fields = typed::fields_of(&kind.shape, applied);
        // What is nobody's is applied still, and stays.
        let mut kept = fields.clone();
        strip(&mut fields, kind, &manager.subresource);
        let mut entries = read(live);
        let own = entries.iter().position(|entry| entry.is_of(manager, true, ""));
        let mut merged = typed::merge(&kind.shape, live, applied);
        if let Some(last) = own.and_then(|own| entries.get(own)) {
            for (_, other) in entries.iter().enumerate().filter(|(index, _)| Some(*index) != own) {
                kept.add(&other.fields);
            }
            typed::prune(&kind.shape, &mut merged, &last.fields, &kept);
        }
        object::remove(&mut merged, &["metadata", "managedFields"]);
        let mut comparison = typed::compare(&kind.shape, live, &merged);
        for set in [&mut comparison.added, &mut comparison.modified, &mut comparison.removed] {
            strip(set, kind, &manager.subresource);
        }
        let changed = comparison.changed();
        let others = entries.iter().enumerate().filter(|(index, _)| Some(*index) != own).map(|(_, entry)| entry);
        let conflicts: Vec<(String, Vec<String>)> = others
            .map(|entry| (shown(entry), entry.fields.common(&changed).paths()))
            .filter(|(_, paths)| !paths.is_empty())
            .collect();
        if !force && !conflicts.is_empty() {
            return Err(conflict(&conflicts));
        }
        let mut new = finish(merged)?;
        take_from_others(&mut entries, &comparison, own);
        let (time, api_version) = (object::now(), kind.api_version());
        match own.and_then(|own| entries.get_mut(own)) {
            Some(entry) => {
                // The time is that of the last change of what is owned.
                if entry.fields != fields || !comparison.is_empty() {
                    entry.time = time;
                }
                entry.api_version = api_version;
                entry.fields = fields;
            }
            None => entries.push(Entry {
                manager: manager.name.clone(),
                is_applied: true,
                api_version,
                subresource: manager.subresource.clone(),
                time,
                fields,
            }),
        }
        write(&mut new, entries);
        Ok(new)
    }
}

/// `"kubectl-edit" with subresource "status" using apps/v1`.
fn shown(entry: &Entry) -> String {
    let mut shown = format!("{:?}", entry.manager);
    if !entry.subresource.is_empty() {
        shown = format!("{shown} with subresource {:?}", entry.subresource);
    }
    match entry.is_applied {
        true => shown,
        false => format!("{shown} using {}", entry.api_version),
    }
}

fn conflict(conflicts: &[(String, Vec<String>)]) -> Failure {
    let count: usize = conflicts.iter().map(|(_, paths)| paths.len()).sum();
    let mut conflicts = conflicts.to_vec();
    conflicts.sort();
    let all: Vec<String> = conflicts
        .iter()
        .map(|(who, paths)| match &paths[..] {
            [one] => format!("conflict with {who}: {one}"),
            _ => format!("conflicts with {who}:\n- {}", paths.join("\n- ")),
        })
        .collect();
    let plural = if count == 1 { "" } else { "s" };
    let cause = |who: &String, path: &String| Cause {
        reason: "FieldManagerConflict",
        message: format!("conflict with {who}"),
        field: path.clone(),
    };
    let causes: Vec<Cause> =
        conflicts.iter().flat_map(|(who, paths)| paths.iter().map(move |path| cause(who, path))).collect();
    Failure::apply_conflict(format!("Apply failed with {count} conflict{plural}: {}", all.join("\n")), &causes)
}
