//! What a state file says of a release: [`Release`].

use crate::environment::read_text;
use crate::fields::{self, items, mapping, place, plain_text, text, unsupported};
use crate::files::{self, Missing};
use crate::spec::Templates;
use crate::yaml::for_helm;
use camino::Utf8PathBuf;
use onepane_chart::parse_values;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, Map, Value};
use std::collections::BTreeMap;

/// A release, as far as rendering it needs. Paths are relative to where the world starts.
#[derive(Clone, Debug)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace; empty where none is said.
    pub namespace: String,
    /// The chart's folder or archive. A chart from a repository has none, and is an obstacle to rendering.
    pub chart: Utf8PathBuf,
    /// The chart as the state file names it.
    pub chart_name: String,
    /// The chart's version constraint; empty where none is said.
    pub version: String,
    /// The values, later ones over earlier ones.
    pub values: Vec<ValuesSource>,
    /// `set:` entries as `--set` would take them, over the values.
    pub set: Vec<String>,
    /// Its labels: the state's common ones, its own, and `name`, `namespace` and `chart`.
    pub labels: BTreeMap<String, String>,
    /// Whether it is to be there: it is desired and enabled.
    pub installed: bool,
    /// Whether it is desired, by `installed`.
    pub desired: bool,
    /// Whether it is enabled, by `condition`.
    pub enabled: bool,
    /// The releases that must be there before it, as `[CONTEXT/][NAMESPACE/]NAME`.
    pub needs: Vec<String>,
    /// The cluster it belongs to, by its name in the user's kubeconfig; empty where none is said.
    pub kube_context: String,
    /// Where the state lists it.
    pub span: Span,
    /// Why it can't be rendered: what it asks for and is not supported yet, files that are not there.
    pub(crate) obstacles: Vec<Box<Diagnostic>>,
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
    pub(crate) templates: Templates<'a>,
    /// The state's fields.
    pub(crate) fields: &'a Map,
    /// The environment's values.
    pub(crate) values: &'a Map,
    pub(crate) kube_context: &'a str,
}

impl Release {
    pub(crate) fn read(item: &Value, around: &Surroundings<'_>) -> Result<Self> {
        let file = around.templates.file;
        let span = place(item, file);
        let Some(own) = item.as_map() else {
            return Err(Diagnostic::error("helmfile-field", "a release is to be a mapping").at(span));
        };
        fields::RELEASE.check(own, file)?;
        let map = around.templates.inherit(own)?;
        let mut obstacles = fields::RELEASE.check(&map, file)?;
        let common = mapping(around.fields, "commonLabels", file)?;
        // The state's common labels win over the release's own.
        let labels = mapping(&map, "labels", file)?.shallow_copy();
        common.for_each(|key, value| {
            labels.insert(key.clone(), value.clone());
        });
        map.insert("labels", labels.into());
        if text(&map, "kubeContext").is_none() {
            map.insert("kubeContext", around.kube_context.into());
        }
        let map = around.templates.resolve(&map)?;
        if let Some(namespace) = text(around.fields, "namespace") {
            map.insert("namespace", namespace.into());
        }
        let required = |key: &str| {
            text(&map, key)
                .ok_or_else(|| Diagnostic::error("helmfile-field", format!("a release needs a `{key}`")).at(span))
        };
        let (name, chart_name) = (required("name")?, required("chart")?);
        let namespace = text(&map, "namespace").unwrap_or_default();
        let kube_context = text(&map, "kubeContext").unwrap_or_default();
        let (desired, enabled) = (is_desired(&map, file)?, is_enabled(&map, around)?);
        let mut labels = BTreeMap::new();
        for (key, value) in mapping(&map, "labels", file)?.entries() {
            labels.insert(key.to_string(), plain_text(&value));
        }
        let last_part = chart_name.rsplit('/').next().unwrap_or_default();
        for (key, value) in [("name", name.as_str()), ("namespace", &namespace), ("chart", last_part)] {
            labels.insert(key.to_owned(), value.to_owned());
        }
        let (mut values, mut set) = (Vec::new(), Vec::new());
        if desired && enabled {
            let data = around.templates.data(&map);
            let missing = text(&map, "missingFileHandler").or_else(|| text(around.fields, "missingFileHandler"));
            let missing = Missing::parse(missing.as_deref(), &map, file)?;
            for source in items(&map, "values", file)? {
                match values_source(&source, around, missing, &data) {
                    Ok(source) => values.extend(source),
                    Err(obstacle) => obstacles.push(obstacle),
                }
            }
            for entry in items(&map, "set", file)? {
                match set_entry(&entry, file) {
                    Ok(entry) => set.push(entry),
                    Err(obstacle) => obstacles.push(obstacle),
                }
            }
        }
        let chart = onepane_world::normalize(&around.templates.folder.join(&chart_name));
        let is_local = chart_name.starts_with("./") || chart_name.starts_with("../");
        if !is_local && around.templates.world.kind(&chart).is_none() {
            let error =
                Diagnostic::error("helmfile-unsupported", format!("chart `{chart_name}` is not in the repository"));
            obstacles.push(
                error.at(span).hint("vendor it below helm-charts/ and name it as ./NAME: rendering uses no network"),
            );
        }
        let needs = items(&map, "needs", file)?;
        let needs = needs.iter().map(|need| full_need(&plain_text(need), &namespace, &kube_context)).collect();
        Ok(Self {
            version: text(&map, "version").unwrap_or_default(),
            installed: desired && enabled,
            name,
            namespace,
            chart,
            chart_name,
            values,
            set,
            labels,
            desired,
            enabled,
            needs,
            kube_context,
            span,
            obstacles,
        })
    }

    /// Why it can't be rendered; empty where it can.
    pub fn obstacles(&self) -> &[Box<Diagnostic>] {
        &self.obstacles
    }
}

/// What `installedTemplate` or `installed` say.
fn is_desired(map: &Map, file: FileId) -> Result<bool> {
    match boolean(map, "installedTemplate", file)? {
        Some(installed) => Ok(installed),
        None => Ok(boolean(map, "installed", file)?.unwrap_or(true)),
    }
}

fn boolean(map: &Map, key: &str, file: FileId) -> Result<Option<bool>> {
    let Some(value) = map.get(key).filter(|value| !value.is_nil()) else { return Ok(None) };
    let read = match (value.as_bool(), plain_text(&value).trim()) {
        (Some(value), _) => Some(value),
        (None, "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y") => Some(true),
        (None, "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "") => Some(false),
        _ => None,
    };
    match read {
        Some(read) => Ok(Some(read)),
        None => {
            let message = format!("`{key}` is to be true or false and is `{}`", plain_text(&value));
            Err(Diagnostic::error("helmfile-field", message).at(place(&value, file)))
        }
    }
}

/// What `conditionTemplate` or `condition` say: a boolean, or the path of one in the environment's values.
fn is_enabled(map: &Map, around: &Surroundings<'_>) -> Result<bool> {
    let file = around.templates.file;
    if let Some(enabled) = boolean(map, "conditionTemplate", file)? {
        return Ok(enabled);
    }
    let Some(condition) = text(map, "condition") else { return Ok(true) };
    let wrong = |message: String| {
        let place = place(&map.get("condition").unwrap_or_default(), file);
        Err(Diagnostic::error("helmfile-field", message).at(place))
    };
    match condition.to_ascii_lowercase().as_str() {
        "true" => return Ok(true),
        "false" => return Ok(false),
        _ => {}
    }
    let Some(path) = condition.strip_suffix(".enabled") else {
        return match condition.as_str() {
            "enabled" => Ok(around.values.get("enabled").and_then(|value| value.as_bool()).unwrap_or(false)),
            _ => wrong(format!("condition `{condition}` is not of the form NAME.enabled")),
        };
    };
    let mut current = around.values.clone();
    let mut seen = String::new();
    for key in path.split('.') {
        seen = format!("{seen}.{key}");
        current = match current.get(key).map(|value| value.data) {
            Some(Data::Map(map)) => map,
            Some(_) => return wrong(format!("environment values field `{seen}` is not a map")),
            None => return wrong(format!("environment values field `{seen}` not found")),
        };
    }
    Ok(current.get("enabled").and_then(|value| value.as_bool()).unwrap_or(false))
}

/// A need with the namespace and the cluster of the release that has it, where it names none.
fn full_need(need: &str, namespace: &str, kube_context: &str) -> String {
    let (rest, name) = need.rsplit_once('/').map_or((None, need), |(rest, name)| (Some(rest), name));
    let (context, namespace) = match rest.map(|rest| rest.rsplit_once('/').unwrap_or(("", rest))) {
        None => (kube_context, namespace),
        Some(("", namespace)) => (kube_context, namespace),
        Some((context, namespace)) => (context, namespace),
    };
    match (context, namespace) {
        ("", "") => name.to_owned(),
        ("", namespace) => format!("{namespace}/{name}"),
        (context, namespace) => format!("{context}/{namespace}/{name}"),
    }
}

/// A source of values; none where a file is not there and may be missing.
fn values_source(
    source: &Value,
    around: &Surroundings<'_>,
    missing: Missing,
    data: &Map,
) -> Result<Option<ValuesSource>> {
    let Templates { world, folder, file, .. } = around.templates;
    let span = place(source, file);
    match &source.data {
        Data::Map(_) if has_reference(source, 0) => Err(unsupported("a `ref+` reference", span)),
        Data::Map(_) => Ok(for_helm(source).as_map().cloned().map(ValuesSource::Inline)),
        Data::String(path) if path.starts_with(b"ref+") => Err(unsupported("a `ref+` reference", span)),
        Data::String(path) => {
            let found = files::find(world, folder, &path.to_str(), missing, span)?;
            let path = match found.as_slice() {
                [] => return Ok(None),
                [path] => path.clone(),
                _ => {
                    let message = format!("`{path}` names {} files; values of a release take one", found.len());
                    return Err(Diagnostic::error("helmfile-values", message).at(span));
                }
            };
            if path.extension() != Some("gotmpl") {
                return Ok(Some(ValuesSource::File { path, span }));
            }
            let bytes = read_text(world, &path, data, span)?;
            let source = Some((Step::ValuesFile, FileId::new(&path)));
            parse_values(&bytes, source).map(ValuesSource::Inline).map(Some)
        }
        _ => Err(Diagnostic::error("helmfile-field", "`values` takes paths and mappings").at(span)),
    }
}

/// Whether a value holds a reference to a secret elsewhere.
fn has_reference(value: &Value, depth: usize) -> bool {
    match &value.data {
        Data::String(text) => text.starts_with(b"ref+"),
        // Deeper than YAML is read there is nothing.
        Data::List(list) if depth < 1000 => list.iter().any(|item| has_reference(item, depth + 1)),
        Data::Map(map) if depth < 1000 => map.entries().iter().any(|(_, value)| has_reference(value, depth + 1)),
        _ => false,
    }
}

/// `{name: a.b, value: c}` as `--set` would take it.
fn set_entry(entry: &Value, file: FileId) -> Result<String> {
    let wrong = |message: &str| Diagnostic::error("helmfile-field", message.to_owned()).at(place(entry, file));
    let Some(map) = entry.as_map() else { return Err(wrong("an entry of `set` is to be a mapping")) };
    let Some(name) = text(map, "name") else { return Err(wrong("an entry of `set` needs a `name`")) };
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
    let values = items(map, "values", file)?;
    match (map.get("value").filter(|value| !value.is_nil()), values.is_empty()) {
        (Some(value), true) => Ok(format!("{name}={}", escaped(&plain_text(&value)))),
        (None, false) => {
            let list: Vec<String> = values.iter().map(|value| escaped(&plain_text(value))).collect();
            Ok(format!("{name}={{{}}}", list.join(",")))
        }
        _ => Err(wrong("an entry of `set` needs a `value` or `values`; other sources are not supported yet")),
    }
}
