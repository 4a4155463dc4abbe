//! What the editor has open: [`Documents`].

use crate::overlay::Unsaved;
use crate::text::{Encoding, SourceFile};
use camino::{Utf8Path, Utf8PathBuf};
use lsp_types::{TextDocumentContentChangeEvent, Uri};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A text that is open in the editor.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) uri: Uri,
    pub(crate) version: i32,
    pub(crate) source: SourceFile,
}

/// All of them, by their paths from the root of the repository.
pub(crate) struct Documents {
    encoding: Encoding,
    open: BTreeMap<Utf8PathBuf, Document>,
}

impl Documents {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { encoding, open: BTreeMap::new() }
    }

    pub(crate) fn open(&mut self, path: Utf8PathBuf, uri: Uri, version: i32, text: String) {
        self.open.insert(path, Document { uri, version, source: SourceFile::new(text, self.encoding) });
    }

    pub(crate) fn close(&mut self, path: &Utf8Path) {
        self.open.remove(path);
    }

    pub(crate) fn get(&self, path: &Utf8Path) -> Option<&Document> {
        self.open.get(path)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.open.keys()
    }

    /// Makes the changes in their order; each is about the text that the one before it left.
    pub(crate) fn change(&mut self, path: &Utf8Path, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        let Some(document) = self.open.get_mut(path) else { return };
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let source = &document.source;
                    let start = source.offset(range.start);
                    let end = source.offset(range.end).max(start);
                    format!("{}{}{}", &source.text[..start], change.text, &source.text[end..])
                }
            };
            document.source = SourceFile::new(text, self.encoding);
        }
        document.version = version;
    }

    pub(crate) fn texts(&self) -> Unsaved {
        Arc::new(self.open.iter().map(|(path, document)| (path.clone(), document.source.text.clone())).collect())
    }
}
