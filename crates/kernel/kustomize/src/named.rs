//! What a kustomization names, without building anything: [`named`].
//!
//! A build stops at the first thing that is missing; whoever draws a map of a repository wants to see the rest, and the
//! gap. So nothing is entered here, and an entry that leads nowhere is an entry like any other.

use crate::decode::Located;
use crate::kustomization::find;
use crate::load::Loader;
use crate::options::LoadRestrictor;
use crate::parse::parse_resources;
use crate::remote::{RepositoryUrl, is_http, without_password};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{FileId, Result, Span};
use onepane_resource::Resource;
use onepane_world::{EntryKind, World, normalize};

/// What a kustomization names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The file.
    pub file: FileId,
    /// Whether it is a component.
    pub is_component: bool,
    /// The entries of `resources:`, then those of `components:`.
    pub entries: Vec<NamedEntry>,
    /// The charts of `helmCharts:`.
    pub charts: Vec<NamedChart>,
    /// The names that `images:` gives to images in place of theirs.
    pub images: Vec<String>,
}

/// An entry of `resources:` or `components:`.
#[derive(Clone, Debug)]
pub struct NamedEntry {
    /// Where it leads.
    pub target: NamedTarget,
    /// Whether it stands in `components:`.
    pub is_component: bool,
    /// Where it stands.
    pub span: Option<Span>,
}

/// Where an entry leads. Paths start where the world does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedTarget {
    /// A folder, which may hold a kustomization.
    Folder(Utf8PathBuf),
    /// A file of manifests.
    File(Utf8PathBuf),
    /// A repository or file of elsewhere, without its password.
    Remote(String),
    /// Nothing is there.
    Missing(Utf8PathBuf),
}

/// An entry of `helmCharts:`.
#[derive(Clone, Debug)]
pub struct NamedChart {
    /// The chart's name.
    pub name: String,
    /// Its version; empty for any.
    pub version: String,
    /// The repository it is from; empty where it is on disk.
    pub repository: String,
    /// Its folder, which is there or not.
    pub folder: Utf8PathBuf,
    /// Where it stands.
    pub span: Option<Span>,
}

/// What the kustomization of the folder `path` names.
///
/// # Errors
/// Those of finding and reading the one file.
pub fn named(world: &dyn World, path: &Utf8Path) -> Result<Named> {
    let loader = Loader::new(world, None, path, LoadRestrictor::RootOnly)?;
    let found = find(&loader)?;
    let this = found.kustomization;
    let entry = |located: &Located, is_component| NamedEntry {
        target: target(&loader, &located.text),
        is_component,
        span: located.span,
    };
    let resources = this.resources.iter().map(|located| entry(located, false));
    let entries = resources.chain(this.components.iter().map(|located| entry(located, true))).collect();
    let home = match this.helm_globals.chart_home.as_str() {
        "" => crate::charts::CHART_HOME,
        home => home,
    };
    let charts = this.helm_charts.iter().map(|chart| NamedChart {
        name: chart.name.clone(),
        version: chart.version.clone(),
        repository: without_password(&chart.repo),
        folder: normalize(&loader.relative(&loader.join(home)).join(&chart.name)),
        span: chart.span,
    });
    let images = this.images.iter().map(|image| image.new_name.clone()).filter(|name| !name.is_empty());
    Ok(Named {
        file: found.file,
        is_component: this.is_component(),
        entries,
        charts: charts.collect(),
        images: images.collect(),
    })
}

fn target(loader: &Loader<'_>, path: &str) -> NamedTarget {
    let place = || loader.relative(&loader.join(path));
    match loader.kind(path) {
        Some(EntryKind::Folder) => NamedTarget::Folder(place()),
        Some(_) => NamedTarget::File(place()),
        None if RepositoryUrl::parse(path).is_some() || is_http(path) => NamedTarget::Remote(without_password(path)),
        None => NamedTarget::Missing(place()),
    }
}

/// The resources of a file of manifests, as a build reads them.
///
/// # Errors
/// For a file that is none of manifests.
pub fn read_resources(world: &dyn World, path: &Utf8Path) -> Result<Vec<Resource>> {
    let bytes = world
        .read(path)
        .map_err(|error| onepane_diagnostics::Diagnostic::error("kustomize-missing-file", error.to_string()))?;
    parse_resources(&crate::load::Loaded { bytes, file: FileId::new(path) })
}
