//! The environment that a state is read for: [`Environment`].

use crate::fields::{items, mapping, place};
use crate::template;
use camino::Utf8Path;
use onepane_chart::{merge_maps, parse_values};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, Map, Value};
use onepane_world::World;

/// A name and the values that the parts of the state read so far give it.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    name: String,
    values: Map,
    declared: bool,
}

/// The environment that exists without being declared.
const DEFAULT: &str = "default";

impl Environment {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), values: Map::new(), declared: name == DEFAULT }
    }

    /// What templates see: `.Environment`, `.Values` and its other name `.StateValues`.
    pub(crate) fn data(&self) -> Map {
        let values = Value::from(self.values.clone());
        let environment = Map::from_iter([("Name", Value::from(self.name.as_str())), ("Values", values.clone())]);
        let entries = [("Environment", environment.into()), ("Values", values.clone()), ("StateValues", values)];
        let data = Map::from_iter(entries);
        data.insert("Namespace", Value::from(""));
        data
    }

    pub(crate) fn values(&self) -> &Map {
        &self.values
    }

    /// Takes in the `environments` and `values` of a part: state values are defaults, the environment's own win.
    pub(crate) fn read(&mut self, world: &dyn World, folder: &Utf8Path, file: FileId, map: &Map) -> Result<()> {
        for source in items(map, "values", file)? {
            let values = self.source(world, folder, file, &source)?;
            self.values = merge_maps(&values, &self.values);
        }
        let environments = mapping(map, "environments", file)?;
        if !environments.contains(&self.name) {
            return Ok(());
        }
        self.declared = true;
        let environment = mapping(&environments, &self.name, file)?;
        if let Some(secrets) = environment.get("secrets") {
            return Err(Diagnostic::error("helmfile-unsupported", "`secrets` of an environment are not supported yet")
                .at(place(&secrets, file)));
        }
        for source in items(&environment, "values", file)? {
            let values = self.source(world, folder, file, &source)?;
            self.values = merge_maps(&self.values, &values);
        }
        Ok(())
    }

    /// The values of a file, a template or an inline mapping.
    fn source(&self, world: &dyn World, folder: &Utf8Path, file: FileId, source: &Value) -> Result<Map> {
        match &source.data {
            Data::Map(map) => Ok(map.clone()),
            Data::String(path) => {
                let path = onepane_world::normalize(&folder.join(&*path.to_str()));
                let values_file = FileId::new(&path);
                let bytes = world.read(&path).map_err(|error| {
                    Diagnostic::error("helmfile-values", error.to_string()).at(place(source, file))
                })?;
                if path.extension() != Some("gotmpl") {
                    return parse_values(&bytes, Some((Step::ValuesFile, values_file)));
                }
                let text = String::from_utf8_lossy(&bytes);
                let text = template::render(world, folder, values_file, 0, &text, &self.data())?;
                parse_values(text.as_bytes(), Some((Step::ValuesFile, values_file)))
            }
            _ => Err(Diagnostic::error("helmfile-field", "`values` takes paths and mappings").at(place(source, file))),
        }
    }

    /// An environment that no part declares is an error, as in Helmfile.
    pub(crate) fn check_exists(&self, file: FileId) -> Result<()> {
        if self.declared {
            return Ok(());
        }
        let message = format!("environment `{}` is not defined in `{}`", self.name, file.path());
        Err(Diagnostic::error("helmfile-environment", message).at(Span::new(file, 1, 1)))
    }
}
