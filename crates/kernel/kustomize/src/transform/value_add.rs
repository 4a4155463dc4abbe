//! The built-in `ValueAddTransformer`: a value put into fields, or into a place of the paths that they hold.

use super::{NamespaceChange, RoleBindingSubjects};
use crate::accumulate::located;
use crate::decode::Decoder;
use crate::kustomization::{entry_span, read_selector};
use crate::load::Loader;
use crate::parse::parse_first;
use crate::scalar::NodeExt;
use crate::select::Selector;
use crate::stamp::Stamp;
use onepane_diagnostics::{Diagnostic, Result, Span};
use onepane_resource::ResourceSet;
use onepane_yaml::{Content, Node};

/// A value and the fields it goes into.
pub(crate) struct ValueAdd {
    value: String,
    targets: Vec<Target>,
}

struct Target {
    selector: Option<Selector>,
    field_path: String,
    position: i64,
    span: Option<Span>,
}

fn fail(message: String, span: Option<Span>) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-value-add", message), span)
}

/// Reads the configuration. The value defaults to the name of the kustomization's folder.
pub(crate) fn read_value_add(node: &Node, loader: &Loader<'_>) -> Result<ValueAdd> {
    let decoder = Decoder::lenient("ValueAddTransformer");
    let (mut value, mut targets, mut file) = (String::new(), Vec::new(), String::new());
    decoder.fields(node, &["value", "targets", "targetFilePath"], |field, node| {
        match field {
            "value" => value = decoder.string(node)?.trim().to_owned(),
            "targets" => targets = read_targets(&decoder, node)?,
            _ => file = decoder.string(node)?,
        }
        Ok(())
    })?;
    if value.is_empty() {
        value = loader.root().file_name().unwrap_or_default().to_owned();
    }
    if !file.is_empty() {
        let node = parse_first(&loader.load(&file, None)?)?;
        decoder.fields(&node, &["targets"], |_, node| {
            targets.append(&mut read_targets(&decoder, node)?);
            Ok(())
        })?;
    }
    if targets.is_empty() {
        let error = fail("must specify at least one target".to_owned(), None);
        return Err(error.hint("write `targets:` with a `fieldPath` each"));
    }
    for target in &targets {
        if target.field_path.is_empty() {
            let error = fail("fieldPath cannot be empty".to_owned(), target.span);
            return Err(error.hint("write keys joined by slashes: `metadata/annotations/project`"));
        }
        if target.position < 0 {
            let message = format!("value of FilePathPosition ({}) cannot be negative", target.position);
            return Err(fail(message, target.span).hint("positions count from 1; 0 sets the whole field"));
        }
    }
    Ok(ValueAdd { value, targets })
}

fn read_targets(decoder: &Decoder, node: &Node) -> Result<Vec<Target>> {
    decoder.list(node, |item| {
        let mut target = Target { selector: None, field_path: String::new(), position: 0, span: entry_span(item) };
        decoder.fields(item, &["selector", "fieldPath", "filePathPosition"], |field, value| {
            match field {
                "selector" => target.selector = read_selector(decoder, value)?,
                "fieldPath" => target.field_path = decoder.string(value)?,
                _ => target.position = decoder.integer(value)?,
            }
            Ok(())
        })?;
        Ok(target)
    })
}

/// Puts the value into the fields.
pub(crate) fn add_value(resources: &mut ResourceSet, add: &ValueAdd, stamp: &Stamp) -> Result<()> {
    for target in &add.targets {
        let positions = match &target.selector {
            Some(selector) => selector.select(resources)?,
            None => (0..resources.len()).collect(),
        };
        for position in positions {
            let outcome = resources.update(position, |resource| {
                if target.field_path == "metadata/namespace" {
                    let change = NamespaceChange {
                        namespace: &add.value,
                        unset_only: false,
                        subjects: RoleBindingSubjects::DefaultOnly,
                    };
                    return super::namespace::apply_without_fields(resource, change, stamp);
                }
                let path = split(&target.field_path);
                let field = look_up(resource.node_mut(), &path)?;
                let Content::Scalar(old) = &field.content else {
                    let error = fail("wrong node kind: a scalar was expected".to_owned(), field.span.or(target.span));
                    return Err(error.hint("let `fieldPath` end at a single value"));
                };
                let new = match target.position {
                    0 => add.value.clone(),
                    position => insert_path_part(old, position as usize - 1, &add.value),
                };
                stamp.set_scalar(field, new, None);
                Ok(())
            });
            outcome.unwrap_or(Ok(()))?;
        }
    }
    Ok(())
}

/// Splits at slashes that no backslash escapes. Empty keys mean nothing.
fn split(path: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for part in path.split('/') {
        match keys.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => keys.push(part.to_owned()),
        }
    }
    keys.retain(|key| !key.is_empty());
    keys
}

fn look_up<'n>(mut node: &'n mut Node, path: &[String]) -> Result<&'n mut Node> {
    for (index, key) in path.iter().enumerate() {
        let span = node.span;
        if let Some(items) = node.items() {
            let count = items.len();
            let at = if key == "-" { count.checked_sub(1) } else { key.parse::<usize>().ok() };
            let item = at.and_then(|at| node.items_mut()?.get_mut(at));
            node = item.ok_or_else(|| {
                fail(format!("there is no element `{key}` in a list of {count}"), span)
                    .hint("elements count from 0, and `-` is the last")
            })?;
            continue;
        }
        if node.entries().is_none() {
            if !node.is_null() {
                let error = fail(format!("wrong node kind: a mapping was expected at `{key}`"), span);
                return Err(error.hint("let `fieldPath` lead through mappings and lists"));
            }
            node.content = Content::Mapping(Vec::new());
            node.tag = None;
        }
        if node.get(key).is_none() {
            let last = index + 1 == path.len();
            node.set(key, if last { Node::scalar("") } else { Node::mapping(Vec::new()) });
        }
        let Some(next) = node.get_mut(key) else {
            return Err(fail(format!("`{key}` cannot be made"), span));
        };
        node = next;
    }
    Ok(node)
}

/// Inserts `part` at `position` of a file path, counted from 0 and without the leading slash.
fn insert_path_part(path: &str, position: usize, part: &str) -> String {
    if part.is_empty() {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_inserted_and_an_absolute_path_stays_one() {
        for (path, position, wanted) in [
            ("", 0, "X"),
            ("/", 0, "/X"),
            ("pie", 0, "X/pie"),
            ("/pie", 0, "/X/pie"),
            ("raw", 1, "raw/X"),
            ("a/nice/warm/pie", 3, "a/nice/warm/X/pie"),
            ("/a/b", 9, "/a/b/X"),
        ] {
            assert_eq!(insert_path_part(path, position, "X"), wanted, "{path}");
        }
    }
}
