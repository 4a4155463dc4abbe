//! What can go wrong, each with the place and the next step.

use std::path::{Path, PathBuf};

/// Why the example or the skeleton could not be made. Nothing half-made is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder has something in it already.
    #[error("`{}` is not empty; name a folder that is empty or not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// The path is a file.
    #[error("`{}` is a file; name a folder that is empty or not there yet", .0.display())]
    NotAFolder(PathBuf),
    /// The path has no name of its own, such as `/`.
    #[error("`{}` is not a name for a new repository; give it a folder of its own", .0.display())]
    NoName(PathBuf),
    /// Git keeps the path in text files.
    #[error("`{}` is not UTF-8, which Git needs to write it down; choose another name", .0.display())]
    NotUtf8(PathBuf),
    /// The first commit asks for the files of [`write_files`](crate::write_files).
    #[error("`{}` is a Git repository already; the example makes its own", .0.display())]
    AlreadyCommitted(PathBuf),
    /// The disk refused.
    #[error("`{}` can't be written: {source}; free the path or choose another", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Git refused.
    #[error("`{}` can't be made a Git repository: {}; remove it and try again", .path.display(), .source.message())]
    Git {
        /// The repository.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
}

impl Error {
    /// For `map_err`: `path` could not be written.
    pub(crate) fn write(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// For `map_err`: the repository at `path` could not be made.
    pub(crate) fn git(path: &Path) -> impl Fn(git2::Error) -> Self {
        move |source| Self::Git { path: path.to_owned(), source }
    }
}
