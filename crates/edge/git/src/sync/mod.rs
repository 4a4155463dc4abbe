//! Services brought to the commits that they are pinned to: [`LocalRepository::sync`].
//!
//! What comes of it is what `git submodule sync` and `git submodule update --init` leave. Several services are at work at once.
//! One that is not there yet is fetched in this process, which takes a fraction of the time that Git's processes take; where
//! that fails, Git itself tries, so that it is Git that tells why it can't be done. Files that are there already are moved by
//! Git alone.
//!
//! Start at [`LocalRepository::sync`]; what `.gitmodules` may not say is told in `declared`, what a killed process leaves in
//! `staging` and `moves`.

mod clone;
mod declared;
mod files;
mod membership;
mod moves;
mod program;
mod staging;
mod switch;

pub use membership::NewService;
pub use switch::{SwitchOptions, Switched, SwitchedTo};

use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use clone::{Head, Unfetched};
use declared::Declared;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use moves::Move;
use onepane_diagnostics::{Diagnostic, Result};
use program::Program;
use staging::{Setting, Staging, relative};
use std::fs;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Only the objects that Git's filter lets through, for those that are fetched.
    pub filter: Option<&'o str>,
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
        let program = Program { lock: Some(&staging.lock) };
        let context = Context { staging: &staging, program: &program, options, tell };
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

    /// Brings a service to its pin.
    fn one(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
        // Git follows no link on the way to a submodule.
        let mut place = job.top.clone();
        for part in job.declared.path.components() {
            place.push(part);
            match place.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(format!("`{place}` is a link, behind which nothing is put"));
                }
                Ok(metadata) if !metadata.is_dir() => return Err(format!("`{place}` is in the way")),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let mut above = job.modules.clone();
        let name = Utf8Path::new(&job.declared.name);
        for part in name.parent().into_iter().flat_map(Utf8Path::components) {
            above.push(part);
            if above.join("HEAD").symlink_metadata().is_ok() {
                return Err(format!("its name puts it into the Git folder `{above}`"));
            }
        }
        if job.files.join(".git").symlink_metadata().is_ok() {
            return self.existing(job);
        }
        if job.files.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err("there are files where it is to be, which are no repository: move them away".to_owned());
        }
        if job.git_dir().join("HEAD").symlink_metadata().is_ok() {
            return self.restored(job);
        }
        self.cloned(job)
    }

    /// One whose files are there.
    fn existing(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
        let repository = gix::open(&job.files).map_err(|error| format!("what is there can't be read: {error}"))?;
        let git_dir = absolute(repository.git_dir()).map_err(|error| error.message)?;
        self.release_fetch(&git_dir);
        self.set_url(&git_dir, job)?;
        let service = Move {
            program: self.program,
            files: &job.files,
            git_dir: git_dir.clone(),
            note: self.staging.note_of(&git_dir),
        };
        service.complete(self.options.is_forced)?;
        let head = repository.head_id().ok().map(gix::Id::detach);
        if head == Some(job.pin) {
            return Ok(SyncedTo::AsPinned);
        }
        if let Some(head) = head.filter(|_| !self.options.is_forced) {
            service.at_stake(&repository, head, self.options.keeps_branches)?;
        }
        if repository.find_commit(job.pin).is_err() {
            self.fetched_into(job, &git_dir)?;
        }
        service.to(head, job.pin, self.options.is_forced)?;
        Ok(SyncedTo::Moved { from: head.map(|head| head.to_string()), to: job.pin.to_string() })
    }

    /// Removes the locks of a fetch that was killed.
    fn release_fetch(&self, git_dir: &Utf8Path) {
        let note = self.staging.note_of(git_dir).with_extension("fetch");
        if note.exists() {
            moves::release_locks(git_dir);
            let _ = fs::remove_file(note);
        }
    }

    /// Fetches the pin into a repository that is there. That it has begun is noted, since Git leaves locks where it is killed.
    fn fetched_into(&self, job: &Job, git_dir: &Utf8Path) -> std::result::Result<(), String> {
        let note = self.staging.note_of(git_dir).with_extension("fetch");
        let in_words = |error: std::io::Error| format!("`{note}`: {error}");
        fs::write(&note, "").map_err(in_words)?;
        let fetched = moves::fetch_commit(self.program, git_dir, job.pin, self.depth(job).as_deref());
        fs::remove_file(&note).map_err(in_words)?;
        fetched
    }

    fn set_url(&self, git_dir: &Utf8Path, job: &Job) -> std::result::Result<(), String> {
        let remote = moves::remote_of(git_dir);
        let mut settings: Vec<Setting<'_>> = vec![("remote", Some(&remote), "url", job.url.clone())];
        let config = fs::read(git_dir.join("config")).unwrap_or_default();
        let config = gix::config::File::try_from(BStr::new(&config)).map_err(|error| error.to_string())?;
        if config.string_by("remote", Some(BStr::new(remote.as_str())), "fetch").is_none() {
            settings.push(("remote", Some(&remote), "fetch", format!("+refs/heads/*:refs/remotes/{remote}/*")));
        }
        let set = self.staging.configure(&git_dir.join("config"), &settings);
        set.map_err(|error| format!("its configuration can't be written: {error}"))
    }

    /// One whose Git folder is there, without its files.
    fn restored(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
        let git_dir = job.git_dir();
        let io = |error: std::io::Error| format!("it can't be written: {error}");
        self.release_fetch(&git_dir);
        self.set_url(&git_dir, job)?;
        let worktree = relative(&git_dir, &job.files).into_string();
        let settings: [Setting<'_>; 1] = [("core", None, "worktree", worktree)];
        self.staging.configure(&git_dir.join("config"), &settings).map_err(io)?;
        let open = || gix::open(&git_dir).map_err(|error| format!("`{git_dir}` can't be read: {error}"));
        let mut repository = open()?;
        let head = repository.head_id().ok().map(gix::Id::detach);
        let is_detached = repository.head_name().ok().flatten().is_none();
        if let Some(head) = head.filter(|head| is_detached && *head != job.pin && !self.options.is_forced)
            && !moves::is_elsewhere(&repository, &git_dir, head)
        {
            return Err(format!(
                "its commit {} in `{git_dir}` is on no remote branch and no tag: push it, or `--force`",
                &head.to_string()[..8]
            ));
        }
        if repository.find_commit(job.pin).is_err() {
            self.fetched_into(job, &git_dir)?;
            repository = open()?;
        }
        let files = self.staging.place();
        fs::create_dir(&files).map_err(io)?;
        // What it says of files that are not there any more.
        let _ = fs::remove_file(git_dir.join("index.lock"));
        let _ = fs::remove_file(git_dir.join("HEAD.lock"));
        let index = self.staging.place();
        self.write_files(&repository, &git_dir, job.pin, &files, &index)?;
        if index.exists() {
            fs::rename(&index, git_dir.join("index")).map_err(io)?;
        }
        self.staging.write(&git_dir.join("HEAD"), format!("{}\n", job.pin).as_bytes()).map_err(io)?;
        self.place_files(job, &files).map_err(io)?;
        Ok(SyncedTo::Moved { from: None, to: job.pin.to_string() })
    }

    /// One of which nothing is there.
    fn cloned(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
        let io = |error: std::io::Error| format!("it can't be written: {error}");
        let git = self.staging.new_repository(self.program).map_err(io)?;
        let head = self.fetched(job, &git)?;
        let open = || gix::open(&git).map_err(|error| error.to_string());
        let mut repository = open()?;
        if repository.find_commit(job.pin).is_err() {
            moves::fetch_commit(self.program, &git, job.pin, self.depth(job).as_deref())?;
            repository = open()?;
        }
        let files = self.staging.place();
        fs::create_dir(&files).map_err(io)?;
        self.write_files(&repository, &git, job.pin, &files, &git.join("index"))?;
        self.write_heads(job, &git, &repository, head).map_err(io)?;
        let target = job.git_dir();
        let worktree = relative(&target, &job.files).into_string();
        self.staging.configure(&git.join("config"), &[("core", None, "worktree", worktree)]).map_err(io)?;
        fs::create_dir_all(target.parent().unwrap_or(&target)).map_err(io)?;
        fs::rename(&git, &target).map_err(|error| format!("`{target}` can't be made: {error}"))?;
        self.place_files(job, &files).map_err(io)?;
        Ok(SyncedTo::Cloned(job.pin.to_string()))
    }

    /// Fetches a new repository, with its remote configured.
    fn fetched(&self, job: &Job, git: &Utf8Path) -> std::result::Result<Head, String> {
        let config = git.join("config");
        let all = "+refs/heads/*:refs/remotes/origin/*";
        let origin = |spec: &str| -> [Setting<'_>; 2] {
            [("remote", Some("origin"), "url", job.url.clone()), ("remote", Some("origin"), "fetch", spec.to_owned())]
        };
        let set =
            |settings: &[Setting<'_>]| self.staging.configure(&config, settings).map_err(|error| error.to_string());
        set(&origin(all))?;
        let depth = self.depth(job);
        let mut own_words = String::new();
        if depth.is_none() && self.options.filter.is_none() {
            match clone::fetch_all(git.as_str(), &job.url) {
                Ok(head) => return Ok(head),
                Err(Unfetched::Silent) => return Err("the server said nothing for a minute".to_owned()),
                // Git tells what is wrong, or can do it.
                Err(Unfetched::Failed(why)) => own_words = why,
            }
        }
        let run = |arguments: &[&str]| self.program.run(git, &[&["--git-dir=."], arguments].concat());
        let told = run(&["ls-remote", "--symref", "origin", "HEAD"]);
        // Where there is no Git to tell why, we do.
        let told = told.map_err(|why| if why.contains("can't be started") { own_words } else { why })?;
        let head =
            told.lines().find_map(|line| Some(line.strip_prefix("ref: refs/heads/")?.split('\t').next()?.to_owned()));
        let commit = told.lines().find_map(|line| ObjectId::from_hex(line.split('\t').next()?.as_bytes()).ok());
        let head: Head = head.zip(commit);
        let mut fetch = vec!["fetch", "--quiet", "--no-write-fetch-head", "--recurse-submodules=no"];
        let filter = self.options.filter.map(|filter| format!("--filter={filter}"));
        if let Some(filter) = &filter {
            set(&[
                ("remote", Some("origin"), "promisor", "true".to_owned()),
                ("remote", Some("origin"), "partialclonefilter", filter["--filter=".len()..].to_owned()),
            ])?;
            fetch.push(filter);
        }
        let (pin, spec) = (
            job.pin.to_string(),
            head.as_ref().map(|(name, _)| format!("+refs/heads/{name}:refs/remotes/origin/{name}")),
        );
        match (&depth, &spec) {
            (Some(depth), Some(spec)) => {
                set(&origin(spec))?;
                let shallow = [&fetch[..], &["--depth", depth, "origin"]].concat();
                let with_pin = run(&[&shallow[..], &[spec, &pin]].concat());
                // Servers that give no commits by their names are asked for all of the branch, and then for all there is.
                with_pin.or_else(|_| run(&[&shallow[..], &[spec]].concat()))?;
            }
            _ => {
                run(&[&fetch[..], &["--tags", "origin", all]].concat())?;
            }
        }
        let _ = moves::note_fetched(git, job.pin);
        Ok(head)
    }

    fn depth(&self, job: &Job) -> Option<String> {
        let declared = job.declared.is_shallow.then_some(NonZeroU32::MIN);
        self.options.depth.or(declared).map(|depth| depth.to_string())
    }

    /// The files of a commit, by ourselves or by Git.
    fn write_files(
        &self,
        repository: &gix::Repository,
        git: &Utf8Path,
        commit: ObjectId,
        files: &Utf8Path,
        index: &Utf8Path,
    ) -> std::result::Result<(), String> {
        // What a partial clone lacks only Git fetches.
        let is_partial = repository.config_snapshot().string("remote.origin.promisor").is_some();
        let written = if is_partial { Ok(None) } else { files::write_files(repository, commit, files, index) };
        if let Ok(Some(())) = written {
            return Ok(());
        }
        let io = |error: std::io::Error| format!("it can't be written: {error}");
        fs::remove_dir_all(files).and_then(|()| fs::create_dir(files)).map_err(io)?;
        let _ = fs::remove_file(git.join("index"));
        let (git, tree, commit) = (format!("--git-dir={git}"), format!("--work-tree={files}"), commit.to_string());
        let arguments = [git.as_str(), &tree, "checkout", "--quiet", "--force", "--detach", &commit, "--"];
        self.program.run(files, &arguments).map(|_| ())
    }

    /// What a clone leaves of branches, and that the pin is checked out.
    fn write_heads(&self, job: &Job, git: &Utf8Path, repository: &gix::Repository, head: Head) -> std::io::Result<()> {
        fs::write(git.join("HEAD"), format!("{}\n", job.pin))?;
        let Some((branch, at)) = head else { return Ok(()) };
        // A name with which nothing is left to be done.
        let is_name = gix::refs::FullName::try_from(format!("refs/heads/{branch}")).is_ok();
        if !is_name || repository.find_commit(at).is_err() {
            return Ok(());
        }
        let write = |path: String, contents: String| {
            let path = git.join(path);
            fs::create_dir_all(path.parent().unwrap_or(git))?;
            fs::write(path, contents)
        };
        write(format!("refs/heads/{branch}"), format!("{at}\n"))?;
        write("refs/remotes/origin/HEAD".to_owned(), format!("ref: refs/remotes/origin/{branch}\n"))?;
        let tracking: [Setting<'_>; 2] = [
            ("branch", Some(&branch), "remote", "origin".to_owned()),
            ("branch", Some(&branch), "merge", format!("refs/heads/{branch}")),
        ];
        self.staging.configure(&git.join("config"), &tracking)?;
        // As Git's own logs have it, where it is known who does this.
        if let Some(Ok(who)) = repository.committer() {
            let who = format!("{} <{}> {}", who.name, who.email, who.time);
            let none = ObjectId::null(repository.object_hash());
            let begin = format!("{none} {at} {who}\tclone: from {}\n", shown_url(&job.url));
            write(format!("logs/refs/heads/{branch}"), begin.clone())?;
            write("logs/refs/remotes/origin/HEAD".to_owned(), begin.clone())?;
            write(
                "logs/HEAD".to_owned(),
                format!("{begin}{at} {} {who}\tcheckout: moving from {branch} to {}\n", job.pin, job.pin),
            )?;
        }
        Ok(())
    }

    /// Puts a folder of files where it is to be.
    fn place_files(&self, job: &Job, files: &Utf8Path) -> std::io::Result<()> {
        let gitlink = format!("gitdir: {}\n", relative(&job.files, &job.git_dir()));
        fs::write(files.join(".git"), gitlink)?;
        fs::create_dir_all(job.files.parent().unwrap_or(&job.top))?;
        // It replaces an empty folder, and no other.
        fs::rename(files, &job.files)
    }
}

/// What relative URLs of a repository's submodules are relative to: the URL of its remote, or where it is.
fn base_url(git: &gix::Repository, top: &Utf8Path) -> String {
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
