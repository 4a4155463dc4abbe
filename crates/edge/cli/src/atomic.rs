//! Writing files so that a reader sees the old contents or the new, and a killed process leaves no half.

use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use std::io::Write;

/// What [`write()`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The file is new or has other contents now.
    Changed,
    /// It had these contents already and was not touched.
    Unchanged,
}

/// Writes `contents` to `path`, making its folder: to a temporary file beside it, which is then renamed.
pub(crate) fn write(path: &Utf8Path, contents: &[u8]) -> Result<Written> {
    if std::fs::read(path).is_ok_and(|present| present == contents) {
        return Ok(Written::Unchanged);
    }
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let replace = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".onepane-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private by default; what is rendered is for everyone whom the umask lets read it.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    replace().map_err(|error| {
        Diagnostic::error("write-failed", format!("`{path}` can't be written: {error}"))
            .hint("nothing was left half-written; free the path or the disk and run it again")
    })?;
    Ok(Written::Changed)
}

/// Removes a file that should not be there any more; its absence is fine.
pub(crate) fn remove(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::error("write-failed", format!("`{path}` can't be removed: {error}")))
        }
        _ => Ok(()),
    }
}
