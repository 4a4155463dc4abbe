//! Services that come and go: [`LocalRepository::add_service`], [`LocalRepository::remove_service`].
//!
//! Git itself writes what it keeps of them: the index, `.gitmodules`, whose other lines stay, and its configuration.

use super::moves::is_elsewhere;
use super::{Declared, Program, Staging, absolute, base_url, declared, failure};
use crate::credentials::{shown_url, without_credentials};
use crate::local::LocalRepository;
use camino::Utf8Path;
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
        self.settle(&staging)?;
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
        let index = self.git().index_or_empty().map_err(|error| fail(&error.to_string()))?;
        let below = format!("{}/", new.path);
        let is_taken = |entry: &gix::index::Entry| {
            let path = entry.path(&index);
            path == new.path.as_str() || path.starts_with(below.as_bytes())
        };
        if index.entries().iter().any(is_taken) {
            return Err(fail("the index has files there already"));
        }
        let has_files = top.join(new.path).read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some());
        self.note_membership(&one.name, new.path, false, has_files)?;
        let branch: Vec<&str> = new.branch.iter().flat_map(|branch| ["--branch", branch]).collect();
        let arguments =
            [&["submodule", "add", "--progress"], &branch[..], &["--", new.url, new.path.as_str()]].concat();
        let added =
            program.run(&top, &arguments).and_then(|_| program.run(&top.join(new.path), &["rev-parse", "HEAD"]));
        match added {
            Ok(id) => self.forget_membership().map(|()| id.trim().to_owned()),
            Err(why) => {
                // Git leaves what it has done so far.
                let settled = self.settle(&staging);
                Err(fail(&settled.err().map_or_else(|| why.clone(), |error| format!("{why}; {}", error.message))))
            }
        }
    }

    /// Removes the service at a path: its files, what the index, `.gitmodules` and the configuration have of it, and its Git
    /// folder.
    ///
    /// # Errors
    /// `src-remove` where something would be lost that is nowhere else, unless `is_forced`; `git-submodule`, `src-staging`.
    pub fn remove_service(&self, path: &Utf8Path, is_forced: bool) -> Result<()> {
        let fail = |why: &str| Diagnostic::error("src-remove", format!("`{path}`: {why}"));
        let staging = Staging::take(&absolute(self.git().git_dir())?)?;
        self.settle(&staging)?;
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
        self.note_membership(&one.name, path, true, true)?;
        let begun = |why: &str| fail(&format!("{why}; the next `src` command ends what was begun"));
        program
            .run(&top, &["submodule", "--quiet", "deinit", "--force", "--", path.as_str()])
            .map_err(|why| begun(&why))?;
        program.run(&top, &["rm", "--quiet", "--force", "--", path.as_str()]).map_err(|why| begun(&why))?;
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
        self.forget_membership()
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
    let references = repository.references().map_err(|error| error.to_string())?;
    let branches = references.local_branches().map_err(|error| error.to_string())?.flatten();
    let branches = branches.map(|branch| (branch.name().shorten().to_str_lossy().into_owned(), branch));
    for (name, branch) in branches {
        let id = branch.into_fully_peeled_id().map_err(|error| error.to_string())?.detach();
        if !is_elsewhere(&repository, id) {
            return Err(format!("its branch `{name}` has commits that are on no remote branch and no tag: push them"));
        }
    }
    if let Ok(head) = repository.head_id()
        && !is_elsewhere(&repository, head.detach())
    {
        return Err(format!("its commit {} is on no remote branch and no tag: push it", &head.to_string()[..8]));
    }
    if repository.try_find_reference("refs/stash").is_ok_and(|stash| stash.is_some()) {
        return Err("it has a stash: drop or apply it".to_owned());
    }
    Ok(())
}
