//! Values from one place to others, as a kustomization's `replacements` move them: [`source_value`] reads,
//! [`write_value`] writes. Which resources they are read from and written to is the caller's to select.

mod json_text;
mod structured;

use crate::options::DEEPEST;
use crate::path::{Create, lookup, split, visit_matches};
use crate::shape::{Shape, at, is_marked_string, is_null, is_null_or_empty, raw_text};
use onepane_diagnostics::{Diagnostic, Origin, Record, Result, closest};
use onepane_resource::ResourceId;
use onepane_yaml::{Content, Dialect, Node, Scalar, Style, resolve_plain};

/// The place that is meant where a source or a target names none.
const DEFAULT_PATH: &str = "metadata.name";

/// What part of a field is meant, and what to do where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldOptions {
    /// What parts the field's text into elements; the whole field where it is empty.
    pub delimiter: Box<str>,
    /// Which element. In a target, a negative one is a new first and one beyond the end a new last.
    pub index: i64,
    /// Whether a missing field is made.
    pub create: bool,
}

/// The value that a replacement's source gives: the field of `node`, or its element that `options` names.
/// `selector` is what selected the node, for messages.
///
/// # Errors
/// `replacement-source` when there is nothing or no such element, `field-path` and `patch-kind-mismatch` for a path
/// that cannot be.
pub fn source_value(node: &Node, selector: &ResourceId, path: &str, options: &FieldOptions) -> Result<Node> {
    let path = if path.is_empty() { DEFAULT_PATH } else { path };
    let found = lookup(node, &split(path)).map_err(|mut error| {
        error.message = format!("error looking up replacement source: {}", error.message);
        error
    })?;
    let Some(found) = found.filter(|found| !is_null_or_empty(found)) else {
        let message = format!("fieldPath `{path}` is missing for replacement source {selector}");
        let error = at(Diagnostic::error("replacement-source", message), node);
        return Err(error.hint(dead_end(node, &split(path))));
    };
    if options.delimiter.is_empty() {
        return Ok(found.clone());
    }
    let Content::Scalar(text) = &found.content else { return Err(not_scalar(found)) };
    let element = usize::try_from(options.index).ok().and_then(|index| text.split(&*options.delimiter).nth(index));
    let Some(element) = element else {
        let message = format!("options.index {} is out of bounds for value {text}", options.index);
        let count = text.split(&*options.delimiter).count();
        let error = at(Diagnostic::error("replacement-source", message), found);
        return Err(error.hint(format!("{:?} parts it into {count}, counted from 0", options.delimiter)));
    };
    let mut value = found.clone();
    let is_string = is_marked_string(found) || matches!(resolve_plain(text, Dialect::V3), Scalar::String(_));
    if is_string && value.style == Style::Plain {
        value.tag = Some("!!str".into());
    }
    value.content = Content::Scalar(element.into());
    Ok(value)
}

/// Where a path leads no further, and what is there.
fn dead_end(node: &Node, parts: &[String]) -> String {
    for length in 1..=parts.len() {
        let (before, last) = parts[..length].split_at(length - 1);
        if lookup(node, &parts[..length]).is_ok_and(|found| found.is_some()) {
            continue;
        }
        let Ok(Some(parent)) = lookup(node, before) else { break };
        let keys: Vec<&str> = parent.entries().unwrap_or_default().iter().filter_map(|(key, _)| key.as_str()).collect();
        let place = if before.is_empty() { "the resource".to_owned() } else { format!("`{}`", before.join(".")) };
        return match (closest(&last[0], keys.iter().copied()), parent.items()) {
            (Some(near), _) => format!("{place} has no `{}`: did you mean `{near}`?", last[0]),
            (None, Some(items)) => format!("{place} is a list of {}, none of which is `{}`", items.len(), last[0]),
            (None, None) => format!("{place} has no `{}`", last[0]),
        };
    }
    "what is there is null or empty".to_owned()
}

/// Writes a value to every field of `node` that one of `paths` leads to. A scalar keeps its type, whatever the
/// value's; anything else becomes the value. A path that goes on within a scalar writes into the JSON or YAML that is
/// its text; delimiters are heeded there too, as Kustomize does from after 5.8.1 on.
///
/// Where `origin` is given, what is written remembers it over what it was before.
///
/// # Errors
/// `replacement-target` when a path leads nowhere, `field-path` and `patch-kind-mismatch` for one that cannot be.
pub fn write_value(
    node: &mut Node,
    paths: &[impl AsRef<str>],
    value: &Node,
    options: &FieldOptions,
    origin: Option<&Origin>,
) -> Result<()> {
    if paths.is_empty() {
        return write_to(node, DEFAULT_PATH, value, options, origin);
    }
    paths.iter().try_for_each(|path| write_to(node, path.as_ref(), value, options, origin))
}

fn write_to(node: &mut Node, path: &str, value: &Node, options: &FieldOptions, origin: Option<&Origin>) -> Result<()> {
    let parts = split(path);
    let create = options.create.then(|| match Shape::of(value) {
        Shape::Mapping => Create::Mapping,
        Shape::Sequence => Create::Sequence,
        Shape::Scalar | Shape::Null | Shape::Alias => Create::Scalar,
    });
    if structured::write(node, &parts, value, options, create, origin) {
        return Ok(());
    }
    let missing = || {
        let what = if options.create { "find or create" } else { "find" };
        format!("unable to {what} field {path:?} in replacement target")
    };
    let count =
        visit_matches(node, &parts, create, &mut |found| write(found.node, found.created, value, options, origin))
            .map_err(|mut error| {
                if error.code != NOT_SCALAR {
                    error.message = format!("{}: {}", missing(), error.message);
                }
                error
            })?;
    if let Some(origin) = origin.filter(|_| options.create) {
        remember_made(node, origin, 0);
    }
    if count == 0 {
        let create = if options.create { "" } else { "; `options: {create: true}` makes what is missing" };
        let error = at(Diagnostic::error("replacement-target", missing()), node);
        return Err(error.hint(format!("{}{create}", dead_end(node, &parts))));
    }
    Ok(())
}

fn write(
    target: &mut Node,
    created: bool,
    value: &Node,
    options: &FieldOptions,
    origin: Option<&Origin>,
) -> Result<()> {
    if options.delimiter.is_empty() {
        set(target, created, value, origin);
        return Ok(());
    }
    let Content::Scalar(text) = &target.content else { return Err(not_scalar(target)) };
    let new = if is_null(value) { "" } else { raw_text(value) };
    let mut elements: Vec<&str> = text.split(&*options.delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => elements.insert(0, new),
        Ok(index) => match elements.get_mut(index) {
            Some(element) => *element = new,
            None => elements.push(new),
        },
    }
    let text = elements.join(&options.delimiter);
    remember(target, origin, |target| set_text(target, created, text.into()));
    Ok(())
}

/// Puts a value in the place of a node; of a scalar only the text.
fn set(target: &mut Node, created: bool, value: &Node, origin: Option<&Origin>) {
    remember(target, origin, |target| {
        if target.as_str().is_some() {
            set_text(target, created, raw_text(value).into());
        } else {
            *target = Node { span: target.span, ..value.clone() };
            if let Some(origin) = origin {
                remember_below(target, origin, 0);
            }
        }
    });
}

/// Makes everything in a copied node remember by what it was copied, and from where.
fn remember_below(node: &mut Node, origin: &Origin, depth: usize) {
    let remember = |node: &mut Node| {
        if let Some(Record { step, span, note, .. }) = origin.record() {
            let inputs = Some(node.origin()).filter(Origin::is_known).into_iter().collect();
            let (note, previous) = (note.clone(), Origin::UNKNOWN);
            node.history.0 = Origin::from(Record { step: *step, span: *span, note, inputs, previous });
        }
        if depth < DEEPEST {
            remember_below(node, origin, depth + 1);
        }
    };
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().map(|(_, value)| value).for_each(remember),
        Content::Sequence(items) => items.iter_mut().for_each(remember),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

/// Makes what was made on the way to a field, of which nothing is known yet, remember by what.
fn remember_made(node: &mut Node, origin: &Origin, depth: usize) {
    if !node.origin().is_known() {
        node.history.0 = origin.clone();
    }
    let below = |node: &mut Node| remember_made(node, origin, depth + 1);
    match &mut node.content {
        _ if depth > DEEPEST => {}
        Content::Mapping(entries) => entries.iter_mut().map(|(_, value)| value).for_each(below),
        Content::Sequence(items) => items.iter_mut().for_each(below),
        Content::Scalar(_) | Content::Alias(_) => {}
    }
}

/// Changes a node and makes it remember by what.
fn remember(target: &mut Node, origin: Option<&Origin>, change: impl FnOnce(&mut Node)) {
    let history = origin.map(|origin| origin.over(&target.origin()));
    change(target);
    if let Some(history) = history {
        target.history.0 = history;
    }
}

/// Gives a scalar another text and keeps its type: where a plain scalar's text no longer says what it is, a tag does.
/// One whose text does not fit its type is an error when it is written, as upstream.
fn set_text(target: &mut Node, created: bool, text: Box<str>) {
    if !created && target.style == Style::Plain && target.tag.is_none() {
        let tag = |scalar: Scalar<'_>| match scalar {
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) | Scalar::Uint(_) => "!!int",
            Scalar::Float(_) => "!!float",
            Scalar::Timestamp(_) => "!!timestamp",
            Scalar::String(_) | Scalar::Binary(_) => "!!str",
        };
        let old = tag(resolve_plain(raw_text(target), Dialect::V3));
        if old != tag(resolve_plain(&text, Dialect::V3)) {
            target.tag = Some(old.into());
        }
    }
    target.content = Content::Scalar(text);
}

const NOT_SCALAR: &str = "replacement-delimiter";

fn not_scalar(node: &Node) -> Box<Diagnostic> {
    at(Diagnostic::error(NOT_SCALAR, "delimiter option can only be used with scalar nodes"), node)
        .hint("without `delimiter` the whole field is copied")
}

#[cfg(test)]
mod tests;
