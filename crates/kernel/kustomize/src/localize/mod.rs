//! Copies of kustomizations in which everything that they name is local, as `kustomize localize` makes them.
//!
//! [`localize`] says which folders and files the copy has; it writes nothing. Each kustomization is read to what
//! Kustomize would write of it (`written`, by the tables of `fields`), every reference in it is followed (`references`,
//! `charts`, `plugins`), what is there goes into the copy (`tree`), and the reference becomes the path of that
//! (`places`).

mod charts;
mod fields;
mod places;
mod plugins;
mod references;
mod tree;
mod written;

pub use tree::{LocalizedEntry, LocalizedTree};

use crate::load::Loader;
use crate::options::LoadRestrictor;
use crate::remote::{Remotes, RepositoryUrl, without_password};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::{EntryKind, World};
use places::relative;
use references::{Job, Root};

/// What is to be copied, and whereto. An empty text asks for the default.
#[derive(Clone, Copy, Debug)]
pub struct LocalizeRequest<'a> {
    /// The folder or repository of the kustomization.
    pub target: &'a str,
    /// The folder that what is named has to be in, else the target.
    pub scope: &'a str,
    /// The new folder, else one that is named after the target.
    pub destination: &'a str,
}

/// A copy to be written.
#[derive(Clone, Debug)]
pub struct Localized {
    /// The new folder: links followed, with nothing there yet.
    pub destination: Utf8PathBuf,
    /// The folder of the kustomization within it.
    pub kustomization: Utf8PathBuf,
    /// What is in it.
    pub tree: LocalizedTree,
    /// What the user should know of how things were fetched.
    pub warnings: Vec<Diagnostic>,
}

/// Says what a local copy of a kustomization consists of.
///
/// # Errors
/// In Kustomize's words up to the last cause: for a request that can't be met, for references that lead nowhere or out
/// of bounds, and for files that can't be read.
pub fn localize(world: &dyn World, remotes: &dyn Remotes, request: LocalizeRequest<'_>) -> Result<Localized> {
    let LocalizeRequest { target, scope, destination } = request;
    let url = RepositoryUrl::parse(target);
    if url.as_ref().is_some_and(|url| url.reference.is_none()) {
        return Err(without_reference(target));
    }
    let shown = without_password(target);
    let loader = open(world, remotes, target)
        .map_err(|error| within(error, format!("unable to establish localize target {shown:?}")))?;
    let bounds = bounds(world, scope, target, &loader)
        .map_err(|error| within(error, format!("invalid localize scope {scope:?}")))?;
    let place = match (destination, &url) {
        ("", Some(url)) => default_for_repository(url, &loader),
        ("", None) => loader.root().file_name().map_or("localized".to_owned(), |name| format!("localized-{name}")),
        _ => destination.to_owned(),
    };
    let new = new_folder(world, &place)
        .map_err(|error| within(error, format!("invalid localize destination {destination:?}")))?;
    let kustomization = relative(&bounds, loader.root());
    let mut job = Job::new(bounds, new);
    Root::new(&loader, kustomization.clone(), &mut job)
        .localize()
        .map_err(|error| within(error, format!("unable to localize target {shown:?}")))?;
    let Job { destination, tree, warnings, .. } = job;
    Ok(Localized { destination, kustomization, tree, warnings })
}

fn open<'a>(world: &'a dyn World, remotes: &'a dyn Remotes, target: &str) -> Result<Loader<'a>> {
    if target.is_empty() {
        return Err(refused("must build at directory: directory path cannot be empty"));
    }
    Loader::new(world, Some(remotes), target.into(), LoadRestrictor::RootOnly)
}

/// What local references must not leave.
fn bounds(world: &dyn World, scope: &str, target: &str, loader: &Loader<'_>) -> Result<Utf8PathBuf> {
    match (loader.repository(), scope) {
        (Some((_, top)), "") => return Ok(top.to_owned()),
        (Some(_), _) => {
            let target = without_password(target);
            return Err(refused(format!("scope {scope:?} specified for remote localize target {target:?}")));
        }
        (None, "") => return Ok(loader.root().to_owned()),
        (None, _) => {}
    }
    let cannot = |why: &str| refused(format!("unable to establish localize scope: {why}"));
    let bounds = match world.kind(scope.into()) {
        Some(EntryKind::Folder) => world.canonical(scope.into()).map_err(|error| cannot(&error.to_string()))?,
        Some(_) => return Err(cannot(&format!("'{scope}': file is not directory"))),
        None => return Err(cannot(&format!("not a valid directory: there is no `{scope}`"))),
    };
    if !loader.root().starts_with(&bounds) {
        let root = loader.root().as_str();
        return Err(refused(format!("localize scope {scope:?} does not contain target {target:?} at {root:?}")));
    }
    Ok(bounds)
}

fn default_for_repository(url: &RepositoryUrl, loader: &Loader<'_>) -> String {
    let top = loader.repository().is_some_and(|(_, top)| top == loader.root());
    let (_, path) = url.host_and_path();
    let name = if top { path.trim_end_matches('/').rsplit('/').next() } else { loader.root().file_name() };
    let revision = url.reference.as_deref().unwrap_or_default();
    format!("localized-{}-{}", name.unwrap_or_default(), revision.replace('/', "-"))
}

/// A folder that is not there, in one that is.
fn new_folder(world: &dyn World, path: &str) -> Result<Utf8PathBuf> {
    let place = Utf8Path::new(path);
    if world.kind(place).is_some() {
        return Err(refused(format!("localize destination {path:?} already exists")));
    }
    let parent = place.parent().unwrap_or(Utf8Path::new(""));
    let cannot = |why: &str| {
        let message = format!("unable to create localize destination directory: mkdir {path}: {why}");
        refused(message).hint("the destination is a new folder in one that is there")
    };
    match (world.kind(parent), place.file_name()) {
        (Some(EntryKind::Folder), Some(name)) => {
            world.canonical(parent).map(|parent| parent.join(name)).map_err(|error| cannot(&error.to_string()))
        }
        (Some(EntryKind::File | EntryKind::Other), _) => Err(cannot("not a directory")),
        _ => Err(cannot("no such file or directory")),
    }
}

fn without_reference(url: &str) -> Box<Diagnostic> {
    let url = without_password(url);
    refused(format!("localize remote root {url:?} missing ref query string parameter"))
        .hint("a copy is of one revision: name a tag or commit behind `?ref=`")
}

fn refused(message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-localize", message)
}

/// An error, behind what failed because of it.
fn within(mut error: Box<Diagnostic>, what: impl std::fmt::Display) -> Box<Diagnostic> {
    error.message = format!("{what}: {}", error.message);
    error
}
