//! The cache: [`Repositories`].

use crate::credentials::{shown_url, without_credentials};
use crate::fetch::{FetchError, Received, fetch};
use crate::submodules::mount_submodules;
use crate::tree::Tree;
use camino::Utf8PathBuf;
use gix::ObjectId;
use onepane_diagnostics::{Diagnostic, Result};
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::time::Duration;

/// Repositories from elsewhere, of which a folder on disk keeps what was fetched.
#[derive(Clone, Debug)]
pub struct Repositories {
    /// Where they are kept; it need not be there yet.
    pub cache: Utf8PathBuf,
    /// Whether no server is asked: what is not there yet can't be had.
    pub offline: bool,
}

/// A revision of a repository.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What `git clone` would be given.
    pub url: &'a str,
    /// A branch, a tag or a whole commit; without one, the server's default branch.
    pub reference: Option<&'a str>,
    /// Whether the submodules are wanted too.
    pub submodules: bool,
    /// How long a server may take.
    pub timeout: Duration,
}

/// The files of a commit.
pub struct Fetched {
    /// The files.
    pub tree: Tree,
    /// The commit.
    pub commit: String,
    /// That no server could be asked, and which commit is there instead.
    pub warnings: Vec<Diagnostic>,
}

impl Repositories {
    /// The files at a revision.
    ///
    /// A whole commit is fetched once. For a branch or tag the server is asked each time; where it can't be reached, the
    /// commit that was last seen there serves, with a warning.
    ///
    /// # Errors
    /// `git-reference` for a branch, tag or commit that the server has not, `git-unreachable` where neither the server
    /// nor the cache has an answer, `git-timeout`, `git-refused` for everything else that goes wrong with the server, and
    /// `git-cache`.
    pub fn files(&self, wanted: Wanted<'_>) -> Result<Fetched> {
        let (repository, commit, warnings) = self.commit(wanted)?;
        let tree = tree_of(&repository, commit, wanted.url)?;
        let top = if wanted.submodules { commit.to_string() } else { format!("{commit}-without-submodules") };
        let mut fetched =
            Fetched { tree: Tree::new(top, repository.into_sync(), tree), commit: commit.to_string(), warnings };
        if wanted.submodules {
            mount_submodules(self, &mut fetched, "".into(), wanted, 0)?;
        }
        Ok(fetched)
    }

    /// The commit that is wanted, in a repository of the cache.
    pub(crate) fn commit(&self, wanted: Wanted<'_>) -> Result<(gix::Repository, ObjectId, Vec<Diagnostic>)> {
        let kept = Kept { folder: self.cache.join(digest(wanted.url)) };
        let reference = wanted.reference.unwrap_or("HEAD");
        let whole = ObjectId::from_hex(reference.as_bytes()).ok();
        if let Some(commit) = whole.filter(|commit| kept.has(*commit)) {
            return Ok((kept.open(commit)?, commit, Vec::new()));
        }
        let shown = shown_url(wanted.url);
        let (code, why) = if self.offline {
            ("git-unreachable", "nothing is fetched offline".to_owned())
        } else {
            match kept.fetch(wanted.url, reference, wanted.timeout)? {
                Ok(commit) => return Ok((kept.open(commit)?, commit, Vec::new())),
                Err(FetchError::Absent) => return Err(absent(reference, &shown)),
                Err(FetchError::Refused(why)) => {
                    let why = without_credentials(&why, wanted.url);
                    return Err(Diagnostic::error("git-refused", format!("{shown} can't be fetched: {why}")));
                }
                Err(FetchError::Unreachable(why)) => ("git-unreachable", without_credentials(&why, wanted.url)),
                Err(FetchError::TimedOut) => {
                    let seconds = wanted.timeout.as_secs_f64();
                    ("git-timeout", format!("no whole answer within {seconds} s"))
                }
            }
        };
        match kept.last_seen(reference) {
            Some(commit) => {
                let message =
                    format!("`{reference}` of {shown} is what was last seen there, commit {commit}, because {why}");
                Ok((kept.open(commit)?, commit, vec![*Diagnostic::warning("git-offline", message)]))
            }
            None => Err(Diagnostic::error(code, format!("`{reference}` of {shown} can't be fetched: {why}"))),
        }
    }
}

/// What is kept of the repository at one URL: a bare repository for each commit, and for each name that was asked for
/// the commit that was seen there. Everything is made under another name and renamed when it is whole.
struct Kept {
    folder: Utf8PathBuf,
}

impl Kept {
    fn place(&self, commit: ObjectId) -> Utf8PathBuf {
        self.folder.join(format!("{commit}.git"))
    }

    fn has(&self, commit: ObjectId) -> bool {
        self.place(commit).is_dir()
    }

    fn open(&self, commit: ObjectId) -> Result<gix::Repository> {
        gix::open(self.place(commit).as_std_path()).map_err(|error| self.unusable(&error))
    }

    fn note(&self, reference: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}.name", digest(reference)))
    }

    fn last_seen(&self, reference: &str) -> Option<ObjectId> {
        let commit = std::fs::read_to_string(self.note(reference)).ok()?;
        ObjectId::from_hex(commit.trim().as_bytes()).ok().filter(|commit| self.has(*commit))
    }

    /// The commit that the server has at `reference`, which is kept then. The outer error is about the cache.
    fn fetch(&self, url: &str, reference: &str, timeout: Duration) -> Result<Result<ObjectId, FetchError>> {
        let fail = |error: std::io::Error| self.unusable(&error);
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        let new = tempfile::tempdir_in(&self.folder).map_err(fail)?;
        let mut into = gix::init_bare(new.path()).map_err(|error| self.unusable(&error))?;
        // Names are noted with who did it.
        into.committer_or_set_generic_fallback().map_err(|error| self.unusable(&error))?;
        let known = Self { folder: self.folder.clone() };
        let commit = match fetch(into.into_sync(), url, reference, timeout, move |commit| known.has(commit)) {
            Ok(Received::Known(commit)) => commit,
            Ok(Received::New(commit)) => {
                match std::fs::rename(new.path(), self.place(commit)) {
                    Ok(()) => drop(new.keep()),
                    // Another process was faster.
                    Err(_) if self.has(commit) => {}
                    Err(error) => return Err(fail(error)),
                }
                commit
            }
            Err(error) => return Ok(Err(error)),
        };
        let mut note = tempfile::NamedTempFile::new_in(&self.folder).map_err(fail)?;
        writeln!(note, "{commit}").map_err(fail)?;
        note.persist(self.note(reference)).map_err(|error| fail(error.error))?;
        Ok(Ok(commit))
    }

    fn unusable(&self, error: &dyn std::error::Error) -> Box<Diagnostic> {
        let folder = &self.folder;
        Diagnostic::error("git-cache", format!("the cache at `{folder}` can't be used: {error}"))
            .hint("remove the folder; what is in it is fetched again")
    }
}

fn absent(reference: &str, shown: &str) -> Box<Diagnostic> {
    let message = format!("there is no branch, tag or commit `{reference}` at {shown}");
    let error = Diagnostic::error("git-reference", message);
    match reference.len() {
        7..40 if reference.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            error.hint("servers give commits by their whole names only: write all 40 digits")
        }
        _ => error,
    }
}

/// The files of a commit.
pub(crate) fn tree_of(repository: &gix::Repository, commit: ObjectId, url: &str) -> Result<ObjectId> {
    let tree = repository.find_commit(commit).ok().and_then(|commit| commit.tree_id().ok()).map(gix::Id::detach);
    tree.ok_or_else(|| {
        let message = format!("`{commit}` of {} is no commit", shown_url(url));
        Diagnostic::error("git-reference", message)
    })
}

/// A name for what may be anything.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
