//! Where a function is found: what its configuration says in annotations.

use crate::decode::Decoder;
use crate::load::Loader;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result};
use onepane_resource::Resource;
use onepane_world::normalize;
use onepane_yaml::Node;

/// What `config.kubernetes.io/function` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionSpecification {
    /// The container to run, if it names an image.
    pub container: ContainerFunction,
    /// The executable to run, if it names a path and there is no container.
    pub executable: ExecutableFunction,
}

/// A function in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerFunction {
    /// The image; empty for none.
    pub image: String,
    /// Whether it wants the network.
    pub network: bool,
    /// What is to be seen in the container.
    pub mounts: Vec<Mount>,
    /// `NAME=value`, or `NAME` for a variable that is passed on.
    pub environment: Vec<String>,
}

/// Storage that a container sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// The kind of mount, such as `bind`.
    pub kind: String,
    /// What is mounted. A path is relative to the kustomization's folder, and stays in it.
    pub source: String,
    /// Where it is seen.
    pub target: String,
    /// Whether it may be written to.
    pub writable: bool,
}

/// A function that is an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutableFunction {
    /// The path, relative to the kustomization's folder; a bare name is looked up in `$PATH`. Empty for none.
    pub path: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
}

const ANNOTATIONS: [&str; 2] = ["config.kubernetes.io/function", "config.k8s.io/function"];

/// Names an image and nothing else; from before the annotations above.
const IMAGE_ANNOTATION: &str = "config.kubernetes.io/container";

impl FunctionSpecification {
    /// What a configuration says; `None` if it is none of a function.
    ///
    /// # Errors
    /// Those of reading it, and a mount that leads out of the kustomization's folder.
    pub(super) fn of(config: &Resource, loader: &Loader<'_>) -> Result<Option<Self>> {
        let annotation = |key: &'static str| Some((key, config.annotation(key).filter(|text| !text.is_empty())?));
        let specification = if let Some((key, text)) = ANNOTATIONS.into_iter().find_map(annotation) {
            let read = onepane_yaml::read(text, FileId::new(key)).map_err(|error| not_yaml(key, &error))?;
            let mut node = read.into_iter().next().unwrap_or_else(|| Node::scalar(""));
            node.resolve_aliases()?;
            // Writing finds keys that stand twice.
            onepane_yaml::write_sorted(&node).map_err(|error| not_yaml(key, &error))?;
            Self::read(&node).map_err(|error| misfit(key, error))?
        } else if let Some(node) = config.node().at(&["metadata", "configFn"]) {
            Self::read(node).map_err(|error| misfit("configFn", error))?
        } else if let Some((_, image)) = annotation(IMAGE_ANNOTATION) {
            let container = ContainerFunction { image: image.to_owned(), ..ContainerFunction::default() };
            Self { container, ..Self::default() }
        } else {
            return Ok(None);
        };
        for mount in &specification.container.mounts {
            mount.check(config, loader)?;
        }
        if specification.container.image.starts_with('-') {
            return Err(refused(format!("'{}' is no image of a container", specification.container.image)));
        }
        Ok(Some(specification))
    }

    fn read(node: &Node) -> Result<Self> {
        let decoder = Decoder::strict_converting("function");
        let (mut container, mut executable) = (ContainerFunction::default(), ExecutableFunction::default());
        decoder.fields(node, &["deferFailure", "container", "exec"], |field, value| match field {
            // A failure that is deferred is a failure all the same.
            "deferFailure" => decoder.bool(value).map(drop),
            "container" => decoder.fields(value, &["image", "network", "mounts", "envs"], |field, value| {
                match field {
                    "image" => container.image = decoder.string(value)?,
                    "network" => container.network = decoder.bool(value)?,
                    "mounts" => container.mounts = decoder.list(value, |mount| Mount::read(&decoder, mount))?,
                    _ => container.environment = decoder.strings(value)?,
                }
                Ok(())
            }),
            _ => decoder.fields(value, &["path", "args", "envs"], |field, value| {
                match field {
                    "path" => executable.path = decoder.string(value)?,
                    "args" => executable.arguments = decoder.strings(value)?,
                    _ => executable.environment = decoder.strings(value)?,
                }
                Ok(())
            }),
        })?;
        Ok(Self { container, executable })
    }
}

impl Mount {
    fn read(decoder: &Decoder, node: &Node) -> Result<Self> {
        let mut mount = Self::default();
        decoder.fields(node, &["type", "src", "dst", "rw"], |field, value| {
            match field {
                "type" => mount.kind = decoder.string(value)?,
                "src" => mount.source = decoder.string(value)?,
                "dst" => mount.target = decoder.string(value)?,
                _ => mount.writable = decoder.bool(value)?,
            }
            Ok(())
        })?;
        Ok(mount)
    }

    /// Refuses what would show the container more than the kustomization's folder. Links count as where they lead, and
    /// what parts the options of a mount is in none of its fields; Kustomize looks at neither.
    fn check(&self, config: &Resource, loader: &Loader<'_>) -> Result<()> {
        let Self { kind, source, target, .. } = self;
        let refuse = |rule: &str| {
            let id = config.original_id();
            let message = format!("plugin {id} with mount path '{source}' is not permitted; mount paths must {rule}");
            Err(refused(message))
        };
        if Utf8Path::new(source).is_absolute() {
            return refuse("be relative to the current kustomization directory");
        }
        let leads_out = || {
            let real = loader.world().canonical(&loader.join(source));
            real.is_ok_and(|real| !real.starts_with(loader.root()))
        };
        if normalize(Utf8Path::new(source)).as_str().starts_with("..") || leads_out() {
            return refuse("be under the current kustomization directory");
        }
        if [kind, source, target].into_iter().any(|field| field.contains([',', '"', '\n', '\r'])) {
            return refuse("be without commas, quotes and line breaks");
        }
        Ok(())
    }
}

fn refused(message: String) -> Box<Diagnostic> {
    Diagnostic::error("kustomize-function", message)
}

fn not_yaml(key: &str, error: &Diagnostic) -> Box<Diagnostic> {
    let cause = &error.message;
    refused(format!(
        "loader: failed to get FunctionSpec: {key} unmarshal error: error converting YAML to JSON: {cause}"
    ))
}

fn misfit(key: &str, mut error: Box<Diagnostic>) -> Box<Diagnostic> {
    let cause = error.message.trim_start_matches("invalid function: ");
    let hint = cause.contains("\"starlark\"").then_some("Kustomize runs no Starlark; `container` and `exec` are left");
    error.message = format!(
        "loader: failed to get FunctionSpec: {key} unmarshal error: error unmarshaling JSON: while decoding JSON: json: \
         {cause}"
    );
    // It is the annotation's text that has these lines, not a file.
    error.primary = None;
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
