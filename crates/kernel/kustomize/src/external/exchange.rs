//! The protocol of functions: resources go out as the items of a `ResourceList`, and so they come back.
//!
//! On the way each item carries annotations by which it is known again and which name a file for it; what other tools
//! keep in them is paired, the old names with the new, as kyaml does it.

use crate::scalar::NodeExt;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_world::normalize;
use onepane_yaml::{Content, Node, Style, write_kyaml};
use std::collections::HashMap;

/// An annotation under its name of today, and the one that it had.
type Pair = (&'static str, &'static str);

const PATH: Pair = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path");
const INDEX: Pair = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index");
const ID: Pair = ("internal.config.kubernetes.io/id", "config.k8s.io/id");
const MIGRATION: &str = "internal.config.kubernetes.io/annotations-migration-resource-id";
const SEQUENCE_INDENT: &str = "internal.config.kubernetes.io/seqindent";
const LOCAL: &str = "config.kubernetes.io/local-config";

/// What one run of a function is told.
pub(super) struct Exchange {
    /// The `ResourceList`.
    pub(super) text: String,
    /// The items that it is told of, in the order of their ids, from 1 on.
    items: Vec<Node>,
    /// Those that are not in its folder.
    others: Vec<Node>,
    /// The folder of the configuration; empty for none.
    folder: Utf8PathBuf,
}

/// What a function is told of, where its configuration names a file for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All resources, whatever files they name.
    All,
    /// Those that name a file in or below the configuration's folder.
    Folder,
}

impl Exchange {
    /// Of `items` with the configuration `config`, all as Kustomize writes resources.
    ///
    /// # Errors
    /// `kustomize-function` for annotations that contradict each other.
    pub(super) fn new(items: Vec<Node>, config: &Node, scope: Scope) -> Result<Self> {
        let folder = folder_for(config);
        let (mut inside, mut others) = (Vec::new(), Vec::new());
        for (index, mut item) in items.into_iter().enumerate() {
            let number = index.to_string();
            [PATH, INDEX, ID].into_iter().for_each(|pair| complete(&mut item, pair));
            annotate(&mut item, INDEX.1, &number);
            annotate(&mut item, INDEX.0, &number);
            annotate(&mut item, MIGRATION, &number);
            for (pair, what) in [(PATH, "path"), (ID, "id")] {
                agree(&item, pair, what)?;
            }
            let inside_of = if scope == Scope::Folder { &*folder } else { Utf8Path::new("") };
            if is_inside(&item, inside_of) { inside.push(item) } else { others.push(item) }
        }
        for (index, item) in inside.iter_mut().enumerate() {
            let id = (index + 1).to_string();
            annotate(item, ID.0, &id);
            annotate(item, ID.1, &id);
        }
        let mut list = Node::mapping(vec![
            (Node::scalar("apiVersion"), Node::scalar("config.kubernetes.io/v1")),
            (Node::scalar("kind"), Node::scalar("ResourceList")),
            (Node::scalar("items"), Node::sequence(inside)),
            (Node::scalar("functionConfig"), config.clone()),
        ]);
        let text = write_kyaml(&list);
        let items = list.get_mut("items").and_then(Node::items_mut).map(std::mem::take).unwrap_or_default();
        Ok(Self { text, items, others, folder })
    }

    /// The resources that a function printed, as manifests: a `ResourceList`, a `List` or just documents.
    ///
    /// # Errors
    /// `kustomize-function` for what is no YAML or no resources.
    pub(super) fn read(self, printed: &str) -> Result<String> {
        let mut printed = items_of(read(printed)?)?;
        for item in &mut printed {
            if let Some(number) = annotation(item, ID.0).or_else(|| annotation(item, ID.1)).map(str::to_owned) {
                let number = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                if let Some(told) = number.and_then(|number| self.items.get(number)) {
                    keep_shape(told, item, &mut Vec::new())?;
                    follow(item, PATH, annotation(told, PATH.0));
                    remove(item, &[ID.0, ID.1]);
                }
            }
            complete(item, PATH);
            if annotation(item, PATH.0).is_none() {
                let path = self.default_path(item);
                annotate(item, PATH.0, &path);
                annotate(item, PATH.1, &path);
            }
        }
        printed.extend(self.others);
        let mut texts = Vec::with_capacity(printed.len());
        for item in &mut printed {
            for (pair, what) in [(PATH, "path"), (ID, "id")] {
                complete(item, pair);
                agree(item, pair, what)?;
            }
            remove(item, &[MIGRATION, INDEX.0, INDEX.1, SEQUENCE_INDENT]);
            texts.push(write_kyaml(item));
        }
        Ok(texts.join("---\n"))
    }

    /// A file for what a function made.
    fn default_path(&self, item: &Node) -> String {
        let text = |path: &[&str]| item.at(path).and_then(Node::as_str).unwrap_or_default();
        let file = format!("{}_{}.yaml", text(&["kind"]).to_lowercase(), text(&["metadata", "name"]));
        normalize(&self.folder.join(text(&["metadata", "namespace"])).join(file)).into_string()
    }
}

/// A configuration as the function gets it: nobody is to take it for a resource.
pub(super) fn configuration(text: &str) -> Result<Node> {
    let mut node = read(text)?.into_iter().next().unwrap_or_else(|| Node::scalar(""));
    annotate(&mut node, LOCAL, "true");
    Ok(node)
}

/// The documents of a text that hold something.
pub(super) fn read(text: &str) -> Result<Vec<Node>> {
    let text = text.replace("\r\n", "\n");
    let nodes = onepane_yaml::read(&text, FileId::new("what the function printed")).map_err(|error| {
        let words = onepane_yaml::go_syntax_error(&text).unwrap_or(error.message);
        refused(format!("MalformedYAMLError: {words}"))
    })?;
    Ok(nodes.into_iter().filter(|node| !node.is_null()).collect())
}

/// Takes a list apart that stands alone.
fn items_of(mut documents: Vec<Node>) -> Result<Vec<Node>> {
    if let [list] = &mut documents[..] {
        let kind = list.get("kind").and_then(Node::as_str);
        let is_list = matches!(kind, Some("ResourceList" | "List"));
        if is_list && (list.get("items").is_some() || list.get("functionConfig").is_some()) {
            documents = match list.remove("items").map(|items| items.content) {
                Some(Content::Sequence(items)) => items,
                // kyaml takes keys and values for items then.
                Some(Content::Mapping(entries)) => entries.into_iter().flat_map(|(key, value)| [key, value]).collect(),
                _ => Vec::new(),
            };
        }
    }
    documents.retain(|item| !item.is_null());
    if let Some(item) = documents.iter().find(|item| item.entries().is_none()) {
        let message = format!("wrong node kind: expected MappingNode but got {}", kind(item));
        return Err(refused(message).hint("a function prints resources, or a ResourceList of them"));
    }
    Ok(documents)
}

/// The folder of the file that a configuration names for itself; empty for none.
fn folder_for(config: &Node) -> Utf8PathBuf {
    let path = annotation(config, PATH.0).or_else(|| annotation(config, PATH.1));
    let folder = path.map(folder_of).unwrap_or_default();
    if folder == "." { Utf8PathBuf::new() } else { folder }
}

/// The folder of a file; that of functions counts as the one it is in.
fn folder_of(path: &str) -> Utf8PathBuf {
    let folder = normalize(Utf8Path::new(path).parent().unwrap_or(Utf8Path::new("")));
    let folder =
        if folder.file_name() == Some("functions") { folder.parent().unwrap_or(&folder).to_owned() } else { folder };
    if folder.as_str().is_empty() { ".".into() } else { folder }
}

fn is_inside(item: &Node, folder: &Utf8Path) -> bool {
    let path = annotation(item, PATH.0).or_else(|| annotation(item, PATH.1));
    folder.as_str().is_empty() || path.is_some_and(|path| folder_of(path).as_str().starts_with(folder.as_str()))
}

/// Refuses what a function made another kind of node than it was: kyaml compares them to keep comments.
fn keep_shape(told: &Node, given: &mut Node, path: &mut Vec<String>) -> Result<()> {
    if told.is_null() || given.is_null() {
        return Ok(());
    }
    let differ = (kind(told), kind(given));
    match (&told.content, &mut given.content) {
        (Content::Mapping(before), Content::Mapping(after)) => {
            let before: HashMap<&str, &Node> =
                before.iter().filter_map(|(key, value)| Some((key.as_str()?, value))).collect();
            for (key, given) in after {
                let Some(key) = key.as_str() else { continue };
                if let Some(told) = before.get(key) {
                    path.push(key.to_owned());
                    keep_shape(told, given, path)?;
                    path.pop();
                }
            }
        }
        (Content::Sequence(before), Content::Sequence(after)) => {
            for (index, (told, given)) in before.iter().zip(after).enumerate() {
                if told.as_str().unwrap_or_default() == given.as_str().unwrap_or_default() {
                    path.push(index.to_string());
                    keep_shape(told, given, path)?;
                    path.pop();
                }
            }
        }
        (Content::Scalar(_), Content::Scalar(_)) => {
            if given.style == Style::Folded {
                given.style = Style::DoubleQuoted;
            }
        }
        // What an alias stands for is not looked at.
        (Content::Alias(_), _) | (_, Content::Alias(_)) => {}
        _ => {
            let path = path.join(".");
            let message = format!("wrong node kind: expected {} but got {} at {path}", differ.0, differ.1);
            return Err(refused(message));
        }
    }
    Ok(())
}

fn kind(node: &Node) -> &'static str {
    match node.content {
        Content::Scalar(_) => "ScalarNode",
        Content::Sequence(_) => "SequenceNode",
        Content::Mapping(_) => "MappingNode",
        Content::Alias(_) => "AliasNode",
    }
}

fn annotation<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.at(&["metadata", "annotations", key])?.as_str()
}

/// Sets an annotation, in the quotes that it had or else in those that kyaml writes.
fn annotate(node: &mut Node, key: &str, value: &str) {
    let mut inner = node;
    for field in ["metadata", "annotations"] {
        if inner.get(field).is_none_or(|field| field.entries().is_none()) {
            inner.set(field, Node::mapping(Vec::new()));
        }
        let Some(field) = inner.get_mut(field) else { return };
        inner = field;
    }
    let style = inner.get(key).map_or(Style::SingleQuoted, |before| before.style);
    inner.set(key, Node { style, ..Node::string(value) });
}

/// Removes annotations, and their map where it is empty then.
fn remove(node: &mut Node, keys: &[&str]) {
    let Some(metadata) = node.get_mut("metadata") else { return };
    let Some(annotations) = metadata.get_mut("annotations") else { return };
    keys.iter().for_each(|key| drop(annotations.remove(key)));
    if annotations.entries().is_some_and(<[_]>::is_empty) {
        metadata.remove("annotations");
    }
}

/// Copies an annotation to its other name, where only one is there.
fn complete(node: &mut Node, (new, old): Pair) {
    let filled = |key| annotation(node, key).filter(|value| !value.is_empty()).map(str::to_owned);
    match (filled(new), filled(old)) {
        (Some(value), None) => annotate(node, old, &value),
        (None, Some(value)) => annotate(node, new, &value),
        _ => {}
    }
}

/// Lets the one of two names that a function left alone follow the other, which it changed.
fn follow(node: &mut Node, (new, old): Pair, before: Option<&str>) {
    let (of_new, of_old) = (annotation(node, new).map(str::to_owned), annotation(node, old).map(str::to_owned));
    if before.is_none() || of_new == of_old {
        return;
    }
    match (of_new, of_old) {
        (Some(value), of_old) if of_old.as_deref() == before => annotate(node, old, &value),
        (of_new, Some(value)) if of_new.as_deref() == before => annotate(node, new, &value),
        _ => {}
    }
}

fn agree(node: &Node, (new, old): Pair, what: &str) -> Result<()> {
    let filled = |key| annotation(node, key).filter(|value| !value.is_empty());
    match (filled(new), filled(old)) {
        (Some(new), Some(old)) if new != old => {
            let message = format!("resource input to function has mismatched legacy and internal {what} annotations");
            Err(refused(message))
        }
        _ => Ok(()),
    }
}

fn refused(message: String) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-function", message)
}
