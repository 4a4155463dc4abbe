//! `vars:` as `replacements:`: the texts that variables stood in have placeholders then, which are replaced.

use super::{KustomizationDraft, entry, refused, string};
use crate::kustomization::{KUSTOMIZATION_FILES, Kustomization, Patch, Variable, decode};
use crate::select::Selector;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{FileId, Result};
use onepane_world::{EntryKind, World, normalize};
use onepane_yaml::Place::Key;
use onepane_yaml::{Content, Node};
use std::collections::HashSet;

/// A file of resources or of a patch that has placeholders for variables now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewrittenFile {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// What is to be written there.
    pub contents: String,
}

impl KustomizationDraft {
    /// Turns `vars` into `replacements`, and gives the files of resources and patches, those of bases among them, that
    /// have to change with them: `$(NAME)` becomes `NAME_PLACEHOLDER` there.
    ///
    /// The build may differ afterwards: replacements are made in this kustomization, whereas variables are also replaced
    /// in what is built from it.
    ///
    /// # Errors
    /// `kustomize-edit` for a variable that stands in a text in which nothing sets it apart, and for one in a patch that
    /// is a list of operations; also for files that use variables and can't be read.
    pub fn vars_to_replacements(&mut self, world: &dyn World) -> Result<Vec<RewrittenFile>> {
        let this = self.draft.root().map_or_else(|| Ok(Kustomization::default()), decode)?;
        let mut files = Files { world, visited: HashSet::new(), found: Vec::new() };
        files.add(&this, Utf8Path::new(""))?;
        let names: Vec<&str> = this.variables.iter().map(|variable| &*variable.name).collect();
        let users: Vec<User> =
            files.found.into_iter().filter(|file| names.iter().any(|name| file.text.contains(&mark(name)))).collect();
        let mut replacements = Vec::new();
        for variable in &this.variables {
            let mut targets = Vec::new();
            for user in &users {
                user.targets(&variable.name, &names, &mut targets)?;
            }
            replacements.push(entry([("source", source(variable)), ("targets", Node::sequence(targets))]));
        }
        match self.draft.items(&[Key("replacements")]) {
            [] if replacements.is_empty() => {}
            // An empty list would stay in its brackets.
            [] => self.draft.set(&[Key("replacements")], Node::sequence(replacements))?,
            _ => replacements.into_iter().try_for_each(|one| self.draft.push(&[Key("replacements")], one))?,
        }
        self.draft.remove(&[Key("vars")])?;
        let rewritten = |user: User| {
            let contents = names.iter().fold(user.text, |text, name| text.replace(&mark(name), &placeholder(name)));
            RewrittenFile { path: user.path, contents }
        };
        Ok(users.into_iter().map(rewritten).collect())
    }
}

fn mark(name: &str) -> String {
    format!("$({name})")
}

fn placeholder(name: &str) -> String {
    format!("{name}_PLACEHOLDER")
}

/// Where a variable has its value from.
fn source(variable: &Variable) -> Node {
    let Variable { group, version, kind, target_name, target_namespace, field_path, .. } = variable;
    // To both, no path is the name.
    let field_path = if field_path == "metadata.name" { String::new() } else { without_brackets(field_path) };
    entry([
        ("group", string(group)),
        ("version", string(version)),
        ("kind", string(kind)),
        ("name", string(target_name)),
        ("namespace", string(target_namespace)),
        ("fieldPath", string(&field_path)),
    ])
}

/// Replacements know `list.0`, and not the `list[0]` that variables know too.
fn without_brackets(path: &str) -> String {
    let mut keys: Vec<String> = Vec::new();
    for key in path.split('.') {
        let index = key.strip_suffix(']').and_then(|key| key.rsplit_once('['));
        match index.filter(|(_, index)| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())) {
            Some((list, index)) => keys.extend([list, index].map(str::to_owned)),
            None => keys.push(key.to_owned()),
        }
    }
    keys.join(".")
}

/// The files that a kustomization and its bases read resources and patches from.
struct Files<'a> {
    world: &'a dyn World,
    visited: HashSet<Utf8PathBuf>,
    found: Vec<User>,
}

/// A file that may use variables.
struct User {
    path: Utf8PathBuf,
    text: String,
    /// What it changes, where it is a patch that says so.
    patch: Option<Patch>,
}

impl Files<'_> {
    fn add(&mut self, kustomization: &Kustomization, folder: &Utf8Path) -> Result<()> {
        for resource in &kustomization.resources {
            let path = normalize(&folder.join(&resource.text));
            match self.world.kind(&path) {
                Some(EntryKind::Folder) => self.add_base(path)?,
                _ => self.add_file(path, None),
            }
        }
        for patch in kustomization.patches.iter().filter(|patch| !patch.path.text.is_empty()) {
            self.add_file(normalize(&folder.join(&patch.path.text)), Some(patch.clone()));
        }
        for patch in &kustomization.patches_strategic_merge {
            self.add_file(normalize(&folder.join(&patch.text)), None);
        }
        Ok(())
    }

    fn add_base(&mut self, folder: Utf8PathBuf) -> Result<()> {
        let Ok(real) = self.world.canonical(&folder) else { return Ok(()) };
        if !self.visited.insert(real) {
            return Ok(());
        }
        for name in KUSTOMIZATION_FILES {
            let path = folder.join(name);
            let Some(text) = self.text(&path) else { continue };
            if let Some(root) = onepane_yaml::read(&text, FileId::new(&path))?.first() {
                self.add(&decode(root)?, &folder)?;
            }
        }
        Ok(())
    }

    /// Adds a file, unless there is none: a resource may stand in another repository.
    fn add_file(&mut self, path: Utf8PathBuf, patch: Option<Patch>) {
        if !self.visited.contains(&path)
            && let Some(text) = self.text(&path)
        {
            self.visited.insert(path.clone());
            self.found.push(User { path, text, patch });
        }
    }

    fn text(&self, path: &Utf8Path) -> Option<String> {
        String::from_utf8(self.world.read(path).ok()?.to_vec()).ok()
    }
}

impl User {
    /// Adds the fields of this file that hold the variable `name`, as targets of a replacement.
    fn targets(&self, name: &str, names: &[&str], targets: &mut Vec<Node>) -> Result<()> {
        let mut documents = onepane_yaml::read(&self.text, FileId::new(&self.path))?;
        for document in &mut documents {
            document.resolve_aliases()?;
            let items = document.get("items").and_then(Node::items);
            let resources = match items.filter(|_| document.get("kind").and_then(Node::as_str) == Some("List")) {
                Some(items) => items,
                None => std::slice::from_ref(document),
            };
            for resource in resources {
                let mut uses = Vec::new();
                find(resource, name, names, &mut Vec::new(), &mut uses)
                    .map_err(|problem| refused(format!("error with {}: {problem}", self.path)))?;
                if resource.items().is_some() && !uses.is_empty() {
                    let message = format!("error with {}: {} stands in an operation", self.path, mark(name));
                    return Err(refused(message)
                        .hint("write the patch as the part of a resource that it changes; it can be a target then"));
                }
                let target = |(path, options): (String, Option<Node>)| {
                    let fields =
                        [("select", self.selected(resource)), ("fieldPaths", Node::sequence(vec![string(&path)]))];
                    entry(fields.into_iter().chain(options.map(|options| ("options", options))))
                };
                targets.extend(uses.into_iter().map(target));
            }
        }
        Ok(())
    }

    /// What a replacement has to select so that it changes what `resource` of this file is, or changes as a patch.
    fn selected(&self, resource: &Node) -> Node {
        let text = |path: &[&str]| resource.at(path).and_then(Node::as_str).unwrap_or_default();
        let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
        let (kind, api_version) = (text(&["kind"]), text(&["apiVersion"]));
        let patch = self.patch.as_ref().filter(|patch| !(patch.allow_name_change && patch.allow_kind_change));
        let Some((patch, target)) = patch.and_then(|patch| Some((patch, patch.target.as_ref()?))) else {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            return entry([
                ("group", string(group)),
                ("version", string(version)),
                ("kind", string(kind)),
                ("name", string(name)),
                ("namespace", string(namespace)),
            ]);
        };
        let Selector { group, version, annotations, labels, .. } = target;
        entry([
            ("group", string(group)),
            ("version", string(version)),
            ("kind", string(if patch.allow_kind_change { kind } else { &target.kind })),
            ("name", string(if patch.allow_name_change { name } else { &target.name })),
            ("namespace", string(if namespace.is_empty() { &target.namespace } else { namespace })),
            ("annotationSelector", string(annotations)),
            ("labelSelector", string(labels)),
        ])
    }
}

/// The texts below `node` that hold a variable: the path of each, and what sets the variable apart in it.
fn find(
    node: &Node,
    name: &str,
    names: &[&str],
    path: &mut Vec<String>,
    uses: &mut Vec<(String, Option<Node>)>,
) -> std::result::Result<(), String> {
    match &node.content {
        Content::Scalar(text) => {
            for options in options(text, name, names)? {
                uses.push((path.join("."), options));
            }
        }
        Content::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                find(item, name, names, path, uses)?;
                path.pop();
            }
        }
        Content::Mapping(entries) => {
            for (key, value) in entries {
                let key = key.as_str().unwrap_or_default().trim();
                path.push(if key.contains('.') { format!("[{key}]") } else { key.to_owned() });
                find(value, name, names, path, uses)?;
                path.pop();
            }
        }
        Content::Alias(_) => {}
    }
    Ok(())
}

/// For each time that a text holds the variable, the options of a replacement that replaces it there; none where it is
/// the whole text.
fn options(text: &str, name: &str, names: &[&str]) -> std::result::Result<Vec<Option<Node>>, String> {
    let (mut replaced, mut places, mut rest) = (String::new(), Vec::new(), text);
    while let Some(at) = rest.find("$(") {
        replaced.push_str(&rest[..at]);
        rest = &rest[at..];
        match names.iter().find_map(|known| Some((*known, rest.strip_prefix(&*mark(known))?))) {
            Some((known, behind)) => {
                if known == name {
                    places.push(replaced.len());
                }
                replaced.push_str(&placeholder(known));
                rest = behind;
            }
            None => {
                replaced.push_str("$(");
                rest = &rest[2..];
            }
        }
    }
    replaced.push_str(rest);
    let holder = placeholder(name);
    let option = |at: usize| {
        let before = replaced[..at].chars().next_back();
        let behind = replaced[at + holder.len()..].chars().next();
        let delimiter = match (before, behind) {
            (None, None) => return Ok(None),
            (Some(one), Some(other)) if one != other => None,
            _ => before.or(behind),
        };
        let Some(delimiter) = delimiter.filter(|delimiter| !holder.contains(*delimiter)) else {
            return Err(format!("cannot convert all vars to replacements; {} is not delimited", mark(name)));
        };
        let index = replaced[..at].matches(delimiter).count();
        let index = (index > 0).then(|| ("index", Node::scalar(index.to_string())));
        Ok(Some(entry([("delimiter", string(delimiter.encode_utf8(&mut [0; 4])))].into_iter().chain(index))))
    };
    places.into_iter().map(option).collect()
}
