//! An ApplicationSet of Argo CD: a template, filled in for each set of parameters.

use super::generators::{Style, parameters};
use crate::follower::Follower;
use crate::object::{items, text};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_functions::{HELM, sprig_offline};
use onepane_resource::Resource;
use onepane_template::{Function, FunctionTable, MissingKey, Offline, Options, Templates};
use onepane_value::{Map, Value, format::sprint};
use onepane_world::MemoryWorld;
use onepane_yaml::{Content, Node};

/// The Applications that it makes.
pub(crate) fn application_set(follower: &mut Follower<'_>, object: &Resource) -> Result<Vec<Resource>> {
    let spec = object.node().get("spec").cloned().unwrap_or_else(|| Node::scalar(""));
    let style = if text(&spec, &["goTemplate"]) == "true" { Style::Go } else { Style::Plain };
    if spec.get("templatePatch").is_some() {
        follower.warn(object, "gitops-template-patch", "its `templatePatch` is not applied here".to_owned());
    }
    let Some(template) = spec.get("template") else {
        return Err(Diagnostic::error("gitops-generator", "it has no template"));
    };
    let mut made = Vec::new();
    let mut failure = None;
    for generator in items(&spec, &["generators"]) {
        let sets = match parameters(follower, generator, style, 0) {
            Ok(sets) => sets,
            // Others may give something all the same.
            Err(error) => {
                failure = Some(error);
                continue;
            }
        };
        for set in sets {
            let mut node = rendered(template, &set, style)?;
            node.set("apiVersion", Node::scalar("argoproj.io/v1alpha1"));
            node.set("kind", Node::scalar("Application"));
            node.span = object.node().span;
            let mut application = Resource::new(node);
            if application.namespace().is_empty() && !object.namespace().is_empty() {
                application.set_namespace(Some(Node::string(object.namespace())));
            }
            application.source = object.source;
            application.overlays.clone_from(&object.overlays);
            made.push(application);
        }
    }
    match failure {
        Some(error) if made.is_empty() => Err(error),
        Some(error) => {
            follower.warn(object, error.code, error.message);
            Ok(made)
        }
        None => Ok(made),
    }
}

/// A node with its texts filled in.
pub(super) fn rendered(node: &Node, set: &Map, style: Style) -> Result<Node> {
    let mut node = node.clone();
    fill(&mut node, set, style)?;
    Ok(node)
}

fn fill(node: &mut Node, set: &Map, style: Style) -> Result<()> {
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            fill(key, set, style)?;
            fill(value, set, style)
        }),
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| fill(item, set, style)),
        Content::Scalar(text) if text.contains("{{") => {
            let filled = match style {
                Style::Plain => plain(text, set),
                Style::Go => go(text, set).map_err(|error| match node.span {
                    Some(span) => error.at(span),
                    None => error,
                })?,
            };
            // A block begins below its head, and it will be none any more.
            let below = u32::from(matches!(node.style, onepane_yaml::Style::Literal | onepane_yaml::Style::Folded));
            let span = node.span.map(|span| Span { line: span.line + below, ..span });
            *node = Node::string(filled);
            node.span = span;
            Ok(())
        }
        Content::Scalar(_) | Content::Alias(_) => Ok(()),
    }
}

/// `{{name}}`; one that is not there stays.
fn plain(text: &str, set: &Map) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        match look_up(name.trim(), set) {
            Some(value) => out.push_str(&sprint(std::slice::from_ref(&value)).to_string()),
            None => out.push_str(&rest[before.len()..before.len() + name.len() + 4]),
        }
        rest = after;
    }
    out + rest
}

/// `path` is that of the folder, `path[1]` a part of it, `a.b` a key of a mapping, or a key with a dot.
fn look_up(name: &str, set: &Map) -> Option<Value> {
    if let Some(value) = set.get(name).filter(|value| value.as_map().is_none()) {
        return Some(value);
    }
    if let Some(position) = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
        let segments = look_up(&format!("{}.segments", position.0), set)?;
        let onepane_value::Data::List(list) = &segments.data else { return None };
        return list.get(position.1.parse::<usize>().ok()?).cloned();
    }
    let mut parts = name.split('.');
    let first = set.get(parts.next()?)?;
    let value = parts.try_fold(first, |value, part| value.as_map()?.get(part))?;
    match value.as_map() {
        Some(path) => path.get("path"),
        None => Some(value),
    }
}

/// A template of Go with sprig's functions.
fn go(text: &str, set: &Map) -> Result<String> {
    const OF_HELM: [Function; 3] = [HELM.named("toYaml"), HELM.named("fromYaml"), HELM.named("fromYamlArray")];
    // Neither the environment nor the network, as in Argo CD.
    static TABLE: FunctionTable = sprig_offline().with(&OF_HELM);
    let options = Options { missing_key: MissingKey::Error, set_name: "applicationset", ..Options::default() };
    let mut templates = Templates::new(&TABLE, options);
    let data = Value::from(set.clone());
    templates
        .parse("template", Some(FileId::new("template")), text)
        .and_then(|()| templates.execute("template", &data, &MemoryWorld::new(), &Offline))
        .map(|text| text.to_string())
        .map_err(|error| error.into_diagnostic("gitops-template"))
}
