//! Resources as a build gives them away: [`Manifest`].

use crate::Resource;
use onepane_diagnostics::Result;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a resource is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ManifestName {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Its own name.
    pub name: String,
}

impl ManifestName {
    /// The API group; empty for the core one.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// What makes it the same resource, whatever the version.
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        (self.group(), &self.kind, &self.namespace, &self.name)
    }

    /// What lists are sorted by.
    pub fn sort_key(&self) -> (&str, &str, &str, &str) {
        (&self.namespace, &self.kind, &self.name, &self.api_version)
    }

    /// Whether it is a `group`'s `kind`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind == kind
    }
}

impl fmt::Display for ManifestName {
    /// `Deployment shop/api`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{} {}{slash}{}", self.kind, self.namespace, self.name)
    }
}

/// A resource as a build gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is called.
    pub name: ManifestName,
    /// All of it, with sorted keys.
    pub yaml: String,
}

impl Manifest {
    /// Of a resource that was built.
    ///
    /// # Errors
    /// For one that no reader of YAML could read again.
    pub fn of(resource: &Resource) -> Result<Self> {
        let name = ManifestName {
            api_version: resource.api_version().to_owned(),
            kind: resource.kind().to_owned(),
            namespace: resource.namespace().to_owned(),
            name: resource.name().to_owned(),
        };
        Ok(Self { name, yaml: onepane_yaml::write_sorted(resource.node())? })
    }

    /// Whether what it holds is nobody's business.
    pub fn is_secret(&self) -> bool {
        self.name.is("", "Secret")
    }

    /// It as an API server gets it.
    ///
    /// # Errors
    /// For what JSON can't hold.
    pub fn document(&self) -> Result<serde_json::Value> {
        crate::json_document(&self.yaml, &self.name)
    }
}
