//! `buildMetadata:`: annotations that say which file a resource came from and which transformers it met.

use crate::remote::RepositoryUrl;
use crate::stamp::Stamp;
use camino::Utf8PathBuf;
use onepane_diagnostics::Origin;
use onepane_resource::{GeneratorBehavior, Resource, ResourceSet};
use onepane_world::normalize;
use onepane_yaml::{History, Node, Style};

const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// The folder that is being accumulated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provenance {
    /// Relative to the one that the build started in, or to the top of the repository.
    path: Utf8PathBuf,
    /// The repository that it is in, where that is another, and the revision that was asked for.
    repository: Option<(String, Option<String>)>,
}

/// Who made or changed a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfiguredBy<'a> {
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

impl<'a> ConfiguredBy<'a> {
    /// A field of the kustomization.
    pub(crate) fn field(kind: &'a str) -> Self {
        Self { api_version: "builtin", kind, name: "", namespace: "" }
    }

    /// A configuration of a transformer or generator.
    pub(crate) fn plugin(resource: &'a Resource) -> Self {
        Self {
            api_version: resource.api_version(),
            kind: resource.kind(),
            name: resource.name(),
            namespace: resource.namespace(),
        }
    }
}

impl Provenance {
    /// What `path` in this folder names: a folder, a file or a repository.
    pub(crate) fn join(&self, path: &str) -> Self {
        match RepositoryUrl::parse(path) {
            // For the top of a repository Kustomize has the name of a placeholder.
            Some(url) => Self {
                path: if url.folder.as_str().is_empty() { "notCloned".into() } else { url.folder },
                repository: Some((url.clone_url, url.reference)),
            },
            None => Self { path: normalize(&self.path.join(path)), repository: self.repository.clone() },
        }
    }

    /// Says in each of `resources` that it comes from this file.
    pub(crate) fn annotate_source(&self, resources: &mut [Resource]) {
        for resource in resources {
            resource.set_annotation(ORIGIN, text(format!("path: {}\n{}", scalar(self.path.as_str()), self.revision())));
        }
    }

    /// Says in what `by` generated, as the file `self` asks for it, who generated it. What is merged into one of
    /// `present` comes from where that one does.
    pub(crate) fn annotate_generated(&self, resource: &mut Resource, present: &ResourceSet, by: ConfiguredBy<'_>) {
        let merges =
            resource.behavior == GeneratorBehavior::Merge && !present.positions_by_any_id(resource.id()).is_empty();
        if !merges && resource.annotation(ORIGIN).is_none() {
            resource.set_annotation(ORIGIN, text(self.configured(by)));
        }
    }

    /// Says in all resources that the transformer `by` met them. Those of which nobody knows where they come from
    /// must have been made by it.
    pub(crate) fn annotate_transformed(&self, resources: &mut ResourceSet, by: ConfiguredBy<'_>) {
        let configured = self.configured(by);
        // What a patch deleted is still there, empty, and must stay so.
        for resource in resources.iter_mut().filter(|resource| !resource.is_empty()) {
            if resource.annotation(ORIGIN).is_none() {
                resource.set_annotation(ORIGIN, text(configured.clone()));
                continue;
            }
            let mut list = resource.annotation(TRANSFORMATIONS).unwrap_or_default().to_owned();
            for (index, line) in configured.lines().enumerate() {
                list.push_str(if index == 0 { "- " } else { "  " });
                list.push_str(line);
                list.push('\n');
            }
            resource.set_annotation(TRANSFORMATIONS, text(list));
        }
    }

    /// The lines that name the repository.
    fn revision(&self) -> String {
        let Some((repository, reference)) = &self.repository else { return String::new() };
        let mut lines = format!("repo: {}\n", scalar(repository));
        if let Some(reference) = reference {
            lines.push_str(&format!("ref: {}\n", scalar(reference)));
        }
        lines
    }

    fn configured(&self, by: ConfiguredBy<'_>) -> String {
        let (repository, path) = (self.revision(), scalar(self.path.as_str()));
        let mut result = format!("{repository}configuredIn: {path}\nconfiguredBy:\n");
        for (key, value) in
            [("apiVersion", by.api_version), ("kind", by.kind), ("name", by.name), ("namespace", by.namespace)]
        {
            if !value.is_empty() {
                result.push_str(&format!("  {key}: {}\n", scalar(value)));
            }
        }
        result
    }
}

/// The origin that a configuration remembers, for the annotations of what it does.
pub(crate) fn source_of(resource: &Resource) -> Option<Provenance> {
    let origin = resource.annotation(ORIGIN)?;
    let value = |key: &str| {
        let value = origin.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))?;
        Some(value.trim_matches(['"', '\'']).to_owned())
    };
    let repository = value("repo").map(|repository| (repository, value("ref")));
    Some(Provenance { path: value("path")?.into(), repository })
}

/// Takes the annotations away that the kustomization did not ask for.
pub(crate) fn remove_unwanted(resource: &mut Resource, origins: bool, transformations: bool) {
    if !origins {
        resource.remove_annotation(ORIGIN);
    }
    if !transformations {
        resource.remove_annotation(TRANSFORMATIONS);
    }
}

/// Marks the annotations of this module that are left.
pub(crate) fn mark_provenance(resource: &mut Resource, stamp: &Stamp) {
    let annotations = resource.node_mut().get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    for (key, value) in annotations.and_then(Node::entries_mut).into_iter().flatten() {
        if matches!(key.as_str(), Some(ORIGIN | TRANSFORMATIONS)) {
            value.history = History(stamp.over(Origin::UNKNOWN, Vec::new()));
        }
    }
}

fn text(value: String) -> Node {
    Node { style: Style::Literal, ..Node::string(value) }
}

/// A path or name as YAML.
fn scalar(value: &str) -> String {
    let written = onepane_yaml::write_sorted(&Node::string(value));
    written.map_or_else(|_| value.to_owned(), |text| text.trim_end().to_owned())
}
