//! What is wrong with the resources of clusters.

use super::Arguments;
use super::report::Report;
use crate::commands::cores::on_cores;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_repo::{BuildOptions, Built, Places, Repository};
use onepane_resource::Resource;
use onepane_rules::{At, Finding, Scene, document, findings};
use onepane_schema::{Catalogue, KubernetesVersion};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A folder below `clusters` that was built: a cluster, or what belongs to one and is not part of it.
struct Unit {
    /// The name of a cluster, or the path of what is not part of one.
    name: String,
    folder: Utf8PathBuf,
    built: Built,
}

/// What came of looking at one.
struct Looked<'u> {
    scene: Scene<'u>,
    found: Vec<Finding>,
    /// Why resources could not be looked at.
    broken: Vec<Box<Diagnostic>>,
}

/// Builds all clusters, then what else there is below `clusters`, and looks for what is wrong.
pub(super) fn check(
    terminal: &Terminal,
    repository: &Repository<'_>,
    read: &dyn Fn(&Utf8Path) -> bool,
    root: &Utf8Path,
    arguments: &Arguments,
    report: &mut Report,
) -> Result<(), Failure> {
    let failure = Failure::below(root);
    let names = repository.clusters().map_err(&failure)?.into_iter();
    let folders = names.map(|name| (name.clone(), repository.cluster_folder(&name))).collect();
    let mut units = build(terminal, repository, folders, report);
    // What no cluster is made of is an environment of its own, for tests and the like.
    for folder in repository.folders_of_clusters() {
        let is_read = onepane_kustomize::KUSTOMIZATION_FILES.iter().any(|name| read(&folder.join(name)));
        if !is_read {
            let name = folder.to_string();
            units.extend(build(terminal, repository, vec![(name, folder)], report));
        }
    }
    report.clusters.extend(units.iter().map(|unit| (unit.name.clone(), unit.built.resources.len())));
    // A kind that one cluster has the definition of is known in others, too.
    let definitions: Vec<serde_json::Value> = units
        .par_iter()
        .flat_map_iter(|unit| unit.built.resources.iter())
        .filter(|resource| resource.kind() == "CustomResourceDefinition")
        .filter_map(|resource| document(resource).ok())
        .collect();
    let versions = units.iter().map(|unit| version(repository, unit, arguments));
    let versions: Vec<KubernetesVersion> = versions.collect::<Result<_, _>>().map_err(&failure)?;
    let mut catalogues: BTreeMap<KubernetesVersion, Catalogue> = BTreeMap::new();
    for version in &versions {
        catalogues.entry(*version).or_insert_with(|| {
            let mut catalogue = Catalogue::of(*version);
            definitions.iter().for_each(|definition| catalogue.add_definition(definition));
            catalogue
        });
    }
    let looked: Vec<Looked<'_>> = units
        .par_iter()
        .zip(&versions)
        .map(|(unit, version)| {
            let around = around(&units, unit, repository);
            let (scene, broken) = Scene::new(unit.built.resources.iter(), around, catalogues[version].clone());
            let found = findings(&scene);
            Looked { scene, found, broken }
        })
        .collect();
    let found: Vec<Vec<Finding>> = looked
        .into_iter()
        .zip(&units)
        .map(|(Looked { scene, mut found, broken }, unit)| {
            broken.into_iter().for_each(|error| report.add_diagnostic(*error, Some(&unit.name)));
            // Here, where the stack is large: other people's expressions nest.
            found.extend(onepane_policy::findings(&scene));
            // Where a value is from takes long to find out.
            found.retain(|finding| report.selection.has(finding.code));
            found
        })
        .collect();
    let place = |places: &mut Places<'_, '_>, finding: &Finding| match &finding.at {
        At::Value { origin, text, below } => places.of_key(origin, text, below),
        At::Line(_) => None,
    };
    let begin = || Places::new(repository);
    let places: Vec<Vec<_>> =
        on_cores(found.len(), begin, |places, at| found[at].iter().map(|finding| place(places, finding)).collect());
    for ((unit, found), places) in units.iter().zip(found).zip(places) {
        for (finding, place) in found.into_iter().zip(places) {
            report.add_finding(finding, place, Some(&unit.name));
        }
    }
    Ok(())
}

/// Builds folders on all cores; one that can't be built is a finding.
fn build(
    terminal: &Terminal,
    repository: &Repository<'_>,
    folders: Vec<(String, Utf8PathBuf)>,
    report: &mut Report,
) -> Vec<Unit> {
    let options = BuildOptions { origins: true, ..BuildOptions::default() };
    let bar = terminal.progress(folders.len(), "building");
    let built: Vec<_> = folders
        .par_iter()
        .map(|(_, folder)| {
            let built = repository.build(folder, &options);
            bar.inc(1);
            built
        })
        .collect();
    bar.finish_and_clear();
    let mut units = Vec::new();
    for ((name, folder), built) in folders.into_iter().zip(built) {
        match built {
            Ok(built) => {
                for warning in &built.warnings {
                    report.add_diagnostic(warning.clone(), Some(&name));
                }
                units.push(Unit { name, folder, built });
            }
            Err(error) => report.add_diagnostic(Diagnostic { severity: Severity::Error, ..*error }, Some(&name)),
        }
    }
    units
}

/// What there is in the same cluster besides what a unit is made of. A cluster itself stands alone.
fn around<'u>(units: &'u [Unit], unit: &'u Unit, repository: &Repository<'_>) -> Vec<&'u Resource> {
    let Some(cluster) = cluster_of(repository, unit) else { return Vec::new() };
    if unit.name == cluster {
        return Vec::new();
    }
    let same =
        units.iter().filter(|other| !std::ptr::eq(*other, unit) && cluster_of(repository, other) == Some(cluster));
    same.flat_map(|other| other.built.resources.iter()).collect()
}

/// The cluster that a unit belongs to.
fn cluster_of<'u>(repository: &Repository<'_>, unit: &'u Unit) -> Option<&'u str> {
    let below = unit.folder.strip_prefix(&repository.layout.clusters).ok()?;
    below.components().next().map(|first| first.as_str())
}

/// The version of Kubernetes of a unit's cluster.
fn version(
    repository: &Repository<'_>,
    unit: &Unit,
    arguments: &Arguments,
) -> Result<KubernetesVersion, Box<Diagnostic>> {
    let versions = &repository.layout.kubernetes;
    let own = cluster_of(repository, unit).and_then(|cluster| versions.clusters.get(cluster));
    match (arguments.kubernetes_version, own.or(versions.all.as_ref())) {
        (Some(version), _) => Ok(version),
        (None, None) => Ok(KubernetesVersion::newest()),
        (None, Some((text, span))) => {
            text.parse().map_err(|why: String| Diagnostic::error("repo-layout", why).at(*span))
        }
    }
}
