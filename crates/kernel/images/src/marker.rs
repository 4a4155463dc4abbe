//! Lines that follow a policy, by a comment behind them: `tag: 1.4.2 # {"$imagepolicy": "flux-system:api:tag"}`.

use crate::scalars::{ScalarChange, set_scalars};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_yaml::{Content, Node, read};
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

const KEY: &str = "$imagepolicy";

/// Whether a text may hold such lines: they are looked for in few files.
pub fn has_markers(text: &str) -> bool {
    text.contains(KEY)
}

/// The text in which the lines that follow one of `policies` say what is the newest, with the names of those policies that
/// changed something; all other bytes stay. Policies are called `NAMESPACE:NAME`. `None` where it says all that already.
///
/// # Errors
/// `yaml-syntax`; `scalar-in-place` for a line that can't be changed in place.
pub fn set_markers(
    text: &str,
    file: FileId,
    policies: &BTreeMap<String, Newest>,
) -> Result<Option<(String, Vec<String>)>> {
    if !has_markers(text) {
        return Ok(None);
    }
    let mut changes: Vec<ScalarChange> = Vec::new();
    let mut names = Vec::new();
    for document in &read(text, file)? {
        visit(document, &mut |node, marker| {
            let (policy, part) = parts(&marker);
            let Some(text) = policies.get(&policy).and_then(|newest| newest.part(part)) else { return };
            if let Some(place) = node.span.filter(|_| node.as_str() != Some(&text)) {
                names.push(policy);
                changes.push(ScalarChange { line: place.line, column: place.column, text });
            }
        });
    }
    if changes.is_empty() {
        return Ok(None);
    }
    names.sort();
    names.dedup();
    let of_markers = |error: Box<Diagnostic>| error.trace(format!("for the markers of {}", names.join(", ")), None);
    let text = set_scalars(text, file, &changes).map_err(of_markers)?;
    Ok(Some((text, names)))
}

/// Shows each scalar that has a marker.
fn visit(node: &Node, with: &mut dyn FnMut(&Node, String)) {
    match &node.content {
        Content::Mapping(entries) => {
            for (key, value) in entries {
                // The comment behind a value may have become its key's.
                let marker = marker_of(value).or_else(|| marker_of(key));
                if let (Content::Scalar(_), Some(marker)) = (&value.content, marker) {
                    with(value, marker);
                } else {
                    visit(value, with);
                }
            }
        }
        Content::Sequence(items) => items.iter().for_each(|item| visit(item, with)),
        Content::Scalar(_) => {
            if let Some(marker) = marker_of(node) {
                with(node, marker);
            }
        }
        Content::Alias(_) => {}
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
