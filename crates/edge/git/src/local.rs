//! The repository that a folder of this machine is in, at any of its revisions: [`LocalRepository`].

use crate::credentials::shown_urls;
use crate::partial::{fetch_tree, promisor};
use crate::services::{given, only_of_one};
use crate::tree::Tree;
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::{World, normalize};

/// A repository on this machine. Nothing of it is changed, and nothing is checked out.
pub struct LocalRepository {
    repository: gix::Repository,
    /// The folder that it was asked for, and its path in the repository.
    folder: Utf8PathBuf,
    prefix: Utf8PathBuf,
}

/// A commit, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its whole name.
    pub id: String,
    /// The first line of its message.
    pub title: String,
}

impl Commit {
    /// As much of its name as people write.
    pub fn short(&self) -> &str {
        short(&self.id)
    }
}

/// As much of a commit's name as people write.
pub fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

/// The commits from one to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Those that came, the newest first.
    pub ahead: Vec<Commit>,
    /// How many more there are of them than are listed.
    pub unlisted: usize,
    /// Whether some went, as when a pin goes back.
    pub goes_back: bool,
}

impl LocalRepository {
    /// The repository that `folder` is in.
    ///
    /// # Errors
    /// `git-repository` where there is none, or it can't be read.
    pub fn of(folder: &Utf8Path) -> Result<Self> {
        let fail = |why: String| {
            Diagnostic::error("git-repository", format!("`{folder}` is in no Git repository that can be read: {why}"))
        };
        let folder = folder.canonicalize_utf8().map_err(|error| fail(error.to_string()))?;
        let repository = gix::discover(&folder).map_err(|error| fail(error.to_string()))?;
        let top = repository.workdir().and_then(|top| Utf8Path::from_path(top)?.canonicalize_utf8().ok());
        let prefix = top.as_ref().and_then(|top| folder.strip_prefix(top).ok()).map(Utf8Path::to_owned);
        let prefix = prefix.ok_or_else(|| fail("it has no folder of files".to_owned()))?;
        Ok(Self { repository, folder, prefix })
    }

    /// The commit that a revision means, as Git reads it: `main`, `v1`, `HEAD~2`, `main@{yesterday}`.
    ///
    /// # Errors
    /// `git-reference` for what means no commit.
    pub fn commit(&self, revision: &str) -> Result<String> {
        let fail = || {
            let error = Diagnostic::error("git-reference", format!("`{revision}` is no revision of the repository"));
            match self.repository.is_shallow().unwrap_or_default() {
                true => error.hint("this clone is shallow: `git fetch --unshallow` has what came before"),
                false => error,
            }
        };
        let object = self.repository.rev_parse_single(BStr::new(revision)).map_err(|_| fail())?;
        let commit = object.object().map_err(|_| fail())?.peel_to_commit();
        Ok(commit.map_err(|_| fail())?.id.to_string())
    }

    /// What a commit says.
    ///
    /// # Errors
    /// `git-reference` where it can't be read.
    pub fn message(&self, commit: &str) -> Result<String> {
        let fail = |why: String| Diagnostic::error("git-reference", format!("{commit} can't be read: {why}"));
        let found = self.repository.find_commit(object(commit)?).map_err(|error| fail(error.to_string()))?;
        Ok(found.message_raw().map_err(|error| fail(error.to_string()))?.to_str_lossy().into_owned())
    }

    /// Who made a commit, and when it came to be where it is, in seconds since 1970.
    ///
    /// # Errors
    /// `git-reference` where it can't be read.
    pub fn author(&self, commit: &str) -> Result<(String, i64)> {
        let fail = |why: String| Diagnostic::error("git-reference", format!("{commit} can't be read: {why}"));
        let found = self.repository.find_commit(object(commit)?).map_err(|error| fail(error.to_string()))?;
        let author = found.author().map_err(|error| fail(error.to_string()))?.name.to_str_lossy().into_owned();
        let time = found.time().map_err(|error| fail(error.to_string()))?;
        Ok((author, time.seconds))
    }

    /// The commit that two have in common: what a branch began at.
    ///
    /// # Errors
    /// `git-reference` where there is none.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String> {
        let base = self.repository.merge_base(object(one)?, object(other)?).ok().flatten();
        let message = || format!("`{one}` and `{other}` have no commit in common on this machine");
        let base = base.ok_or_else(|| Diagnostic::error("git-reference", message()))?;
        Ok(base.to_string())
    }

    /// The files of the folder in a commit. Submodules are there where their commits are on this machine, and empty folders
    /// otherwise.
    ///
    /// # Errors
    /// `git-reference` where the folder is not in it.
    pub fn files(&self, commit: &str) -> Result<Tree> {
        let fail = |why: String| {
            Diagnostic::error("git-reference", format!("`{}` is not there in {commit}: {why}", self.prefix))
        };
        let found = self.repository.find_commit(object(commit)?).map_err(|error| fail(error.to_string()))?;
        let mut top = found.tree_id().map_err(|error| fail(error.to_string()))?.detach();
        if !self.prefix.as_str().is_empty() {
            if !self.repository.has_object(top) && promisor(&self.repository).is_some() {
                fetch_tree(&self.repository, top).map_err(|why| fail(shown_urls(&why)))?;
            }
            let tree = found.tree().map_err(|error| fail(error.to_string()))?;
            let entry = tree.lookup_entry_by_path(&self.prefix).map_err(|error| fail(error.to_string()))?;
            let entry = entry.ok_or_else(|| fail("the commit has no such folder".to_owned()))?;
            let below = entry.object().ok().and_then(|object| object.try_into_tree().ok());
            top = below.ok_or_else(|| fail("it is no folder".to_owned()))?.id;
        }
        let mut files = Tree::new(commit.to_owned(), self.repository.clone().into_sync(), top);
        for (path, pinned) in pins(&files) {
            let Some(submodule) = self.submodule(&path) else { continue };
            let id = submodule.find_commit(pinned).ok().and_then(|commit| commit.tree_id().ok()).map(gix::Id::detach);
            if let Some(id) = id {
                files.mount(path, submodule.into_sync(), id);
            }
        }
        Ok(files)
    }

    /// The addresses of its remotes; none for a folder that is not its top, since they mean all of it.
    pub fn addresses(&self) -> Vec<String> {
        if !self.prefix.as_str().is_empty() {
            return Vec::new();
        }
        let names = self.repository.remote_names().into_iter();
        let remotes = names.filter_map(|name| self.repository.find_remote(&*name).ok());
        let urls =
            remotes.filter_map(|remote| Some(remote.url(gix::remote::Direction::Fetch)?.to_bstring().to_string()));
        urls.collect()
    }

    /// The submodules below the folder in a commit, by path, and the commits that they are pinned to.
    pub fn pins(files: &Tree) -> Vec<(Utf8PathBuf, String)> {
        pins(files).into_iter().map(|(path, commit)| (path, commit.to_string())).collect()
    }

    /// The commits that the submodules which `.gitmodules` names are at on disk.
    pub fn pins_on_disk(&self, world: &dyn World) -> Vec<(Utf8PathBuf, String)> {
        let at = |path: Utf8PathBuf| Some((path.clone(), self.submodule(&path)?.head_id().ok()?.to_string()));
        paths(world).into_iter().filter_map(at).collect()
    }

    /// The submodules that `.gitmodules` names, and the commits that the index pins them to: what a commit made now would
    /// have. `None` for one that nothing is pinned for.
    pub fn pins_in_index(&self, world: &dyn World) -> Vec<(Utf8PathBuf, Option<String>)> {
        let index = self.repository.index_or_empty().ok();
        let pinned = |path: &Utf8Path| {
            let path = self.prefix.join(path);
            let entry = index.as_ref()?.entry_by_path(BStr::new(path.as_str()))?;
            (entry.mode == gix::index::entry::Mode::COMMIT).then(|| entry.id.to_string())
        };
        paths(world).into_iter().map(|path| (path.clone(), pinned(&path))).collect()
    }

    /// Whether a commit of a submodule is on a remote branch or a tag of it, as far as this machine knows; `None` where the
    /// submodule is not checked out or has no remote branches.
    pub fn is_pushed(&self, submodule: &Utf8Path, commit: &str) -> Option<bool> {
        let repository = self.submodule(submodule)?;
        let commit = object(commit).ok()?;
        if repository.find_commit(commit).is_err() {
            // It is elsewhere, or nowhere: whoever pinned it had it.
            return None;
        }
        let references = repository.references().ok()?;
        let all = references.remote_branches().ok()?.chain(references.tags().ok()?);
        let mut tips: Vec<ObjectId> =
            all.flatten().filter_map(|reference| Some(reference.into_fully_peeled_id().ok()?.detach())).collect();
        tips.extend(given(&repository));
        if tips.is_empty() {
            return None;
        }
        // It is reachable if nothing is left of it without what the tips have.
        let rest = repository.rev_walk([commit]).with_hidden(tips).all().ok()?;
        Some(rest.take(1).count() == 0)
    }

    /// The commits of a submodule from one to another, `most` of them by name; `None` where they are not on this machine.
    pub fn range(&self, submodule: &Utf8Path, from: &str, to: &str, most: usize) -> Option<Range> {
        range(&self.submodule(submodule)?, from, to, most)
    }

    /// The files that the index has, below the folder, links and submodules left out.
    pub fn tracked_files(&self) -> Vec<Utf8PathBuf> {
        let Ok(index) = self.repository.index_or_empty() else { return Vec::new() };
        let entries = index.entries().iter().filter(|entry| {
            matches!(entry.mode, gix::index::entry::Mode::FILE | gix::index::entry::Mode::FILE_EXECUTABLE)
        });
        let below = |entry: &gix::index::Entry| {
            let path = Utf8Path::new(entry.path(&index).to_str().ok()?);
            path.strip_prefix(&self.prefix).ok().map(Utf8Path::to_owned)
        };
        entries.filter_map(below).collect()
    }

    /// The commit of a submodule that an image's tag stands for: one of the submodule's tags, with or without `v` before it,
    /// or a commit by the start of its name.
    pub fn commit_of_tag(&self, submodule: &Utf8Path, tag: &str) -> Option<String> {
        commit_of_tag(&self.submodule(submodule)?, tag)
    }

    /// The tags that a commit of a submodule has, by name.
    pub fn tags_of_commit(&self, submodule: &Utf8Path, commit: &str) -> Vec<String> {
        let Some(repository) = self.submodule(submodule) else { return Vec::new() };
        let Ok(references) = repository.references() else { return Vec::new() };
        let (Ok(tags), Ok(commit)) = (references.tags(), object(commit)) else { return Vec::new() };
        let name = |reference: gix::Reference<'_>| {
            let name = reference.name().shorten().to_str_lossy().into_owned();
            (reference.into_fully_peeled_id().ok()?.detach() == commit).then_some(name)
        };
        tags.flatten().filter_map(name).collect()
    }

    /// The commit that a revision of a submodule means, a branch of its remote as well; what is checked out for none.
    ///
    /// # Errors
    /// `src-revision` where it means none, or the submodule is not checked out.
    pub fn commit_in(&self, submodule: &Utf8Path, revision: &str) -> Result<String> {
        let fail = |why: &str| Diagnostic::error("src-revision", format!("{submodule}: {why}"));
        let repository = self
            .submodule(submodule)
            .ok_or_else(|| fail("it is not checked out").hint("`onepane src sync` checks it out"))?;
        let names = match revision {
            "" => vec!["HEAD".to_owned()],
            // What a remote has of a branch is newer than what is here.
            revision => vec![format!("refs/remotes/origin/{revision}"), revision.to_owned()],
        };
        let commit = names.iter().find_map(|name| {
            let object = repository.rev_parse_single(BStr::new(name.as_str())).ok()?.object().ok()?;
            Some(object.peel_to_commit().ok()?.id.to_string())
        });
        commit.ok_or_else(|| {
            fail(&format!("`{revision}` is no commit, tag or branch that is on this machine"))
                .hint(format!("`git -C {submodule} fetch` brings what is new"))
        })
    }

    pub(crate) fn git(&self) -> &gix::Repository {
        &self.repository
    }

    /// The folder that it was asked for.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Where the folder is in the repository.
    pub(crate) fn prefix(&self) -> &Utf8Path {
        &self.prefix
    }

    pub(crate) fn submodule(&self, path: &Utf8Path) -> Option<gix::Repository> {
        gix::open(self.folder.join(path)).ok()
    }
}

/// The commits of a repository from one to another, `most` of them by name.
pub(crate) fn range(repository: &gix::Repository, from: &str, to: &str, most: usize) -> Option<Range> {
    let (from, to) = (object(from).ok()?, object(to).ok()?);
    repository.find_commit(from).ok()?;
    let mut range = Range { goes_back: !only_of_one(repository, from, to)?.is_empty(), ..Range::default() };
    for id in only_of_one(repository, to, from)? {
        let commit = repository.find_commit(id).ok()?;
        if range.ahead.len() == most {
            range.unlisted += 1;
            continue;
        }
        let title = commit.message_raw().ok()?.lines().next().unwrap_or_default().to_str_lossy().into_owned();
        range.ahead.push(Commit { id: commit.id.to_string(), title });
    }
    Some(range)
}

/// The commit that an image's tag stands for.
pub(crate) fn commit_of_tag(repository: &gix::Repository, tag: &str) -> Option<String> {
    let by_tag = |name: &str| {
        let reference = repository.find_reference(&format!("refs/tags/{name}")).ok()?;
        Some(reference.into_fully_peeled_id().ok()?.to_string())
    };
    let by_name = || {
        let is_name = (7..=40).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = is_name.then(|| repository.rev_parse_single(BStr::new(tag)).ok()).flatten()?;
        Some(id.object().ok()?.peel_to_commit().ok()?.id.to_string())
    };
    by_tag(tag).or_else(|| by_tag(&format!("v{tag}"))).or_else(by_name)
}

pub(crate) fn object(name: &str) -> Result<ObjectId> {
    ObjectId::from_hex(name.as_bytes())
        .map_err(|error| Diagnostic::error("git-reference", format!("`{name}` is no commit: {error}")))
}

fn pins(files: &Tree) -> Vec<(Utf8PathBuf, ObjectId)> {
    paths(files).into_iter().filter_map(|path| Some((path.clone(), files.pinned(&path)?))).collect()
}

/// The paths in `.gitmodules`. One that can't be read has none: what needs it will say so.
fn paths(world: &dyn World) -> Vec<Utf8PathBuf> {
    let Ok(text) = world.read(".gitmodules".into()) else { return Vec::new() };
    let Ok(config) = gix::config::File::try_from(BStr::new(&*text)) else { return Vec::new() };
    let sections = config.sections_by_name("submodule").into_iter().flatten();
    let mut paths: Vec<Utf8PathBuf> = sections
        .filter_map(|section| Some(normalize(String::from_utf8_lossy(&section.value("path")?).as_ref().into())))
        // Nothing outside is anybody's submodule.
        .filter(|path| path.is_relative() && !path.starts_with(".."))
        .collect();
    paths.sort();
    paths
}
