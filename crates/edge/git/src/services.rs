//! The services of a repository, which are its submodules, as they are on this machine: [`LocalRepository::services`].

use crate::checkout::Index;
use crate::local::LocalRepository;
use crate::sync::{base_url, resolved};
use crate::untouched::is_untouched;
use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::remote::Direction;
use onepane_world::{World, normalize};
use rayon::prelude::*;
use std::io::Write;

/// A submodule that `.gitmodules` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What `.gitmodules` calls it.
    pub name: String,
    /// Where it is below the folder.
    pub path: Utf8PathBuf,
    /// Where it is from; without a password.
    pub url: Option<String>,
    /// The branch that it follows, if `.gitmodules` says so.
    pub branch: Option<String>,
    /// The commit that the repository's last commit pins it to.
    pub committed: Option<String>,
    /// The commit that the index pins it to: what a commit made now would have.
    pub pinned: Option<String>,
    /// What is checked out; `None` where nothing is.
    pub here: Option<CheckedOut>,
}

/// What is checked out of a submodule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedOut {
    /// The commit.
    pub commit: String,
    /// The branch that it is on, if it is on one.
    pub branch: Option<String>,
    /// A tag of that commit; the last by name of several.
    pub tag: Option<String>,
    /// Whether tracked files are not what the commit has.
    pub is_dirty: bool,
    /// How far it is from the pin; `None` where the pin's commit is not on this machine.
    pub from_pin: Option<Distance>,
    /// The remote branch that its branch, or else the service, follows, and how far it is from that.
    pub upstream: Option<(String, Distance)>,
    /// Whether the commit is on a remote branch or a tag, as far as this machine knows.
    pub is_pushed: Option<bool>,
}

/// How far a commit is from another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// Commits that it has and the other one has not.
    pub ahead: usize,
    /// Commits that the other one has and it has not.
    pub behind: usize,
}

impl LocalRepository {
    /// The submodules that `.gitmodules` names, by path, as they are on this machine. Nothing is asked of any server.
    pub fn services(&self, world: &dyn World) -> Vec<Service> {
        let mut services = self.listed_services(world);
        let folder = self.folder();
        services.par_iter_mut().for_each(|service| service.here = CheckedOut::of(folder, service));
        services
    }

    /// The same without what is checked out of them, for which each would have to be looked at.
    pub fn listed_services(&self, world: &dyn World) -> Vec<Service> {
        let Ok(text) = world.read(".gitmodules".into()) else { return Vec::new() };
        let Ok(config) = gix::config::File::try_from(BStr::new(&*text)) else { return Vec::new() };
        let index = self.git().index_or_empty().ok();
        let committed = self.git().head_tree().ok();
        let mut services: Vec<Service> = Vec::new();
        for section in config.sections_by_name("submodule").into_iter().flatten() {
            let value = |key| section.value(key).map(|value| value.to_str_lossy().into_owned());
            let Some(path) = value("path").map(|path| normalize(path.as_str().into())) else { continue };
            // Nothing outside is anybody's submodule.
            if path.is_absolute() || path.starts_with("..") || path.as_str().is_empty() {
                continue;
            }
            let name = section.header().subsection_name().map(|name| name.to_str_lossy().into_owned());
            let in_repository = self.prefix().join(&path);
            let entry = index.as_ref().and_then(|index| index.entry_by_path(BStr::new(in_repository.as_str())));
            let pinned = entry.filter(|entry| entry.mode == gix::index::entry::Mode::COMMIT).map(|entry| entry.id);
            let committed = committed.as_ref().and_then(|tree| tree.lookup_entry_by_path(&in_repository).ok()?);
            let committed = committed.filter(|entry| entry.mode().is_commit()).map(|entry| entry.object_id());
            services.push(Service {
                name: name.unwrap_or_else(|| path.to_string()),
                path,
                url: value("url").map(|url| crate::credentials::shown_url(&url)),
                branch: value("branch"),
                committed: committed.map(|id| id.to_string()),
                pinned: pinned.map(|id| id.to_string()),
                here: None,
            });
        }
        services.sort_by(|a, b| a.path.cmp(&b.path));
        services.dedup_by(|a, b| a.path == b.path);
        services
    }
}

impl LocalRepository {
    /// Where a service is from, also where `.gitmodules` says so from where this repository is.
    pub fn service_url(&self, service: &Service) -> Option<String> {
        let base = base_url(self.git(), self.folder());
        resolved(service.url.as_deref()?, &base).ok()
    }
}

impl CheckedOut {
    fn of(folder: &Utf8Path, service: &Service) -> Option<Self> {
        let folder = folder.join(&service.path);
        let mut repository = gix::open(&folder).ok()?;
        // The walks of one repository go over the same commits.
        repository.object_cache_size_if_unset(1 << 20);
        let head = repository.head_id().ok()?.detach();
        let name = repository.head_name().ok().flatten();
        let branch = name.as_ref().map(|name| name.shorten().to_str_lossy().into_owned());
        let tips = tips(&repository);
        let tag = tips.iter().filter(|tip| tip.id == head).filter_map(|tip| tip.tag.clone()).max();
        let pin = service.pinned.as_ref().and_then(|pin| ObjectId::from_hex(pin.as_bytes()).ok());
        let upstream = match &name {
            Some(name) => repository
                .branch_remote_tracking_ref_name(name.as_ref(), Direction::Fetch)
                .and_then(Result::ok)
                .map(|name| name.shorten().to_str_lossy().into_owned()),
            None => service.branch.as_ref().map(|branch| format!("origin/{branch}")),
        };
        let upstream = upstream.or_else(|| {
            // What the remote calls its own.
            let default = repository.find_reference("refs/remotes/origin/HEAD").ok()?;
            Some(default.target().try_name()?.shorten().to_str_lossy().into_owned())
        });
        let upstream = upstream.and_then(|name| {
            let tip = tips.iter().find(|tip| tip.remote.as_deref() == Some(&*name))?;
            Some((name, Distance::between(&repository, head, tip.id)?))
        });
        let mut ids: Vec<ObjectId> = tips.iter().map(|tip| tip.id).collect();
        ids.extend(given(&repository));
        let is_pushed = match () {
            () if ids.is_empty() => None,
            () if ids.contains(&head) => Some(true),
            () => repository.rev_walk([head]).with_hidden(ids).all().ok().map(|rest| rest.take(1).count() == 0),
        };
        Some(Self {
            commit: head.to_string(),
            branch,
            tag,
            is_dirty: is_dirty(&repository, &folder),
            from_pin: pin.and_then(|pin| Distance::between(&repository, head, pin)),
            upstream,
            is_pushed,
        })
    }
}

impl Distance {
    /// How far `one` is from `other`; `None` where not both are on this machine.
    fn between(repository: &gix::Repository, one: ObjectId, other: ObjectId) -> Option<Self> {
        if one == other {
            return Some(Self::default());
        }
        repository.find_commit(other).ok()?;
        let count = |tip, hidden| Some(only_of_one(repository, tip, hidden)?.len());
        Some(Self { ahead: count(one, other)?, behind: count(other, one)? })
    }
}

/// The commits that `tip` has and `hidden` has not, the newest first; `None` where the history that is here ends before it is
/// known, as in a shallow clone.
pub(crate) fn only_of_one(repository: &gix::Repository, tip: ObjectId, hidden: ObjectId) -> Option<Vec<ObjectId>> {
    let walk = repository.rev_walk([tip]).with_hidden([hidden]).all().ok()?;
    let commits: Vec<ObjectId> = walk.map(|info| info.ok().map(|info| info.id)).collect::<Option<_>>()?;
    let ends = repository.shallow_commits().ok().flatten();
    let is_end = |commit: &ObjectId| ends.as_ref().is_some_and(|ends| ends.contains(commit));
    (!commits.iter().any(is_end)).then_some(commits)
}

/// The commits that a server gave by their names, though no branch and no tag of it has them, as its Git folder notes them.
const GIVEN: &str = "onepane-fetched";

/// Those commits that are here.
pub(crate) fn given(repository: &gix::Repository) -> Vec<ObjectId> {
    let text = std::fs::read_to_string(repository.git_dir().join(GIVEN)).unwrap_or_default();
    let ids = text.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok());
    ids.filter(|id| repository.has_object(*id)).collect()
}

/// Notes one of them.
pub(crate) fn note_given(git_dir: &Utf8Path, commit: ObjectId) -> std::io::Result<()> {
    let mut file = std::fs::File::options().create(true).append(true).open(git_dir.join(GIVEN))?;
    file.write_all(format!("{commit}\n").as_bytes())
}

/// A remote branch or a tag.
pub(crate) struct Tip {
    pub(crate) id: ObjectId,
    /// `origin/main`
    remote: Option<String>,
    tag: Option<String>,
}

pub(crate) fn tips(repository: &gix::Repository) -> Vec<Tip> {
    let Ok(references) = repository.references() else { return Vec::new() };
    let mut tips = Vec::new();
    let mut add = |reference: gix::Reference<'_>, is_tag: bool| {
        let name = reference.name().shorten().to_str_lossy().into_owned();
        let Ok(id) = reference.into_fully_peeled_id() else { return };
        let (remote, tag) = if is_tag { (None, Some(name)) } else { (Some(name), None) };
        tips.push(Tip { id: id.detach(), remote, tag });
    };
    if let Ok(branches) = references.remote_branches() {
        branches.flatten().for_each(|reference| add(reference, false));
    }
    if let Ok(tags) = references.tags() {
        tags.flatten().for_each(|reference| add(reference, true));
    }
    tips
}

/// Whether tracked files are not what the last commit has. What can't be read is.
fn is_dirty(repository: &gix::Repository, folder: &Utf8Path) -> bool {
    let is_committed = |index: &Index| {
        let tree = repository.head_tree_id().ok().map(gix::Id::detach);
        index.index.tree().is_some_and(|root| root.num_entries.is_some() && Some(root.id) == tree)
    };
    // Most are as they were, which is found out in one look at each file.
    if Index::at_top_of(repository).is_some_and(|index| is_committed(&index) && is_untouched(&index, folder)) {
        return false;
    }
    repository.is_dirty().unwrap_or(true)
}
