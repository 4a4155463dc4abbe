//! [`Draft`]: a text that is changed in a few places and stays as its author wrote it in all others.

mod layout;
mod text;

use crate::read::{Document, read_documents};
use crate::{Content, Dialect, Node, resolve, write_kyaml_document};
use layout::{Kind, Layout};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};

/// A way from a document's root to one of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The value of a key.
    Key(&'a str),
    /// An item, counted from 0.
    Item(usize),
}

/// A text whose first document is changed entry by entry. Lines that a change does not concern keep their bytes:
/// comments, order, quotes, indentation.
///
/// Each change is made twice, in the tree and in the text. Where the changed text does not read as the changed tree, as
/// for entries with anchors, the text is written anew from the tree, comments kept. A draft whose change failed
/// (`yaml-draft`, for what can't be written in either way) is of no more use.
pub struct Draft {
    text: String,
    file: FileId,
    documents: Vec<Document>,
}

/// A change of one place.
enum Change {
    /// Puts a value there, in place of what is there.
    Set(Node),
    /// Puts an item before the one that is there, or at the end of its sequence.
    Insert(Node),
    /// Takes it away.
    Remove,
    /// Gives the entry another key.
    Rename(String),
}

impl Draft {
    /// Starts with `text`.
    ///
    /// # Errors
    /// `yaml-syntax`.
    pub fn new(text: &str, file: FileId) -> Result<Self> {
        let documents = read_documents(text, file)?;
        Ok(Self { text: text.to_owned(), file, documents })
    }

    /// The first document's tree, as it is now; `None` for a text without one.
    pub fn root(&self) -> Option<&Node> {
        self.documents.first().map(|document| &document.root)
    }

    /// The node at `path`.
    pub fn get(&self, path: &[Place<'_>]) -> Option<&Node> {
        path.iter().try_fold(self.root()?, |node, place| match place {
            Place::Key(key) => node.get(key),
            Place::Item(index) => node.items()?.get(*index),
        })
    }

    /// The items of the sequence at `path`; none where there is no sequence.
    pub fn items(&self, path: &[Place<'_>]) -> &[Node] {
        self.get(path).and_then(Node::items).unwrap_or_default()
    }

    /// Puts `value` at `path`; a key that is not there yet comes to its mapping's end.
    pub fn set(&mut self, path: &[Place<'_>], value: Node) -> Result<()> {
        self.change(path, Change::Set(value))
    }

    /// Puts an item into the sequence at `path`, before the one with this index or at the end. Where nothing is there
    /// yet, a sequence is made.
    pub fn insert(&mut self, path: &[Place<'_>], index: usize, item: Node) -> Result<()> {
        match self.get(path).and_then(Node::items) {
            None => self.set(path, Node::sequence(vec![item])),
            Some(items) => {
                let place = Place::Item(index.min(items.len()));
                self.change(&[path, &[place]].concat(), Change::Insert(item))
            }
        }
    }

    /// Puts an item at the end of the sequence at `path`.
    pub fn push(&mut self, path: &[Place<'_>], item: Node) -> Result<()> {
        self.insert(path, usize::MAX, item)
    }

    /// Takes away what is at `path`, and what would be left empty around it, up to the root.
    pub fn remove(&mut self, path: &[Place<'_>]) -> Result<()> {
        let mut path = path;
        while let [around @ .., _] = path
            && !around.is_empty()
            && self.get(around).is_some_and(|node| match &node.content {
                Content::Sequence(items) => items.len() == 1,
                Content::Mapping(entries) => entries.len() == 1,
                _ => false,
            })
        {
            path = around;
        }
        if self.get(path).is_some() { self.change(path, Change::Remove) } else { Ok(()) }
    }

    /// Gives the entry at `path` another key.
    pub fn rename(&mut self, path: &[Place<'_>], key: &str) -> Result<()> {
        self.change(path, Change::Rename(key.to_owned()))
    }

    /// Puts what they stand for in the place of aliases and merge keys; a text with such is written anew.
    ///
    /// # Errors
    /// Those of [`Node::resolve_aliases`].
    pub fn resolve_aliases(&mut self) -> Result<()> {
        if self.documents.first().is_some_and(|document| document.root.has_aliases()) {
            self.documents[0].root.resolve_aliases()?;
            self.write_anew()?;
        }
        Ok(())
    }

    /// The text, as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn change(&mut self, path: &[Place<'_>], change: Change) -> Result<()> {
        if self.documents.is_empty() {
            self.documents.push(Document { head: "".into(), root: Node::scalar(""), foot: "".into() });
        }
        let spliced = Layout::of(&self.text)
            .ok()
            .and_then(|layout| text::spliced(&self.text, layout.as_ref(), &self.documents[0].root, path, &change));
        change_tree(&mut self.documents[0].root, path, change);
        if let Some(text) = spliced
            && let Ok(documents) = read_documents(&text, self.file)
            && mean_the_same(&documents, &self.documents)
        {
            (self.text, self.documents) = (text, documents);
            return Ok(());
        }
        self.write_anew()
    }

    fn write_anew(&mut self) -> Result<()> {
        let text = self.documents.iter().map(write_kyaml_document).collect::<Vec<_>>().join("---\n");
        let documents = read_documents(&text, self.file)?;
        if !mean_the_same(&documents, &self.documents) {
            let message = "the file is written in a way in which this can't be changed without changing something else";
            return Err(Diagnostic::error("yaml-draft", message)
                .at(Span::file(self.file.path()))
                .hint("change it by hand"));
        }
        (self.text, self.documents) = (text, documents);
        Ok(())
    }
}

fn change_tree(root: &mut Node, path: &[Place<'_>], change: Change) {
    let Some((last, around)) = path.split_last() else { return };
    let mut node = root;
    for place in around {
        let next = match place {
            Place::Key(key) => node.get_mut(key),
            Place::Item(index) => node.items_mut().and_then(|items| items.get_mut(*index)),
        };
        let Some(next) = next else { return };
        node = next;
    }
    match (last, change) {
        (Place::Key(key), Change::Set(value)) => {
            if node.entries().is_none() {
                node.content = Content::Mapping(Vec::new());
            }
            node.set(key, value);
        }
        (Place::Item(index), Change::Set(value)) => {
            if let Some(item) = node.items_mut().and_then(|items| items.get_mut(*index)) {
                *item = value;
            }
        }
        (Place::Item(index), Change::Insert(value)) => {
            if let Some(items) = node.items_mut() {
                items.insert(*index, value);
            }
        }
        (Place::Key(key), Change::Remove) => drop(node.remove(key)),
        (Place::Item(index), Change::Remove) => {
            if let Some(items) = node.items_mut() {
                items.remove(*index);
            }
        }
        (Place::Key(key), Change::Rename(name)) => {
            let entry = node.entries_mut().and_then(|all| all.iter_mut().find(|(k, _)| k.as_str() == Some(*key)));
            if let Some((key, _)) = entry {
                key.content = Content::Scalar(name.into());
            }
        }
        (Place::Key(_), Change::Insert(_)) | (Place::Item(_), Change::Rename(_)) => {}
    }
}

fn mean_the_same(a: &[Document], b: &[Document]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(&a.root, &b.root))
}

/// Whether two trees hold the same, however they are written.
fn means_the_same(a: &Node, b: &Node) -> bool {
    match (&a.content, &b.content) {
        (Content::Scalar(_), Content::Scalar(_)) => resolve(a, Dialect::V3) == resolve(b, Dialect::V3),
        (Content::Alias(a), Content::Alias(b)) => a == b,
        (Content::Sequence(a), Content::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(a, b))
        }
        (Content::Mapping(a), Content::Mapping(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(&a.0, &b.0) && means_the_same(&a.1, &b.1))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
