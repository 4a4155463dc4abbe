//! Commits that are made without a checkout: [`LocalRepository::commit_files`].
//!
//! Objects are written first, and nothing points to them; then the branch moves, at once and only if it is still where it was.
//! So whoever is killed on the way leaves the repository as it was, and of several who write to one branch each has to look
//! again at what the others made of it.

use crate::local::{LocalRepository, object};
use camino::Utf8PathBuf;
use gix::refs::FullName;
use gix::refs::Target;
use gix::refs::transaction::PreviousValue;
use onepane_diagnostics::{Diagnostic, Result};

/// What a commit is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'c> {
    /// The branch that gets it; one that is not there begins with it.
    pub branch: &'c str,
    /// The commit before it: where the branch is, if there is one.
    pub parent: &'c str,
    /// Files that have other contents, by their paths below the folder. All are there already.
    pub files: &'c [(Utf8PathBuf, String)],
    /// What it says.
    pub message: &'c str,
}

impl LocalRepository {
    /// The commit that a branch of this machine is at.
    ///
    /// # Errors
    /// `git-branch` for what is no name of a branch, and for the one that is checked out: its files would not follow.
    pub fn branch_tip(&self, branch: &str) -> Result<Option<String>> {
        let name = full_name(branch)?;
        if self.git().head_name().ok().flatten().is_some_and(|head| head == name) {
            let message = format!("the branch `{branch}` is checked out, and its files would not follow a commit");
            return Err(Diagnostic::error("git-branch", message)
                .hint("name another branch, or write the files and commit them"));
        }
        let reference = self.git().try_find_reference(name.as_ref()).map_err(|error| fail(branch, &error))?;
        let id = reference.map(|reference| reference.into_fully_peeled_id()).transpose();
        Ok(id.map_err(|error| fail(branch, &error))?.map(|id| id.to_string()))
    }

    /// Makes a commit; `None` if somebody else has moved the branch meanwhile.
    ///
    /// # Errors
    /// `git-commit` for what can't be written, or where Git does not know who commits.
    pub fn commit_files(&self, new: &NewCommit<'_>) -> Result<Option<String>> {
        let NewCommit { branch, parent, files, message } = *new;
        let cause = |error: &dyn std::fmt::Display| Diagnostic::error("git-commit", format!("`{branch}`: {error}"));
        let git = self.git();
        let tip = self.branch_tip(branch)?;
        if tip.as_deref().is_some_and(|tip| tip != parent) {
            return Ok(None);
        }
        if git.config_snapshot().boolean("commit.gpgSign") == Some(true) {
            let message = "commits are to be signed here, which is not done without a checkout";
            return Err(Diagnostic::error("git-commit", message).hint("write the files, and commit them with Git"));
        }
        let parent_id = object(parent)?;
        let before =
            git.find_commit(parent_id).map_err(|error| cause(&error))?.tree().map_err(|error| cause(&error))?;
        let mut editor = git.edit_tree(before.id).map_err(|error| cause(&error))?;
        for (path, text) in files {
            let path = self.prefix().join(path);
            let entry = before.lookup_entry_by_path(&path).map_err(|error| cause(&error))?;
            let kind = entry.map(|entry| entry.mode().kind()).filter(|kind| {
                matches!(kind, gix::objs::tree::EntryKind::Blob | gix::objs::tree::EntryKind::BlobExecutable)
            });
            let kind = kind.ok_or_else(|| cause(&format!("there is no file {path}")))?;
            let blob = git.write_blob(text).map_err(|error| cause(&error))?;
            editor.upsert(path.as_str(), kind, blob).map_err(|error| cause(&error))?;
        }
        let tree = editor.write().map_err(|error| cause(&error))?;
        let commit = git.new_commit(message, tree.detach(), [parent_id]);
        let commit =
            commit.map_err(|error| cause(&error).hint("`git config user.name` and `user.email` say who commits"))?;
        let expected = match tip {
            Some(_) => PreviousValue::MustExistAndMatch(Target::Object(parent_id)),
            None => PreviousValue::MustNotExist,
        };
        let title = message.lines().next().unwrap_or_default();
        match git.reference(full_name(branch)?, commit.id, expected, format!("commit: {title}")) {
            Ok(_) => Ok(Some(commit.id.to_string())),
            // Who is in the way has moved it, or is about to.
            Err(_) if self.branch_tip(branch)?.as_deref() != Some(parent) || is_locked(git, branch) => Ok(None),
            Err(error) => Err(cause(&error)),
        }
    }

    /// The commits that led to one along its first parents, itself first, at most `most` of them.
    pub fn first_parents(&self, commit: &str, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = object(commit).ok();
        while let Some(id) = next.filter(|_| found.len() < most) {
            found.push(id.to_string());
            let parents = self.git().find_commit(id).ok();
            next = parents.and_then(|commit| commit.parent_ids().next().map(gix::Id::detach));
        }
        found
    }
}

fn full_name(branch: &str) -> Result<FullName> {
    FullName::try_from(format!("refs/heads/{branch}"))
        .map_err(|error| Diagnostic::error("git-branch", format!("`{branch}` is no name of a branch: {error}")))
}

fn fail(branch: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error("git-branch", format!("the branch `{branch}` can't be read: {error}"))
}

/// Whether somebody is moving the branch at this moment.
fn is_locked(git: &gix::Repository, branch: &str) -> bool {
    git.common_dir().join(format!("refs/heads/{branch}.lock")).exists()
}
