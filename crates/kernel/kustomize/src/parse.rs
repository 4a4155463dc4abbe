//! From bytes to nodes and resources.

use crate::load::Loaded;
use crate::scalar::NodeExt;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_resource::Resource;
use onepane_yaml::{Content, Node};

/// The first document of a file, aliases resolved; null for an empty file.
pub(crate) fn parse_first(loaded: &Loaded) -> Result<Node> {
    let text = text_of(&loaded.bytes, loaded.file)?;
    let first = onepane_yaml::read(text, loaded.file)?.into_iter().next();
    first.map_or_else(|| Ok(Node::scalar("")), resolve_aliases)
}

/// The resources of a file: its documents, lists taken apart.
///
/// # Errors
/// `yaml-syntax`, and `kustomize-manifest` for a document without kind or name.
pub(crate) fn parse_resources(loaded: &Loaded) -> Result<Vec<Resource>> {
    let text = text_of(&loaded.bytes, loaded.file)?;
    let nodes = read_documents(text, loaded.file)?;
    let mut resources = resources_of(nodes)?;
    for resource in &mut resources {
        resource.source = Some(loaded.file);
    }
    Ok(resources)
}

/// Whether a file's bytes are manifests, or nothing at all.
pub fn reads_as_resources(bytes: &[u8]) -> bool {
    parse_resources(&Loaded { bytes: bytes.into(), file: FileId::new("-") }).is_ok()
}

/// The resources in a text that stands inside another file, at `span`.
pub(crate) fn parse_inline(text: &str, span: Option<Span>, file: FileId) -> Result<Vec<Resource>> {
    let nodes = read_documents(text, file).map_err(|error| match span {
        Some(span) => error.at(span),
        None => error,
    })?;
    resources_of(nodes.into_iter().map(|node| shift(node, span)).collect())
}

/// The text of a file.
pub(crate) fn text_of(bytes: &[u8], file: FileId) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        Diagnostic::error("yaml-syntax", "the file is not UTF-8 text")
            .at(Span::new(file, line, 1))
            .hint("save it as UTF-8")
    })
}

/// All documents that hold something.
fn read_documents(text: &str, file: FileId) -> Result<Vec<Node>> {
    let nodes = if text.contains("\r\n") {
        onepane_yaml::read(&text.replace("\r\n", "\n"), file)?
    } else {
        onepane_yaml::read(text, file)?
    };
    Ok(nodes.into_iter().filter(|node| !node.is_null()).collect())
}

fn resolve_aliases(mut node: Node) -> Result<Node> {
    node.resolve_aliases()?;
    Ok(node)
}

/// Lists of resources may hold lists; deeper than this is not meant.
const DEEPEST_LIST: usize = 64;

fn resources_of(nodes: Vec<Node>) -> Result<Vec<Resource>> {
    let mut resources = Vec::with_capacity(nodes.len());
    let single = nodes.len() == 1;
    let mut queue: std::collections::VecDeque<(Node, usize)> = std::collections::VecDeque::new();
    for node in nodes {
        let node = resolve_aliases(node)?;
        // A single `List` is taken apart before anything is asked of it, as kyaml's reader does.
        let kind = node.get("kind").and_then(Node::as_str);
        if single && matches!(kind, Some("List" | "ResourceList")) && node.get("items").is_some() {
            let items = take_items(node);
            for item in items {
                check(&item).map(|keep| keep.then(|| queue.push_back((item, 1))))?;
            }
            continue;
        }
        if check(&node)? {
            queue.push_back((node, 0));
        }
    }
    while let Some((node, depth)) = queue.pop_front() {
        let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
        let Some(items) = node.get("items").filter(|_| kind.ends_with("List")) else {
            resources.push(Resource::new(node));
            continue;
        };
        if items.is_null() {
            continue;
        }
        if items.items().is_none() {
            return Err(at(&node, format!("expected array in {kind}/items")).hint("start each item with `- `"));
        }
        if depth > DEEPEST_LIST {
            let error = at(&node, format!("lists are nested more than {DEEPEST_LIST} deep"));
            return Err(error.hint("list the resources themselves"));
        }
        for item in take_items(node) {
            if check(&item)? {
                queue.push_back((item, depth + 1));
            }
        }
    }
    Ok(resources)
}

fn take_items(mut node: Node) -> Vec<Node> {
    node.get_mut("items").and_then(Node::items_mut).map(std::mem::take).unwrap_or_default()
}

/// Whether there is something in the node, and if so, whether it is a resource.
fn check(node: &Node) -> Result<bool> {
    let empty =
        node.is_null() || node.entries().is_some_and(<[_]>::is_empty) || node.items().is_some_and(<[_]>::is_empty);
    if empty {
        return Ok(false);
    }
    let filled = |node: Option<&Node>| {
        node.filter(|node| !node.is_null()).and_then(Node::as_str).is_some_and(|text| !text.is_empty())
    };
    if node.entries().is_none() {
        let error = at(node, "missing Resource metadata: this is not a Kubernetes resource".to_owned());
        return Err(error.hint(NEEDED));
    }
    if !filled(node.get("kind")) {
        let error = at(node, "missing kind: this is not a Kubernetes resource".to_owned());
        return Err(error.hint(NEEDED));
    }
    let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
    if !kind.ends_with("List") && !filled(node.at(&["metadata", "name"])) {
        return Err(at(node, format!("missing metadata.name in {kind}")).hint(NEEDED));
    }
    Ok(true)
}

const NEEDED: &str = "a manifest needs `apiVersion`, `kind` and `metadata.name`";

fn at(node: &Node, message: String) -> Box<Diagnostic> {
    let error = Diagnostic::error("kustomize-manifest", message);
    match node.span {
        Some(span) => error.at(span),
        None => error,
    }
}

/// The place `own` of a text that was read on its own and stands below `base`.
pub(crate) fn shift_span(own: Option<Span>, base: Option<Span>) -> Option<Span> {
    let (own, base) = (own?, base?);
    Some(Span::new(base.file, base.line.saturating_add(own.line), own.column))
}

/// Moves the places of a text that was read on its own to where it stands: the lines below `base`.
pub(crate) fn shift(mut node: Node, base: Option<Span>) -> Node {
    fn walk(node: &mut Node, base: Option<Span>) {
        node.span = shift_span(node.span, base);
        match &mut node.content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    walk(key, base);
                    walk(value, base);
                }
            }
            Content::Sequence(items) => items.iter_mut().for_each(|item| walk(item, base)),
            Content::Scalar(_) | Content::Alias(_) => {}
        }
    }
    walk(&mut node, base);
    node
}
