//! Chart.yaml as the Go struct that Helm reads it into: what Helm 3's templates see, and what Helm writes.

use crate::metadata::{Dependency, Maintainer, Metadata};
use onepane_value::{ElementType, Kind, List, Map, MapType, Object, Text, Value, to_yaml};
use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

impl Metadata {
    /// Chart.yaml as Helm writes it: keys by name, what is empty left out. The error is Go's text.
    pub fn to_yaml(&self) -> Result<Text, String> {
        to_yaml(&structure("*v2.Metadata", Kind::Pointer, fields(self)))
    }

    /// `.Chart` in Helm 3.
    pub fn to_struct(&self, is_root: bool) -> Value {
        let mut fields = fields(self);
        fields.push(always("IsRoot", "IsRoot", is_root.into()));
        structure("struct { chart.Metadata; IsRoot bool }", Kind::Struct, fields)
    }
}

fn fields(metadata: &Metadata) -> Vec<Field> {
    let annotations = Map::of(MapType::String);
    for (key, value) in metadata.annotations.iter().flatten() {
        annotations.insert(key.as_str(), Value::string(value.as_str()));
    }
    let annotations = if metadata.annotations.is_some() { annotations } else { Map::nil(MapType::String) };
    vec![
        optional("Name", "name", text(&metadata.name)),
        optional("Home", "home", text(&metadata.home)),
        optional("Sources", "sources", strings(&metadata.sources)),
        optional("Version", "version", text(&metadata.version)),
        optional("Description", "description", text(&metadata.description)),
        optional("Keywords", "keywords", strings(&metadata.keywords)),
        optional(
            "Maintainers",
            "maintainers",
            structures(ElementType::Maintainer, metadata.maintainers.iter().map(maintainer)),
        ),
        optional("Icon", "icon", text(&metadata.icon)),
        optional("APIVersion", "apiVersion", text(&metadata.api_version)),
        optional("Condition", "condition", text(&metadata.condition)),
        optional("Tags", "tags", text(&metadata.tags)),
        optional("AppVersion", "appVersion", text(&metadata.app_version)),
        optional("Deprecated", "deprecated", metadata.deprecated.into()),
        optional("Annotations", "annotations", annotations.into()),
        optional("KubeVersion", "kubeVersion", text(&metadata.kube_version)),
        optional(
            "Dependencies",
            "dependencies",
            structures(ElementType::Dependency, metadata.dependencies.iter().flatten().map(dependency)),
        ),
        optional("Type", "type", text(&metadata.kind)),
    ]
}

fn maintainer(maintainer: &Maintainer) -> Value {
    let fields = vec![
        optional("Name", "name", text(&maintainer.name)),
        optional("Email", "email", text(&maintainer.email)),
        optional("URL", "url", text(&maintainer.url)),
    ];
    structure("*chart.Maintainer", Kind::Pointer, fields)
}

fn dependency(dependency: &Dependency) -> Value {
    let fields = vec![
        always("Name", "name", text(&dependency.name)),
        optional("Version", "version", text(&dependency.version)),
        always("Repository", "repository", text(&dependency.repository)),
        optional("Condition", "condition", text(&dependency.condition)),
        optional("Tags", "tags", strings(&dependency.tags)),
        optional("Enabled", "enabled", dependency.enabled.into()),
        optional("ImportValues", "import-values", dependency.import_values.iter().cloned().collect::<List>().into()),
        optional("Alias", "alias", text(&dependency.alias)),
    ];
    structure("*chart.Dependency", Kind::Pointer, fields)
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn structures(element: ElementType, items: impl Iterator<Item = Value>) -> Value {
    List::of(element, items.collect::<Rc<[Value]>>()).into()
}

fn strings(items: &[String]) -> Value {
    List::of(ElementType::String, items.iter().map(|item| text(item)).collect::<Rc<[Value]>>()).into()
}

fn structure(type_name: &'static str, kind: Kind, fields: Vec<Field>) -> Value {
    Value::object(Structure { type_name, kind, fields })
}

/// A field that encoders leave out when it is empty.
fn optional(name: &'static str, json_name: &'static str, value: Value) -> Field {
    Field { name, json_name, written: value.truth(), value }
}

fn always(name: &'static str, json_name: &'static str, value: Value) -> Field {
    Field { name, json_name, written: true, value }
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    json_name: &'static str,
    written: bool,
    value: Value,
}

/// A Go struct, or a pointer to one.
#[derive(Debug)]
struct Structure {
    type_name: &'static str,
    kind: Kind,
    fields: Vec<Field>,
}

impl Object for Structure {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    fn plain(&self) -> Value {
        self.declared_fields().unwrap_or_default().into_iter().collect::<Map>().into()
    }

    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let written = self.fields.iter().filter(|field| field.written);
        Some(written.map(|field| (field.json_name, field.value.clone())).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
