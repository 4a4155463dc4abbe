//! A branch over several services at once: [`LocalRepository::switch`].

use super::moves::{self, Following, Move, is_elsewhere};
use super::new::COMMITS_ONLY;
use super::program::FETCH;
use super::{Declared, Program, Staging, absolute, declared, failure};
use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use crate::partial::promisor;
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use onepane_diagnostics::{Diagnostic, Result};
use rayon::prelude::*;
use std::fs;

/// The branch that services are brought to.
#[derive(Clone, Copy, Debug)]
pub struct SwitchOptions<'o> {
    /// Its name.
    pub branch: &'o str,
    /// Only the services at these paths; all that are checked out, where it is `None`.
    pub services: Option<&'o [Utf8PathBuf]>,
    /// Whether it begins where a service is that has it nowhere.
    pub is_created: bool,
    /// Whether servers are asked for it where this machine knows none.
    pub asks_servers: bool,
}

/// What became of a service.
#[derive(Clone, Debug)]
pub struct Switched {
    /// Where it is, below the top of the repository.
    pub path: Utf8PathBuf,
    /// What was done, or why nothing could be.
    pub outcome: Result<SwitchedTo>,
}

/// What was done with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchedTo {
    /// It was on the branch.
    WasThere,
    /// It is on its branch, which was there.
    Branch,
    /// It has the branch now, which follows this one of a remote.
    Tracking(String),
    /// It has the branch now, which begins where it was.
    Created,
    /// It has no such branch.
    HasNone,
    /// It is not checked out.
    NotHere,
    /// It is where it was before, since another one could not be brought to the branch.
    TakenBack,
}

impl LocalRepository {
    /// Brings the services that have a branch, here or on a remote, to it. Where one of them would lose something, none is
    /// touched; where one fails, the others are taken back.
    ///
    /// # Errors
    /// `src-checkout` for what is no name of a branch, `git-submodule`, `src-staging`. What is wrong with a service is its own
    /// outcome.
    pub fn switch(&self, options: SwitchOptions<'_>) -> Result<Vec<Switched>> {
        let branch = options.branch;
        if branch.starts_with('-') || gix::refs::FullName::try_from(format!("refs/heads/{branch}")).is_err() {
            return Err(Diagnostic::error("src-checkout", format!("`{branch}` is no name of a branch")));
        }
        let staging = Staging::take(&absolute(self.git().git_dir())?)?;
        self.settle(&staging)?;
        let program = Program { lock: Some(&staging.lock) };
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let mut services = declared::declared(&top)?;
        services.retain(|one| options.services.is_none_or(|chosen| chosen.contains(&one.path)));
        let told = |one: &Declared, why: String| {
            let url = one.url.clone().unwrap_or_default();
            failure(&one.path, Some(&shown_url(&url)), &without_credentials(&why, &url))
        };
        let run = Run { program: &program, staging: &staging, options };
        let plans: Vec<_> = services
            .par_iter()
            .map(|one| {
                let files = top.join(&one.path);
                let planned = match &one.refused {
                    Some(why) => Err(why.clone()),
                    None => run.planned(&files),
                };
                (one, files, planned.map_err(|why| told(one, why)))
            })
            .collect();
        if plans.iter().any(|(.., planned)| planned.is_err()) {
            plans.iter().for_each(|(_, files, _)| run.ended(files));
            let refused = |(one, _, planned): (&Declared, Utf8PathBuf, Result<Plan>)| {
                Some(Switched { path: one.path.clone(), outcome: Err(planned.err()?) })
            };
            return Ok(plans.into_iter().filter_map(refused).collect());
        }
        let done: Vec<_> = plans
            .into_par_iter()
            .filter_map(|(one, files, planned)| {
                let plan = planned.ok()?;
                let outcome = run.done(&files, &plan);
                Some((one, files, plan, outcome))
            })
            .collect();
        let has_failed = done.iter().any(|(.., outcome)| outcome.is_err());
        let outcome = |(one, files, plan, outcome): (&Declared, Utf8PathBuf, Plan, std::result::Result<(), String>)| {
            let outcome = match outcome {
                Ok(()) if !has_failed => {
                    run.widen(&files, &plan);
                    Ok(plan.to)
                }
                Ok(()) if !plan.is_change() => Ok(plan.to),
                Ok(()) => run.taken_back(&files, &plan).map(|()| SwitchedTo::TakenBack).map_err(|why| told(one, why)),
                Err(why) => {
                    let back = run.taken_back(&files, &plan);
                    Err(told(one, back.err().map_or_else(|| why.clone(), |back| format!("{why}; {back}"))))
                }
            };
            run.ended(&files);
            Switched { path: one.path.clone(), outcome }
        };
        Ok(done.into_par_iter().map(outcome).collect())
    }

    /// What moving services away from where they are would lose, by service; those at their pins and on a branch of theirs
    /// lose no commits.
    ///
    /// # Errors
    /// `git-submodule`, `src-staging`.
    pub fn at_stake(&self, services: Option<&[Utf8PathBuf]>) -> Result<Vec<Box<Diagnostic>>> {
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let mut declared = declared::declared(&top)?;
        declared.retain(|one| one.refused.is_none() && services.is_none_or(|chosen| chosen.contains(&one.path)));
        let index = self.git().index_or_empty().ok();
        let pin = |one: &Declared| index.as_ref()?.entry_by_path(one.path.as_str().into()).map(|entry| entry.id);
        let jobs: Vec<_> = declared.iter().map(|one| (one, pin(one))).collect();
        let program = Program { lock: None };
        let lost = |(one, pin): &(&Declared, Option<ObjectId>)| {
            let files = top.join(&one.path);
            let repository = gix::open(&files).ok()?;
            let head = repository.head_id().ok()?.detach();
            if Some(head) == *pin {
                return None;
            }
            let service = service(&program, &files, &repository).ok()?;
            let lost = service.at_stake(&repository, head, true).err()?;
            Some(failure(&one.path, None, &lost))
        };
        Ok(jobs.par_iter().filter_map(lost).collect())
    }
}

fn service<'m>(
    program: &'m Program<'m>,
    files: &'m Utf8Path,
    repository: &gix::Repository,
) -> std::result::Result<Move<'m>, String> {
    let git_dir = absolute(repository.git_dir()).map_err(|error| error.message)?;
    Ok(Move { program, files, git_dir: git_dir.clone(), note: git_dir, or_else: "" })
}

/// What is to be done with a service, and where it was before.
struct Plan {
    to: SwitchedTo,
    /// The commit that the branch is at.
    target: Option<ObjectId>,
    commit: Option<ObjectId>,
    branch: Option<String>,
}

impl Plan {
    fn is_change(&self) -> bool {
        matches!(self.to, SwitchedTo::Branch | SwitchedTo::Tracking(_) | SwitchedTo::Created)
    }
}

/// What holds for all services.
struct Run<'r> {
    program: &'r Program<'r>,
    staging: &'r Staging,
    options: SwitchOptions<'r>,
}

impl Run<'_> {
    fn service<'m>(
        &'m self,
        files: &'m Utf8Path,
        repository: &gix::Repository,
    ) -> std::result::Result<Move<'m>, String> {
        let service = service(self.program, files, repository)?;
        Ok(Move { note: self.staging.note_of(&service.git_dir), ..service })
    }

    /// Looks what is to be done with a service.
    fn planned(&self, files: &Utf8Path) -> std::result::Result<Plan, String> {
        let branch = self.options.branch;
        let as_it_is = |to| Ok(Plan { to, target: None, commit: None, branch: None });
        if files.join(".git").symlink_metadata().is_err() {
            return as_it_is(SwitchedTo::NotHere);
        }
        let open = || gix::open(files).map_err(|error| format!("what is there can't be read: {error}"));
        let mut repository = open()?;
        let service = self.service(files, &repository)?;
        let begun = self.staging.begun_of(&service.git_dir);
        if begun.is_noted() || service.note.exists() {
            // A killed one has left half of a move, locks, and a branch that follows nothing.
            moves::settle_begun(self.program, &service.git_dir, &begun)?;
            service.complete(false)?;
            repository = open()?;
        }
        let head = repository.head_id().ok().map(gix::Id::detach);
        let name = repository.head_name().ok().flatten();
        let name = name.map(|name| name.shorten().to_string());
        if name.as_deref() == Some(branch) {
            return as_it_is(SwitchedTo::WasThere);
        }
        let at = |name: &str| {
            let reference = repository.try_find_reference(name).ok().flatten()?;
            Some(reference.into_fully_peeled_id().ok()?.detach())
        };
        let begin = |following: Option<Following>| {
            begun.note_in_passing(&following).map_err(|error| format!("`{}`: {error}", begun.place()))
        };
        begin(None)?;
        let remote = moves::remote_of(&service.git_dir);
        let tracked = format!("refs/remotes/{remote}/{branch}");
        let (to, target) = if let Some(target) = at(&format!("refs/heads/{branch}")) {
            (SwitchedTo::Branch, Some(target))
        } else {
            if self.options.asks_servers {
                let spec = format!("+refs/heads/{branch}:{tracked}");
                let fetch = [&FETCH[..], &[&remote, &spec]].concat();
                match self.program.run(files, &fetch) {
                    Err(why) if !why.contains("couldn't find remote ref") => return Err(why),
                    _ => {}
                }
            }
            match at(&tracked) {
                Some(target) => {
                    begin(Some(Following { branch: branch.to_owned(), tracked }))?;
                    (SwitchedTo::Tracking(format!("{remote}/{branch}")), Some(target))
                }
                None if self.options.is_created => (SwitchedTo::Created, head),
                None => return as_it_is(SwitchedTo::HasNone),
            }
        };
        if let (Some(head), true) = (head, target != head) {
            let is_on_it = target.is_some_and(|target| {
                repository.rev_walk([head]).with_hidden([target]).all().is_ok_and(|mut rest| rest.next().is_none())
            });
            // What the branch has is not lost by going there.
            match is_on_it || is_elsewhere(&repository, head) {
                true => service.unchanged()?,
                false => service.at_stake(&repository, head, true)?,
            }
        }
        Ok(Plan { to, target, commit: head, branch: name })
    }

    /// Nothing is under way any more in a service.
    fn ended(&self, files: &Utf8Path) {
        let Some(repository) = gix::open(files).ok() else { return };
        if let Ok(service) = self.service(files, &repository) {
            // One that is left only has the next one look for locks.
            let _ = self.staging.begun_of(&service.git_dir).forget();
        }
    }

    fn done(&self, files: &Utf8Path, plan: &Plan) -> std::result::Result<(), String> {
        let branch = self.options.branch;
        let tracked;
        let arguments: &[&str] = match &plan.to {
            SwitchedTo::Branch => &["checkout", "--quiet", branch, "--"],
            SwitchedTo::Tracking(remote) => {
                tracked = format!("refs/remotes/{remote}");
                &["checkout", "--quiet", "-b", branch, "--track", &tracked, "--"]
            }
            SwitchedTo::Created => &["checkout", "--quiet", "-b", branch, "--no-track"],
            _ => return Ok(()),
        };
        match plan.target {
            Some(target) if plan.commit != Some(target) => {
                let repository = gix::open(files).map_err(|error| error.to_string())?;
                let service = self.service(files, &repository)?;
                let lock = service.git_dir.join("index.lock");
                if lock.exists() {
                    return Err(format!("`{lock}` is there: another Git is at work, or was killed and has left it"));
                }
                let moved = service.noted(plan.commit, &target.to_string(), arguments);
                if moved.is_err() {
                    // The one that has failed may have been killed.
                    let _ = fs::remove_file(lock);
                }
                moved
            }
            // No file is touched.
            _ => self.program.run(files, arguments).map(|_| ()),
        }
    }

    /// Brings a service back to where it was. That its files were as the commit has them has been looked at before, so that
    /// only half-written ones are lost.
    fn taken_back(&self, files: &Utf8Path, plan: &Plan) -> std::result::Result<(), String> {
        let repository = gix::open(files).map_err(|error| error.to_string())?;
        let service = self.service(files, &repository)?;
        let was = match (&plan.branch, plan.commit) {
            (Some(branch), _) => branch.clone(),
            (None, Some(commit)) => commit.to_string(),
            (None, None) => return Ok(()),
        };
        let back = || {
            let now = repository.head_name().ok().flatten().map(|name| name.shorten().to_string());
            let has_moved = now != plan.branch || repository.head_id().ok().map(gix::Id::detach) != plan.commit;
            let is_touched = match plan.target {
                Some(target) if plan.commit != Some(target) && !service.changed()?.is_empty() => {
                    service.only_halves(plan.commit, target)?;
                    true
                }
                _ => false,
            };
            if has_moved || is_touched {
                let force: &[&str] = if is_touched { &["--force"] } else { &[] };
                let detach: &[&str] = if plan.branch.is_none() { &["--detach"] } else { &[] };
                let arguments = [&["checkout", "--quiet"], force, detach, &[was.as_str(), "--"]].concat();
                self.program.run(files, &arguments)?;
            }
            let is_new = matches!(plan.to, SwitchedTo::Tracking(_) | SwitchedTo::Created);
            let name = format!("refs/heads/{}", self.options.branch);
            if is_new && repository.try_find_reference(&name).is_ok_and(|found| found.is_some()) {
                self.program.run(files, &["branch", "--quiet", "-D", "--", self.options.branch])?;
            }
            Ok(())
        };
        back().map_err(|why: String| {
            // Whoever comes next ends it.
            let noted = plan.commit.map(|commit| service.begin(plan.target, &commit.to_string()));
            let _ = (noted, fs::remove_file(service.git_dir.join("index.lock")));
            let branch = self.options.branch;
            format!("it may be on `{branch}` now, and could not be taken back to `{was}`, where it was: {why}")
        })
    }

    /// Gets the folders of all of the history of a service that somebody begins to work on, where a partial clone has left them
    /// out: Git would ask for each. Where that fails, it still does.
    fn widen(&self, files: &Utf8Path, plan: &Plan) {
        let widened = || {
            let repository = gix::open(files).ok().filter(|_| self.options.asks_servers && plan.is_change())?;
            let remote = promisor(&repository)?;
            let key = format!("remote.{remote}.partialclonefilter");
            let is_without_trees = repository.config_snapshot().string(key.as_str())? == COMMITS_ONLY;
            if !is_without_trees {
                return None;
            }
            self.program.run(files, &[&FETCH[..], &["--refetch", "--filter=blob:none", &remote]].concat()).ok()?;
            self.program.run(files, &["config", &key, "blob:none"]).ok()
        };
        widened();
    }
}
