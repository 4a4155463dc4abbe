//! Charts to files: [`RenderedRelease`], and how it differs from what is on disk.

use crate::Repository;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Origin, Result, Span};
use onepane_sops::Secret;
use onepane_value::Text;
use onepane_world::EntryKind;
use std::collections::HashSet;
use std::ops::Range;

/// A release as files: one a resource, and a kustomization that lists them.
#[derive(Clone, Debug)]
pub struct RenderedRelease {
    /// The release's name.
    pub name: String,
    /// The files in the order in which the kustomization lists them, which stands first.
    pub files: Vec<RenderedFile>,
    /// What Helm would warn of.
    pub warnings: Vec<Diagnostic>,
    /// The secrets among its values.
    pub(crate) secrets: Vec<Secret>,
    /// What decided on which text each template prints, by its path, where that was asked for.
    pub(crate) decisions: Vec<(String, Origin)>,
}

/// A file below `helm-charts/rendered/<release>/`.
#[derive(Clone, Debug)]
pub struct RenderedFile {
    /// Its path from the root of the repository.
    pub path: Utf8PathBuf,
    /// Its contents.
    pub contents: String,
    /// Where its bytes came from, as `(offset, origin)` sorted by offset; empty where origins were off.
    marks: Vec<(usize, Origin)>,
}

/// A file on disk that is not what the release renders to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its path from the root of the repository.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub kind: DifferenceKind,
}

/// What is wrong with a file on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It is not there.
    Missing,
    /// It has other contents.
    Changed,
    /// No release renders to it.
    Surplus,
}

impl DifferenceKind {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "new",
            Self::Changed => "changed",
            Self::Surplus => "removed",
        }
    }
}

/// The first line of every kustomization that is written here: a folder with it is ours to remove.
const HEADER: &str = "# Written by `onepane render`; edits are lost.\n";

impl RenderedRelease {
    /// Whether there are secrets among its values, so that it must be [protected](Repository::protect).
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }
}

impl RenderedFile {
    /// The stretches of bytes that were made of secrets, and the lines that these are from.
    pub(crate) fn secrets(&self) -> Vec<(Range<usize>, Option<Span>)> {
        self.pieces().filter_map(|(range, origin)| Some((range, origin.secret()?.span))).collect()
    }

    /// The stretches of bytes that came from one place each.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (Range<usize>, &Origin)> {
        let ends = self.marks.iter().skip(1).map(|(start, _)| *start).chain([self.contents.len()]);
        self.marks.iter().zip(ends).map(|((start, origin), end)| (*start..end, origin))
    }

    /// The template that it was rendered from, as its first line says.
    pub(crate) fn template(&self) -> Option<&str> {
        self.contents.lines().next()?.strip_prefix("# Source: ")
    }

    /// Where the scalar at `span`, which is a place in this file, came from: all that its text was put together of.
    pub(crate) fn origin_of(&self, span: Span) -> Origin {
        let extent = scalar_extent(&self.contents, span);
        let mut seen = HashSet::new();
        let touches = |range: &Range<usize>| touches(range, &extent);
        let pieces = self.pieces().skip_while(|(range, _)| !touches(range)).take_while(|(range, _)| touches(range));
        let pieces = pieces.filter(|(_, origin)| origin.address().is_some_and(|address| seen.insert(address)));
        let pieces = pieces.map(|(_, origin)| origin.clone()).collect();
        Origin::made_of(pieces)
    }
}

/// Whether a stretch, or a point where something decided that nothing is there, has to do with the scalar at `extent`.
pub(crate) fn touches(range: &Range<usize>, extent: &Range<usize>) -> bool {
    match range.is_empty() {
        true => (extent.start..=extent.end).contains(&range.start),
        // An empty scalar is at the byte where it would be.
        false => range.start < extent.end.max(extent.start + 1) && range.end > extent.start,
    }
}

/// The bytes of the scalar that begins at `span` in a YAML text: of one that goes on in lines which stand deeper, all of
/// these.
pub(crate) fn scalar_extent(text: &str, span: Span) -> Range<usize> {
    let mut lines = text.split_inclusive('\n');
    let mut at: usize = lines.by_ref().take(span.line.saturating_sub(1) as usize).map(str::len).sum();
    let Some(line) = lines.next() else { return text.len()..text.len() };
    let column = line.char_indices().nth(span.column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
    let start = at + column;
    // Of a block the span may be its sign alone.
    if span.length > 0 && !line[column..].starts_with(['|', '>']) {
        return start..start + line[column..].chars().take(span.length as usize).map(char::len_utf8).sum::<usize>();
    }
    let mut end = at + line.trim_end().len().max(column);
    at += line.len();
    // A key of an item stands as deep as the item's other keys; an item itself as deep as its dash.
    let key = line.len() - line.trim_start_matches([' ', '-']).len();
    let indent = if key < column { key } else { leading_spaces(line) };
    for line in deeper(lines, indent) {
        at += line.len();
        if !line.trim().is_empty() {
            end = at;
        }
    }
    start..end
}

/// The lines that stand deeper than `indent`, and blank ones, up to one that does not.
pub(crate) fn deeper<'l>(lines: impl Iterator<Item = &'l str>, indent: usize) -> impl Iterator<Item = &'l str> {
    lines.take_while(move |line| line.trim().is_empty() || leading_spaces(line) > indent)
}

pub(crate) fn leading_spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A manifest as the chart rendered it.
pub(crate) struct Manifest {
    /// The template it came from, as in `# Source:`.
    pub(crate) source: String,
    /// Its text with marks.
    pub(crate) text: Text,
}

/// The files of a release: one a manifest, named after kind and name, and the kustomization.
pub(crate) fn files(folder: &Utf8Path, manifests: &[Manifest]) -> Result<Vec<RenderedFile>> {
    let mut names = HashSet::new();
    let mut files = Vec::with_capacity(manifests.len() + 1);
    let mut list = String::new();
    for manifest in manifests {
        let Some(name) = file_name(manifest, &mut names)? else { continue };
        list.push_str(&format!("- {name}\n"));
        files.push(file(folder.join(name), manifest));
    }
    let resources = if list.is_empty() { "resources: []\n".to_owned() } else { format!("resources:\n{list}") };
    let contents = format!("{HEADER}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{resources}");
    files.insert(0, RenderedFile { path: folder.join("kustomization.yaml"), contents, marks: Vec::new() });
    Ok(files)
}

fn file(path: Utf8PathBuf, manifest: &Manifest) -> RenderedFile {
    let mut contents = format!("# Source: {}\n", manifest.source);
    let header = contents.len();
    let text = manifest.text.to_str();
    // What Helm's files begin and end with in blank lines is of no use to a reader, and so is the separator.
    let from = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let kept = text[from..].trim_end();
    contents.push_str(kept);
    contents.push('\n');
    let marks = manifest.text.marks_by_line().into_iter();
    let marks = marks.map(|(offset, origin)| ((header + offset).saturating_sub(from), origin)).collect();
    RenderedFile { path, contents, marks }
}

/// `deployment-api.yaml`; the namespace and then a number make it unique. `None` for a manifest without content.
fn file_name(manifest: &Manifest, taken: &mut HashSet<String>) -> Result<Option<String>> {
    let text = manifest.text.to_str();
    let file = onepane_diagnostics::FileId::new(&manifest.source);
    let documents = onepane_yaml::read(&text, file)?;
    let Some(document) = documents.iter().find(|document| document.entries().is_some()) else { return Ok(None) };
    let part =
        |keys: &[&str]| document.at(keys).and_then(|node| node.as_str()).map(plain).filter(|part| !part.is_empty());
    let kind = part(&["kind"]).unwrap_or_else(|| "manifest".to_owned());
    let name = part(&["metadata", "name"]).unwrap_or_else(|| "unnamed".to_owned());
    let namespace = part(&["metadata", "namespace"]);
    let short = format!("{kind}-{name}");
    let long = namespace.map(|namespace| format!("{kind}-{namespace}-{name}"));
    let numbered = (2..).map(|number| format!("{short}-{number}"));
    let base = std::iter::once(short.clone()).chain(long).chain(numbered).find(|name| !taken.contains(name));
    let base = base.expect("numbers do not end");
    taken.insert(base.clone());
    Ok(Some(format!("{base}.yaml")))
}

/// A name as a part of a file's name on every system: lower case, and `-` for what is neither letter, digit, `.` nor
/// `_`.
fn plain(text: &str) -> String {
    let character = |character: char| match character.to_ascii_lowercase() {
        kept @ ('a'..='z' | '0'..='9' | '.' | '_' | '-') => kept,
        _ => '-',
    };
    text.chars().map(character).take(120).collect::<String>().trim_matches(['-', '.']).to_owned()
}

impl Repository<'_> {
    /// How what is on disk differs from `release`: files that are missing, changed, or rendered by it no more.
    pub fn differences(&self, release: &RenderedRelease) -> Result<Vec<Difference>> {
        let folder = self.layout.rendered().join(&release.name);
        if self.world.kind(&folder).is_none() {
            let missing = |file: &RenderedFile| Difference { path: file.path.clone(), kind: DifferenceKind::Missing };
            return Ok(release.files.iter().map(missing).collect());
        }
        let mut differences = Vec::new();
        for file in &release.files {
            let kind = match self.world.read(&file.path) {
                Ok(bytes) if *bytes == *file.contents.as_bytes() => continue,
                Ok(_) => DifferenceKind::Changed,
                Err(_) => DifferenceKind::Missing,
            };
            differences.push(Difference { path: file.path.clone(), kind });
        }
        let wanted: HashSet<&Utf8Path> = release.files.iter().map(|file| file.path.as_path()).collect();
        for path in self.written_files(&folder) {
            if !wanted.contains(path.as_path()) {
                differences.push(Difference { path, kind: DifferenceKind::Surplus });
            }
        }
        Ok(differences)
    }

    /// Files of releases that are rendered no more. Only folders whose kustomization we wrote count.
    pub fn surplus_releases(&self, rendered: &HashSet<&str>) -> Result<Vec<Utf8PathBuf>> {
        let folder = self.layout.rendered();
        if self.world.kind(&folder).is_none() {
            return Ok(Vec::new());
        }
        let entries =
            self.world.list(&folder).map_err(|error| Diagnostic::error("render-surplus", error.to_string()))?;
        let gone = entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::Folder && !entry.link)
            .filter(|entry| !rendered.contains(entry.name.as_str()));
        Ok(gone.flat_map(|entry| self.written_files(&folder.join(entry.name))).collect())
    }

    /// The files of a folder whose kustomization we wrote.
    pub(crate) fn written_files(&self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let ours =
            self.world.read(&folder.join("kustomization.yaml")).is_ok_and(|bytes| bytes.starts_with(HEADER.as_bytes()));
        if !ours {
            return Vec::new();
        }
        let entries = self.world.list(folder).unwrap_or_default();
        let files = entries.into_iter().filter(|entry| entry.kind == EntryKind::File && entry.name.ends_with(".yaml"));
        files.map(|entry| folder.join(entry.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    #[test]
    fn a_scalar_goes_on_as_long_as_its_lines_stand_deeper() {
        let text = "a: |\n  x: 1\n\n  y\nb:\n- c: >-\n    one\n    two\n  d: é \"z\" # no\n- |\n  e\n- last\n";
        let at = |line, column, length| {
            let span = Span::new(FileId::new("a.yaml"), line, column).with_length(length);
            &text[scalar_extent(text, span)]
        };
        assert_eq!((at(1, 4, 0), at(1, 4, 1)), ("|\n  x: 1\n\n  y\n", "|\n  x: 1\n\n  y\n"));
        assert_eq!(at(6, 6, 0), ">-\n    one\n    two\n");
        assert_eq!((at(9, 6, 5), at(9, 6, 1)), ("é \"z\"", "é"));
        assert_eq!(at(10, 3, 0), "|\n  e\n");
        assert_eq!((at(12, 3, 4), at(13, 1, 0), at(99, 1, 3)), ("last", "", ""));
        // A span of another text.
        assert_eq!(at(1, 90, 4), "");
    }

    fn manifest(text: &str) -> Manifest {
        Manifest { source: "chart/templates/a.yaml".to_owned(), text: text.into() }
    }

    #[test]
    fn files_are_named_after_kind_and_name() {
        let service = "kind: Service\nmetadata: {name: a, namespace: n}\n";
        let role = "kind: ClusterRole\nmetadata: {name: 'system:a/b'}\n";
        let manifests = [service, service, service, role, "\n# nothing\n"].map(manifest);
        let files = files("rendered/x".into(), &manifests).expect("they are YAML");
        let names: Vec<&str> = files.iter().filter_map(|file| file.path.file_name()).collect();
        let expected = [
            "kustomization.yaml",
            "service-a.yaml",
            "service-n-a.yaml",
            "service-a-2.yaml",
            "clusterrole-system-a-b.yaml",
        ];
        assert_eq!(names, expected);
        assert_eq!(files[1].contents, format!("# Source: chart/templates/a.yaml\n{service}"));
    }
}
