//! Services that come and go: [`LocalRepository::add_service`], [`LocalRepository::remove_service`].
//!
//! Git itself writes what it keeps of them: the index, `.gitmodules`, whose other lines stay, and its configuration.

use super::moves::is_elsewhere;
use super::{Declared, Program, Staging, absolute, base_url, declared, failure};
use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use camino::{Utf8Path, Utf8PathBuf};
use gix::bstr::ByteSlice;
use onepane_diagnostics::{Diagnostic, Result};
use std::fs;

/// A service that is to come.
#[derive(Clone, Copy, Debug)]
pub struct NewService<'n> {
    /// Where it is from; it may be relative to the repository's own URL.
    pub url: &'n str,
    /// Where it is to be, below the top of the repository.
    pub path: &'n Utf8Path,
    /// The branch that it follows.
    pub branch: Option<&'n str>,
}

impl LocalRepository {
    /// Adds a service, as `git submodule add` does, and gives the commit that it is pinned to.
    ///
    /// # Errors
    /// `src-add` for what can't be a service, or not be fetched; `git-submodule`, `src-staging`.
    pub fn add_service(&self, new: NewService<'_>) -> Result<String> {
        let fail = |why: &str| {
            let why = without_credentials(why, new.url);
            Diagnostic::error("src-add", format!("`{}` ({}): {why}", new.path, shown_url(new.url)))
        };
        let staging = Staging::take(&absolute(self.git().git_dir())?)?;
        let program = Program { lock: Some(&staging.lock) };
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let known = declared::declared(&top)?;
        let one = Declared {
            name: new.path.to_string(),
            path: new.path.to_owned(),
            url: Some(new.url.to_owned()),
            ..Declared::default()
        };
        let mut names: std::collections::BTreeSet<String> = known.iter().map(|one| one.name.clone()).collect();
        if names.contains(&one.name) || known.iter().any(|known| known.path == one.path) {
            return Err(fail("there is a service of that name or path already"));
        }
        names.insert(one.name.clone());
        if let Some(why) = declared::refusal(&one, &names) {
            return Err(fail(&why));
        }
        if new.branch.is_some_and(|branch| branch.starts_with('-') || branch.chars().any(char::is_control)) {
            return Err(fail("its branch is no name of one"));
        }
        let url = declared::resolved(new.url, &base_url(self.git(), &top)).map_err(|why| fail(&why))?;
        declared::is_allowed(&url, &self.git().config_snapshot()).map_err(|why| fail(&why))?;
        let git_dir = absolute(self.git().git_dir())?.join("modules").join(&one.name);
        if git_dir.symlink_metadata().is_ok() {
            return Err(fail(&format!(
                "`{git_dir}` is left of one that was removed: delete it, if nothing in it is wanted"
            )));
        }
        let branch: Vec<&str> = new.branch.iter().flat_map(|branch| ["--branch", branch]).collect();
        let arguments = [&["submodule", "--quiet", "add"], &branch[..], &["--", new.url, new.path.as_str()]].concat();
        program.run(&top, &arguments).map_err(|why| fail(&why))?;
        program
            .run(&top.join(new.path), &["rev-parse", "HEAD"])
            .map(|id| id.trim().to_owned())
            .map_err(|why| fail(&why))
    }

    /// Removes the service at a path: its files, what the index, `.gitmodules` and the configuration have of it, and its Git
    /// folder.
    ///
    /// # Errors
    /// `src-remove` where something would be lost that is nowhere else, unless `is_forced`; `git-submodule`, `src-staging`.
    pub fn remove_service(&self, path: &Utf8Path, is_forced: bool) -> Result<()> {
        let fail = |why: &str| Diagnostic::error("src-remove", format!("`{path}`: {why}"));
        let staging = Staging::take(&absolute(self.git().git_dir())?)?;
        let program = Program { lock: Some(&staging.lock) };
        let top = absolute(self.git().workdir().unwrap_or(self.git().git_dir()))?;
        let services = declared::declared(&top)?;
        let one =
            services.iter().find(|one| one.path == path).ok_or_else(|| fail("`.gitmodules` has no such service"))?;
        if let Some(why) = &one.refused {
            return Err(failure(path, None, why));
        }
        let files = top.join(path);
        let git_dir = absolute(self.git().git_dir())?.join("modules").join(&one.name);
        if !is_forced {
            would_be_lost(&program, &files, &git_dir).map_err(|why| fail(&format!("{why}, or `--force`")))?;
        }
        // Git would refuse to change the file after it has removed the service's own.
        program
            .run(&top, &["diff", "--quiet", "--", ".gitmodules"])
            .map_err(|_| fail("`.gitmodules` has changes that are not in the index: `git add` or drop them first"))?;
        program
            .run(&top, &["submodule", "--quiet", "deinit", "--force", "--", path.as_str()])
            .map_err(|why| fail(&why))?;
        program.run(&top, &["rm", "--quiet", "--force", "--", path.as_str()]).map_err(|why| fail(&why))?;
        // Git keeps its folder, in case that it comes back.
        let gone = staging.place();
        match fs::rename(&git_dir, &gone) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(&error.to_string())),
            _ => {}
        }
        let above = git_dir.ancestors().skip(1).take_while(|above| above.file_name() != Some("modules"));
        // Those that others are in stay.
        above.for_each(|above| {
            let _ = fs::remove_dir(above);
        });
        Ok(())
    }
}

/// What is nowhere but here.
fn would_be_lost(program: &Program<'_>, files: &Utf8Path, git_dir: &Utf8Path) -> std::result::Result<(), String> {
    let repository = match gix::open(files) {
        Ok(repository) => {
            let told = program.run(files, &["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"])?;
            if let Some(file) = told.split('\0').find_map(|entry| entry.get(3..)) {
                return Err(format!("`{file}` is not committed: commit or remove it"));
            }
            repository
        }
        Err(_) if git_dir.join("HEAD").exists() => {
            gix::open(git_dir).map_err(|error| format!("`{git_dir}` can't be read: {error}"))?
        }
        Err(_) => return Ok(()),
    };
    let kept: Utf8PathBuf = absolute(repository.git_dir()).map_err(|error| error.message)?;
    let references = repository.references().map_err(|error| error.to_string())?;
    let branches = references.local_branches().map_err(|error| error.to_string())?.flatten();
    let branches = branches.map(|branch| (branch.name().shorten().to_str_lossy().into_owned(), branch));
    for (name, branch) in branches {
        let id = branch.into_fully_peeled_id().map_err(|error| error.to_string())?.detach();
        if !is_elsewhere(&repository, &kept, id) {
            return Err(format!("its branch `{name}` has commits that are on no remote branch and no tag: push them"));
        }
    }
    if let Ok(head) = repository.head_id()
        && !is_elsewhere(&repository, &kept, head.detach())
    {
        return Err(format!("its commit {} is on no remote branch and no tag: push it", &head.to_string()[..8]));
    }
    if repository.try_find_reference("refs/stash").is_ok_and(|stash| stash.is_some()) {
        return Err("it has a stash: drop or apply it".to_owned());
    }
    Ok(())
}
