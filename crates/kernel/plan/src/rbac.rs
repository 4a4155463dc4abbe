//! Who may do what: the difference of roles and bindings.

use serde_json::Value;
use std::collections::BTreeSet;

/// More than this is told as a number.
const MOST_SHOWN: usize = 6;

/// What a role allows on one side only: `get, list secrets`.
pub(crate) fn rules(before: &Value, after: &Value) -> Vec<String> {
    told(&granted(before), &granted(after), "allows", "allows no more")
}

/// Who is bound on one side only.
pub(crate) fn subjects(before: &Value, after: &Value) -> Vec<String> {
    let subjects = |document: &Value| -> BTreeSet<String> {
        let list = document.get("subjects").and_then(Value::as_array);
        let text = |subject: &Value, key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let shown = |subject: &Value| {
            let (kind, namespace, name) = (text(subject, "kind"), text(subject, "namespace"), text(subject, "name"));
            let slash = if namespace.is_empty() { "" } else { "/" };
            format!("{kind} {namespace}{slash}{name}")
        };
        list.into_iter().flatten().map(shown).collect()
    };
    told(&subjects(before), &subjects(after), "is given to", "is taken from")
}

fn told(before: &BTreeSet<String>, after: &BTreeSet<String>, more: &str, less: &str) -> Vec<String> {
    let line = |verb: &str, items: Vec<&String>| {
        let rest = items.len().saturating_sub(MOST_SHOWN);
        let shown: Vec<&str> = items.iter().take(MOST_SHOWN).map(|item| item.as_str()).collect();
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        (!shown.is_empty()).then(|| format!("{verb} {}{rest}", shown.join("; ")))
    };
    [line(more, after.difference(before).collect()), line(less, before.difference(after).collect())]
        .into_iter()
        .flatten()
        .collect()
}

/// Each resource with the verbs that a role allows on it.
fn granted(role: &Value) -> BTreeSet<String> {
    let list = |rule: &Value, key: &str| -> Vec<String> {
        let texts = rule.get(key).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut granted = BTreeSet::new();
    for rule in role.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let names = list(rule, "resourceNames");
        let only = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let groups = list(rule, "apiGroups");
        let groups = if groups.is_empty() { vec![String::new()] } else { groups };
        for verb in list(rule, "verbs") {
            for resource in list(rule, "resources") {
                for group in &groups {
                    let dot = if group.is_empty() { "" } else { "." };
                    granted.insert(format!("{verb} {resource}{dot}{group}{only}"));
                }
            }
            granted.extend(list(rule, "nonResourceURLs").iter().map(|url| format!("{verb} {url}")));
        }
    }
    granted
}
