//! What an object adds to the kustomization of a folder: [`Additions`].
//!
//! Flux and Argo CD both write into the kustomization file before they build it, so that a patch meets names as they are
//! before a prefix is added. The same is done here, in memory; lines that were there stay where they are.

use crate::changed::Changed;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_kustomize::{Built, KUSTOMIZATION_FILES, Options, Tools, build_with, reads_as_resources};
use onepane_world::{EntryKind, World};
use onepane_yaml::{Draft, Node, Place, write_kyaml};

/// What is added. Empty texts and lists add nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Additions {
    /// Fields that are set, whatever they were.
    pub(crate) fields: Vec<(&'static str, Node)>,
    /// Entries that lists get at their ends.
    pub(crate) entries: Vec<(&'static str, Node)>,
    /// Entries of `images:`, which take the place of those of the same name.
    pub(crate) images: Vec<Node>,
}

/// What becomes of a folder without a kustomization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    /// One is made of all manifests in it and below, as Flux does.
    IsMade,
    /// That is an error.
    Fails,
}

/// Folders are looked through this deep, and for this many files.
const DEEPEST: usize = 32;
const MOST_FILES: usize = 10_000;

/// Builds a folder with what is added.
///
/// # Errors
/// Those of the build, and `gitops-folder` for one that holds nothing to build.
pub(crate) fn build(
    world: &dyn World,
    folder: &Utf8Path,
    additions: &Additions,
    without: Without,
    options: &Options,
    tools: Tools<'_>,
) -> Result<Built> {
    let is_file = |name: &&&str| world.kind(&folder.join(name)) == Some(EntryKind::File);
    let present = KUSTOMIZATION_FILES.iter().find(is_file).copied();
    let (name, text) = match present {
        Some(_) if additions.is_empty() => return build_with(world, folder, options, tools),
        Some(name) => {
            let bytes = world
                .read(&folder.join(name))
                .map_err(|error| Diagnostic::error("gitops-folder", error.to_string()))?;
            (name, String::from_utf8_lossy(&bytes).into_owned())
        }
        None if world.kind(folder) != Some(EntryKind::Folder) => {
            let error = Diagnostic::error("gitops-folder", format!("there is no folder `{folder}`"));
            return Err(error.hint("paths start at the top of the repository"));
        }
        None if without == Without::Fails => {
            return Err(Diagnostic::error("gitops-folder", format!("`{folder}` holds no kustomization.yaml")));
        }
        None => (KUSTOMIZATION_FILES[0], made(world, folder)?),
    };
    let changed = additions.apply(&text, FileId::new(folder.join(name)))?;
    build_with(&Changed::new(world, folder, name, &changed), folder, options, tools)
}

impl Additions {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.entries.is_empty() && self.images.is_empty()
    }

    /// Sets a field to a text, if there is one.
    pub(crate) fn set(&mut self, field: &'static str, text: &str) {
        if !text.is_empty() {
            self.fields.push((field, Node::string(text)));
        }
    }

    fn apply(&self, text: &str, file: FileId) -> Result<String> {
        let mut draft = Draft::new(text, file)?;
        draft.resolve_aliases()?;
        for (field, value) in &self.fields {
            draft.set(&[Place::Key(field)], value.clone())?;
        }
        for (list, entry) in &self.entries {
            push(&mut draft, list, entry.clone())?;
        }
        for image in &self.images {
            let name = image.get("name").and_then(Node::as_str);
            let at = draft
                .items(&[Place::Key("images")])
                .iter()
                .position(|other| name.is_some() && other.get("name").and_then(Node::as_str) == name);
            match at {
                Some(at) => draft.set(&[Place::Key("images"), Place::Item(at)], image.clone())?,
                None => push(&mut draft, "images", image.clone())?,
            }
        }
        Ok(draft.text().to_owned())
    }
}

fn push(draft: &mut Draft, list: &str, entry: Node) -> Result<()> {
    let is_list =
        draft.get(&[Place::Key(list)]).is_some_and(|node| node.items().is_some_and(|items| !items.is_empty()));
    if is_list {
        return draft.push(&[Place::Key(list)], entry);
    }
    draft.set(&[Place::Key(list)], Node::sequence(vec![entry]))
}

/// The kustomization that Flux makes of a folder without one: every manifest in it and below, and the folders below that
/// have one.
fn made(world: &dyn World, folder: &Utf8Path) -> Result<String> {
    let mut found: Vec<String> = Vec::new();
    let mut pending = vec![(String::new(), 0usize)];
    while let Some((below, depth)) = pending.pop() {
        if depth > DEEPEST {
            continue;
        }
        let here = folder.join(&below);
        let entries = world
            .list(&here)
            .map_err(|error| Diagnostic::error("gitops-folder", error.to_string()).at(Span::file(&here)))?;
        let has_own = |name: &str| entries.iter().any(|entry| entry.kind == EntryKind::File && entry.name == name);
        if !below.is_empty() && KUSTOMIZATION_FILES.iter().any(|name| has_own(name)) {
            found.push(below);
            continue;
        }
        for entry in &entries {
            let path = if below.is_empty() { entry.name.clone() } else { format!("{below}/{}", entry.name) };
            match entry.kind {
                EntryKind::Folder if !entry.name.starts_with('.') => pending.push((path, depth + 1)),
                EntryKind::File if entry.name.ends_with(".yaml") || entry.name.ends_with(".yml") => {
                    let file = folder.join(&path);
                    let bytes =
                        world.read(&file).map_err(|error| Diagnostic::error("gitops-folder", error.to_string()))?;
                    // Flux stops at what is no manifest; what is in a repository for people (values, settings) is left out
                    // here, and told of by `onepane init`.
                    if reads_as_resources(&bytes) {
                        found.push(path);
                    }
                }
                _ => {}
            }
        }
        if found.len() > MOST_FILES {
            let error = Diagnostic::error("gitops-folder", format!("`{folder}` has more than {MOST_FILES} manifests"));
            return Err(error.hint("name a folder with a kustomization.yaml"));
        }
    }
    found.sort();
    let resources = Node::sequence(found.iter().map(|path| Node::string(path.as_str())).collect());
    let kustomization = Node::mapping(vec![
        (Node::scalar("apiVersion"), Node::scalar("kustomize.config.k8s.io/v1beta1")),
        (Node::scalar("kind"), Node::scalar("Kustomization")),
        (Node::scalar("resources"), resources),
    ]);
    if found.is_empty() {
        let error = Diagnostic::error("gitops-folder", format!("`{folder}` holds no manifests"));
        return Err(error.hint("name a folder with manifests or a kustomization.yaml"));
    }
    Ok(write_kyaml(&kustomization))
}
