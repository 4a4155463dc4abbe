//! What a state file says of a release: [`Release`].

use crate::environment::{decrypted, read_text};
use crate::fields::{items, mapping, place, plain_text, text, unsupported};
use crate::files::{self, Missing};
use crate::outside::Outside;
use crate::spec::Templates;
use crate::state::State;
use crate::yaml::{self, for_helm};
use crate::{merge, references, secrets, template};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::parse_values;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_value::{Data, List, Map, Value};
use onepane_world::{World, normalize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A release. Paths are relative to where the world starts.
#[derive(Clone, Debug)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace; empty where none is said.
    pub namespace: String,
    /// The chart's folder or archive. A chart from a repository has none there.
    pub chart: Utf8PathBuf,
    /// The chart as the state file names it.
    pub chart_name: String,
    /// The chart as its own entry names it, whatever is said for all releases.
    pub own_chart: String,
    /// The chart's version constraint; empty where none is said.
    pub version: String,
    /// The values, later ones over earlier ones: of a state that was [loaded](crate::load).
    pub values: Vec<ValuesSource>,
    /// `set:` entries as `--set` would take them, over the values: of a state that was [loaded](crate::load).
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
    /// All that is said of it, templates resolved.
    pub(crate) spec: Map,
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

/// A flag of Helm's that sets a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetFlag {
    /// `set`, `set-string` or `set-file`.
    pub flag: &'static str,
    /// `NAME=VALUE`
    pub value: String,
}

/// What a release is read within.
pub(crate) struct Surroundings<'a> {
    pub(crate) templates: Templates<'a>,
    /// The state's fields.
    pub(crate) fields: &'a Map,
    /// The environment's values.
    pub(crate) values: &'a Map,
}

impl Release {
    pub(crate) fn read(item: &Value, around: &Surroundings<'_>) -> Result<Self> {
        let file = around.templates.file;
        let span = place(item, file);
        let Some(own) = item.as_map() else {
            return Err(Diagnostic::error("helmfile-field", "a release is to be a mapping").at(span));
        };
        let map = around.templates.inherit(own)?;
        let state = |key: &str| text(around.fields, key);
        // The state's common labels win over the release's own.
        let labels = mapping(&map, "labels", file)?.shallow_copy();
        mapping(around.fields, "commonLabels", file)?.for_each(|key, value| {
            labels.insert(key.clone(), value.clone());
        });
        map.insert("labels", labels.into());
        if text(&map, "kubeContext").is_none() {
            let default = text(&mapping(around.fields, "helmDefaults", file)?, "kubeContext");
            map.insert("kubeContext", default.unwrap_or_default().into());
        }
        for key in ["apiVersions", "kubeVersion"] {
            let own = map.get(key).filter(Value::truth);
            if let (None, Some(default)) = (own, around.fields.get(key)) {
                map.insert(key, default);
            }
        }
        let map = around.templates.resolve(&map)?;
        for (template, key) in
            [("installedTemplate", "installed"), ("waitTemplate", "wait"), ("verifyTemplate", "verify")]
        {
            if let Some(value) = boolean(&map, template, file)? {
                map.insert(key, value.into());
                map.remove(template);
            }
        }
        if let Some(value) = boolean(&map, "conditionTemplate", file)? {
            map.insert("condition", value.to_string().into());
            map.remove("conditionTemplate");
        }
        let name = text(&map, "name").unwrap_or_default();
        let Some(chart) = text(&map, "chart") else {
            return Err(Diagnostic::error("helmfile-field", "a release needs a `chart`").at(span));
        };
        let chart_name = state("chart").unwrap_or_else(|| chart.clone());
        if let Some(context) = state("kubeContext") {
            map.insert("kubeContext", context.into());
        }
        if let Some(namespace) = state("namespace") {
            map.insert("namespace", namespace.into());
        }
        let namespace = text(&map, "namespace").unwrap_or_default();
        let kube_context = text(&map, "kubeContext").unwrap_or_default();
        let desired = map.get("installed").filter(|value| !value.is_nil()).is_none_or(|value| value.truth());
        let enabled = is_enabled(&map, around)?;
        let labels = Map::new();
        mapping(&map, "labels", file)?.for_each(|key, value| {
            labels.insert(key.clone(), plain_text(value).into());
        });
        let last_part = chart.rsplit('/').next().unwrap_or_default();
        for (key, value) in [("name", name.as_str()), ("namespace", &namespace), ("chart", last_part)] {
            labels.insert(key, value.into());
        }
        let needs: Vec<String> = items(&map, "needs", file)?
            .iter()
            .map(|need| full_need(&plain_text(need), &namespace, &kube_context))
            .collect();
        if !needs.is_empty() {
            map.insert("needs", needs.iter().map(|need| Value::from(need.as_str())).collect::<List>().into());
        }
        map.insert("labels", labels.clone().into());
        Ok(Self {
            version: text(&map, "version").unwrap_or_default(),
            installed: desired && enabled,
            chart: normalize(&around.templates.folder.join(&chart_name)),
            own_chart: chart,
            name,
            namespace,
            chart_name,
            values: Vec::new(),
            set: Vec::new(),
            labels: labels.entries().into_iter().map(|(key, value)| (key.to_string(), plain_text(&value))).collect(),
            desired,
            enabled,
            needs,
            kube_context,
            span,
            spec: map,
        })
    }

    /// What needs name it by: `[CONTEXT/][NAMESPACE/]NAME`.
    pub fn id(&self) -> String {
        full_need(&self.name, &self.namespace, &self.kube_context)
    }

    /// A field.
    pub fn field(&self, key: &str) -> Option<Value> {
        self.spec.get(key).filter(|value| !value.is_nil())
    }

    /// The texts of a list.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let list = self.field(key).and_then(|value| value.as_list().map(|list| list.to_vec()));
        list.unwrap_or_default().iter().map(plain_text).collect()
    }

    /// Gives it the version of a lock file.
    pub(crate) fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
        self.spec.insert("version", version.into());
    }

    /// Whether the chart is a path rather than the name of one in a repository.
    pub fn has_local_chart(&self) -> bool {
        is_local_chart(&self.chart_name)
    }

    /// Reads what rendering needs: values, then secrets over them.
    pub(crate) fn prepare(&mut self, state: &State, world: &dyn World, outside: &dyn Outside) -> Result<()> {
        let file = FileId::new(&state.path);
        let missing = self.missing(state, file)?;
        let data = state.release_data(self);
        for source in items(&self.spec, "values", file)? {
            self.values.extend(values_source(&source, state, (world, outside), missing, &data)?);
        }
        for source in items(&self.spec, "secrets", file)? {
            let span = place(&source, file);
            let Data::String(path) = &source.data else {
                return Err(unsupported("an encrypted mapping within `secrets`", span));
            };
            if let Some(path) =
                only_one(files::find(world, outside, state.folder(), &path.to_str(), missing, span)?, span)?
            {
                let plain = decrypted(world, outside, &path, span)?;
                let encrypted = world.read(&path).unwrap_or_else(|_| [].into());
                self.values.push(ValuesSource::Inline(secrets::helm_values(&plain, &encrypted, &path, span)?));
            }
        }
        for entry in items(&self.spec, "set", file)? {
            if is_secret(&entry, outside) {
                return Err(
                    unsupported("a secret in `set`", place(&entry, file)).hint("set it in `values` or `secrets`")
                );
            }
            self.set.push(set_entry(&entry, file)?);
        }
        let is_local = self.chart_name.starts_with("./") || self.chart_name.starts_with("../");
        if !is_local && world.kind(&self.chart).is_none() {
            let message = format!("chart `{}` is not in the repository", self.chart_name);
            let hint = "vendor it below helm-charts/ and name it as ./NAME: rendering uses no network";
            return Err(Diagnostic::error("helmfile-unsupported", message).at(self.span).hint(hint));
        }
        Ok(())
    }

    fn missing(&self, state: &State, file: FileId) -> Result<Missing> {
        let handler = text(&self.spec, "missingFileHandler").or_else(|| text(&state.fields, "missingFileHandler"));
        Missing::parse(handler.as_deref(), &self.spec, file)
    }

    /// The texts of its values files, in the order in which they are laid over one another: references to secrets are
    /// resolved, secrets decrypted.
    ///
    /// # Errors
    /// For files that are not there, templates that fail, and secrets that can't be read.
    pub fn values_files(&self, state: &State, world: &dyn World, outside: &dyn Outside) -> Result<Vec<Arc<[u8]>>> {
        let file = FileId::new(&state.path);
        let mut files = self.rendered("values", state, world, outside, &state.release_data(self))?;
        let missing = Missing::parse(text(&self.spec, "missingFileHandler").as_deref(), &self.spec, file)?;
        for source in items(&self.spec, "secrets", file)? {
            let span = place(&source, file);
            let Data::String(path) = &source.data else {
                let bytes = yaml::text_of(&source, span)?;
                let decrypted = outside.decrypt(Utf8Path::new("secrets.yaml"), bytes.as_bytes());
                let problem = |problem| Diagnostic::error("helmfile-secrets", problem).at(span);
                files.push(decrypted.map_err(problem)?.into());
                continue;
            };
            let path = format!("{}{path}", text(&self.spec, "valuesPathPrefix").unwrap_or_default());
            if let Some(path) = only_one(files::find(world, outside, state.folder(), &path, missing, span)?, span)? {
                files.push(decrypted(world, outside, &path, span)?.into());
            }
        }
        Ok(files)
    }

    /// The entries of `jsonPatches`, `strategicMergePatches` or `transformers` as texts. Templates among them see the
    /// release's values, too.
    ///
    /// # Errors
    /// For files that are not there, and templates that fail.
    pub fn patch_files(
        &self,
        key: &str,
        state: &State,
        world: &dyn World,
        outside: &dyn Outside,
    ) -> Result<Vec<Arc<[u8]>>> {
        if self.field(key).is_none_or(|value| !value.truth()) {
            return Ok(Vec::new());
        }
        let data = state.release_data(self);
        let mut values = state.values.clone();
        for bytes in self.values_files(state, world, outside)? {
            values = merge::values(&values, &yaml::values(&bytes, FileId::new("values"))?);
        }
        let values = Value::from(values).deep_copy();
        data.insert("Values", values.clone());
        data.insert("StateValues", values);
        self.rendered(key, state, world, outside, &data)
    }

    /// A text that is a template, on what templates of the release see.
    ///
    /// # Errors
    /// For a template that fails.
    pub fn rendered_text(
        &self,
        path: &Utf8Path,
        bytes: &[u8],
        state: &State,
        world: &dyn World,
        outside: &dyn Outside,
    ) -> Result<String> {
        let text = String::from_utf8_lossy(bytes);
        template::render(world, outside, state.folder(), FileId::new(path), 0, &text, &state.release_data(self))
    }

    /// The entries of a list of files and mappings as texts; what templates among them see is `data`.
    pub(crate) fn rendered(
        &self,
        key: &str,
        state: &State,
        world: &dyn World,
        outside: &dyn Outside,
        data: &Map,
    ) -> Result<Vec<Arc<[u8]>>> {
        let file = FileId::new(&state.path);
        let missing = self.missing(state, file)?;
        let prefix =
            if key == "values" { text(&self.spec, "valuesPathPrefix").unwrap_or_default() } else { String::new() };
        let mut files: Vec<Arc<[u8]>> = Vec::new();
        let look_up = |reference: &str| references::look_up(outside, world, state.folder(), reference);
        for source in items(&self.spec, key, file)? {
            let span = place(&source, file);
            let secret = |unresolved: references::Unresolved| unresolved.at(span);
            let is_reference =
                key == "values" && source.as_text().is_some_and(|text| references::has_reference(&text.to_str()));
            let source = if key == "values" { references::expand(&source, &look_up).map_err(secret)? } else { source };
            // What a reference stands for is in no message, also where it is no path.
            let hidden = |error: Box<Diagnostic>| match is_reference {
                true => Diagnostic::error("helmfile-secrets", "what this reference stands for is no file of values")
                    .at(span),
                false => error,
            };
            match &source.data {
                Data::Map(_) | Data::List(_) => files.push(yaml::text_of(&source, span)?.into_bytes().into()),
                Data::String(path) => {
                    let found = files::find(world, outside, state.folder(), &format!("{prefix}{path}"), missing, span);
                    if let Some(path) = found.and_then(|found| only_one(found, span)).map_err(hidden)? {
                        let bytes = read_text(world, outside, &path, data, span)?;
                        let has_references = std::str::from_utf8(&bytes).is_ok_and(references::has_reference);
                        files.push(if has_references {
                            let values = yaml::values(&bytes, FileId::new(&path))?;
                            let values = references::expand(&values.into(), &look_up).map_err(secret)?;
                            yaml::text_of(&values, span)?.into_bytes().into()
                        } else {
                            bytes
                        });
                    }
                }
                _ => {
                    let message = format!("unexpected type of value: {}", plain_text(&source));
                    return Err(hidden(Diagnostic::error("helmfile-field", message).at(span)));
                }
            }
        }
        Ok(files)
    }

    /// The flags that set its values: `set`, `setString` and `env`.
    ///
    /// # Errors
    /// For references to secrets that can't be resolved, and environment variables that are not set.
    pub fn set_flags(&self, state: &State, world: &dyn World, outside: &dyn Outside) -> Result<Vec<SetFlag>> {
        let file = FileId::new(&state.path);
        let mut flags = Vec::new();
        for (key, flag) in [("set", "set"), ("setString", "set-string")] {
            for entry in items(&self.spec, key, file)? {
                let span = place(&entry, file);
                let Some(map) = entry.as_map() else { continue };
                let name = escaped(&text(map, "name").unwrap_or_default());
                let resolved = |value: &Value| {
                    let value =
                        references::expand(value, &|text| references::look_up(outside, world, state.folder(), text));
                    value.map_err(|unresolved| unresolved.at(span))
                };
                if let Some(value) = map.get("value").filter(Value::truth) {
                    let value = format!("{name}={}", escaped(&plain_text(&resolved(&value)?)));
                    flags.push(SetFlag { flag, value });
                } else if let Some(path) = text(map, "file").filter(|_| flag == "set") {
                    let path = normalize(&state.folder().join(path));
                    flags.push(SetFlag { flag: "set-file", value: format!("{name}={path}") });
                } else {
                    let mut list = Vec::new();
                    for value in items(map, "values", file)? {
                        let text = match &value.data {
                            Data::String(_) => plain_text(&resolved(&value)?),
                            _ => onepane_value::to_json(&value)
                                .map_err(|problem| Diagnostic::error("helmfile-field", problem).at(span))?
                                .to_string(),
                        };
                        list.push(escaped(&text));
                    }
                    if !list.is_empty() {
                        flags.push(SetFlag { flag, value: format!("{name}={{{}}}", list.join(",")) });
                    }
                }
            }
        }
        let mut variables = Vec::new();
        for entry in items(&self.spec, "env", file)? {
            let Some(map) = entry.as_map() else { continue };
            let variable = text(map, "value").unwrap_or_default();
            let Some(value) = world.env(&variable) else {
                let message = format!("Environment Variables not found. Please make sure they are set: {variable}");
                return Err(Diagnostic::error("helmfile-field", message).at(place(&entry, file)));
            };
            variables.push(format!("{}={}", escaped(&text(map, "name").unwrap_or_default()), escaped(&value)));
        }
        if !variables.is_empty() {
            flags.push(SetFlag { flag: "set", value: variables.join(",") });
        }
        Ok(flags)
    }
}

impl State {
    /// What templates of a release see.
    pub(crate) fn release_data(&self, release: &Release) -> Map {
        crate::spec::data(&self.data, &release.spec)
    }
}

/// Whether Helmfile takes a chart's name for a path.
pub(crate) fn is_local_chart(chart: &str) -> bool {
    if chart.starts_with("./") || chart.starts_with("../") {
        return true;
    }
    if chart.contains("://") {
        return false;
    }
    chart.starts_with('/') || !matches!(chart.split('/').count(), 2 | 3)
}

/// Values of a release are one file an entry.
fn only_one(found: Vec<Utf8PathBuf>, span: Span) -> Result<Option<Utf8PathBuf>> {
    if found.len() > 1 {
        let message = "glob patterns in release values and secrets is not supported yet".to_owned();
        return Err(Diagnostic::error("helmfile-values", message).at(span));
    }
    Ok(found.into_iter().next())
}

/// What Helmfile escapes for `--set`.
fn escaped(text: &str) -> String {
    text.replace('{', "\\{").replace('}', "\\}").replace(',', "\\,")
}

/// A boolean that a template was rendered to.
fn boolean(map: &Map, key: &str, file: FileId) -> Result<Option<bool>> {
    let Some(value) = map.get(key).filter(|value| !value.is_nil()) else { return Ok(None) };
    match plain_text(&value).trim() {
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "on" => Ok(Some(true)),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "off" | "" | "null" | "~" => Ok(Some(false)),
        other => {
            let message = format!("`{key}` is to be true or false and is `{other}`");
            Err(Diagnostic::error("helmfile-field", message).at(place(&value, file)))
        }
    }
}

/// What `condition` says: a boolean, or the path of one in the environment's values.
fn is_enabled(map: &Map, around: &Surroundings<'_>) -> Result<bool> {
    let file = around.templates.file;
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
    state: &State,
    (world, outside): (&dyn World, &dyn Outside),
    missing: Missing,
    data: &Map,
) -> Result<Option<ValuesSource>> {
    let file = FileId::new(&state.path);
    let span = place(source, file);
    let inline = |values: &Map| {
        let values = secrets::noted(values, outside).into();
        let look_up = |reference: &str| references::look_up(outside, world, state.folder(), reference);
        let values = references::expand(&values, &look_up).map_err(|unresolved| unresolved.at(span))?;
        Ok(values.as_map().cloned().map(ValuesSource::Inline))
    };
    match &source.data {
        Data::Map(_) => inline(for_helm(source).as_map().unwrap_or(&Map::new())),
        Data::String(path) if references::has_reference(&path.to_str()) => Err(unsupported("a `ref+` reference", span)),
        Data::String(path) => {
            let found = files::find(world, outside, state.folder(), &path.to_str(), missing, span)?;
            let Some(path) = only_one(found, span)? else { return Ok(None) };
            let bytes = read_text(world, outside, &path, data, span)?;
            let has_references = std::str::from_utf8(&bytes).is_ok_and(references::has_reference);
            if path.extension() != Some("gotmpl") && !has_references {
                return Ok(Some(ValuesSource::File { path, span }));
            }
            inline(&parse_values(&bytes, Some((Step::ValuesFile, FileId::new(&path))))?)
        }
        _ => Err(Diagnostic::error("helmfile-field", "`values` takes paths and mappings").at(span)),
    }
}

/// Whether an entry of `set` refers to a secret, or a template made it of one.
fn is_secret(entry: &Value, outside: &dyn Outside) -> bool {
    fn refers(value: &Value) -> bool {
        match &value.data {
            Data::String(text) => references::has_reference(&text.to_str()),
            Data::List(list) => list.iter().any(refers),
            _ => false,
        }
    }
    let Some(map) = entry.as_map() else { return false };
    let fields = ["value", "values"].into_iter().filter_map(|key| map.get(key));
    fields.into_iter().any(|value| refers(&value)) || Value::from(secrets::noted(map, outside)).secret().is_some()
}

/// `{name: a.b, value: c}` as `--set` would take it.
fn set_entry(entry: &Value, file: FileId) -> Result<String> {
    let wrong = |message: &str| Diagnostic::error("helmfile-field", message.to_owned()).at(place(entry, file));
    let Some(map) = entry.as_map() else { return Err(wrong("an entry of `set` is to be a mapping")) };
    let Some(name) = text(map, "name") else { return Err(wrong("an entry of `set` needs a `name`")) };
    let values = items(map, "values", file)?;
    match (text(map, "value"), values.is_empty()) {
        (Some(value), true) => Ok(format!("{}={}", escaped(&name), escaped(&value))),
        (None, false) => {
            let list: Vec<String> = values.iter().map(|value| escaped(&plain_text(value))).collect();
            Ok(format!("{}={{{}}}", escaped(&name), list.join(",")))
        }
        _ => Err(wrong("an entry of `set` needs a `value` or `values`; files are not read here")),
    }
}
