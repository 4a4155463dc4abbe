//! What a strategic merge needs to know of types: [`Schema`].

use crate::Scope;
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
    /// The types of definitions, by name.
    names: HashMap<Box<str>, usize>,
    /// The scopes of kinds, by kind and `apiVersion`.
    scopes: HashMap<Box<str>, Vec<(Box<str>, Scope)>>,
    /// What holds of kinds and definitions that are not here.
    below: Option<Arc<Types>>,
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
    /// A reference to a definition of another schema.
    outside: Option<(Arc<Types>, usize)>,
}

/// The type of which nothing is known but that nothing in it is merged by keys.
const OPAQUE: usize = 0;
/// The name of a described type.
const ROOT: &str = "";
/// How deeply a document's types may be nested in one another.
const DEEPEST: usize = 100;

impl Schema {
    /// Kubernetes' own kinds, as Kustomize 5.8 knows them. The table is read when first asked for.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Schema> = OnceLock::new();
        BUILTIN.get_or_init(|| Self(Arc::new(read_table(include_str!("merge_keys.txt")))))
    }

    /// The kinds of an OpenAPI document, as a kustomization's `openapi.path` names one. They take the place of
    /// Kubernetes' own, which are then unknown, unless there is `below`, which is what holds of all others.
    ///
    /// # Errors
    /// `openapi-invalid` when the document is no mapping, its definitions or paths are none or it is nested beyond
    /// reason.
    pub fn from_openapi(document: &Node, below: Option<&Self>) -> Result<Self> {
        let below = below.map(|schema| schema.0.clone());
        read_openapi(document, below).map(|types| Self(Arc::new(types))).map_err(|message| {
            let error = Diagnostic::error("openapi-invalid", message);
            let error = error.hint("it is an OpenAPI v2 document, as `kustomize openapi fetch` prints");
            match document.span {
                Some(span) => error.at(span),
                None => error,
            }
        })
    }

    /// The type that a comment beside a field describes, as a schema of its own, whose references are to the
    /// definitions of this one. See [`Schema::root`].
    ///
    /// # Errors
    /// `openapi-invalid` when the description is nested beyond reason.
    pub fn of_description(&self, description: &Node) -> Result<Self> {
        let mut types = Types::default();
        types.add(Type::default());
        let mut reader = Reader { types, named: HashMap::new(), outside: Some(&self.0) };
        let root = reader.read(description, 0).map_err(|message| Diagnostic::error("openapi-invalid", message))?;
        let index = reader.types.add(root);
        reader.types.names.insert(ROOT.into(), index);
        Ok(Self(Arc::new(reader.types)))
    }

    /// The type that [`Schema::of_description`] read.
    pub fn root(&self) -> Option<SchemaType<'_>> {
        let index = *self.0.names.get(ROOT)?;
        self.0.resolve(index)
    }

    /// The type of a kind, if it is known in exactly that version.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<SchemaType<'_>> {
        let mut types = &*self.0;
        loop {
            let known = types.kinds.get(kind).into_iter().flatten().find(|(version, _)| **version == *api_version);
            match (known, &types.below) {
                (Some((_, index)), _) => return Some(SchemaType { types, index: *index }),
                (None, Some(below)) => types = below,
                (None, None) => return None,
            }
        }
    }

    /// The scope of a kind that the document's paths tell.
    pub fn scope_of(&self, api_version: &str, kind: &str) -> Option<Scope> {
        let versions = self.0.scopes.get(kind)?;
        versions.iter().find(|(version, _)| **version == *api_version).map(|(_, scope)| *scope)
    }
}

impl<'a> SchemaType<'a> {
    /// The type of the field `name`, if anything is known of it.
    pub fn field(self, name: &str) -> Option<Self> {
        let of = self.get()?;
        match of.fields.get(name).copied().or(of.other_fields) {
            Some(index) => self.types.resolve(index),
            None if self.types.closed => Some(Self { index: OPAQUE, ..self }),
            None => None,
        }
    }

    /// The type of a list's elements, if anything is known of them.
    pub fn elements(self) -> Option<Self> {
        match self.get()?.elements {
            Some(index) => self.types.resolve(index),
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
    fn resolve(&self, mut index: usize) -> Option<SchemaType<'_>> {
        let mut types = self;
        for _ in 0..DEEPEST {
            let of = types.types.get(index)?;
            match (&of.outside, of.target) {
                (Some((outside, target)), _) => (types, index) = (outside, *target),
                (None, Some(target)) => index = target,
                (None, None) => return Some(SchemaType { types, index }),
            }
        }
        None
    }

    /// The definition of a name, in these types or in those below. Kubernetes' own have here the last part of their
    /// names; those of no interest are opaque.
    fn definition(this: &Arc<Self>, name: &str) -> Option<(Arc<Self>, usize)> {
        let own = match this.closed {
            false => this.names.get(name).copied(),
            true => {
                let (package, short) = name.rsplit_once('.')?;
                package.starts_with("io.k8s.").then(|| this.names.get(short).copied().unwrap_or(OPAQUE))
            }
        };
        match (own, &this.below) {
            (Some(index), _) => Some((this.clone(), index)),
            (None, Some(below)) => Self::definition(below, name),
            (None, None) => None,
        }
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
        let index = types.add(Type::default());
        named.insert(name, index);
        types.names.insert(name.into(), index);
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

fn read_openapi(document: &Node, below: Option<Arc<Types>>) -> Result<Types, String> {
    if document.entries().is_none() {
        return Err("an OpenAPI document must be a mapping".to_owned());
    }
    let mut types = Types { below: below.clone(), ..Types::default() };
    read_scopes(document, &mut types.scopes)?;
    types.add(Type::default());
    let definitions = match document.get("definitions") {
        Some(definitions) => {
            definitions.entries().ok_or_else(|| "`definitions` of an OpenAPI document must be a mapping".to_owned())?
        }
        None => &[],
    };
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (name, _) in definitions {
        let name = name.as_str().unwrap_or_default();
        let index = types.add(Type::default());
        named.insert(name, index);
        types.names.insert(name.into(), index);
    }
    let mut reader = Reader { types, named, outside: below.as_ref() };
    for (name, definition) in definitions {
        let Some(&index) = reader.named.get(name.as_str().unwrap_or_default()) else { continue };
        let of = reader.read(definition, 0)?;
        if let Some(place) = reader.types.types.get_mut(index) {
            *place = of;
        }
        for gvk in definition.get("x-kubernetes-group-version-kind").and_then(Node::items).unwrap_or_default() {
            let (api_version, kind) = read_type(gvk);
            let versions = reader.types.kinds.entry(kind).or_default();
            versions.retain(|(known, _)| *known != api_version);
            versions.push((api_version, index));
        }
    }
    Ok(reader.types)
}

/// `apiVersion` and kind of an `x-kubernetes-group-version-kind`.
fn read_type(gvk: &Node) -> (Box<str>, Box<str>) {
    let part = |key: &str| gvk.get(key).and_then(Node::as_str).unwrap_or_default();
    let (group, version) = (part("group"), part("version"));
    let api_version = if group.is_empty() { version.into() } else { format!("{group}/{version}").into() };
    (api_version, part("kind").into())
}

/// A kind lives in namespaces if any path to read it has one.
fn read_scopes(document: &Node, scopes: &mut HashMap<Box<str>, Vec<(Box<str>, Scope)>>) -> Result<(), String> {
    let Some(paths) = document.get("paths") else { return Ok(()) };
    let paths = paths.entries().ok_or_else(|| "`paths` of an OpenAPI document must be a mapping".to_owned())?;
    for (path, operations) in paths {
        let Some(gvk) = operations.at(&["get", "x-kubernetes-group-version-kind"]) else { continue };
        let (api_version, kind) = read_type(gvk);
        let is_namespaced = path.as_str().is_some_and(|path| path.contains("namespaces/{namespace}"));
        let scope = if is_namespaced { Scope::Namespaced } else { Scope::Cluster };
        let versions = scopes.entry(kind).or_default();
        match versions.iter_mut().find(|(known, _)| *known == api_version) {
            Some((_, known)) if is_namespaced => *known = scope,
            Some(_) => {}
            None => versions.push((api_version, scope)),
        }
    }
    Ok(())
}

/// Reads types as OpenAPI describes them.
struct Reader<'n> {
    types: Types,
    named: HashMap<&'n str, usize>,
    /// Where references lead that lead to no definition of this document, if there is anything.
    outside: Option<&'n Arc<Types>>,
}

impl Reader<'_> {
    fn read(&mut self, node: &Node, depth: usize) -> Result<Type, String> {
        if depth > DEEPEST {
            return Err(format!("an OpenAPI document must not nest its types more than {DEEPEST} deep"));
        }
        if let Some(reference) = node.get("$ref").and_then(Node::as_str) {
            return Ok(self.reference(reference));
        }
        let mut of = Type::default();
        for (name, field) in node.get("properties").and_then(Node::entries).unwrap_or_default() {
            let field = self.nested(field, depth)?;
            of.fields.insert(name.as_str().unwrap_or_default().into(), field);
        }
        if let Some(other) = node.get("additionalProperties").filter(|other| other.entries().is_some()) {
            of.other_fields = Some(self.nested(other, depth)?);
        }
        let of_type = match node.get("type") {
            Some(node) => node.items().map_or(Some(node), |types| if types.len() == 1 { types.first() } else { None }),
            None => None,
        };
        if of_type.and_then(Node::as_str) == Some("array")
            && let Some(elements) = node.get("items")
        {
            of.elements = Some(self.nested(elements, depth)?);
        }
        let strategy = node.get("x-kubernetes-patch-strategy").and_then(Node::as_str).unwrap_or_default();
        if strategy.split(',').any(|word| word == "merge") {
            let keys = match node.get("x-kubernetes-list-map-keys").and_then(Node::items) {
                Some(keys) => keys,
                None => node.get("x-kubernetes-patch-merge-key").map(std::slice::from_ref).unwrap_or_default(),
            };
            of.merge_keys = Some(keys.iter().filter_map(Node::as_str).map(Into::into).collect());
        }
        Ok(of)
    }

    fn nested(&mut self, node: &Node, depth: usize) -> Result<usize, String> {
        let of = self.read(node, depth + 1)?;
        Ok(self.types.add(of))
    }

    fn reference(&self, reference: &str) -> Type {
        let name = reference.strip_prefix("#/definitions/").unwrap_or(reference).replace("~1", "/").replace("~0", "~");
        let own = self.named.get(&*name).copied();
        let outside = self.outside.filter(|_| own.is_none()).and_then(|outside| Types::definition(outside, &name));
        // A reference that leads nowhere leaves the field unknown.
        let target = own.or_else(|| outside.is_none().then_some(usize::MAX));
        Type { outside, target, ..Type::default() }
    }
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
        let schema = Schema::from_openapi(&document(), None).unwrap();
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
            assert_eq!(Schema::from_openapi(&document, None).unwrap_err().code, "openapi-invalid");
        }
    }

    #[test]
    fn a_description_refers_to_the_definitions_of_its_schema() {
        let container = map(vec![("$ref", Node::scalar("#/definitions/io.k8s.api.core.v1.Container"))]);
        let description = map(vec![
            ("type", Node::scalar("array")),
            ("items", container),
            ("x-kubernetes-patch-strategy", Node::scalar("merge")),
            ("x-kubernetes-patch-merge-key", Node::scalar("name")),
        ]);
        let schema = Schema::builtin().of_description(&description).unwrap();
        assert_eq!(keys(schema.root()), Some(vec!["name"]));
        assert_eq!(keys(schema.root().and_then(|of| of.elements()?.field("env"))), Some(vec!["name"]));
    }
}
