//! A new repository that has nothing in it yet.

use crate::embedded;
use crate::error::Error;
use crate::git;
use crate::place::{self, FreePath};
use git2::RepositoryInitOptions;
use std::path::Path;

/// Writes an empty repository of the pattern to `dir`, which is absent or empty, and returns how many files it has.
/// Every folder says what belongs there, and the cluster `dev` builds. It is a Git repository; the first commit is
/// left to the user, whose name it bears.
///
/// # Errors
/// When `dir` has something in it, or the disk refuses. Then nothing was written.
pub fn write_skeleton(dir: &Path) -> Result<usize, Error> {
    let files = embedded::skeleton();
    FreePath::new(dir)?.fill(|folder| {
        place::write(folder, &files)?;
        git::init(folder, &mut RepositoryInitOptions::new()).map_err(Error::git(dir))?;
        Ok(())
    })?;
    Ok(files.len())
}
