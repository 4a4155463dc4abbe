//! A state file read part by part, with the bases it lies on: [`Reader`].

use crate::environment::{Around, Environment};
use crate::fields::{self, items, mapping, place};
use crate::{Overrides, merge, template, yaml};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, Map};
use onepane_world::World;

/// Reads the files of one state.
pub(crate) struct Reader<'a> {
    pub(crate) world: &'a dyn World,
    /// Of the state file; paths in its bases are relative to it too.
    pub(crate) folder: &'a Utf8Path,
    pub(crate) environment: &'a str,
    pub(crate) overrides: &'a Overrides,
}

/// What a file says, its parts and bases merged.
pub(crate) struct Layer {
    pub(crate) fields: Map,
    pub(crate) environment: Environment,
    /// What is not read yet.
    pub(crate) refused: Vec<Box<Diagnostic>>,
}

/// The environment that exists without being declared.
const DEFAULT: &str = "default";

impl Reader<'_> {
    /// Reads a state file.
    pub(crate) fn read(&self, path: &Utf8Path) -> Result<Layer> {
        let layer = self.read_file(path, None)?;
        let environments = mapping(&layer.fields, "environments", FileId::new(path))?;
        if environments.is_empty() && self.environment != DEFAULT {
            return Err(self.undefined(path));
        }
        Ok(layer)
    }

    fn undefined(&self, path: &Utf8Path) -> Box<Diagnostic> {
        let message = format!("environment `{}` is not defined in `{path}`", self.environment);
        Diagnostic::error("helmfile-environment", message).at(Span::file(path))
    }

    /// Reads a file; a base is read with the environment of the state above it.
    fn read_file(&self, path: &Utf8Path, base_of: Option<&Environment>) -> Result<Layer> {
        let bytes = self.world.read(path).map_err(|error| Diagnostic::error("helmfile-read", error.to_string()))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Diagnostic::error("helmfile-read", format!("`{path}` is not UTF-8")).at(Span::file(path)))?;
        let text = text.replace("\r\n", "\n");
        let file = FileId::new(path);
        let around = Around { world: self.world, folder: self.folder, file, overrides: self.overrides };
        let mut environment = base_of.cloned().unwrap_or_else(|| Environment::new(self.environment));
        let mut whole: Option<Map> = None;
        let mut refused = Vec::new();
        for (first_line, part) in parts(&text) {
            let mut part = self.read_part(path, first_line, part, &environment, &mut refused)?;
            let bases = items(&part, "bases", file)?;
            if base_of.is_some() && !bases.is_empty() {
                let message = "a base can't have `bases` of its own";
                return Err(Diagnostic::error("helmfile-bases", message).at(place(&bases[0], file)));
            }
            let mut below: Option<Map> = None;
            for base in &bases {
                let span = place(base, file);
                let Some(name) = base.as_text() else {
                    return Err(Diagnostic::error("helmfile-field", "`bases` takes paths").at(span));
                };
                let base = onepane_world::normalize(&self.folder.join(&*name.to_str()));
                let layer = self.read_file(&base, Some(&environment)).map_err(|error| {
                    let error = if error.primary.is_none() { error.at(span) } else { error };
                    error.trace(format!("in the base `{name}`"), Some(span))
                })?;
                refused.extend(layer.refused);
                below = Some(below.map_or_else(|| layer.fields.clone(), |below| merge::layer(&below, &layer.fields)));
            }
            if let Some(below) = below {
                part = merge::layer(&below, &part);
            }
            environment = environment.after(&part, &around)?;
            let merged = whole.map_or_else(|| part.clone(), |whole| merge::part(&whole, &part));
            let environments = mapping(&merged, "environments", file)?;
            let is_defined = environments.is_empty() || environments.contains(self.environment);
            if base_of.is_none() && self.environment != DEFAULT && !is_defined {
                return Err(self.undefined(path));
            }
            whole = Some(merged);
        }
        Ok(Layer { fields: whole.unwrap_or_default(), environment, refused })
    }

    /// One part: a template first where the file is one, then documents on top of one another.
    fn read_part(
        &self,
        path: &Utf8Path,
        first_line: usize,
        part: &str,
        environment: &Environment,
        refused: &mut Vec<Box<Diagnostic>>,
    ) -> Result<Map> {
        let file = FileId::new(path);
        let text = if path.extension() == Some("gotmpl") {
            let data = environment.data(self.overrides);
            template::render(self.world, self.folder, file, first_line, part, &data)?
        } else {
            // Empty lines in place of the parts before keep the places right.
            "\n".repeat(first_line) + part
        };
        let mut merged = Map::new();
        for document in yaml::documents(&text, file)? {
            let fields = match &document.data {
                Data::Nil => continue,
                Data::Map(map) => map,
                _ => {
                    let error = Diagnostic::error("helmfile-field", format!("`{path}` is to hold a mapping"));
                    return Err(error.at(Span::file(path)));
                }
            };
            refused.extend(fields::STATE.check(fields, file)?);
            refused.extend(fields::HELM_DEFAULTS.check(&mapping(fields, "helmDefaults", file)?, file)?);
            merged = merge::layer(&merged, fields);
        }
        Ok(merged)
    }
}

/// The parts of a state file, each with the number of lines before it. A line `---` parts them, but not the first
/// line and not the last: those are YAML's business.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut first_line = 0;
    text.split("\n---\n")
        .map(|part| {
            let before = first_line;
            first_line += part.matches('\n').count() + 2;
            (before, part)
        })
        .collect()
}
