//! What `onepane.yaml` has to say: [`Proposal`].

use super::survey::{Object, Survey};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_gitops::same_repository;
use onepane_yaml::{Node, write_kyaml};
use std::collections::{BTreeMap, BTreeSet};

/// Overlays of plain Kustomize are named one by one up to this many.
const MOST_NAMED: usize = 64;

/// The lines that are needed; what is as in the pattern is left out.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    folders: Vec<(&'static str, String)>,
    clusters: Vec<(String, String)>,
    pub(super) follow: Vec<&'static str>,
    pub(super) repository: Option<String>,
}

impl Proposal {
    pub(super) fn of(survey: &Survey, addresses: &[String]) -> Self {
        let mut proposal = Self::default();
        let mut entries: BTreeSet<Utf8PathBuf> = BTreeSet::new();
        if !survey.flux.is_empty() {
            proposal.follow.push("flux");
            entries.extend(flux_entries(survey));
            proposal.groups(survey);
        }
        if !survey.applications.is_empty() || !survey.sets.is_empty() {
            proposal.follow.push("argocd");
            entries.extend(argo_entries(survey));
        }
        if !entries.is_empty() {
            proposal.clusters(&entries, survey);
            let by_name =
                |name: &str| survey.repositories.iter().find(|(other, _)| other == name).map(|(_, url)| url.as_str());
            // Most repositories are called `flux-system`, and that one is this.
            let flux = survey.flux.iter().filter(|object| object.is_here).filter_map(|object| by_name(&object.source));
            let argo = survey.applications.iter().chain(&survey.sets).filter(|object| object.is_here);
            let argo = argo.map(|object| object.source.as_str());
            proposal.repository = own_address(flux.chain(argo), addresses);
        } else if !survey.tops.contains("clusters") {
            let is_root = |folder: &&Utf8PathBuf| !survey.named.contains_key(*folder);
            let roots: BTreeSet<Utf8PathBuf> = survey.kustomizations.iter().filter(is_root).cloned().collect();
            proposal.clusters(&roots, survey);
        }
        proposal.state(survey);
        proposal
    }

    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let scalar = |text: &str| Node::scalar(text);
        let mapping = |pairs: Vec<(&str, &str)>| {
            Node::mapping(pairs.into_iter().map(|(key, value)| (Node::string(key), Node::string(value))).collect())
        };
        let mut fields = Vec::new();
        if !self.folders.is_empty() {
            let pairs = self.folders.iter().map(|(key, value)| (*key, value.as_str())).collect();
            fields.push((scalar("folders"), mapping(pairs)));
        }
        if !self.clusters.is_empty() {
            let pairs = self.clusters.iter().map(|(name, folder)| (name.as_str(), folder.as_str())).collect();
            fields.push((scalar("clusters"), mapping(pairs)));
        }
        match self.follow.as_slice() {
            [] => {}
            [one] => fields.push((scalar("follow"), scalar(one))),
            several => fields.push((scalar("follow"), Node::sequence(several.iter().map(|one| scalar(one)).collect()))),
        }
        if let Some(address) = &self.repository {
            fields.push((scalar("repository"), Node::string(address.as_str())));
        }
        if fields.is_empty() { String::new() } else { write_kyaml(&Node::mapping(fields)) }
    }

    /// Clusters side by side in a folder need that folder only, all others a name each.
    fn clusters(&mut self, entries: &BTreeSet<Utf8PathBuf>, survey: &Survey) {
        let parents: BTreeSet<&Utf8Path> = entries.iter().filter_map(|entry| entry.parent()).collect();
        // A folder beside them would be taken for one, too.
        let beside = |parent: &Utf8Path| {
            survey.folders.iter().filter(|other| other.parent() == Some(parent)).all(|other| entries.contains(other))
        };
        match (parents.first(), parents.len()) {
            (Some(parent), 1) if !parent.as_str().is_empty() && beside(parent) => {
                if parent.as_str() != "clusters" {
                    self.folders.push(("clusters", parent.to_string()));
                }
            }
            _ => {
                let mut names: BTreeMap<String, &Utf8PathBuf> = BTreeMap::new();
                for entry in entries.iter().take(MOST_NAMED) {
                    let short = entry.file_name().unwrap_or("main").to_owned();
                    // Two of a name are told apart by their folders.
                    let name = if names.contains_key(&short) { entry.as_str().replace('/', "-") } else { short };
                    names.insert(name, entry);
                }
                let folder =
                    |entry: &Utf8PathBuf| if entry.as_str().is_empty() { ".".to_owned() } else { entry.to_string() };
                self.clusters = names.into_iter().map(|(name, entry)| (name, folder(entry))).collect();
            }
        }
    }

    /// Flux's own examples have `apps` and `infrastructure` where the pattern has groups and components.
    fn groups(&mut self, survey: &Survey) {
        for (key, own, others) in
            [("groups", "groups", ["apps", "applications"]), ("components", "components", ["infrastructure", "infra"])]
        {
            let other = others.into_iter().find(|name| survey.tops.contains(*name));
            if let Some(other) = other.filter(|_| !survey.tops.contains(own)) {
                self.folders.push((key, other.to_owned()));
            }
        }
    }

    /// The one state file, if it is not where the pattern has it.
    fn state(&mut self, survey: &Survey) {
        let states: Vec<&Utf8PathBuf> = survey.states.iter().collect();
        if let [state] = states.as_slice()
            && state.as_str() != "helm-charts"
        {
            let folder = if state.as_str().is_empty() { "." } else { state.as_str() };
            self.folders.push(("helmCharts", folder.to_owned()));
        } else if survey.states.is_empty() && !survey.tops.contains("helm-charts") {
            let parents: BTreeSet<&Utf8Path> = survey.charts.iter().filter_map(|chart| chart.parent()).collect();
            if let (Some(parent), 1) = (parents.first(), parents.len())
                && !parent.as_str().is_empty()
            {
                self.folders.push(("helmCharts", parent.to_string()));
            }
        }
    }
}

/// Folders that apply themselves, as `flux bootstrap` leaves them; without such, those of Kustomizations that are in no
/// folder that another one applies.
fn flux_entries(survey: &Survey) -> BTreeSet<Utf8PathBuf> {
    let own =
        |object: &&Object| object.paths.iter().any(|path| !path.as_str().is_empty() && object.folder.starts_with(path));
    let bootstrapped: BTreeSet<Utf8PathBuf> =
        survey.flux.iter().filter(own).flat_map(|object| object.paths.iter().cloned()).collect();
    if !bootstrapped.is_empty() {
        // One within another is applied by that.
        let within = |entry: &Utf8PathBuf| bootstrapped.iter().any(|other| other != entry && entry.starts_with(other));
        return bootstrapped.iter().filter(|entry| !within(entry)).cloned().collect();
    }
    roots(&survey.flux, survey)
}

fn argo_entries(survey: &Survey) -> BTreeSet<Utf8PathBuf> {
    let all: Vec<Object> = survey.applications.iter().chain(&survey.sets).cloned().collect();
    let found = roots(&all, survey);
    // One within another would be read twice.
    let within = |entry: &Utf8PathBuf| found.iter().any(|other| other != entry && entry.starts_with(other));
    found.iter().filter(|entry| !within(entry)).cloned().collect()
}

/// The folders of objects, or what builds on these, that no other object delivers.
fn roots(objects: &[Object], survey: &Survey) -> BTreeSet<Utf8PathBuf> {
    let is_delivered = |folder: &Utf8Path| {
        let others = objects.iter().filter(|other| other.folder != folder).flat_map(|other| &other.paths);
        others.into_iter().any(|path| !path.as_str().is_empty() && folder.starts_with(path))
    };
    let folders: BTreeSet<Utf8PathBuf> = objects.iter().flat_map(|object| tops(&object.folder, survey)).collect();
    folders.into_iter().filter(|folder| !is_delivered(folder)).collect()
}

/// The kustomizations that build on a folder and that no other one builds on; the folder itself where there is none.
fn tops(folder: &Utf8Path, survey: &Survey) -> BTreeSet<Utf8PathBuf> {
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        match survey.named.get(&folder) {
            Some(by) if seen.insert(folder.clone()) => pending.extend(by.iter().cloned()),
            Some(_) => {}
            None => _ = found.insert(folder),
        }
    }
    found
}

/// The address that objects call this repository by, if its remotes don't tell: that of the sources most of them name,
/// with paths that are here.
pub(super) fn own_address<'s>(sources: impl Iterator<Item = &'s str>, addresses: &[String]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for address in sources.filter(|address| address.contains("://") || address.contains('@')) {
        *counts.entry(address).or_default() += 1;
    }
    if counts.keys().any(|address| addresses.iter().any(|own| same_repository(own, address))) {
        return None;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(onepane_kustomize::without_password(most.0))
}
