//! Charts that a release changes before they are rendered: with patches, transformers, a namespace or more dependencies,
//! or made of plain manifests or a kustomization.
//!
//! What comes of it is a chart in memory, as the chartify library of Helmfile makes it on disk: what was rendered and
//! patched once is in it as files, which its templates only print.

use super::Failure;
use super::charts::dependency as fetched_dependency;
use super::overlay::MEMORY;
use super::session::Session;
use crate::commands::helm::render_files_for_helmfile;
use crate::commands::kustomize::build_folder;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::FileId;
use onepane_helmfile::{Release, State};
use onepane_kustomize::{LoadRestrictor, Options, build as kustomize};
use onepane_value::{List, Map, Value, from_yaml, to_yaml_pretty};
use onepane_world::{EntryKind, MemoryWorld, World, normalize};
use onepane_yaml::{Node, read_documents, write_v3_document};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a chart has what is rendered.
const CONTENT: [&str; 3] = ["templates", "charts", "crds"];

/// A chart in memory.
pub(super) struct ChangedChart {
    /// Its path among the files that are only in memory.
    pub(super) path: Utf8PathBuf,
    files: Files,
}

type Files = BTreeMap<Utf8PathBuf, Arc<[u8]>>;

impl ChangedChart {
    /// Puts it among files that are only in memory.
    pub(super) fn put(&self, memory: MemoryWorld) -> MemoryWorld {
        self.files.iter().fold(memory, |memory, (path, bytes)| memory.with(self.path.join(path), bytes))
    }
}

/// What a release has its chart changed by.
struct Changes {
    json_patches: Vec<Arc<[u8]>>,
    merge_patches: Vec<Arc<[u8]>>,
    transformers: Vec<Arc<[u8]>>,
    namespace: String,
    dependencies: Vec<Map>,
}

impl Changes {
    fn of(session: &Session, state: &State, release: &Release) -> Result<Self, Failure> {
        let rendered = |key: &str| release.patch_files(key, state, &session.world, &session.system);
        let dependencies = release.field("dependencies").and_then(|list| list.as_list().map(|list| list.to_vec()));
        Ok(Self {
            json_patches: rendered("jsonPatches")?,
            merge_patches: rendered("strategicMergePatches")?,
            transformers: rendered("transformers")?,
            namespace: text(release.field("forceNamespace")),
            dependencies: dependencies.unwrap_or_default().iter().filter_map(|one| one.as_map().cloned()).collect(),
        })
    }

    fn patches(&self) -> bool {
        !(self.json_patches.is_empty() && self.merge_patches.is_empty() && self.transformers.is_empty())
    }
}

/// The release's chart, changed; `None` where it is used as it is. `arguments` are those that it will be rendered with.
pub(super) fn changed(
    session: &Session,
    state: &State,
    release: &Release,
    arguments: &dyn Fn(&str) -> Vec<String>,
    memory: &MemoryWorld,
) -> Result<Option<ChangedChart>, Failure> {
    let mut changes = Changes::of(session, state, release)?;
    let source = &release.chart;
    let is_folder = session.world.kind(source) == Some(EntryKind::Folder);
    let is_chart = session.world.kind(&source.join("Chart.yaml")).is_some();
    let needs_changes = changes.patches() || !changes.namespace.is_empty() || !changes.dependencies.is_empty();
    if !needs_changes && (is_chart || !is_folder) {
        return Ok(None);
    }
    if !is_folder {
        return Err(Failure::text(format!(
            "release \"{}\": the chart {} is no folder, and only folders can be changed by patches, dependencies and \
             namespaces: unpack it",
            release.name, release.chart_name
        )));
    }
    let name = normalize(source).file_name().unwrap_or("chart").to_owned();
    let path = Utf8PathBuf::from(format!("{MEMORY}charts/{}/{name}", release.id().replace('/', "_")));
    let is_kustomization = session.world.kind(&source.join("kustomization.yaml")).is_some();
    let mut files =
        if is_kustomization { kustomized(session, state, release)? } else { copied(&session.world, source)? };
    if !is_chart {
        wrap_manifests(&mut files, &name, state, release, session)?;
        // A kustomization was told its namespace already.
        if changes.namespace.is_empty() && !is_kustomization {
            changes.namespace.clone_from(&release.namespace);
        }
    }
    add_dependencies(&mut files, &changes.dependencies, session, state, release)?;
    let chart = ChangedChart { path, files };
    if is_chart && !changes.patches() && changes.namespace.is_empty() {
        return Ok(Some(chart));
    }
    let world = super::overlay::Overlay { world: &session.world, memory: &chart.put(memory.clone()) };
    let rendered = render_files_for_helmfile(&arguments(chart.path.as_str()), &world)?;
    let ChangedChart { path, mut files } = chart;
    replace_with_rendered(&mut files, rendered)?;
    if !changes.namespace.is_empty() {
        set_namespace(&mut files, &changes.namespace)?;
    }
    if changes.patches() {
        patch(&mut files, &changes)?;
    }
    freeze(&mut files);
    Ok(Some(ChangedChart { path, files }))
}

fn text(value: Option<Value>) -> String {
    value.and_then(|value| value.as_text().map(ToString::to_string)).unwrap_or_default()
}

/// The files of a folder, by their paths in it. What links lead to is followed.
fn copied(world: &dyn World, folder: &Utf8Path) -> Result<Files, Failure> {
    let (mut files, mut folders) = (Files::new(), vec![Utf8PathBuf::new()]);
    while let Some(below) = folders.pop() {
        // Links may lead in circles.
        if below.components().count() > 64 {
            return Err(Failure::text(format!("the folders of {folder} are too deep")));
        }
        let entries = world.list(&folder.join(&below)).map_err(|error| Failure::text(error.to_string()))?;
        for entry in entries {
            let path = below.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => folders.push(path),
                EntryKind::File => {
                    let bytes = world.read(&folder.join(&path)).map_err(|error| Failure::text(error.to_string()))?;
                    files.insert(path, bytes);
                }
                EntryKind::Other => {}
            }
        }
    }
    Ok(files)
}

/// What a kustomization builds to. Values of the release may change its images, names and namespace.
fn kustomized(session: &Session, state: &State, release: &Release) -> Result<Files, Failure> {
    let mut wanted = Map::new();
    for bytes in release.values_files(state, &session.world, &session.system)? {
        let values = from_yaml(&String::from_utf8_lossy(&bytes), None)?;
        if let Some(values) = values.as_map() {
            let joined = wanted.shallow_copy();
            values.for_each(|key, value| _ = joined.insert(key.clone(), value.clone()));
            wanted = joined;
        }
    }
    if !release.namespace.is_empty() {
        wanted.insert("namespace", release.namespace.as_str().into());
    }
    // The folder that is wrapped is on disk, so the wrapper is, too.
    let temporary = tempfile::tempdir().map_err(|error| Failure::text(error.to_string()))?;
    let place = Utf8Path::from_path(temporary.path()).and_then(|path| path.canonicalize_utf8().ok());
    let place = place.ok_or_else(|| Failure::text("the temporary folder is no UTF-8 path"))?;
    let folder = normalize(&session.folder.join(&release.chart));
    let folder = format!("{}{}", "../".repeat(place.components().count() - 1), folder.as_str().trim_start_matches('/'));
    let wrapper =
        Map::from_iter([("resources", Value::from([Value::from(folder.as_str())].into_iter().collect::<List>()))]);
    for key in ["images", "namePrefix", "nameSuffix", "namespace"] {
        if let Some(value) = wanted.get(key).filter(|value| value.truth()) {
            wrapper.insert(key, value);
        }
    }
    let text = to_yaml_pretty(&wrapper.into()).map_err(Failure::text)?.to_string();
    std::fs::write(place.join("kustomization.yaml"), text).map_err(|error| Failure::text(error.to_string()))?;
    let options = Options { load_restrictor: LoadRestrictor::None, enable_helm: true, ..Options::default() };
    let yaml = build_folder(&place, &options)?.to_yaml()?;
    // Helmfile prints what kustomize printed, which is nothing and a line feed.
    super::write(b"\n");
    Ok(Files::from([("kustomized.yaml".into(), yaml.into_bytes().into())]))
}

/// Makes a chart of manifests, whose templates print them as they are.
fn wrap_manifests(
    files: &mut Files,
    name: &str,
    state: &State,
    release: &Release,
    session: &Session,
) -> Result<(), Failure> {
    let templates: Vec<Utf8PathBuf> = files.keys().filter(|path| path.extension() == Some("gotmpl")).cloned().collect();
    for path in templates {
        let Some(bytes) = files.get(&path) else { continue };
        let rendered = release.rendered_text(&path, bytes, state, &session.world, &session.system)?;
        files.insert(path.with_extension(""), rendered.into_bytes().into());
    }
    let is_manifest = |path: &Utf8Path| matches!(path.extension(), Some("yaml" | "yml"));
    let manifests: Files =
        files.iter().filter(|(path, _)| is_manifest(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
    files.retain(|path, _| !is_manifest(path));
    for (path, bytes) in manifests {
        files.insert(Utf8Path::new("templates").join(path), bytes);
    }
    let version = if release.version.is_empty() { "1.0.0" } else { &release.version };
    let definition = format!("name: {name:?}\nversion: {version}\napiVersion: v2\n");
    files.insert("Chart.yaml".into(), definition.into_bytes().into());
    freeze(files);
    Ok(())
}

/// Moves what is rendered to where no template is, and puts templates in its place that print it.
fn freeze(files: &mut Files) {
    let is_content = |path: &Utf8Path| path.starts_with("templates") || path.starts_with("charts");
    let content: Files =
        files.iter().filter(|(path, _)| is_content(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
    files.retain(|path, _| !is_content(path));
    for (path, bytes) in content {
        let print = format!("{{{{ .Files.Get \"files/{path}\" }}}}");
        // A chart below `charts` would need a definition.
        let place = if path.starts_with("charts") { Utf8Path::new("templates").join(&path) } else { path.clone() };
        files.insert(place, print.into_bytes().into());
        files.insert(Utf8Path::new("files").join(path), bytes);
    }
}

/// Adds charts that the release wants beside its own.
fn add_dependencies(
    files: &mut Files,
    dependencies: &[Map],
    session: &Session,
    state: &State,
    release: &Release,
) -> Result<(), Failure> {
    if dependencies.is_empty() {
        return Ok(());
    }
    let definition = definition(files)?;
    let mut all =
        definition.get("dependencies").and_then(|list| list.as_list().map(|list| list.to_vec())).unwrap_or_default();
    for dependency in dependencies {
        let (chart, version, alias) =
            (text(dependency.get("chart")), text(dependency.get("version")), text(dependency.get("alias")));
        let here = normalize(&state.folder().join(&chart));
        let is_here = session.world.kind(&here).is_some();
        let folder = if is_here { here } else { fetched_dependency(session, state, release, &chart, &version)? };
        let name = folder.file_name().unwrap_or_default().to_owned();
        for (path, bytes) in copied(&session.world, &folder)? {
            files.insert(Utf8Path::new("charts").join(&name).join(path), bytes);
        }
        let called = if alias.is_empty() { &name } else { &alias };
        let entry = Map::from_iter([
            ("name", Value::from(name.as_str())),
            ("repository", format!("file://{}", normalize(&session.folder.join(&folder))).into()),
            ("condition", format!("{called}.enabled").into()),
            ("version", version.into()),
        ]);
        if !alias.is_empty() {
            entry.insert("alias", alias.as_str().into());
        }
        all.push(entry.into());
    }
    definition.insert("dependencies", all.into_iter().collect::<List>().into());
    set_definition(files, &definition)
}

fn definition(files: &Files) -> Result<Map, Failure> {
    let bytes = files.get(Utf8Path::new("Chart.yaml")).cloned().unwrap_or_default();
    let value = from_yaml(&String::from_utf8_lossy(&bytes), None)?;
    Ok(value.as_map().cloned().unwrap_or_default())
}

fn set_definition(files: &mut Files, definition: &Map) -> Result<(), Failure> {
    let text = to_yaml_pretty(&definition.clone().into()).map_err(Failure::text)?.to_string();
    files.insert("Chart.yaml".into(), text.into_bytes().into());
    Ok(())
}

/// Puts what a chart renders to in place of its templates and of the charts that it depends on.
fn replace_with_rendered(files: &mut Files, rendered: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    let is_content = |path: &Utf8Path| CONTENT.iter().any(|folder| path.starts_with(folder));
    files.retain(|path, _| {
        let frozen = path.strip_prefix("files").is_ok_and(is_content);
        !is_content(path)
            && !frozen
            && !matches!(path.as_str(), "Chart.lock" | "requirements.lock" | "requirements.yaml")
    });
    let definition = definition(files)?;
    definition.remove("dependencies");
    set_definition(files, &definition)?;
    for (path, bytes) in rendered {
        // The first part is the chart's name.
        if let Some((_, path)) = path.split_once('/').filter(|(_, path)| is_content(Utf8Path::new(path))) {
            files.insert(path.into(), bytes.into());
        }
    }
    Ok(())
}

/// Gives resources that say none a namespace.
fn set_namespace(files: &mut Files, namespace: &str) -> Result<(), Failure> {
    for (path, bytes) in files.iter_mut().filter(|(path, _)| CONTENT.iter().any(|folder| path.starts_with(folder))) {
        let text = String::from_utf8_lossy(bytes);
        let mut documents = read_documents(&text, FileId::new(path))?;
        documents.retain(|document| document.root.entries().is_some());
        for document in &mut documents {
            let Some(metadata) = document.root.get_mut("metadata") else { continue };
            if metadata.get("namespace").is_none()
                && let Some(entries) = metadata.entries_mut()
            {
                entries.push((Node::scalar("namespace"), Node::string(namespace)));
            }
        }
        let written: Vec<String> = documents.iter().map(write_v3_document).collect();
        *bytes = written.join("---\n").into_bytes().into();
    }
    Ok(())
}

/// Applies patches and transformers with a kustomization of all that is rendered.
fn patch(files: &mut Files, changes: &Changes) -> Result<(), Failure> {
    let is_content = |path: &Utf8Path| CONTENT.iter().any(|folder| path.starts_with(folder));
    let rendered: Vec<Utf8PathBuf> = files.keys().filter(|path| is_content(path)).cloned().collect();
    if rendered.is_empty() {
        return Ok(());
    }
    let mut memory = MemoryWorld::new();
    for path in &rendered {
        memory = memory.with(path, files.get(path).map_or(&[][..], |bytes| bytes));
    }
    let list = |items: Vec<Value>| Value::from(items.into_iter().collect::<List>());
    let kustomization =
        Map::from_iter([("resources", list(rendered.iter().map(|path| path.as_str().into()).collect()))]);
    let mut patches = Vec::new();
    for (at, bytes) in changes.json_patches.iter().enumerate() {
        let read = from_yaml(&String::from_utf8_lossy(bytes), None)?;
        let read = read.as_map().cloned().unwrap_or_default();
        let entry = Map::from_iter([("target", read.get("target").unwrap_or_default())]);
        match (read.get("path").filter(Value::truth), read.get("patch").filter(Value::truth)) {
            (Some(path), _) => _ = entry.insert("path", path),
            (None, Some(operations)) => {
                let path = format!("jsonpatches/patch.{at}.yaml");
                memory = memory.with(&path, to_yaml_pretty(&operations).map_err(Failure::text)?.to_string());
                entry.insert("path", path.into());
            }
            (None, None) => {
                return Err(Failure::text("either \"path\" or \"patch\" must be set in an entry of jsonPatches"));
            }
        }
        patches.push(Value::from(entry));
    }
    for (at, bytes) in changes.merge_patches.iter().enumerate() {
        let path = format!("strategicmergepatches/patch.{at}.yaml");
        memory = memory.with(&path, bytes);
        patches.push(Map::from_iter([("path", Value::from(path))]).into());
    }
    if !patches.is_empty() {
        kustomization.insert("patches", list(patches));
    }
    let mut transformers = Vec::new();
    for (at, bytes) in changes.transformers.iter().enumerate() {
        let path = format!("transformers/transformer.{at}.yaml");
        memory = memory.with(&path, bytes);
        transformers.push(path.into());
    }
    if !transformers.is_empty() {
        kustomization.insert("transformers", list(transformers));
    }
    let text = to_yaml_pretty(&kustomization.into()).map_err(Failure::text)?.to_string();
    let built = kustomize(&memory.with("kustomization.yaml", text), "".into(), &Options::default())?;
    let (mut crds, mut resources) = (String::new(), String::new());
    for resource in &built.resources {
        let into = if resource.kind() == "CustomResourceDefinition" { &mut crds } else { &mut resources };
        into.push_str(&onepane_yaml::write_sorted(resource.node())?);
        into.push_str("---\n");
    }
    let from_templates = rendered.iter().any(|path| path.starts_with("templates/crds"));
    files.retain(|path, _| !is_content(path));
    if !crds.is_empty() {
        let folder = if from_templates { "templates/crds" } else { "crds" };
        files.insert(format!("{folder}/patched_crds.yaml").into(), crds.into_bytes().into());
    }
    if !resources.is_empty() {
        files.insert("templates/patched_resources.yaml".into(), resources.into_bytes().into());
    }
    Ok(())
}
