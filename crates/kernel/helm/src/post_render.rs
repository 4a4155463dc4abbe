//! Post-rendering as Helm 4 has it: one stream of documents, each of which says which template it is from, goes through a
//! program of the user's, and what comes back is put to the templates again. What runs the program is not known here.
//!
//! The documents are read and written with kyaml's eyes, as Helm does, so that styles and comments stay, indentation does
//! not, empty annotations and metadata go, and a single `List` falls into its items.

use crate::render::Files;
use crate::split::{leading_space, split};
use onepane_chart::Compat;
use onepane_diagnostics::FileId;
use onepane_value::Text;
use onepane_yaml::{
    Content, Document, Node, Style, go_syntax_error, read_documents, write_kyaml, write_kyaml_document,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where a document says which template it is from.
const FILENAME: &str = "postrenderer.helm.sh/postrender-filename";

/// What kyaml's reader notes and its writer takes away again, be it the user's own.
const READERS_OWN: [&str; 3] =
    ["internal.config.kubernetes.io/index", "config.kubernetes.io/index", "internal.config.kubernetes.io/seqindent"];

/// Annotations that kyaml keeps under two names: the old one and the new one.
const TWO_NAMES: [(&str, &str); 2] = [
    ("config.kubernetes.io/path", "internal.config.kubernetes.io/path"),
    ("config.k8s.io/id", "internal.config.kubernetes.io/id"),
];

/// Sends what templates printed through `post_render`.
pub(crate) fn post_render(
    files: &Files,
    post_render: &dyn Fn(String) -> Result<Vec<u8>, String>,
) -> Result<Files, String> {
    let merged = merge(files).map_err(|error| format!("error merging manifests: {error}"))?;
    let back = post_render(merged).map_err(|error| format!("error while running post render on files: {error}"))?;
    part(&back).map_err(|error| format!("error while parsing post rendered output: {error}"))
}

/// All documents as one stream.
fn merge(files: &Files) -> Result<String, String> {
    let mut all = Vec::new();
    for (path, text) in files {
        let is_partial = path.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        if is_partial || leading_space(text.as_bytes()) == text.len() {
            continue;
        }
        for part in split(text, Compat::Helm4) {
            let documents = parse(part.as_bytes()).map_err(|error| format!("parsing {path}: {error}"))?;
            for mut document in documents {
                annotate(&mut document.root, FILENAME, path).map_err(|error| format!("annotating {path}: {error}"))?;
                all.push(document);
            }
        }
    }
    write(all).map_err(|error| format!("writing merged docs: {error}"))
}

/// The stream parted by the templates that its documents say they are from.
fn part(stream: &[u8]) -> Result<Files, String> {
    let documents = parse(stream).map_err(|error| format!("error parsing YAML: {error}"))?;
    let mut files: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for (index, mut document) in documents.into_iter().enumerate() {
        let named = annotation(&document.root, FILENAME).filter(|name| !name.is_empty());
        let name = named.map_or_else(|| format!("generated-by-postrender-{index}.yaml"), str::to_owned);
        if let Some(annotations) = annotations_mut(&mut document.root) {
            annotations.retain(|(key, _)| key.as_str() != Some(FILENAME));
        }
        files.entry(name).or_default().push(document);
    }
    let written = files.into_iter().map(|(name, documents)| {
        let text = write(documents).map_err(|error| format!("re-writing {name}: {error}"))?;
        Ok((Rc::from(name), Text::from(text.into_bytes())))
    });
    written.collect()
}

/// The documents of a stream that hold something: kyaml's `ParseAll`.
fn parse(stream: &[u8]) -> Result<Vec<Document>, String> {
    let text = std::str::from_utf8(stream)
        .map_err(|_| "MalformedYAMLError: yaml: control characters are not allowed".to_owned())?;
    let text = text.replace("\r\n", "\n");
    let parts = cut(&text)?;
    let single = parts.len() == 1;
    let mut found = Vec::new();
    for part in parts {
        if let Some(problem) = go_syntax_error(&part) {
            return Err(format!("MalformedYAMLError: {problem}"));
        }
        let documents = read_documents(&part, FileId::new("-")).map_err(|error| error.message)?;
        let Some(mut document) = documents.into_iter().next().filter(|document| !is_null(&document.root)) else {
            continue;
        };
        for (old, new) in TWO_NAMES {
            let values = [old, new].map(|name| annotation(&document.root, name).unwrap_or_default().to_owned());
            match values {
                [old_value, new_value] if new_value.is_empty() && !old_value.is_empty() => {
                    annotate(&mut document.root, new, &old_value)?;
                }
                [old_value, new_value] if old_value.is_empty() && !new_value.is_empty() => {
                    annotate(&mut document.root, old, &new_value)?;
                }
                _ => {}
            }
        }
        // What the reader's own note would do to the document; the note itself is not made.
        clear_empty(&mut document.root)?;
        annotations_of(&mut document.root)?;
        let kind = document.root.get("kind").and_then(Node::as_str);
        let is_list = single && matches!(kind, Some("List" | "ResourceList"));
        if is_list && (document.root.get("items").is_some() || document.root.get("functionConfig").is_some()) {
            let items = document.root.get_mut("items").and_then(Node::items_mut).map(std::mem::take);
            let bare = |root| Document { head: Box::default(), root, foot: Box::default() };
            found.extend(items.unwrap_or_default().into_iter().map(bare));
            continue;
        }
        found.push(document);
    }
    Ok(found)
}

/// Cut at lines that begin with three dashes; kyaml allows nothing but a comment behind them.
fn cut(text: &str) -> Result<Vec<String>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest[from..].find("\n---").map(|at| from + at) {
        let line = &rest[at + 1..];
        let Some(end) = line.find('\n') else { break };
        let behind = line[3..end].trim();
        if !behind.is_empty() && !behind.starts_with('#') {
            return Err(format!("invalid document separator: {}", line[..end].trim()));
        }
        parts.push(format!("{}\n", &rest[..at]));
        rest = &rest[at + 1 + end + 1..];
        from = 0;
    }
    parts.push(rest.to_owned());
    Ok(parts)
}

/// One stream, as kyaml's `StringAll` writes it.
fn write(documents: Vec<Document>) -> Result<String, String> {
    let mut texts = Vec::with_capacity(documents.len());
    for mut document in documents {
        if let Some(annotations) = annotations_mut(&mut document.root) {
            annotations.retain(|(key, _)| !key.as_str().is_some_and(|key| READERS_OWN.contains(&key)));
        }
        clear_empty(&mut document.root)?;
        texts.push(write_kyaml_document(&document));
    }
    Ok(texts.join("---\n"))
}

/// Sets an annotation, in single quotes; one that is there keeps its style.
fn annotate(root: &mut Node, key: &str, value: &str) -> Result<(), String> {
    clear_empty(root)?;
    let annotations = annotations_of(root)?;
    let style = annotations.get(key).map_or(Style::SingleQuoted, |old| match old.style {
        Style::Plain => Style::SingleQuoted,
        style => style,
    });
    let value = Node { style, ..Node::string(value) };
    annotations.set(key, value);
    Ok(())
}

/// `metadata.annotations`, made where it is missing.
fn annotations_of(root: &mut Node) -> Result<&mut Node, String> {
    let mut node = mapping(root)?;
    for key in ["metadata", "annotations"] {
        if node.get(key).is_none() {
            node.set(key, Node::mapping(Vec::new()));
        }
        let inner = node.get_mut(key).ok_or("there is no place for annotations")?;
        node = mapping(inner)?;
    }
    Ok(node)
}

fn annotations_mut(root: &mut Node) -> Option<&mut Vec<(Node, Node)>> {
    root.get_mut("metadata")?.get_mut("annotations")?.entries_mut()
}

fn annotation<'a>(root: &'a Node, key: &str) -> Option<&'a str> {
    root.at(&["metadata", "annotations", key])?.as_str()
}

/// Takes empty annotations away, and then empty metadata: what has no entries or items, scalars included.
fn clear_empty(root: &mut Node) -> Result<(), String> {
    let root = mapping(root)?;
    if let Some(metadata) = root.get_mut("metadata")
        && !is_null(metadata)
        && mapping(metadata)?.get("annotations").is_some_and(has_nothing)
    {
        metadata.remove("annotations");
    }
    if root.get("metadata").is_some_and(has_nothing) {
        root.remove("metadata");
    }
    Ok(())
}

fn has_nothing(node: &Node) -> bool {
    match &node.content {
        Content::Scalar(_) | Content::Alias(_) => true,
        Content::Sequence(items) => items.is_empty(),
        Content::Mapping(entries) => entries.is_empty(),
    }
}

fn is_null(node: &Node) -> bool {
    match (node.tag.as_deref(), node.style, node.as_str()) {
        (Some(tag), ..) => tag == "!!null",
        (None, Style::Plain, Some(text)) => matches!(text, "" | "~" | "null" | "Null" | "NULL"),
        _ => false,
    }
}

/// The node, if it is a mapping; kyaml's error otherwise.
fn mapping(node: &mut Node) -> Result<&mut Node, String> {
    let kind = match &node.content {
        Content::Mapping(_) => return Ok(node),
        Content::Scalar(_) => "ScalarNode",
        Content::Sequence(_) => "SequenceNode",
        Content::Alias(_) => "AliasNode",
    };
    Err(format!("wrong node kind: expected MappingNode but got {kind}: node contents:\n{}", write_kyaml(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> Result<(String, Vec<(String, String)>), String> {
        let files: Files = vec![(Rc::from("c/templates/a.yaml"), Text::from(text))];
        let seen = std::cell::RefCell::new(String::new());
        let keep = |stream: String| {
            *seen.borrow_mut() = stream.clone();
            Ok(stream.into_bytes())
        };
        let files = post_render(&files, &keep)?;
        let files = files.into_iter().map(|(name, text)| (name.to_string(), text.to_string()));
        let files = files.collect();
        Ok((seen.into_inner(), files))
    }

    #[test]
    fn documents_say_where_they_are_from_and_lose_it_again() {
        // Helm 4.3.1's answers.
        let (seen, files) =
            through("# head\nmetadata:\n    name: a # line\n    annotations: {}\n---\nkind: B\nmetadata: {name: b}\n")
                .expect("it is YAML");
        assert_eq!(
            seen,
            "# head\nmetadata:\n  name: a # line\n  annotations:\n    postrenderer.helm.sh/postrender-filename: \
             'c/templates/a.yaml'\n---\nkind: B\nmetadata: {name: b, annotations: \
             {postrenderer.helm.sh/postrender-filename: 'c/templates/a.yaml'}}\n"
        );
        let back = "# head\nmetadata:\n  name: a # line\n---\nkind: B\nmetadata: {name: b}\n";
        assert_eq!(files, [("c/templates/a.yaml".to_owned(), back.to_owned())]);
    }

    #[test]
    fn what_is_no_manifest_is_refused_in_kyamls_words() {
        for (text, wanted) in [
            (
                "a: b\n c: d\n",
                "error merging manifests: parsing c/templates/a.yaml: MalformedYAMLError: yaml: line 2: mapping values \
                 are not allowed in this context",
            ),
            (
                "hello\n",
                "error merging manifests: parsing c/templates/a.yaml: wrong node kind: expected MappingNode but got \
                 ScalarNode: node contents:\nhello\n",
            ),
        ] {
            assert_eq!(through(text).expect_err(text), wanted);
        }
    }

    #[test]
    fn what_the_program_adds_gets_a_name() {
        let files = part(b"kind: A\n---\n# nothing\n---\nkind: B\n").expect("it is YAML");
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["generated-by-postrender-0.yaml", "generated-by-postrender-1.yaml"]);
        let error = part(b"kind: A\n--- x\nkind: B\n").expect_err("a separator has something behind it");
        assert_eq!(error, "error parsing YAML: invalid document separator: --- x");
    }
}
