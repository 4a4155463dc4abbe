//! `configMapGenerator:` and `secretGenerator:`.

use super::sources::{Entry, entries};
use crate::accumulate::located;
use crate::decode::Located;
use crate::kustomization::{Generator, GeneratorOptions};
use crate::load::Loader;
use crate::stamp::Stamp;
use base64::Engine;
use onepane_diagnostics::{Diagnostic, FileId, Origin, Result, Span, Step};
use onepane_resource::{GeneratorBehavior, Resource};
use onepane_yaml::{Node, Style};

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// Makes the resource that `generator` describes; `global` are the kustomization's `generatorOptions:`.
pub(crate) fn generate(
    kind: Generated,
    generator: &Generator,
    global: Option<&GeneratorOptions>,
    loader: &Loader<'_>,
    origins: bool,
) -> Result<Resource> {
    let step = |span| Stamp::new(origins, Step::Generator, span);
    let lines = &generator.lines;
    let said = |line: Option<Span>| step(line.or(generator.span));
    let stamp = step(generator.span);
    // No line says what the list stands for but its key.
    let listed = said(lines.list);
    if generator.name.is_empty() {
        let error = Diagnostic::error("kustomize-generator", "a configmap must have a name");
        return Err(located(error, generator.span).hint("add `name:`"));
    }
    let entries = entries(generator, loader)?;
    let name = match kind {
        Generated::ConfigMap => "ConfigMap",
        Generated::Secret => "Secret",
    };
    let mut root = Node::mapping(vec![
        (Node::scalar("apiVersion"), listed.string("v1")),
        (Node::scalar("kind"), listed.string(name)),
    ]);
    stamp.mark(&mut root);
    let mut resource = Resource::new(root);
    resource.set_name(said(lines.name).string(&*generator.name));
    if !generator.namespace.is_empty() {
        resource.set_namespace(Some(said(lines.namespace).string(&*generator.namespace)));
    }
    let root = resource.node_mut();
    match kind {
        Generated::ConfigMap => {
            for entry in entries {
                let (field, value) = match String::from_utf8(entry.value) {
                    Ok(text) => ("data", text),
                    Err(error) => ("binaryData", encode(error.as_bytes())),
                };
                put(root, field, &entry.key, value, (&step(entry.span.or(generator.span)), entry.file));
            }
        }
        Generated::Secret => {
            let secret_type = if generator.secret_type.is_empty() { "Opaque" } else { &generator.secret_type };
            root.set("type", said(lines.secret_type.or(lines.list)).string(secret_type));
            root.set("data", Node::mapping(Vec::new()));
            for Entry { key, value, span, file } in entries {
                put(root, "data", &key, encode(&value), (&step(span.or(generator.span)), file));
            }
        }
    }
    apply_options(&mut resource, generator.options.as_ref(), global, origins, &stamp);
    resource.behavior = GeneratorBehavior::parse(&generator.behavior);
    Ok(resource)
}

fn put(root: &mut Node, field: &str, key: &str, value: String, (stamp, file): (&Stamp, Option<FileId>)) {
    if root.get(field).is_none() {
        root.set(field, Node::mapping(Vec::new()));
    }
    let mut node = Node::string(value);
    let source = file.map(|file| Origin::at(Step::Source, Span::file(file.path())));
    stamp.mark_from(&mut node, &source.iter().collect::<Vec<_>>());
    if node.as_str().is_some_and(|text| text.contains('\n')) {
        node.style = Style::Literal;
    }
    if let Some(entries) = root.get_mut(field).and_then(Node::entries_mut) {
        entries.push((Node::string(key), node));
    }
}

/// Base64 in lines of 70 characters where it needs more than one, each with its line break, as kyaml has it.
fn encode(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if text.len() / LINE == 0 {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = next;
    }
    lines
}

/// Labels, annotations and flags: those of the generator, then those of the kustomization that it does not have.
fn apply_options(
    resource: &mut Resource,
    local: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
    origins: bool,
    stamp: &Stamp,
) {
    let both = [local, global];
    let either = |flag: fn(&GeneratorOptions) -> bool| both.iter().flatten().any(|options| flag(options));
    let pairs = |list: fn(&GeneratorOptions) -> &Vec<(String, Located)>| {
        let mut pairs: Vec<&(String, Located)> = Vec::new();
        for pair in both.iter().flatten().flat_map(|options| list(options)) {
            if pairs.iter().all(|(key, _)| *key != pair.0) {
                pairs.push(pair);
            }
        }
        pairs
    };
    let value = |located: &Located| Stamp::new(origins, Step::Generator, located.span).string(&*located.text);
    for (key, located) in pairs(|options| &options.labels) {
        resource.set_label(key, value(located));
    }
    for (key, located) in pairs(|options| &options.annotations) {
        resource.set_annotation(key, value(located));
    }
    if either(|options| options.immutable) {
        let mut immutable = Node::scalar("true");
        stamp.mark(&mut immutable);
        resource.node_mut().set("immutable", immutable);
    }
    resource.needs_hash = !either(|options| options.disable_name_suffix_hash);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_base64_is_put_in_lines() {
        assert_eq!(encode(b"short"), "c2hvcnQ=");
        let long = encode(&[0; 60]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(long.ends_with('\n'));
    }
}
