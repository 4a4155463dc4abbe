//! All kinds that a cluster knows: [`Catalogue`].

use crate::KubernetesVersion;
use crate::definition::{CustomKind, custom_kinds};
use crate::rule::{Rule, rules};
use crate::shape::{Shape, Structs};
use crate::table::{Table, table};
use crate::validate::{Validator, Violation};
use onepane_diagnostics::closest;
use onepane_resource::{GroupVersionKind, Scope};
use onepane_yaml::Node;
use serde_json::Value;
use std::sync::Arc;

/// The kinds of a version of Kubernetes, and those of CustomResourceDefinitions.
#[derive(Clone, Debug)]
pub struct Catalogue {
    version: KubernetesVersion,
    builtin: Arc<Table>,
    custom: Vec<Arc<CustomKind>>,
}

/// What is known of a kind besides its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind<'a> {
    /// Its name in paths of the API: `deployments`.
    pub plural: &'a str,
    /// Where its resources live.
    pub scope: Scope,
}

/// Whether a kind is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is.
    Yes,
    /// It can't be: its group is one of Kubernetes' own, or one that a definition of the repository is of.
    No {
        /// The `apiVersion` and kind that were probably meant.
        meant: Option<(String, String)>,
    },
    /// Its group is somebody else's, of whom nothing is known.
    Foreign,
}

impl Catalogue {
    /// The kinds of a version of Kubernetes.
    pub fn of(version: KubernetesVersion) -> Self {
        Self { version, builtin: table(version), custom: Vec::new() }
    }

    /// The version.
    pub fn version(&self) -> KubernetesVersion {
        self.version
    }

    /// Adds the kinds of a CustomResourceDefinition, in place of another one for the same kind; what is no such thing adds
    /// none.
    pub fn add_definition(&mut self, definition: &Value) {
        let kinds = custom_kinds(definition);
        let group = |kind: &CustomKind| GroupVersionKind::split_api_version(&kind.api_version).0.to_owned();
        let is_new =
            |other: &CustomKind| kinds.iter().any(|kind| kind.kind == other.kind && group(kind) == group(other));
        self.custom.retain(|other| !is_new(other));
        self.custom.extend(kinds.into_iter().map(Arc::new));
    }

    /// A kind, if it is known in this version.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Kind<'_>> {
        if let Some(row) = self.builtin.kinds.get(&(api_version, kind)) {
            return Some(Kind { plural: row.plural, scope: row.scope });
        }
        self.custom_kind(api_version, kind).map(|kind| Kind { plural: &kind.plural, scope: kind.scope })
    }

    /// Whether Kubernetes itself brings the group.
    pub fn is_builtin_group(&self, group: &str) -> bool {
        self.builtin.kinds.keys().any(|(version, _)| GroupVersionKind::split_api_version(version).0 == group)
    }

    /// Whether a kind is known, and which was meant if it can't be one.
    pub fn known(&self, api_version: &str, kind: &str) -> Known {
        if self.kind(api_version, kind).is_some() {
            return Known::Yes;
        }
        let (group, _) = GroupVersionKind::split_api_version(api_version);
        let all = || {
            let builtin = self.builtin.kinds.keys().map(|(version, kind)| (*version, *kind));
            builtin.chain(self.custom.iter().map(|kind| (&*kind.api_version, &*kind.kind)))
        };
        let group_of = |version: &str| GroupVersionKind::split_api_version(version).0.to_owned();
        let mut of_kind: Vec<(&str, &str)> = all().filter(|(_, other)| *other == kind).collect();
        // The stable version before others.
        of_kind.sort_by_key(|(version, _)| {
            (group_of(version) != group, version.contains("alpha") || version.contains("beta"), *version)
        });
        if !all().any(|(version, _)| group_of(version) == group) {
            // A group without a dot is nobody else's.
            let is_foreign = group.contains('.') && !group.ends_with(".k8s.io");
            return match of_kind.first() {
                _ if is_foreign => Known::Foreign,
                Some((version, kind)) => Known::No { meant: Some(((*version).to_owned(), (*kind).to_owned())) },
                None if group.contains('.') => Known::Foreign,
                None => Known::No { meant: None },
            };
        }
        let meant = of_kind.first().map(|(version, kind)| ((*version).to_owned(), (*kind).to_owned())).or_else(|| {
            let here = || all().filter(|(version, _)| *version == api_version);
            let name = closest(kind, here().map(|(_, kind)| kind))?;
            Some((api_version.to_owned(), name.to_owned()))
        });
        Known::No { meant }
    }

    /// What is wrong with a resource, by its kind; nothing where the kind is unknown. `document` and `node` are the same
    /// resource: what an API server gets, and what knows its places.
    pub fn violations<'n>(&self, document: &Value, node: &'n Node) -> Vec<Violation<'n>> {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let mut validator = Validator::default();
        if let Some(row) = self.builtin.kinds.get(&(api_version, kind)) {
            validator.resource(&self.builtin.structs, &row.shape, document, node);
        } else if let Some(custom) = self.custom_kind(api_version, kind) {
            validator.resource(&custom.structs, &custom.shape, document, node);
            self.metadata(&mut validator, document, node);
        }
        validator.found
    }

    /// The rules in CEL that the definition of a resource's kind has for it, each with the value that it is about. `document`
    /// and `node` are the same resource.
    pub fn rules<'n>(&self, document: &Value, node: &'n Node) -> Vec<Rule<'_, 'n>> {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        let custom = self.custom_kind(text("apiVersion"), text("kind"));
        custom.and_then(|kind| kind.with_rules.as_ref()).map_or_else(Vec::new, |schema| rules(schema, document, node))
    }

    fn metadata<'n>(&self, validator: &mut Validator<'n>, document: &Value, node: &'n Node) {
        let structs: &Structs = &self.builtin.structs;
        let shape: &Shape = &self.builtin.metadata;
        if let (Some(metadata), Some((key, value))) = (document.get("metadata"), entry(node, "metadata")) {
            validator.field(structs, shape, metadata, key, value, "metadata");
        }
    }

    fn custom_kind(&self, api_version: &str, kind: &str) -> Option<&CustomKind> {
        let found = self.custom.iter().find(|known| *known.api_version == *api_version && *known.kind == *kind);
        found.map(|kind| &**kind)
    }
}

/// An entry of a mapping.
fn entry<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n Node)> {
    node.entries()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(key, value)| (key, value))
}
