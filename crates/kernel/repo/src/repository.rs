//! [`Repository`]: the world at its root, and its layout.

use crate::memo::{Kept, Memo, ResultName, Verified};
use crate::shared_files::SharedFiles;
use crate::{KeptBuilds, Layout};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_gitops::ChartSources;
use onepane_helm::SharedTemplates;
use onepane_helmfile::{Outside, Sandbox};
use onepane_kustomize::{Cache, KUSTOMIZATION_FILES, Remotes};
use onepane_world::{EntryKind, Trace, World};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// By the paths of the charts; `None` for one that can't be read again.
pub(crate) type ChartTraces = Mutex<HashMap<Utf8PathBuf, Option<Arc<Trace>>>>;

/// A repository of the pattern.
pub struct Repository<'w> {
    /// Its files; paths are relative to its root.
    pub world: &'w dyn World,
    /// Its folders.
    pub layout: Layout,
    /// Bases that several clusters have in common are built once.
    pub(crate) cache: Cache,
    pub(crate) remotes: Option<&'w dyn Remotes>,
    pub(crate) outside: &'w dyn Outside,
    pub(crate) memo: Option<&'w Memo<'w>>,
    pub(crate) kept_builds: Option<&'w KeptBuilds>,
    /// What is known of these files, for `memo`.
    pub(crate) verified: Verified,
    /// What was read of charts that releases have in common.
    pub(crate) chart_traces: ChartTraces,
    /// Charts that releases have in common.
    pub(crate) chart_files: SharedFiles,
    pub(crate) templates: Arc<SharedTemplates>,
    pub(crate) charts: Option<&'w dyn ChartSources>,
    pub(crate) addresses: Vec<String>,
}

impl<'w> Repository<'w> {
    /// The repository that `world` is rooted at.
    pub fn open(world: &'w dyn World) -> Result<Self> {
        Ok(Self::with_layout(world, Layout::read(world)?))
    }

    /// The repository with a layout that is not, or not yet, in its `onepane.yaml`.
    pub fn with_layout(world: &'w dyn World, layout: Layout) -> Self {
        let addresses = layout.addresses.clone();
        Self {
            world,
            layout,
            cache: Cache::new(),
            remotes: None,
            outside: &Sandbox,
            memo: None,
            kept_builds: None,
            verified: Verified::default(),
            chart_traces: ChartTraces::default(),
            chart_files: SharedFiles::default(),
            templates: Arc::default(),
            charts: None,
            addresses,
        }
    }

    /// With who decrypts the secrets of releases, which are an error otherwise.
    pub fn with_outside(self, outside: &'w dyn Outside) -> Self {
        Self { outside, ..self }
    }

    /// With what fetches what kustomizations name by URL, which is an error otherwise.
    pub fn with_remotes(self, remotes: &'w dyn Remotes) -> Self {
        Self { remotes: Some(remotes), ..self }
    }

    /// With results that are kept, so that what was built and rendered before is not once more.
    pub fn with_memo(self, memo: Option<&'w Memo<'w>>) -> Self {
        Self { memo, ..self }
    }

    /// With builds that are kept in memory from one state of the files to the next.
    pub fn with_kept_builds(self, kept_builds: &'w KeptBuilds) -> Self {
        Self { kept_builds: Some(kept_builds), ..self }
    }

    /// The same repository with other files, and nothing that is kept of these.
    pub(crate) fn over<'o>(&'o self, world: &'o dyn World) -> Repository<'o> {
        Repository {
            remotes: self.remotes,
            outside: self.outside,
            charts: self.charts,
            ..Repository::with_layout(world, self.layout.clone())
        }
    }

    /// What is kept under `key` for the files as they are.
    pub(crate) fn find_kept(&self, memo: &Memo<'_>, key: &ResultName) -> Option<Kept> {
        let kept = memo.all(key).into_iter().find(|kept| self.verified.holds(memo, kept, self.world))?;
        memo.learn_folders(key, &kept, self.world);
        Some(kept)
    }

    /// With who has charts from elsewhere that objects of Flux and Argo CD ask for; they are out of reach otherwise.
    pub fn with_charts(self, charts: &'w dyn ChartSources) -> Self {
        Self { charts: Some(charts), ..self }
    }

    /// With the addresses that the repository has elsewhere, by which such objects mean it.
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = String>) -> Self {
        self.addresses.extend(addresses);
        self
    }

    /// The clusters by name, sorted: the folders below `clusters/` that hold a kustomization, or where objects are
    /// followed, manifests; or those that `onepane.yaml` names.
    pub fn clusters(&self) -> Result<Vec<String>> {
        if !self.layout.named_clusters.is_empty() {
            return Ok(self.layout.named_clusters.iter().map(|(name, _)| name.clone()).collect());
        }
        let folder = &self.layout.clusters;
        let entries = self.world.list(folder).map_err(|error| {
            Diagnostic::error("repo-no-clusters", error.to_string())
                .hint("`onepane init DIR` makes a repository of this shape; onepane.yaml can name other folders")
        })?;
        let is_cluster = |name: &str| self.is_unit(&folder.join(name));
        Ok(entries.into_iter().map(|entry| entry.name).filter(|name| is_cluster(name)).collect())
    }

    /// The folder of a cluster.
    pub fn cluster_folder(&self, name: &str) -> Utf8PathBuf {
        let named = self.layout.named_clusters.iter().find(|(other, _)| other == name);
        named.map_or_else(|| self.layout.clusters.join(name), |(_, folder)| folder.clone())
    }

    /// The name of the cluster whose folder it is; of any other folder its path.
    pub fn unit_name<'u>(&'u self, folder: &'u Utf8Path) -> &'u str {
        let named = self.layout.named_clusters.iter().find(|(_, other)| other == folder);
        let below = || folder.strip_prefix(&self.layout.clusters).unwrap_or(folder).as_str();
        named.map_or_else(below, |(name, _)| name)
    }

    /// Whether a folder is a cluster's, whose objects are followed.
    pub fn is_followed(&self, folder: &Utf8Path) -> bool {
        let is_named = || self.layout.named_clusters.iter().any(|(_, other)| other == folder);
        !self.layout.follow.is_empty()
            && (is_named() || folder.parent() == Some(&*self.layout.clusters) && self.layout.named_clusters.is_empty())
    }

    /// The folder that `target` means: a cluster's name, or a path from the root of the repository.
    pub fn unit(&self, target: &str) -> Result<Utf8PathBuf> {
        let target = target.trim_end_matches('/');
        let candidates = [self.cluster_folder(target), Utf8PathBuf::from(target), self.layout.groups.join(target)];
        for candidate in &candidates {
            if self.is_unit(&onepane_world::normalize(candidate)) {
                return Ok(onepane_world::normalize(candidate));
            }
        }
        let error = match self.world.kind(Utf8Path::new(target)) {
            Some(EntryKind::Folder) => Diagnostic::error(
                "repo-not-a-unit",
                format!("`{target}` holds no kustomization.yaml, so there is nothing to build"),
            ),
            _ => Diagnostic::error("repo-no-such-unit", format!("there is no cluster or folder `{target}`")),
        };
        let clusters = self.clusters().unwrap_or_default();
        Err(error.hint(format!("the clusters are: {}", clusters.join(", "))))
    }

    /// Whether a folder can be built.
    fn is_unit(&self, folder: &Utf8Path) -> bool {
        self.has_kustomization(folder) || self.is_followed(folder) && self.has_manifests(folder, 0)
    }

    /// Whether there are files that may be manifests, or a chart that renders some.
    fn has_manifests(&self, folder: &Utf8Path, depth: usize) -> bool {
        /// Below its folder, a cluster has folders for what it is set up with.
        const DEEPEST: usize = 2;
        let entries = self.world.list(folder).unwrap_or_default();
        entries.iter().any(|entry| match entry.kind {
            EntryKind::File => entry.name.ends_with(".yaml") || entry.name.ends_with(".yml"),
            EntryKind::Folder => depth < DEEPEST && self.has_manifests(&folder.join(&entry.name), depth + 1),
            EntryKind::Other => false,
        })
    }

    fn has_kustomization(&self, folder: &Utf8Path) -> bool {
        KUSTOMIZATION_FILES.iter().any(|name| self.world.kind(&folder.join(name)) == Some(EntryKind::File))
    }
}
