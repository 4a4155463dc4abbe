//! Which kinds are served: [`Kind`] and [`Kinds`].
//!
//! Kubernetes' own are in `kinds.txt`, one a line: `VERSION PLURAL SINGULAR KIND SCOPE FLAG…`, where FLAG is `short=`
//! other names, `in=` categories, `below=` subresources and `verbs=` where not all are served.

use crate::types::{self, Shape};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A kind in one of its versions.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) is_namespaced: bool,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) subresources: Vec<String>,
    /// Where it can only be asked, and nothing is kept: reviews.
    pub(crate) verbs: Option<Vec<String>>,
    pub(crate) shape: Shape,
    /// The version of the definition that it is from; `None` for Kubernetes' own kinds.
    pub(crate) custom: Option<Value>,
}

impl Kind {
    pub(crate) fn api_version(&self) -> String {
        join_version(&self.group, &self.version)
    }

    /// `deployments.apps`: the name that is the same in all versions.
    pub(crate) fn resource(&self) -> String {
        match &*self.group {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    pub(crate) fn storage_key(&self) -> Arc<str> {
        self.resource().into()
    }

    pub(crate) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|other| other == subresource)
    }

    /// Whether changes of what is wanted are counted.
    pub(crate) fn has_generation(&self) -> bool {
        const COUNTED: &[&str] = &[
            "customresourcedefinitions",
            "controllerrevisions",
            "cronjobs",
            "daemonsets",
            "deployments",
            "flowschemas",
            "ingresses",
            "ingressclasses",
            "jobs",
            "mutatingwebhookconfigurations",
            "networkpolicies",
            "poddisruptionbudgets",
            "pods",
            "priorityclasses",
            "prioritylevelconfigurations",
            "replicasets",
            "replicationcontrollers",
            "statefulsets",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ];
        self.custom.is_some()
            || (COUNTED.contains(&&*self.plural) && !matches!(&*self.plural, "controllerrevisions" | "ingressclasses"))
    }

    /// What discovery says of it, and of its subresources, in the form of an `APIResourceList`.
    pub(crate) fn described(&self) -> Vec<Value> {
        const ALL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        let verbs = self.verbs.clone().unwrap_or_else(|| ALL.map(str::to_owned).to_vec());
        let mut own = json!({
            "name": self.plural, "singularName": self.singular, "namespaced": self.is_namespaced, "kind": self.kind,
            "verbs": verbs,
        });
        if !self.short_names.is_empty() {
            own["shortNames"] = self.short_names.clone().into();
        }
        if !self.categories.is_empty() {
            own["categories"] = self.categories.clone().into();
        }
        let mut all = vec![own];
        for subresource in self.subresources.iter().filter(|name| is_served(name)) {
            let mut below = json!({
                "name": format!("{}/{subresource}", self.plural), "singularName": "", "namespaced": self.is_namespaced,
                "kind": self.kind, "verbs": ["get", "patch", "update"],
            });
            let mut other = |group: &str, version: &str, kind: &str, verbs: &[&str]| {
                below["group"] = group.into();
                below["version"] = version.into();
                below["kind"] = kind.into();
                below["verbs"] = verbs.into();
            };
            match &**subresource {
                "scale" => other("autoscaling", "v1", "Scale", &["get", "patch", "update"]),
                "eviction" => other("policy", "v1", "Eviction", &["create"]),
                "token" => other("authentication.k8s.io", "v1", "TokenRequest", &["create"]),
                "log" => below["verbs"] = json!(["get"]),
                "binding" => {
                    below["kind"] = "Binding".into();
                    below["verbs"] = json!(["create"]);
                }
                "finalize" => below["verbs"] = json!(["update"]),
                _ => {}
            }
            all.push(below);
        }
        all
    }
}

/// Not served is what needs something that runs, and what nobody asked for.
pub(crate) fn is_served(subresource: &str) -> bool {
    matches!(
        subresource,
        "status"
            | "scale"
            | "log"
            | "eviction"
            | "binding"
            | "finalize"
            | "token"
            | "approval"
            | "resize"
            | "ephemeralcontainers"
    )
}

pub(crate) fn join_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The group and the version of an `apiVersion`.
pub(crate) fn split_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// All kinds that are served, Kubernetes' own and those of definitions.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    /// By definition, with the time at which it was new.
    custom: BTreeMap<String, (Instant, Vec<Arc<Kind>>)>,
}

/// How long a kind is served before it is listed. Real API servers take a moment too.
const UNLISTED: Duration = Duration::from_millis(20);

impl Kinds {
    pub(crate) fn new() -> Self {
        Self { custom: BTreeMap::new() }
    }

    /// The kinds of each group and version, in the order in which groups are preferred.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        builtin().iter().chain(self.custom.values().flat_map(|(_, kinds)| kinds))
    }

    /// By the name in paths.
    pub(crate) fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.all().find(|kind| kind.plural == plural && kind.version == version && kind.group == group).cloned()
    }

    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = split_version(api_version);
        self.all().find(|of| of.kind == kind && of.version == version && of.group == group).cloned()
    }

    /// Any version of what is kept under a key.
    pub(crate) fn by_key(&self, key: &str) -> Option<Arc<Kind>> {
        self.all().find(|kind| *kind.storage_key() == *key).cloned()
    }

    pub(crate) fn define(&mut self, definition: &str, kinds: Vec<Arc<Kind>>) {
        self.custom.entry(definition.to_owned()).or_insert_with(|| (Instant::now(), Vec::new())).1 = kinds;
    }

    pub(crate) fn undefine(&mut self, definition: &str) -> Vec<Arc<Kind>> {
        self.custom.remove(definition).map(|(_, kinds)| kinds).unwrap_or_default()
    }

    /// Those that discovery tells of by now.
    pub(crate) fn listed(&self) -> Self {
        let custom = self.custom.iter().filter(|(_, (new, _))| new.elapsed() >= UNLISTED);
        Self { custom: custom.map(|(name, kinds)| (name.clone(), kinds.clone())).collect() }
    }

    /// Groups with their versions, the preferred ones first; the core group is the first.
    pub(crate) fn groups(&self) -> Vec<(String, Vec<String>)> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for kind in self.all() {
            let at = match groups.iter().position(|(group, _)| *group == kind.group) {
                Some(at) => at,
                None => {
                    groups.push((kind.group.clone(), Vec::new()));
                    groups.len() - 1
                }
            };
            if let Some((_, versions)) = groups.get_mut(at)
                && !versions.contains(&kind.version)
            {
                versions.push(kind.version.clone());
            }
        }
        for (_, versions) in &mut groups {
            versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        }
        groups
    }
}

/// Stable versions before betas before alphas, and new ones before old ones.
fn priority(version: &str) -> (u8, u64, u64) {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let major = number(version.trim_start_matches('v'));
    match (version.split_once("beta"), version.split_once("alpha")) {
        (Some((_, minor)), _) => (1, major, number(minor)),
        (_, Some((_, minor))) => (0, major, number(minor)),
        _ => (2, major, 0),
    }
}

fn builtin() -> &'static [Arc<Kind>] {
    static KINDS: OnceLock<Vec<Arc<Kind>>> = OnceLock::new();
    KINDS.get_or_init(|| include_str!("kinds.txt").lines().filter_map(read_kind).collect())
}

fn read_kind(line: &str) -> Option<Arc<Kind>> {
    let words: Vec<&str> = line.split(' ').collect();
    let [version, plural, singular, kind, scope, flags @ ..] = &words[..] else { return None };
    if *version == "#" {
        return None;
    }
    let list = |name: &str| {
        let words = flags.iter().find_map(|flag| flag.strip_prefix(name));
        words.map(|words| words.split(',').map(str::to_owned).collect::<Vec<String>>())
    };
    let (group, short_version) = split_version(version);
    Some(Arc::new(Kind {
        group: group.to_owned(),
        version: short_version.to_owned(),
        plural: (*plural).to_owned(),
        singular: (*singular).to_owned(),
        kind: (*kind).to_owned(),
        list_kind: format!("{kind}List"),
        is_namespaced: *scope == "Namespaced",
        short_names: list("short=").unwrap_or_default(),
        categories: list("in=").unwrap_or_default(),
        subresources: list("below=").unwrap_or_default(),
        verbs: list("verbs="),
        shape: types::builtin_kind(version, kind).unwrap_or(Shape::Any),
        custom: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_kept_has_a_shape() {
        let unknown: Vec<&str> =
            builtin().iter().filter(|kind| matches!(kind.shape, Shape::Any)).map(|kind| &*kind.kind).collect();
        assert_eq!(unknown, Vec::<&str>::new());
    }

    #[test]
    fn stable_versions_are_preferred() {
        let mut versions = ["v1alpha1", "v2beta1", "v1", "v2", "v2beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        assert_eq!(versions, ["v2", "v1", "v2beta2", "v2beta1", "v1alpha1"]);
    }
}
