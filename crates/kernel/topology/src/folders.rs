//! Folders with kustomizations, and what they name.

use crate::graph::{EdgeKind, Node, NodeKind};
use crate::mapper::{Key, Mapper};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_kustomize::{KUSTOMIZATION_FILES, NamedChart, NamedTarget, named};
use onepane_world::EntryKind;
use std::collections::BTreeSet;

/// Folders are looked for this deep, and this many of them.
const DEEPEST: usize = 12;
const MOST: usize = 20_000;

impl Mapper<'_> {
    /// The clusters and what they are made of. A kustomization below a cluster that the cluster's own does not name is an
    /// environment of its own, such as that of a test run.
    pub(crate) fn clusters(&mut self) {
        let layout = &self.repository.layout;
        let folders = match layout.named_clusters.as_slice() {
            [] if layout.follow.is_empty() => self.units(&layout.clusters.clone()),
            _ => self.followed(),
        };
        // A folder comes before those below it, so that these are known to be part of it.
        for folder in folders {
            if !self.folded.contains(&folder) {
                self.unit(&folder);
                self.expand_all();
            }
        }
    }

    /// The clusters whose objects are followed, with what these deliver. They are built for that: what they deliver is
    /// known only then. One that can't be built is a node all the same.
    fn followed(&mut self) -> Vec<Utf8PathBuf> {
        let repository = self.repository;
        let folders: Vec<Utf8PathBuf> = match repository.clusters() {
            Ok(names) => names.iter().map(|name| repository.cluster_folder(name)).collect(),
            Err(error) => {
                self.findings.push(unread(&repository.layout.clusters, error));
                return Vec::new();
            }
        };
        for folder in folders.iter().filter(|folder| repository.is_followed(folder)) {
            let key = self.unit(folder);
            match repository.follow(folder) {
                Ok(followed) => {
                    for delivery in followed.deliveries {
                        let to = match (delivery.folder, delivery.chart) {
                            (Some(place), _) if place == *folder => continue,
                            (Some(place), _) if self.is_chart(&place) => self.chart(&place),
                            (Some(place), _) => {
                                self.made.insert(place.clone());
                                self.unit(&place)
                            }
                            (None, chart) => self.remote_chart(&chart.unwrap_or_default(), "", ""),
                        };
                        self.connect(&key, &to, EdgeKind::Delivers, delivery.span);
                    }
                    let known = |finding: &Diagnostic| !self.findings.contains(finding);
                    let new: Vec<Diagnostic> = followed.built.warnings.into_iter().filter(known).collect();
                    self.findings.extend(new);
                }
                Err(error) => self.findings.push(unread(folder, error)),
            }
            self.made.insert(folder.clone());
            self.expand_all();
        }
        folders
    }

    fn is_chart(&self, folder: &Utf8Path) -> bool {
        self.repository.world.kind(&folder.join("Chart.yaml")) == Some(EntryKind::File)
    }

    /// Flux takes all manifests of a folder without a kustomization.
    fn loose_manifests(&mut self, key: &Key, folder: &Utf8Path) {
        let world = self.repository.world;
        for entry in world.list(folder).unwrap_or_default() {
            let is_manifest = entry.name.ends_with(".yaml") || entry.name.ends_with(".yml");
            let path = folder.join(&entry.name);
            let is_one = || world.read(&path).is_ok_and(|bytes| onepane_kustomize::reads_as_resources(&bytes));
            if entry.kind == EntryKind::File && is_manifest && is_one() {
                self.manifests(key, &path, None);
            }
        }
    }

    /// The groups and components, whoever uses them.
    pub(crate) fn shared_folders(&mut self) {
        let layout = self.repository.layout.clone();
        let rendered = layout.rendered();
        for shared in [layout.groups, layout.components, rendered] {
            for folder in self.units(&shared) {
                if !self.folded.contains(&folder) {
                    self.unit(&folder);
                    self.expand_all();
                }
            }
        }
    }

    /// The folders with a kustomization in and below one, each before those below it.
    fn units(&self, top: &Utf8Path) -> Vec<Utf8PathBuf> {
        let mut found = Vec::new();
        let mut pending = vec![(top.to_owned(), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = pending.pop() {
            seen += 1;
            if depth > DEEPEST || seen > MOST {
                continue;
            }
            if self.has_kustomization(&folder) {
                found.push(folder.clone());
            }
            let entries = self.repository.world.list(&folder).unwrap_or_default();
            // Links to folders are met where they lead.
            let below = entries.iter().filter(|entry| entry.kind == EntryKind::Folder && !entry.link);
            let below = below.filter(|entry| !entry.name.starts_with('.'));
            pending.extend(below.rev().map(|entry| (folder.join(&entry.name), depth + 1)));
        }
        found
    }

    fn has_kustomization(&self, folder: &Utf8Path) -> bool {
        let is_file = |name: &str| self.repository.world.kind(&folder.join(name)) == Some(EntryKind::File);
        KUSTOMIZATION_FILES.iter().any(|name| is_file(name))
    }

    /// The node of a folder, whose kustomization is read later.
    pub(crate) fn unit(&mut self, folder: &Utf8Path) -> Key {
        let (kind, name) = self.kind_and_name(folder);
        let node = Node { kind, name, path: Some(folder.to_owned()), detail: String::new() };
        let (key, is_new) = self.add(node);
        if is_new {
            self.pending.push_back((key.clone(), folder.to_owned()));
        }
        key
    }

    fn kind_and_name(&self, folder: &Utf8Path) -> (NodeKind, String) {
        let layout = &self.repository.layout;
        if layout.named_clusters.iter().any(|(_, other)| other == folder) {
            return (NodeKind::Cluster, self.repository.unit_name(folder).to_owned());
        }
        let rendered = layout.rendered();
        let places = [
            (NodeKind::Cluster, &layout.clusters),
            (NodeKind::Group, &layout.groups),
            (NodeKind::Component, &layout.components),
            (NodeKind::Release, &rendered),
        ];
        for (kind, place) in places {
            if let Ok(name) = folder.strip_prefix(place).map(Utf8Path::as_str)
                && !name.is_empty()
            {
                return (kind, name.to_owned());
            }
        }
        (NodeKind::Folder, if folder.as_str().is_empty() { ".".to_owned() } else { folder.to_string() })
    }

    fn expand_all(&mut self) {
        while let Some((key, folder)) = self.pending.pop_front() {
            self.expand(&key, &folder);
        }
    }

    /// Reads the kustomization of a node's folder, and of those below that are part of it.
    fn expand(&mut self, key: &Key, top: &Utf8Path) {
        let world = self.repository.world;
        let mut pending = vec![(top.to_owned(), None)];
        let mut seen: BTreeSet<Utf8PathBuf> = BTreeSet::new();
        while let Some((folder, span)) = pending.pop() {
            if !seen.insert(folder.clone()) {
                continue;
            }
            if !self.has_kustomization(&folder) {
                if self.made.contains(&folder) {
                    self.loose_manifests(key, &folder);
                } else {
                    self.no_kustomization(&folder, span);
                }
                continue;
            }
            let named = match named(world, &folder) {
                Ok(named) => named,
                Err(error) => {
                    self.findings.push(unread(&folder, error));
                    continue;
                }
            };
            for entry in &named.entries {
                let kind = if entry.is_component { EdgeKind::Component } else { EdgeKind::Base };
                match &entry.target {
                    NamedTarget::Folder(path) if self.is_part(path, top) => {
                        self.folded.insert(path.clone());
                        pending.push((path.clone(), entry.span));
                    }
                    NamedTarget::Folder(path) => {
                        let to = self.unit(path);
                        self.connect(key, &to, kind, entry.span);
                    }
                    NamedTarget::File(path) => self.manifests(key, path, entry.span),
                    NamedTarget::Remote(url) => {
                        let node =
                            Node { kind: NodeKind::Remote, name: url.clone(), path: None, detail: String::new() };
                        let (to, _) = self.add(node);
                        self.connect(key, &to, kind, entry.span);
                    }
                    NamedTarget::Missing(path) => self.missing(key, path, kind, entry.span),
                }
            }
            named.charts.iter().for_each(|chart| self.inflated(key, chart));
            named.images.iter().for_each(|image| self.runs(key, image, Some(Span::file(named.file.path()))));
        }
    }

    /// Whether a folder is part of the node of `top`: it lies below and is of the same kind.
    fn is_part(&self, folder: &Utf8Path, top: &Utf8Path) -> bool {
        folder != top && folder.starts_with(top) && self.kind_and_name(folder).0 == self.kind_and_name(top).0
    }

    fn no_kustomization(&mut self, folder: &Utf8Path, span: Option<Span>) {
        let message = format!("`{folder}` is named as a base and holds no kustomization.yaml");
        let finding =
            Diagnostic::warning("graph-missing", message).hint("`onepane kustomize create --autodetect` makes one");
        let finding = match span {
            Some(span) => finding.at(span),
            None => finding,
        };
        self.findings.push(*finding);
    }

    /// A chart of `helmCharts:`.
    fn inflated(&mut self, from: &Key, chart: &NamedChart) {
        let is_there = self.repository.world.kind(&chart.folder).is_some();
        let to = if is_there || chart.repository.is_empty() {
            self.chart(&chart.folder)
        } else {
            self.remote_chart(&chart.name, &chart.version, &chart.repository)
        };
        self.connect(from, &to, EdgeKind::Renders, chart.span);
    }
}

/// A file or folder that can't be read is no reason not to show the rest.
pub(crate) fn unread(path: &Utf8Path, error: Box<Diagnostic>) -> Diagnostic {
    let mut finding = *error.trace(format!("while `{path}` was read"), None);
    finding.severity = onepane_diagnostics::Severity::Warning;
    finding
}
