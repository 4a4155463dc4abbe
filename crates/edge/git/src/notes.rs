//! Git notes of which each line stands for itself: [`Notes`].
//!
//! Whoever adds a line makes a commit on top of what is there, so that of several who do so at once none loses anything, here
//! or on a server. `git log --notes=NAME` shows them, and `git notes --ref=NAME` works on them.

use crate::local::{LocalRepository, object};
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::refs::FullName;
use onepane_diagnostics::{Diagnostic, Result};
use std::collections::BTreeSet;

/// The notes of one name.
#[derive(Clone, Copy)]
pub struct Notes<'n> {
    git: &'n LocalRepository,
    name: &'n str,
}

/// How often it is tried again where others write as well.
const MOST_TRIES: u32 = 100;

/// No more is read of one note.
const LARGEST: usize = 16 << 20;

impl<'n> Notes<'n> {
    /// Those of `name` in a repository.
    pub fn of(git: &'n LocalRepository, name: &'n str) -> Self {
        Self { git, name }
    }

    /// All lines: those of this machine, and those of a server if one is named.
    ///
    /// # Errors
    /// `git-remote` where it can't be asked, `git-notes` for what can't be read.
    pub fn lines(&self, remote: Option<&str>) -> Result<BTreeSet<String>> {
        let here = self.git.tip_of(&self.reference()?)?;
        let there = remote.map(|remote| self.fetched(remote)).transpose()?.flatten();
        let mut lines = BTreeSet::new();
        for tip in [here, there].into_iter().flatten().collect::<BTreeSet<_>>() {
            self.read(&tip, &mut lines)?;
        }
        Ok(lines)
    }

    /// Adds a line to the note of a commit, here and, if one is named, on a server.
    ///
    /// # Errors
    /// `git-notes` for what can't be written, `git-push` where the server does not take it.
    pub fn add(&self, commit: &str, line: &str, remote: Option<&str>) -> Result<()> {
        let reference = self.reference()?;
        for turn in 0..MOST_TRIES {
            let here = self.git.tip_of(&reference)?;
            let Some(remote) = remote else {
                let made = self.commit(here.as_deref(), commit, line)?;
                if self.git.move_reference(&reference, here.as_deref(), &made, "notes")? {
                    return Ok(());
                }
                pause(turn);
                continue;
            };
            let there = self.fetched(remote)?;
            let made = self.commit(there.as_deref(), commit, line)?;
            if self.git.push_reference(remote, &made, &reference)? {
                // Notes that only this machine has stay as they are.
                if here == there {
                    self.git.move_reference(&reference, here.as_deref(), &made, "notes")?;
                }
                return Ok(());
            }
            pause(turn);
        }
        Err(fail(&format!("others have written to `{}` {MOST_TRIES} times meanwhile", self.name)))
    }

    fn reference(&self) -> Result<FullName> {
        FullName::try_from(format!("refs/notes/{}", self.name)).map_err(|error| fail(&error))
    }

    fn fetched(&self, remote: &str) -> Result<Option<String>> {
        let kept = format!("refs/notes/remotes/{remote}/{}", self.name);
        self.git.fetch_reference(remote, &self.reference()?, &kept)
    }

    /// The lines of all notes in a commit of notes.
    fn read(&self, tip: &str, lines: &mut BTreeSet<String>) -> Result<()> {
        let git = self.git.git();
        let tree = git.find_commit(object(tip)?).map_err(|error| fail(&error))?.tree_id();
        let mut trees = vec![(tree.map_err(|error| fail(&error))?.detach(), 0)];
        // As deep as Git spreads notes over folders.
        const DEEPEST: usize = 20;
        while let Some((tree, depth)) = trees.pop() {
            let tree = git.find_tree(tree).map_err(|error| fail(&error))?;
            for entry in tree.iter() {
                let entry = entry.map_err(|error| fail(&error))?;
                match entry.kind() {
                    EntryKind::Tree if depth < DEEPEST => trees.push((entry.object_id(), depth + 1)),
                    EntryKind::Blob => {
                        let text = self.blob(entry.object_id())?;
                        lines.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn blob(&self, id: ObjectId) -> Result<String> {
        let git = self.git.git();
        let size = git.find_header(id).map_err(|error| fail(&error))?.size();
        if usize::try_from(size).is_ok_and(|size| size > LARGEST) {
            return Err(fail(&format!("a note of `{}` is larger than {LARGEST} bytes", self.name)));
        }
        let blob = git.find_blob(id).map_err(|error| fail(&error))?;
        Ok(String::from_utf8_lossy(&blob.data).into_owned())
    }

    /// A commit of notes in which one has a line more.
    fn commit(&self, parent: Option<&str>, noted: &str, line: &str) -> Result<String> {
        let git = self.git.git();
        let parent = parent.map(object).transpose()?;
        let tree = match parent {
            Some(parent) => {
                let commit = git.find_commit(parent).map_err(|error| fail(&error))?;
                commit.tree().map_err(|error| fail(&error))?
            }
            None => git.empty_tree(),
        };
        // Git spreads many notes over folders of two digits each.
        let mut path = noted.to_owned();
        let mut there = None;
        for folders in 0..noted.len() / 2 {
            let (spread, rest) = noted.split_at(folders * 2);
            let spread: String =
                spread.as_bytes().chunks(2).map(|two| format!("{}/", String::from_utf8_lossy(two))).collect();
            let spread = format!("{spread}{rest}");
            let entry = tree.lookup_entry_by_path(&spread).map_err(|error| fail(&error))?;
            if let Some(entry) = entry.filter(|entry| entry.mode().is_blob()) {
                (path, there) = (spread, Some(entry.object_id()));
                break;
            }
        }
        let mut text = there.map(|id| self.blob(id)).transpose()?.unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += line;
        text.push('\n');
        let blob = git.write_blob(&text).map_err(|error| fail(&error))?;
        let mut editor = git.edit_tree(tree.id).map_err(|error| fail(&error))?;
        editor.upsert(path.as_str(), EntryKind::Blob, blob).map_err(|error| fail(&error))?;
        let tree = editor.write().map_err(|error| fail(&error))?.detach();
        self.git.commit_tree(tree, parent.as_slice(), "Notes added by onepane\n")
    }
}

/// Where others were quicker: they are let through, each in its own time.
pub fn pause(turn: u32) {
    let milliseconds = u64::from(std::process::id() % 17) + u64::from(turn % 8) * 5;
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
}

fn fail(error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error("git-notes", error.to_string())
}
