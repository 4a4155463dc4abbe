//! Which folders hold what: the pattern's own names, or what `onepane.yaml` says instead.

use crate::PromotionRules;
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
    /// Clusters that are named one by one, with their folders, in place of the folders below `clusters`.
    pub named_clusters: Vec<(String, Utf8PathBuf)>,
    /// Whose objects in a cluster's folder are followed to what they deliver.
    pub follow: Vec<Follow>,
    /// Addresses that the repository has elsewhere, besides those of its Git remotes.
    pub addresses: Vec<String>,
    /// The contexts of kubeconfigs by which clusters are reached, by their names.
    pub contexts: BTreeMap<String, (String, Span)>,
    /// Which version of Kubernetes the clusters run.
    pub kubernetes: KubernetesVersions,
    /// Which images the other services run where one is tested.
    pub other_images: OtherImages,
    /// What is asked of promotions.
    pub promotions: Vec<PromotionRules>,
}

/// Which images the other services run where one is tested in a temporary environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherImages {
    /// Those that the environment's folder says.
    #[default]
    Pinned,
    /// Those tagged as the branch that is tested, where a service has a branch of that name.
    Branch,
    /// Those tagged `latest`.
    Latest,
}

impl OtherImages {
    /// By its name: `pinned`, `branch` or `latest`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pinned" => Self::Pinned,
            "branch" => Self::Branch,
            "latest" => Self::Latest,
            _ => return None,
        })
    }
}

/// Versions of Kubernetes as they are written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubernetesVersions {
    /// Of clusters that say nothing else.
    pub all: Option<(String, Span)>,
    /// By the names of clusters.
    pub clusters: BTreeMap<String, (String, Span)>,
}

/// Whose objects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Kustomizations and HelmReleases.
    Flux,
    /// Applications and ApplicationSets.
    ArgoCd,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            helm_charts: "helm-charts".into(),
            components: "components".into(),
            groups: "groups".into(),
            clusters: "clusters".into(),
            src: "src".into(),
            named_clusters: Vec::new(),
            follow: Vec::new(),
            addresses: Vec::new(),
            contexts: BTreeMap::new(),
            kubernetes: KubernetesVersions::default(),
            other_images: OtherImages::default(),
            promotions: Vec::new(),
        }
    }
}

/// The optional file that names other folders.
const FILE: &str = "onepane.yaml";

impl Layout {
    /// The layout of the repository that `world` is rooted at.
    ///
    /// `onepane.yaml` may hold
    /// - `folders:` with `helmCharts`, `components`, `groups`, `clusters` and `src`,
    /// - `clusters:` by their names, each with its folder, where they are not side by side, or with `folder`, `context` and
    ///   `kubernetesVersion`,
    /// - `kubernetesVersion:` of all others,
    /// - `follow:` with `flux`, `argocd` or both in a list,
    /// - `repository:` with the address that such objects call this repository by, or several in a list,
    /// - `ci:` with `others`: `pinned`, `branch` or `latest`,
    /// - `promotions:` by the names of environments, each with `from`, `ciRun`, `windows`, `approvals` and `reviewers`.
    ///
    /// Anything else in it is an error, so that a typo does not go unseen.
    pub fn read(world: &dyn World) -> Result<Self> {
        let bytes = match world.read(FILE.into()) {
            Ok(bytes) => bytes,
            Err(error) if error.reason == ReadErrorReason::Absent => return Ok(Self::default()),
            Err(error) => return Err(Diagnostic::error("repo-layout", error.to_string())),
        };
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Diagnostic::error("repo-layout", format!("`{FILE}` is not UTF-8")).at(Span::file(FILE)))?;
        Self::parse(text)
    }

    /// The layout that the text of an `onepane.yaml` says.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut layout = Self::default();
        let documents = onepane_yaml::read(text, FileId::new(FILE))?;
        let Some(document) = documents.first() else { return Ok(layout) };
        for (key, value) in entries(document)? {
            match key.as_str() {
                Some("folders") => layout.read_folders(value)?,
                Some("kubernetesVersion") => layout.kubernetes.all = Some(version(value)?),
                Some("clusters") => {
                    for (name, said) in entries(value)? {
                        let name = name.as_str().ok_or_else(|| expected(name, "a name"))?;
                        layout.read_cluster(name, said)?;
                    }
                }
                Some("follow") => {
                    for word in one_or_several(value) {
                        layout.follow.push(match word.as_str() {
                            Some("flux") => Follow::Flux,
                            Some("argocd") => Follow::ArgoCd,
                            _ => return Err(expected(word, "`flux` or `argocd`")),
                        });
                    }
                }
                Some("repository") => {
                    for address in one_or_several(value) {
                        let text = address.as_str().ok_or_else(|| expected(address, "an address"))?;
                        layout.addresses.push(text.to_owned());
                    }
                }
                Some("ci") => {
                    for (key, value) in entries(value)? {
                        if key.as_str() != Some("others") {
                            return Err(unknown(key, "others"));
                        }
                        let named = value.as_str().and_then(OtherImages::named);
                        layout.other_images = named.ok_or_else(|| expected(value, "`pinned`, `branch` or `latest`"))?;
                    }
                }
                Some("promotions") => {
                    let rules = entries(value)?.iter().map(|(name, rules)| PromotionRules::read(name, rules));
                    layout.promotions = rules.collect::<Result<_>>()?;
                }
                _ => {
                    return Err(unknown(
                        key,
                        "folders, clusters, kubernetesVersion, follow, repository, ci, promotions",
                    ));
                }
            }
        }
        Ok(layout)
    }

    /// What is said of one cluster: its folder, or more.
    fn read_cluster(&mut self, name: &str, said: &onepane_yaml::Node) -> Result<()> {
        if said.entries().is_none() {
            self.named_clusters.push((name.to_owned(), folder(said)?));
            return Ok(());
        }
        for (key, value) in entries(said)? {
            match key.as_str() {
                Some("folder") => self.named_clusters.push((name.to_owned(), folder(value)?)),
                Some("kubernetesVersion") => _ = self.kubernetes.clusters.insert(name.to_owned(), version(value)?),
                Some("context") => {
                    let context = value.as_str().ok_or_else(|| expected(value, "the name of a context"))?;
                    let place = value.span.unwrap_or(Span::file(FILE));
                    self.contexts.insert(name.to_owned(), (context.to_owned(), place));
                }
                _ => return Err(unknown(key, "folder, context, kubernetesVersion")),
            }
        }
        Ok(())
    }

    fn read_folders(&mut self, node: &onepane_yaml::Node) -> Result<()> {
        for (key, value) in entries(node)? {
            let place = match key.as_str() {
                Some("helmCharts") => &mut self.helm_charts,
                Some("components") => &mut self.components,
                Some("groups") => &mut self.groups,
                Some("clusters") => &mut self.clusters,
                Some("src") => &mut self.src,
                _ => return Err(unknown(key, "helmCharts, components, groups, clusters, src")),
            };
            *place = folder(value)?;
        }
        Ok(())
    }

    /// Where the charts are rendered to.
    pub fn rendered(&self) -> Utf8PathBuf {
        self.helm_charts.join("rendered")
    }
}

/// A folder within the repository.
fn folder(node: &onepane_yaml::Node) -> Result<Utf8PathBuf> {
    let path = node.as_str().ok_or_else(|| expected(node, "a folder"))?;
    let path = onepane_world::normalize(Utf8Path::new(path));
    if path.is_absolute() || path.starts_with("..") {
        return Err(expected(node, "a folder within the repository"));
    }
    Ok(path)
}

/// The items of a list, or the node itself.
pub(crate) fn one_or_several(node: &onepane_yaml::Node) -> Vec<&onepane_yaml::Node> {
    node.items().map_or_else(|| vec![node], |items| items.iter().collect())
}

fn version(node: &onepane_yaml::Node) -> Result<(String, Span)> {
    let text = node.as_str().ok_or_else(|| expected(node, "a version of Kubernetes"))?;
    Ok((text.to_owned(), node.span.unwrap_or(Span::file(FILE))))
}

pub(crate) fn entries(node: &onepane_yaml::Node) -> Result<&[(onepane_yaml::Node, onepane_yaml::Node)]> {
    node.entries().ok_or_else(|| expected(node, "a mapping"))
}

/// The file as a whole.
pub(crate) fn whole_file() -> Span {
    Span::file(FILE)
}

pub(crate) fn expected(node: &onepane_yaml::Node, what: &str) -> Box<Diagnostic> {
    let span = node.span.unwrap_or(Span::file(FILE));
    Diagnostic::error("repo-layout", format!("`{FILE}` has something else where {what} belongs")).at(span)
}

pub(crate) fn unknown(key: &onepane_yaml::Node, known: &str) -> Box<Diagnostic> {
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
        let text = "kubernetesVersion: 1.36\nclusters:\n  old: {kubernetesVersion: '1.33', context: k3d-old}\n";
        let layout = Layout::read(&MemoryWorld::new().with(FILE, text)).expect("it is valid");
        assert_eq!(layout.contexts["old"].0, "k3d-old");
        let versions = layout.kubernetes;
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
        let text = "clusters: {main: apps/root}\nfollow: [flux, argocd]\nrepository: https://h/o/r\n";
        let layout = Layout::read(&MemoryWorld::new().with(FILE, text)).expect("it is valid");
        assert_eq!(layout.named_clusters, [("main".to_owned(), "apps/root".into())]);
        assert_eq!(layout.follow, [Follow::Flux, Follow::ArgoCd]);
        assert_eq!(layout.addresses, ["https://h/o/r"]);
        let text = "ci: {others: branch}\n";
        let layout = Layout::read(&MemoryWorld::new().with(FILE, text)).expect("it is valid");
        assert_eq!(layout.other_images, OtherImages::Branch);
        for (text, line) in [
            ("ci: {others: newest}\n", 1),
            ("ci: {other: latest}\n", 1),
            ("follow: fluxx\n", 1),
            ("clusters: {a: /etc}\n", 1),
            ("folder: {}\n", 1),
            ("folders:\n  charts: x\n", 2),
            ("folders:\n  src: ../x\n", 2),
        ] {
            let error = Layout::read(&MemoryWorld::new().with(FILE, text)).expect_err(text);
            assert_eq!(error.primary.expect("it names the place").span.line, line, "{text}");
        }
    }
}
