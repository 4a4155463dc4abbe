//! Putting a folder in its place, all of it or nothing.

use crate::embedded::Files;
use crate::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A path that a new folder may take: absolute, with a name, and nothing there but perhaps an empty folder.
#[derive(Clone, Debug)]
pub(crate) struct FreePath {
    path: PathBuf,
    parent: PathBuf,
}

impl FreePath {
    /// Checks `dir` as it is now. Writes nothing.
    pub(crate) fn new(dir: &Path) -> Result<Self, Error> {
        let path = absolute(dir)?;
        match fs::read_dir(&path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Error::NotEmpty(dir.to_owned()));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Err(Error::NotAFolder(dir.to_owned())),
            Err(error) => return Err(Error::write(dir)(error)),
        }
        let parent = path.parent().ok_or_else(|| Error::NoName(dir.to_owned()))?.to_owned();
        Ok(Self { path, parent })
    }

    /// The absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets `fill` make the folder's contents under another name beside it, then puts them here.
    pub(crate) fn fill<T>(&self, fill: impl FnOnce(&Path) -> Result<T, Error>) -> Result<T, Error> {
        fs::create_dir_all(&self.parent).map_err(Error::write(&self.parent))?;
        let staging = tempfile::Builder::new()
            .prefix(".onepane-")
            .tempdir_in(&self.parent)
            .map_err(Error::write(&self.parent))?;
        // The temporary folder is private to the user; the one inside it has the permissions of any new folder.
        let contents = staging.path().join("contents");
        fs::create_dir(&contents).map_err(Error::write(&contents))?;
        let made = fill(&contents)?;
        self.take(&contents)?;
        Ok(made)
    }

    /// Moves `contents` here: in one step where nothing is here, entry by entry where an empty folder is, since that
    /// may be the current folder of the user's shell.
    fn take(&self, contents: &Path) -> Result<(), Error> {
        if !self.path.exists() {
            return fs::rename(contents, &self.path).map_err(Error::write(&self.path));
        }
        let mut moved = Vec::new();
        let mut move_all = || -> std::io::Result<()> {
            for entry in fs::read_dir(contents)? {
                let entry = entry?;
                let target = self.path.join(entry.file_name());
                fs::rename(entry.path(), &target)?;
                moved.push(target);
            }
            Ok(())
        };
        let result = move_all();
        if result.is_err() {
            moved.iter().for_each(|path| remove(path));
        }
        result.map_err(Error::write(&self.path))
    }
}

/// Writes `files` below `dir`.
pub(crate) fn write(dir: &Path, files: &Files) -> Result<(), Error> {
    for (path, contents) in files {
        let path = dir.join(path.as_ref());
        let folder = path.parent().expect("the path is below `dir`");
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        fs::write(&path, contents).map_err(Error::write(&path))?;
    }
    Ok(())
}

/// Removes a file or a folder with all that is in it; its absence is fine, and so is failure: this cleans up after
/// an error that is reported already.
pub(crate) fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// `dir` as an absolute path with a name; `.` and `..` are looked up, so they have to be there.
pub(crate) fn absolute(dir: &Path) -> Result<PathBuf, Error> {
    let path = match fs::canonicalize(dir) {
        Ok(path) => path,
        // Trailing slashes go, because siblings are named after the folder.
        Err(_) => std::path::absolute(dir).map_err(Error::write(dir))?.components().collect(),
    };
    if path.file_name().is_none() {
        return Err(Error::NoName(dir.to_owned()));
    }
    Ok(path)
}
