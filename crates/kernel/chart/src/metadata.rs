//! Chart.yaml: [`Metadata`], [`Dependency`], [`Maintainer`].

use crate::decode::{self, Target};
use onepane_diagnostics::Origin;
use onepane_semver::Version;
use onepane_value::{Map, Text, Value};
use std::collections::HashSet;

/// What Chart.yaml says, and the `dependencies` of requirements.yaml in a chart of API version v1.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `apiVersion`: `v1` or `v2`.
    pub api_version: String,
    /// `name`, or the alias that a parent gave.
    pub name: String,
    /// `version`, a semantic version.
    pub version: String,
    /// `kubeVersion`, a constraint.
    pub kube_version: String,
    /// `description`
    pub description: String,
    /// `type`: `application`, `library` or empty.
    pub kind: String,
    /// `keywords`
    pub keywords: Vec<String>,
    /// `home`
    pub home: String,
    /// `sources`
    pub sources: Vec<String>,
    /// `maintainers`
    pub maintainers: Vec<Maintainer>,
    /// `icon`
    pub icon: String,
    /// `appVersion`
    pub app_version: String,
    /// `deprecated`
    pub deprecated: bool,
    /// `annotations`, in the order of their names; `None` where there is no such key.
    pub annotations: Option<Vec<(String, String)>>,
    /// `dependencies`; `None` where there is no such key, which switches dependency processing off.
    pub dependencies: Option<Vec<Dependency>>,
    /// `condition`, which nothing reads.
    pub condition: String,
    /// `tags`, which nothing reads.
    pub tags: String,
    /// Where fields that are texts come from, where that was asked for.
    pub origins: Vec<(String, Origin)>,
}

/// An entry of `dependencies`.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// `name`; the alias once dependencies were processed.
    pub name: String,
    /// `version`, a constraint.
    pub version: String,
    /// `repository`
    pub repository: String,
    /// `condition`: paths into the values, separated by commas; the first that is there decides.
    pub condition: String,
    /// `tags`
    pub tags: Vec<String>,
    /// Whether it is wanted, once dependencies were processed.
    pub enabled: bool,
    /// `import-values`
    pub import_values: Vec<Value>,
    /// `alias`
    pub alias: String,
}

/// An entry of `maintainers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// `name`
    pub name: String,
    /// `email`
    pub email: String,
    /// `url`
    pub url: String,
}

/// A list item that is null, where Helm has a nil pointer: validation refuses it, so it is told apart by this name.
const NULL_ITEM: &str = "\0";

impl Metadata {
    /// The fields of Chart.yaml.
    pub const FIELDS: &'static [&'static str] = &[
        "name",
        "home",
        "sources",
        "version",
        "description",
        "keywords",
        "maintainers",
        "icon",
        "apiVersion",
        "condition",
        "tags",
        "appVersion",
        "deprecated",
        "annotations",
        "kubeVersion",
        "dependencies",
        "type",
    ];

    /// Reads Chart.yaml and no more, without asking whether it makes sense. The error is Go's text.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut metadata = Self::default();
        metadata.decode(&as_go(text)?)?;
        Ok(metadata)
    }

    /// Refuses keys of Chart.yaml that mean nothing or stand twice. The error is Go's text.
    pub fn check_strictly(text: &str) -> Result<(), String> {
        crate::strict::check(text, &as_go(text)?)
    }

    /// Takes over the fields that `document` has.
    pub(crate) fn decode(&mut self, document: &Value) -> Result<(), String> {
        let whole = Target { structure: "", field: "", go_type: "v2.Metadata" };
        let Some(map) = decode::entries(document, whole)? else { return Ok(()) };
        decode::fields(map, Self::FIELDS, |field, value| {
            let target = |go_type| Target { structure: "Metadata", field, go_type };
            match field {
                "sources" => self.sources = decode::strings(value, target("[]string"))?,
                "keywords" => self.keywords = decode::strings(value, target("[]string"))?,
                "maintainers" => {
                    let items = decode::list(value, target("[]*v2.Maintainer"))?;
                    self.maintainers = items.iter().map(Maintainer::decode).collect::<Result<_, _>>()?;
                }
                "deprecated" => set(&mut self.deprecated, decode::boolean(value, target("bool"))?),
                "annotations" => {
                    let Some(map) = decode::entries(value, target("map[string]string"))? else {
                        self.annotations = None;
                        return Ok(());
                    };
                    let mut entries = self.annotations.take().unwrap_or_default();
                    map.try_for_each(|key, value| {
                        let value = decode::string(value, target("string"))?.unwrap_or_default();
                        entries.push((key.to_str().into_owned(), value));
                        Ok::<_, String>(())
                    })?;
                    self.annotations = Some(entries);
                }
                "dependencies" if value.is_nil() => self.dependencies = None,
                "dependencies" => {
                    let items = decode::list(value, target("[]*v2.Dependency"))?;
                    self.dependencies = Some(items.iter().map(Dependency::decode).collect::<Result<_, _>>()?);
                }
                _ => {
                    let text = decode::string(value, target("string"))?;
                    if value.origin.is_known() {
                        self.origins.push((field.to_owned(), value.origin.clone()));
                    }
                    let place = match field {
                        "name" => &mut self.name,
                        "home" => &mut self.home,
                        "version" => &mut self.version,
                        "description" => &mut self.description,
                        "icon" => &mut self.icon,
                        "apiVersion" => &mut self.api_version,
                        "condition" => &mut self.condition,
                        "tags" => &mut self.tags,
                        "appVersion" => &mut self.app_version,
                        "kubeVersion" => &mut self.kube_version,
                        _ => &mut self.kind,
                    };
                    set(place, text);
                }
            }
            Ok(())
        })
    }

    /// Drops what can't be printed: descriptions are a stranger's, and terminals obey what is written between letters.
    pub fn sanitize(&mut self) {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        for Maintainer { name, email, url } in self.maintainers.iter_mut().filter(|maintainer| !maintainer.is_null()) {
            [name, email, url].into_iter().for_each(sanitize);
        }
        for dependency in self.dependencies.iter_mut().flatten().filter(|dependency| dependency.name != NULL_ITEM) {
            let Dependency { name, version, repository, condition, tags, .. } = dependency;
            [name, version, repository, condition].into_iter().chain(tags).for_each(sanitize);
        }
    }

    /// [Sanitizes](Self::sanitize) and refuses what Helm refuses, with its words.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        self.sanitize();
        let required = |what: &str| Err(format!("validation: chart.metadata.{what} is required"));
        if self.api_version.is_empty() {
            return required("apiVersion");
        }
        if self.name.is_empty() {
            return required("name");
        }
        if self.name == "." || self.name == ".." {
            return Err(format!("validation: chart.metadata.name {:?} is not allowed", self.name));
        }
        // Go's `filepath.Base` of nothing but slashes is one of them.
        if self.name.contains('/') && self.name != "/" {
            return Err(format!("validation: chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return required("version");
        }
        if Version::parse(&self.version).is_err() {
            return Err(format!("validation: chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err("validation: chart.metadata.type must be application or library".to_owned());
        }
        if self.maintainers.iter().any(Maintainer::is_null) {
            return Err("validation: maintainers must not contain empty or null nodes".to_owned());
        }
        let mut names = HashSet::new();
        for dependency in self.dependencies.iter().flatten() {
            dependency.validate()?;
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !names.insert(key.clone()) {
                return Err(format!("validation: more than one dependency with name or alias {key:?}"));
            }
        }
        Ok(())
    }

    /// What templates see as `.Chart`: a map under the names of the Go fields.
    pub fn to_map(&self) -> Map {
        let strings = |items: &[String]| -> Value {
            items.iter().map(|item| Value::string(item.as_str())).collect::<onepane_value::List>().into()
        };
        let annotations = match &self.annotations {
            None => Map::nil(onepane_value::MapType::String),
            Some(entries) => {
                let map = Map::of(onepane_value::MapType::String);
                for (key, value) in entries {
                    map.insert(key.as_str(), Value::string(value.as_str()));
                }
                map
            }
        };
        let text = |field: &str, text: &str| {
            let origin = self.origins.iter().rev().find(|(of, _)| of == field).map(|(_, origin)| origin.clone());
            Value::string(text).with_origin(origin.unwrap_or_default())
        };
        [
            ("APIVersion", text("apiVersion", &self.api_version)),
            ("Annotations", annotations.into()),
            ("AppVersion", text("appVersion", &self.app_version)),
            ("Condition", text("condition", &self.condition)),
            (
                "Dependencies",
                self.dependencies
                    .iter()
                    .flatten()
                    .map(|dependency| Value::from(dependency.to_map()))
                    .collect::<onepane_value::List>()
                    .into(),
            ),
            ("Deprecated", self.deprecated.into()),
            ("Description", text("description", &self.description)),
            ("Home", text("home", &self.home)),
            ("Icon", text("icon", &self.icon)),
            ("Keywords", strings(&self.keywords)),
            ("KubeVersion", text("kubeVersion", &self.kube_version)),
            (
                "Maintainers",
                self.maintainers
                    .iter()
                    .map(|maintainer| Value::from(maintainer.to_map()))
                    .collect::<onepane_value::List>()
                    .into(),
            ),
            ("Name", text("name", &self.name)),
            ("Sources", strings(&self.sources)),
            ("Tags", text("tags", &self.tags)),
            ("Type", text("type", &self.kind)),
            ("Version", text("version", &self.version)),
        ]
        .into_iter()
        .collect()
    }
}

fn as_go(text: &str) -> Result<Value, String> {
    onepane_value::from_yaml(text, None)
        .map_err(|error| onepane_value::from_yaml_as_go(text).err().unwrap_or(error.message))
}

impl Dependency {
    /// The fields of an entry.
    pub const FIELDS: &'static [&'static str] =
        &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

    fn decode(item: &Value) -> Result<Self, String> {
        let mut dependency = Self::default();
        let whole = Target { structure: "Metadata", field: "dependencies", go_type: "v2.Dependency" };
        let Some(map) = decode::entries(item, whole)? else {
            dependency.name = NULL_ITEM.to_owned();
            return Ok(dependency);
        };
        decode::fields(map, Self::FIELDS, |field, value| dependency.set(field, value, ""))?;
        Ok(dependency)
    }

    /// Takes over one of [`FIELDS`](Self::FIELDS). `above` is what stands before it in the path that errors name.
    pub fn set(&mut self, field: &str, value: &Value, above: &str) -> Result<(), String> {
        let path = format!("{above}dependencies.{field}");
        let target = |go_type| Target { structure: "Dependency", field: &path, go_type };
        match field {
            "tags" => self.tags = decode::strings(value, target("[]string"))?,
            "enabled" => set(&mut self.enabled, decode::boolean(value, target("bool"))?),
            "import-values" => self.import_values = decode::list(value, target("[]interface {}"))?.to_vec(),
            _ => {
                let text = decode::string(value, target("string"))?;
                let place = match field {
                    "name" => &mut self.name,
                    "version" => &mut self.version,
                    "repository" => &mut self.repository,
                    "condition" => &mut self.condition,
                    _ => &mut self.alias,
                };
                set(place, text);
            }
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        if self.name == NULL_ITEM {
            return Err("validation: dependencies must not contain empty or null nodes".to_owned());
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !self.alias.chars().all(allowed) {
            return Err(format!("validation: dependency {:?} has disallowed characters in the alias", self.name));
        }
        Ok(())
    }

    fn to_map(&self) -> Map {
        [
            ("Alias", Value::string(self.alias.as_str())),
            ("Condition", Value::string(self.condition.as_str())),
            ("Enabled", self.enabled.into()),
            ("ImportValues", self.import_values.iter().cloned().collect::<onepane_value::List>().into()),
            ("Name", Value::string(self.name.as_str())),
            ("Repository", Value::string(self.repository.as_str())),
            ("Tags", self.tags.iter().map(|tag| Value::string(tag.as_str())).collect::<onepane_value::List>().into()),
            ("Version", Value::string(self.version.as_str())),
        ]
        .into_iter()
        .collect()
    }
}

impl Maintainer {
    /// The fields of an entry.
    pub const FIELDS: &'static [&'static str] = &["name", "email", "url"];

    /// Whether the list has a null here, where Helm has a nil pointer.
    pub fn is_null(&self) -> bool {
        self.name == NULL_ITEM
    }

    fn decode(item: &Value) -> Result<Self, String> {
        let mut maintainer = Self::default();
        let whole = Target { structure: "Metadata", field: "maintainers", go_type: "v2.Maintainer" };
        let Some(map) = decode::entries(item, whole)? else {
            maintainer.name = NULL_ITEM.to_owned();
            return Ok(maintainer);
        };
        decode::fields(map, Self::FIELDS, |field, value| {
            let path = format!("maintainers.{field}");
            let text = decode::string(value, Target { structure: "Maintainer", field: &path, go_type: "string" })?;
            let place = match field {
                "name" => &mut maintainer.name,
                "email" => &mut maintainer.email,
                _ => &mut maintainer.url,
            };
            set(place, text);
            Ok(())
        })?;
        Ok(maintainer)
    }

    fn to_map(&self) -> Map {
        [("Email", &self.email), ("Name", &self.name), ("URL", &self.url)]
            .map(|(key, text)| (Text::from(key), Value::string(text.as_str())))
            .into_iter()
            .collect()
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Makes every kind of space a space and drops what can't be printed.
fn sanitize(text: &mut String) {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return;
    }
    let unprintable = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{E000}'..='\u{F8FF}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..)
    };
    *text = text
        .chars()
        .filter_map(|c| if c.is_whitespace() { Some(' ') } else { (!unprintable(c)).then_some(c) })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_value::{List, Value};

    fn metadata(entries: &[(&str, Value)]) -> Result<Metadata, String> {
        let map: Map = entries.iter().map(|(key, value)| (*key, value.clone())).collect();
        let mut metadata = Metadata { api_version: "v2".into(), ..Metadata::default() };
        metadata.decode(&map.into())?;
        metadata.validate()?;
        Ok(metadata)
    }

    #[test]
    fn what_helm_refuses_is_refused_in_its_words() {
        let name = ("name", Value::string("c"));
        let version = ("version", Value::string("1.0.0"));
        let cases = [
            (vec![], "validation: chart.metadata.name is required"),
            (vec![name.clone()], "validation: chart.metadata.version is required"),
            (vec![("name", "../x".into()), version.clone()], "validation: chart.metadata.name \"../x\" is invalid"),
            (vec![name.clone(), ("version", "x".into())], "validation: chart.metadata.version \"x\" is invalid"),
            (
                vec![name.clone(), version.clone(), ("type", "x".into())],
                "validation: chart.metadata.type must be application or library",
            ),
            (
                vec![name.clone(), version.clone(), ("dependencies", List::new([Value::NIL]).into())],
                "validation: dependencies must not contain empty or null nodes",
            ),
            (
                vec![name.clone(), ("version", List::new([]).into())],
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field \
                 Metadata.version of type string",
            ),
        ];
        for (entries, wanted) in cases {
            assert_eq!(metadata(&entries).expect_err(wanted), wanted);
        }
    }

    #[test]
    fn names_match_in_any_case_and_numbers_become_text() {
        let read = metadata(&[
            ("Name", "a\tb\u{200B}".into()),
            ("VERSION", Value::float(1.5)),
            ("appversion", Value::float(2.0)),
        ]);
        let read = read.expect("the metadata is good");
        assert_eq!((read.name.as_str(), read.version.as_str(), read.app_version.as_str()), ("a b", "1.5", "2"));
    }
}
