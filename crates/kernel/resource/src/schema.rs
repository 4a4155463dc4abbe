//! What a strategic merge needs to know of types: [`Schema`].

use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::Node;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Which lists are merged and by which keys, for Kubernetes' own kinds or for those of an OpenAPI document.
///
/// Cloning shares it.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Types>);

/// The type of a field or of a whole resource, within a [`Schema`].
#[derive(Clone, Copy, Debug)]
pub struct SchemaType<'a> {
    types: &'a Types,
    index: usize,
}

#[derive(Debug, Default)]
struct Types {
    types: Vec<Type>,
    /// The type of a kind, by kind and `apiVersion`.
    kinds: HashMap<Box<str>, Vec<(Box<str>, usize)>>,
    /// Whether a field that no type names is known to be of no interest, rather than unknown.
    closed: bool,
}

#[derive(Debug, Default)]
struct Type {
    fields: HashMap<Box<str>, usize>,
    /// The type of every field that is not in `fields`.
    other_fields: Option<usize>,
    elements: Option<usize>,
    /// For a list that is merged, its keys; none for a list of scalars.
    merge_keys: Option<Vec<Box<str>>>,
    /// A reference to a definition, which says all there is to say.
    target: Option<usize>,
}

/// The type of which nothing is known but that nothing in it is merged by keys.
const OPAQUE: usize = 0;
/// How deeply a document's types may be nested in one another.
const DEEPEST: usize = 100;

impl Schema {
    /// Kubernetes' own kinds, as Kustomize 5.8 knows them. The table is read when first asked for.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Schema> = OnceLock::new();
        BUILTIN.get_or_init(|| Self(Arc::new(read_table(include_str!("merge_keys.txt")))))
    }

    /// The kinds of an OpenAPI document, as a kustomization's `openapi.path` names one. They take the place of
    /// Kubernetes' own, which are then unknown.
    ///
    /// # Errors
    /// `openapi-invalid` when the document is no mapping, its definitions are none or it is nested beyond reason.
    pub fn from_openapi(document: &Node) -> Result<Self> {
        read_openapi(document).map(|types| Self(Arc::new(types))).map_err(|message| {
            let error = Diagnostic::error("openapi-invalid", message);
            match document.span {
                Some(span) => error.at(span),
                None => error,
            }
        })
    }

    /// The type of a kind, if it is known in exactly that version.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<SchemaType<'_>> {
        let versions = self.0.kinds.get(kind)?;
        let (_, index) = versions.iter().find(|(version, _)| **version == *api_version)?;
        Some(SchemaType { types: &self.0, index: *index })
    }
}

impl<'a> SchemaType<'a> {
    /// The type of the field `name`, if anything is known of it.
    pub fn field(self, name: &str) -> Option<Self> {
        let of = self.get()?;
        match of.fields.get(name).copied().or(of.other_fields) {
            Some(index) => self.types.resolve(index).map(|index| Self { index, ..self }),
            None if self.types.closed => Some(Self { index: OPAQUE, ..self }),
            None => None,
        }
    }

    /// The type of a list's elements, if anything is known of them.
    pub fn elements(self) -> Option<Self> {
        match self.get()?.elements {
            Some(index) => self.types.resolve(index).map(|index| Self { index, ..self }),
            None if self.types.closed => Some(Self { index: OPAQUE, ..self }),
            None => None,
        }
    }

    /// The keys by which a list of this type is merged, none for a list of scalars; `None` where it is replaced.
    pub fn merge_keys(self) -> Option<&'a [Box<str>]> {
        self.get()?.merge_keys.as_deref()
    }

    fn get(self) -> Option<&'a Type> {
        self.types.types.get(self.index)
    }
}

impl Types {
    /// Follows references; `None` where they lead nowhere or in a circle.
    fn resolve(&self, mut index: usize) -> Option<usize> {
        for _ in 0..DEEPEST {
            match self.types.get(index)?.target {
                Some(next) => index = next,
                None => return Some(index),
            }
        }
        None
    }

    fn add(&mut self, of: Type) -> usize {
        self.types.push(of);
        self.types.len() - 1
    }
}

/// Reads the built-in table; its format is described in it.
fn read_table(text: &str) -> Types {
    let mut types = Types { closed: true, ..Types::default() };
    types.add(Type::default());
    let mut named: HashMap<&str, usize> = HashMap::new();
    let mut current = OPAQUE;
    let lines = || text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for name in lines().filter_map(|line| line.strip_prefix("type ")) {
        named.insert(name, types.add(Type::default()));
    }
    for line in lines() {
        let mut words = line.split_whitespace();
        match (line.starts_with(' '), words.next()) {
            (false, Some("type")) => current = words.next().and_then(|name| named.get(name)).copied().unwrap_or(OPAQUE),
            (false, Some("kind")) => {
                let (Some(kind), Some(name)) = (words.next(), words.next()) else { continue };
                let of = named.get(name).copied().unwrap_or(OPAQUE);
                types.kinds.insert(kind.into(), words.map(|version| (version.into(), of)).collect());
            }
            (true, Some(field)) => {
                let of = words.next().and_then(|name| named.get(name)).copied().unwrap_or(OPAQUE);
                let (field, of) = match field.split_once('[') {
                    Some((field, keys)) => {
                        let keys = keys.trim_end_matches(']').split(',').filter(|key| !key.is_empty());
                        let merge_keys = Some(keys.map(Into::into).collect());
                        (field, types.add(Type { elements: Some(of), merge_keys, ..Type::default() }))
                    }
                    None => (field, of),
                };
                if let Some(of_current) = types.types.get_mut(current) {
                    of_current.fields.insert(field.into(), of);
                }
            }
            _ => {}
        }
    }
    types
}

fn read_openapi(document: &Node) -> Result<Types, String> {
    if document.entries().is_none() {
        return Err("an OpenAPI document must be a mapping".to_owned());
    }
    let mut types = Types::default();
    types.add(Type::default());
    let definitions = match document.get("definitions") {
        Some(definitions) => {
            definitions.entries().ok_or_else(|| "`definitions` of an OpenAPI document must be a mapping".to_owned())?
        }
        None => &[],
    };
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (name, _) in definitions {
        named.insert(name.as_str().unwrap_or_default(), types.add(Type::default()));
    }
    for (name, definition) in definitions {
        let Some(&index) = named.get(name.as_str().unwrap_or_default()) else { continue };
        let of = read_type(definition, &named, &mut types, 0)?;
        if let Some(place) = types.types.get_mut(index) {
            *place = of;
        }
        for gvk in definition.get("x-kubernetes-group-version-kind").and_then(Node::items).unwrap_or_default() {
            let part = |key: &str| gvk.get(key).and_then(Node::as_str).unwrap_or_default();
            let (group, version) = (part("group"), part("version"));
            let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let versions = types.kinds.entry(part("kind").into()).or_default();
            versions.retain(|(known, _)| **known != *api_version);
            versions.push((api_version.into(), index));
        }
    }
    Ok(types)
}

fn read_type(node: &Node, named: &HashMap<&str, usize>, types: &mut Types, depth: usize) -> Result<Type, String> {
    if depth > DEEPEST {
        return Err(format!("an OpenAPI document must not nest its types more than {DEEPEST} deep"));
    }
    if let Some(reference) = node.get("$ref").and_then(Node::as_str) {
        let name = reference.strip_prefix("#/definitions/").unwrap_or(reference).replace("~1", "/").replace("~0", "~");
        // A reference that leads nowhere leaves the field unknown.
        return Ok(Type { target: Some(named.get(&*name).copied().unwrap_or(usize::MAX)), ..Type::default() });
    }
    let mut of = Type::default();
    for (name, field) in node.get("properties").and_then(Node::entries).unwrap_or_default() {
        let field = read_type(field, named, types, depth + 1)?;
        let field = types.add(field);
        of.fields.insert(name.as_str().unwrap_or_default().into(), field);
    }
    if let Some(other) = node.get("additionalProperties").filter(|other| other.entries().is_some()) {
        let other = read_type(other, named, types, depth + 1)?;
        of.other_fields = Some(types.add(other));
    }
    let is_list = match node.get("type") {
        Some(word) => word.as_str() == Some("array"),
        None => false,
    };
    if is_list && let Some(elements) = node.get("items") {
        let elements = read_type(elements, named, types, depth + 1)?;
        of.elements = Some(types.add(elements));
    }
    let strategy = node.get("x-kubernetes-patch-strategy").and_then(Node::as_str).unwrap_or_default();
    if strategy.split(',').any(|word| word == "merge") {
        let texts = |items: &[Node]| items.iter().filter_map(Node::as_str).map(Into::into).collect();
        of.merge_keys = match node.get("x-kubernetes-list-map-keys").and_then(Node::items) {
            Some(keys) => Some(texts(keys)),
            None => Some(
                node.get("x-kubernetes-patch-merge-key").and_then(Node::as_str).map(Into::into).into_iter().collect(),
            ),
        };
    }
    Ok(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: Vec<(&str, Node)>) -> Node {
        Node::mapping(entries.into_iter().map(|(key, value)| (Node::scalar(key), value)).collect())
    }

    fn keys(of: Option<SchemaType<'_>>) -> Option<Vec<&str>> {
        of?.merge_keys().map(|keys| keys.iter().map(|key| &**key).collect())
    }

    #[test]
    fn the_builtin_kinds_have_their_merge_keys() {
        let pod_template = ["spec", "template", "spec"];
        for (api_version, kind, path, expected) in [
            ("apps/v1", "Deployment", &[&pod_template[..], &["containers"]].concat()[..], Some(vec!["name"])),
            ("apps/v1", "Deployment", &[&pod_template[..], &["tolerations"]].concat(), None),
            ("v1", "Pod", &["spec", "containers", "[]", "ports"], Some(vec!["containerPort", "protocol"])),
            ("v1", "Pod", &["spec", "containers", "[]", "args"], None),
            ("v1", "ConfigMap", &["metadata", "finalizers"], Some(vec![])),
            ("v1", "ConfigMap", &["metadata", "labels"], None),
            (
                "batch/v1",
                "CronJob",
                &["spec", "jobTemplate", "spec", "template", "spec", "volumes"],
                Some(vec!["name"]),
            ),
            ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", &["webhooks"], Some(vec!["name"])),
        ] {
            let mut of = Schema::builtin().of_kind(api_version, kind);
            for part in path {
                of = of.and_then(|of| if *part == "[]" { of.elements() } else { of.field(part) });
            }
            assert!(of.is_some(), "{kind} {path:?}");
            assert_eq!(keys(of), expected, "{kind} {path:?}");
        }
        assert!(Schema::builtin().of_kind("extensions/v1beta1", "Deployment").is_none());
    }

    #[test]
    fn every_type_that_the_table_names_is_in_it() {
        let table = include_str!("merge_keys.txt");
        let named: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("type ")).collect();
        let used = table.lines().filter(|line| !line.starts_with('#') && !line.starts_with("type "));
        for line in used {
            let words: Vec<&str> = line.split_whitespace().collect();
            let name = if line.starts_with("kind ") { words.get(2) } else { words.get(1) };
            assert!(name.is_none_or(|name| named.contains(name)), "{line}");
        }
    }

    fn document() -> Node {
        let items = map(vec![
            ("type", Node::scalar("array")),
            ("items", map(vec![("$ref", Node::scalar("#/definitions/Item"))])),
            ("x-kubernetes-patch-strategy", Node::scalar("merge")),
            ("x-kubernetes-list-map-keys", Node::sequence(vec![Node::scalar("a"), Node::scalar("b")])),
        ]);
        let gvk = map(vec![
            ("group", Node::scalar("example.com")),
            ("version", Node::scalar("v1")),
            ("kind", Node::scalar("Foo")),
        ]);
        let foo = map(vec![
            (
                "properties",
                map(vec![("items", items), ("self", map(vec![("$ref", Node::scalar("#/definitions/Foo"))]))]),
            ),
            ("x-kubernetes-group-version-kind", Node::sequence(vec![gvk])),
        ]);
        let circle = map(vec![("$ref", Node::scalar("#/definitions/Item"))]);
        map(vec![("definitions", map(vec![("Foo", foo), ("Item", circle)]))])
    }

    #[test]
    fn an_openapi_document_gives_keys_and_may_refer_to_itself() {
        let schema = Schema::from_openapi(&document()).unwrap();
        let foo = schema.of_kind("example.com/v1", "Foo");
        assert_eq!(keys(foo.and_then(|of| of.field("items"))), Some(vec!["a", "b"]));
        let deeper = foo.and_then(|of| of.field("self")).and_then(|of| of.field("self")?.field("items"));
        assert_eq!(keys(deeper), Some(vec!["a", "b"]));
        assert!(deeper.and_then(SchemaType::elements).is_none(), "a circle of references is unknown");
        assert!(foo.and_then(|of| of.field("absent")).is_none());
        assert!(schema.of_kind("v1", "Pod").is_none());
    }

    #[test]
    fn a_document_of_another_shape_is_an_error() {
        let mut nested = Node::scalar("x");
        for _ in 0..200 {
            nested = map(vec![("properties", map(vec![("a", nested)]))]);
        }
        for document in [
            Node::scalar("x"),
            map(vec![("definitions", Node::scalar("x"))]),
            map(vec![("definitions", map(vec![("Deep", nested)]))]),
        ] {
            assert_eq!(Schema::from_openapi(&document).unwrap_err().code, "openapi-invalid");
        }
    }
}
