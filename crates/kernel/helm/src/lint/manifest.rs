//! The rules for what templates print, and for `crds/`.

use super::{Linter, Severity, names};
use onepane_chart::decode::{self, Target};
use onepane_chart::documents;
use onepane_resource::deprecation_warning;
use onepane_value::{Data, Value, from_yaml_as_go};
use onepane_world::EntryKind;

/// What the rules look at.
#[derive(Default)]
struct Object {
    api_version: String,
    kind: String,
    name: String,
}

impl Linter<'_> {
    /// Lints the manifests of a file; whether it could be read.
    pub(super) fn manifests(&mut self, file: &str, text: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(text) else {
            let message = "unable to parse YAML: error converting YAML to JSON: yaml: invalid leading UTF-8 octet";
            return self.check(Severity::Error, file, Err(message.to_owned()));
        };
        if text.trim().is_empty() {
            return true;
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if first.starts_with([' ', '\t']) {
            let line = onepane_value::format::sprintf(b"%q", &[Value::string(first)]);
            let message = format!("document starts with an illegal indent: {line}, which may cause parsing problems");
            self.check(Severity::Warning, file, Err(message));
        }
        let version = self.options.capabilities.major_minor();
        self.objects(file, text, |linter, object| {
            linter.check(Severity::Warning, file, names::check(&object.kind, &object.name));
            let warning = deprecation_warning(&object.api_version, &object.kind, version);
            linter.check(Severity::Warning, file, warning.map_or(Ok(()), Err));
            let workload = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"].contains(&object.kind.as_str());
            if workload && !text.contains("matchLabels") && !text.contains("matchExpressions") {
                let message = format!(
                    "a {} must contain matchLabels or matchExpressions, and {:?} does not",
                    object.kind, object.name
                );
                linter.check(Severity::Error, file, Err(message));
            }
            if object.kind == "List" && keeps_items(text) {
                let message = "annotation 'helm.sh/resource-policy' within List objects are ignored";
                linter.check(Severity::Error, file, Err(message.to_owned()));
            }
        })
    }

    pub(super) fn crds(&mut self) {
        const FOLDER: &str = "crds/";
        match self.kind("crds") {
            None => return,
            Some(EntryKind::Folder) => {}
            Some(_) => {
                self.check(Severity::Error, FOLDER, Err("not a directory".to_owned()));
                return;
            }
        }
        let chart = match self.chart.clone() {
            Ok(chart) => chart,
            Err(message) => {
                self.check(Severity::Error, FOLDER, Err(message));
                return;
            }
        };
        for (_, file) in chart.crds() {
            let name = &*file.name;
            let read = self.objects(name, &String::from_utf8_lossy(file.bytes()), |linter, object| {
                if !object.api_version.starts_with("apiextensions.k8s.io") {
                    let message = "apiVersion is not in 'apiextensions.k8s.io'";
                    linter.check(Severity::Error, name, Err(message.to_owned()));
                }
                if object.kind != "CustomResourceDefinition" {
                    let message = "object kind is not 'CustomResourceDefinition'";
                    linter.check(Severity::Error, name, Err(message.to_owned()));
                }
            });
            if !read {
                return;
            }
        }
    }

    /// Calls `look` with every object of a stream; whether all of it could be read.
    fn objects(&mut self, file: &str, text: &str, mut look: impl FnMut(&mut Self, &Object)) -> bool {
        let unreadable = |message: String| Err(format!("unable to parse YAML: {message}"));
        let documents = match documents(text) {
            Ok(documents) => documents,
            Err(error) => return self.check(Severity::Error, file, unreadable(error.message)),
        };
        for (_, document) in documents {
            match Object::read(&document) {
                Ok(None) => {}
                Ok(Some(object)) => look(self, &object),
                Err(message) => return self.check(Severity::Error, file, unreadable(message)),
            }
        }
        true
    }
}

impl Object {
    /// `None` for a document that says nothing. The error is Go's text.
    fn read(document: &str) -> Result<Option<Self>, String> {
        let value = from_yaml_as_go(document)?;
        let mut object = Self::default();
        let whole = Target { structure: "", field: "", go_type: "rules.k8sYamlStruct" };
        let Some(map) = decode::entries(&value, whole)? else { return Ok(None) };
        decode::fields(map, &["apiVersion", "Kind", "Metadata"], |field, value| {
            let target = |go_type| Target { structure: "k8sYamlStruct", field, go_type };
            match field {
                "apiVersion" => object.api_version = decode::string(value, target("string"))?.unwrap_or_default(),
                "Kind" => object.kind = decode::string(value, target("string"))?.unwrap_or_default(),
                _ => {
                    let metadata = decode::entries(value, target("rules.k8sYamlMetadata"))?;
                    let Some(metadata) = metadata else { return Ok(()) };
                    decode::fields(metadata, &["Namespace", "Name"], |field, value| {
                        let path = format!("Metadata.{field}");
                        let target = Target { structure: "k8sYamlStruct", field: &path, go_type: "string" };
                        let text = decode::string(value, target)?;
                        if field == "Name" {
                            object.name = text.unwrap_or_default();
                        }
                        Ok(())
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(Some(object))
    }
}

/// Whether an item of a List says that it is to be kept, which only objects of their own can say.
fn keeps_items(text: &str) -> bool {
    let Ok(list) = from_yaml_as_go(text) else { return false };
    let field = |value: &Value, key: &str| value.as_map().and_then(|map| map.get(key));
    let Some(Value { data: Data::List(items), .. }) = field(&list, "items") else { return false };
    items.iter().any(|item| {
        let annotations = field(item, "metadata").and_then(|metadata| field(&metadata, "annotations"));
        annotations.is_some_and(|annotations| field(&annotations, "helm.sh/resource-policy").is_some())
    })
}
