//! A kustomization as Kustomize writes it, every field of it kept: [`as_written`].

use super::fields::{Field, KUSTOMIZATION, Kept, Shape};
use crate::decode::Decoder;
use crate::scalar::{NodeExt, Scalar};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_yaml::{Content, Node, format_float};
use std::collections::BTreeMap;

/// Reads a kustomization to what Kustomize would write of it: fields in their own spelling, those without content left
/// out, every scalar typed. Texts know where they stand.
///
/// # Errors
/// `kustomize-field` for a field that does not exist or holds something else.
pub(super) fn as_written(node: &Node) -> Result<Node> {
    part(KUSTOMIZATION, node)
}

const DECODER: fn() -> Decoder = || Decoder::strict("Kustomization");

fn part(fields: &'static [Field], node: &Node) -> Result<Node> {
    let names: Vec<&'static str> = fields.iter().map(|field| field.name).collect();
    let mut values = vec![None; fields.len()];
    DECODER().fields(node, &names, |name, value| {
        // A null leaves alone what was said before.
        if let Some(at) = names.iter().position(|known| *known == name).filter(|_| !value.is_null()) {
            values[at] = Some(read(fields[at].shape, value)?);
        }
        Ok(())
    })?;
    let mut entries = Vec::new();
    for (field, value) in fields.iter().zip(values) {
        let value = match field.kept {
            Kept::Filled => value.filter(is_filled),
            Kept::Given => value,
            Kept::Always => Some(value.map_or_else(|| empty(field.shape), Ok)?),
            Kept::OrNull => Some(value.unwrap_or_else(|| Node::scalar("null"))),
        };
        entries.extend(value.map(|value| (Node::string(field.name), value)));
    }
    Ok(Node { span: node.span, ..Node::mapping(entries) })
}

/// A value that is not null.
fn read(shape: Shape, node: &Node) -> Result<Node> {
    let decoder = DECODER();
    let list = |read: &dyn Fn(&Node) -> Result<Node>| decoder.list(node, read).map(Node::sequence);
    Ok(match shape {
        Shape::Text => text(node)?,
        Shape::Flag => Node::scalar(decoder.bool(node)?.to_string()),
        Shape::Number => Node::scalar(decoder.integer(node)?.to_string()),
        Shape::Texts => list(&text)?,
        Shape::Pairs => pairs(node, text)?,
        Shape::Part(fields) => part(fields, node)?,
        Shape::Parts(fields) => list(&|item| part(fields, item))?,
        Shape::PartsOrNull(fields) => {
            list(&|item| if item.is_null() { Ok(Node::scalar("null")) } else { part(fields, item) })?
        }
        Shape::Values => pairs(node, value)?,
    })
}

fn empty(shape: Shape) -> Result<Node> {
    Ok(match shape {
        Shape::Number => Node::scalar("0"),
        Shape::Flag => Node::scalar("false"),
        Shape::Text => Node::string(""),
        Shape::Part(fields) => part(fields, &Node::mapping(Vec::new()))?,
        Shape::Pairs | Shape::Values => Node::mapping(Vec::new()),
        Shape::Texts | Shape::Parts(_) | Shape::PartsOrNull(_) => Node::sequence(Vec::new()),
    })
}

fn is_filled(node: &Node) -> bool {
    match &node.content {
        Content::Scalar(text) if node.tag.is_some() => !text.is_empty(),
        Content::Scalar(text) => !matches!(&**text, "false" | "0"),
        Content::Sequence(items) => !items.is_empty(),
        Content::Mapping(entries) => !entries.is_empty(),
        Content::Alias(_) => true,
    }
}

fn text(node: &Node) -> Result<Node> {
    Ok(Node { span: node.span, ..Node::string(DECODER().string(node)?) })
}

/// A mapping with texts for keys; of keys that stand twice, the last counts.
fn pairs(node: &Node, read: impl Fn(&Node) -> Result<Node>) -> Result<Node> {
    let Some(entries) = node.entries() else {
        // Not a mapping: it says so.
        return DECODER().string_map(node).map(|_| Node::mapping(Vec::new()));
    };
    let mut pairs = BTreeMap::new();
    for (key, value) in entries {
        pairs.insert(key_text(key)?, read(value)?);
    }
    Ok(Node::mapping(pairs.into_iter().map(|(key, value)| (Node::string(key), value)).collect()))
}

/// A key as JSON has it: a text.
fn key_text(key: &Node) -> Result<String> {
    Ok(match key.scalar_1_1() {
        Some(Scalar::String(text)) => text.into_owned(),
        Some(Scalar::Bool(value)) => value.to_string(),
        Some(Scalar::Int(value)) => value.to_string(),
        Some(Scalar::Uint(value)) => value.to_string(),
        Some(Scalar::Float(value)) => format_float(value),
        _ => {
            let error = Diagnostic::error("kustomize-field", "invalid Kustomization: this key is no text");
            return Err(match key.span {
                Some(span) => error.at(span),
                None => error,
            });
        }
    })
}

/// Whatever there is, after Go's JSON has read and written it: every number is a float on the way.
fn value(node: &Node) -> Result<Node> {
    let number = |value: f64| {
        if value.is_finite() {
            return Ok(Node::scalar(format!("{value:?}")));
        }
        let error = Diagnostic::error("kustomize-field", "invalid Kustomization: JSON has no such number");
        Err(match node.span {
            Some(span) => error.at(span),
            None => error,
        })
    };
    match (&node.content, node.scalar_1_1()) {
        (_, Some(Scalar::Null)) => Ok(Node::scalar("null")),
        (_, Some(Scalar::Bool(value))) => Ok(Node::scalar(value.to_string())),
        (_, Some(Scalar::Int(value))) => number(value as f64),
        (_, Some(Scalar::Uint(value))) => number(value as f64),
        (_, Some(Scalar::Float(value))) => number(value),
        (_, Some(Scalar::Binary(bytes))) => Ok(Node::string(String::from_utf8_lossy(&bytes))),
        (_, Some(Scalar::String(text))) => Ok(Node::string(text)),
        (_, Some(Scalar::Timestamp(text))) => Ok(Node::string(text)),
        (Content::Sequence(items), None) => Ok(Node::sequence(items.iter().map(value).collect::<Result<_>>()?)),
        (_, None) => pairs(node, value),
    }
}
