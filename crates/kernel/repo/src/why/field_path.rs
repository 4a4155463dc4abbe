//! Paths of fields as users write them: [`FieldPath`].

use onepane_resource::join_key;
use onepane_yaml::Node;
use std::fmt;

/// A path into a manifest: `spec.template.spec.containers[name=api].image`.
///
/// Keys are separated by `.`; a `.` within a key is written `\.`, or the key stands in brackets and quotes
/// (`annotations["example.com/a"]`). `[2]` takes an item by its index, `[name=api]` by a field of it.
/// Kustomize's own form, with a dot before the bracket, is read too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
    Select(String, String),
}

impl std::str::FromStr for FieldPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut key = String::new();
        let mut characters = text.chars();
        let finish = |key: &mut String, segments: &mut Vec<Segment>| {
            if !key.is_empty() {
                segments.push(Segment::Key(std::mem::take(key)));
            }
        };
        while let Some(character) = characters.next() {
            match character {
                '\\' => key.extend(characters.next()),
                '.' => finish(&mut key, &mut segments),
                '[' => {
                    finish(&mut key, &mut segments);
                    let rest = characters.as_str();
                    let (inside, after) = bracket(rest).ok_or_else(|| format!("`[` is not closed in `{text}`"))?;
                    segments.push(inside);
                    characters = after.chars();
                }
                other => key.push(other),
            }
        }
        finish(&mut key, &mut segments);
        Ok(Self(segments))
    }
}

/// What stands in a bracket, and what follows it.
fn bracket(text: &str) -> Option<(Segment, &str)> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (key, after) = text[1..].split_once(quote)?;
        return Some((Segment::Key(key.to_owned()), after.strip_prefix(']')?));
    }
    let (inside, after) = text.split_once(']')?;
    let segment = match (inside.split_once('='), inside.parse()) {
        (Some((key, value)), _) => Segment::Select(key.to_owned(), value.to_owned()),
        (None, Ok(index)) => Segment::Index(index),
        (None, Err(_)) => Segment::Key(inside.to_owned()),
    };
    Some((segment, after))
}

impl FieldPath {
    /// The node at the path; the error is the path up to the segment that is not there.
    pub fn find<'n>(&self, node: &'n Node) -> Result<&'n Node, String> {
        let mut current = node;
        for (index, segment) in self.0.iter().enumerate() {
            let next = match segment {
                Segment::Key(key) => match key.parse::<usize>() {
                    Ok(index) if current.items().is_some() => current.items().and_then(|items| items.get(index)),
                    _ => current.get(key),
                },
                Segment::Index(index) => current.items().and_then(|items| items.get(*index)),
                Segment::Select(key, value) => current
                    .items()
                    .and_then(|items| items.iter().find(|item| item.get(key).and_then(Node::as_str) == Some(value))),
            };
            current = next.ok_or_else(|| Self(self.0[..=index].to_vec()).to_string())?;
        }
        Ok(current)
    }

    /// Every node that the path leads to: where it says nothing of an item, all items of a list are looked at.
    pub fn all<'n>(&self, node: &'n Node) -> Vec<&'n Node> {
        let mut found = vec![node];
        for segment in &self.0 {
            found = match segment {
                Segment::Key(key) => found.into_iter().flat_map(each).filter_map(|node| node.get(key)).collect(),
                Segment::Index(index) => found.into_iter().filter_map(|node| node.items()?.get(*index)).collect(),
                Segment::Select(key, value) => {
                    let is_meant = |node: &&Node| node.get(key).and_then(Node::as_str) == Some(value);
                    found.into_iter().filter_map(Node::items).flatten().filter(is_meant).collect()
                }
            };
        }
        found.into_iter().flat_map(each).collect()
    }
}

/// The items of a list, or the node itself.
fn each(node: &Node) -> Vec<&Node> {
    node.items().map_or_else(|| vec![node], |items| items.iter().collect())
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Key(key) => path = join_key(&path, key),
                Segment::Index(index) => path.push_str(&format!("[{index}]")),
                Segment::Select(key, value) => path.push_str(&format!("[{key}={value}]")),
            }
        }
        f.write_str(&path)
    }
}

/// `path` and then the item: by its name where it has one, else by its index.
pub(crate) fn join_item(path: &str, index: usize, item: &Node) -> String {
    match item.get("name").and_then(Node::as_str) {
        Some(name) if !name.contains(']') => format!("{path}[name={name}]"),
        _ => format!("{path}[{index}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_as_they_are_shown() {
        let cases = [
            ("spec.containers[name=api].image", "spec.containers[name=api].image"),
            ("spec.containers.[name=api].image", "spec.containers[name=api].image"),
            ("a[0].b", "a[0].b"),
            (r"annotations.example\.com/a", r#"annotations["example.com/a"]"#),
            (r#"annotations["example.com/a"]"#, r#"annotations["example.com/a"]"#),
        ];
        for (text, shown) in cases {
            let path: FieldPath = text.parse().expect(text);
            assert_eq!(path.to_string(), shown);
            assert_eq!(shown.parse::<FieldPath>().expect(shown), path);
        }
        assert!("a[b".parse::<FieldPath>().is_err());
    }

    #[test]
    fn the_first_segment_that_is_missing_is_named() {
        let node = Node::mapping(vec![(Node::scalar("a"), Node::sequence(vec![Node::scalar("x")]))]);
        let find = |path: &str| {
            path.parse::<FieldPath>().expect(path).find(&node).map(|node| node.as_str().map(str::to_owned))
        };
        assert_eq!(find("a[0]"), Ok(Some("x".to_owned())));
        assert_eq!(find("a.0"), Ok(Some("x".to_owned())));
        assert_eq!(find("a[1].b"), Err("a[1]".to_owned()));
    }
}
