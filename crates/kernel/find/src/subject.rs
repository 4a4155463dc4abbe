//! What terms are about: [`Found`], and what is read from it for each key.

use crate::hosts::hosts;
use camino::Utf8Path;
use onepane_repo::FieldPath;
use onepane_resource::{ImageName, Resource, images};
use onepane_yaml::Node;

/// A resource and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The resource as it was built.
    pub resource: &'a Resource,
    /// The release that it was rendered for; empty for none.
    pub release: &'a str,
    /// The chart of that release; empty for none.
    pub chart: &'a str,
    /// The file that it comes from; of one that was generated, the kustomization.
    pub file: Option<&'a Utf8Path>,
}

/// What a term asks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Cluster,
    Api,
    Kind,
    Name,
    Namespace,
    Image,
    Host,
    Release,
    Chart,
    File,
    Label(String),
    Annotation(String),
    Field(FieldPath),
}

impl Subject {
    /// The names of those that are one word.
    pub(crate) const NAMES: [(&'static str, Self); 10] = [
        ("cluster", Self::Cluster),
        ("api", Self::Api),
        ("kind", Self::Kind),
        ("name", Self::Name),
        ("namespace", Self::Namespace),
        ("image", Self::Image),
        ("host", Self::Host),
        ("release", Self::Release),
        ("chart", Self::Chart),
        ("file", Self::File),
    ];

    /// Whether upper and lower case are the same.
    pub(crate) fn ignores_case(&self) -> bool {
        matches!(self, Self::Kind | Self::Host)
    }

    /// The texts that a resource has for it; any of them may be the one that is meant.
    pub(crate) fn texts(&self, found: &Found<'_>) -> Vec<String> {
        let resource = found.resource;
        let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        match self {
            Self::Cluster => one(found.cluster),
            Self::Api => one(resource.api_version()),
            Self::Kind => one(resource.kind()),
            Self::Name => one(resource.name()),
            Self::Namespace => one(resource.namespace()),
            Self::Image => images(resource.node()).into_iter().flat_map(image_texts).collect(),
            Self::Host => hosts(resource),
            Self::Release => one(found.release),
            Self::Chart => [one(found.chart), resource.label("helm.sh/chart").map_or_else(Vec::new, one)].concat(),
            Self::File => found.file.map_or_else(Vec::new, |file| one(file.as_str())),
            Self::Label(key) => resource.label(key).map_or_else(Vec::new, |text| vec![text.to_owned()]),
            Self::Annotation(key) if is_hidden(resource, key) => Vec::new(),
            Self::Annotation(key) => resource.annotation(key).map_or_else(Vec::new, |text| vec![text.to_owned()]),
            Self::Field(path) => fields(path, resource),
        }
    }
}

/// An image in the parts that people ask for: all of it, with and without what follows the name, and its last part.
fn image_texts(image: &str) -> Vec<String> {
    let parts = ImageName::parse(image);
    let mut texts = vec![image.to_owned()];
    let behind = &image[parts.name.len()..];
    let shorter = [parts.name, parts.repository, parts.base(), parts.registry, parts.tag, parts.digest];
    let with_tag = [parts.repository, parts.base()].map(|name| format!("{name}{behind}"));
    for text in shorter.into_iter().map(str::to_owned).chain(with_tag) {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// `kubectl apply` keeps the whole manifest in an annotation.
fn is_hidden(resource: &Resource, annotation: &str) -> bool {
    resource.kind() == "Secret" && annotation == "kubectl.kubernetes.io/last-applied-configuration"
}

/// The scalars that a path leads to.
fn fields(path: &FieldPath, resource: &Resource) -> Vec<String> {
    let mut shown = resource.node().clone();
    if resource.kind() == "Secret" {
        shown.remove("data");
        shown.remove("stringData");
        let annotations = shown.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
        annotations.and_then(|annotations| annotations.remove("kubectl.kubernetes.io/last-applied-configuration"));
    }
    // A mapping or list that is there counts as a text of its own, so that one can ask for its presence.
    path.all(&shown).into_iter().map(|node: &Node| node.as_str().unwrap_or("{}").to_owned()).collect()
}
