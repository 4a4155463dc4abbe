//! Git repositories whose commits are the same on every machine.

use crate::embedded::Files;
use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};
use std::path::Path;

/// The branch of every repository.
pub(crate) const BRANCH: &str = "main";

/// Whoever made the example, at a fixed moment: 5 January 2026, 09:00 UTC.
fn author() -> Result<Signature<'static>, git2::Error> {
    Signature::new("Shop Platform Team", "platform@shop.example.com", &Time::new(1_767_603_600, 0))
}

/// A new repository, regardless of what the user's settings say about templates and branch names.
pub(crate) fn init(path: &Path, options: &mut RepositoryInitOptions) -> Result<Repository, git2::Error> {
    options.no_reinit(true).mkdir(true).external_template(false).initial_head(BRANCH);
    Repository::init_opts(path, options)
}

/// A new bare repository without commits.
pub(crate) fn init_bare(path: &Path) -> Result<Repository, git2::Error> {
    init(path, RepositoryInitOptions::new().bare(true))
}

/// Commits `files` to an empty repository's branch, without a work tree.
pub(crate) fn commit_files(repository: &Repository, files: &Files, message: &str) -> Result<Oid, git2::Error> {
    let mut index = git2::Index::new()?;
    for (path, contents) in files {
        let id = repository.blob(contents)?;
        index.add(&entry(path, id, contents.len()))?;
    }
    let tree = index.write_tree_to(repository)?;
    commit_tree(repository, tree, message)
}

/// Makes `tree` the first commit of the repository's branch.
pub(crate) fn commit_tree(repository: &Repository, tree: Oid, message: &str) -> Result<Oid, git2::Error> {
    let author = author()?;
    let tree = repository.find_tree(tree)?;
    repository.commit(Some("HEAD"), &author, &author, message, &tree, &[])
}

/// An index entry for a plain file.
fn entry(path: &str, id: Oid, size: usize) -> git2::IndexEntry {
    let never = git2::IndexTime::new(0, 0);
    git2::IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        // Only a hint for a work tree, which these repositories don't have.
        file_size: u32::try_from(size).unwrap_or(u32::MAX),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
