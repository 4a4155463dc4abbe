//! A resource during a build: [`Resource`].

use crate::{GroupVersionKind, ResourceId, Schema};
use onepane_diagnostics::FileId;
use onepane_yaml::{Content, Node, Style};
use std::sync::OnceLock;

/// A manifest and what a build remembers of it.
///
/// Kustomize keeps these memories in annotations that it strips in the end; here they are fields, so they never show
/// in the manifest and cannot be forged by it.
#[derive(Clone, Debug)]
pub struct Resource {
    node: Node,
    id: OnceLock<ResourceId>,
    /// What tells the scopes of kinds that are not Kubernetes' own.
    schema: Option<Schema>,
    /// The ids it had before, oldest first. See [`Resource::store_previous_id`].
    pub previous: Vec<PreviousId>,
    /// The name prefixes it was given, innermost overlay first.
    pub prefixes: Vec<Box<str>>,
    /// The name suffixes it was given, innermost overlay first.
    pub suffixes: Vec<Box<str>>,
    /// The ids of resources whose references to this one were rewritten.
    pub referred_by: Vec<ResourceId>,
    /// How a generated resource is combined with one of the same id.
    pub behavior: GeneratorBehavior,
    /// Whether its name is to get a hash of its content.
    pub needs_hash: bool,
    /// Whether, used as a patch, it may rename its target.
    pub allows_name_change: bool,
    /// Whether, used as a patch, it may change its target's kind.
    pub allows_kind_change: bool,
    /// The file it was read from; `None` for a generated one.
    pub source: Option<FileId>,
    /// The kustomizations it passed through, innermost first.
    pub overlays: Vec<FileId>,
    /// The names of the kustomize variables that point at it.
    pub variables: Vec<Box<str>>,
    /// Whether a chart rendered it.
    pub helm_generated: bool,
}

/// An id that a resource had before a name, a namespace or a kind changed. Its group and version are the current ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousId {
    /// The effective namespace.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
    /// The kind.
    pub kind: Box<str>,
}

/// How a generated resource is combined with one of the same id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GeneratorBehavior {
    /// Not said, which means create.
    #[default]
    Unspecified,
    /// There must be none of that id.
    Create,
    /// Its data replaces that of the existing one.
    Replace,
    /// Its data goes over that of the existing one.
    Merge,
}

impl GeneratorBehavior {
    /// From the word in a kustomization; any other word is [`Self::Unspecified`].
    pub fn parse(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    /// The word, as messages have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

impl Resource {
    /// A resource that was just read or generated.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            id: OnceLock::new(),
            schema: None,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            referred_by: Vec::new(),
            behavior: GeneratorBehavior::Unspecified,
            needs_hash: false,
            allows_name_change: false,
            allows_kind_change: false,
            source: None,
            overlays: Vec::new(),
            variables: Vec::new(),
            helm_generated: false,
        }
    }

    /// Lets `schema` tell its scope, if its kind is not one of Kubernetes' own.
    pub fn set_schema(&mut self, schema: &Schema) {
        self.schema = Some(schema.clone());
        self.id = OnceLock::new();
    }

    /// The manifest.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The manifest to change. Where the resource is in a set, change it through the set, which keeps its index.
    pub fn node_mut(&mut self) -> &mut Node {
        self.id = OnceLock::new();
        &mut self.node
    }

    /// The manifest alone.
    pub fn into_node(self) -> Node {
        self.node
    }

    /// Whether nothing is left of it: a patch deleted it.
    pub fn is_empty(&self) -> bool {
        match &self.node.content {
            Content::Mapping(entries) => entries.is_empty(),
            Content::Sequence(items) => items.is_empty(),
            Content::Scalar(_) | Content::Alias(_) => true,
        }
    }

    /// `apiVersion`, or nothing.
    pub fn api_version(&self) -> &str {
        text(self.node.get("apiVersion"))
    }

    /// `kind`, or nothing.
    pub fn kind(&self) -> &str {
        text(self.node.get("kind"))
    }

    /// `metadata.name`, or nothing.
    pub fn name(&self) -> &str {
        text(self.node.at(&["metadata", "name"]))
    }

    /// `metadata.namespace`, or nothing.
    pub fn namespace(&self) -> &str {
        text(self.node.at(&["metadata", "namespace"]))
    }

    /// The type.
    pub fn gvk(&self) -> &GroupVersionKind {
        &self.id().gvk
    }

    /// The current id.
    pub fn id(&self) -> &ResourceId {
        self.id.get_or_init(|| {
            let gvk = self.told(GroupVersionKind::parse(self.api_version(), self.kind()));
            ResourceId::new(gvk, self.namespace(), self.name())
        })
    }

    fn told(&self, gvk: GroupVersionKind) -> GroupVersionKind {
        let scope = self.schema.as_ref().and_then(|schema| schema.scope_of(&gvk.api_version(), &gvk.kind));
        gvk.told(scope)
    }

    /// The ids it had before, oldest first, in the current group and version.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResourceId> + '_ {
        self.previous.iter().map(|previous| {
            let gvk = &self.id().gvk;
            let gvk = GroupVersionKind::new(gvk.group.clone(), gvk.version.clone(), previous.kind.clone());
            ResourceId::new(self.told(gvk), previous.namespace.clone(), previous.name.clone())
        })
    }

    /// The first id it had.
    pub fn original_id(&self) -> ResourceId {
        self.previous_ids().next().unwrap_or_else(|| self.id().clone())
    }

    /// Remembers the current id. To be called before a name, a namespace or a kind changes.
    pub fn store_previous_id(&mut self) {
        let id = self.id();
        let namespace = id.effective_namespace().into();
        let previous = PreviousId { namespace, name: id.name.clone(), kind: id.gvk.kind.clone() };
        self.previous.push(previous);
    }

    /// Keys and values of `metadata.labels`, in their order.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.node.at(&["metadata", "labels"]))
    }

    /// Keys and values of `metadata.annotations`, in their order.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.node.at(&["metadata", "annotations"]))
    }

    /// One of `metadata.labels`.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.at(&["metadata", "labels", key]).and_then(Node::as_str)
    }

    /// One of `metadata.annotations`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.node.at(&["metadata", "annotations", key]).and_then(Node::as_str)
    }

    /// Sets `kind`.
    pub fn set_kind(&mut self, kind: Node) {
        self.node_mut().set("kind", kind);
    }

    /// Sets `metadata.name`, where `metadata` is made if it is absent.
    pub fn set_name(&mut self, name: Node) {
        self.set_in_metadata("name", name);
    }

    /// Sets `metadata.namespace`; `None` removes it.
    pub fn set_namespace(&mut self, namespace: Option<Node>) {
        match namespace {
            Some(namespace) => self.set_in_metadata("namespace", namespace),
            None => {
                if let Some(metadata) = self.node_mut().get_mut("metadata") {
                    metadata.remove("namespace");
                }
            }
        }
    }

    /// Sets `metadata.annotations.<key>`.
    pub fn set_annotation(&mut self, key: &str, value: Node) {
        self.metadata_map("annotations").set(key, value);
    }

    /// Sets `metadata.labels.<key>`.
    pub fn set_label(&mut self, key: &str, value: Node) {
        self.metadata_map("labels").set(key, value);
    }

    /// Removes `metadata.annotations.<key>`, and the map when nothing is left in it.
    pub fn remove_annotation(&mut self, key: &str) -> Option<Node> {
        let metadata = self.node_mut().get_mut("metadata")?;
        let annotations = metadata.get_mut("annotations")?;
        let removed = annotations.remove(key);
        if removed.is_some() && annotations.entries().is_some_and(<[_]>::is_empty) {
            metadata.remove("annotations");
        }
        removed
    }

    fn set_in_metadata(&mut self, key: &str, value: Node) {
        child(self.node_mut(), "metadata").set(key, value);
    }

    fn metadata_map(&mut self, key: &str) -> &mut Node {
        child(child(self.node_mut(), "metadata"), key)
    }
}

/// The mapping at `key`, made where there is none.
fn child<'a>(node: &'a mut Node, key: &str) -> &'a mut Node {
    if node.entries().is_none() {
        *node = Node::mapping(Vec::new());
    }
    let Content::Mapping(entries) = &mut node.content else { unreachable!("it was made a mapping just now") };
    let index = entries.iter().position(|(k, _)| k.as_str() == Some(key)).unwrap_or_else(|| {
        entries.push((Node::scalar(key), Node::mapping(Vec::new())));
        entries.len() - 1
    });
    let value = &mut entries[index].1;
    if value.entries().is_none() {
        *value = Node::mapping(Vec::new());
    }
    value
}

/// The text of a scalar that is there and not null.
fn text(node: Option<&Node>) -> &str {
    match node {
        Some(node) => match node.as_str() {
            Some("null" | "~" | "Null" | "NULL") if node.tag.is_none() && node.style == Style::Plain => "",
            text => text.unwrap_or(""),
        },
        None => "",
    }
}

fn pairs(node: Option<&Node>) -> impl Iterator<Item = (&str, &str)> {
    let entries = node.and_then(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str) -> Resource {
        let mut resource = Resource::new(Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::scalar("v1")),
            (Node::scalar("kind"), Node::scalar("ConfigMap")),
        ]));
        resource.set_name(Node::string(name));
        resource
    }

    #[test]
    fn the_id_follows_the_manifest() {
        let mut resource = config_map("a");
        assert_eq!(resource.id().to_string(), "ConfigMap.v1.[noGrp]/a.[noNs]");
        resource.set_namespace(Some(Node::string("shop")));
        assert_eq!(resource.id().to_string(), "ConfigMap.v1.[noGrp]/a.shop");
        resource.set_namespace(None);
        assert_eq!(resource.namespace(), "");
    }

    #[test]
    fn previous_ids_are_kept_from_the_oldest_on() {
        let mut resource = config_map("a");
        resource.store_previous_id();
        resource.set_name(Node::string("b"));
        resource.store_previous_id();
        resource.set_name(Node::string("c"));
        let names: Vec<_> = resource.previous_ids().map(|id| id.name).collect();
        assert_eq!(names, ["a".into(), "b".into()] as [Box<str>; 2]);
        assert_eq!(&*resource.original_id().name, "a");
        assert_eq!(resource.original_id().effective_namespace(), "default");
    }

    #[test]
    fn a_null_name_is_no_name() {
        let mut resource = config_map("a");
        resource.set_name(Node::scalar("null"));
        assert_eq!(resource.name(), "");
        resource.set_name(Node::string("null"));
        assert_eq!(resource.name(), "null");
    }

    #[test]
    fn the_last_annotation_takes_the_map_with_it() {
        let mut resource = config_map("a");
        resource.set_annotation("k", Node::string("v"));
        assert_eq!(resource.annotations().collect::<Vec<_>>(), [("k", "v")]);
        resource.remove_annotation("k");
        assert!(resource.node().at(&["metadata", "annotations"]).is_none());
    }
}
