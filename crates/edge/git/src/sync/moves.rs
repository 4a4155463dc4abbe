//! A service whose files are there, brought to another commit: [`Move`].
//!
//! Nothing of somebody's is overwritten: what is not committed or not pushed is an error. That a move has begun is noted, so
//! that the half of it that a killed process leaves is told from what somebody did, and is completed.

use super::program::{FETCH, Program};
use crate::journal::Journal;
use crate::services::{given, note_given, tips};
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use serde::{Deserialize, Serialize};
use std::fs;

/// A service with its files.
pub(crate) struct Move<'m> {
    pub(crate) program: &'m Program<'m>,
    /// Where its files are.
    pub(crate) files: &'m Utf8Path,
    pub(crate) git_dir: Utf8PathBuf,
    /// Where it is noted that it is on its way.
    pub(crate) note: Utf8PathBuf,
    /// What else would do, to be said after what is to be done about changes: `, or --force`.
    pub(crate) or_else: &'static str,
}

impl Move<'_> {
    /// What somebody did that a move would lose. With `keeps_branches`, the commits of a branch of this machine are not lost.
    pub(crate) fn at_stake(
        &self,
        repository: &gix::Repository,
        head: ObjectId,
        keeps_branches: bool,
    ) -> Result<(), String> {
        self.unchanged()?;
        let is_kept = keeps_branches && repository.head_name().is_ok_and(|name| name.is_some());
        if !is_kept && !is_elsewhere(repository, head) {
            let short = &head.to_string()[..8];
            return Err(format!("its commit {short} is on no remote branch and no tag: push it{}", self.or_else));
        }
        Ok(())
    }

    /// Whether its tracked files are those of the commit.
    pub(crate) fn unchanged(&self) -> Result<(), String> {
        match self.changed()?.first() {
            Some(file) => {
                let or_else = self.or_else;
                Err(format!("its files are changed, `{file}` among them: commit or stash them{or_else}"))
            }
            None => Ok(()),
        }
    }

    /// The tracked files that are not what the commit has.
    pub(crate) fn changed(&self) -> Result<Vec<String>, String> {
        let arguments =
            ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"];
        let told = self.program.run(self.files, &arguments)?;
        Ok(told.split('\0').filter_map(|entry| entry.get(3..)).map(str::to_owned).collect())
    }

    /// Checks a commit out, on no branch.
    pub(crate) fn to(&self, from: Option<ObjectId>, to: ObjectId, is_forced: bool) -> Result<(), String> {
        let to = to.to_string();
        let mut arguments = vec!["checkout", "--quiet", "--detach"];
        if is_forced {
            arguments.push("--force");
        }
        arguments.extend([to.as_str(), "--"]);
        self.noted(from, &to, &arguments)
    }

    /// Runs a checkout from one commit to another.
    pub(crate) fn noted(&self, from: Option<ObjectId>, to: &str, arguments: &[&str]) -> Result<(), String> {
        let in_words = |error: std::io::Error| format!("`{}`: {error}", self.note);
        self.begin(from, to).map_err(in_words)?;
        let moved = self.program.run(self.files, arguments);
        fs::remove_file(&self.note).map_err(in_words)?;
        moved.map(|_| ())
    }

    /// Notes that it is on its way from one commit to another.
    pub(crate) fn begin(&self, from: Option<ObjectId>, to: &str) -> std::io::Result<()> {
        let temporary = self.note.with_extension("new");
        let from = from.map_or_else(|| "-".to_owned(), |from| from.to_string());
        fs::write(&temporary, format!("{from} {to}\n"))?;
        fs::rename(&temporary, &self.note)
    }

    /// Completes a move that was interrupted.
    pub(crate) fn complete(&self, is_forced: bool) -> Result<(), String> {
        let Ok(note) = fs::read_to_string(&self.note) else { return Ok(()) };
        let ids: Vec<Option<ObjectId>> =
            note.split_whitespace().map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
        let [from, Some(to)] = ids[..] else {
            return fs::remove_file(&self.note).map_err(|error| error.to_string());
        };
        // Whoever had them is gone, since the lock is ours.
        for lock in ["index.lock", "HEAD.lock"] {
            let _ = fs::remove_file(self.git_dir.join(lock));
        }
        // It may have ended, on a branch as well.
        let head = gix::open(&self.git_dir).ok().and_then(|repository| Some(repository.head_id().ok()?.detach()));
        if head == Some(to) && self.changed()?.is_empty() {
            return fs::remove_file(&self.note).map_err(|error| error.to_string());
        }
        if !is_forced {
            self.only_halves(from, to)?;
        }
        let to = to.to_string();
        self.program.run(self.files, &["checkout", "--quiet", "--force", "--detach", &to, "--"])?;
        fs::remove_file(&self.note).map_err(|error| error.to_string())
    }

    /// Whether what is not as the index has it is what an interrupted move leaves: of each file the old, the new, a part
    /// of one of them, or none.
    pub(crate) fn only_halves(&self, from: Option<ObjectId>, to: ObjectId) -> Result<(), String> {
        let repository = gix::open(&self.git_dir).map_err(|error| error.to_string())?;
        let to_name = to.to_string();
        let touched = match from {
            Some(from) => {
                let from = from.to_string();
                self.program
                    .run(self.files, &["diff-tree", "-r", "-z", "--name-only", "--no-renames", &from, &to_name])?
            }
            None => self.program.run(self.files, &["ls-tree", "-r", "-z", "--name-only", &to_name])?,
        };
        let touched: Vec<&str> = touched.split('\0').filter(|path| !path.is_empty()).collect();
        let edited = |path: &str| {
            let or_else = self.or_else;
            Err(format!("`{path}` was changed after a move was interrupted: keep it elsewhere{or_else}"))
        };
        for path in self.changed()? {
            if !touched.contains(&path.as_str()) {
                return edited(&path);
            }
        }
        let blob = |commit: ObjectId, path: &str| -> Option<Vec<u8>> {
            let tree = repository.find_commit(commit).ok()?.tree().ok()?;
            Some(tree.lookup_entry_by_path(path).ok()??.object().ok()?.detach().data)
        };
        for path in touched {
            let place = self.files.join(path);
            let Ok(metadata) = place.symlink_metadata() else { continue };
            let here = match () {
                () if metadata.is_symlink() => {
                    fs::read_link(&place).map(|to| to.to_string_lossy().into_owned().into_bytes())
                }
                () if metadata.is_file() => fs::read(&place),
                // A folder that is in the way, or was.
                () => continue,
            };
            let here = here.map_err(|error| format!("`{path}` can't be read: {error}"))?;
            let is_half_of = |commit| blob(commit, path).is_some_and(|whole| whole.starts_with(&here));
            let is_half = is_half_of(to) || from.is_some_and(is_half_of);
            if !is_half {
                return edited(path);
            }
        }
        Ok(())
    }
}

/// Whether a commit is on a remote branch or a tag, or was got from the server by its name.
pub(crate) fn is_elsewhere(repository: &gix::Repository, commit: ObjectId) -> bool {
    let mut known: Vec<ObjectId> = tips(repository).into_iter().map(|tip| tip.id).collect();
    known.extend(given(repository));
    known.retain(|id| repository.has_object(*id));
    if known.contains(&commit) {
        return true;
    }
    !known.is_empty()
        && repository.rev_walk([commit]).with_hidden(known).all().is_ok_and(|mut rest| rest.next().is_none())
}

/// Gets a commit from the server of a repository that is there: with its branches, or alone where the history is not wanted.
pub(crate) fn fetch_commit(
    program: &Program<'_>,
    git_dir: &Utf8Path,
    commit: ObjectId,
    depth: Option<u32>,
) -> Result<(), String> {
    let name = commit.to_string();
    let has = || gix::open(git_dir).is_ok_and(|repository| repository.find_commit(commit).is_ok());
    let remote = remote_of(git_dir);
    let specs = program.run(git_dir, &["--git-dir=.", "config", "--get-all", &format!("remote.{remote}.fetch")]);
    let specs = specs.unwrap_or_else(|_| format!("+refs/heads/*:refs/remotes/{remote}/*"));
    let fetch = |more: &[&str]| program.run(git_dir, &[&["--git-dir=."], &FETCH[..], more].concat());
    let is_shallow = git_dir.join("shallow").exists();
    let direct = match depth.or(is_shallow.then_some(1)) {
        Some(depth) => fetch(&["--depth", &depth.to_string(), &remote, &name]),
        None => fetch(&[&[remote.as_str()], &specs.lines().collect::<Vec<_>>()[..], &[name.as_str()]].concat()),
    };
    if direct.is_err() || !has() {
        // It may not give commits by their names, or has none of that name.
        let all = if is_shallow { fetch(&["--unshallow", &remote]) } else { fetch(&[remote.as_str()]) };
        if !has() {
            return match all {
                Err(why) => Err(why),
                Ok(_) => Err(format!("commit {name} is not on the server: was it pushed?")),
            };
        }
    }
    note_fetched(git_dir, commit).map_err(|error| format!("what it has given can't be noted in `{git_dir}`: {error}"))
}

/// A branch of a service that is about to follow one of a remote, and the name of that one here.
#[derive(Serialize, Deserialize)]
pub(crate) struct Following {
    pub(crate) branch: String,
    pub(crate) tracked: String,
}

/// Settles what a fetch or a change to another branch has left that was killed, and noted in `begun` what it was about:
/// locks, and a branch that Git has begun and that follows nothing yet.
pub(crate) fn settle_begun(program: &Program<'_>, git_dir: &Utf8Path, begun: &Journal) -> Result<(), String> {
    if !begun.is_noted() {
        return Ok(());
    }
    release_locks(git_dir);
    // One that is only half there, or of a former version, is about locks.
    if let Ok(Some(Some(Following { branch, tracked }))) = begun.noted::<Option<Following>>() {
        let has = |arguments: &[&str]| program.run(git_dir, &[&["--git-dir=."], arguments].concat()).is_ok();
        let is_there = has(&["show-ref", "--verify", "--quiet", &format!("refs/heads/{branch}")]);
        if is_there && !has(&["config", "--get", &format!("branch.{branch}.merge")]) {
            let follow = ["--git-dir=.", "branch", "--quiet", "--set-upstream-to", &tracked, "--", &branch];
            program.run(git_dir, &follow)?;
        }
    }
    begun.forget().map_err(|error| format!("`{}`: {error}", begun.place()))
}

/// Removes the locks on references that a fetch has left which was killed.
fn release_locks(git_dir: &Utf8Path) {
    for lock in ["packed-refs.lock", "shallow.lock", "config.lock", "HEAD.lock"] {
        let _ = fs::remove_file(git_dir.join(lock));
    }
    let mut folders = vec![git_dir.join("refs")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.into_path()),
                // No name of a reference ends so.
                Ok(kind) if kind.is_file() && entry.file_name().ends_with(".lock") => {
                    let _ = fs::remove_file(entry.path());
                }
                _ => {}
            }
        }
    }
}

/// Keeps in mind that the server has a commit that none of its branches has.
pub(crate) fn note_fetched(git_dir: &Utf8Path, commit: ObjectId) -> std::io::Result<()> {
    let is_known = gix::open(git_dir).is_ok_and(|repository| is_elsewhere(&repository, commit));
    if is_known { Ok(()) } else { note_given(git_dir, commit) }
}

/// The remote that a submodule is from: `origin`, or its only one.
pub(crate) fn remote_of(git_dir: &Utf8Path) -> String {
    let names = gix::open(git_dir).map(|repository| {
        repository.remote_names().iter().map(|name| name.to_str_lossy().into_owned()).collect::<Vec<_>>()
    });
    match names.unwrap_or_default().as_slice() {
        [only] => only.clone(),
        _ => "origin".to_owned(),
    }
}
