//! The rules for what templates print, and for `crds/`.

use super::objects::{Object, Objects};
use super::{Linter, Severity, names};
use onepane_chart::decode::{self, Target};
use onepane_resource::deprecation_warning;
use onepane_value::{Value, from_yaml_as_go};
use onepane_world::EntryKind;

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
            if object.kind == "List" {
                let outcome = match keeps_items(text) {
                    Ok(false) => Ok(()),
                    Ok(true) => Err("annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned()),
                    Err(message) => Err(format!("unable to parse YAML: {message}")),
                };
                linter.check(Severity::Error, file, outcome);
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
            let read = self.objects(name, &file.text(), |linter, object| {
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
        for object in Objects::new(text) {
            match object {
                Ok(None) => {}
                Ok(Some(object)) => look(self, &object),
                Err(message) => {
                    return self.check(Severity::Error, file, Err(format!("unable to parse YAML: {message}")));
                }
            }
        }
        true
    }
}

/// Whether an item of a List says that it is to be kept, which only objects of their own can say. The error is Go's text.
fn keeps_items(text: &str) -> Result<bool, String> {
    const ANNOTATIONS: &str = "Items.Metadata.Annotations";
    const METADATA: &str = "struct { Annotations map[string]string }";
    let target = |field, go_type| Target { structure: "", field, go_type };
    let item_type = format!("struct {{ Metadata {METADATA} }}");
    let (list_type, slice_type) = (format!("struct {{ Items []{item_type} }}"), format!("[]{item_type}"));
    let mut kept = false;
    let list = from_yaml_as_go(text)?;
    let Some(list) = decode::entries(&list, target("", &list_type))? else { return Ok(false) };
    decode::fields(list, &["Items"], |_, items| {
        for item in decode::list(items, target("Items", &slice_type))? {
            let Some(item) = decode::entries(item, target("Items", &item_type))? else { continue };
            decode::fields(item, &["Metadata"], |_, metadata| {
                let metadata = decode::entries(metadata, target("Items.Metadata", METADATA))?;
                metadata.map_or(Ok(()), |metadata| {
                    decode::fields(metadata, &["Annotations"], |_, annotations| {
                        let Some(map) = decode::entries(annotations, target(ANNOTATIONS, "map[string]string"))? else {
                            return Ok(());
                        };
                        map.try_for_each(|key, value| {
                            kept |= key.as_bytes() == b"helm.sh/resource-policy";
                            decode::string(value, target(ANNOTATIONS, "string")).map(|_| ())
                        })
                    })
                })
            })?;
        }
        Ok(())
    })?;
    Ok(kept)
}
