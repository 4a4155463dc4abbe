//! Commits that are made without a checkout: [`LocalRepository::commit_files`].
//!
//! Objects are written first, and nothing points to them; then a branch moves ([`LocalRepository::advance`], or
//! [`LocalRepository::push`] for one of a server), at once and only if it is still where it was.
//! So whoever is killed on the way leaves the repository as it was, and of several who write to one branch each has to look
//! again at what the others made of it.

use crate::local::{LocalRepository, object};
use camino::Utf8PathBuf;
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::refs::FullName;
use gix::refs::Target;
use gix::refs::transaction::PreviousValue;
use onepane_diagnostics::{Diagnostic, Result};

/// What a commit is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'c> {
    /// The commit before it.
    pub parent: &'c str,
    /// Files that have other contents, by their paths below the folder. All are there already.
    pub files: &'c [(Utf8PathBuf, String)],
    /// Submodules below the folder that are pinned to other commits. All are there already.
    pub pins: &'c [(Utf8PathBuf, String)],
    /// What it says.
    pub message: &'c str,
}

impl LocalRepository {
    /// The commit that a branch of this machine is at.
    ///
    /// # Errors
    /// `git-branch` for what is no name of a branch, and for the one that is checked out: its files would not follow.
    pub fn branch_tip(&self, branch: &str) -> Result<Option<String>> {
        let name = branch_name(branch)?;
        if self.git().head_name().ok().flatten().is_some_and(|head| head == name) {
            let message = format!("the branch `{branch}` is checked out, and its files would not follow a commit");
            return Err(Diagnostic::error("git-branch", message)
                .hint("name another branch, or write the files and commit them"));
        }
        self.tip_of(&name)
    }

    /// Makes a commit that nothing points to yet; signed, if Git is told to sign commits.
    ///
    /// # Errors
    /// `git-commit` for what can't be written, or where Git does not know who commits.
    pub fn commit_files(&self, new: &NewCommit<'_>) -> Result<String> {
        let NewCommit { parent, files, pins, message } = *new;
        let cause = |error: &dyn std::fmt::Display| Diagnostic::error("git-commit", error.to_string());
        let git = self.git();
        let parent_id = object(parent)?;
        let before =
            git.find_commit(parent_id).map_err(|error| cause(&error))?.tree().map_err(|error| cause(&error))?;
        let mut editor = git.edit_tree(before.id).map_err(|error| cause(&error))?;
        let kind_of = |path: &Utf8PathBuf, is_right: fn(EntryKind) -> bool, what: &str| {
            let entry = before.lookup_entry_by_path(path).map_err(|error| cause(&error))?;
            let kind = entry.map(|entry| entry.mode().kind()).filter(|&kind| is_right(kind));
            kind.ok_or_else(|| cause(&format!("there is no {what} {path} in {parent}")))
        };
        for (path, text) in files {
            let path = self.prefix().join(path);
            let is_file = |kind| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable);
            let kind = kind_of(&path, is_file, "file")?;
            let blob = git.write_blob(text).map_err(|error| cause(&error))?;
            editor.upsert(path.as_str(), kind, blob).map_err(|error| cause(&error))?;
        }
        for (path, commit) in pins {
            let path = self.prefix().join(path);
            let kind = kind_of(&path, |kind| kind == EntryKind::Commit, "submodule")?;
            editor.upsert(path.as_str(), kind, object(commit)?).map_err(|error| cause(&error))?;
        }
        let tree = editor.write().map_err(|error| cause(&error))?.detach();
        self.commit_tree(tree, &[parent_id], message)
    }

    /// Pins submodules in the index, for the next commit. What is checked out of them stays.
    ///
    /// # Errors
    /// `git-commit` where it can't be written.
    pub fn stage_pins(&self, pins: &[(Utf8PathBuf, String)]) -> Result<()> {
        for (path, commit) in pins {
            let entry = format!("160000,{},{}", object(commit)?, self.prefix().join(path));
            let staged = self.program(&["update-index", "--cacheinfo", &entry], b"")?;
            if staged.succeeded().is_none() {
                return Err(Diagnostic::error("git-commit", format!("`{path}` can't be pinned: {}", staged.complaint)));
            }
        }
        Ok(())
    }

    pub(crate) fn commit_tree(&self, tree: ObjectId, parents: &[ObjectId], message: &str) -> Result<String> {
        if self.git().config_snapshot().boolean("commit.gpgSign") == Some(true) {
            // Git knows with which of several programs, and how it is asked.
            let tree = tree.to_string();
            let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
            let mut arguments = vec!["commit-tree", "-S", "-F", "-"];
            arguments.extend(parents.iter().flat_map(|parent| ["-p", parent]));
            arguments.push(&tree);
            let made = self.program(&arguments, message.as_bytes())?;
            let signed = Diagnostic::error("git-commit", format!("it can't be signed: {}", made.complaint));
            let commit = made.succeeded().ok_or(signed)?.trim();
            return Ok(object(commit)?.to_string());
        }
        let commit = self.git().new_commit(message, tree, parents.iter().copied());
        let commit = commit.map_err(|error| {
            Diagnostic::error("git-commit", error.to_string())
                .hint("`git config user.name` and `user.email` say who commits")
        })?;
        Ok(commit.id.to_string())
    }

    /// Moves a branch of this machine to a commit that was made on top of `parent`, at which it is, unless it is new; `false`
    /// if somebody else has moved it meanwhile.
    ///
    /// # Errors
    /// As [`LocalRepository::branch_tip`], and `git-commit` for what can't be written.
    pub fn advance(&self, branch: &str, parent: &str, commit: &str, title: &str) -> Result<bool> {
        let expected = self.branch_tip(branch)?;
        if expected.as_deref().is_some_and(|tip| tip != parent) {
            return Ok(false);
        }
        self.move_reference(&branch_name(branch)?, expected.as_deref(), commit, title)
    }

    /// Moves a reference from where it is expected to be; `false` if it is elsewhere by now.
    pub(crate) fn move_reference(&self, name: &FullName, from: Option<&str>, to: &str, title: &str) -> Result<bool> {
        let expected = match from {
            Some(from) => PreviousValue::MustExistAndMatch(Target::Object(object(from)?)),
            None => PreviousValue::MustNotExist,
        };
        match self.git().reference(name.clone(), object(to)?, expected, format!("commit: {title}")) {
            Ok(_) => Ok(true),
            // Who is in the way has moved it, or is about to.
            Err(_) if self.tip_of(name)?.as_deref() != from || is_locked(self.git(), name) => Ok(false),
            Err(error) => Err(Diagnostic::error("git-commit", format!("`{name}`: {error}", name = name.as_bstr()))),
        }
    }

    pub(crate) fn tip_of(&self, name: &FullName) -> Result<Option<String>> {
        let fail = |error: &dyn std::fmt::Display| {
            Diagnostic::error("git-branch", format!("`{}` can't be read: {error}", name.as_bstr()))
        };
        let reference = self.git().try_find_reference(name.as_ref()).map_err(|error| fail(&error))?;
        let id = reference.map(|reference| reference.into_fully_peeled_id()).transpose();
        Ok(id.map_err(|error| fail(&error))?.map(|id| id.to_string()))
    }

    /// Whether nothing was before a commit, here or elsewhere: in a shallow clone the oldest one that is there has parents.
    pub fn is_first(&self, commit: &str) -> bool {
        let found = object(commit).ok().and_then(|id| self.git().find_object(id).ok());
        found
            .and_then(|found| found.try_into_commit().ok())
            .is_some_and(|commit| commit.decode().is_ok_and(|commit| commit.parents().next().is_none()))
    }

    /// The commits that led to one along its first parents, itself first, at most `most` of them.
    pub fn first_parents(&self, commit: &str, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = object(commit).ok();
        while let Some(id) = next.filter(|_| found.len() < most) {
            // A shallow clone has not all of them.
            let Ok(commit) = self.git().find_commit(id) else { break };
            found.push(id.to_string());
            next = commit.parent_ids().next().map(gix::Id::detach);
        }
        found
    }
}

pub(crate) fn branch_name(branch: &str) -> Result<FullName> {
    FullName::try_from(format!("refs/heads/{branch}"))
        .map_err(|error| Diagnostic::error("git-branch", format!("`{branch}` is no name of a branch: {error}")))
}

/// Whether somebody is moving it at this moment.
fn is_locked(git: &gix::Repository, name: &FullName) -> bool {
    let file = Utf8PathBuf::from(format!("{}.lock", name.as_bstr()));
    git.common_dir().join(file).exists()
}
