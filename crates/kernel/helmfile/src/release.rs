//! What a state file says of a release: [`Release`].

use crate::environment::Environment;
use crate::fields::{self, items, mapping, place, text};
use crate::template;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::parse_values;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, Map, Value};
use onepane_world::World;
use std::collections::BTreeMap;

/// A release, as far as rendering it needs. Paths are relative to where the world starts.
#[derive(Clone, Debug)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace; empty where none is said.
    pub namespace: String,
    /// The chart's folder or archive.
    pub chart: Utf8PathBuf,
    /// The chart's version constraint; empty where none is said.
    pub version: String,
    /// The values, later ones over earlier ones.
    pub values: Vec<ValuesSource>,
    /// `set:` entries as `--set` would take them, over the values.
    pub set: Vec<String>,
    /// Its labels, the state's common ones included.
    pub labels: BTreeMap<String, String>,
    /// Whether it is to be there, by `installed` and `condition`.
    pub installed: bool,
    /// The releases that must be there before it.
    pub needs: Vec<String>,
    /// Where the state lists it.
    pub span: Span,
}

/// Values of a release.
#[derive(Clone, Debug)]
pub enum ValuesSource {
    /// A file, and the line that names it.
    File {
        /// Its path from where the world starts.
        path: Utf8PathBuf,
        /// The line of the state file.
        span: Span,
    },
    /// A mapping in the state file, or what a `.gotmpl` file renders to; its values know their places.
    Inline(Map),
}

/// What a release is read within.
pub(crate) struct Surroundings<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) folder: &'a Utf8Path,
    pub(crate) file: FileId,
    pub(crate) environment: &'a Environment,
    pub(crate) defaults: &'a Map,
    pub(crate) labels: &'a Map,
}

impl Release {
    pub(crate) fn read(item: &Value, around: &Surroundings<'_>) -> Result<Self> {
        let file = around.file;
        let span = place(item, file);
        let Some(map) = item.as_map() else {
            return Err(Diagnostic::error("helmfile-field", "a release is to be a mapping").at(span));
        };
        fields::check(map, fields::RELEASE, "release", file)?;
        let required = |key: &str| {
            text(map, key).filter(|text| !text.is_empty()).ok_or_else(|| {
                Diagnostic::error("helmfile-field", format!("a release needs a `{key}`")).at(span)
            })
        };
        let name = required("name")?;
        let chart = required("chart")?;
        let namespace = text(map, "namespace").or_else(|| text(around.defaults, "namespace")).unwrap_or_default();
        let mut labels = BTreeMap::new();
        for (key, value) in around.labels.entries().into_iter().chain(mapping(map, "labels", file)?.entries()) {
            labels.insert(key.to_string(), onepane_value::format::sprint(&[value]).to_string());
        }
        let data = around.environment.data();
        let described = [("Name", &name), ("Namespace", &namespace), ("Chart", &chart)];
        data.insert("Release", Map::from_iter(described.map(|(key, text)| (key, Value::from(text.as_str())))).into());
        let values = items(map, "values", file)?;
        let values = values.iter().map(|source| values_source(source, around, &data)).collect::<Result<_>>()?;
        let set = items(map, "set", file)?.iter().map(|entry| set_entry(entry, file)).collect::<Result<_>>()?;
        Ok(Self {
            installed: installed(map, around)?,
            needs: items(map, "needs", file)?.iter().filter_map(|need| Some(need.as_text()?.to_string())).collect(),
            version: text(map, "version").unwrap_or_default(),
            chart: chart_path(&chart, around, span)?,
            name,
            namespace,
            values,
            set,
            labels,
            span,
        })
    }
}

/// Only charts that are in the repository can be rendered without a network.
fn chart_path(chart: &str, around: &Surroundings<'_>, span: Span) -> Result<Utf8PathBuf> {
    let path = onepane_world::normalize(&around.folder.join(chart));
    let local = chart.starts_with("./") || chart.starts_with("../") || around.world.kind(&path).is_some();
    if local {
        return Ok(path);
    }
    Err(Diagnostic::error("helmfile-unsupported", format!("chart `{chart}` is not in the repository"))
        .at(span)
        .hint("vendor it below helm-charts/ and name it as ./NAME: rendering uses no network"))
}

fn installed(map: &Map, around: &Surroundings<'_>) -> Result<bool> {
    if let Some(installed) = map.get("installed").and_then(|value| value.as_bool()) {
        return Ok(installed);
    }
    let Some(condition) = text(map, "condition") else { return Ok(true) };
    let Some((first, last)) = condition.split_once('.') else {
        let message = format!("condition `{condition}` is not of the form NAME.enabled");
        return Err(Diagnostic::error("helmfile-field", message).at(place(&map.get("condition").unwrap_or_default(), around.file)));
    };
    let value = around.environment.values().get(first).and_then(|value| value.as_map()?.get(last));
    Ok(value.is_some_and(|value| value.truth()))
}

fn values_source(source: &Value, around: &Surroundings<'_>, data: &Map) -> Result<ValuesSource> {
    let span = place(source, around.file);
    match &source.data {
        Data::Map(map) => Ok(ValuesSource::Inline(map.clone())),
        Data::String(path) if path.starts_with(b"ref+") => {
            Err(Diagnostic::error("helmfile-unsupported", "`ref+` references are not supported yet").at(span))
        }
        Data::String(path) => {
            let path = onepane_world::normalize(&around.folder.join(&*path.to_str()));
            if path.extension() != Some("gotmpl") {
                return Ok(ValuesSource::File { path, span });
            }
            let bytes = around
                .world
                .read(&path)
                .map_err(|error| Diagnostic::error("helmfile-values", error.to_string()).at(span))?;
            let file = FileId::new(&path);
            let text = template::render(around.world, around.folder, file, 0, &String::from_utf8_lossy(&bytes), data)?;
            parse_values(text.as_bytes(), Some((Step::ValuesFile, file))).map(ValuesSource::Inline)
        }
        _ => Err(Diagnostic::error("helmfile-field", "`values` takes paths and mappings").at(span)),
    }
}

/// `{name: a.b, value: c}` as `--set` would take it.
fn set_entry(entry: &Value, file: FileId) -> Result<String> {
    let wrong = |message: &str| Diagnostic::error("helmfile-field", message.to_owned()).at(place(entry, file));
    let Some(map) = entry.as_map() else { return Err(wrong("an entry of `set` is to be a mapping")) };
    let Some(name) = text(map, "name") else { return Err(wrong("an entry of `set` needs a `name`")) };
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
    let values = items(map, "values", file)?;
    match (text(map, "value"), values.is_empty()) {
        (Some(value), true) => Ok(format!("{name}={}", escaped(&value))),
        (None, false) => {
            let list: Vec<String> =
                values.iter().map(|value| escaped(&onepane_value::format::sprint(std::slice::from_ref(value)).to_str())).collect();
            Ok(format!("{name}={{{}}}", list.join(",")))
        }
        _ => Err(wrong("an entry of `set` needs a `value` or `values`; other sources are not supported yet")),
    }
}
