//! `$patch: delete | replace | merge` in mappings and lists.

use crate::shape::{at, raw_text};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;

/// The key that holds a directive.
pub(super) const KEY: &str = "$patch";

/// What a patch asks to be done with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// Merge, which is also meant where nothing is said. Whether it was said tells whether there is a directive to
    /// leave out.
    Merge {
        said: bool,
    },
    Replace,
    Delete,
}

impl Directive {
    /// Whether the directive's key or element is to be left out.
    pub(super) fn is_said(self) -> bool {
        self != Self::Merge { said: false }
    }

    fn parse(value: &Node) -> Result<Self> {
        match raw_text(value) {
            "merge" => Ok(Self::Merge { said: true }),
            "replace" => Ok(Self::Replace),
            "delete" => Ok(Self::Delete),
            other => {
                let error = Diagnostic::error("patch-directive", format!("unknown patch strategy '{other}'"));
                Err(at(error, value).hint("`$patch` is one of `delete`, `replace` and `merge`"))
            }
        }
    }

    /// The directive of a mapping.
    pub(super) fn of_mapping(patch: &Node) -> Result<Self> {
        patch.get(KEY).map_or(Ok(Self::Merge { said: false }), Self::parse)
    }

    /// The directive of a list: that of its first element which has one, if it has nothing else.
    pub(super) fn of_list(items: &[Node]) -> Result<Self> {
        let Some(element) = items.iter().find(|item| item.get(KEY).is_some()) else {
            return Ok(Self::Merge { said: false });
        };
        match element.entries() {
            Some([(_, value)]) => Self::parse(value),
            _ => Ok(Self::Merge { said: false }),
        }
    }

    /// The elements of a list that are left when its directive is taken out. Every element goes that has the same
    /// directive, also those of which it is but a part, and so do empty ones.
    pub(super) fn without(items: &[Node]) -> Vec<&Node> {
        let first = items.iter().find_map(|item| item.get(KEY)).map(raw_text);
        let stays = |item: &&Node| {
            !crate::shape::is_empty_map(item) && (first.is_none() || item.get(KEY).map(raw_text) != first)
        };
        items.iter().filter(stays).collect()
    }
}
