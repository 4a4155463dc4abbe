//! Entries of `patches:`.

use super::{KustomizationDraft, entry, string, text_of};
use crate::scalar::NodeExt;
use onepane_diagnostics::Result;
use onepane_yaml::Node;
use onepane_yaml::Place::Key;

/// An entry of `patches:` without options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchEntry {
    /// The file of the patch, or nothing.
    pub path: String,
    /// The patch itself, or nothing.
    pub patch: String,
    /// What `target:` says, field by field; `None` for an entry without one.
    pub target: Option<Vec<(&'static str, String)>>,
}

impl PatchEntry {
    /// The fields of a target.
    pub const TARGET_FIELDS: [&str; 7] =
        ["annotationSelector", "group", "kind", "labelSelector", "name", "namespace", "version"];

    /// What the file says; `None` for an entry with options.
    fn read(entry: &Node) -> Option<Self> {
        if entry.get("options").is_some_and(|options| !options.is_null()) {
            return None;
        }
        let target = entry.get("target").filter(|target| !target.is_null()).map(|target| {
            let fields = Self::TARGET_FIELDS.map(|field| (field, text_of(target, field).to_owned()));
            fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
        });
        Some(Self { path: text_of(entry, "path").to_owned(), patch: text_of(entry, "patch").to_owned(), target })
    }

    fn node(&self) -> Node {
        let mut fields = vec![("path", string(&self.path)), ("patch", string(&self.patch))];
        if let Some(target) = &self.target {
            fields.push(("target", entry(target.iter().map(|(field, value)| (*field, string(value))))));
        }
        entry(fields)
    }
}

impl KustomizationDraft {
    /// Adds a patch; false where an equal one is there already.
    pub fn add_patch(&mut self, patch: &PatchEntry) -> Result<bool> {
        let new =
            !self.draft.items(&[Key("patches")]).iter().any(|item| PatchEntry::read(item).as_ref() == Some(patch));
        if new {
            self.draft.push(&[Key("patches")], patch.node())?;
        }
        Ok(new)
    }

    /// Takes a patch away; false where no equal one is there.
    pub fn remove_patch(&mut self, patch: &PatchEntry) -> Result<bool> {
        Ok(self.remove_items("patches", |item| PatchEntry::read(item).as_ref() == Some(patch))? > 0)
    }
}
