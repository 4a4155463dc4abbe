//! What a rule looks at: [`Scene`].

use onepane_diagnostics::{Diagnostic, Result};
use onepane_resource::{GroupVersionKind, Resource, Scope, Tree, json_document, pods};
use onepane_schema::Catalogue;
use onepane_yaml::Node;
use serde_json::Value;
use std::collections::HashMap;

/// The resources of one build, and what is there beside them.
pub struct Scene<'a> {
    items: Vec<Item<'a>>,
    /// How many of the items are judged; the others are there to be referred to.
    judged: usize,
    catalogue: Catalogue,
    by_name: HashMap<(String, String), Vec<usize>>,
}

/// A resource.
pub struct Item<'a> {
    /// It, with the origins of its fields.
    pub resource: &'a Resource,
    /// It as an API server gets it.
    pub document: Value,
    /// Its namespace: `default` where it says none, nothing where its kind lives in none.
    pub namespace: String,
}

impl<'a> Scene<'a> {
    /// The scene of `judged` resources, which may refer to those `around` them. `catalogue` is what the cluster knows; what
    /// the resources define themselves is added.
    ///
    /// A resource that JSON can't hold is left out; why is in what comes back beside the scene.
    pub fn new(
        judged: impl IntoIterator<Item = &'a Resource>,
        around: impl IntoIterator<Item = &'a Resource>,
        mut catalogue: Catalogue,
    ) -> (Self, Vec<Box<Diagnostic>>) {
        let mut broken = Vec::new();
        let mut read = |resource: &'a Resource| Item::new(resource).map_err(|error| broken.push(error)).ok();
        let mut items: Vec<Item<'a>> = judged.into_iter().filter_map(&mut read).collect();
        let count = items.len();
        items.extend(around.into_iter().filter_map(&mut read));
        for item in items.iter().filter(|item| item.is("apiextensions.k8s.io", "CustomResourceDefinition")) {
            catalogue.add_definition(&item.document);
        }
        let mut by_name: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (index, item) in items.iter_mut().enumerate() {
            let resource = item.resource;
            let scope = catalogue.kind(resource.api_version(), resource.kind()).map(|kind| kind.scope);
            let is_cluster = scope.map_or(resource.id().is_cluster_scoped(), |scope| scope == Scope::Cluster);
            item.namespace = match (is_cluster, resource.namespace()) {
                (true, _) => String::new(),
                (false, "") => "default".to_owned(),
                (false, namespace) => namespace.to_owned(),
            };
            by_name.entry((resource.kind().to_owned(), resource.name().to_owned())).or_default().push(index);
        }
        (Self { items, judged: count, catalogue, by_name }, broken)
    }

    /// The kinds that the cluster knows.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The resources to judge.
    pub fn judged(&self) -> &[Item<'a>] {
        &self.items[..self.judged]
    }

    /// All resources that there are.
    pub fn all(&self) -> &[Item<'a>] {
        &self.items
    }

    /// The resource of a kind and a name in a namespace, which is nothing for kinds that live in none.
    pub(crate) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Item<'a>> {
        let found = self.by_name.get(&(kind.to_owned(), name.to_owned()))?;
        found.iter().map(|index| &self.items[*index]).find(|item| item.namespace == namespace)
    }

    /// The names of a kind in a namespace.
    pub(crate) fn names(&self, kind: &str, namespace: &str) -> impl Iterator<Item = &str> {
        let here = self.items.iter().filter(move |item| item.resource.kind() == kind && item.namespace == namespace);
        here.map(|item| item.resource.name())
    }

    /// The pod templates in a namespace, with what they are of.
    pub(crate) fn templates(&self, namespace: &str) -> impl Iterator<Item = (&Item<'a>, &'a Node)> {
        let here = self.items.iter().filter(move |item| item.namespace == namespace);
        here.filter_map(|item| Some((item, item.template()?)))
    }

    /// Whether something of this repository lives in a namespace.
    pub(crate) fn is_ours(&self, namespace: &str) -> bool {
        self.items.iter().any(|item| item.namespace == namespace)
    }

    /// Whether a custom resource of the namespace says the name, so that whoever runs it may make what is called so: a
    /// SealedSecret, an ExternalSecret, a Certificate.
    pub(crate) fn may_be_made(&self, namespace: &str, name: &str) -> bool {
        let custom = |item: &&Item<'_>| !self.catalogue.is_builtin_group(item.group());
        let here = self.items.iter().filter(|item| item.namespace == namespace).filter(custom);
        here.map(|item| item.node()).any(|node| says(node, name))
    }
}

fn says(node: &Node, name: &str) -> bool {
    node.text() == Some(name)
        || node.list().into_iter().any(|item| says(item, name))
        || node.pairs().into_iter().any(|(_, value)| says(value, name))
}

impl<'a> Item<'a> {
    fn new(resource: &'a Resource) -> Result<Self> {
        Ok(Self { resource, document: document(resource)?, namespace: String::new() })
    }

    /// Its fields.
    pub fn node(&self) -> &'a Node {
        self.resource.node()
    }

    /// Its API group; nothing for the core one.
    pub fn group(&self) -> &'a str {
        GroupVersionKind::split_api_version(self.resource.api_version()).0
    }

    /// Whether it is a `group`'s `kind`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.resource.kind() == kind && self.group() == group
    }

    /// The template of its pods.
    pub(crate) fn template(&self) -> Option<&'a Node> {
        pods::template(self.group(), self.resource.kind(), self.node())
    }

    /// The node at the end of a chain of keys, or the last before it that there is, at its key: `kind` where there is none.
    pub(crate) fn place(&self, keys: &[&str]) -> &'a Node {
        place(self.node(), keys).unwrap_or(self.node())
    }

    /// Whether SOPS has encrypted it: somebody decrypts it before it is applied.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.document.pointer("/sops/mac").is_some()
    }
}

/// `Deployment shop/api`
impl std::fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let slash = if self.resource.namespace().is_empty() { "" } else { "/" };
        write!(f, "{} {}{slash}{}", self.resource.kind(), self.resource.namespace(), self.resource.name())
    }
}

/// The key of the entry at the end of a chain, or of the last of it that is there; else that of `kind`.
pub(crate) fn place<'n>(node: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    let entry = |node: &'n Node, wanted: &str| {
        node.entries()?.iter().find(|(key, _)| key.as_str() == Some(wanted)).map(|(key, value)| (key, value))
    };
    let mut last = entry(node, "kind").or_else(|| node.entries()?.first().map(|(key, value)| (key, value)))?.0;
    let mut current = node;
    for key in keys {
        let Some((key, value)) = entry(current, key) else { break };
        (last, current) = (key, value);
    }
    Some(last)
}

/// A resource as an API server gets it.
///
/// # Errors
/// For one that JSON can't hold.
pub fn document(resource: &Resource) -> Result<Value> {
    let shown = format!("{} {}", resource.kind(), resource.name());
    json_document(&onepane_yaml::write_sorted(resource.node())?, &shown)
}
