//! Kustomizations: the entries that name files, wherever they stand.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Span;
use onepane_kustomize::{KUSTOMIZATION_FILES, RepositoryUrl};
use onepane_world::{EntryKind, World, normalize};
use onepane_yaml::Node;

/// An entry that names a file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The path as written.
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Whether it may be a folder.
    pub(crate) is_folder: bool,
}

/// Lists of paths.
const PATHS: [(&str, bool); 8] = [
    ("resources", true),
    ("components", true),
    ("bases", true),
    ("crds", false),
    ("configurations", false),
    ("generators", true),
    ("transformers", true),
    ("validators", true),
];

/// Lists of entries that have a path.
const WITH_PATH: [&str; 3] = ["patches", "patchesJson6902", "replacements"];

const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];

/// Whether the items of this field are paths.
pub(crate) fn is_of_paths(field: &str) -> bool {
    PATHS.iter().any(|(name, _)| *name == field) || field == "patchesStrategicMerge"
}

/// The entries of a kustomization, in the order of the fields.
pub(crate) fn entries(root: &Node) -> Vec<Entry> {
    let mut found = Vec::new();
    for (field, is_folder) in PATHS {
        items(root, field).iter().for_each(|item| add(item, is_folder, &mut found));
    }
    items(root, "patchesStrategicMerge").iter().for_each(|item| add(item, false, &mut found));
    for field in WITH_PATH {
        items(root, field).iter().filter_map(|item| item.get("path")).for_each(|path| add(path, false, &mut found));
    }
    for item in GENERATORS.iter().flat_map(|field| items(root, field)) {
        items(item, "files").iter().for_each(|file| add_source(file, &mut found));
        items(item, "envs").iter().chain(item.get("env")).for_each(|file| add(file, false, &mut found));
    }
    for chart in items(root, "helmCharts") {
        let files = chart.get("valuesFile").into_iter().chain(items(chart, "additionalValuesFiles"));
        files.for_each(|file| add(file, false, &mut found));
    }
    root.get("openapi")
        .and_then(|openapi| openapi.get("path"))
        .into_iter()
        .for_each(|path| add(path, false, &mut found));
    found
}

fn items<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    node.get(field).and_then(Node::items).unwrap_or_default()
}

fn add(node: &Node, is_folder: bool, found: &mut Vec<Entry>) {
    // A patch or transformer may stand there itself.
    if let Some((text, span)) =
        node.as_str().zip(node.span).filter(|(text, _)| !text.contains('\n') && !text.is_empty())
    {
        let length = if span.length == 0 { text.chars().count() as u32 } else { span.length };
        found.push(Entry { text: text.to_owned(), span: span.with_length(length), is_folder });
    }
}

/// `path` or `key=path`
fn add_source(node: &Node, found: &mut Vec<Entry>) {
    let Some((text, span)) = node.as_str().zip(node.span) else { return };
    let (before, path) = text.split_once('=').map_or(("", text), |(key, path)| (&text[..=key.len()], path));
    let column = span.column + before.chars().count() as u32;
    let span = Span { column, ..span }.with_length(path.chars().count() as u32);
    found.push(Entry { text: path.to_owned(), span, is_folder: false });
}

impl Entry {
    /// Where it leads from the folder of its kustomization; `None` for an address.
    pub(crate) fn target(&self, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        let is_address = self.text.contains("://") || RepositoryUrl::parse(&self.text).is_some();
        (!is_address).then(|| normalize(&folder.join(&self.text)))
    }

    /// The file behind it: of a folder its kustomization.
    pub(crate) fn file(&self, world: &dyn World, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        let target = normalize(&folder.join(&self.text));
        match world.kind(&target)? {
            EntryKind::Folder => {
                KUSTOMIZATION_FILES.iter().map(|name| target.join(name)).find(|file| world.kind(file).is_some())
            }
            _ => Some(target),
        }
    }
}

/// The scalar of a tree that stands at a line, if there is one, with the keys that lead to it.
pub(crate) fn scalar_at(
    node: &Node,
    line: u32,
    is_in: &dyn Fn(Span) -> bool,
    path: &mut Vec<String>,
) -> Option<(String, Span)> {
    const DEEPEST: usize = 100;
    if path.len() > DEEPEST {
        return None;
    }
    if let Some((text, span)) = node.as_str().zip(node.span) {
        let length = if span.length == 0 { text.chars().count() as u32 } else { span.length };
        let span = span.with_length(length);
        return (span.line == line && is_in(span)).then(|| (text.to_owned(), span));
    }
    for (key, value) in node.entries().unwrap_or_default() {
        path.push(key.as_str().unwrap_or_default().to_owned());
        if let Some(found) = scalar_at(value, line, is_in, path) {
            return Some(found);
        }
        path.pop();
    }
    for item in node.items().unwrap_or_default() {
        if let Some(found) = scalar_at(item, line, is_in, path) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn entries_are_paths_at_their_places() {
        let text = "resources:\n- a\n- https://h/x?ref=1\npatches:\n- path: p.yaml\n- patch: |\n    x\n\
            configMapGenerator:\n- files: [k=f.txt]\n";
        let documents = onepane_yaml::read(text, FileId::new("kustomization.yaml")).expect("it is YAML");
        let found = entries(&documents[0]);
        let said: Vec<_> = found.iter().map(|one| (one.text.as_str(), one.span.line, one.span.column)).collect();
        assert_eq!(said, [("a", 2, 3), ("https://h/x?ref=1", 3, 3), ("p.yaml", 5, 9), ("f.txt", 9, 13)]);
        assert_eq!(found[1].target("b".into()), None);
        assert_eq!(found[0].target("b".into()), Some("b/a".into()));
    }
}
