//! The environment that a state is read for: [`Environment`].

use crate::fields::{items, mapping, place, plain_text, text};
use crate::files::{self, Missing};
use crate::outside::Outside;
use crate::{hcl, merge, secrets, template, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, Map, Value};
use onepane_world::World;
use std::sync::Arc;

/// A name and the values that the parts of the state read so far give it.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Of the state: `values`.
    pub(crate) defaults: Map,
    /// Of the environment: `environments.NAME.values`, and of files from outside.
    pub(crate) values: Map,
    /// Single values from outside; items of lists are set one by one.
    pub(crate) set: Map,
    /// The cluster that it names.
    pub kube_context: String,
}

impl Environment {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// All values, later ones over earlier ones: the state's, the environment's, those that are set.
    pub(crate) fn merged(&self) -> Map {
        merge::overrides(&merge::values(&self.defaults, &self.values), &self.set)
    }

    /// This environment with another one over it.
    pub(crate) fn under(&self, over: Option<&Self>) -> Self {
        let Some(over) = over else { return self.clone() };
        let text = |over: &String, under: &String| if over.is_empty() { under.clone() } else { over.clone() };
        Self {
            name: text(&over.name, &self.name),
            defaults: merge::values(&self.defaults, &over.defaults),
            values: merge::values(&self.values, &over.values),
            set: merge::overrides(&self.set, &over.set),
            kube_context: text(&over.kube_context, &self.kube_context),
        }
    }

    /// What templates see: `.Environment`, `.Values` and its other name `.StateValues`. It is a copy, for templates may
    /// change it.
    pub(crate) fn data(&self, namespace: &str) -> Map {
        self.data_with(namespace, self.merged())
    }

    fn data_with(&self, namespace: &str, values: Map) -> Map {
        let values = Value::from(values).deep_copy();
        let entries = [
            ("Environment", self.described().into()),
            ("Namespace", namespace.into()),
            ("Values", values.clone()),
            ("StateValues", values),
        ];
        entries.into_iter().collect()
    }

    /// `.Environment`
    pub(crate) fn described(&self) -> Map {
        Map::from_iter([
            ("Name", Value::from(self.name.as_str())),
            ("KubeContext", self.kube_context.as_str().into()),
            ("Values", Value::from(merge::overrides(&self.values, &self.set)).deep_copy()),
            ("Defaults", Value::from(self.defaults.clone()).deep_copy()),
            ("CLIOverrides", Value::from(self.set.clone()).deep_copy()),
        ])
    }

    /// The environment `name` after a part of the state that has `fields`, given what it was before.
    pub(crate) fn after(before: Option<&Self>, name: &str, fields: &Map, around: &Around<'_>) -> Result<Self> {
        let blank = Self::new(name);
        let context = before.unwrap_or(&blank);
        let environments = mapping(fields, "environments", around.file)?;
        let mut next = context.clone();
        if environments.contains(name) {
            let spec = mapping(&environments, name, around.file)?;
            let handler = text(&spec, "missingFileHandler");
            let falls_back = match text(&spec, "mergeStrategy").as_deref() {
                None | Some("override") => false,
                Some("fallback") => true,
                Some(other) => {
                    let message = format!(
                        "environment {name:?}: invalid mergeStrategy {other:?} (must be \"override\" or \"fallback\")",
                    );
                    let strategy = spec.get("mergeStrategy").unwrap_or_default();
                    return Err(Diagnostic::error("helmfile-field", message).at(place(&strategy, around.file)));
                }
            };
            let missing = Missing::parse(handler.as_deref(), &spec, around.file)?;
            let values = context.read(&items(&spec, "values", around.file)?, missing, falls_back, around)?;
            let handler = handler.or_else(|| text(fields, "missingFileHandler"));
            let missing = Missing::parse(handler.as_deref(), &spec, around.file)?;
            let secrets = read_secrets(&items(&spec, "secrets", around.file)?, missing, around)?;
            next.values = merge::values(&context.values, &merge::values(&values, &secrets));
            if context.kube_context.is_empty() {
                next.kube_context = text(&spec, "kubeContext").unwrap_or_default();
            }
        }
        let defaults = context.read(&items(fields, "values", around.file)?, Missing::Error, false, around)?;
        next.defaults = merge::values(&context.defaults, &defaults);
        Ok(next)
    }

    /// The values of files, templates and inline mappings.
    pub(crate) fn read(
        &self,
        sources: &[Value],
        missing: Missing,
        falls_back: bool,
        around: &Around<'_>,
    ) -> Result<Map> {
        let mut all = Map::new();
        let add = |all: &mut Map, values: &Map| {
            *all = if falls_back { merge::values(values, all) } else { merge::values(all, values) };
        };
        let mut hcl_files = Vec::new();
        for source in sources {
            match &source.data {
                Data::Map(map) => add(&mut all, &secrets::noted(map, around.outside)),
                Data::String(path) => {
                    let span = place(source, around.file);
                    for path in files::find(around.world, around.outside, around.folder, &path.to_str(), missing, span)?
                    {
                        if path.extension() == Some("hcl") {
                            hcl_files.push((path, span));
                            continue;
                        }
                        // Files of this list that were read before are seen too where the first one wins.
                        let values = if falls_back { merge::values(&all, &self.merged()) } else { self.merged() };
                        let data = self.data_with("", values);
                        let bytes = read_text(around.world, around.outside, &path, &data, span)?;
                        let values = yaml::values(&bytes, FileId::new(&path))?;
                        add(&mut all, &secrets::noted(&values, around.outside));
                    }
                }
                _ => {
                    let message = format!("unexpected type of value: {}", plain_text(source));
                    return Err(Diagnostic::error("helmfile-field", message).at(place(source, around.file)));
                }
            }
        }
        if !hcl_files.is_empty() {
            add(&mut all, &hcl::values(around.world, &hcl_files)?);
        }
        Ok(all)
    }
}

/// The values of encrypted files, later ones over earlier ones.
fn read_secrets(sources: &[Value], missing: Missing, around: &Around<'_>) -> Result<Map> {
    let mut all = Map::new();
    for source in sources {
        let span = place(source, around.file);
        for path in files::find(around.world, around.outside, around.folder, &plain_text(source), missing, span)? {
            let bytes = decrypted(around.world, around.outside, &path, span)?;
            // What is in it is in no error.
            let values = yaml::values(&bytes, FileId::new("what was decrypted")).map_err(|_| {
                Diagnostic::error("helmfile-secrets", format!("`{path}` decrypts to what is no mapping in YAML"))
                    .at(span)
            })?;
            let encrypted = around.world.read(&path).unwrap_or_else(|_| [].into());
            all = merge::values(&all, &secrets::decrypted_values(&values, &encrypted, &path));
        }
    }
    Ok(all)
}

/// What is in an encrypted file.
pub(crate) fn decrypted(world: &dyn World, outside: &dyn Outside, path: &Utf8Path, span: Span) -> Result<Vec<u8>> {
    let bytes = world.read(path).map_err(|error| Diagnostic::error("helmfile-secrets", error.to_string()).at(span))?;
    outside.decrypt(path, &bytes).map_err(|problem| {
        Diagnostic::error("helmfile-secrets", format!("`{path}` can't be decrypted: {problem}")).at(span)
    })
}

/// What the values of an environment are read within.
pub(crate) struct Around<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) outside: &'a dyn Outside,
    /// Paths are relative to it.
    pub(crate) folder: &'a Utf8Path,
    pub(crate) file: FileId,
}

/// The text of a values file, which is a template where its name ends so; what that reads is relative to its own folder.
pub(crate) fn read_text(
    world: &dyn World,
    outside: &dyn Outside,
    path: &Utf8Path,
    data: &Map,
    span: Span,
) -> Result<Arc<[u8]>> {
    let bytes = world.read(path).map_err(|error| Diagnostic::error("helmfile-values", error.to_string()).at(span))?;
    if path.extension() != Some("gotmpl") {
        return Ok(bytes);
    }
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let text = String::from_utf8_lossy(&bytes);
    let text = template::render(world, outside, folder, FileId::new(path), 0, &text, data)?;
    Ok(text.into_bytes().into())
}
