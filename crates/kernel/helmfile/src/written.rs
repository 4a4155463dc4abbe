//! States as Helmfile writes them: `helmfile build`.

use crate::environment::read_text;
use crate::fields::{items, place, plain_text, text};
use crate::files::{self, Missing};
use crate::outside::Outside;
use crate::release::Release;
use crate::shape::{Field, Kept, Part, Shape};
use crate::state::State;
use crate::{merge, tables, yaml};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_value::{Data, List, Map, Value, to_yaml, to_yaml_pretty};
use onepane_world::World;
use onepane_yaml::{Dialect, sort_by_keys};
use std::sync::Arc;

/// How YAML is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YamlStyle {
    /// As go-yaml v3 does it for Helmfile: lists are deeper than their key.
    V3,
    /// As go-yaml v2 does it: lists are not, which `HELMFILE_GO_YAML_V3=false` asks for.
    V2,
}

impl State {
    /// The state with `releases` in place of its own, as YAML in Helmfile's order of fields.
    ///
    /// # Errors
    /// For values that YAML can't hold.
    pub fn written(&self, releases: &[Map], style: YamlStyle) -> Result<String> {
        let fields = self.fields.shallow_copy();
        for (key, binary) in [("helmBinary", "helm"), ("kustomizeBinary", "kustomize")] {
            if !fields.get(key).is_some_and(|value| value.truth()) {
                fields.insert(key, binary.into());
            }
        }
        fields.insert("releases", releases.iter().map(|release| Value::from(release.clone())).collect::<List>().into());
        let name = self.path.file_name().unwrap_or_default();
        let text = style.entry("filepath", &name.into())? + &style.part(&tables::STATE, &fields)?;
        Ok(text + &style.entry("renderedvalues", &self.values.clone().into())?)
    }
}

impl Release {
    /// All that is said of it, with the path of its chart, and where it is to `embed` what values files hold, that.
    ///
    /// # Errors
    /// For files that can't be read.
    pub fn written(
        &self,
        state: &State,
        chart_path: Option<&str>,
        embed: Option<(&dyn World, &dyn Outside)>,
    ) -> Result<Map> {
        let spec = self.spec.shallow_copy();
        if let Some(path) = chart_path {
            spec.insert("chartPath", path.into());
        }
        let Some((world, outside)) = embed else { return Ok(spec) };
        let file = FileId::new(&state.path);
        let data = state.release_data(self);
        for key in ["values", "secrets"] {
            let prefix = text(&self.spec, "valuesPathPrefix").unwrap_or_default();
            let missing = Missing::parse(text(&self.spec, "missingFileHandler").as_deref(), &self.spec, file)?;
            let mut embedded = Vec::new();
            for source in items(&self.spec, key, file)? {
                let Data::String(path) = &source.data else {
                    embedded.push(source);
                    continue;
                };
                let span = place(&source, file);
                for path in files::find(world, outside, state.folder(), &format!("{prefix}{path}"), missing, span)? {
                    let bytes = read_text(world, outside, &path, &data, span)?;
                    embedded.push(yaml::values(&bytes, FileId::new(&path))?.into());
                }
            }
            if !embedded.is_empty() {
                spec.insert(key, embedded.into_iter().collect::<List>().into());
            }
        }
        Ok(spec)
    }
}

/// The values of files, later ones over earlier ones, as Helmfile writes them.
///
/// # Errors
/// For what is no mapping.
pub fn merged_values(files: &[Arc<[u8]>]) -> Result<String> {
    let mut merged = Map::new();
    for bytes in files {
        merged = merge::values(&merged, &yaml::values(bytes, FileId::new("values"))?);
    }
    yaml::text_of(&merged.into(), Span::new(FileId::new("values"), 1, 1))
}

impl YamlStyle {
    /// The fields of a part, one after the other.
    fn part(self, part: &Part, map: &Map) -> Result<String> {
        part.fields.iter().map(|field| self.field(field, map.get(field.name))).collect()
    }

    fn field(self, field: &Field, value: Option<Value>) -> Result<String> {
        let value = value.filter(|value| !value.is_nil());
        let value = match (field.kept, value) {
            (Kept::Filled, value) => value.filter(|value| !is_empty(field.shape, value)),
            (Kept::Given, value) => value,
            (Kept::Always, value) => Some(value.unwrap_or_else(|| empty(field.shape))),
        };
        let Some(value) = value else { return Ok(String::new()) };
        let name = field.name;
        match (field.shape, &value.data) {
            (Shape::Part(part), Data::Map(map)) => Ok(below(name, &self.part(part, map)?)),
            (Shape::Parts(part) | Shape::OneOrParts(part), Data::List(list)) if !list.is_empty() => {
                self.parts(name, part, list)
            }
            (Shape::Helmfiles, Data::List(list)) => self.parts(name, &tables::HELMFILE, list),
            (Shape::PartsByName(part), Data::Map(map)) => {
                let entries = map.entries().into_iter();
                let mut entries: Vec<(String, Value)> = entries.map(|(key, value)| (key.to_string(), value)).collect();
                sort_by_keys(&mut entries, Dialect::V3);
                let mut parts = String::new();
                for (key, value) in &entries {
                    let Some(inner) = value.as_map() else { continue };
                    // In quotes where it needs them.
                    let key = self.entry(key, &Map::new().into())?;
                    parts += &below(key.trim_end_matches(": {}\n"), &self.part(part, inner)?);
                }
                Ok(below(name, &parts))
            }
            _ => self.entry(name, &value),
        }
    }

    fn parts(self, name: &str, part: &Part, list: &List) -> Result<String> {
        let items = list.iter().filter_map(Value::as_map).map(|map| Ok(self.item(&self.part(part, map)?)));
        Ok(format!("{name}:\n{}", items.collect::<Result<String>>()?))
    }

    /// `name: value`, as YAML.
    fn entry(self, name: &str, value: &Value) -> Result<String> {
        let map = Map::from_iter([(name, value.clone())]).into();
        let text = match self {
            Self::V3 => to_yaml_pretty(&map),
            Self::V2 => to_yaml(&map),
        };
        Ok(text.map_err(|problem| Diagnostic::error("helmfile-field", problem))?.to_string())
    }

    /// A mapping as an item of a list.
    fn item(self, fields: &str) -> String {
        let dash = match self {
            Self::V3 => "  - ",
            Self::V2 => "- ",
        };
        if fields.is_empty() {
            return format!("{dash}{{}}\n");
        }
        let mut text = indented(fields, &" ".repeat(dash.len()));
        text.replace_range(..dash.len(), dash);
        text
    }
}

/// A mapping below its name.
fn below(name: &str, fields: &str) -> String {
    if fields.is_empty() { format!("{name}: {{}}\n") } else { format!("{name}:\n{}", indented(fields, "  ")) }
}

fn indented(text: &str, by: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{by}{line}\n") };
    text.lines().map(line).collect()
}

/// Whether Go would take a value for none.
fn is_empty(shape: Shape, value: &Value) -> bool {
    match (shape, &value.data) {
        (Shape::Part(part), Data::Map(map)) => {
            part.fields.iter().all(|field| map.get(field.name).is_none_or(|value| is_empty(field.shape, &value)))
        }
        (Shape::Text, _) => plain_text(value).is_empty(),
        _ => !value.truth(),
    }
}

fn empty(shape: Shape) -> Value {
    match shape {
        Shape::Text => "".into(),
        Shape::Flag => false.into(),
        Shape::Number | Shape::Float => Value::float(0.0),
        Shape::Pairs | Shape::Part(_) | Shape::PartsByName(_) => Map::new().into(),
        _ => Vec::new().into_iter().collect::<List>().into(),
    }
}
