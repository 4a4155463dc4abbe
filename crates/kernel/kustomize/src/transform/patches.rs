//! Patches: strategic merge and JSON6902, aimed by a target or by the id that they bear.

use crate::accumulate::located;
use crate::decode::Located;
use crate::kustomization::Patch;
use crate::load::Loader;
use crate::parse::{parse_inline, parse_resources, shift, shift_span, text_of};
use crate::select::Selector;
use crate::unmatched::{Unmatched, unmatched};
use onepane_diagnostics::{Diagnostic, FileId, Label, Result, Span};
use onepane_patch::{Operation, PatchOptions, json6902, parse_json6902, patch_resource};
use onepane_resource::{Resource, ResourceSet};
use onepane_yaml::{Content, Node, Style};

/// A patch that was read.
pub(crate) struct LoadedPatch {
    content: PatchContent,
    target: Option<Selector>,
    /// The entry of the kustomization.
    pub(crate) span: Option<Span>,
    /// Where the text is from, for messages.
    source: String,
}

enum PatchContent {
    /// Partial resources.
    Strategic(Vec<Resource>),
    /// An entry of `patchesStrategicMerge:`, whose patches are as if they had a target each.
    Legacy(Vec<Resource>),
    /// Operations; the boolean says whether the resource remembers its id as it was before.
    Json(Vec<Operation>, bool),
    /// A text without content.
    Nothing,
}

/// Reads an entry of `patches:`, whichever kind it is.
///
/// # Errors
/// `kustomize-patch` when it has no text, two texts, or one that is neither kind of patch.
pub(crate) fn load_patch(patch: &Patch, loader: &Loader<'_>, file: FileId) -> Result<LoadedPatch> {
    let text = patch.patch.as_ref().and_then(Node::as_str).map(str::trim).unwrap_or_default();
    let path = patch.path.text.as_str();
    let text_is_list = text.starts_with(['-', '[']);
    let source;
    let (strategic, json) = match (text.is_empty(), path.is_empty()) {
        (true, true) => {
            let error = fail("must specify one of patch and path".to_owned(), patch.span);
            return Err(error.hint("`path:` names a file with the patch, `patch: |-` has its text below"));
        }
        (false, false) => {
            let error = fail("patch and path can't be set at the same time".to_owned(), patch.span);
            return Err(error.hint("make an entry of each"));
        }
        (false, true) => {
            source = format!("[patch: {text:?}]");
            let span = text_span(patch);
            (parse_inline(text, span, file), parse_operations(text, span, file))
        }
        (true, false) => {
            source = format!("[path: {path:?}]");
            let loaded = loader.load(path, patch.path.span).map_err(|mut error| {
                error.message = format!("failed to get the patch file from path({path}): {}", error.message);
                error
            })?;
            let text = text_of(&loaded.bytes, loaded.file)?;
            (parse_resources(&loaded), parse_json6902(text, loaded.file))
        }
    };
    let content = match (strategic, json) {
        (Ok(resources), _) if resources.is_empty() => PatchContent::Nothing,
        (Ok(mut resources), _) => {
            for resource in &mut resources {
                resource.allows_name_change = patch.allow_name_change;
                resource.allows_kind_change = patch.allow_kind_change;
            }
            PatchContent::Strategic(resources)
        }
        (Err(_), Ok(operations)) => PatchContent::Json(operations, true),
        (Err(strategic), Err(json)) => {
            // The one that speaks of what the text seems to be.
            let mut error = if text_is_list { json } else { strategic };
            error.message = format!("unable to parse SM or JSON patch from {source}: {}", error.message);
            return Err(located(error, patch.span));
        }
    };
    Ok(LoadedPatch { content, target: patch.target.clone(), span: patch.span, source })
}

/// Reads an entry of `patchesJson6902:`.
///
/// # Errors
/// `kustomize-patch` without a target's name, without operations or with two sources of them.
pub(crate) fn load_json6902(patch: &Patch, loader: &Loader<'_>, file: FileId) -> Result<LoadedPatch> {
    let text = patch.patch.as_ref().and_then(Node::as_str).unwrap_or_default();
    let path = patch.path.text.as_str();
    if patch.target.as_ref().is_none_or(|target| target.name.is_empty()) {
        let error = fail("must specify the target name".to_owned(), patch.span);
        return Err(error.hint("write `target:` with the `name` of a resource; `patches:` need none"));
    }
    let operations = match (text.is_empty(), path.is_empty()) {
        (true, true) => {
            let error = fail("empty file path and empty jsonOp".to_owned(), patch.span);
            return Err(error.hint("`path:` names a file with the operations, `patch: |-` has them below"));
        }
        (false, false) => {
            let error = fail("must specify a file path or jsonOp, not both".to_owned(), patch.span);
            return Err(error.hint("make an entry of each"));
        }
        (false, true) => parse_operations(text, text_span(patch), file)?,
        (true, false) => {
            let loaded = loader.load(path, patch.path.span)?;
            if loaded.bytes.is_empty() {
                let error = fail(format!("patch file '{path}' empty seems to be empty"), patch.path.span);
                return Err(error.hint(EMPTY));
            }
            parse_json6902(text_of(&loaded.bytes, loaded.file)?, loaded.file)?
        }
    };
    let source = if path.is_empty() { format!("[patch: {text:?}]") } else { format!("[path: {path:?}]") };
    if operations.is_empty() {
        return Err(fail(format!("patch appears to be empty: {source}"), patch.span).hint(EMPTY));
    }
    let content = PatchContent::Json(operations, false);
    Ok(LoadedPatch { content, target: patch.target.clone(), span: patch.span, source })
}

/// Reads the entries of `patchesStrategicMerge:`: each is a path or the text of a patch.
///
/// # Errors
/// `kustomize-patch` when nothing is in them, and those of reading.
pub(crate) fn load_strategic_merge(entries: &[Located], loader: &Loader<'_>, file: FileId) -> Result<Vec<LoadedPatch>> {
    let mut loaded = Vec::with_capacity(entries.len());
    for Located { text, span } in entries {
        let patches = match parse_inline(text, *span, file) {
            // What is no patch is a path.
            Err(_) if !text.contains('\n') => loader.load(text, *span).and_then(|loaded| parse_resources(&loaded)),
            inline => inline,
        };
        // The entry is where the patch is asked for, and the error may be in its file.
        let patches = patches.map_err(|error| match (&error.primary, span) {
            (Some(own), Some(span)) if own.span.file != span.file => error.label(*span, ASKED_FOR),
            _ => located(error, *span),
        })?;
        let content = PatchContent::Legacy(patches);
        loaded.push(LoadedPatch { content, target: None, span: *span, source: String::new() });
    }
    let empty = |patch: &LoadedPatch| matches!(&patch.content, PatchContent::Legacy(patches) if patches.is_empty());
    if loaded.iter().all(empty) {
        let span = entries.first().and_then(|entry| entry.span);
        return Err(fail("patch appears to be empty".to_owned(), span).hint(EMPTY));
    }
    Ok(loaded)
}

/// What to do about a patch that says nothing.
const EMPTY: &str = "write what to change, or take the entry out";
/// What is said of the entry of a patch whose error is elsewhere.
const ASKED_FOR: &str = "the patch is asked for here";

/// The operations in a text that stands in a kustomization.
fn parse_operations(text: &str, span: Option<Span>, file: FileId) -> Result<Vec<Operation>> {
    let mut operations = parse_json6902(text, file).map_err(|mut error| {
        error.primary =
            error.primary.and_then(|label| Some(Label { span: shift_span(Some(label.span), span)?, ..label }));
        error
    })?;
    for operation in &mut operations {
        operation.span = shift_span(operation.span, span);
        operation.value = operation.value.take().map(|value| shift(value, span));
    }
    Ok(operations)
}

/// Where the text of an inline patch starts: a block starts on the line below.
fn text_span(patch: &Patch) -> Option<Span> {
    let node = patch.patch.as_ref()?;
    let span = node.span?;
    let block = matches!(node.style, Style::Literal | Style::Folded);
    Some(if block { span } else { Span { line: span.line.saturating_sub(1), ..span } })
}

fn fail(message: String, span: Option<Span>) -> Box<Diagnostic> {
    located(Diagnostic::error("kustomize-patch", message), span)
}

impl LoadedPatch {
    /// Whether it merges, which takes a schema.
    pub(crate) fn merges(&self) -> bool {
        matches!(self.content, PatchContent::Strategic(_) | PatchContent::Legacy(_))
    }

    /// Patches the resources that it is meant for. Gives a warning when its target selects none.
    ///
    /// # Errors
    /// `kustomize-patch` when an untargeted patch does not find its one resource, those of patching, and where it is one
    /// `kustomize-unmatched`.
    pub(crate) fn apply(
        &self,
        resources: &mut ResourceSet,
        options: &PatchOptions<'_>,
        how: Unmatched,
    ) -> Result<Option<Diagnostic>> {
        let selected = self.target.as_ref().map(|target| self.select(target, resources)).transpose()?;
        self.apply_to(resources, selected.as_deref(), options)?;
        match (&self.target, selected) {
            (Some(target), Some(selected)) if selected.is_empty() && !matches!(self.content, PatchContent::Nothing) => {
                unmatched("patch", target, resources, self.span, how)
            }
            _ => Ok(None),
        }
    }

    /// Patches what its target has selected, if it has one.
    fn apply_to(
        &self,
        resources: &mut ResourceSet,
        selected: Option<&[usize]>,
        options: &PatchOptions<'_>,
    ) -> Result<()> {
        match (&self.content, selected) {
            (PatchContent::Nothing, _) => Ok(()),
            (PatchContent::Legacy(patches), _) => patches.iter().try_for_each(|patch| {
                let position = self.find(patch, resources)?;
                apply_to(resources, &[position], patch, options)
            }),
            (PatchContent::Strategic(patches), Some(selected)) => {
                let [patch] = &patches[..] else {
                    let message = format!(
                        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {}",
                        self.source
                    );
                    return Err(fail(message, self.span).hint("make an entry of each, or leave `target` out"));
                };
                apply_to(resources, selected, patch, options)
            }
            (PatchContent::Strategic(patches), None) => patches.iter().try_for_each(|patch| {
                let position = self.find(patch, resources)?;
                let outcome = resources.update(position, |resource| patch_resource(resource, patch, options).map(drop));
                outcome.unwrap_or(Ok(()))
            }),
            (PatchContent::Json(patch, remember), Some(selected)) => {
                for &position in selected {
                    let outcome =
                        resources.update(position, |resource| apply_json(resource, patch, *remember, options));
                    outcome.unwrap_or(Ok(()))?;
                }
                Ok(())
            }
            (PatchContent::Json(..), None) => {
                let message = format!("must specify a target for JSON patch {}", self.source);
                Err(fail(message, self.span).hint("add `target:` with a kind and a name"))
            }
        }
    }

    fn select(&self, target: &Selector, resources: &ResourceSet) -> Result<Vec<usize>> {
        target.select(resources).map_err(|error| located(error, self.span))
    }

    /// The one resource with the patch's id.
    fn find(&self, patch: &Resource, resources: &ResourceSet) -> Result<usize> {
        let id = patch.original_id();
        resources.find(&id).map_err(|error| {
            let message = format!("no resource matches strategic merge patch \"{id}\": {}", error.message);
            let span = patch.node().span.filter(|span| span.line > 0).or(self.span);
            let mut error = fail(message, span);
            if let Some(span) = self.span.filter(|_| span != self.span) {
                error = error.label(span, ASKED_FOR);
            }
            let same_kind = resources.iter().filter(|resource| resource.kind() == patch.kind());
            match crate::decode::closest(patch.name(), same_kind.map(Resource::name)) {
                Some(near) if near != patch.name() => error.hint(format!("did you mean {} `{near}`?", patch.kind())),
                _ => error.hint("kind, name, apiVersion and namespace must be those of a resource built here"),
            }
        })
    }
}

/// Applies a patch to the chosen resources as Kustomize's resource map does: labels and annotations of the patch are
/// strings then, even where they are null, and those that it deleted are gone at once.
fn apply_to(
    resources: &mut ResourceSet,
    positions: &[usize],
    patch: &Resource,
    options: &PatchOptions<'_>,
) -> Result<()> {
    if positions.is_empty() {
        return Ok(());
    }
    let mut patch = patch.clone();
    stringify_metadata(patch.node_mut());
    let mut deleted = false;
    for &position in positions {
        let outcome: Option<Result<bool>> = resources.update(position, |resource| {
            let api_version = resource.api_version();
            if patch.api_version() != api_version {
                let api_version = Node::scalar(api_version);
                patch.node_mut().set("apiVersion", api_version);
            }
            patch_resource(resource, &patch, options)?;
            Ok(resource.is_empty())
        });
        deleted |= outcome.unwrap_or(Ok(false))?;
    }
    if deleted {
        resources.retain(|resource| !resource.is_empty());
    }
    if patch.allows_name_change || patch.allows_kind_change {
        for resource in resources.iter() {
            if resources.positions_by_current_id(resource.id()).len() > 1 {
                let message = format!("may not add resource with an already registered id: {}", resource.id());
                let error = located(Diagnostic::error("resource-duplicate", message), resource.node().span);
                return Err(error.hint("two resources have this id now: patch one of them to another name"));
            }
        }
    }
    Ok(())
}

fn stringify_metadata(node: &mut Node) {
    let Some(metadata) = node.get_mut("metadata") else { return };
    for key in ["labels", "annotations"] {
        let Some(map) = metadata.get_mut(key) else { continue };
        let Some(entries) = map.entries_mut().filter(|entries| !entries.is_empty()) else {
            metadata.remove(key);
            continue;
        };
        for (_, value) in entries {
            if !matches!(value.content, Content::Scalar(_)) {
                value.content = Content::Scalar("".into());
            }
            value.tag = Some("!!str".into());
        }
    }
}

/// Applies operations. Kustomize keeps its memories in annotations, so that operations on them find a map.
fn apply_json(
    resource: &mut Resource,
    operations: &[Operation],
    remember: bool,
    options: &PatchOptions<'_>,
) -> Result<()> {
    if remember {
        resource.store_previous_id();
    }
    let has_memories = !resource.previous.is_empty() || resource.needs_hash || resource.source.is_none();
    let node = resource.node_mut();
    if has_memories {
        if node.get("metadata").is_none() {
            node.set("metadata", Node::mapping(Vec::new()));
        }
        if let Some(metadata) = node.get_mut("metadata")
            && metadata.get("annotations").is_none_or(|annotations| annotations.entries().is_none())
        {
            metadata.set("annotations", Node::mapping(Vec::new()));
        }
    }
    json6902(node, operations, options)
}
