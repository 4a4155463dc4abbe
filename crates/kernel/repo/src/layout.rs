//! Which folders hold what: the pattern's own names, or what `onepane.yaml` says instead.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_world::{ReadErrorReason, World};
use std::collections::BTreeMap;

/// The folders of a repository, relative to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Charts and the state file that lists the releases.
    pub helm_charts: Utf8PathBuf,
    /// Manifests that are not charts.
    pub components: Utf8PathBuf,
    /// Kustomize overlays that group services.
    pub groups: Utf8PathBuf,
    /// What runs on each cluster.
    pub clusters: Utf8PathBuf,
    /// Services as submodules.
    pub src: Utf8PathBuf,
    /// Which version of Kubernetes the clusters run.
    pub kubernetes: KubernetesVersions,
}

/// Versions of Kubernetes as they are written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubernetesVersions {
    /// Of clusters that say nothing else.
    pub all: Option<(String, Span)>,
    /// By the names of clusters.
    pub clusters: BTreeMap<String, (String, Span)>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            helm_charts: "helm-charts".into(),
            components: "components".into(),
            groups: "groups".into(),
            clusters: "clusters".into(),
            src: "src".into(),
            kubernetes: KubernetesVersions::default(),
        }
    }
}

/// The optional file that names other folders.
const FILE: &str = "onepane.yaml";

impl Layout {
    /// The layout of the repository that `world` is rooted at.
    ///
    /// `onepane.yaml` may hold `folders:` with `helmCharts`, `components`, `groups`, `clusters` and `src`,
    /// `kubernetesVersion:` and `clusters:`, by their names, with a `kubernetesVersion` each; anything else in it is an
    /// error, so that a typo does not go unseen.
    pub fn read(world: &dyn World) -> Result<Self> {
        let mut layout = Self::default();
        let bytes = match world.read(FILE.into()) {
            Ok(bytes) => bytes,
            Err(error) if error.reason == ReadErrorReason::Absent => return Ok(layout),
            Err(error) => return Err(Diagnostic::error("repo-layout", error.to_string())),
        };
        let file = FileId::new(FILE);
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Diagnostic::error("repo-layout", format!("`{FILE}` is not UTF-8")).at(Span::file(FILE)))?;
        let documents = onepane_yaml::read(text, file)?;
        let Some(document) = documents.first() else { return Ok(layout) };
        for (key, value) in entries(document)? {
            match key.as_str() {
                Some("folders") => {}
                Some("kubernetesVersion") => {
                    layout.kubernetes.all = Some(version(value)?);
                    continue;
                }
                Some("clusters") => {
                    layout.kubernetes.clusters = of_clusters(value)?;
                    continue;
                }
                _ => return Err(unknown(key, "folders, kubernetesVersion, clusters")),
            }
            for (key, value) in entries(value)? {
                let folder = match key.as_str() {
                    Some("helmCharts") => &mut layout.helm_charts,
                    Some("components") => &mut layout.components,
                    Some("groups") => &mut layout.groups,
                    Some("clusters") => &mut layout.clusters,
                    Some("src") => &mut layout.src,
                    _ => return Err(unknown(key, "helmCharts, components, groups, clusters, src")),
                };
                let path = value.as_str().ok_or_else(|| expected(value, "a folder"))?;
                let path = onepane_world::normalize(Utf8Path::new(path));
                if path.is_absolute() || path.starts_with("..") {
                    return Err(expected(value, "a folder within the repository"));
                }
                *folder = path;
            }
        }
        Ok(layout)
    }

    /// Where the charts are rendered to.
    pub fn rendered(&self) -> Utf8PathBuf {
        self.helm_charts.join("rendered")
    }
}

fn of_clusters(node: &onepane_yaml::Node) -> Result<BTreeMap<String, (String, Span)>> {
    let mut versions = BTreeMap::new();
    for (cluster, settings) in entries(node)? {
        for (key, value) in entries(settings)? {
            if key.as_str() != Some("kubernetesVersion") {
                return Err(unknown(key, "kubernetesVersion"));
            }
            versions.insert(cluster.as_str().unwrap_or_default().to_owned(), version(value)?);
        }
    }
    Ok(versions)
}

fn version(node: &onepane_yaml::Node) -> Result<(String, Span)> {
    let text = node.as_str().ok_or_else(|| expected(node, "a version of Kubernetes"))?;
    Ok((text.to_owned(), node.span.unwrap_or(Span::file(FILE))))
}

fn entries(node: &onepane_yaml::Node) -> Result<&[(onepane_yaml::Node, onepane_yaml::Node)]> {
    node.entries().ok_or_else(|| expected(node, "a mapping"))
}

fn expected(node: &onepane_yaml::Node, what: &str) -> Box<Diagnostic> {
    let span = node.span.unwrap_or(Span::file(FILE));
    Diagnostic::error("repo-layout", format!("`{FILE}` has something else where {what} belongs")).at(span)
}

fn unknown(key: &onepane_yaml::Node, known: &str) -> Box<Diagnostic> {
    let name = key.as_str().unwrap_or("?");
    let span = key.span.unwrap_or(Span::file(FILE));
    Diagnostic::error("repo-layout", format!("`{FILE}` has no setting `{name}`"))
        .at(span)
        .hint(format!("known: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    #[test]
    fn without_a_file_the_patterns_own_folders_hold() {
        assert_eq!(Layout::read(&MemoryWorld::new()).expect("no file is fine"), Layout::default());
    }

    #[test]
    fn clusters_may_run_versions_of_their_own() {
        let text = "kubernetesVersion: 1.36\nclusters:\n  old: {kubernetesVersion: '1.33'}\n";
        let versions = Layout::read(&MemoryWorld::new().with(FILE, text)).expect("it is valid").kubernetes;
        assert_eq!(versions.all.map(|(text, span)| (text, span.line)), Some(("1.36".to_owned(), 1)));
        assert_eq!(versions.clusters["old"].0, "1.33");
        let error =
            Layout::read(&MemoryWorld::new().with(FILE, "clusters: {old: {version: '1'}}\n")).expect_err("a typo");
        assert!(error.message.contains("`version`"), "{error}");
    }

    #[test]
    fn a_file_may_name_other_folders_and_nothing_else() {
        let world = MemoryWorld::new().with(FILE, "folders:\n  helmCharts: charts\n");
        assert_eq!(Layout::read(&world).expect("it is valid").helm_charts, "charts");
        for (text, line) in [("folder: {}\n", 1), ("folders:\n  charts: x\n", 2), ("folders:\n  src: ../x\n", 2)] {
            let error = Layout::read(&MemoryWorld::new().with(FILE, text)).expect_err(text);
            assert_eq!(error.primary.expect("it names the place").span.line, line, "{text}");
        }
    }
}
