//! Who touched a line last: [`Blame`].

use crate::local::{Commit, LocalRepository};
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use gix::blame::{BlameRanges, Options, Outcome, Start};
use gix::bstr::{BStr, ByteSlice};
use gix::date::time::format::SHORT;
use std::borrow::Cow;
use std::collections::HashMap;

/// The commits that lines of files come from, as these are on disk. Each file is looked at once.
pub struct Blame<'r> {
    repository: &'r LocalRepository,
    head: Option<ObjectId>,
    files: HashMap<Utf8PathBuf, Option<Outcome>>,
}

/// What touched a line last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastTouch {
    /// A commit.
    Commit {
        /// The commit.
        commit: Commit,
        /// Who wrote it.
        author: String,
        /// The day: `2026-11-29`.
        date: String,
    },
    /// An edit that is not committed yet.
    Uncommitted,
}

impl<'r> Blame<'r> {
    /// For the files of a repository.
    pub fn new(repository: &'r LocalRepository) -> Self {
        let head = repository.git().head_id().ok().map(gix::Id::detach);
        Self { repository, head, files: HashMap::new() }
    }

    /// What touched the line of the file `path`, which holds `contents` now. `None` for what is in no commit of this
    /// repository, as the files of submodules and archives.
    pub fn line(&mut self, path: &Utf8Path, line: u32, contents: &[u8]) -> Option<LastTouch> {
        if !self.files.contains_key(path) {
            let outcome = self.file(path, contents);
            self.files.insert(path.to_owned(), outcome);
        }
        let at = line.checked_sub(1)? as usize;
        let entries = &self.files[path].as_ref()?.entries;
        let entry = entries.iter().find(|entry| entry.range_in_blamed_file().contains(&at))?;
        if entry.commit_id.is_null() {
            return Some(LastTouch::Uncommitted);
        }
        let commit = self.repository.git().find_commit(entry.commit_id).ok()?;
        let author = commit.author().ok()?;
        let title = commit.message_raw().ok()?.lines().next().unwrap_or_default().to_str_lossy().into_owned();
        Some(LastTouch::Commit {
            commit: Commit { id: entry.commit_id.to_string(), title },
            author: author.name.to_str_lossy().into_owned(),
            date: author.time().ok()?.format_or_unix(SHORT),
        })
    }

    fn file(&self, path: &Utf8Path, contents: &[u8]) -> Option<Outcome> {
        let git = self.repository.git();
        let path = self.repository.prefix().join(path);
        let first_suspect = self.head?;
        // What no commit has is not blamed on any.
        git.find_commit(first_suspect).ok()?.tree().ok()?.lookup_entry_by_path(&path).ok()??;
        let options = Options {
            diff_algorithm: git.diff_algorithm().ok()?,
            ranges: BlameRanges::default(),
            since: None,
            rewrites: None,
            debug_track_path: false,
        };
        let start = Start::Contents { first_suspect, contents: Cow::Borrowed(contents) };
        let graph = git.commit_graph_if_enabled().ok()?;
        let mut cache = git.diff_resource_cache_for_tree_diff().ok()?;
        gix::blame::file(&git.objects, start, graph, &mut cache, BStr::new(path.as_str()), options).ok()
    }
}
