//! The user's age key: found where SOPS finds it, or made there. [`find_or_make`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_keys::{Programs, default_age_file, find_age_keys};
use onepane_sops::AgeKeys;
use onepane_world::OsWorld;
use std::io::Write;

/// A key that is there.
pub(super) struct AgeKey {
    /// What others encrypt to.
    pub(super) recipient: String,
    /// Where it is from, for the user.
    pub(super) place: String,
    pub(super) is_new: bool,
}

/// The key that SOPS would find first; where it would find none, a new one in the file in which it looks without being
/// told. A file that is there is never changed, and none is made within the repository at `root`.
pub(super) fn find_or_make(root: &Utf8Path) -> Result<AgeKey> {
    let world = OsWorld::unrestricted("/");
    let found = find_age_keys(&world, Programs::Refused);
    if let Some(recipient) = found.keys.recipients().first() {
        return Ok(AgeKey { recipient: recipient.clone(), place: "age".to_owned(), is_new: false });
    }
    let path = default_age_file(&world);
    let failed =
        |what: String| Diagnostic::error("init-age-key", format!("no age key can be made in `{path}`: {what}"));
    if path.exists() {
        let error = failed("the file is there, and no key can be read in it".to_owned());
        return Err(found.problems.into_iter().fold(error, |error, problem| error.trace(problem.message, None)));
    }
    if is_within(&path, root) {
        let error = failed(format!("it would lie in the repository `{root}`"));
        return Err(error.hint("XDG_CONFIG_HOME names another folder for it"));
    }
    let key = AgeKeys::generate(&jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    write_new(&path, key.file.reveal()).map_err(|error| failed(error.to_string()))?;
    Ok(AgeKey { recipient: key.recipient, place: path.into_string(), is_new: true })
}

/// Whether a path that may not be there yet lies in a folder that is, whatever links lead there.
fn is_within(path: &Utf8Path, folder: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.ancestors().find_map(|path| path.canonicalize_utf8().ok());
    let (path, folder): (Option<Utf8PathBuf>, _) = (real(path), real(folder));
    matches!((path, folder), (Some(path), Some(folder)) if path.starts_with(&folder))
}

fn write_new(path: &Utf8Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Utf8Path::new("/"));
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    builder.create(folder)?;
    let mut file = options.open(path)?;
    // Half a key is none, and would be in the way of the next try.
    let written = file.write_all(text).and_then(|()| file.sync_all());
    written.inspect_err(|_| _ = std::fs::remove_file(path))
}

/// The `.sops.yaml` of a repository whose secrets are for `recipient`.
pub(super) fn rules(recipient: &str) -> String {
    format!(
        "# For whom `onepane secrets`, `onepane render` and `sops` encrypt. Recipients are public; add those of your\n\
         # colleagues and of your clusters, with commas between.\n\
         creation_rules:\n  \
         # Manifests: of a Secret only what is secret, as Flux reads it.\n  \
         - path_regex: ^(helm-charts/rendered|components|groups|clusters)/.*\\.yaml$\n    \
         encrypted_regex: ^(data|stringData)$\n    \
         age: {recipient}\n  \
         # Values files and all else: every value.\n  \
         - age: {recipient}\n"
    )
}
