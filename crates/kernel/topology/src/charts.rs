//! Releases of the state file, their charts, and what these depend on.

use crate::folders::unread;
use crate::graph::{EdgeKind, Node, NodeKind};
use crate::mapper::{Key, Mapper};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{FileId, Span};
use onepane_world::{EntryKind, normalize};
use onepane_yaml::Node as Yaml;

/// Charts may depend on charts; a chain longer than this is not meant.
const DEEPEST: usize = 32;

/// A dependency as Chart.yaml names it.
struct Dependency {
    name: String,
    version: String,
    repository: String,
    span: Option<Span>,
}

impl Mapper<'_> {
    /// The releases of the state file, and every chart of the folder.
    pub(crate) fn releases(&mut self) {
        let layout = self.repository.layout.clone();
        match self.repository.releases() {
            Ok(releases) => {
                for release in releases {
                    let path = layout.rendered().join(&release.name);
                    let is_rendered = self.repository.world.kind(&path).is_some();
                    let detail = match (is_rendered, release.namespace.as_str()) {
                        (false, _) => "not rendered".to_owned(),
                        (true, "") => String::new(),
                        (true, namespace) => format!("in {namespace}"),
                    };
                    let path = is_rendered.then_some(path);
                    let node =
                        Node { kind: NodeKind::Release, name: release.name.clone(), path, detail: detail.clone() };
                    let (from, _) = self.add(node);
                    self.tell(&from, &detail);
                    let to = if self.repository.world.kind(&release.chart).is_some() {
                        self.chart(&release.chart)
                    } else {
                        self.remote_chart(&release.chart_name, &release.version, "")
                    };
                    self.connect(&from, &to, EdgeKind::Renders, Some(release.span));
                }
            }
            Err(error) => self.findings.push(unread(&layout.helm_charts, error)),
        }
        for entry in self.repository.world.list(&layout.helm_charts).unwrap_or_default() {
            let folder = layout.helm_charts.join(&entry.name);
            if self.repository.world.kind(&folder.join("Chart.yaml")) == Some(EntryKind::File) {
                self.chart(&folder);
            }
        }
    }

    /// The chart in a folder or an archive, with what it depends on.
    pub(crate) fn chart(&mut self, path: &Utf8Path) -> Key {
        self.chart_at(path, 0)
    }

    fn chart_at(&mut self, path: &Utf8Path, depth: usize) -> Key {
        let path = normalize(path);
        let place = self.repository.layout.helm_charts.clone();
        let name = path.strip_prefix(&place).unwrap_or(&path).to_string();
        let node = Node { kind: NodeKind::Chart, name, path: Some(path.clone()), detail: String::new() };
        let (key, is_new) = self.add(node);
        if !is_new || depth > DEEPEST || self.repository.world.kind(&path) == Some(EntryKind::File) {
            return key;
        }
        let Some(metadata) = self.yaml(&path.join("Chart.yaml"), true) else {
            return key;
        };
        self.tell(&key, text(&metadata, "version"));
        // Charts of API version v1 list what they depend on in a file of its own.
        let older = self.yaml(&path.join("requirements.yaml"), false);
        for dependency in [Some(metadata), older].iter().flatten().flat_map(dependencies) {
            let to = self.dependency(&path, &dependency, depth);
            self.connect(&key, &to, EdgeKind::DependsOn, dependency.span);
        }
        key
    }

    fn dependency(&mut self, chart: &Utf8Path, dependency: &Dependency, depth: usize) -> Key {
        let Dependency { name, version, repository, .. } = dependency;
        if let Some(folder) = repository.strip_prefix("file://") {
            return self.chart_at(&chart.join(folder), depth + 1);
        }
        let vendored = chart.join("charts").join(name);
        if repository.is_empty() && self.repository.world.kind(&vendored) == Some(EntryKind::Folder) {
            return self.chart_at(&vendored, depth + 1);
        }
        self.remote_chart(name, version, repository)
    }

    /// A chart from elsewhere.
    pub(crate) fn remote_chart(&mut self, name: &str, version: &str, repository: &str) -> Key {
        let repository = onepane_kustomize::without_password(repository.trim_end_matches('/'));
        let name = if repository.is_empty() { name.to_owned() } else { format!("{repository}/{name}") };
        self.add(Node { kind: NodeKind::Chart, name, path: None, detail: version.to_owned() }).0
    }

    /// The first document of a file.
    fn yaml(&mut self, path: &Utf8PathBuf, is_needed: bool) -> Option<Yaml> {
        let read = self.repository.world.read(path);
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => {
                if is_needed {
                    let error = onepane_diagnostics::Diagnostic::error("graph-chart", error.to_string());
                    let error = error.hint("a chart is a folder with a Chart.yaml");
                    self.findings.push(unread(path, error));
                }
                return None;
            }
        };
        match onepane_yaml::read(&String::from_utf8_lossy(&bytes), FileId::new(path)) {
            Ok(documents) => documents.into_iter().next(),
            Err(error) => {
                self.findings.push(unread(path, error));
                None
            }
        }
    }
}

fn dependencies(metadata: &Yaml) -> Vec<Dependency> {
    let items = metadata.get("dependencies").and_then(Yaml::items).unwrap_or_default();
    let read = |item: &Yaml| Dependency {
        name: text(item, "name").to_owned(),
        version: text(item, "version").to_owned(),
        repository: text(item, "repository").to_owned(),
        span: item.get("name").and_then(|name| name.span),
    };
    items.iter().map(read).filter(|dependency| !dependency.name.is_empty()).collect()
}

fn text<'n>(node: &'n Yaml, key: &str) -> &'n str {
    node.get(key).and_then(Yaml::as_str).unwrap_or_default()
}
