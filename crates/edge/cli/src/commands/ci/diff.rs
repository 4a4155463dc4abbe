//! `onepane ci diff`: how a cluster's temporary environment differs from the cluster itself.

use super::ClusterArguments;
use crate::commands::open;
use crate::commands::plan::{ReportArguments, difference};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::Utf8Path;
use onepane_plan::{Action, Change, Manifest, changes};
use onepane_repo::{BuildOptions, Repository};
use onepane_resource::name_without_hash;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

/// What `onepane ci diff` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The cluster, a folder below clusters/ [default: the only one that has a `ci` folder]
    cluster: Option<String>,
    /// Also list what the environment leaves out altogether
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    report: ReportArguments,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// Builds both, and compares what has the same name in namespaces that correspond.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, arguments.offline);
    let repository = elsewhere.reached(Repository::open(&world).map_err(&failure)?);
    let chosen = ClusterArguments { cluster: arguments.cluster.clone(), kubeconfig: None };
    let environment = chosen.environment(&repository).map_err(&failure)?;
    let build = |folder: &Utf8Path| repository.manifests(folder, &BuildOptions::default()).map_err(&failure);
    let own = build(&repository.unit(&environment.cluster).map_err(&failure)?)?.manifests;
    let temporary = build(&environment.folder)?.manifests;
    let namespaces = counterparts(&own, &temporary);
    let moved = temporary.iter().map(|manifest| moved(manifest, &namespaces)).collect::<Result<Vec<_>, _>>();
    let own = own.iter().map(moved_nowhere).collect::<Result<Vec<_>, _>>();
    let mut changes = changes(&own.map_err(&failure)?, &moved.map_err(&failure)?).map_err(&failure)?;
    // Nothing follows for the cluster: it does not become its environment.
    changes.iter_mut().for_each(|change| change.consequences.clear());
    let is_shown = |change: &Change| match change.action {
        Action::Affected => false,
        Action::Removed => arguments.all,
        _ => true,
    };
    let left_out = changes.iter().filter(|change| change.action == Action::Removed).count();
    changes.retain(is_shown);
    if !arguments.all && left_out > 0 {
        terminal.note(&format!(
            "{left_out} resources of {} are not in its environment; --all lists them",
            environment.cluster
        ));
    }
    for (temporary, own) in &namespaces {
        terminal.note(&format!("the namespace {temporary} is held against {own}"));
    }
    let names = [environment.cluster.as_str(), environment.folder.as_str()];
    arguments.report.print(terminal, difference(names, &environment.folder, changes))
}

/// For each namespace of the environment, that of the cluster which has most of the same.
fn counterparts(own: &[Manifest], temporary: &[Manifest]) -> BTreeMap<String, String> {
    let key = |manifest: &Manifest| {
        let name = &manifest.name;
        let stem = name_without_hash(&name.name).unwrap_or(&name.name).to_owned();
        (name.group().to_owned(), name.kind.clone(), stem)
    };
    let mut places: HashMap<_, Vec<&str>> = HashMap::new();
    for manifest in own.iter().filter(|manifest| !manifest.name.namespace.is_empty()) {
        places.entry(key(manifest)).or_default().push(&manifest.name.namespace);
    }
    let mut votes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for manifest in temporary.iter().filter(|manifest| !manifest.name.namespace.is_empty()) {
        let votes = votes.entry(&manifest.name.namespace).or_default();
        for place in places.get(&key(manifest)).into_iter().flatten() {
            *votes.entry(place).or_default() += 1;
        }
    }
    let most = votes.into_iter().filter_map(|(namespace, votes)| {
        // Of as many votes the first name has it, so that the same files give the same answer.
        let (place, _) = votes.into_iter().rev().max_by_key(|(_, count)| *count)?;
        Some((namespace.to_owned(), place.to_owned()))
    });
    most.collect()
}

/// A manifest as it would be in the namespace that corresponds to its own.
fn moved(manifest: &Manifest, namespaces: &BTreeMap<String, String>) -> onepane_diagnostics::Result<Manifest> {
    let mut manifest = manifest.clone();
    let mut document = manifest.document()?;
    rename(&mut document, namespaces);
    if let Some(new) = namespaces.get(&manifest.name.namespace) {
        new.clone_into(&mut manifest.name.namespace);
    }
    if manifest.name.is("", "Namespace")
        && let Some(new) = namespaces.get(&manifest.name.name)
    {
        document["metadata"]["name"] = new.clone().into();
        new.clone_into(&mut manifest.name.name);
    }
    // JSON is YAML.
    manifest.yaml = document.to_string();
    Ok(manifest)
}

/// A manifest in the same form.
fn moved_nowhere(manifest: &Manifest) -> onepane_diagnostics::Result<Manifest> {
    moved(manifest, &BTreeMap::new())
}

fn rename(value: &mut Value, namespaces: &BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, namespaces)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(name) if key == "namespace" => {
                        if let Some(new) = namespaces.get(name) {
                            new.clone_into(name);
                        }
                    }
                    value => rename(value, namespaces),
                }
            }
        }
        _ => {}
    }
}
