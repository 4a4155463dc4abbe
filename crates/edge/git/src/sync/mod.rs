//! Services brought to the commits that they are pinned to: [`LocalRepository::sync`].
//!
//! What comes of it is what `git submodule sync` and `git submodule update --init` leave. Several services are at work at once.
//! One that is not there yet is fetched in this process, which takes a fraction of the time that Git's processes take; where
//! that fails, Git itself tries, so that it is Git that tells why it can't be done. Files that are there already are moved by
//! Git alone.
//!
//! Start at [`LocalRepository::sync`]; what `.gitmodules` may not say is told in `declared`, what a killed process leaves in
//! `staging` and `moves`. A new service's way is that of `new`: `clone` asks its server, behind HTTP by `web` and on this machine by
//! `local`, `pack` keeps and indexes what that sends, and `files` writes the files of the pin.

mod beat;
mod clone;
mod declared;
mod files;
mod local;
mod membership;
mod moves;
mod new;
mod pack;
mod program;
mod service;
mod settle;
mod staging;
mod switch;
mod web;

pub use membership::NewService;
pub(crate) use program::Program;
pub use switch::{SwitchOptions, Switched, SwitchedTo};

use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use declared::Declared;
pub(crate) use declared::resolved;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use onepane_diagnostics::{Diagnostic, Result};
use staging::{Setting, Staging};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use web::Web;

/// Submodules may have submodules; a chain longer than this is not meant.
const DEEPEST: usize = 16;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct SyncOptions<'o> {
    /// Only the services at these paths; all, where it is `None`.
    pub services: Option<&'o [Utf8PathBuf]>,
    /// How many at once.
    pub jobs: usize,
    /// So many commits of history for those that are fetched.
    pub depth: Option<NonZeroU32>,
    /// Git's filter for the objects of those that are new and whose server knows filters; commits and tags, and what the pin
    /// needs, where it is `None`.
    pub filter: Option<&'o str>,
    /// Whether nothing is left out, and those that are there already get what they lack.
    pub completes: bool,
    /// Whether the submodules of services are wanted too.
    pub is_recursive: bool,
    /// Whether one that is on a branch may leave it with commits that are not pushed: the branch keeps them.
    pub keeps_branches: bool,
    /// Whether what is not committed and not pushed may be lost.
    pub is_forced: bool,
}

/// What became of a service.
#[derive(Clone, Debug)]
pub struct Synced {
    /// Where it is, below the top of the repository.
    pub path: Utf8PathBuf,
    /// What was done, or why nothing could be.
    pub outcome: Result<SyncedTo>,
}

/// What was done with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncedTo {
    /// It was there.
    AsPinned,
    /// It is new, at this commit.
    Cloned(String),
    /// It was at another commit.
    Moved {
        /// The one before; `None` if none was checked out.
        from: Option<String>,
        /// The one that it is pinned to.
        to: String,
    },
    /// It is left as it is, for this reason.
    Left(&'static str),
}

impl LocalRepository {
    /// Brings services to their pins; `tell` hears of each as soon as it is done. They are given by path.
    ///
    /// # Errors
    /// `git-submodule` where `.gitmodules` can't be read, `src-staging`. What is wrong with a service is its own outcome.
    pub fn sync(&self, options: SyncOptions<'_>, tell: &(dyn Fn(&Synced) + Sync)) -> Result<Vec<Synced>> {
        let git = self.git();
        let git_dir = absolute(git.git_dir())?;
        let staging = Staging::take(&git_dir)?;
        self.settle(&staging)?;
        let program = Program { lock: Some(&staging.lock) };
        let context = Context { staging: &staging, program: &program, web: &Arc::default(), options, tell };
        context.level(git, "".into(), options.services, options.jobs, 0)
    }

    /// The services that `.gitmodules` declares at the top of the repository, by path; nothing is looked at but that file.
    ///
    /// # Errors
    /// `git-submodule` where it can't be read.
    pub fn declared_services(&self) -> Result<Vec<crate::Service>> {
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let service = |one: Declared| crate::Service {
            name: one.name,
            path: one.path,
            url: one.url.as_deref().map(shown_url),
            branch: None,
            committed: None,
            pinned: None,
            here: None,
        };
        Ok(declared::declared(&top)?.into_iter().map(service).collect())
    }
}

/// What holds for all services of a run.
struct Context<'c> {
    staging: &'c Staging,
    program: &'c Program<'c>,
    web: &'c Arc<Web>,
    options: SyncOptions<'c>,
    tell: &'c (dyn Fn(&Synced) + Sync),
}

/// A service that is to be brought to its pin.
struct Job {
    declared: Declared,
    /// Where it is below the top of the outermost repository, for people.
    shown: Utf8PathBuf,
    pin: ObjectId,
    url: String,
    /// The folder of files of the repository that it is in.
    top: Utf8PathBuf,
    /// Where its files are to be.
    files: Utf8PathBuf,
    /// Where Git keeps the submodules of the repository that it is in.
    modules: Utf8PathBuf,
}

impl Job {
    /// Where its Git folder is to be.
    fn git_dir(&self) -> Utf8PathBuf {
        self.modules.join(&self.declared.name)
    }
}

impl Context<'_> {
    /// The submodules of one repository, and below them those of theirs.
    fn level(
        &self,
        git: &gix::Repository,
        shown: &Utf8Path,
        chosen: Option<&[Utf8PathBuf]>,
        jobs: usize,
        depth: usize,
    ) -> Result<Vec<Synced>> {
        let top = absolute(git.workdir().unwrap_or(git.git_dir()))?;
        let (git_dir, common) = (absolute(git.git_dir())?, absolute(git.common_dir())?);
        let mut declared = declared::declared(&top)?;
        if let Some(chosen) = chosen {
            declared.retain(|one| chosen.contains(&one.path));
        }
        let fail = |path: &Utf8Path, why: String| failure(&shown.join(path), None, &why);
        if depth > DEEPEST {
            return Err(fail("".into(), format!("submodules are nested deeper than {DEEPEST}")));
        }
        let config = git.config_snapshot();
        let index = git.index_or_empty().map_err(|error| fail("".into(), error.to_string()))?;
        let base = base_url(git, &top);
        let (mut todo, mut done) = (Vec::new(), Vec::new());
        // What is pinned, but not declared, is from nowhere.
        if chosen.is_none() {
            for entry in index.entries().iter().filter(|entry| entry.mode == gix::index::entry::Mode::COMMIT) {
                let path = Utf8PathBuf::from(entry.path(&index).to_str_lossy().into_owned());
                if !declared.iter().any(|one| one.path == path) {
                    let outcome = Err(fail(&path, "it is pinned, but `.gitmodules` does not name it".to_owned()));
                    done.push(Synced { path: shown.join(path), outcome });
                }
            }
        }
        for one in declared {
            let entry = index.entry_by_path(BStr::new(one.path.as_str()));
            let pin = entry.filter(|entry| entry.mode == gix::index::entry::Mode::COMMIT).map(|entry| entry.id);
            let outcome = match (&one.refused, pin) {
                (Some(why), _) => Err(fail(&one.path, why.clone())),
                (None, _) if one.is_left_alone => Ok(Err(SyncedTo::Left("`.gitmodules` says `update = none`"))),
                (None, None) => Ok(Err(SyncedTo::Left("no commit is pinned"))),
                (None, Some(pin)) => {
                    let url = declared::resolved(one.url.as_deref().unwrap_or_default(), &base).and_then(|url| {
                        // What the user's configuration makes of it counts.
                        let remote =
                            git.remote_at(url.as_str()).map_err(|error| format!("its URL is none: {error}"))?;
                        let asked = remote.url(gix::remote::Direction::Fetch).map(|url| url.to_bstring().to_string());
                        declared::is_allowed(&url, &config)?;
                        declared::is_allowed(asked.as_deref().unwrap_or(&url), &config)?;
                        Ok(url)
                    });
                    let shown_url = one.url.as_deref().map(shown_url);
                    url.map(|url| Ok((pin, url)))
                        .map_err(|why| failure(&shown.join(&one.path), shown_url.as_deref(), &why))
                }
            };
            match outcome {
                Ok(Ok((pin, url))) => todo.push(Job {
                    shown: shown.join(&one.path),
                    files: top.join(&one.path),
                    top: top.clone(),
                    modules: git_dir.join("modules"),
                    declared: one,
                    pin,
                    url,
                }),
                Ok(Err(left)) => done.push(Synced { path: shown.join(&one.path), outcome: Ok(left) }),
                Err(error) => done.push(Synced { path: shown.join(&one.path), outcome: Err(error) }),
            }
        }
        done.iter().for_each(self.tell);
        let mut settings: Vec<Setting<'_>> = Vec::new();
        for job in &todo {
            let name = job.declared.name.as_str();
            let is_active = config.boolean(format!("submodule.{name}.active").as_str()) == Some(true);
            if !is_active {
                settings.push(("submodule", Some(name), "active", "true".to_owned()));
            }
            settings.push(("submodule", Some(name), "url", job.url.clone()));
        }
        let configured = self.staging.configure(&common.join("config"), &settings);
        configured.map_err(|error| fail("".into(), format!("the configuration can't be written: {error}")))?;

        let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(done));
        std::thread::scope(|scope| {
            let work = || {
                while let Some(job) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = self.one(job).map_err(|why| {
                        failure(&job.shown, Some(&shown_url(&job.url)), &without_credentials(&why, &job.url))
                    });
                    let synced = Synced { path: job.shown.clone(), outcome };
                    (self.tell)(&synced);
                    let mut all = vec![synced];
                    if self.options.is_recursive && all[0].outcome.is_ok() {
                        all.extend(self.below(job, depth));
                    }
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
                }
            };
            for _ in 1..jobs.min(todo.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut all = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    /// The submodules of a service.
    fn below(&self, job: &Job, depth: usize) -> Vec<Synced> {
        let opened = gix::open(&job.files).map_err(|error| failure(&job.shown, None, &error.to_string()));
        opened.and_then(|git| self.level(&git, &job.shown, None, 1, depth + 1)).unwrap_or_else(|error| {
            let failed = Synced { path: job.shown.clone(), outcome: Err(error) };
            (self.tell)(&failed);
            vec![failed]
        })
    }
}

/// What relative URLs of a repository's submodules are relative to: the URL of its remote, or where it is.
pub(crate) fn base_url(git: &gix::Repository, top: &Utf8Path) -> String {
    let config = git.config_snapshot();
    let branch = git.head_name().ok().flatten().map(|name| name.shorten().to_str_lossy().into_owned());
    let followed = branch.and_then(|branch| config.string(format!("branch.{branch}.remote").as_str()));
    let remotes = git.remote_names();
    let remote = match (followed, remotes.len()) {
        (Some(name), _) => name.to_str_lossy().into_owned(),
        (None, 1) => remotes.iter().next().map(|name| name.to_str_lossy().into_owned()).unwrap_or_default(),
        _ => "origin".to_owned(),
    };
    let url = config.string(format!("remote.{remote}.url").as_str()).map(|url| url.to_str_lossy().into_owned());
    match url {
        None => top.to_string(),
        Some(url) if url.starts_with("./") || url.starts_with("../") => {
            onepane_world::normalize(&top.join(url)).into_string()
        }
        Some(url) => url,
    }
}

fn absolute(path: &std::path::Path) -> Result<Utf8PathBuf> {
    let fail = |why: String| Diagnostic::error("git-repository", format!("`{}` can't be used: {why}", path.display()));
    let path = path.canonicalize().map_err(|error| fail(error.to_string()))?;
    Utf8PathBuf::from_path_buf(path).map_err(|_| fail("its path is no text".to_owned()))
}

/// What is wrong with a service, by its path and its URL.
fn failure(path: &Utf8Path, url: Option<&str>, why: &str) -> Box<Diagnostic> {
    let from = url.map(|url| format!(" ({url})")).unwrap_or_default();
    Diagnostic::error("src-sync", format!("`{path}`{from}: {why}"))
}
