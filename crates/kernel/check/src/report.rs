//! A values file, held against what templates read.

use crate::graph::{Graph, Known};
use crate::seen::Id;
use onepane_diagnostics::{Diagnostic, Severity, Span, closest};
use onepane_yaml::{Content, Node};

/// A key that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The keys that lead to it, and itself: `image.tagg`; `[]` stands for the items of a list.
    pub path: String,
    /// Where the key stands.
    pub span: Span,
    /// The path that was probably meant.
    pub meant: Option<String>,
}

impl Unread {
    /// The same as a finding of the severity that the file it is in calls for.
    pub fn to_diagnostic(&self, severity: Severity) -> Box<Diagnostic> {
        let diagnostic = Diagnostic::warning("values-unread", format!("no template reads `{}`", self.path));
        let diagnostic = Box::new(Diagnostic { severity, ..*diagnostic }).at(self.span);
        match &self.meant {
            Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
            None => diagnostic,
        }
    }
}

/// A name that is read at more places than this is a common one.
const MOST_PLACES: usize = 20;

pub(crate) struct Report<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) document: &'g Node,
    pub(crate) root: Id,
    pub(crate) found: Vec<Unread>,
}

impl Report<'_> {
    /// Looks at a node whose place is any of `places`.
    pub(crate) fn node(&mut self, node: &Node, places: &[Id], path: &str) {
        match &node.content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    let Some(name) = key.as_str().filter(|name| *name != "<<") else { continue };
                    let below = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    match self.graph.known(places, name) {
                        Known::Whole => return,
                        Known::Places(places) => self.node(value, &places, &below),
                        // What stands there to be referred to is read where the alias stands.
                        Known::Unread if has_anchor(value) => {}
                        Known::Unread => {
                            let Some(span) = key.span else { continue };
                            let span = span.with_length(name.chars().count() as u32);
                            let meant = self.meant(places, name, path, entries);
                            self.found.push(Unread { path: below, span, meant });
                        }
                    }
                }
            }
            Content::Sequence(items) => {
                if let Known::Places(places) = self.graph.known_items(places) {
                    let below = format!("{path}[]");
                    items.iter().for_each(|item| self.node(item, &places, &below));
                }
            }
            Content::Scalar(_) | Content::Alias(_) => {}
        }
    }

    /// The key beside it that is read and was not given, by its name; else the only place where one of its name is.
    fn meant(&self, places: &[Id], name: &str, path: &str, given: &[(Node, Node)]) -> Option<String> {
        let is_given = |key: &&str| given.iter().any(|(other, _)| other.as_str() == Some(*key));
        let keys = self.graph.keys(places);
        let beside = closest(name, keys.into_iter().filter(|key| !is_given(key)));
        if let Some(key) = beside {
            return Some(if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") });
        }
        // Short names are everywhere.
        if name.len() < 4 {
            return None;
        }
        // It stands at the wrong depth: the one path is the other's end.
        let whole = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let is_end = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
        let mut elsewhere = self.graph.paths_of(self.root, name, MOST_PLACES);
        let is_full = elsewhere.len() >= MOST_PLACES;
        elsewhere.retain(|other| is_end(other, &whole) || is_end(&whole, other));
        elsewhere.retain(|other| !has_path(self.document, other));
        match elsewhere.as_slice() {
            [only] if !is_full => Some(only.clone()),
            _ => None,
        }
    }
}

/// Whether the file says something at the path.
fn has_path(node: &Node, path: &str) -> bool {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let Content::Mapping(entries) = &node.content else { return false };
    let found = entries.iter().find(|(name, _)| name.as_str() == Some(key));
    found.is_some_and(|(_, value)| rest.is_none_or(|rest| has_path(value, rest)))
}

fn has_anchor(node: &Node) -> bool {
    node.anchor.is_some()
        || match &node.content {
            Content::Mapping(entries) => entries.iter().any(|(key, value)| has_anchor(key) || has_anchor(value)),
            Content::Sequence(items) => items.iter().any(has_anchor),
            Content::Scalar(_) | Content::Alias(_) => false,
        }
}
