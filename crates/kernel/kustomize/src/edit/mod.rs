//! Changes of a kustomization file, as `kustomize edit` makes them: [`KustomizationDraft`].
//!
//! Kustomize writes every field that it knows anew; here, lines that a change does not concern keep their bytes.

mod deprecated;
mod generators;
mod images;
mod labels;
mod patches;
mod variables;

pub use generators::GeneratorSources;
pub use images::ImageChange;
pub use labels::Metadata;
pub use patches::PatchEntry;
pub use variables::RewrittenFile;

use crate::kustomization::decode;
use crate::scalar::{NodeExt, Scalar};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_yaml::Place::{Item, Key};
use onepane_yaml::{Draft, Node, Place, Style};

/// A kustomization file that is changed field by field.
pub struct KustomizationDraft {
    draft: Draft,
}

/// An error of an edit that is about no line.
fn refused(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-edit", message)
}

impl KustomizationDraft {
    /// Starts with a file's text. As each of Kustomize's edits does, this first writes what is not said (`apiVersion`,
    /// `kind`) and moves what stands in fields with other names today: `bases`, `imageTags`, `env`,
    /// `helmChartInflationGenerator`.
    ///
    /// # Errors
    /// `yaml-syntax`, and `kustomize-field` for what a kustomization does not have.
    pub fn open(text: &str, file: FileId) -> Result<Self> {
        let mut this = Self::open_as_it_is(text, file)?;
        this.spell_fields()?;
        this.fold_deprecated()?;
        Ok(this)
    }

    /// Starts with a file's text of which nothing is written otherwise unasked.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as_it_is(text: &str, file: FileId) -> Result<Self> {
        let mut this = Self { draft: Draft::new(text, file)? };
        this.draft.resolve_aliases()?;
        if let Some(root) = this.draft.root() {
            decode(root)?;
        }
        Ok(this)
    }

    /// The text, as it is now.
    pub fn text(&self) -> &str {
        self.draft.text()
    }

    /// The strings of a list: `resources`, `components`, `transformers`, …
    pub fn strings(&self, field: &str) -> Vec<&str> {
        self.draft.items(&[Key(field)]).iter().filter_map(Node::as_str).collect()
    }

    /// Adds a string to a list; false where it is there already.
    pub fn add(&mut self, field: &str, item: &str) -> Result<bool> {
        let new = !self.strings(field).contains(&item);
        if new {
            self.draft.push(&[Key(field)], string(item))?;
        }
        Ok(new)
    }

    /// Takes the strings out of a list that `leaves` says.
    pub fn remove(&mut self, field: &str, leaves: impl Fn(&str) -> bool) -> Result<()> {
        self.remove_items(field, |item| item.as_str().is_some_and(&leaves)).map(drop)
    }

    /// Puts `items` in place of a list's items.
    pub fn set_list(&mut self, field: &str, items: &[&str]) -> Result<()> {
        if self.strings(field) == items {
            return Ok(());
        }
        self.draft.set(&[Key(field)], Node::sequence(items.iter().map(|item| string(item)).collect()))
    }

    /// Sets a field that is a string; an empty one is taken away.
    pub fn set_text(&mut self, field: &str, value: &str) -> Result<()> {
        self.put_text(&[], field, value)
    }

    /// Takes the items out of a list that `leaves` says, and says how many there were.
    fn remove_items(&mut self, field: &str, leaves: impl Fn(&Node) -> bool) -> Result<usize> {
        let mut removed = 0;
        for index in (0..self.draft.items(&[Key(field)]).len()).rev() {
            if leaves(&self.draft.items(&[Key(field)])[index]) {
                self.draft.remove(&[Key(field), Item(index)])?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Sets a string within the mapping at `path`, or takes an empty one away.
    fn put_text(&mut self, path: &[Place<'_>], key: &str, value: &str) -> Result<()> {
        let place = [path, &[Key(key)]].concat();
        match self.draft.get(&place) {
            Some(_) if value.is_empty() => self.draft.remove(&place),
            None if value.is_empty() => Ok(()),
            Some(present) if present.as_str() == Some(value) => Ok(()),
            _ if path.is_empty() => self.draft.set(&place, string(value)),
            _ => self.put(path, key, string(value)),
        }
    }

    /// Sets a key of the mapping at `path`, which need not be there yet. A new key comes between those that are sorted.
    fn put(&mut self, path: &[Place<'_>], key: &str, value: Node) -> Result<()> {
        let entries = self.draft.get(path).and_then(Node::entries).unwrap_or_default();
        if entries.is_empty() {
            let mapping = Node::mapping(vec![(string(key), value)]);
            return match path {
                [around @ .., Key(name)] if !around.is_empty() => self.put(around, name, mapping),
                _ => self.draft.set(path, mapping),
            };
        }
        let keys: Vec<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
        let at = keys.partition_point(|present| *present < key);
        if at == keys.len() || keys.contains(&key) || !keys.is_sorted() {
            return self.draft.set(&[path, &[Key(key)]].concat(), value);
        }
        let Some(mut mapping) = self.draft.get(path).cloned() else { return Ok(()) };
        if let Some(entries) = mapping.entries_mut() {
            entries.insert(at, (string(key), value));
        }
        self.draft.set(path, mapping)
    }

    /// Puts an entry with a name into a list, between those that are sorted by name.
    fn insert_by_name(&mut self, field: &str, name: &str, entry: Node) -> Result<()> {
        let names: Vec<&str> = self.draft.items(&[Key(field)]).iter().map(name_of).collect();
        let at = if names.is_sorted() { names.partition_point(|present| *present < name) } else { names.len() };
        self.draft.insert(&[Key(field)], at, entry)
    }
}

/// The `name` of an entry.
fn name_of(entry: &Node) -> &str {
    text_of(entry, "name")
}

/// A field of an entry that is a string; nothing where it is not there.
fn text_of<'n>(entry: &'n Node, field: &str) -> &'n str {
    entry.get(field).and_then(Node::as_str).unwrap_or_default()
}

/// A string, in quotes where the YAML 1.1 that kustomizations are read as would see something else.
fn string(text: &str) -> Node {
    let mut node = Node::string(text);
    if !matches!(Node::scalar(text).scalar_1_1(), Some(Scalar::String(_))) {
        node.style = Style::DoubleQuoted;
    }
    node
}

/// A mapping of the fields that have a value, as Go sorts them.
fn entry(fields: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    let empty = |node: &Node| node.as_str() == Some("") || node.items().is_some_and(<[_]>::is_empty);
    let mut fields: Vec<_> = fields.into_iter().filter(|(_, value)| !empty(value)).collect();
    fields.sort_by_key(|(field, _)| *field);
    Node::mapping(fields.into_iter().map(|(field, value)| (Node::scalar(field), value)).collect())
}

#[cfg(test)]
mod tests;
