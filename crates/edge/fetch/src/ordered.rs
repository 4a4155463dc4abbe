//! Go structs as data: fields in the order of their declaration for JSON, sorted for YAML, the empty ones left out.

use onepane_chart::{Dependency, Maintainer, Metadata};
use onepane_value::{Data, List, Map, Value, to_json};
use std::fmt::Write;

/// A value whose objects know the order of their fields.
pub(crate) enum Ordered {
    Value(Value),
    Object(Vec<(String, Ordered)>),
    List(Vec<Ordered>),
}

impl Ordered {
    pub(crate) fn text(text: &str) -> Self {
        Self::Value(Value::string(text))
    }

    /// A value of any kind. How deep it nests is bounded by whoever read it.
    pub(crate) fn of(value: &Value) -> Self {
        match &value.data {
            Data::List(items) if !items.is_nil() => Self::List(items.iter().map(Self::of).collect()),
            Data::Map(map) if !map.is_nil() => {
                let entries = map.entries().into_iter();
                Self::Object(entries.map(|(key, value)| (key.to_str().into_owned(), Self::of(&value))).collect())
            }
            _ => Self::Value(value.clone()),
        }
    }

    /// encoding/json's `Marshal`, or `MarshalIndent` with two spaces a level.
    pub(crate) fn json(&self, indented: bool) -> Result<String, String> {
        let mut out = String::new();
        self.write(&mut out, indented.then_some(0))?;
        Ok(out)
    }

    /// For `to_yaml`, which sorts keys as sigs.k8s.io/yaml does.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::List(items) => items.iter().map(Self::value).collect::<List>().into(),
            Self::Object(fields) => {
                let map = Map::new();
                for (key, field) in fields {
                    map.insert(key.as_str(), field.value());
                }
                map.into()
            }
        }
    }

    fn write(&self, out: &mut String, level: Option<usize>) -> Result<(), String> {
        let inner = level.map(|level| level + 1);
        let line = |out: &mut String, level: Option<usize>| {
            if let Some(level) = level {
                let _ = write!(out, "\n{:1$}", "", level * 2);
            }
        };
        match self {
            Self::Value(value) => out.push_str(&to_json(value)?.to_str()),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Object(fields) if fields.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(out, inner);
                    item.write(out, inner)?;
                }
                line(out, level);
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (key, field)) in fields.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    line(out, inner);
                    out.push_str(&to_json(&Value::string(key.as_str()))?.to_str());
                    out.push_str(if level.is_some() { ": " } else { ":" });
                    field.write(out, inner)?;
                }
                line(out, level);
                out.push('}');
            }
        }
        Ok(())
    }
}

/// Collects the fields that are not empty, which Go's `omitempty` keeps.
#[derive(Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, Ordered)>);

impl Fields {
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.always(name, Ordered::text(text));
        }
    }

    pub(crate) fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.always(name, Ordered::Value(true.into()));
        }
    }

    pub(crate) fn texts(&mut self, name: &str, texts: &[String]) {
        self.list(name, texts.iter().map(|text| Ordered::text(text)).collect());
    }

    pub(crate) fn list(&mut self, name: &str, items: Vec<Ordered>) {
        if !items.is_empty() {
            self.always(name, Ordered::List(items));
        }
    }

    pub(crate) fn always(&mut self, name: &str, field: Ordered) {
        self.0.push((name.to_owned(), field));
    }
}

/// Helm's `Metadata`.
pub(crate) fn metadata(metadata: &Metadata) -> Fields {
    let mut fields = Fields::default();
    fields.text("name", &metadata.name);
    fields.text("home", &metadata.home);
    fields.texts("sources", &metadata.sources);
    fields.text("version", &metadata.version);
    fields.text("description", &metadata.description);
    fields.texts("keywords", &metadata.keywords);
    fields.list("maintainers", metadata.maintainers.iter().map(maintainer).collect());
    fields.text("icon", &metadata.icon);
    fields.text("apiVersion", &metadata.api_version);
    fields.text("condition", &metadata.condition);
    fields.text("tags", &metadata.tags);
    fields.text("appVersion", &metadata.app_version);
    fields.flag("deprecated", metadata.deprecated);
    let mut annotations = metadata.annotations.clone().unwrap_or_default();
    if !annotations.is_empty() {
        annotations.sort();
        let entries = annotations.into_iter().map(|(key, value)| (key, Ordered::text(&value)));
        fields.always("annotations", Ordered::Object(entries.collect()));
    }
    fields.text("kubeVersion", &metadata.kube_version);
    fields.list("dependencies", metadata.dependencies.iter().flatten().map(dependency).collect());
    fields.text("type", &metadata.kind);
    fields
}

fn maintainer(maintainer: &Maintainer) -> Ordered {
    let mut fields = Fields::default();
    fields.text("name", &maintainer.name);
    fields.text("email", &maintainer.email);
    fields.text("url", &maintainer.url);
    Ordered::Object(fields.0)
}

/// Helm's `Dependency`, which always has a name and a repository.
pub(crate) fn dependency(dependency: &Dependency) -> Ordered {
    let mut fields = Fields::default();
    fields.always("name", Ordered::text(&dependency.name));
    fields.text("version", &dependency.version);
    fields.always("repository", Ordered::text(&dependency.repository));
    fields.text("condition", &dependency.condition);
    fields.texts("tags", &dependency.tags);
    fields.flag("enabled", dependency.enabled);
    fields.list("import-values", dependency.import_values.iter().map(Ordered::of).collect());
    fields.text("alias", &dependency.alias);
    Ordered::Object(fields.0)
}
