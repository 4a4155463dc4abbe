//! A branch brought up to date without a checkout: [`LocalRepository::merged`].

use crate::local::{LocalRepository, object};
use onepane_diagnostics::{Diagnostic, Result};

/// What becomes of a branch and another one that has moved meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The branch has all of the other one.
    UpToDate,
    /// The other one has all that the branch changes, whether by its commits or by others.
    Nothing,
    /// A commit in which both come together, to which nothing points yet. It changes what the branch alone does.
    Commit(String),
}

impl LocalRepository {
    /// Brings what `other` has into a branch. A branch whose changes `other` has by other commits, as after a squash, still
    /// gets a commit, on which something new can be built; that it changes nothing is told by [`LocalRepository::is_same`].
    ///
    /// # Errors
    /// `git-merge` where both change the same lines, or their histories are not on this machine.
    pub fn merged(&self, branch: &str, other: &str, message: &str) -> Result<Merged> {
        let base = self.merge_base(branch, other).map_err(|error| {
            error.hint("a shallow clone has no whole history: `git fetch --unshallow` fetches the rest")
        })?;
        if base == other {
            return Ok(Merged::UpToDate);
        }
        if base == branch {
            return Ok(Merged::Nothing);
        }
        let merged =
            self.program(&["merge-tree", "--write-tree", "--name-only", "--no-messages", branch, other], b"")?;
        let fail = |message: String| Diagnostic::error("git-merge", message);
        match merged.code {
            Some(0) => {
                let tree = object(merged.output.trim())?;
                Ok(Merged::Commit(self.commit_tree(tree, &[object(branch)?, object(other)?], message)?))
            }
            Some(1) => {
                let files: Vec<&str> = merged.output.lines().skip(1).filter(|line| !line.is_empty()).collect();
                Err(fail(format!("both change the same lines of {}", files.join(", "))))
            }
            _ => {
                let error = fail(format!("they can't be merged: {}", merged.complaint));
                Err(error.hint("it takes Git 2.38 or later (`git merge-tree --write-tree`)"))
            }
        }
    }

    /// Whether two commits have the same files.
    ///
    /// # Errors
    /// `git-reference` where they are not on this machine.
    pub fn is_same(&self, one: &str, other: &str) -> Result<bool> {
        let tree = |commit: &str| -> Result<gix::ObjectId> {
            let fail = |error: &dyn std::fmt::Display| Diagnostic::error("git-reference", error.to_string());
            let found = self.git().find_commit(object(commit)?).map_err(|error| fail(&error))?;
            Ok(found.tree_id().map_err(|error| fail(&error))?.detach())
        };
        Ok(tree(one)? == tree(other)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;
    use onepane_testkit::git;

    #[test]
    fn branches_come_together_where_they_change_other_lines() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path();
        let commit = |name: &str, text: &str| {
            std::fs::write(root.join(name), text).expect("it can be written");
            git(root, &["add", "--all"]);
            git(root, &["commit", "--quiet", "--message", name]);
            git(root, &["rev-parse", "HEAD"])
        };
        git(root, &["init", "--quiet"]);
        git(root, &["config", "user.name", "t"]);
        git(root, &["config", "user.email", "t@example.com"]);
        let first = commit("a", "1\n");
        let branch = commit("b", "1\n");
        git(root, &["checkout", "--quiet", &first]);
        let other = commit("c", "1\n");
        let squashed = commit("b", "1\n");
        let against = commit("b", "2\n");
        let local = LocalRepository::of(Utf8Path::from_path(root).expect("it is UTF-8")).expect("it is one");
        let merged = |one: &str, two: &str| local.merged(one, two, "Merge");
        assert_eq!(merged(&branch, &first), Ok(Merged::UpToDate));
        assert_eq!(merged(&first, &branch), Ok(Merged::Nothing));
        let Ok(Merged::Commit(made)) = merged(&branch, &other) else { panic!("they come together") };
        assert_eq!(git(root, &["ls-tree", "--name-only", &made]), "a\nb\nc");
        assert_eq!(git(root, &["log", "-1", "--format=%P %s", &made]), format!("{branch} {other} Merge"));
        assert_eq!(local.is_same(&made, &other), Ok(false));
        let Ok(Merged::Commit(made)) = merged(&branch, &squashed) else { panic!("they come together") };
        assert_eq!(local.is_same(&made, &squashed), Ok(true));
        let error = merged(&branch, &against).expect_err("both add it");
        assert!(error.message.ends_with("same lines of b"), "{error}");
    }
}
