//! Finding the kustomization file of a folder.

use super::Kustomization;
use super::read::read;
use crate::load::{Loaded, Loader};
use crate::parse::parse_first;
use crate::place::path_at;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_yaml::Node;

/// The names that a kustomization file may have.
pub const KUSTOMIZATION_FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A kustomization and the file it stands in.
#[derive(Clone, Debug)]
pub(crate) struct KustomizationFile {
    pub(crate) kustomization: Kustomization,
    /// The file as it was read, to name the places of errors by.
    pub(crate) root: Node,
    pub(crate) file: FileId,
    /// Its name within the folder.
    pub(crate) name: &'static str,
    /// What is deprecated in it.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// The name and contents of the one kustomization file of the loader's folder.
///
/// # Errors
/// `kustomize-missing` when there is none, `kustomize-ambiguous` when there are several.
pub(crate) fn load(loader: &Loader<'_>) -> Result<(&'static str, Loaded)> {
    let mut found = None;
    for name in KUSTOMIZATION_FILES {
        let Ok(loaded) = loader.load(name, None) else { continue };
        if let Some((other, _)) = &found {
            let message = format!("Found multiple kustomization files under: {}", loader.shown());
            return Err(Diagnostic::error("kustomize-ambiguous", message)
                .at(Span::file(loader.shown().join(name)))
                .hint(format!("keep one of `{other}` and `{name}`")));
        }
        found = Some((name, loaded));
    }
    found.ok_or_else(|| {
        let names = KUSTOMIZATION_FILES.map(|name| format!("'{name}'"));
        let message = format!(
            "unable to find one of {} or {} in directory '{}'",
            names[..names.len() - 1].join(", "),
            names[names.len() - 1],
            loader.root()
        );
        Diagnostic::error("kustomize-missing", message)
            .hint("`kustomize create --autodetect` makes one; a plain manifest is named by its file")
    })
}

/// Reads the one kustomization file of the loader's folder.
///
/// # Errors
/// Those of [`load`], and those of reading it.
pub(crate) fn find(loader: &Loader<'_>) -> Result<KustomizationFile> {
    let (name, loaded) = load(loader)?;
    let mut warnings = Vec::new();
    let root = parse_first(&loaded)?;
    let kustomization = read(&root, &mut warnings).map_err(|error| {
        let span = error.primary.as_ref().map(|label| label.span);
        match span.and_then(|span| Some((path_at(&root, span)?, span))) {
            Some((path, span)) => error.trace(format!("in `{path}`"), Some(span)),
            None if span.is_some() => error,
            None => error.at(Span::file(loaded.file.path())),
        }
    })?;
    Ok(KustomizationFile { kustomization, root, file: loaded.file, name, warnings })
}
