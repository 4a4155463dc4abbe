//! A service of which nothing is there yet.

use super::clone::{self, Cloned, Head, Unfetched, Wanted};
use super::moves;
use super::program::FETCH;
use super::staging::{Setting, relative};
use super::{Context, Job, SyncedTo};
use crate::credentials::shown_url;
use camino::Utf8Path;
use gix::ObjectId;
use std::fs;
use std::num::NonZeroU32;

/// Git's filter that lets commits and tags through, so that how far services are from one another, what is pushed and what came
/// between two pins is known without a server. The files of the pin are asked for by themselves.
pub(super) const COMMITS_ONLY: &str = "tree:0";

const ALL_BRANCHES: &str = "+refs/heads/*:refs/remotes/origin/*";

impl Context<'_> {
    /// One of which nothing is there.
    pub(super) fn cloned(&self, job: &Job) -> std::result::Result<SyncedTo, String> {
        let io = |error: std::io::Error| format!("it can't be written: {error}");
        let git = self.staging.new_repository(self.program).map_err(io)?;
        let Cloned { head, is_partial } = self.fetched(job, &git)?;
        let (target, config) = (job.git_dir(), git.join("config"));
        self.write_config(job, &config, head.as_ref(), is_partial).map_err(io)?;
        let open = || gix::open(&git).map_err(|error| error.to_string());
        let mut repository = open()?;
        if repository.find_commit(job.pin).is_err() {
            moves::fetch_commit(self.program, &git, job.pin, self.depth(job).map(NonZeroU32::get))?;
            repository = open()?;
        }
        let files = self.staging.place();
        fs::create_dir(&files).map_err(io)?;
        self.write_files(&repository, &git, job.pin, &files, &git.join("index"))?;
        self.write_heads(job, &git, &repository, head).map_err(io)?;
        // Git would look for its files from here on.
        let worktree = relative(&target, &job.files).into_string();
        self.staging.configure_own(&config, &[("core", None, "worktree", worktree)]).map_err(io)?;
        fs::create_dir_all(target.parent().unwrap_or(&target)).map_err(io)?;
        fs::rename(&git, &target).map_err(|error| format!("`{target}` can't be made: {error}"))?;
        self.place_files(job, &files).map_err(io)?;
        Ok(SyncedTo::Cloned(job.pin.to_string()))
    }

    /// The remote, what of it is here, and the branch that follows it, as a clone of Git's leaves them.
    fn write_config(
        &self,
        job: &Job,
        config: &Utf8Path,
        head: Option<&(String, ObjectId)>,
        is_partial: bool,
    ) -> std::io::Result<()> {
        let spec = match (self.depth(job), head) {
            // The branch alone, where history is left out.
            (Some(_), Some((name, _))) => format!("+refs/heads/{name}:refs/remotes/origin/{name}"),
            _ => ALL_BRANCHES.to_owned(),
        };
        let mut settings: Vec<Setting<'_>> =
            vec![("remote", Some("origin"), "url", job.url.clone()), ("remote", Some("origin"), "fetch", spec)];
        if let (true, Some(filter)) = (is_partial, self.filter(job)) {
            settings.extend([
                ("core", None, "repositoryformatversion", "1".to_owned()),
                ("remote", Some("origin"), "promisor", "true".to_owned()),
                ("remote", Some("origin"), "partialclonefilter", filter.to_owned()),
            ]);
        }
        if let Some((branch, _)) = head.filter(|(branch, _)| is_branch(branch)) {
            settings.extend([
                ("branch", Some(branch.as_str()), "remote", "origin".to_owned()),
                ("branch", Some(branch.as_str()), "merge", format!("refs/heads/{branch}")),
            ]);
        }
        self.staging.configure_own(config, &settings)
    }

    /// What is left out of a new service until it is needed.
    fn filter(&self, job: &Job) -> Option<&str> {
        let has_all = self.options.completes || self.depth(job).is_some();
        self.options.filter.or((!has_all).then_some(COMMITS_ONLY))
    }

    /// Fetches a new repository.
    fn fetched(&self, job: &Job, git: &Utf8Path) -> std::result::Result<Cloned, String> {
        let depth = self.depth(job);
        let wanted = Wanted { url: job.url.clone(), pin: job.pin, filter: self.filter(job).map(str::to_owned), depth };
        let cloned = match clone::fetch_new(git.as_str(), &wanted, self.web) {
            Ok(cloned) => cloned,
            Err(Unfetched::Silent) => return Err("the server said nothing for a minute".to_owned()),
            // Git tells what is wrong, or can do it.
            Err(Unfetched::Failed(why)) => self.fetched_by_git(job, git, why)?,
        };
        if depth.is_some() {
            let _ = moves::note_fetched(git, job.pin);
        }
        Ok(cloned)
    }

    fn fetched_by_git(&self, job: &Job, git: &Utf8Path, own_words: String) -> std::result::Result<Cloned, String> {
        clone::clear(git.as_std_path()).map_err(|error| format!("it can't be written: {error}"))?;
        let config = git.join("config");
        self.write_config(job, &config, None, self.filter(job).is_some()).map_err(|error| error.to_string())?;
        let run = |arguments: &[&str]| self.program.run(git, &[&["--git-dir=."], arguments].concat());
        let told = run(&["ls-remote", "--symref", "origin", "HEAD"]);
        // Where there is no Git to tell why, we do.
        let told = told.map_err(|why| if why.contains("can't be started") { own_words } else { why })?;
        let head =
            told.lines().find_map(|line| Some(line.strip_prefix("ref: refs/heads/")?.split('\t').next()?.to_owned()));
        let commit = told.lines().find_map(|line| ObjectId::from_hex(line.split('\t').next()?.as_bytes()).ok());
        let head: Head = head.zip(commit);
        let filter = self.filter(job).map(|filter| format!("--filter={filter}"));
        let fetch = [&FETCH[..], &filter.as_deref().into_iter().collect::<Vec<_>>()].concat();
        match (self.depth(job), &head) {
            (Some(depth), Some((name, _))) => {
                let (depth, pin) = (depth.to_string(), job.pin.to_string());
                let spec = format!("+refs/heads/{name}:refs/remotes/origin/{name}");
                let shallow = [&fetch[..], &["--depth", &depth, "origin", &spec]].concat();
                let with_pin = run(&[&shallow[..], &[&pin]].concat());
                // Servers that give no commits by their names are asked for all of the branch, and then for all there is.
                with_pin.or_else(|_| run(&shallow))?;
            }
            _ => {
                run(&[&fetch[..], &["--tags", "origin", ALL_BRANCHES]].concat())?;
            }
        }
        Ok(Cloned { head, is_partial: filter.is_some() })
    }

    /// What a clone leaves of branches, and that the pin is checked out.
    fn write_heads(&self, job: &Job, git: &Utf8Path, repository: &gix::Repository, head: Head) -> std::io::Result<()> {
        fs::write(git.join("HEAD"), format!("{}\n", job.pin))?;
        let Some((branch, at)) = head else { return Ok(()) };
        if !is_branch(&branch) || repository.find_commit(at).is_err() {
            return Ok(());
        }
        let write = |path: String, contents: String| {
            let path = git.join(path);
            fs::create_dir_all(path.parent().unwrap_or(git))?;
            fs::write(path, contents)
        };
        write(format!("refs/heads/{branch}"), format!("{at}\n"))?;
        write("refs/remotes/origin/HEAD".to_owned(), format!("ref: refs/remotes/origin/{branch}\n"))?;
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
}

/// Whether it is a name with which nothing is left to be done.
fn is_branch(name: &str) -> bool {
    gix::refs::FullName::try_from(format!("refs/heads/{name}")).is_ok()
}
