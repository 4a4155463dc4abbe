//! Where objects say that their files are: this repository, a chart from elsewhere, or out of reach.

use crate::object::{Name, group, items, name, text};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Result;
use onepane_resource::Resource;
use onepane_world::{World, normalize};
use std::collections::HashMap;
use std::sync::Arc;

/// A chart that is not in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WantedChart {
    /// The address of the chart repository, or of the registry with the path before the chart: `oci://host/charts`.
    pub address: String,
    /// The chart's name there.
    pub name: String,
    /// A version or a constraint; empty for the newest.
    pub version: String,
}

/// A chart that was found.
#[derive(Clone)]
pub struct LocatedChart {
    /// Where it can be read.
    pub world: Arc<dyn World>,
    /// Its folder or archive there.
    pub path: Utf8PathBuf,
}

/// Who has charts from elsewhere.
pub trait ChartSources: Sync {
    /// The chart, if it can be had.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    fn chart(&self, wanted: &WantedChart) -> Result<LocatedChart>;
}

/// Whether two addresses are those of one repository, however they are written: over SSH or HTTP, with `.git` or not.
pub fn same_repository(one: &str, other: &str) -> bool {
    !one.is_empty() && plain(one) == plain(other)
}

/// Host and path alone, in lower case.
fn plain(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.trim_end_matches('/').trim_end_matches(".git");
    // `host:org/repo` of SSH; a port is a number.
    let rest = match rest.split_once(':') {
        Some((host, path)) => {
            let digits = path.chars().take_while(char::is_ascii_digit).count();
            format!("{host}/{}", path[digits..].trim_start_matches('/'))
        }
        None => rest.to_owned(),
    };
    rest.to_lowercase()
}

/// Where a source leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// This repository.
    Own,
    /// What an ArtifactGenerator copies out of this repository: from a folder of it to one of the artifact.
    Artifact(Vec<(Utf8PathBuf, Utf8PathBuf)>),
    /// A repository of charts.
    Charts(String),
    /// A chart of a registry, with the tag or constraint.
    OciChart(String, String),
    /// Elsewhere; in words.
    Elsewhere(String),
}

/// The sources of Flux among the resources, by kind and name.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    known: HashMap<(String, Name), Source>,
    /// The one that a cluster's own folder comes from.
    own: Option<(String, Name)>,
}

impl Sources {
    /// Notes that a source is this repository, since what is applied from it is the folder that is followed.
    pub(crate) fn is_own(&mut self, kind: &str, name: Name) {
        self.own = Some((kind.to_owned(), name));
    }

    /// Notes what a resource says of sources. `addresses` are this repository's.
    pub(crate) fn note(&mut self, resource: &Resource, addresses: &[String]) {
        let node = resource.node();
        let url = text(node, &["spec", "url"]);
        let source = match (group(resource), resource.kind()) {
            ("source.toolkit.fluxcd.io", "GitRepository") => {
                match addresses.iter().any(|own| same_repository(own, url)) {
                    true => Source::Own,
                    false => Source::Elsewhere(onepane_kustomize::without_password(url)),
                }
            }
            ("source.toolkit.fluxcd.io", "HelmRepository") => Source::Charts(url.to_owned()),
            ("source.toolkit.fluxcd.io", "OCIRepository") => {
                let reference = ["semver", "tag", "digest"].map(|key| text(node, &["spec", "ref", key]));
                let reference = reference.into_iter().find(|reference| !reference.is_empty()).unwrap_or_default();
                Source::OciChart(url.to_owned(), reference.to_owned())
            }
            ("source.toolkit.fluxcd.io", "Bucket") => {
                Source::Elsewhere(format!("the bucket {}", text(node, &["spec", "bucketName"])))
            }
            ("source.extensions.fluxcd.io", "ArtifactGenerator") => {
                self.artifacts(resource);
                return;
            }
            _ => return,
        };
        self.known.insert((resource.kind().to_owned(), name(resource)), source);
    }

    /// Each artifact becomes an ExternalArtifact of its name. Copies of sources that are elsewhere are elsewhere.
    fn artifacts(&mut self, generator: &Resource) {
        let node = generator.node();
        for artifact in items(node, &["spec", "artifacts"]) {
            let mut copies = Vec::new();
            for copy in items(artifact, &["copy"]) {
                let from = text(copy, &["from"]);
                let to = text(copy, &["to"]).strip_prefix("@artifact/").unwrap_or_default();
                let Some((_, from)) = from.strip_prefix('@').and_then(|from| from.split_once('/')) else { continue };
                let from = from.trim_end_matches("**").trim_end_matches('*');
                copies.push((normalize(Utf8Path::new(from)), normalize(Utf8Path::new(to))));
            }
            let name = (generator.namespace().to_owned(), text(artifact, &["name"]).to_owned());
            self.known.insert(("ExternalArtifact".to_owned(), name), Source::Artifact(copies));
        }
    }

    /// Where the source of this kind and name leads.
    pub(crate) fn find(&self, kind: &str, namespace: &str, source: &str) -> Source {
        let key = (kind.to_owned(), (namespace.to_owned(), source.to_owned()));
        if self.own.as_ref() == Some(&key) {
            return Source::Own;
        }
        match self.known.get(&key) {
            Some(found) => found.clone(),
            None => Source::Elsewhere(format!("{kind} {namespace}/{source}, which is not among what was built")),
        }
    }
}

impl Source {
    /// The folder of this repository that a path of the source means; `None` where it is none.
    pub(crate) fn folder(&self, path: &str) -> Option<Utf8PathBuf> {
        let path = normalize(Utf8Path::new(path.trim_start_matches('/')));
        if path.starts_with("..") {
            return None;
        }
        match self {
            Self::Own => Some(path),
            Self::Artifact(copies) => {
                let longest = copies.iter().filter(|(_, to)| path.starts_with(to));
                let (from, to) = longest.max_by_key(|(_, to)| to.as_str().len())?;
                Some(normalize(&from.join(path.strip_prefix(to).ok()?)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_repository_are_written_in_many_ways() {
        for address in [
            "https://github.com/Org/repo",
            "https://user:password@github.com/org/repo.git/",
            "ssh://git@github.com/org/repo",
            "ssh://git@github.com:22/org/repo.git",
            "git@github.com:org/repo.git",
        ] {
            assert!(same_repository("https://github.com/org/repo", address), "{address}");
        }
        assert!(!same_repository("https://github.com/org/repo", "https://github.com/org/repos"));
        assert!(!same_repository("", ""));
    }

    #[test]
    fn paths_of_artifacts_lead_back_to_what_was_copied() {
        let copies = vec![("apps/base".into(), "base".into()), ("apps/production".into(), "production".into())];
        let artifact = Source::Artifact(copies);
        assert_eq!(artifact.folder("./production/x").expect("it was copied"), "apps/production/x");
        assert_eq!(artifact.folder("./staging"), None);
        let whole = Source::Artifact(vec![("infrastructure".into(), "".into())]);
        assert_eq!(whole.folder("./configs").expect("it was copied"), "infrastructure/configs");
        assert_eq!(Source::Own.folder("../outside"), None);
    }
}
