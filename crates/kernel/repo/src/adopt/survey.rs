//! What is in a repository: [`Survey`].

use camino::{Utf8Path, Utf8PathBuf};
use onepane_kustomize::{KUSTOMIZATION_FILES, NamedTarget, named, read_resources};
use onepane_resource::Resource;
use onepane_world::{EntryKind, World, normalize};
use onepane_yaml::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Folders are looked through this deep, and for this many files.
const DEEPEST: usize = 24;
const MOST_FILES: usize = 50_000;
/// Longer files are no objects that somebody wrote.
const LONGEST: usize = 1 << 20;

/// What is in a repository.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Folders with a kustomization.
    pub(super) kustomizations: BTreeSet<Utf8PathBuf>,
    /// Those that others name, and these.
    pub(super) named: BTreeMap<Utf8PathBuf, BTreeSet<Utf8PathBuf>>,
    /// All folders.
    pub(super) folders: BTreeSet<Utf8PathBuf>,
    /// Folders with a Chart.yaml, none of them within another.
    pub(super) charts: BTreeSet<Utf8PathBuf>,
    /// Folders with a state file of Helmfile.
    pub(super) states: BTreeSet<Utf8PathBuf>,
    /// Kustomizations of Flux.
    pub(super) flux: Vec<Object>,
    /// Applications of Argo CD.
    pub(super) applications: Vec<Object>,
    /// ApplicationSets of Argo CD.
    pub(super) sets: Vec<Object>,
    /// GitRepositories of Flux: name and address.
    pub(super) repositories: Vec<(String, String)>,
    /// The other objects that are counted, by kind.
    counts: [usize; 5],
    /// Folders of the top.
    pub(super) tops: BTreeSet<String>,
}

/// The kinds that are counted.
const COUNTED: [&str; 5] = ["HelmRelease", "HelmRepository", "OCIRepository", "AppProject", "GitRepository"];

/// An object that delivers something.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The folder of its file; of a template of a chart, the chart.
    pub(super) folder: Utf8PathBuf,
    /// The folders that it delivers.
    pub(super) paths: Vec<Utf8PathBuf>,
    /// The name or address of where they are.
    pub(super) source: String,
    /// Whether all of these folders are in this repository.
    pub(super) is_here: bool,
}

impl Survey {
    pub(super) fn of(world: &dyn World) -> Self {
        let mut survey = Self::default();
        let mut pending = vec![(Utf8PathBuf::new(), 0usize, None::<Utf8PathBuf>)];
        let mut seen = 0;
        while let Some((folder, depth, chart)) = pending.pop() {
            let entries = world.list(&folder).unwrap_or_default();
            let has = |name: &str| entries.iter().any(|entry| entry.name == name && entry.kind == EntryKind::File);
            let chart = match chart {
                None if has("Chart.yaml") => {
                    survey.charts.insert(folder.clone());
                    Some(folder.clone())
                }
                chart => chart,
            };
            if KUSTOMIZATION_FILES.iter().any(|name| has(name)) && chart.is_none() {
                survey.kustomization(world, &folder);
            }
            let is_state = ["helmfile.yaml", "helmfile.yaml.gotmpl"].iter().any(|name| has(name));
            if is_state || entries.iter().any(|entry| entry.name == "helmfile.d" && entry.kind == EntryKind::Folder) {
                survey.states.insert(folder.clone());
            }
            for entry in &entries {
                let path = folder.join(&entry.name);
                let is_yaml = matches!(path.extension(), Some("yaml" | "yml"));
                match entry.kind {
                    // `.github` and its kind hold nothing that runs.
                    EntryKind::Folder if depth < DEEPEST && !entry.link && !entry.name.starts_with('.') => {
                        if depth == 0 {
                            survey.tops.insert(entry.name.clone());
                        }
                        survey.folders.insert(path.clone());
                        pending.push((path, depth + 1, chart.clone()));
                    }
                    EntryKind::File if is_yaml && seen < MOST_FILES => {
                        seen += 1;
                        survey.file(world, &path, chart.as_deref().unwrap_or(&folder));
                    }
                    _ => {}
                }
            }
        }
        survey
    }

    fn kustomization(&mut self, world: &dyn World, folder: &Utf8Path) {
        self.kustomizations.insert(folder.to_owned());
        let entries = named(world, folder).map(|named| named.entries).unwrap_or_default();
        for entry in entries {
            if let NamedTarget::Folder(path) = entry.target {
                self.named.entry(path).or_default().insert(folder.to_owned());
            }
        }
    }

    /// Notes the objects in a file. One that can't be read as manifests, such as a template, is looked at as text.
    fn file(&mut self, world: &dyn World, path: &Utf8Path, folder: &Utf8Path) {
        let Ok(bytes) = world.read(path) else { return };
        let marks = ["fluxcd.io", "argoproj.io"];
        let text = String::from_utf8_lossy(&bytes);
        if bytes.len() > LONGEST || !marks.iter().any(|mark| text.contains(mark)) {
            return;
        }
        match read_resources(world, path) {
            Ok(resources) => resources.iter().for_each(|resource| self.object(world, resource, folder)),
            Err(_) => {
                let is = |kind: &str| text.contains(&format!("kind: {kind}\n"));
                let of =
                    || Object { folder: folder.to_owned(), paths: Vec::new(), source: String::new(), is_here: false };
                if is("Application") {
                    self.applications.push(of());
                }
                if is("ApplicationSet") {
                    self.sets.push(of());
                }
            }
        }
    }

    fn object(&mut self, world: &dyn World, resource: &Resource, folder: &Utf8Path) {
        let node = resource.node();
        let text = |keys: &[&str]| node.at(keys).and_then(Node::as_str).unwrap_or_default().to_owned();
        let group = resource.api_version().split('/').next().unwrap_or_default();
        let place = |path: &str| normalize(Utf8Path::new(path.trim_start_matches('/')));
        // The top is everywhere.
        let here = |paths: &[Utf8PathBuf]| {
            !paths.is_empty() && paths.iter().all(|path| !path.as_str().is_empty() && world.kind(path).is_some())
        };
        let folder = folder.to_owned();
        match (group, resource.kind()) {
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                let paths = vec![place(&text(&["spec", "path"]))];
                let is_here = here(&paths);
                self.flux.push(Object { folder, paths, source: text(&["spec", "sourceRef", "name"]), is_here });
            }
            ("argoproj.io", "Application") => {
                let several = node.at(&["spec", "sources"]).and_then(Node::items).unwrap_or_default();
                let sources = several.iter().chain(node.at(&["spec", "source"]));
                let of =
                    |source: &Node, key: &str| source.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
                let with_path: Vec<(String, String)> = sources
                    .map(|source| (of(source, "path"), of(source, "repoURL")))
                    .filter(|(path, _)| !path.is_empty())
                    .collect();
                let source = with_path.first().map(|(_, address)| address.clone()).unwrap_or_default();
                let paths: Vec<Utf8PathBuf> = with_path.iter().map(|(path, _)| place(path)).collect();
                let is_here = here(&paths);
                self.applications.push(Object { folder, paths, source, is_here });
            }
            ("argoproj.io", "ApplicationSet") => {
                let source = text(&["spec", "template", "spec", "source", "repoURL"]);
                self.sets.push(Object { folder, paths: Vec::new(), source, is_here: true });
            }
            (_, kind) if group.ends_with("fluxcd.io") || group == "argoproj.io" => {
                if kind == "GitRepository" {
                    self.repositories.push((resource.name().to_owned(), text(&["spec", "url"])));
                }
                if let Some(at) = COUNTED.iter().position(|other| *other == kind) {
                    self.counts[at] += 1;
                }
            }
            _ => {}
        }
    }

    /// What was found, a line each.
    pub(super) fn report(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut list = |what: &str, counts: &[(usize, &str)]| {
            let counts: Vec<String> = counts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { plural(what) }))
                .collect();
            if !counts.is_empty() {
                lines.push(format!("{what}: {}", counts.join(", ")));
            }
        };
        let [releases, helm, oci, projects, git] = self.counts;
        list(
            "Flux",
            &[
                (self.flux.len(), "Kustomization"),
                (releases, "HelmRelease"),
                (git, "GitRepository"),
                (helm, "HelmRepository"),
                (oci, "OCIRepository"),
            ],
        );
        list(
            "Argo CD",
            &[(self.applications.len(), "Application"), (self.sets.len(), "ApplicationSet"), (projects, "AppProject")],
        );
        list("Helmfile", &[(self.states.len(), "state file")]);
        list("Kustomize", &[(self.kustomizations.len(), "kustomization")]);
        list("Helm", &[(self.charts.len(), "chart")]);
        lines
    }
}

fn plural(what: &str) -> &'static str {
    // `HelmRepositories` would be a name that no kind has.
    if what.ends_with('y') { " objects" } else { "s" }
}
