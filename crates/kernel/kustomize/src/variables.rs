//! `vars:`, deprecated: `$(NAME)` in certain fields stands for the value of a field of a resource.

use crate::accumulate::{Target, located};
use crate::config::FieldSpec;
use crate::kustomization::Variable;
use crate::scalar::{NodeExt, Scalar};
use crate::stamp::Stamp;
use crate::walk::{Create, Path};
use onepane_diagnostics::{Diagnostic, Origin, Result, Span, Step};
use onepane_patch::{lookup, split_path};
use onepane_resource::{GroupVersionKind, ResourceId, ResourceSet};
use onepane_yaml::{Content, History, Node, Style};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The variables of an accumulation, by name.
pub(crate) type Variables = BTreeMap<String, Variable>;

/// Adds the variables of a kustomization and marks the resources that they point at.
///
/// # Errors
/// `kustomize-variable` when a name is taken, or when a variable points at several resources.
pub(crate) fn add_variables(
    variables: &mut Variables,
    incoming: &[Variable],
    resources: &mut ResourceSet,
) -> Result<()> {
    for variable in incoming {
        let gvk = GroupVersionKind::new(&*variable.group, &*variable.version, &*variable.kind);
        let id = ResourceId::new(gvk, &*variable.target_namespace, &*variable.target_name);
        let by_id = !id.namespace.is_empty() || id.is_cluster_scoped();
        let matches = |other: &ResourceId| if by_id { *other == id } else { other.same_gvk_and_name(&id) };
        let positions: Vec<usize> = resources
            .positions_by_any_name(&variable.target_name)
            .iter()
            .copied()
            .filter(|position| {
                resources.get(*position).is_some_and(|resource| {
                    matches(resource.id()) || resource.previous_ids().any(|previous| matches(&previous))
                })
            })
            .collect();
        match positions[..] {
            [] => {}
            [position] => {
                resources.update(position, |resource| resource.variables.push(variable.name.as_str().into()));
            }
            _ => {
                let message = format!(
                    "found {} resId matches for var {} (unable to disambiguate)",
                    positions.len(),
                    variable.name
                );
                let mut error = fail(message, variable);
                let found = positions.iter().filter_map(|position| resources.get(*position)?.node().span);
                for span in found {
                    error = error.label(span, "it may mean this");
                }
                return Err(error.hint("name the `namespace` in `objref:`"));
            }
        }
    }
    merge_variables(variables, incoming.iter().cloned())
}

/// Takes the variables of a base in.
///
/// # Errors
/// `kustomize-variable` when a name is taken.
pub(crate) fn merge_variables(variables: &mut Variables, incoming: impl IntoIterator<Item = Variable>) -> Result<()> {
    for variable in incoming {
        if let Some(first) = variables.get(&variable.name) {
            let mut error = fail(format!("var '{}' already encountered", variable.name), &variable);
            if let Some(span) = first.span {
                error = error.label(span, "it is first defined here");
            }
            return Err(error.hint("give one of them another name"));
        }
        variables.insert(variable.name.clone(), variable);
    }
    Ok(())
}

/// What is wrong with a variable comes up far from the kustomization that has it.
fn fail(message: String, variable: &Variable) -> Box<Diagnostic> {
    let error = located(Diagnostic::error("kustomize-variable", message), variable.span);
    error.trace(format!("in `vars[{}]`", variable.index), variable.span)
}

fn unreplaceable(message: String, node: &Node) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-variable", message), node.span)
        .hint("fields that variables are replaced in hold texts: put it in quotes")
}

/// A variable's value.
struct Resolved {
    value: Value,
    origin: Origin,
    span: Option<Span>,
}

/// What a variable stands for: a scalar, as go-yaml tags it, or something that cannot be put into a text.
enum Value {
    Scalar { text: String, tag: &'static str },
    Collection,
}

/// Puts values in the place of variables; gives the names of those that were never used.
///
/// # Errors
/// `kustomize-variable` when a variable points at no resource or at a field that is not there.
pub(crate) fn resolve_variables(
    variables: &Variables,
    resources: &mut ResourceSet,
    fields: &[FieldSpec],
    origins: bool,
    target: &Target<'_>,
) -> Result<Vec<String>> {
    if variables.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = BTreeMap::new();
    for variable in variables.values() {
        values.insert(variable.name.as_str(), find_value(variable, resources)?);
    }
    let replacer = Replacer { values, used: RefCell::default(), origins };
    let paths = Path::all(fields);
    for resource in resources.iter_mut() {
        for path in &paths {
            let replaced = path.apply(resource, Create::Nothing, &mut |node| replacer.field(node));
            replaced.map_err(|error| target.in_entry_of(error, resource))?;
        }
    }
    let used = replacer.used.into_inner();
    Ok(variables.keys().filter(|name| !used.contains(name.as_str())).cloned().collect())
}

fn find_value(variable: &Variable, resources: &ResourceSet) -> Result<Resolved> {
    let holder = resources.iter().find(|resource| resource.variables.iter().any(|name| **name == *variable.name));
    let Some(holder) = holder else {
        let message = format!("var '{}' cannot be mapped to a field in the set of known resources", variable.name);
        return Err(
            fail(message, variable).hint("`objref:` must name the kind and the first name of a resource built here")
        );
    };
    let Some(node) = look_up(holder.node(), &variable.field_path) else {
        let message = format!(
            "field specified in var '{}' not found in corresponding resource: {} has no `{}`",
            variable.name,
            holder.id(),
            variable.field_path
        );
        let error = fail(message, variable).hint("`fieldref.fieldPath` must lead to a value of the resource");
        return Err(match holder.node().span {
            Some(span) => error.label(span, "the resource"),
            None => error,
        });
    };
    let value = match (&node.content, node.scalar_1_2()) {
        (Content::Scalar(text), Some(scalar)) => {
            let (text, tag) = match scalar {
                Scalar::Int(value) => (value.to_string(), "!!int"),
                Scalar::Float(value) => (value.to_string(), "!!float"),
                Scalar::Bool(value) => (value.to_string(), "!!bool"),
                _ => (text.to_string(), "!!str"),
            };
            Value::Scalar { text, tag }
        }
        _ => Value::Collection,
    };
    Ok(Resolved { value, origin: node.origin(), span: variable.span })
}

/// Follows a path of keys joined by dots; beside what replacements understand, `list[0]` is an element.
fn look_up<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    lookup(node, &split_field_path(path)).ok().flatten()
}

fn split_field_path(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for key in split_path(path) {
        match key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) {
            Some((list, index)) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => {
                if !list.is_empty() {
                    keys.push(list.to_owned());
                }
                keys.push(index.to_owned());
            }
            _ => keys.push(key),
        }
    }
    keys
}

struct Replacer<'a> {
    values: BTreeMap<&'a str, Resolved>,
    used: RefCell<BTreeSet<&'a str>>,
    origins: bool,
}

impl<'a> Replacer<'a> {
    fn field(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.content {
            Content::Scalar(_) => {
                self.scalar(node);
            }
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    if !matches!(key.scalar_1_2(), Some(Scalar::String(_))) {
                        let key = key.as_str().unwrap_or_default();
                        return Err(unreplaceable(format!("invalid map key: value='{key}'"), value));
                    }
                    self.scalar(value);
                }
            }
            Content::Sequence(items) => {
                for item in items {
                    if !matches!(item.scalar_1_2(), Some(Scalar::String(_))) {
                        return Err(unreplaceable("invalid value type expect a string".to_owned(), item));
                    }
                    self.scalar(item);
                }
            }
            Content::Alias(_) => {}
        }
        Ok(())
    }

    fn scalar(&self, node: &mut Node) {
        let Some(Scalar::String(text)) = node.scalar_1_2() else { return };
        let text = &*text;
        if !text.contains('$') {
            return;
        }
        let (new, tag, sources) = self.expand(text);
        if tag == "!!str" && new == text {
            return;
        }
        // A dollar sign that was escaped is changed by no variable.
        if self.origins {
            let span = sources.last().and_then(|source| source.span);
            let inputs = sources.iter().map(|source| source.origin.clone()).filter(Origin::is_known).collect();
            let stamp = Stamp::new(true, Step::Replacement, span.or(node.origin().span()));
            node.history = History(stamp.over(node.origin(), inputs));
        }
        node.content = Content::Scalar(new.into());
        node.tag = Some(tag.into());
        node.style = Style::Plain;
    }

    /// The text with variables replaced, its type, and the variables that were used. `$$` is a dollar sign.
    fn expand(&self, text: &str) -> (String, &'static str, Vec<&Resolved>) {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        let mut sources = Vec::new();
        while let Some(at) = rest.find('$') {
            let (before, behind) = (&rest[..at], &rest[at + 1..]);
            result.push_str(before);
            let Some(next) = behind.chars().next() else {
                result.push('$');
                rest = "";
                break;
            };
            match (next, behind.strip_prefix('(').and_then(|behind| behind.split_once(')'))) {
                ('$', _) => {
                    result.push('$');
                    rest = &behind[1..];
                }
                ('(', Some((name, after))) => {
                    let known = self.values.get_key_value(name);
                    match known {
                        Some((name, resolved @ Resolved { value: Value::Scalar { text: value, tag }, .. })) => {
                            self.used.borrow_mut().insert(name);
                            sources.push(resolved);
                            if text.len() == name.len() + 3 {
                                return (value.clone(), tag, sources);
                            }
                            result.push_str(value);
                        }
                        _ => {
                            result.push_str("$(");
                            result.push_str(name);
                            result.push(')');
                        }
                    }
                    rest = after;
                }
                _ => {
                    result.push('$');
                    result.push(next);
                    rest = &behind[next.len_utf8()..];
                }
            }
        }
        result.push_str(rest);
        (result, "!!str", sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_and_dollars_escaped() {
        let value = |text: &str, tag| Resolved {
            value: Value::Scalar { text: text.to_owned(), tag },
            origin: Origin::UNKNOWN,
            span: None,
        };
        let values = BTreeMap::from([("A", value("x", "!!str")), ("N", value("8", "!!int"))]);
        let replacer = Replacer { values, used: RefCell::default(), origins: false };
        for (text, wanted, tag) in [
            ("$(A)", "x", "!!str"),
            ("$(N)", "8", "!!int"),
            ("a-$(A)-$(N)", "a-x-8", "!!str"),
            ("$$(A)", "$(A)", "!!str"),
            ("$(B)", "$(B)", "!!str"),
            ("$(A", "$(A", "!!str"),
            ("a$", "a$", "!!str"),
            ("$x", "$x", "!!str"),
        ] {
            let (new, is, _) = replacer.expand(text);
            assert_eq!((new.as_str(), is), (wanted, tag), "{text}");
        }
    }

    #[test]
    fn field_paths_know_elements_and_keys_with_dots() {
        for (path, wanted) in [
            ("metadata.name", vec!["metadata", "name"]),
            ("spec.ports[0].port", vec!["spec", "ports", "0", "port"]),
            ("metadata.annotations.[a.b/c]", vec!["metadata", "annotations", "a.b/c"]),
            ("a.b\\.c", vec!["a", "b.c"]),
            ("a.[name=x.y].b", vec!["a", "[name=x.y]", "b"]),
        ] {
            assert_eq!(split_field_path(path), wanted, "{path}");
        }
    }
}
