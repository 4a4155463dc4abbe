//! Files that nothing is made of: [`Repository::unused`].

use crate::Repository;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_kustomize::KUSTOMIZATION_FILES;
use onepane_world::{EntryKind, World};
use std::collections::BTreeSet;

/// Which files were read when all of a repository was built and rendered.
#[derive(Clone, Debug, Default)]
pub struct ReadFiles {
    /// By the builds of all clusters and other folders below `clusters`.
    pub by_builds: BTreeSet<Utf8PathBuf>,
    /// By the state file and its releases.
    pub by_releases: BTreeSet<Utf8PathBuf>,
}

/// Something that nothing is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// What it is.
    pub kind: UnusedKind,
    /// The file, or the one that makes its folder what it is: `kustomization.yaml`, `Chart.yaml`.
    pub file: Utf8PathBuf,
}

/// What kind of thing is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedKind {
    /// A file beside others that are.
    File,
    /// A folder of `groups`.
    Group,
    /// A folder of `components`.
    Component,
    /// A chart.
    Chart,
    /// The rendered files of a release.
    Release,
}

/// A repository of more folders within one another, or files, is none.
const DEEPEST: usize = 64;
const MOST_FILES: usize = 200_000;

impl Repository<'_> {
    /// The folders below `clusters` that hold a kustomization, those above others first.
    pub fn folders_of_clusters(&self) -> Vec<Utf8PathBuf> {
        let files = files_below(self.world, &self.layout.clusters);
        let mut folders: Vec<Utf8PathBuf> = files
            .iter()
            .filter(|file| is_kustomization(file))
            .filter_map(|file| Some(file.parent()?.to_owned()))
            .collect();
        folders.sort_by_key(|folder| (folder.components().count(), folder.clone()));
        folders.dedup();
        folders
    }

    /// What of the repository nothing is made of. Of a folder that is not used its files are not told one by one.
    pub fn unused(&self, read: &ReadFiles) -> Vec<Unused> {
        let mut unused = Vec::new();
        let folders = [
            (&self.layout.groups, UnusedKind::Group),
            (&self.layout.components, UnusedKind::Component),
            (&self.layout.clusters, UnusedKind::File),
        ];
        for (folder, kind) in folders {
            self.unused_in(folder, kind, read, &mut unused);
        }
        self.unused_charts(read, &mut unused);
        unused
    }

    fn unused_in(&self, top: &Utf8Path, kind: UnusedKind, read: &ReadFiles, unused: &mut Vec<Unused>) {
        let files = files_below(self.world, top);
        let mut kustomizations: Vec<&Utf8PathBuf> = files.iter().filter(|file| is_kustomization(file)).collect();
        kustomizations.sort_by_key(|file| file.components().count());
        let mut gone: Vec<&Utf8Path> = Vec::new();
        for file in &kustomizations {
            let Some(folder) = file.parent() else { continue };
            let is_told = gone.iter().any(|above| folder.starts_with(above));
            // What is below may be used where this is not.
            let is_read = read.by_builds.iter().any(|other| other.starts_with(folder));
            if !is_told && !is_read {
                gone.push(folder);
                unused.push(Unused { kind, file: (*file).clone() });
            }
        }
        // Without a kustomization around it, a file is for others: Flux and Argo CD read folders of plain manifests.
        let has_kustomization = |file: &Utf8Path| {
            let above = file.ancestors().skip(1).take_while(|folder| folder.starts_with(top) && *folder != top);
            above.into_iter().any(|folder| kustomizations.iter().any(|file| file.parent() == Some(folder)))
        };
        for file in files.iter().filter(|file| is_material(file) && !read.by_builds.contains(*file)) {
            let is_told = gone.iter().any(|folder| file.starts_with(folder));
            if !is_told && has_kustomization(file) {
                unused.push(Unused { kind: UnusedKind::File, file: file.clone() });
            }
        }
    }

    fn unused_charts(&self, read: &ReadFiles, unused: &mut Vec<Unused>) {
        let charts = &self.layout.helm_charts;
        let rendered = self.layout.rendered();
        let files = files_below(self.world, charts);
        let is_read = |file: &Utf8Path| read.by_builds.contains(file) || read.by_releases.contains(file);
        let mut folders: Vec<&Utf8Path> = files
            .iter()
            .filter(|file| file.file_name() == Some("Chart.yaml"))
            .filter_map(|file| file.parent())
            .collect();
        // A chart within a chart is its dependency.
        folders.sort_by_key(|folder| folder.components().count());
        let mut outer: Vec<&Utf8Path> = Vec::new();
        for folder in folders {
            if !outer.iter().any(|above| folder.starts_with(above)) && !folder.starts_with(&rendered) {
                outer.push(folder);
            }
        }
        let mut used: BTreeSet<Utf8PathBuf> = outer
            .iter()
            .filter(|folder| is_read(&folder.join("Chart.yaml")))
            .map(|folder| (*folder).to_owned())
            .collect();
        // What a chart that is used has a copy of is used, too.
        let mut rest: Vec<Utf8PathBuf> = used.iter().cloned().collect();
        while let Some(folder) = rest.pop() {
            for dependency in self.local_dependencies(&folder) {
                if used.insert(dependency.clone()) {
                    rest.push(dependency);
                }
            }
        }
        for folder in outer.iter().filter(|folder| !used.contains(**folder)) {
            unused.push(Unused { kind: UnusedKind::Chart, file: folder.join("Chart.yaml") });
        }
        let states = self.texts_of_states(&files, read);
        for file in files.iter().filter(|file| is_material(file) && !is_read(file)) {
            let is_within = outer.iter().any(|folder| file.starts_with(folder)) || file.starts_with(&rendered);
            // Another environment may have it.
            let is_named = file.file_name().is_some_and(|name| states.iter().any(|text| text.contains(name)));
            if !is_within && !is_named {
                unused.push(Unused { kind: UnusedKind::File, file: file.clone() });
            }
        }
        let releases = files.iter().filter(|file| file.starts_with(&rendered) && is_kustomization(file));
        for file in releases.filter(|file| !read.by_builds.contains(*file)) {
            unused.push(Unused { kind: UnusedKind::Release, file: file.clone() });
        }
    }

    /// The charts of the repository that a chart names as its dependencies.
    fn local_dependencies(&self, chart: &Utf8Path) -> Vec<Utf8PathBuf> {
        let Ok(bytes) = self.world.read(&chart.join("Chart.yaml")) else { return Vec::new() };
        let text = String::from_utf8_lossy(&bytes);
        let Ok(documents) = onepane_yaml::read(&text, onepane_diagnostics::FileId::new(chart.join("Chart.yaml")))
        else {
            return Vec::new();
        };
        let dependencies = documents.first().and_then(|root| root.get("dependencies")?.items()).unwrap_or_default();
        let local = |node: &onepane_yaml::Node| {
            let path = node.get("repository")?.as_str()?.strip_prefix("file://")?;
            Some(onepane_world::normalize(&chart.join(path)))
        };
        dependencies.iter().filter_map(local).collect()
    }

    /// The texts of state files and what they consist of.
    fn texts_of_states(&self, files: &[Utf8PathBuf], read: &ReadFiles) -> Vec<String> {
        let here = |file: &&Utf8PathBuf| {
            let name = file.file_name().unwrap_or_default();
            let is_state = name.starts_with("helmfile") || file.components().any(|part| part.as_str() == "helmfile.d");
            is_state || name.ends_with(".gotmpl") || read.by_releases.contains(*file) && !is_chart_file(file)
        };
        let texts = files.iter().filter(here).filter_map(|file| self.world.read(file).ok());
        texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }
}

fn is_chart_file(file: &Utf8Path) -> bool {
    matches!(file.file_name(), Some("Chart.yaml" | "values.yaml"))
        || file.components().any(|part| part.as_str() == "templates")
}

fn is_kustomization(file: &Utf8Path) -> bool {
    file.file_name().is_some_and(|name| KUSTOMIZATION_FILES.contains(&name))
}

/// Whether it is of a kind that kustomizations and releases are made of; others are for people and other tools.
fn is_material(file: &Utf8Path) -> bool {
    matches!(file.extension(), Some("yaml" | "yml" | "json" | "env" | "properties"))
}

/// The files below a folder, those of hidden folders and behind links left out.
fn files_below(world: &dyn World, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    let mut rest = vec![folder.to_owned()];
    let depth = folder.components().count();
    while let Some(folder) = rest.pop() {
        let entries = world.list(&folder).unwrap_or_default();
        for entry in entries.into_iter().filter(|entry| !entry.link && !entry.name.starts_with('.')) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if path.components().count() < depth + DEEPEST => rest.push(path),
                EntryKind::File if files.len() < MOST_FILES => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn what_nothing_reads_is_told_once() {
        let world = MemoryWorld::new()
            .with("clusters/a/kustomization.yaml", "")
            .with("clusters/a/old.yaml", "")
            .with("clusters/a/notes.md", "")
            .with("clusters/plain/a.yaml", "")
            .with("groups/one/kustomization.yaml", "")
            .with("groups/two/kustomization.yaml", "")
            .with("groups/two/patch.yaml", "")
            .with("components/c/kustomization.yaml", "")
            .with("helm-charts/helmfile.yaml", "values: [values/prod.yaml]")
            .with("helm-charts/values/prod.yaml", "")
            .with("helm-charts/values/old.yaml", "")
            .with("helm-charts/api/Chart.yaml", "dependencies: [{name: library, repository: file://../library}]")
            .with("helm-charts/api/ci/values.yaml", "")
            .with("helm-charts/library/Chart.yaml", "")
            .with("helm-charts/web/Chart.yaml", "")
            .with("helm-charts/rendered/api/kustomization.yaml", "");
        let repository = Repository::open(&world).expect("it is one");
        let files = |files: &[&str]| files.iter().map(Utf8PathBuf::from).collect();
        let read = ReadFiles {
            by_builds: files(&["clusters/a/kustomization.yaml", "groups/one/kustomization.yaml"]),
            by_releases: files(&["helm-charts/helmfile.yaml", "helm-charts/api/Chart.yaml"]),
        };
        let unused: Vec<_> =
            repository.unused(&read).into_iter().map(|one| (one.kind, one.file.into_string())).collect();
        let wanted = [
            (UnusedKind::Group, "groups/two/kustomization.yaml"),
            (UnusedKind::Component, "components/c/kustomization.yaml"),
            (UnusedKind::File, "clusters/a/old.yaml"),
            (UnusedKind::Chart, "helm-charts/web/Chart.yaml"),
            (UnusedKind::File, "helm-charts/values/old.yaml"),
            (UnusedKind::Release, "helm-charts/rendered/api/kustomization.yaml"),
        ];
        assert_eq!(unused, wanted.map(|(kind, file)| (kind, file.to_owned())));
        assert_eq!(repository.folders_of_clusters(), ["clusters/a"]);
    }
}
