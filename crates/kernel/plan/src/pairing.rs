//! Which resource before is which one afterwards.

use onepane_resource::name_without_hash;
use onepane_resource::{Manifest, ManifestName as Name};
use std::collections::HashMap;

/// A resource on both sides, or on the one that has it.
pub(crate) struct Pair<'a> {
    pub(crate) before: Option<&'a Manifest>,
    pub(crate) after: Option<&'a Manifest>,
}

/// Pairs by identity, and what is left by names that differ in their hash only, where there is no other choice.
pub(crate) fn pairs<'a>(before: &'a [Manifest], after: &'a [Manifest]) -> Vec<Pair<'a>> {
    let mut rest: HashMap<_, &Manifest> = before.iter().map(|manifest| (manifest.name.identity(), manifest)).collect();
    let mut pairs: Vec<Pair<'a>> =
        after.iter().map(|after| Pair { before: rest.remove(&after.name.identity()), after: Some(after) }).collect();
    let mut left: HashMap<_, Vec<&Manifest>> = HashMap::new();
    for manifest in before.iter().filter(|manifest| rest.contains_key(&manifest.name.identity())) {
        left.entry(stem(&manifest.name)).or_default().push(manifest);
    }
    let mut new: HashMap<_, usize> = HashMap::new();
    for pair in pairs.iter().filter(|pair| pair.before.is_none()) {
        if let Some(after) = pair.after {
            *new.entry(stem(&after.name)).or_default() += 1;
        }
    }
    for pair in pairs.iter_mut().filter(|pair| pair.before.is_none()) {
        let Some(key) = pair.after.map(|after| stem(&after.name)) else { continue };
        if key.3.is_some()
            && new.get(&key) == Some(&1)
            && let Some([only]) = left.get(&key).map(Vec::as_slice)
        {
            pair.before = Some(only);
            left.remove(&key);
        }
    }
    // In the order that they had.
    let gone: Vec<&Manifest> = left.into_values().flatten().collect();
    let gone = before.iter().filter(|manifest| gone.iter().any(|other| std::ptr::eq(*other, *manifest)));
    pairs.extend(gone.map(|manifest| Pair { before: Some(manifest), after: None }));
    pairs
}

/// A name without the hash of a generator, if it has one; the whole identity is in it otherwise.
fn stem(name: &Name) -> (&str, &str, &str, Option<&str>, &str) {
    let hashed = name_without_hash(&name.name);
    match hashed {
        Some(stem) => (name.group(), &name.kind, &name.namespace, Some(stem), ""),
        None => (name.group(), &name.kind, &name.namespace, None, &name.name),
    }
}
