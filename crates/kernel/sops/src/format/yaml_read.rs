//! YAML to trees. Comments become entries beside what they are about, as SOPS has them.

use crate::failure::{malformed, placed};
use crate::secret::Secret;
use crate::value::{Branch, Comment, Entry, MAX_DEPTH, Pair, Value};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_yaml::{Comments, Content, Dialect, Node, Scalar, read_documents, resolve};
use std::collections::{HashMap, HashSet};

/// What aliases may make of a file at most.
const MOST_NODES: usize = 2_000_000;

/// Reads all documents, each of which is a mapping.
pub(super) fn read(text: &[u8], file: FileId) -> Result<Vec<Branch>> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("the file is no UTF-8, which YAML is"))?;
    let mut branches = Vec::new();
    for document in read_documents(text, file)? {
        let mut reader = Reader { anchors: HashMap::new(), nodes: 0, depth: 0, unique: branches.is_empty() };
        let mut branch = Branch::new();
        comments(&document.head, false, &mut branch);
        reader.root(&document.root, &mut branch)?;
        comments(&document.foot, false, &mut branch);
        branches.push(branch);
    }
    Ok(branches)
}

struct Reader<'n> {
    anchors: HashMap<&'n str, &'n Node>,
    nodes: usize,
    depth: usize,
    /// A key that stands twice is an error, which SOPS makes sure of in the first document only.
    unique: bool,
}

/// Whether the comments around a node were taken already by what it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Taken,
    Left,
}

impl<'n> Reader<'n> {
    fn root(&mut self, node: &'n Node, branch: &mut Branch) -> Result<()> {
        match &node.content {
            Content::Mapping(entries) => self.mapping(node, entries, Around::Left, branch),
            Content::Scalar(_) if matches!(resolve(node, Dialect::V3), Ok(Scalar::Null)) => {
                around(node, |comments| &comments.head, branch);
                around(node, |comments| &comments.line, branch);
                Ok(())
            }
            _ => {
                let message = "a document is no mapping, and SOPS encrypts only mappings";
                Err(placed(malformed(message), node.span).hint("put it under a key"))
            }
        }
    }

    fn value(&mut self, node: &'n Node, taken: Around) -> Result<Value> {
        self.nodes += 1;
        self.depth += 1;
        if self.nodes > MOST_NODES || self.depth > MAX_DEPTH {
            return Err(placed(malformed("aliases make too much of this file"), node.span));
        }
        if let Some(anchor) = &node.anchor {
            self.anchors.insert(anchor, node);
        }
        let value = match &node.content {
            Content::Scalar(_) => scalar(node)?,
            Content::Alias(name) => {
                let target = *self
                    .anchors
                    .get(&**name)
                    .ok_or_else(|| placed(malformed(format!("unknown anchor '{name}' referenced")), node.span))?;
                self.value(target, Around::Left)?
            }
            Content::Sequence(items) => Value::List(self.sequence(node, items, taken)?),
            Content::Mapping(entries) => {
                let mut branch = Branch::with_capacity(entries.len());
                self.mapping(node, entries, taken, &mut branch)?;
                Value::Branch(branch)
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn sequence(&mut self, node: &'n Node, items: &'n [Node], taken: Around) -> Result<Vec<Value>> {
        let mut list = Vec::with_capacity(items.len());
        let add = |text: &str, inline, list: &mut Vec<Value>| {
            list.extend(comment_lines(text, inline).map(Value::Comment));
        };
        let of = |node: &'n Node| node.comments.as_deref();
        if let (Around::Left, Some(comments)) = (taken, of(node)) {
            add(&comments.head, false, &mut list);
            add(&comments.line, false, &mut list);
        }
        for item in items {
            if let Some(comments) = of(item) {
                add(&comments.head, false, &mut list);
                add(&comments.line, true, &mut list);
            }
            let value = self.value(item, Around::Taken)?;
            list.push(value);
            if let Some(comments) = of(item) {
                add(&comments.foot, false, &mut list);
            }
        }
        if let (Around::Left, Some(comments)) = (taken, of(node)) {
            add(&comments.foot, false, &mut list);
        }
        Ok(list)
    }

    fn mapping(
        &mut self,
        node: &'n Node,
        entries: &'n [(Node, Node)],
        taken: Around,
        branch: &mut Branch,
    ) -> Result<()> {
        if taken == Around::Left {
            around(node, |comments| &comments.head, branch);
            around(node, |comments| &comments.line, branch);
        }
        let mut seen = HashSet::new();
        for (key, value) in entries {
            around(key, |comments| &comments.head, branch);
            around(key, |comments| &comments.line, branch);
            let single = matches!(value.content, Content::Scalar(_) | Content::Alias(_));
            if single {
                around(value, |comments| &comments.head, branch);
                if let Some(around) = &value.comments {
                    comments(&around.line, true, branch);
                }
            }
            let name = self.key(key)?;
            if self.unique && !seen.insert(name) {
                return Err(placed(malformed(format!("the key `{name}` stands twice in a mapping")), key.span));
            }
            let span = key.span;
            let value_of = self.value(value, if single { Around::Taken } else { Around::Left })?;
            branch.push(Entry::Pair(Pair { key: name.into(), value: value_of, span }));
            if single {
                around(value, |comments| &comments.foot, branch);
            }
            around(key, |comments| &comments.foot, branch);
        }
        if taken == Around::Left {
            around(node, |comments| &comments.foot, branch);
        }
        Ok(())
    }

    fn key(&mut self, key: &'n Node) -> Result<&'n str> {
        if let Some(anchor) = &key.anchor {
            self.anchors.insert(anchor, key);
        }
        let node = match &key.content {
            Content::Alias(name) => self.anchors.get(&**name).copied().unwrap_or(key),
            _ => key,
        };
        match (node.as_str(), resolve(node, Dialect::V3)) {
            (Some(text), Ok(Scalar::String(_))) => Ok(text),
            _ => {
                let message = "a key is no string, and SOPS has only keys that are";
                Err(placed(malformed(message), key.span).hint("put it in quotes"))
            }
        }
    }
}

fn scalar(node: &Node) -> Result<Value> {
    let unfit = |message: String| -> Box<Diagnostic> { placed(malformed(message), node.span) };
    Ok(match resolve(node, Dialect::V3).map_err(|_| unfit("a value does not fit its tag".to_owned()))? {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => Value::Int(value),
        Scalar::Uint(_) => return Err(unfit("a number is too large for SOPS".to_owned()).hint("put it in quotes")),
        Scalar::Float(value) => Value::Float(value),
        Scalar::String(text) => Value::text(text.as_bytes()),
        Scalar::Timestamp(text) => Value::Time(text),
        Scalar::Binary(bytes) => Value::text(bytes),
    })
}

/// Adds a node's own comments of a sort.
fn around(node: &Node, sort: impl Fn(&Comments) -> &str, branch: &mut Branch) {
    if let Some(around) = &node.comments {
        comments(sort(around), false, branch);
    }
}

fn comments(text: &str, inline: bool, branch: &mut Branch) {
    branch.extend(comment_lines(text, inline).map(Entry::Comment));
}

/// Each line is a comment of its own.
fn comment_lines(text: &str, inline: bool) -> impl Iterator<Item = Comment> {
    text.split('\n').filter(|line| !line.is_empty()).map(move |line| {
        let text = line.strip_prefix('#').unwrap_or(line);
        Comment { text: Secret::new(text), inline }
    })
}
