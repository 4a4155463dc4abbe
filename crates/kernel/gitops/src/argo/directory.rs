//! A folder of plain manifests, as Argo CD reads it.

use crate::follower::Follower;
use crate::object::{is_true, text};
use camino::{Utf8Path, Utf8PathBuf};
use globset::{GlobBuilder, GlobMatcher};
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_kustomize::read_resources;
use onepane_resource::Resource;
use onepane_world::EntryKind;
use onepane_yaml::Node;

/// Folders are read this deep, and this many files.
const DEEPEST: usize = 32;
const MOST: usize = 10_000;

/// The manifests in the folder, with `recurse` those below, that `include` takes and `exclude` does not.
pub(super) fn directory(
    follower: &mut Follower<'_>,
    object: &Resource,
    source: &Node,
    folder: &Utf8Path,
) -> Result<Vec<Resource>> {
    let include = pattern(text(source, &["directory", "include"]))?;
    let exclude = pattern(text(source, &["directory", "exclude"]))?;
    let recurse = is_true(source, &["directory", "recurse"]);
    let mut resources = Vec::new();
    for path in files(follower, folder, recurse) {
        let below = path.strip_prefix(folder).unwrap_or(&path);
        let is_like = |pattern: &Option<GlobMatcher>| pattern.as_ref().map(|pattern| pattern.is_match(below));
        if is_like(&exclude) == Some(true) || is_like(&include) == Some(false) {
            continue;
        }
        if path.extension() == Some("jsonnet") {
            let message = format!("`{path}` is Jsonnet, which is not evaluated here");
            follower.warn(object, "gitops-jsonnet", message);
            continue;
        }
        match read(follower, &path) {
            Ok(read) => resources.extend(read),
            // As Argo CD does, what is no manifest is passed over, unless it was meant to be one.
            Err(error) => {
                let bytes = follower.input.world.read(&path).unwrap_or_else(|_| Vec::new().into());
                let text = String::from_utf8_lossy(&bytes);
                if ["apiVersion:", "kind:", "metadata:"].iter().all(|mark| text.contains(mark)) {
                    return Err(error);
                }
            }
        }
    }
    Ok(resources)
}

/// The manifests of a file. Unlike Kustomize, Argo CD takes those whose names the API server makes up.
fn read(follower: &Follower<'_>, path: &Utf8Path) -> Result<Vec<Resource>> {
    read_resources(follower.input.world, path).or_else(|error| {
        let bytes = follower.input.world.read(path).map_err(|_| error.clone())?;
        let text = String::from_utf8_lossy(&bytes);
        let mut resources = Vec::new();
        for mut document in onepane_yaml::read(&text, FileId::new(path)).map_err(|_| error.clone())? {
            document.resolve_aliases()?;
            let is_empty = document.entries().is_none_or(<[_]>::is_empty);
            let names = ["name", "generateName"].map(|key| document.at(&["metadata", key]).and_then(Node::as_str));
            if !is_empty && (document.get("kind").is_none() || names == [None, None]) {
                return Err(error);
            }
            let mut resource = Resource::new(document);
            resource.source = Some(FileId::new(path));
            resources.extend((!is_empty).then_some(resource));
        }
        Ok(resources)
    })
}

fn pattern(text: &str) -> Result<Option<GlobMatcher>> {
    if text.is_empty() {
        return Ok(None);
    }
    let glob = GlobBuilder::new(text).literal_separator(false).build();
    let glob = glob.map_err(|error| Diagnostic::error("gitops-pattern", format!("`{text}` is no pattern: {error}")))?;
    Ok(Some(glob.compile_matcher()))
}

/// The files that may be manifests, in their order.
fn files(follower: &Follower<'_>, top: &Utf8Path, recurse: bool) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![(top.to_owned(), 0usize)];
    while let Some((folder, depth)) = pending.pop() {
        for entry in follower.input.world.list(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if recurse && depth < DEEPEST && !entry.link => pending.push((path, depth + 1)),
                EntryKind::File if matches!(path.extension(), Some("yaml" | "yml" | "json" | "jsonnet")) => {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    found.sort();
    found.truncate(MOST);
    found
}
