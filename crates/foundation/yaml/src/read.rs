//! From text to [`Node`]s.

use crate::MAX_DEPTH;
use crate::node::History;
use crate::place::Places;
use crate::syntax::{Event, EventKind, Mark, Parser, Properties, SyntaxError};
use crate::{Comments, Content, Dialect, Node, Style};
use onepane_diagnostics::{FileId, Origin, Result};

/// A document of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The comments at its top that an empty line parts from its content.
    pub head: Box<str>,
    /// Its content. A document without content is a plain empty scalar, which is null.
    pub root: Node,
    /// The comments at its end.
    pub foot: Box<str>,
}

/// Reads all documents of `text`, without the comments that belong to a document as a whole. Duplicate keys and
/// aliases stay as they are.
///
/// Errors have the code `yaml-syntax` and go-yaml's words.
pub fn read(text: &str, file: FileId) -> Result<Vec<Node>> {
    Ok(read_documents(text, file)?.into_iter().map(|document| document.root).collect())
}

/// Reads all documents of `text` with everything that stands in them.
pub fn read_documents(text: &str, file: FileId) -> Result<Vec<Document>> {
    let text = without_byte_order_mark(text);
    Reader::read(text, file).map_err(|error| error.diagnostic(file, text))
}

/// Why go-yaml v3, which Kustomize reads with, refuses `text`: its error's words; `None` if it does not.
pub fn go_syntax_error(text: &str) -> Option<String> {
    let error = Reader::read(without_byte_order_mark(text), FileId::new("-")).err()?;
    Some(error.go_text(Dialect::V3))
}

pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// Builds the tree with a stack of its own, so that nesting costs no call stack.
struct Reader<'a> {
    places: Places<'a>,
    open: Vec<Open>,
}

/// A collection whose end is not yet read.
struct Open {
    node: Node,
    key: Option<Node>,
}

impl<'a> Reader<'a> {
    fn read(text: &'a str, file: FileId) -> std::result::Result<Vec<Document>, Box<SyntaxError>> {
        let mut parser = Parser::new(text, true)?;
        let mut reader = Self { places: Places::new(file, text), open: Vec::new() };
        let mut documents = Vec::new();
        let mut document: Option<Document> = None;
        loop {
            let event = parser.next()?;
            match event.kind {
                EventKind::StreamEnd => return Ok(documents),
                EventKind::DocumentStart => {
                    let head = event.comments.map(|comments| comments.head).unwrap_or_default();
                    document = Some(Document { head, root: Node::scalar(""), foot: Box::default() });
                }
                EventKind::DocumentEnd => {
                    if let Some(mut document) = document.take() {
                        document.foot = event.comments.map(|comments| comments.foot).unwrap_or_default();
                        documents.push(document);
                    }
                }
                _ => {
                    if let Some(root) = reader.node(event)?
                        && let Some(document) = &mut document
                    {
                        document.root = root;
                    }
                }
            }
        }
    }

    /// Takes an event; gives a node once a document's root is complete.
    fn node(&mut self, event: Event<'a>) -> std::result::Result<Option<Node>, Box<SyntaxError>> {
        let Event { kind, start, end, comments } = event;
        let node = match kind {
            EventKind::Alias(name) => {
                self.build(Content::Alias(name.into()), Style::Plain, Properties::default(), comments, (start, end))
            }
            EventKind::Scalar(value, style, properties) => {
                self.build(Content::Scalar(value.into()), style, properties, comments, (start, end))
            }
            EventKind::SequenceStart { flow, properties } => {
                self.start(Content::Sequence(Vec::new()), flow, properties, comments, start)?;
                return Ok(None);
            }
            EventKind::MappingStart { flow, properties } => {
                self.start(Content::Mapping(Vec::new()), flow, properties, comments, start)?;
                return Ok(None);
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => match self.open.pop() {
                Some(open) => end_collection(open.node, comments),
                None => return Ok(None),
            },
            EventKind::StreamEnd | EventKind::DocumentStart | EventKind::DocumentEnd => return Ok(None),
        };
        Ok(self.add(node))
    }

    fn build(
        &mut self,
        content: Content,
        style: Style,
        properties: Properties<'a>,
        comments: Option<Box<Comments>>,
        (start, end): (Mark, Mark),
    ) -> Node {
        Node {
            content,
            tag: properties.tag,
            style,
            anchor: properties.anchor.map(Into::into),
            comments,
            span: Some(self.places.span(start, end)),
            history: History(Origin::UNKNOWN),
        }
    }

    fn start(
        &mut self,
        content: Content,
        flow: bool,
        properties: Properties<'a>,
        comments: Option<Box<Comments>>,
        start: Mark,
    ) -> std::result::Result<(), Box<SyntaxError>> {
        if self.open.len() >= MAX_DEPTH {
            return Err(SyntaxError::composer("exceeded max depth of 1000", start));
        }
        let style = if flow { Style::Flow } else { Style::Plain };
        let node = self.build(content, style, properties, comments, (start, start));
        self.open.push(Open { node, key: None });
        Ok(())
    }

    /// Adds a complete node to the collection that it stands in; gives it back if there is none.
    fn add(&mut self, mut node: Node) -> Option<Node> {
        let Some(open) = self.open.last_mut() else { return Some(node) };
        let block = open.node.style != Style::Flow;
        match &mut open.node.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(entries) => match open.key.take() {
                None => {
                    if block
                        && let Some((previous, _)) = entries.last_mut()
                        && let Some(foot) = take_foot(&mut node)
                    {
                        set_foot(previous, foot);
                    }
                    open.key = Some(node);
                }
                Some(mut key) => {
                    if key.comments.as_ref().is_none_or(|comments| comments.foot.is_empty())
                        && let Some(foot) = take_foot(&mut node)
                    {
                        set_foot(&mut key, foot);
                    }
                    entries.push((key, node));
                }
            },
            Content::Scalar(_) | Content::Alias(_) => {}
        }
        None
    }
}

/// The comments at a collection's end: behind its bracket, or under a block, where they are its last key's.
fn end_collection(mut node: Node, comments: Option<Box<Comments>>) -> Node {
    let (line, foot) = comments.map_or_else(Default::default, |comments| (comments.line, comments.foot));
    let mut head = node.comments.take().map(|comments| comments.head).unwrap_or_default();
    let block = node.style != Style::Flow;
    let mut foot = foot;
    if block
        && !foot.is_empty()
        && let Content::Mapping(entries) = &mut node.content
        && let Some((key, _)) = entries.last_mut()
    {
        set_foot(key, std::mem::take(&mut foot));
    }
    if !head.is_empty() || !line.is_empty() || !foot.is_empty() {
        node.comments = Some(Box::new(Comments { head: std::mem::take(&mut head), line, foot }));
    }
    node
}

fn take_foot(node: &mut Node) -> Option<Box<str>> {
    let comments = node.comments.as_mut()?;
    let foot = std::mem::take(&mut comments.foot);
    if comments.head.is_empty() && comments.line.is_empty() {
        node.comments = None;
    }
    (!foot.is_empty()).then_some(foot)
}

fn set_foot(node: &mut Node, foot: Box<str>) {
    node.comments.get_or_insert_default().foot = foot;
}
