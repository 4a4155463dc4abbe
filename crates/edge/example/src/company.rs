//! The example company: its files, then its history.

use crate::embedded;
use crate::error::Error;
use crate::git::{self, BRANCH};
use crate::place::{self, FreePath};
use git2::{Oid, Repository, RepositoryInitOptions};
use std::fs;
use std::path::{Path, PathBuf};

/// The services and the version that each is at.
const SERVICES: [(&str, &str); 3] = [("storefront", "2.1.0"), ("api", "1.4.2"), ("worker", "1.3.1")];

/// What [`commit`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// The first commit, in hexadecimal; the same for the same files and message.
    pub commit: String,
    /// The folder of bare repositories that the company's and its services' are clones of.
    pub origins: PathBuf,
    /// The submodules.
    pub services: Vec<Service>,
}

/// A service, which is a submodule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Where it is in the repository: `src/<name>`.
    pub path: String,
    /// The commit that the company's repository pins, in hexadecimal.
    pub pin: String,
}

/// Writes the company's files to `dir`, which is absent or empty, and returns how many there are. The charts are yet
/// to be rendered, the services yet to come; see [`commit`].
///
/// # Errors
/// When `dir` has something in it, or `<dir>.origins` does, or the disk refuses. Then nothing was written.
pub fn write_files(dir: &Path) -> Result<usize, Error> {
    let place = FreePath::new(dir)?;
    // Told now rather than after the caller's work.
    FreePath::new(&origins_of(place.path()))?;
    let files = embedded::shop();
    place.fill(|folder| place::write(folder, &files))?;
    Ok(files.len())
}

/// Makes what [`write_files`] wrote, and what the caller has added since, a Git repository with one commit. The
/// services become submodules in `src/<service>`; they and the repository itself are clones of bare repositories in
/// `<dir>.origins/`, to which the commit is pushed.
///
/// # Errors
/// When `dir` is a repository already, `<dir>.origins` has something in it, or the disk refuses. Then `dir` is as it
/// was.
pub fn commit(dir: &Path, message: &str) -> Result<Company, Error> {
    let dir = place::absolute(dir)?;
    if dir.join(".git").exists() {
        return Err(Error::AlreadyCommitted(dir));
    }
    let origins = FreePath::new(&origins_of(&dir))?;
    origins.fill(make_origins)?;
    make_repository(&dir, origins.path(), message).inspect_err(|_| {
        [dir.join(".git"), dir.join(".gitmodules"), dir.join("src")].iter().for_each(|path| place::remove(path));
        place::remove(origins.path());
    })
}

/// Where the origins of the repository in `dir` are.
fn origins_of(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".origins");
    dir.with_file_name(name)
}

/// The bare repositories: each service's with its sources in one commit and the version as a tag, the company's empty.
fn make_origins(folder: &Path) -> Result<(), Error> {
    for (name, version) in SERVICES {
        let path = folder.join(format!("{name}.git"));
        let make = || {
            let repository = git::init_bare(&path)?;
            let commit = git::commit_files(&repository, &embedded::service(name), &format!("{name} {version}\n"))?;
            repository.reference(&format!("refs/tags/v{version}"), commit, false, "")?;
            Ok(())
        };
        make().map_err(Error::git(&path))?;
    }
    let path = folder.join("shop.git");
    git::init_bare(&path).map_err(Error::git(&path))?;
    Ok(())
}

/// The repository in `dir`, with its submodules, committed and pushed.
fn make_repository(dir: &Path, origins: &Path, message: &str) -> Result<Company, Error> {
    let origin = origins.join("shop.git");
    let origin = origin.to_str().ok_or_else(|| Error::NotUtf8(origin.clone()))?;
    let in_git = Error::git(dir);
    let repository = git::init(dir, &mut RepositoryInitOptions::new()).map_err(&in_git)?;
    repository.remote("origin", origin).map_err(&in_git)?;

    let mut services = Vec::new();
    for (name, _) in SERVICES {
        let pin = add_submodule(&repository, name).map_err(&in_git)?;
        services.push(Service { name, path: submodule_path(name), pin: pin.to_string() });
    }
    // What libgit2 has written so far says the same, but not in the words of `git submodule add`.
    let modules = dir.join(".gitmodules");
    fs::write(&modules, gitmodules()).map_err(Error::write(&modules))?;

    let commit = commit_all(&repository, message).map_err(&in_git)?;
    push(&repository).map_err(&in_git)?;
    Ok(Company { commit: commit.to_string(), origins: origins.to_owned(), services })
}

/// Clones a service into `src/`, as `git submodule add` does, and returns the commit.
fn add_submodule(repository: &Repository, name: &str) -> Result<Oid, git2::Error> {
    let path = submodule_path(name);
    let mut submodule = repository.submodule(&submodule_url(name), Path::new(&path), true)?;
    let clone = submodule.clone(None)?;
    let pin = clone.head()?.peel_to_commit()?.id();
    submodule.add_finalize()?;
    Ok(pin)
}

/// Everything in the work tree as the first commit. Ignored files don't count, as nothing of the example is ignored.
fn commit_all(repository: &Repository, message: &str) -> Result<Oid, git2::Error> {
    let mut index = repository.index()?;
    // Each service is in the index already, as a pin.
    let mut except_services = |path: &Path, _: &[u8]| i32::from(path.starts_with("src"));
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, Some(&mut except_services))?;
    let tree = index.write_tree()?;
    index.write()?;
    git::commit_tree(repository, tree, &format!("{}\n", message.trim_end()))
}

/// Pushes the branch to the origin and follows it from then on.
fn push(repository: &Repository) -> Result<(), git2::Error> {
    let branch = format!("refs/heads/{BRANCH}");
    repository.find_remote("origin")?.push(&[format!("{branch}:{branch}")], None)?;
    repository.find_branch(BRANCH, git2::BranchType::Local)?.set_upstream(Some(&format!("origin/{BRANCH}")))
}

fn submodule_path(name: &str) -> String {
    format!("src/{name}")
}

/// Relative to the superproject's origin, so that a clone of that finds the services beside it.
fn submodule_url(name: &str) -> String {
    format!("../{name}.git")
}

/// `.gitmodules` as Git writes it.
fn gitmodules() -> String {
    SERVICES
        .map(|(name, _)| {
            let (path, url) = (submodule_path(name), submodule_url(name));
            format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n\tbranch = {BRANCH}\n")
        })
        .concat()
}
