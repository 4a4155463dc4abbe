//! A branch over several services at once: [`LocalRepository::switch`].

use super::moves::{self, Move, is_elsewhere};
use super::{Declared, Program, Staging, absolute, declared, failure};
use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use onepane_diagnostics::{Diagnostic, Result};
use rayon::prelude::*;

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
}

impl LocalRepository {
    /// Brings the services that have a branch, here or on a remote, to it. Where one of them would lose something, none is
    /// touched.
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
        let program = Program { lock: Some(&staging.lock) };
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let mut services = declared::declared(&top)?;
        services.retain(|one| options.services.is_none_or(|chosen| chosen.contains(&one.path)));
        let told = |one: &Declared, why: String| {
            let url = one.url.clone().unwrap_or_default();
            failure(&one.path, Some(&shown_url(&url)), &without_credentials(&why, &url))
        };
        let plans: Vec<_> = services
            .par_iter()
            .map(|one| {
                let files = top.join(&one.path);
                let planned = match &one.refused {
                    Some(why) => Err(why.clone()),
                    None => planned(&program, &files, options),
                };
                (one, files, planned.map_err(|why| told(one, why)))
            })
            .collect();
        let is_refused = plans.iter().any(|(.., planned)| planned.is_err());
        let outcome = |(one, files, planned): (&Declared, Utf8PathBuf, Result<SwitchedTo>)| {
            let outcome = match planned {
                Ok(plan) if !is_refused => done(&program, &files, branch, plan).map_err(|why| told(one, why)),
                other => other,
            };
            Switched { path: one.path.clone(), outcome }
        };
        let mut all: Vec<Switched> = plans.into_par_iter().map(outcome).collect();
        if is_refused {
            all.retain(|one| one.outcome.is_err());
        }
        Ok(all)
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
    // No move is noted: Git does this one in one go.
    Ok(Move { program, files, git_dir: git_dir.clone(), note: git_dir })
}

/// What is to be done with a service.
fn planned(
    program: &Program<'_>,
    files: &Utf8Path,
    options: SwitchOptions<'_>,
) -> std::result::Result<SwitchedTo, String> {
    let branch = options.branch;
    if files.join(".git").symlink_metadata().is_err() {
        return Ok(SwitchedTo::NotHere);
    }
    let repository = gix::open(files).map_err(|error| format!("what is there can't be read: {error}"))?;
    let head = repository.head_id().ok().map(gix::Id::detach);
    let name = repository.head_name().ok().flatten();
    if name.is_some_and(|name| name.as_bstr() == format!("refs/heads/{branch}").as_str()) {
        return Ok(SwitchedTo::WasThere);
    }
    let at = |name: &str| {
        let reference = repository.try_find_reference(name).ok().flatten()?;
        Some(reference.into_fully_peeled_id().ok()?.detach())
    };
    let remote = moves::remote_of(&absolute(repository.git_dir()).map_err(|error| error.message)?);
    let tracked = format!("refs/remotes/{remote}/{branch}");
    let (plan, target) = if let Some(target) = at(&format!("refs/heads/{branch}")) {
        (SwitchedTo::Branch, Some(target))
    } else {
        if options.asks_servers {
            let spec = format!("+refs/heads/{branch}:{tracked}");
            let fetch = ["fetch", "--quiet", "--no-write-fetch-head", "--recurse-submodules=no", &remote, &spec];
            match program.run(files, &fetch) {
                Err(why) if !why.contains("couldn't find remote ref") => return Err(why),
                _ => {}
            }
        }
        match at(&tracked) {
            Some(target) => (SwitchedTo::Tracking(format!("{remote}/{branch}")), Some(target)),
            None if options.is_created => (SwitchedTo::Created, head),
            None => return Ok(SwitchedTo::HasNone),
        }
    };
    if let (Some(head), true) = (head, target != head) {
        let service = service(program, files, &repository)?;
        let is_on_it = target.is_some_and(|target| {
            repository.rev_walk([head]).with_hidden([target]).all().is_ok_and(|mut rest| rest.next().is_none())
        });
        // What the branch has is not lost by going there.
        match is_on_it || is_elsewhere(&repository, &service.git_dir, head) {
            true => service.unchanged()?,
            false => service.at_stake(&repository, head, true)?,
        }
    }
    Ok(plan)
}

fn done(
    program: &Program<'_>,
    files: &Utf8Path,
    branch: &str,
    plan: SwitchedTo,
) -> std::result::Result<SwitchedTo, String> {
    match &plan {
        SwitchedTo::WasThere | SwitchedTo::HasNone | SwitchedTo::NotHere => {}
        SwitchedTo::Branch => {
            program.run(files, &["checkout", "--quiet", branch, "--"])?;
        }
        SwitchedTo::Tracking(remote) => {
            program.run(
                files,
                &["checkout", "--quiet", "-b", branch, "--track", &format!("refs/remotes/{remote}"), "--"],
            )?;
        }
        SwitchedTo::Created => {
            program.run(files, &["checkout", "--quiet", "-b", branch, "--no-track"])?;
        }
    }
    Ok(plan)
}
