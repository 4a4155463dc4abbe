//! Branches of a server, read and written: [`LocalRepository::fetch_branch`], [`LocalRepository::push`].
//!
//! Git's own program does it, so that whatever gets its user in gets us in.

use crate::commit::branch_name;
use crate::local::{LocalRepository, object};
use gix::refs::FullName;
use onepane_diagnostics::{Diagnostic, Result};

impl LocalRepository {
    /// The addresses that a remote is pushed to: as it is configured, and as Git reads that, where `url.<base>.insteadOf` says
    /// something else.
    ///
    /// # Errors
    /// `git-remote` where there is no such remote, or it has none.
    pub fn push_addresses(&self, remote: &str) -> Result<Vec<String>> {
        let git = self.git();
        let found = [git.try_find_remote_without_url_rewrite(remote), git.try_find_remote(remote)];
        let address = |found: gix::Remote<'_>| Some(found.url(gix::remote::Direction::Push)?.to_bstring().to_string());
        let mut addresses: Vec<String> =
            found.into_iter().flatten().filter_map(std::result::Result::ok).filter_map(address).collect();
        addresses.dedup();
        if addresses.is_empty() {
            let names: Vec<String> = git.remote_names().iter().map(ToString::to_string).collect();
            let hint =
                if names.is_empty() { "there is none".to_owned() } else { format!("there are: {}", names.join(", ")) };
            return Err(Diagnostic::error("git-remote", format!("the repository has no remote `{remote}`")).hint(hint));
        }
        Ok(addresses)
    }

    /// The password that Git has for an address, from its user's helpers; nobody is asked for one.
    pub fn password_for(&self, address: &str) -> Option<String> {
        let nobody = [("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", "")];
        let arguments = ["-c", "credential.interactive=false", "credential", "fill"];
        let filled = self.program_with(&arguments, format!("url={address}\n\n").as_bytes(), &nobody).ok()?;
        filled.succeeded()?.lines().find_map(|line| line.strip_prefix("password=")).map(str::to_owned)
    }

    /// The branch that a server calls its own.
    ///
    /// # Errors
    /// `git-remote` where it does not say.
    pub fn default_branch(&self, remote: &str) -> Result<String> {
        let asked = self.program(&["ls-remote", "--symref", "--", remote, "HEAD"], b"")?;
        let said = asked.succeeded().ok_or_else(|| unreached(remote, &asked.complaint))?;
        let branch = said.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.split('\t').next());
        branch.map(str::to_owned).ok_or_else(|| {
            Diagnostic::error("git-remote", format!("`{remote}` does not say which branch is its own"))
                .hint("name the branch")
        })
    }

    /// Where a branch of a server is, with its files on this machine; `None` where it has no such branch.
    ///
    /// # Errors
    /// `git-remote` where it can't be asked.
    pub fn fetch_branch(&self, remote: &str, branch: &str) -> Result<Option<String>> {
        self.fetch_reference(remote, &branch_name(branch)?, &format!("refs/remotes/{remote}/{branch}"))
    }

    /// Where any reference of a server is, which is `kept` here under that name.
    pub(crate) fn fetch_reference(&self, remote: &str, name: &FullName, kept: &str) -> Result<Option<String>> {
        let name = name.as_bstr();
        // That it gets on is known by what it says.
        let options = ["fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
        let fetched = self.program(&[&options[..], &["--", remote, &format!("+{name}:{kept}")]].concat(), b"")?;
        if fetched.succeeded().is_none() {
            let listed = self.program(&["ls-remote", "--", remote, &name.to_string()], b"")?;
            let is_there = listed.succeeded().ok_or_else(|| unreached(remote, &listed.complaint))?.contains('\t');
            // Two who fetch at once trip over each other's lock; what counts is what is there afterwards.
            if is_there && !fetched.complaint.contains("cannot lock ref") && !fetched.complaint.contains(".lock") {
                return Err(unreached(remote, &fetched.complaint));
            }
            if !is_there {
                return Ok(None);
            }
        }
        let kept = FullName::try_from(kept).map_err(|error| unreached(remote, &error.to_string()))?;
        self.tip_of(&kept)
    }

    /// Pushes a commit to a branch of a server, on top of what it has; `false` if somebody else has moved that meanwhile.
    ///
    /// # Errors
    /// `git-push` where the server does not take it.
    pub fn push(&self, remote: &str, commit: &str, branch: &str) -> Result<bool> {
        self.push_reference(remote, commit, &branch_name(branch)?)
    }

    pub(crate) fn push_reference(&self, remote: &str, commit: &str, name: &FullName) -> Result<bool> {
        let refspec = format!("{}:{}", object(commit)?, name.as_bstr());
        let pushed =
            self.program(&["push", "--progress", "--porcelain", "--no-follow-tags", "--", remote, &refspec], b"")?;
        if pushed.succeeded().is_some() {
            return Ok(true);
        }
        let refused = pushed.output.lines().find(|line| line.starts_with('!')).unwrap_or_default();
        let why = refused.split('\t').next_back().unwrap_or_default();
        // Words of Git: of ours, of the server's for who comes second, and of its lock.
        const OTHERS_WERE_QUICKER: [&str; 7] = [
            "(fetch first)",
            "(non-fast-forward)",
            "(stale info)",
            "cannot lock ref",
            "failed to update ref",
            "incorrect old value provided",
            "reference already exists",
        ];
        if OTHERS_WERE_QUICKER.iter().any(|words| why.contains(words)) {
            return Ok(false);
        }
        let said = [why, &pushed.complaint].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        let message = format!("`{}` can't be pushed to `{remote}`: {said}", name.shorten());
        Err(Diagnostic::error("git-push", message))
    }
}

fn unreached(remote: &str, why: &str) -> Box<Diagnostic> {
    Diagnostic::error("git-remote", format!("`{remote}` can't be asked: {why}"))
}
