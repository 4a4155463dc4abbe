//! `replacements:`: which resources values are copied from and to. The copying itself is [`onepane_patch`]'s.

use crate::accumulate::located;
use crate::decode::{Decoder, Located};
use crate::kustomization::read_selector;
use crate::load::Loader;
use crate::parse::parse_first;
use crate::scalar::NodeExt;
use crate::select::{Matcher, Selector};
use crate::stamp::Stamp;
use crate::unmatched::{Unmatched, unmatched};
use onepane_diagnostics::{Diagnostic, Result, Span, Step};
use onepane_patch::{FieldOptions, source_value, write_value};
use onepane_resource::{GroupVersionKind, ResourceId, ResourceSet};
use onepane_yaml::Node;

/// Replacements that were read.
pub(crate) struct Replacements(Vec<Replacement>);

#[derive(Default)]
struct Replacement {
    source: Option<Source>,
    /// A value written in the kustomization.
    source_value: Option<Located>,
    targets: Option<Vec<Target>>,
    span: Option<Span>,
}

#[derive(Default)]
struct Source {
    id: ResourceId,
    field_path: String,
    options: FieldOptions,
}

#[derive(Default)]
struct Target {
    select: Option<Selector>,
    reject: Vec<Selector>,
    field_paths: Vec<String>,
    options: FieldOptions,
    span: Option<Span>,
}

/// Reads an entry of `replacements:`, which may name a file with one or several.
///
/// # Errors
/// `kustomize-replacement` for an entry that says two things at once, and those of reading.
pub(crate) fn load_replacements(entry: &Node, strict: bool, loader: &Loader<'_>) -> Result<Replacements> {
    let decoder = if strict { Decoder::strict("Kustomization") } else { Decoder::lenient("ReplacementTransformer") };
    let (replacement, path) = read_replacement(&decoder, entry)?;
    if path.text.is_empty() {
        return Ok(Replacements(vec![replacement]));
    }
    if replacement.source.is_some() || replacement.targets.as_ref().is_some_and(|targets| !targets.is_empty()) {
        let error = fail("cannot specify both path and inline replacement".to_owned(), replacement.span);
        return Err(error.hint("make an entry of each"));
    }
    let decoder = Decoder::lenient("replacement");
    let node = parse_first(&loader.load(&path.text, path.span)?)?;
    let items = match node.items() {
        Some(items) => items,
        None if node.entries().is_some() => std::slice::from_ref(&node),
        None => {
            let message = "unsupported replacement type encountered within replacement path";
            let error = fail(message.to_owned(), node.span.or(path.span));
            return Err(error.hint("the file holds one replacement, or a list of them"));
        }
    };
    let read = |item| Ok(read_replacement(&decoder, item)?.0);
    Ok(Replacements(items.iter().map(read).collect::<Result<_>>()?))
}

fn read_replacement(decoder: &Decoder, node: &Node) -> Result<(Replacement, Located)> {
    let mut this = Replacement { span: node.span, ..Replacement::default() };
    let mut path = Located::default();
    decoder.fields(node, &["path", "source", "targets", "sourceValue"], |field, value| {
        match field {
            "path" => path = decoder.located(value)?,
            "source" => this.source = if value.is_null() { None } else { Some(read_source(decoder, value)?) },
            "sourceValue" => this.source_value = if value.is_null() { None } else { Some(decoder.located(value)?) },
            _ if value.is_null() => this.targets = None,
            _ => this.targets = Some(decoder.list(value, |item| read_target(decoder, item))?),
        }
        Ok(())
    })?;
    Ok((this, path))
}

fn read_source(decoder: &Decoder, node: &Node) -> Result<Source> {
    const FIELDS: &[&str] = &["group", "version", "kind", "name", "namespace", "fieldPath", "options"];
    let mut source = Source::default();
    let [mut group, mut version, mut kind, mut name, mut namespace] = [const { String::new() }; 5];
    decoder.fields(node, FIELDS, |field, value| {
        let into = match field {
            "group" => &mut group,
            "version" => &mut version,
            "kind" => &mut kind,
            "name" => &mut name,
            "namespace" => &mut namespace,
            "fieldPath" => &mut source.field_path,
            _ => {
                source.options = read_options(decoder, value)?;
                return Ok(());
            }
        };
        *into = decoder.string(value)?;
        Ok(())
    })?;
    source.id = ResourceId::new(GroupVersionKind::new(group, version, kind), namespace, name);
    Ok(source)
}

fn read_target(decoder: &Decoder, node: &Node) -> Result<Target> {
    let mut target = Target { span: node.span, ..Target::default() };
    decoder.fields(node, &["select", "reject", "fieldPaths", "options"], |field, value| {
        match field {
            "select" => target.select = read_selector(decoder, value)?,
            "reject" => {
                let rejected = decoder.list(value, |item| read_selector(decoder, item))?;
                target.reject = rejected.into_iter().flatten().collect();
            }
            "fieldPaths" => target.field_paths = decoder.strings(value)?,
            _ => target.options = read_options(decoder, value)?,
        }
        Ok(())
    })?;
    Ok(target)
}

fn read_options(decoder: &Decoder, node: &Node) -> Result<FieldOptions> {
    let mut options = FieldOptions::default();
    decoder.fields(node, &["delimiter", "index", "encoding", "create"], |field, value| {
        match field {
            "delimiter" => options.delimiter = decoder.string(value)?.into(),
            "index" => options.index = decoder.integer(value)?,
            "create" => options.create = decoder.bool(value)?,
            // Kustomize takes an encoding and does nothing with it.
            _ => drop(decoder.string(value)?),
        }
        Ok(())
    })?;
    Ok(options)
}

fn fail(message: String, span: Option<Span>) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-replacement", message), span)
}

impl Replacements {
    /// Copies the values. Gives a warning for each target that selects nothing.
    ///
    /// # Errors
    /// `kustomize-replacement` when the source is not exactly one resource or a part is missing, and those of copying;
    /// where it is one `kustomize-unmatched`.
    pub(crate) fn apply(&self, resources: &mut ResourceSet, origins: bool, how: Unmatched) -> Result<Vec<Diagnostic>> {
        let mut warnings = Vec::new();
        for replacement in &self.0 {
            replacement.apply(resources, origins, how, &mut warnings).map_err(|error| match replacement.span {
                Some(span) if error.primary.is_none() => error.at(span),
                Some(span) if error.primary.as_ref().is_some_and(|label| label.span.file == span.file) => error,
                Some(span) => error.label(span, "this replacement asks for it"),
                None => error,
            })?;
        }
        Ok(warnings)
    }
}

impl Replacement {
    fn apply(
        &self,
        resources: &mut ResourceSet,
        origins: bool,
        how: Unmatched,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<()> {
        let stamp = Stamp::new(origins, Step::Replacement, self.span);
        let value = match (&self.source, &self.source_value, &self.targets) {
            (None, None, _) | (_, _, None) => {
                let error = fail("replacements must specify a source and at least one target".to_owned(), self.span);
                return Err(error.hint("`source:` or `sourceValue:` says what is copied, `targets:` to where"));
            }
            (Some(_), Some(_), _) => {
                let error = fail("value and resource selectors are mutually exclusive".to_owned(), self.span);
                return Err(error.hint("keep either `source` or `sourceValue`"));
            }
            (None, Some(value), _) => Node { span: value.span, ..Node::scalar(&*value.text) },
            (Some(source), None, _) => source.value(resources)?,
        };
        let origin = origins.then(|| {
            let inputs = Some(value.origin()).filter(onepane_diagnostics::Origin::is_known);
            stamp.over(onepane_diagnostics::Origin::UNKNOWN, inputs.into_iter().collect())
        });
        for target in self.targets.iter().flatten() {
            let Some(select) = &target.select else {
                let error = fail("target must specify resources to select".to_owned(), target.span);
                return Err(error.hint("write `select:` with a kind or a name"));
            };
            let matcher = select.matcher()?;
            let rejected: Vec<Matcher> = target.reject.iter().map(Selector::matcher).collect::<Result<_>>()?;
            let mut selects_something = false;
            for position in 0..resources.len() {
                let chosen = resources.get(position).is_some_and(|resource| {
                    let ids: Vec<ResourceId> =
                        std::iter::once(resource.id().clone()).chain(resource.previous_ids()).collect();
                    matcher.matches_metadata(resource)
                        && !target.reject.iter().zip(&rejected).any(|(selector, matcher)| {
                            (selector.has_metadata() && matcher.matches_metadata(resource))
                                || (selector.has_id() && ids.iter().any(|id| matcher.matches_id(id)))
                        })
                        && ids.iter().any(|id| matcher.matches_id(id))
                });
                if chosen {
                    selects_something = true;
                    let outcome = resources.update(position, |resource| {
                        write_value(resource.node_mut(), &target.field_paths, &value, &target.options, origin.as_ref())
                    });
                    outcome.unwrap_or(Ok(()))?;
                }
            }
            if !selects_something {
                warnings.extend(unmatched("replacement", select, resources, target.span, how)?);
            }
        }
        Ok(())
    }
}

impl Source {
    fn value(&self, resources: &ResourceSet) -> Result<Node> {
        let mut found = resources.iter().filter(|resource| {
            resource.id().is_selected_by(&self.id) || resource.previous_ids().any(|id| id.is_selected_by(&self.id))
        });
        let Some(resource) = found.next() else {
            let error = fail(format!("nothing selected by {}", self.describe()), None);
            let names = resources.iter().map(|resource| resource.name());
            return Err(match crate::decode::closest(&self.id.name, names) {
                Some(near) if !self.id.name.is_empty() && *near != *self.id.name => {
                    error.hint(format!("did you mean `{near}`?"))
                }
                _ => error.hint("kind, name and namespace must be those of a resource built here"),
            });
        };
        if let Some(second) = found.next() {
            let mut error = fail(format!("multiple matches for selector {}", self.describe()), None);
            for span in [resource, second].into_iter().filter_map(|resource| resource.node().span) {
                error = error.label(span, "it selects this");
            }
            return Err(error.hint("name more of what tells them apart: kind, name, namespace"));
        }
        source_value(resource.node(), &self.id, &self.field_path, &self.options)
    }

    fn describe(&self) -> String {
        let separator = if self.field_path.is_empty() { "" } else { ":" };
        format!("{}{separator}{}", self.id, self.field_path)
    }
}
