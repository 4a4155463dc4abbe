//! What becomes of the resources of a cluster when its manifests change: [`changes`].
//!
//! Two lists of [`Manifest`]s are held against one another: resources that are new, gone or changed, field by field
//! (`difference`), and what follows from that for whoever runs them (`consequences`). A resource is the same one if group,
//! kind, namespace and name are, or if only the hash in its name differs (`pairing`). What a Secret holds is in none of it.
//!
//! Nothing is asked of a cluster: this is about what the repository says before and after.

mod consequences;
mod difference;
mod immutable;
mod pairing;
mod rbac;

pub use consequences::{Consequence, ConsequenceKind};
pub use difference::FieldChange;
pub use onepane_resource::{Manifest, ManifestName as Name};

use onepane_diagnostics::Result;
use serde_json::Value;

/// What happens to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Added,
    /// It is removed.
    Removed,
    /// It is changed in place.
    Changed,
    /// One of this name takes the place of one whose name has another hash.
    Replaced {
        /// The name of that one.
        from: String,
    },
    /// It stays as it is, and something follows for it all the same.
    Affected,
}

impl Action {
    /// A word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Replaced { .. } => "replaced",
            Self::Affected => "affected",
        }
    }
}

/// A resource to which something happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which one; of one that is changed, as it is afterwards.
    pub name: Name,
    /// What happens to it.
    pub action: Action,
    /// The fields that differ, of one that is changed or replaced.
    pub fields: Vec<FieldChange>,
    /// What follows.
    pub consequences: Vec<Consequence>,
}

/// What happens to resources on the way from `before` to `after`, by their names.
///
/// # Errors
/// For a manifest that JSON can't hold.
pub fn changes(before: &[Manifest], after: &[Manifest]) -> Result<Vec<Change>> {
    if before == after {
        return Ok(Vec::new());
    }
    let pairs = pairing::pairs(before, after);
    let mut changes = Vec::new();
    for pair in pairs {
        if pair.before.zip(pair.after).is_some_and(|(before, after)| before.yaml == after.yaml) {
            continue;
        }
        let document = |manifest: Option<&Manifest>| manifest.map_or(Ok(Value::Null), Manifest::document);
        let (was, is) = (document(pair.before)?, document(pair.after)?);
        let (name, action, fields) = match (pair.before, pair.after) {
            (None, Some(after)) => (&after.name, Action::Added, Vec::new()),
            (Some(before), None) => (&before.name, Action::Removed, Vec::new()),
            (Some(before), Some(after)) => {
                let mut fields = difference::field_changes(&was, &is);
                if after.is_secret() {
                    fields.iter_mut().for_each(FieldChange::hide_data);
                }
                // Only the order of keys or the style of the text differs.
                if fields.is_empty() {
                    continue;
                }
                let action = match before.name.name == after.name.name {
                    true => Action::Changed,
                    false => Action::Replaced { from: before.name.name.clone() },
                };
                (&after.name, action, fields)
            }
            (None, None) => continue,
        };
        let mut change = Change { name: name.clone(), action, fields, consequences: Vec::new() };
        change.consequences = consequences::of_one(&change, &was, &is);
        changes.push(change);
    }
    if !changes.is_empty() {
        consequences::between(&mut changes, before, after)?;
    }
    changes.sort_by(|a, b| a.name.sort_key().cmp(&b.name.sort_key()));
    Ok(changes)
}

#[cfg(test)]
mod tests;
