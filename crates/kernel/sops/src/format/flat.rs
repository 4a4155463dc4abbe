//! Metadata where a format has no nesting: names like `age__list_0__map_recipient`.

use crate::failure::malformed;
use crate::metadata::NAME;
use crate::number::format_untyped;
use crate::value::{Branch, Entry, Value, pair, pairs};
use onepane_diagnostics::Result;
use std::collections::BTreeMap;

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Metadata is nested five deep; a name that goes deeper is none of SOPS's.
const DEEPEST: usize = 16;

/// A scalar as a format without types has it; none for what is no scalar.
pub(super) fn untyped(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format_untyped(*value),
        // Without fractions of seconds.
        Value::Time(time) => match (time.split_once('.'), time.find(['Z', '+']).or_else(|| time.rfind('-'))) {
            (Some((seconds, _)), Some(zone)) => format!("{seconds}{}", &time[zone..]),
            _ => time.to_string(),
        },
        Value::Text(text) => text.reveal_text()?.to_owned(),
        Value::Comment(_) | Value::List(_) | Value::Branch(_) => return None,
    })
}

/// Makes one mapping of all that is nested in it. What is empty leaves no trace.
pub(super) fn flatten(branch: &[Entry]) -> Branch {
    let mut flat = Branch::new();
    for found in pairs(branch) {
        flatten_value(&found.key, &found.value, &mut flat);
    }
    flat
}

fn flatten_value(name: &str, value: &Value, flat: &mut Branch) {
    match value {
        Value::Branch(branch) => {
            pairs(branch).for_each(|found| flatten_value(&format!("{name}{MAP}{}", found.key), &found.value, flat));
        }
        Value::List(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| flatten_value(&format!("{name}{LIST}{index}"), item, flat));
        }
        value => flat.push(pair(name, value.clone())),
    }
}

/// With the name before each that tells it from what is encrypted.
pub(super) fn prefixed(flat: &[Entry]) -> Branch {
    pairs(flat).map(|found| pair(&format!("{NAME}_{}", found.key), found.value.clone())).collect()
}

/// With `\n` in the place of line breaks.
pub(super) fn escaped(flat: &[Entry]) -> Branch {
    let escape = |value: &Value| match value.as_str() {
        Some(text) => Value::text(text.replace('\n', "\\n")),
        None => value.clone(),
    };
    pairs(flat).map(|found| pair(&found.key, escape(&found.value))).collect()
}

/// What a name leads to.
enum Tree {
    Value(Value),
    Map(BTreeMap<String, Tree>),
    List(BTreeMap<usize, Tree>),
}

/// Makes mappings and lists of flat names.
///
/// # Errors
/// `sops-format` for names that exclude one another, and for lists with holes.
pub(super) fn unflatten(flat: Branch) -> Result<Branch> {
    let mut root = BTreeMap::new();
    for entry in flat {
        let Entry::Pair(found) = entry else { continue };
        let mut steps = steps(&found.key).ok_or_else(|| malformed(format!("`{}` is no name of SOPS's", found.key)))?;
        let Step::Key(first) = steps.remove(0) else { continue };
        place(&mut root, first, &steps, found.value)
            .ok_or_else(|| malformed(format!("`{}` contradicts another line", found.key)))?;
    }
    whole_branch(root)
}

/// A step of a flat name.
#[derive(Clone)]
enum Step {
    Key(String),
    Item(usize),
}

fn steps(name: &str) -> Option<Vec<Step>> {
    let next = |text: &str| [text.find(MAP), text.find(LIST)].into_iter().flatten().min().unwrap_or(text.len());
    let (first, mut rest) = name.split_at(next(name));
    let mut steps = vec![Step::Key(first.to_owned())];
    while !rest.is_empty() {
        let is_list = rest.starts_with(LIST);
        rest = &rest[if is_list { LIST } else { MAP }.len()..];
        let (step, after) = rest.split_at(next(rest));
        steps.push(if is_list { Step::Item(step.parse().ok()?) } else { Step::Key(step.to_owned()) });
        rest = after;
    }
    (steps.len() <= DEEPEST).then_some(steps)
}

/// Puts a value where the steps lead; `None` where something else is.
fn place(map: &mut BTreeMap<String, Tree>, key: String, steps: &[Step], value: Value) -> Option<()> {
    let Some((next, after)) = steps.split_first() else {
        return map.insert(key, Tree::Value(value)).is_none().then_some(());
    };
    match next {
        Step::Key(name) => {
            let Tree::Map(inner) = map.entry(key).or_insert_with(|| Tree::Map(BTreeMap::new())) else { return None };
            place(inner, name.clone(), after, value)
        }
        Step::Item(index) => {
            let Tree::List(items) = map.entry(key).or_insert_with(|| Tree::List(BTreeMap::new())) else { return None };
            match (after.split_first(), items.get(index)) {
                (None, None) => {
                    items.insert(*index, Tree::Value(value));
                    Some(())
                }
                (Some((Step::Key(name), after)), _) => {
                    let item = items.entry(*index).or_insert_with(|| Tree::Map(BTreeMap::new()));
                    let Tree::Map(inner) = item else { return None };
                    place(inner, name.clone(), after, value)
                }
                // A value twice, or lists of lists, which metadata has none of.
                _ => None,
            }
        }
    }
}

fn whole_branch(map: BTreeMap<String, Tree>) -> Result<Branch> {
    map.into_iter().map(|(key, tree)| Ok(pair(&key, whole(tree)?))).collect()
}

fn whole(tree: Tree) -> Result<Value> {
    Ok(match tree {
        Tree::Value(value) => value,
        Tree::Map(map) => Value::Branch(whole_branch(map)?),
        Tree::List(items) => {
            if items.keys().copied().ne(0..items.len()) {
                return Err(malformed("a list of SOPS's data has holes"));
            }
            Value::List(items.into_values().map(whole).collect::<Result<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(lines: &[(&str, &str)]) -> Branch {
        lines.iter().map(|(name, text)| pair(name, Value::text(*text))).collect()
    }

    fn texts(branch: &[Entry]) -> Vec<(String, String)> {
        pairs(branch).map(|found| (found.key.to_string(), untyped(&found.value).unwrap_or_default())).collect()
    }

    #[test]
    fn what_was_made_flat_comes_back() {
        let lines = [
            ("age__list_0__map_enc", "a"),
            ("age__list_0__map_recipient", "b"),
            ("age__list_1__map_enc", "c"),
            ("kms__list_0__map_context__map_x", "d"),
            ("mac", "e"),
        ];
        let tree = unflatten(flat(&lines)).expect("it is whole");
        assert_eq!(tree.len(), 3);
        assert_eq!(texts(&flatten(&tree)), lines.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn contradictions_are_errors() {
        let deep = "a__map_".repeat(20);
        let cases: [&[(&str, &str)]; 6] = [
            &[("a", "1"), ("a", "2")],
            &[("a", "1"), ("a__map_b", "2")],
            &[("a__list_0", "1"), ("a__map_b", "2")],
            &[("a__list_1", "1")],
            &[("a__list_x", "1")],
            &[(&deep, "1")],
        ];
        for lines in cases {
            assert!(unflatten(flat(lines)).is_err(), "{lines:?}");
        }
    }
}
