//! What a function gave back knows where it came from: nodes that are as they were keep their place and history, the
//! others have the function on top of theirs.

use crate::scalar::NodeExt;
use crate::stamp::Stamp;
use onepane_yaml::{Content, History, Node};
use std::collections::HashMap;

/// Gives `new`, which a function made of `old`, the places and histories of `old`.
pub(super) fn adopt(new: &mut Node, old: &Node, stamp: &Stamp) {
    let same = match (&mut new.content, &old.content) {
        (Content::Mapping(entries), Content::Mapping(before)) => {
            let before: HashMap<&str, &(Node, Node)> =
                before.iter().filter_map(|entry| Some((entry.0.as_str()?, entry))).collect();
            for (key, value) in entries {
                match key.as_str().and_then(|name| before.get(name)) {
                    Some((old_key, old_value)) => {
                        inherit(key, old_key);
                        adopt(value, old_value, stamp);
                    }
                    None => {
                        claim(key, stamp);
                        claim(value, stamp);
                    }
                }
            }
            true
        }
        (Content::Sequence(items), Content::Sequence(before)) => {
            let named: HashMap<&str, &Node> = before.iter().rev().filter_map(|old| Some((name(old)?, old))).collect();
            for (index, item) in items.iter_mut().enumerate() {
                match counterpart(item, before.get(index), &named) {
                    Some(old_item) => adopt(item, old_item, stamp),
                    None => claim(item, stamp),
                }
            }
            true
        }
        (Content::Scalar(_), Content::Scalar(_)) => new.scalar_1_2() == old.scalar_1_2(),
        _ => false,
    };
    inherit(new, old);
    if !same {
        stamp.mark(new);
        children(new).for_each(|child| claim(child, stamp));
    }
}

/// Marks what a function made of nothing.
pub(super) fn claim(node: &mut Node, stamp: &Stamp) {
    node.span = None;
    stamp.mark(node);
    children(node).for_each(|child| claim(child, stamp));
}

fn inherit(node: &mut Node, old: &Node) {
    node.span = old.span;
    node.history = History(old.history.0.clone());
}

/// The item of a list that this one was: that of the same name, or where there are no names, the one `in_place`.
fn counterpart<'n>(item: &Node, in_place: Option<&'n Node>, named: &HashMap<&str, &'n Node>) -> Option<&'n Node> {
    let Some(wanted) = name(item) else { return in_place };
    in_place.filter(|old| name(old) == Some(wanted)).or_else(|| named.get(wanted).copied())
}

fn name(node: &Node) -> Option<&str> {
    node.get("name").and_then(Node::as_str)
}

fn children(node: &mut Node) -> Box<dyn Iterator<Item = &mut Node> + '_> {
    match &mut node.content {
        Content::Mapping(entries) => Box::new(entries.iter_mut().flat_map(|(key, value)| [key, value])),
        Content::Sequence(items) => Box::new(items.iter_mut()),
        Content::Scalar(_) | Content::Alias(_) => Box::new(std::iter::empty()),
    }
}
