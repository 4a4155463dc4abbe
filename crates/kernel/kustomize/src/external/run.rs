//! What is not built in, running: [`External`].

use super::adopt::{adopt, claim};
use super::arguments::arguments;
use super::exchange::{Exchange, Scope, configuration, read};
use super::host::{FunctionCall, Functions};
use super::memories::{ID, recall, told};
use super::specification::FunctionSpecification;
use crate::accumulate::Target;
use crate::build::{BUILD_ANNOTATIONS, annotations_as_strings};
use crate::parse::parse_inline;
use crate::stamp::Stamp;
use camino::Utf8PathBuf;
use onepane_diagnostics::{Diagnostic, FileId, Result, Step};
use onepane_resource::{GeneratorBehavior, Resource, ResourceSet};
use onepane_yaml::{Node, write_sorted};

/// Whether the name of what a generator made gets a hash.
const NEEDS_HASH: &str = "kustomize.config.k8s.io/needs-hash";
/// How it goes together with what is there.
const BEHAVIOR: &str = "kustomize.config.k8s.io/behavior";

/// A generator, transformer or validator that is not built in.
pub(crate) struct External<'f> {
    functions: &'f dyn Functions,
    program: Program,
    /// The configuration as Kustomize writes it.
    config: String,
    /// How errors call it.
    name: String,
    stamp: Stamp,
}

enum Program {
    Function(FunctionSpecification),
    Plugin { path: Utf8PathBuf, arguments: Vec<String> },
}

impl<'f> External<'f> {
    /// What `config` asks for.
    ///
    /// # Errors
    /// `kustomize-function`, `kustomize-plugin` where nothing can run for it.
    pub(crate) fn load(
        functions: &'f dyn Functions,
        target: &Target<'_>,
        config: &Resource,
        origins: bool,
    ) -> Result<Self> {
        let loader = target.loader;
        if loader.is_remote() {
            let message = "functions and plugins don't run for kustomizations of other repositories";
            let error = Diagnostic::error("kustomize-function", message);
            return Err(error.hint("their files are read without a checkout; clone the repository and build it there"));
        }
        let (program, name) = match FunctionSpecification::of(config, loader)? {
            Some(specification) => {
                let (version, kind, name) = (config.api_version(), config.kind(), config.name());
                (Program::Function(specification), format!("api: {version}, kind: {kind}, name: {name}"))
            }
            None => {
                let path =
                    functions.plugin(config.gvk()).map_err(|problem| Diagnostic::error("kustomize-plugin", problem))?;
                let arguments = arguments(config.node(), loader).map_err(|mut error| {
                    error.message.insert_str(0, &format!("plugin {} fails configuration: ", config.original_id()));
                    error
                })?;
                let name = path.to_string();
                (Program::Plugin { path, arguments }, name)
            }
        };
        let note = format!("{} {}", config.kind(), config.name());
        let stamp = Stamp::new(origins, Step::Function, config.node().span).noted(&note);
        Ok(Self { functions, program, config: write_sorted(told(config).node())?, name, stamp })
    }

    /// What it generates.
    pub(crate) fn generate(&self, target: &Target<'_>) -> Result<Vec<Resource>> {
        let mut made = ResourceSet::new();
        for mut resource in self.run(target, None)? {
            claim(resource.node_mut(), &self.stamp);
            let hash = resource.remove_annotation(NEEDS_HASH);
            if let Some(hash) = hash.as_ref().and_then(Node::as_str) {
                resource.needs_hash |= truth(hash).ok_or_else(|| {
                    let message = format!("the annotation {NEEDS_HASH:?} contains an invalid value ({hash:?})");
                    Diagnostic::error("kustomize-function", message)
                })?;
            }
            let behavior = resource.remove_annotation(BEHAVIOR);
            let behavior = behavior.as_ref().and_then(Node::as_str).unwrap_or_default();
            resource.behavior = GeneratorBehavior::parse(behavior);
            if matches!(resource.behavior, GeneratorBehavior::Merge | GeneratorBehavior::Replace) {
                // What it goes into has its own, or none.
                BUILD_ANNOTATIONS.iter().for_each(|key| drop(resource.remove_annotation(key)));
            }
            made.append(resource)?;
        }
        Ok(made.into_resources())
    }

    /// Lets it change, add and remove resources. One that comes back under another id is another one.
    pub(crate) fn transform(&self, target: &Target<'_>, set: &mut ResourceSet) -> Result<()> {
        let given = self.transformed(target, set)?;
        set.retain(|resource| !given.positions_by_current_id(resource.id()).is_empty());
        for mut resource in given {
            let position = set.positions_by_current_id(resource.id()).first().copied();
            match position.and_then(|position| Some((position, set.get(position)?))) {
                Some((position, old)) => {
                    adopt(resource.node_mut(), old.node(), &self.stamp);
                    resource.source = old.source;
                    resource.overlays.clone_from(&old.overlays);
                    resource.variables.clone_from(&old.variables);
                    resource.referred_by.clone_from(&old.referred_by);
                    set.update(position, |old| *old = resource);
                }
                None => {
                    claim(resource.node_mut(), &self.stamp);
                    resource.source = Some(target.file);
                    resource.overlays.push(target.file);
                    set.append(resource)?;
                }
            }
        }
        Ok(())
    }

    /// Lets it look at the resources. What it adds or leaves out has no effect; it may give none of them back.
    ///
    /// # Errors
    /// What it fails with, and `kustomize-validator` for a resource that came back. Kustomize compares what comes back
    /// with what was there down to the lines that it stands on, so that nothing is ever equal.
    pub(crate) fn validate(&self, target: &Target<'_>, set: &ResourceSet) -> Result<()> {
        let given = self.transformed(target, set)?;
        match given.iter().find(|resource| !set.positions_by_current_id(resource.id()).is_empty()) {
            None => Ok(()),
            Some(resource) => {
                let message = format!("validator shouldn't modify the resource map: it printed {}", resource.id());
                let error = Diagnostic::error("kustomize-validator", message);
                Err(error.hint("to Kustomize, a resource that comes back was modified: a validator prints nothing"))
            }
        }
    }

    /// What it makes of `set`, each under an id of its own.
    fn transformed(&self, target: &Target<'_>, set: &ResourceSet) -> Result<ResourceSet> {
        let mut given = ResourceSet::new();
        for mut resource in self.run(target, Some(set))? {
            resource.remove_annotation(ID);
            let id = id_json(&resource);
            given.append(resource).map_err(|_| {
                let message = format!("plugin {} generated duplicate resource: {id}", self.name);
                Diagnostic::error("kustomize-function", message)
            })?;
        }
        Ok(given)
    }

    /// The resources that it prints when told of those in `set`; a generator is told of none, or of its configuration.
    fn run(&self, target: &Target<'_>, set: Option<&ResourceSet>) -> Result<Vec<Resource>> {
        // Where there is no resource, Kustomize takes what is to be transformed for what is to be made.
        let manifests = set.filter(|set| !set.is_empty()).map(manifests).transpose()?;
        let text = match &self.program {
            Program::Function(specification) => self.run_function(specification, target, manifests)?,
            Program::Plugin { path, arguments } => {
                let input = manifests.map(|manifests| manifests.join("---\n")).unwrap_or_default();
                let (program, configuration, folder) = (&**path, &*self.config, target.loader.root());
                let call = FunctionCall::Plugin { program, arguments, configuration, folder, input: &input };
                let printed = self.functions.run(&call).map_err(failed)?.unwrap_or(input.into_bytes());
                utf8(printed)?
            }
        };
        let mut resources = parse_inline(&text, None, FileId::new("what the function printed"))?;
        resources.iter_mut().try_for_each(recall)?;
        Ok(resources)
    }

    fn run_function(
        &self,
        specification: &FunctionSpecification,
        target: &Target<'_>,
        manifests: Option<Vec<String>>,
    ) -> Result<String> {
        let execution = |mut error: Box<Diagnostic>| {
            error.message.insert_str(0, "couldn't execute function: ");
            error
        };
        let config = configuration(&self.config)?;
        let items = match &manifests {
            None => vec![config.clone()],
            Some(manifests) => {
                let mut items = Vec::with_capacity(manifests.len());
                for manifest in manifests {
                    items.extend(read(manifest)?);
                }
                items
            }
        };
        // Kustomize sees to it that containers are told of everything.
        let scope = if specification.container.image.is_empty() { Scope::Folder } else { Scope::All };
        let unchanged = manifests.map(|manifests| manifests.join("---\n"));
        let exchange = Exchange::new(items, &config, scope).map_err(execution)?;
        let call = FunctionCall::Function { specification, folder: target.loader.root(), input: &exchange.text };
        match self.functions.run(&call).map_err(failed).map_err(execution)? {
            Some(printed) => exchange.read(&utf8(printed)?).map_err(execution),
            None => Ok(unchanged.unwrap_or_else(|| onepane_yaml::write_kyaml(&config))),
        }
    }
}

/// The resources as Kustomize hands them over.
fn manifests(set: &ResourceSet) -> Result<Vec<String>> {
    let mut manifests = Vec::with_capacity(set.len());
    for resource in set {
        let mut told = told(resource);
        told.set_annotation(ID, Node::string(write_sorted(&id(resource))?));
        annotations_as_strings(told.node_mut());
        manifests.push(write_sorted(told.node())?);
    }
    Ok(manifests)
}

/// The id as a mapping, in the order that Go's JSON has.
fn id(resource: &Resource) -> Node {
    let id = resource.id();
    let parts = [
        ("group", &id.gvk.group),
        ("version", &id.gvk.version),
        ("kind", &id.gvk.kind),
        ("name", &id.name),
        ("namespace", &id.namespace),
    ];
    let filled = parts.into_iter().filter(|(_, value)| !value.is_empty());
    Node::mapping(filled.map(|(key, value)| (Node::scalar(key), Node::string(value.clone()))).collect())
}

fn id_json(resource: &Resource) -> String {
    let id = id(resource);
    let entries = id.entries().unwrap_or_default().iter();
    let text = |node: &Node| format!("{:?}", node.as_str().unwrap_or_default());
    format!(
        "{{{}}}",
        entries.map(|(key, value)| format!("{}:{}", text(key), text(value))).collect::<Vec<_>>().join(",")
    )
}

fn failed(problem: String) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-function", problem)
}

fn utf8(printed: Vec<u8>) -> Result<String> {
    let refuse = |_| Diagnostic::error("kustomize-function", "what the function printed is not UTF-8 text");
    String::from_utf8(printed).map_err(refuse)
}

/// A boolean as Go parses it.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
