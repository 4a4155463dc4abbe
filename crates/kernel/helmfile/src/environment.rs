//! The environment that a state is read for: [`Environment`].

use crate::fields::{self, items, mapping, place, plain_text, text};
use crate::files::{self, Missing};
use crate::{Overrides, merge, template, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, Map, Value};
use onepane_world::World;
use std::sync::Arc;

/// A name and the values that the parts of the state read so far give it.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    name: String,
    /// Of the state: `values`.
    defaults: Map,
    /// Of the environment: `environments.NAME.values`.
    values: Map,
    pub(crate) kube_context: String,
}

impl Environment {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), defaults: Map::new(), values: Map::new(), kube_context: String::new() }
    }

    /// All values, later ones over earlier ones: the state's, the environment's, those from outside.
    pub(crate) fn merged(&self, overrides: &Overrides) -> Map {
        let values = merge::values(&self.defaults, &self.values);
        merge::values(&merge::values(&values, &overrides.values), &overrides.set)
    }

    /// What templates see: `.Environment`, `.Values` and its other name `.StateValues`. It is a copy, for templates may
    /// change it.
    pub(crate) fn data(&self, overrides: &Overrides) -> Map {
        let values = Value::from(self.merged(overrides)).deep_copy();
        let own = merge::values(&merge::values(&self.values, &overrides.values), &overrides.set);
        let environment = Map::from_iter([
            ("Name", Value::from(self.name.as_str())),
            ("KubeContext", self.kube_context.as_str().into()),
            ("Values", Value::from(own).deep_copy()),
            ("Defaults", Value::from(self.defaults.clone()).deep_copy()),
        ]);
        let entries = [
            ("Environment", environment.into()),
            ("Namespace", "".into()),
            ("Values", values.clone()),
            ("StateValues", values),
        ];
        entries.into_iter().collect()
    }

    /// The environment after a part of the state that has `fields`, given what it was before.
    pub(crate) fn after(&self, fields: &Map, around: &Around<'_>) -> Result<Self> {
        let mut next = self.clone();
        let environments = mapping(fields, "environments", around.file)?;
        if environments.contains(&self.name) {
            let spec = mapping(&environments, &self.name, around.file)?;
            if let Some(refused) = fields::ENVIRONMENT.check(&spec, around.file)?.into_iter().next() {
                return Err(refused);
            }
            let handler = text(&spec, "missingFileHandler").or_else(|| text(fields, "missingFileHandler"));
            let missing = Missing::parse(handler.as_deref(), &spec, around.file)?;
            let falls_back = match text(&spec, "mergeStrategy").as_deref() {
                None | Some("override") => false,
                Some("fallback") => true,
                Some(other) => {
                    let message = format!(
                        "environment {:?}: invalid mergeStrategy {other:?} (must be \"override\" or \"fallback\")",
                        self.name
                    );
                    let strategy = spec.get("mergeStrategy").unwrap_or_default();
                    return Err(Diagnostic::error("helmfile-field", message).at(place(&strategy, around.file)));
                }
            };
            let values = self.read(&items(&spec, "values", around.file)?, missing, falls_back, around)?;
            next.values = merge::values(&self.values, &values);
            if self.kube_context.is_empty() {
                next.kube_context = text(&spec, "kubeContext").unwrap_or_default();
            }
        }
        let defaults = self.read(&items(fields, "values", around.file)?, Missing::Error, false, around)?;
        next.defaults = merge::values(&self.defaults, &defaults);
        Ok(next)
    }

    /// The values of files, templates and inline mappings.
    fn read(&self, sources: &[Value], missing: Missing, falls_back: bool, around: &Around<'_>) -> Result<Map> {
        let mut all = Map::new();
        let add = |all: &mut Map, values: &Map| {
            *all = if falls_back { merge::values(values, all) } else { merge::values(all, values) };
        };
        for source in sources {
            match &source.data {
                Data::Map(map) => add(&mut all, map),
                Data::String(path) => {
                    let span = place(source, around.file);
                    for path in files::find(around.world, around.folder, &path.to_str(), missing, span)? {
                        if path.extension() == Some("hcl") {
                            return Err(fields::unsupported("an HCL values file", span));
                        }
                        let mut data = self.data(around.overrides);
                        if falls_back {
                            // Files of this list that were read before are seen too.
                            let seen = merge::values(&all, &self.merged(around.overrides));
                            let seen = Value::from(seen).deep_copy();
                            data = data.shallow_copy();
                            data.insert("Values", seen.clone());
                            data.insert("StateValues", seen);
                        }
                        let bytes = read_text(around.world, &path, &data, span)?;
                        add(&mut all, &yaml::values(&bytes, FileId::new(&path))?);
                    }
                }
                _ => {
                    let message = format!("unexpected type of value: {}", plain_text(source));
                    return Err(Diagnostic::error("helmfile-field", message).at(place(source, around.file)));
                }
            }
        }
        Ok(all)
    }
}

/// What the values of an environment are read within.
pub(crate) struct Around<'a> {
    pub(crate) world: &'a dyn World,
    /// Paths are relative to it.
    pub(crate) folder: &'a Utf8Path,
    pub(crate) file: FileId,
    pub(crate) overrides: &'a Overrides,
}

/// The text of a values file, which is a template where its name ends so; what that reads is relative to its own folder.
pub(crate) fn read_text(world: &dyn World, path: &Utf8Path, data: &Map, span: Span) -> Result<Arc<[u8]>> {
    let bytes = world.read(path).map_err(|error| Diagnostic::error("helmfile-values", error.to_string()).at(span))?;
    if path.extension() != Some("gotmpl") {
        return Ok(bytes);
    }
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let text = template::render(world, folder, FileId::new(path), 0, &String::from_utf8_lossy(&bytes), data)?;
    Ok(text.into_bytes().into())
}
