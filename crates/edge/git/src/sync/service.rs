//! One service, brought to its pin: where it is there already, where only its Git folder is, and where nothing is.

use super::moves::{self, Move};
use super::program::FETCH;
use super::staging::{Setting, relative};
use super::{Context, Job, SyncedTo, absolute, files};
use crate::partial::promisor;
use camino::Utf8Path;
use gix::ObjectId;
use gix::bstr::BStr;
use std::fs;
use std::num::NonZeroU32;

impl Context<'_> {
    /// Brings a service to its pin.
    pub(super) fn one(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
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
        moves::settle_begun(self.program, &git_dir, &self.staging.begun_of(&git_dir))?;
        self.set_url(&git_dir, job)?;
        let service = Move {
            program: self.program,
            files: &job.files,
            git_dir: git_dir.clone(),
            note: self.staging.note_of(&git_dir),
            or_else: self.or_else(),
        };
        service.complete(self.options.is_forced)?;
        let head = repository.head_id().ok().map(gix::Id::detach);
        if self.options.completes {
            self.completed(&repository, &git_dir)?;
        }
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

    /// A way back to the pins that keeps branches has no `--force`.
    fn or_else(&self) -> &'static str {
        if self.options.keeps_branches { "" } else { ", or `--force`" }
    }

    /// Gets the history and the objects that it lacks.
    fn completed(&self, repository: &gix::Repository, git_dir: &Utf8Path) -> std::result::Result<(), String> {
        let (remote, promisor) = (moves::remote_of(git_dir), promisor(repository));
        let is_shallow = git_dir.join("shallow").exists();
        let fetch = |more: &[&str]| {
            let all = format!("+refs/heads/*:refs/remotes/{remote}/*");
            self.noted_fetch(git_dir, || {
                self.program.run(git_dir, &[&["--git-dir=."], &FETCH[..], more, &["--tags", &remote, &all]].concat())
            })
        };
        if is_shallow {
            fetch(&["--unshallow"])?;
        }
        let Some(promisor) = promisor else { return Ok(()) };
        fetch(&["--refetch", "--no-filter"])?;
        for key in ["promisor", "partialclonefilter"] {
            // One that is not set is as it is to be.
            let _ =
                self.program.run(git_dir, &["--git-dir=.", "config", "--unset", &format!("remote.{promisor}.{key}")]);
        }
        Ok(())
    }

    /// Fetches the pin into a repository that is there.
    fn fetched_into(&self, job: &Job, git_dir: &Utf8Path) -> std::result::Result<(), String> {
        let depth = self.depth(job).map(NonZeroU32::get);
        self.noted_fetch(git_dir, || moves::fetch_commit(self.program, git_dir, job.pin, depth))
    }

    /// That a fetch has begun is noted, since Git leaves locks where it is killed.
    fn noted_fetch<T>(
        &self,
        git_dir: &Utf8Path,
        fetch: impl FnOnce() -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        let begun = self.staging.begun_of(git_dir);
        let in_words = |error: std::io::Error| format!("`{}`: {error}", begun.place());
        begun.note_in_passing(&None::<moves::Following>).map_err(in_words)?;
        let fetched = fetch();
        begun.forget().map_err(in_words)?;
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
        moves::settle_begun(self.program, &git_dir, &self.staging.begun_of(&git_dir))?;
        self.set_url(&git_dir, job)?;
        let worktree = relative(&git_dir, &job.files).into_string();
        let settings: [Setting<'_>; 1] = [("core", None, "worktree", worktree)];
        self.staging.configure(&git_dir.join("config"), &settings).map_err(io)?;
        let open = || gix::open(&git_dir).map_err(|error| format!("`{git_dir}` can't be read: {error}"));
        let mut repository = open()?;
        let head = repository.head_id().ok().map(gix::Id::detach);
        let is_detached = repository.head_name().ok().flatten().is_none();
        if let Some(head) = head.filter(|head| is_detached && *head != job.pin && !self.options.is_forced)
            && !moves::is_elsewhere(&repository, head)
        {
            return Err(format!(
                "its commit {} in `{git_dir}` is on no remote branch and no tag: push it{}",
                &head.to_string()[..8],
                self.or_else()
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

    pub(super) fn depth(&self, job: &Job) -> Option<NonZeroU32> {
        let is_shallow = job.declared.is_shallow && !self.options.completes;
        self.options.depth.or(is_shallow.then_some(NonZeroU32::MIN))
    }

    /// The files of a commit, by ourselves or by Git.
    pub(super) fn write_files(
        &self,
        repository: &gix::Repository,
        git: &Utf8Path,
        commit: ObjectId,
        files: &Utf8Path,
        index: &Utf8Path,
    ) -> std::result::Result<(), String> {
        // What a partial clone lacks only Git fetches.
        if let Ok(Some(())) = files::write_files(repository, commit, files, index) {
            return Ok(());
        }
        let io = |error: std::io::Error| format!("it can't be written: {error}");
        fs::remove_dir_all(files).and_then(|()| fs::create_dir(files)).map_err(io)?;
        let _ = fs::remove_file(git.join("index"));
        let (git, tree, commit) = (format!("--git-dir={git}"), format!("--work-tree={files}"), commit.to_string());
        let arguments = [git.as_str(), &tree, "checkout", "--quiet", "--force", "--detach", &commit, "--"];
        self.program.run(files, &arguments).map(|_| ())
    }

    /// Puts a folder of files where it is to be.
    pub(super) fn place_files(&self, job: &Job, files: &Utf8Path) -> std::io::Result<()> {
        let gitlink = format!("gitdir: {}\n", relative(&job.files, &job.git_dir()));
        fs::write(files.join(".git"), gitlink)?;
        fs::create_dir_all(job.files.parent().unwrap_or(&job.top))?;
        // It replaces an empty folder, and no other.
        fs::rename(files, &job.files)
    }
}
