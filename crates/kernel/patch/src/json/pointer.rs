//! JSON pointers (RFC 6901) in YAML trees.

use crate::shape::{Shape, is_null};
use onepane_diagnostics::closest;
use onepane_yaml::{Content, Node};

/// A pointer's last token and those before it.
pub(super) struct Pointer {
    parents: Vec<String>,
    pub(super) key: String,
}

impl Pointer {
    /// `None` for a pointer without a token; what stands before the first `/` is ignored, as upstream.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tokens: Vec<String> = text.split('/').skip(1).map(decode).collect();
        let key = tokens.pop()?;
        Some(Self { parents: tokens, key })
    }

    /// The mapping or list that holds the place, if there is one.
    pub(super) fn container<'n>(&self, root: &'n mut Node) -> Option<&'n mut Node> {
        let mut node = root;
        for token in &self.parents {
            node = child_mut(node, token).ok()??;
            if !matches!(Shape::of(node), Shape::Mapping | Shape::Sequence) {
                return None;
            }
        }
        Some(node)
    }
}

/// Where a pointer leads no further, and what is there instead; an operation may add what its last token names.
pub(super) fn dead_end(root: &Node, pointer: &str, kind: &str) -> Option<String> {
    let tokens: Vec<String> = pointer.split('/').skip(1).map(decode).collect();
    let mut node = root;
    let mut path = String::new();
    for (position, token) in tokens.iter().enumerate() {
        let shown = if path.is_empty() { "the resource".to_owned() } else { format!("`{path}`") };
        let adds = position + 1 == tokens.len() && matches!(kind, "add" | "replace");
        let next = match &node.content {
            Content::Mapping(entries) => {
                let next = node.get(token);
                if next.is_none() && !adds {
                    let keys: Vec<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
                    return Some(match closest(token, keys.iter().copied()) {
                        Some(near) => format!("{shown} has no `{token}`: did you mean `{near}`?"),
                        None => format!("{shown} has no `{token}`; it has {}", listed(&keys)),
                    });
                }
                next
            }
            Content::Sequence(items) => {
                let next = index(token, items.len()).ok().and_then(|index| items.get(index));
                if next.is_none() {
                    let behind = if kind == "add" { ", and `-` is behind the last" } else { "" };
                    return Some(format!("{shown} is a list of {}: elements count from 0{behind}", items.len()));
                }
                next
            }
            _ if is_null(node) => return Some(format!("{shown} is null, and nothing can be below")),
            _ => return Some(format!("{shown} is a single value, and nothing can be below")),
        };
        node = next?;
        path.push('/');
        path.push_str(&token.replace('~', "~0").replace('/', "~1"));
    }
    None
}

/// Some of the keys of a mapping.
fn listed(keys: &[&str]) -> String {
    const SOME: usize = 8;
    let some: Vec<String> = keys.iter().take(SOME).map(|key| format!("`{key}`")).collect();
    match (some.len(), keys.len()) {
        (0, _) => "nothing".to_owned(),
        (some_count, all) if some_count < all => format!("{} and {} more", some.join(", "), all - some_count),
        _ => some.join(", "),
    }
}

/// `~1` and `~0` in one go, as Go's replacer does it.
fn decode(token: &str) -> String {
    let mut decoded = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('~') {
        let (before, escape) = rest.split_at(at);
        decoded.push_str(before);
        let (character, length) = match escape.as_bytes().get(1) {
            Some(b'0') => ('~', 2),
            Some(b'1') => ('/', 2),
            _ => ('~', 1),
        };
        decoded.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

/// What is at `key`: `None` for a null and for a missing key of a mapping.
///
/// The error is the text of what is wrong with an index.
pub(super) fn child_mut<'n>(node: &'n mut Node, key: &str) -> Result<Option<&'n mut Node>, String> {
    let child = match node.items().map(<[_]>::len) {
        Some(length) => {
            let index = index(key, length)?;
            node.items_mut().and_then(|items| items.get_mut(index))
        }
        None => node.get_mut(key),
    };
    Ok(child.filter(|child| !is_null(child)))
}

/// An index that is there; negative ones count from the end.
pub(super) fn index(key: &str, length: usize) -> Result<usize, String> {
    let index = atoi(key)?;
    resolve_index(index, length)
        .filter(|index| *index < length)
        .ok_or_else(|| format!("Unable to access invalid index: {index}: invalid index referenced"))
}

/// The index as Go's Atoi reads it.
pub(super) fn atoi(key: &str) -> Result<i64, String> {
    let digits = key.strip_prefix(['+', '-']).unwrap_or(key);
    let invalid = || format!("strconv.Atoi: parsing {key:?}: invalid syntax");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    key.parse().map_err(|_| format!("strconv.Atoi: parsing {key:?}: value out of range"))
}

/// An index of `0..=length`, negative ones counted from the end.
pub(super) fn resolve_index(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
    usize::try_from(index).ok().filter(|index| *index <= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_decoded() {
        for (text, parents, key) in [
            ("/a", &[][..], "a"),
            ("/a~1b/c~0d/~01", &["a/b", "c~d"], "~1"),
            ("/", &[], ""),
            ("a/b", &[], "b"),
            ("/a/~x~", &["a"], "~x~"),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(
                (&pointer.parents[..], &*pointer.key),
                (&parents.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()[..], key)
            );
        }
        assert!(Pointer::parse("").is_none());
        assert!(Pointer::parse("abc").is_none());
    }
}
