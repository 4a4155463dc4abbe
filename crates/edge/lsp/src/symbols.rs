//! Names to jump to: [`of_document`], [`of_workspace`].

use crate::kinds::Kind;
use crate::navigation::At;
use crate::snapshot::Snapshot;
use crate::templates::{What, quoted};
use crate::text::SourceFile;
use camino::Utf8PathBuf;
use lsp_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Location, Position, SymbolInformation, SymbolKind,
    TextDocumentPositionParams, WorkspaceSymbolParams,
};
use onepane_diagnostics::FileId;
use onepane_world::{EntryKind, World};
use onepane_yaml::Node;

/// A file or an answer with more names is of no use.
const MOST: usize = 1_000;

/// A repository with more files is not searched whole.
const MOST_FILES: usize = 5_000;

/// The resources of a file of manifests, the definitions of a template, the keys of values.
pub(crate) fn of_document(snapshot: &Snapshot, params: &DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
    let place =
        TextDocumentPositionParams { text_document: params.text_document.clone(), position: Position::default() };
    let at = At::of(snapshot, &place)?;
    let symbols = match at.kind {
        Kind::Template => {
            let defined = quoted(&at.source.text).into_iter().filter(|one| one.what == What::Define);
            defined
                .take(MOST)
                .map(|one| symbol(&at.source, one.name, SymbolKind::FUNCTION, one.start, one.end))
                .collect()
        }
        Kind::Yaml => at.documents().iter().filter_map(|document| resource(&at.source, document)).take(MOST).collect(),
        Kind::Other => Vec::new(),
        _ => at.documents().iter().flat_map(|document| keys(&at.source, document, 0)).collect(),
    };
    Some(DocumentSymbolResponse::Nested(symbols))
}

fn symbol(source: &SourceFile, name: String, kind: SymbolKind, start: usize, end: usize) -> DocumentSymbol {
    let range = source.range(start, end);
    #[allow(deprecated)]
    DocumentSymbol {
        name: if name.is_empty() { "-".to_owned() } else { name },
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range,
        selection_range: range,
        children: None,
    }
}

/// `Kind/name`
fn name_of(document: &Node) -> Option<String> {
    let kind = document.get("kind")?.as_str()?;
    let name = document.get("metadata").and_then(|metadata| metadata.get("name")?.as_str()).unwrap_or("-");
    Some(format!("{kind}/{name}"))
}

fn resource(source: &SourceFile, document: &Node) -> Option<DocumentSymbol> {
    let (start, end) = source.bytes_of(document.span?);
    Some(symbol(source, name_of(document)?, SymbolKind::OBJECT, start, end))
}

fn keys(source: &SourceFile, node: &Node, depth: usize) -> Vec<DocumentSymbol> {
    const DEEPEST: usize = 3;
    if depth > DEEPEST {
        return Vec::new();
    }
    let entries = node.entries().unwrap_or_default().iter().take(MOST);
    let named = entries.filter_map(|(key, value)| Some((key.as_str()?, key.span?, value)));
    named
        .map(|(name, span, value)| {
            let (start, end) = source.bytes_of(span);
            let children = keys(source, value, depth + 1);
            let key = symbol(source, name.to_owned(), SymbolKind::FIELD, start, end);
            DocumentSymbol { children: (!children.is_empty()).then_some(children), ..key }
        })
        .collect()
}

/// The resources of all manifests that are written or rendered here, by what their kind and name have in them.
pub(crate) fn of_workspace(snapshot: &Snapshot, params: &WorkspaceSymbolParams) -> Option<Vec<SymbolInformation>> {
    let query = params.query.to_lowercase();
    let mut found = Vec::new();
    for path in manifests(snapshot) {
        let Some(source) = snapshot.source(&path).filter(|source| source.text.contains("kind:")) else { continue };
        for document in onepane_yaml::read(&source.text, FileId::new(&path)).unwrap_or_default() {
            let Some(name) = name_of(&document).filter(|name| name.to_lowercase().contains(&query)) else { continue };
            let Some((span, uri)) = document.span.zip(snapshot.roots.uri(&path)) else { continue };
            let location = Location { uri, range: source.range_of(span) };
            #[allow(deprecated)]
            found.push(SymbolInformation {
                name,
                kind: SymbolKind::OBJECT,
                tags: None,
                deprecated: None,
                location,
                container_name: Some(path.to_string()),
            });
            if found.len() >= MOST {
                return Some(found);
            }
        }
    }
    Some(found)
}

fn manifests(snapshot: &Snapshot) -> Vec<Utf8PathBuf> {
    let layout = &snapshot.layout;
    let mut folders =
        vec![layout.rendered(), layout.components.clone(), layout.groups.clone(), layout.clusters.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in snapshot.world.list(&folder).unwrap_or_default().into_iter().filter(|entry| !entry.link) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if path.components().count() < 32 => folders.push(path),
                EntryKind::File if files.len() < MOST_FILES && matches!(path.extension(), Some("yaml" | "yml")) => {
                    files.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}
