//! [`Repository`]: the world at its root, and its layout.

use crate::Layout;
use crate::memo::{Memo, Verified};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
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
    /// What is known of these files, for `memo`.
    pub(crate) verified: Verified,
    /// What was read of charts that releases have in common.
    pub(crate) chart_traces: ChartTraces,
}

impl<'w> Repository<'w> {
    /// The repository that `world` is rooted at.
    pub fn open(world: &'w dyn World) -> Result<Self> {
        Ok(Self {
            world,
            layout: Layout::read(world)?,
            cache: Cache::new(),
            remotes: None,
            outside: &Sandbox,
            memo: None,
            verified: Verified::default(),
            chart_traces: ChartTraces::default(),
        })
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
    pub fn with_memo(self, memo: &'w Memo<'w>) -> Self {
        Self { memo: Some(memo), ..self }
    }

    /// The clusters by name, sorted: the folders below `clusters/` that hold a kustomization.
    pub fn clusters(&self) -> Result<Vec<String>> {
        let folder = &self.layout.clusters;
        let entries = self.world.list(folder).map_err(|error| {
            Diagnostic::error("repo-no-clusters", error.to_string())
                .hint("`onepane init DIR` makes a repository of this shape; onepane.yaml can name other folders")
        })?;
        let is_cluster = |name: &str| self.has_kustomization(&folder.join(name));
        Ok(entries.into_iter().map(|entry| entry.name).filter(|name| is_cluster(name)).collect())
    }

    /// The folder that `target` means: a cluster's name, or a path from the root of the repository.
    pub fn unit(&self, target: &str) -> Result<Utf8PathBuf> {
        let target = target.trim_end_matches('/');
        let candidates =
            [self.layout.clusters.join(target), Utf8PathBuf::from(target), self.layout.groups.join(target)];
        for candidate in &candidates {
            if self.has_kustomization(&onepane_world::normalize(candidate)) {
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

    fn has_kustomization(&self, folder: &Utf8Path) -> bool {
        KUSTOMIZATION_FILES.iter().any(|name| self.world.kind(&folder.join(name)) == Some(EntryKind::File))
    }
}
