//! Lines that follow a policy, by a comment behind them: `tag: 1.4.2 # {"$imagepolicy": "flux-system:api:tag"}`.

use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_yaml::{Content, Dialect, Node, Scalar, Style, read, resolve, resolve_plain};
use std::collections::BTreeMap;

/// The newest image by a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// Its name, without a tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its digest; empty where it is not written.
    pub digest: String,
}

impl Newest {
    /// What a marker asks for; `None` where there is no such thing.
    fn part(&self, part: &str) -> Option<String> {
        Some(match part {
            "" if self.digest.is_empty() => format!("{}:{}", self.name, self.tag),
            "" => format!("{}:{}@{}", self.name, self.tag, self.digest),
            "name" => self.name.clone(),
            "tag" => self.tag.clone(),
            "digest" if !self.digest.is_empty() => self.digest.clone(),
            _ => return None,
        })
    }
}

/// A line that is to say something else.
struct Line {
    /// Counted from 0.
    index: usize,
    /// In characters, from 0.
    column: usize,
    /// How it is written.
    before: String,
    after: String,
}

const KEY: &str = "$imagepolicy";

/// Whether a text may hold such lines: they are looked for in few files.
pub fn has_markers(text: &str) -> bool {
    text.contains(KEY)
}

/// The text in which the lines that follow one of `policies` say what is the newest, with the names of those policies that
/// changed something; all other bytes stay. Policies are called `NAMESPACE:NAME`. `None` where it says all that already.
///
/// # Errors
/// `yaml-syntax`; `image-marker` for a line that can't be changed in place.
pub fn set_markers(
    text: &str,
    file: FileId,
    policies: &BTreeMap<String, Newest>,
) -> Result<Option<(String, Vec<String>)>> {
    if !has_markers(text) {
        return Ok(None);
    }
    let documents = read(text, file)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut changed: Vec<Line> = Vec::new();
    let mut names = Vec::new();
    let mut expected = documents.clone();
    for document in &mut expected {
        change(document, &mut |node, marker| {
            let (policy, part) = parts(&marker);
            let Some(after) = policies.get(&policy).and_then(|newest| newest.part(part)) else { return Ok(()) };
            let before = node.as_str().unwrap_or_default().to_owned();
            if before == after {
                return Ok(());
            }
            let place = node.span.ok_or_else(|| Diagnostic::error("image-marker", "a marker stands nowhere"))?;
            let unfit = || {
                let message = format!("the value before the marker of `{policy}` can't be changed in place");
                Diagnostic::error("image-marker", message)
                    .at(place)
                    .hint("write it on one line, without an anchor or a tag")
            };
            let is_string = |text: &str| matches!(resolve_plain(text, Dialect::V2), Scalar::String(_));
            let was_string = matches!(resolve(node, Dialect::V2), Ok(Scalar::String(_)));
            let (written, new) = match node.style {
                Style::Plain if was_string && !is_string(&after) => (before, format!("\"{after}\"")),
                Style::Plain => (before, after.clone()),
                Style::SingleQuoted => (format!("'{before}'"), format!("'{after}'")),
                Style::DoubleQuoted => (format!("\"{before}\""), format!("\"{after}\"")),
                Style::Literal | Style::Folded | Style::Flow => return Err(unfit()),
            };
            let (index, column) = (place.line as usize - 1, place.column as usize - 1);
            let line: String = lines.get(index).map(|line| line.chars().skip(column).collect()).unwrap_or_default();
            if !line.starts_with(&written) {
                return Err(unfit());
            }
            node.content = Content::Scalar(after.into());
            names.push(policy);
            changed.push(Line { index, column, before: written, after: new });
            Ok(())
        })?;
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    for Line { index, column, before, after } in changed {
        let line = &mut lines[index];
        let start = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        line.replace_range(start..start + before.len(), &after);
    }
    let text = lines.concat();
    // What comes out says what it should, and nothing else has become something else.
    let is_right = read(&text, file).is_ok_and(|found| {
        found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| says_the_same(found, expected))
    });
    if !is_right {
        return Err(Diagnostic::error(
            "image-marker",
            format!("the markers of {} can't be followed in place", file.path()),
        ));
    }
    names.sort();
    names.dedup();
    Ok(Some((text, names)))
}

/// Asks for each scalar that has a marker.
fn change(node: &mut Node, with: &mut dyn FnMut(&mut Node, String) -> Result<()>) -> Result<()> {
    match &mut node.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                // The comment behind a value may have become its key's.
                let marker = marker_of(value).or_else(|| marker_of(key));
                if let (Content::Scalar(_), Some(marker)) = (&value.content, marker) {
                    with(value, marker)?;
                } else {
                    change(value, with)?;
                }
            }
            Ok(())
        }
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| change(item, with)),
        Content::Scalar(_) => match marker_of(node) {
            Some(marker) => with(node, marker),
            None => Ok(()),
        },
        Content::Alias(_) => Ok(()),
    }
}

/// What the comment behind a node names.
fn marker_of(node: &Node) -> Option<String> {
    let comment = node.comments.as_ref()?.line.trim_start_matches('#').trim();
    let marker: serde_json::Value = serde_json::from_str(comment).ok()?;
    Some(marker.get(KEY)?.as_str()?.to_owned())
}

/// `NAMESPACE:NAME` and the part of the image.
fn parts(marker: &str) -> (String, &str) {
    match marker.match_indices(':').nth(1) {
        Some((at, _)) => (marker[..at].to_owned(), &marker[at + 1..]),
        None => (marker.to_owned(), ""),
    }
}

fn says_the_same(one: &Node, other: &Node) -> bool {
    one.tag == other.tag
        && one.anchor == other.anchor
        && match (&one.content, &other.content) {
            (Content::Scalar(one), Content::Scalar(other)) | (Content::Alias(one), Content::Alias(other)) => {
                one == other
            }
            (Content::Sequence(one), Content::Sequence(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| says_the_same(one, other))
            }
            (Content::Mapping(one), Content::Mapping(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|((key, value), (other_key, other_value))| {
                        says_the_same(key, other_key) && says_the_same(value, other_value)
                    })
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies() -> BTreeMap<String, Newest> {
        let newest = |tag: &str, digest: &str| Newest {
            name: "r:5000/api".to_owned(),
            tag: tag.to_owned(),
            digest: digest.to_owned(),
        };
        [("flux:api".to_owned(), newest("1.5", "")), ("flux:web".to_owned(), newest("2.0.1", "sha256:ab"))].into()
    }

    fn set(text: &str) -> Option<(String, Vec<String>)> {
        set_markers(text, FileId::new("f.yaml"), &policies()).expect("it can be done")
    }

    #[test]
    fn lines_with_markers_follow_and_all_others_stay() {
        let text = "# head\nimages:\n- name: api   # the api\n  newTag: v1.4   # {\"$imagepolicy\": \"flux:api:tag\"}\n\
                    - {name: web}\n---\nimage: 'r:5000/web:2.0.0' # {\"$imagepolicy\": \"flux:web\"}\n\
                    ä:\n  name: \"x\" # {\"$imagepolicy\": \"flux:web:name\"}\n  digest: sha256:00 # {\"$imagepolicy\": \"flux:web:digest\"}\n\
                    other: a # {\"$imagepolicy\": \"flux:unknown\"}\nlist:\n  - r:5000/api:1.4 # {\"$imagepolicy\": \"flux:api\"}\n";
        let (new, names) = set(text).expect("something changes");
        // What was a string stays one.
        assert!(new.contains("  newTag: \"1.5\"   # {\"$imagepolicy\": \"flux:api:tag\"}\n"), "{new}");
        assert!(new.contains("image: 'r:5000/api:2.0.1@sha256:ab' #"), "{new}");
        assert!(new.contains("  name: \"r:5000/api\" #") && new.contains("  digest: sha256:ab #"), "{new}");
        assert!(new.contains("other: a #") && new.contains("  - r:5000/api:1.5 #"), "{new}");
        assert_eq!(names, ["flux:api", "flux:web"]);
        let changed = text.lines().zip(new.lines()).filter(|(one, other)| one != other).count();
        assert_eq!((changed, text.lines().count()), (5, new.lines().count()));
        assert_eq!(set(&new), None, "nothing is left to do");
        assert_eq!(set("a: 1\n"), None);
    }

    #[test]
    fn what_is_not_on_one_line_is_refused() {
        for text in [
            "a: >- # {\"$imagepolicy\": \"flux:api:tag\"}\n  1.4\n",
            "a: \"1\\x2e4\" # {\"$imagepolicy\": \"flux:api:tag\"}\n",
        ] {
            let found = set_markers(text, FileId::new("f.yaml"), &policies());
            // go-yaml drops the comment behind a block scalar's head, so that there is no marker then.
            assert!(found.as_ref().is_ok_and(Option::is_none) || found.is_err(), "{text}: {found:?}");
        }
    }
}
