//! Values with their shapes: which fields they have, how two differ, and how one is merged into another.
//!
//! This is what server-side apply is made of. A list is a unit, a set or a map by keys, as its shape says; a list that is
//! no map by its keys (an item twice, a key that is missing) is a unit as well, unless it is applied.

use crate::field_set::{FieldSet, key_element, value_element};
use crate::types::{ListKind, MapShape, Shape, StructRef};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The fields of a value.
pub(crate) fn fields_of(shape: &Shape, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(shape, value, &mut set);
    set
}

fn collect(shape: &Shape, value: &Value, set: &mut FieldSet) {
    match view(shape, value) {
        View::Unit => set.own = true,
        View::Mapping(of, fields) => {
            for (name, value) in fields {
                let field = of.field(name);
                let child = set.child(format!("f:{name}"));
                // A field that the type names is there with its parent, others are there themselves.
                child.own |= !field.is_named || value.is_null() || value.as_object().is_some_and(Map::is_empty);
                collect(&field.shape, value, child);
            }
        }
        View::Items(shape, items) => {
            for (element, item) in items {
                let child = set.child(element);
                child.own = true;
                collect(shape, item, child);
            }
        }
    }
}

/// How two values differ.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) added: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) removed: FieldSet,
}

impl Comparison {
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// What is new or other than before.
    pub(crate) fn changed(&self) -> FieldSet {
        let mut changed = self.added.clone();
        changed.add(&self.modified);
        changed
    }
}

/// How `new` differs from `old`.
pub(crate) fn compare(shape: &Shape, old: &Value, new: &Value) -> Comparison {
    let mut found = Comparison::default();
    compare_at(shape, Some(old), Some(new), true, &mut Path { elements: Vec::new(), found: &mut found });
    found
}

struct Path<'a> {
    elements: Vec<String>,
    found: &'a mut Comparison,
}

impl Path<'_> {
    fn mark(&mut self, which: impl Fn(&mut Comparison) -> &mut FieldSet) {
        let mut set = which(self.found);
        for element in &self.elements {
            set = set.child(element.clone());
        }
        set.own = true;
    }

    fn below(&mut self, element: String, then: impl FnOnce(&mut Self)) {
        self.elements.push(element);
        then(self);
        self.elements.pop();
    }
}

/// `is_always_there`: an absent struct is an empty one, which is how Go has structs that are no pointers.
fn compare_at(shape: &Shape, old: Option<&Value>, new: Option<&Value>, is_always_there: bool, path: &mut Path<'_>) {
    if old == new {
        return;
    }
    let (old_view, new_view) = (old.map(|old| view(shape, old)), new.map(|new| view(shape, new)));
    match (&old_view, &new_view) {
        (None, Some(View::Unit)) => path.mark(|found| &mut found.added),
        (Some(View::Unit), None) => path.mark(|found| &mut found.removed),
        (Some(View::Unit), Some(_)) => {
            path.mark(|found| &mut found.modified);
            compare_at(shape, None, new.filter(|_| !matches!(new_view, Some(View::Unit))), true, path);
        }
        (Some(_), Some(View::Unit)) => {
            path.mark(|found| &mut found.modified);
            compare_at(shape, old, None, true, path);
        }
        _ => {
            match (old, new) {
                (None, Some(_)) if !is_always_there => path.mark(|found| &mut found.added),
                (Some(_), None) if !is_always_there => path.mark(|found| &mut found.removed),
                _ => {}
            }
            match (old_view, new_view) {
                (old @ Some(View::Items(..)), new) | (old, new @ Some(View::Items(..))) => {
                    compare_items(shape, items_of(old), items_of(new), path);
                }
                (old, new) => compare_fields(shape, fields_in(old), fields_in(new), path),
            }
        }
    }
}

fn items_of(view: Option<View<'_>>) -> Vec<(String, &Value)> {
    match view {
        Some(View::Items(_, items)) => items,
        _ => Vec::new(),
    }
}

fn fields_in(view: Option<View<'_>>) -> Option<&Map<String, Value>> {
    match view {
        Some(View::Mapping(_, fields)) => Some(fields),
        _ => None,
    }
}

fn compare_items(shape: &Shape, old: Vec<(String, &Value)>, new: Vec<(String, &Value)>, path: &mut Path<'_>) {
    let Shape::List(list) = shape else { return };
    let before: HashMap<&str, &Value> = old.iter().map(|(element, item)| (&**element, *item)).collect();
    let after: HashMap<&str, &Value> = new.iter().map(|(element, item)| (&**element, *item)).collect();
    for (element, item) in &old {
        let other = after.get(&**element).copied();
        path.below(element.clone(), |path| compare_at(&list.items, Some(item), other, false, path));
    }
    for (element, item) in new.iter().filter(|(element, _)| !before.contains_key(&**element)) {
        path.below(element.clone(), |path| compare_at(&list.items, None, Some(item), false, path));
    }
}

fn compare_fields(
    shape: &Shape,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
    path: &mut Path<'_>,
) {
    let of = Fields::of(shape);
    for (name, value) in old.into_iter().flatten() {
        let field = of.field(name);
        let other = new.and_then(|new| new.get(name));
        // Where the struct around it is gone, so is one that is always there.
        let is_always_there = field.is_always_there && new.is_some();
        path.below(format!("f:{name}"), |path| compare_at(&field.shape, Some(value), other, is_always_there, path));
    }
    for (name, value) in new.into_iter().flatten().filter(|(name, _)| old.is_none_or(|old| !old.contains_key(*name))) {
        let field = of.field(name);
        let is_always_there = field.is_always_there && old.is_some();
        path.below(format!("f:{name}"), |path| compare_at(&field.shape, None, Some(value), is_always_there, path));
    }
}

/// `applied` merged into `live`.
pub(crate) fn merge(shape: &Shape, live: &Value, applied: &Value) -> Value {
    match (view(shape, live), view(shape, applied)) {
        (View::Mapping(of, live), View::Mapping(_, applied)) => {
            let mut merged = live.clone();
            for (name, value) in applied {
                let value = match live.get(name) {
                    Some(live) => merge(&of.field(name).shape, live, value),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (View::Items(shape, live), View::Items(_, applied)) => {
            // The order of what is applied; what is only live stays before what it stood before, and goes first.
            let is_applied: HashSet<&str> = applied.iter().map(|(element, _)| &**element).collect();
            let mut merged: Vec<Value> = Vec::new();
            let mut rest = live.iter().peekable();
            let mut done: HashSet<&str> = HashSet::new();
            for (element, item) in &applied {
                while let Some((other, item)) =
                    rest.next_if(|(other, _)| !is_applied.contains(&**other) || done.contains(&**other))
                {
                    if !is_applied.contains(&**other) {
                        merged.push((*item).clone());
                    }
                }
                let live = live.iter().find(|(other, _)| other == element);
                merged.push(live.map_or_else(|| (*item).clone(), |(_, live)| merge(shape, live, item)));
                done.insert(element);
            }
            merged.extend(rest.filter(|(other, _)| !is_applied.contains(&**other)).map(|(_, item)| (*item).clone()));
            Value::Array(merged)
        }
        _ => applied.clone(),
    }
}

/// Removes the places of `set` from a value, unless they or what is below them are in `kept`.
pub(crate) fn prune(shape: &Shape, value: &mut Value, set: &FieldSet, kept: &FieldSet) {
    static NONE: FieldSet = FieldSet { own: false, children: std::collections::BTreeMap::new() };
    let kept_below = |element: &str| kept.children.get(element).unwrap_or(&NONE);
    let mut gone: Vec<&str> = Vec::new();
    let mut below: Vec<(&str, &FieldSet)> = Vec::new();
    for (element, child) in &set.children {
        // What has something below it that was applied is a place that was applied.
        match kept_below(element).is_empty() {
            true => gone.push(element),
            false => below.push((element, child)),
        }
    }
    match (shape, value) {
        (Shape::List(list), Value::Array(values)) => {
            let elements: Vec<String> = match view_items(list, values) {
                Some(items) => items.into_iter().map(|(element, _)| element).collect(),
                None => return,
            };
            for (element, child) in below {
                if let Some(at) = elements.iter().position(|other| other == element)
                    && let Some(item) = values.get_mut(at)
                {
                    prune(&list.items, item, child, kept_below(element));
                }
            }
            let mut elements = elements.iter();
            values.retain(|_| elements.next().is_none_or(|element| !gone.contains(&&**element)));
        }
        (_, Value::Object(fields)) => {
            let of = Fields::of(shape);
            for (element, child) in below {
                if let Some(name) = element.strip_prefix("f:")
                    && let Some(value) = fields.get_mut(name)
                {
                    prune(&of.field(name).shape, value, child, kept_below(element));
                }
            }
            for element in gone {
                if let Some(name) = element.strip_prefix("f:") {
                    fields.remove(name);
                }
            }
        }
        _ => {}
    }
}

/// The first thing that makes a value unfit to be applied: a field that there is none of, a list that is no map.
pub(crate) fn problem(shape: &Shape, value: &Value, path: &str) -> Option<String> {
    match (shape, value) {
        (_, Value::Null) => None,
        (Shape::Struct(_) | Shape::Map(_), Value::Object(fields)) => {
            let of = Fields::of(shape);
            fields.iter().find_map(|(name, value)| {
                let field = of.field(name);
                let path = format!("{path}.{name}");
                match field.is_unknown {
                    true => Some(format!("{path}: field not declared in schema")),
                    false => problem(&field.shape, value, &path),
                }
            })
        }
        (Shape::Struct(_) | Shape::Map(_), _) => Some(format!("{path}: expected map, got {}", described(value))),
        (Shape::List(list), Value::Array(values)) => {
            let mut seen = HashSet::new();
            values.iter().enumerate().find_map(|(index, item)| {
                let element = match element_of(list, item) {
                    Ok(element) => element.unwrap_or_else(|| format!("i:{index}")),
                    Err(why) => return Some(format!("{path}: element {index}: {why}")),
                };
                let set = FieldSet {
                    own: false,
                    children: [(element.clone(), FieldSet { own: true, ..FieldSet::default() })].into(),
                };
                let step = set.paths().concat();
                if !seen.insert(element) {
                    return Some(format!("{path}: duplicate entries for key {step}"));
                }
                problem(&list.items, item, &format!("{path}{step}"))
            })
        }
        (Shape::List(_), _) => Some(format!("{path}: expected list, got {}", described(value))),
        (Shape::Scalar(_), Value::Object(_) | Value::Array(_)) => {
            Some(format!("{path}: expected scalar, got {}", described(value)))
        }
        _ => None,
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Object(_) => "map".to_owned(),
        Value::Array(_) => "list".to_owned(),
        other => format!("&{{{other}}}"),
    }
}

/// What a value is to be looked at as.
enum View<'a> {
    Unit,
    Mapping(Fields<'a>, &'a Map<String, Value>),
    Items(&'a Shape, Vec<(String, &'a Value)>),
}

fn view<'a>(shape: &'a Shape, value: &'a Value) -> View<'a> {
    match (shape, value) {
        (Shape::Struct(of), Value::Object(fields)) if !of.get().atomic => View::Mapping(Fields::of(shape), fields),
        (Shape::Map(of), Value::Object(fields)) if !of.atomic => View::Mapping(Fields::of(shape), fields),
        (Shape::Any, Value::Object(fields)) => View::Mapping(Fields::Any, fields),
        (Shape::List(list), Value::Array(values)) => match view_items(list, values) {
            Some(items) => View::Items(&list.items, items),
            None => View::Unit,
        },
        _ => View::Unit,
    }
}

fn view_items<'a>(list: &crate::types::List, values: &'a [Value]) -> Option<Vec<(String, &'a Value)>> {
    if list.kind == ListKind::Atomic {
        return None;
    }
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        let element = element_of(list, value).ok()??;
        if !seen.insert(element.clone()) {
            return None;
        }
        items.push((element, value));
    }
    Some(items)
}

/// How an item of a list is called in sets; `None` in a list that is a unit.
fn element_of(list: &crate::types::List, item: &Value) -> Result<Option<String>, String> {
    let keys = match &list.kind {
        ListKind::Atomic => return Ok(None),
        ListKind::Set => return Ok(Some(value_element(item))),
        ListKind::Map(keys) => keys,
    };
    let of = Fields::of(&list.items);
    let mut values = Map::new();
    for key in keys {
        let value = match item.get(key) {
            Some(value) => Cow::Borrowed(value),
            None => match of.field(key).default {
                Some(default) => Cow::Owned(default),
                None => continue,
            },
        };
        values.insert(key.clone(), value.into_owned());
    }
    if values.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
        return Err(format!(
            "associative list with keys has an element that omits key field {} (and doesn't have default value)",
            keys.join(", ")
        ));
    }
    Ok(Some(key_element(&values)))
}

/// The fields of a mapping.
#[derive(Clone, Copy)]
enum Fields<'a> {
    Any,
    Map(&'a MapShape),
    Struct(&'a StructRef),
}

struct FieldView {
    shape: Shape,
    is_named: bool,
    is_always_there: bool,
    is_unknown: bool,
    default: Option<Value>,
}

impl<'a> Fields<'a> {
    fn of(shape: &'a Shape) -> Self {
        match shape {
            Shape::Map(of) => Self::Map(of),
            Shape::Struct(of) => Self::Struct(of),
            _ => Self::Any,
        }
    }

    fn field(&self, name: &str) -> FieldView {
        let none =
            FieldView { shape: Shape::Any, is_named: false, is_always_there: false, is_unknown: false, default: None };
        match self {
            Self::Any => none,
            Self::Map(of) => FieldView { shape: of.values.clone(), ..none },
            Self::Struct(of) => match of.get().fields.get(name) {
                Some(field) => FieldView {
                    shape: field.shape.clone(),
                    is_named: true,
                    // What is always written is there even when it is empty.
                    is_always_there: field.present
                        || (field.required && matches!(field.shape, Shape::List(_) | Shape::Map(_))),
                    is_unknown: false,
                    default: field.default.clone(),
                },
                None => FieldView { is_unknown: !of.get().keeps_unknown, ..none },
            },
        }
    }
}
