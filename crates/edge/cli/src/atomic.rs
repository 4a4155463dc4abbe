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
    overwrite(path, contents)?;
    Ok(Written::Changed)
}

/// [`write()`], where it is known that the file is not there or has other contents.
pub(crate) fn overwrite(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    replace(path, contents, None).map_err(|error| cannot_write(path, &error))
}

/// Writes `contents` in place of those of a file that somebody keeps: through a link, and with the rights that it has.
pub(crate) fn rewrite(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    let kept = || {
        let target = path.canonicalize_utf8()?;
        replace(&target, contents, Some(target.metadata()?.permissions()))
    };
    kept().map_err(|error| cannot_write(path, &error))
}

/// Writes a new file that only the user may read.
pub(crate) fn write_private(path: &Utf8Path, contents: &[u8]) -> Result<()> {
    #[cfg(unix)]
    let rights = Some(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    #[cfg(not(unix))]
    let rights = None;
    replace(path, contents, rights).map_err(|error| cannot_write(path, &error))
}

fn replace(path: &Utf8Path, contents: &[u8], rights: Option<std::fs::Permissions>) -> std::io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".onepane-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; what is rendered is for everyone whom the umask lets read it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = match builder.tempfile_in(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            builder.tempfile_in(folder)?
        }
        made => made?,
    };
    if let Some(rights) = rights {
        // Before there is anything in it that these keep others from.
        file.as_file().set_permissions(rights)?;
    }
    file.write_all(contents)?;
    file.persist(path)?;
    Ok(())
}

/// Makes a folder with what `fill` puts into it: all of it, or nothing.
pub(crate) fn write_folder(path: &Utf8Path, fill: impl FnOnce(&Utf8Path) -> std::io::Result<()>) -> Result<()> {
    let parent = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".onepane-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    let make = || {
        let new = builder.tempdir_in(parent)?;
        fill(Utf8Path::from_path(new.path()).ok_or(std::io::ErrorKind::InvalidFilename)?)?;
        std::fs::rename(new.path(), path)?;
        _ = new.keep();
        Ok(())
    };
    make().map_err(|error| cannot_write(path, &error))
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

fn cannot_write(path: &Utf8Path, error: &std::io::Error) -> Box<Diagnostic> {
    Diagnostic::error("write-failed", format!("`{path}` can't be written: {error}"))
        .hint("nothing was left half-written; free the path or the disk and run it again")
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
