//! State files, and other YAML that names files: what a scalar leads to.

use crate::kustomization::scalar_at;
use crate::snapshot::Snapshot;
use crate::text::SourceFile;
use crate::values::documents;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::FileId;
use onepane_world::{EntryKind, World, normalize};

/// Fields whose scalars name files.
const FIELDS: [&str; 8] =
    ["chart", "values", "secrets", "valuesFile", "valuesFiles", "valueFiles", "additionalValuesFiles", "helmfiles"];

/// The file that the scalar at a byte names: a chart's Chart.yaml, a values file.
pub(crate) fn file_at(snapshot: &Snapshot, path: &Utf8Path, source: &SourceFile, offset: usize) -> Option<Utf8PathBuf> {
    let line = source.line_of(offset) as u32 + 1;
    let is_in = |span| {
        let (start, end) = source.bytes_of(span);
        (start..=end).contains(&offset)
    };
    let mut keys = Vec::new();
    let found = documents(&source.text, FileId::new(path)).iter().find_map(|document| {
        keys.clear();
        scalar_at(document, line, &is_in, &mut keys)
    });
    let (text, _) = found?;
    let field = keys.last().filter(|field| FIELDS.contains(&field.as_str()))?;
    let world = &snapshot.world;
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    // From the file that says it, or from the root, as Argo CD and Flux have it.
    let candidates = [normalize(&folder.join(&text)), normalize(Utf8Path::new(&text))];
    candidates.into_iter().find_map(|target| match world.kind(&target)? {
        EntryKind::Folder if field == "chart" => {
            Some(target.join("Chart.yaml")).filter(|file| world.kind(file).is_some())
        }
        EntryKind::File => Some(target),
        _ => None,
    })
}
