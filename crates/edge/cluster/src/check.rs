//! Manifests checked as Helm does before it would install them: that the cluster serves their kinds, and that what is
//! there already belongs to the release.

use crate::cluster::Cluster;
use crate::discovery::{Gvk, Mapping};
use crate::failure::aggregate;
use crate::identity::{check_metadata, kind_of, metadata, object_kind};
use crate::lookup::check_segment;
use crate::schema::Schemas;
use onepane_value::{Value, from_yaml, to_json};
use serde_json::Value as Json;
use std::cell::OnceCell;

/// How deep lists in lists are opened.
const DEEPEST: usize = 64;

/// What manifests are checked for.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// The release's name.
    pub release: &'a str,
    /// Its namespace, which is also that of resources without one.
    pub namespace: &'a str,
    /// What it means that a resource is there already.
    pub ownership: Ownership,
    /// Whether manifests are held against the published schemas, where the server does not do so itself.
    pub validates: bool,
}

/// What it means that a resource is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// It has to be this release's.
    Required,
    /// It will be this release's, whoever has it now; that it can be read is enough.
    Taken,
    /// Nothing: nobody looks.
    Ignored,
}

/// A resource of a manifest, and where it would be in the cluster.
struct Found {
    kind: String,
    mapping: Mapping,
    namespace: String,
    name: String,
    has_generated_name: bool,
}

impl Cluster {
    /// Checks `manifests`, each a YAML document or several. The error is Helm's.
    pub fn check<'a>(&self, manifests: impl IntoIterator<Item = &'a [u8]>, check: Check<'_>) -> Result<(), String> {
        let build = Build { cluster: self, check, schemas: OnceCell::new() };
        let found = build
            .resources(manifests)
            .map_err(|error| format!("unable to build kubernetes objects from release manifest: {error}"))?;
        if check.ownership == Ownership::Ignored {
            return Ok(());
        }
        found
            .iter()
            .try_for_each(|resource| self.check_owner(resource, check))
            .map_err(|error| format!("unable to continue with install: {error}"))
    }

    fn check_owner(&self, resource: &Found, check: Check<'_>) -> Result<(), String> {
        let Found { kind, mapping, namespace, name, has_generated_name } = resource;
        match (name.is_empty(), has_generated_name) {
            (true, true) => return Ok(()),
            (false, true) => return Err("metadata.name and metadata.generateName cannot both be set".to_owned()),
            (_, false) => {}
        }
        let shown = format!("{kind} {name:?} in namespace {namespace:?}");
        let unknown = |error| format!("could not get information about the resource {shown}: {error}");
        if name.is_empty() {
            return Err(unknown("resource name may not be empty".to_owned()));
        }
        check_segment("namespace", namespace).and_then(|()| check_segment("resource name", name)).map_err(unknown)?;
        let asked = format!("{} {name}", mapping.qualified());
        let existing = match self.get_object(&mapping.path(namespace, name), &asked) {
            Ok(existing) => existing,
            Err(failure) if failure.is_not_found => return Ok(()),
            Err(failure) => return Err(unknown(failure.message)),
        };
        if check.ownership == Ownership::Taken {
            return Ok(());
        }
        match foreign(&existing, check) {
            None => Ok(()),
            Some(problems) => Err(format!(
                "{shown} exists and cannot be imported into the current release: invalid ownership metadata; {problems}"
            )),
        }
    }
}

/// What says that `existing` is not the release's.
fn foreign(existing: &Json, check: Check<'_>) -> Option<String> {
    let wanted = [
        ("label", "labels", "app.kubernetes.io/managed-by", "Helm"),
        ("annotation", "annotations", "meta.helm.sh/release-name", check.release),
        ("annotation", "annotations", "meta.helm.sh/release-namespace", check.namespace),
    ];
    let problems: Vec<String> = wanted
        .into_iter()
        .filter_map(|(what, field, key, wanted)| {
            let value = existing.get("metadata").and_then(|metadata| metadata.get(field)?.get(key)?.as_str());
            match value {
                Some(value) if value == wanted => None,
                Some(value) => Some(format!(
                    "{what} validation error: key {key:?} must equal {wanted:?}: current value is {value:?}"
                )),
                None => Some(format!("{what} validation error: missing key {key:?}: must be set to {wanted:?}")),
            }
        })
        .collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Manifests on their way to resources.
struct Build<'a> {
    cluster: &'a Cluster,
    check: Check<'a>,
    schemas: OnceCell<Schemas>,
}

impl Build<'_> {
    /// The resources of all manifests, lists opened. What is wrong with any of them is said at once, up to the first
    /// that is no manifest at all.
    fn resources<'m>(&self, manifests: impl IntoIterator<Item = &'m [u8]>) -> Result<Vec<Found>, String> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for document in manifests.into_iter().flat_map(documents) {
            match self.read(&document) {
                Ok(None) => {}
                Ok(Some(json)) => self.add(&json, &mut found, &mut problems),
                Err(problem) => {
                    problems.push(problem);
                    break;
                }
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(aggregate(&problems)) }
    }

    /// A document that may be built on; `None` for an empty one.
    fn read(&self, document: &str) -> Result<Option<Json>, String> {
        let parsed = from_yaml(document, None).map_err(|error| format!("error parsing : {error}"))?;
        if parsed.is_nil() {
            return Ok(None);
        }
        let json = as_json(&parsed).map_err(|error| format!("error parsing : {error}"))?;
        if self.check.validates {
            self.validate(&json)
                .map_err(|problem| format!("error validating \"\": error validating data: {problem}"))?;
        }
        Ok(Some(json))
    }

    fn validate(&self, json: &Json) -> Result<(), String> {
        let gvk = object_kind(json).map_err(|problems| aggregate(&problems))?;
        let is_list = gvk == Gvk { group: String::new(), version: "v1".to_owned(), kind: "List".to_owned() };
        let cluster = self.cluster;
        if !is_list && cluster.validates() && self.served()?.can_be_patched(&gvk) {
            return Ok(());
        }
        let mut problems = Vec::new();
        if is_list {
            let invalid = || "invalid object to validate".to_owned();
            for item in json.get("items").and_then(Json::as_array).ok_or_else(invalid)? {
                match object_kind(item) {
                    Ok(gvk) => problems.extend(self.schemas()?.problems(&gvk.group, &gvk.version, &gvk.kind, item)),
                    Err(more) => problems.extend(more),
                }
            }
        } else if self.served()?.mapping(&gvk).is_some() {
            problems = self.schemas()?.problems(&gvk.group, &gvk.version, &gvk.kind, json);
        }
        if problems.is_empty() { Ok(()) } else { Err(aggregate(&problems)) }
    }

    /// The published schemas, fetched when they are first needed.
    fn schemas(&self) -> Result<&Schemas, String> {
        if let Some(schemas) = self.schemas.get() {
            return Ok(schemas);
        }
        let openapi = self.cluster.get_object("/openapi/v2", "");
        let openapi = openapi.map_err(|failure| format!("failed to download openapi: {failure}"))?;
        Ok(self.schemas.get_or_init(|| Schemas::new(openapi)))
    }

    fn served(&self) -> Result<&crate::discovery::Discovery, String> {
        self.cluster.served().map_err(|failure| failure.message)
    }

    fn add(&self, json: &Json, found: &mut Vec<Found>, problems: &mut Vec<String>) {
        let decoded = kind_of(json, None)
            .ok_or_else(|| format!("Object 'Kind' is missing in '{}'", go_json(json)))
            .and_then(|gvk| check_metadata(json).map(|()| gvk));
        let gvk = match decoded {
            Ok(gvk) => gvk,
            Err(problem) => return problems.push(format!("unable to decode \"\": {problem}")),
        };
        let mapping = self.served().map(|served| served.mapping(&gvk));
        match mapping {
            Err(problem) => problems.push(problem),
            Ok(None) => {
                let (name, namespace) = (metadata(json, "name"), metadata(json, "namespace"));
                problems.push(format!(
                    "resource mapping not found for name: {name:?} namespace: {namespace:?} from \"\": {}\nensure CRDs \
                     are installed first",
                    no_match(&gvk)
                ));
            }
            Ok(Some(mapping)) if json.get("items").is_none() => found.push(self.found(json, gvk, mapping)),
            Ok(Some(_)) => self.add_items(json, &gvk, found, problems, 0),
        }
    }

    fn add_items(&self, list: &Json, of: &Gvk, found: &mut Vec<Found>, problems: &mut Vec<String>, depth: usize) {
        for item in list.get("items").and_then(Json::as_array).into_iter().flatten() {
            let Some(gvk) = kind_of(item, Some(of)) else {
                let problem = "unable to get type info from the object \"*unstructured.Unstructured\": Object 'Kind' is \
                               missing in 'unstructured object has no kind'";
                problems.push(problem.to_owned());
                continue;
            };
            if item.get("items").is_some() && depth < DEEPEST {
                self.add_items(item, &gvk, found, problems, depth + 1);
                continue;
            }
            match self.served().map(|served| served.mapping(&gvk)) {
                Err(problem) => problems.push(problem),
                Ok(None) => problems.push(format!("unable to recognize {}", no_match(&gvk))),
                Ok(Some(mapping)) => found.push(self.found(item, gvk, mapping)),
            }
        }
    }

    fn found(&self, json: &Json, gvk: Gvk, mapping: Mapping) -> Found {
        let given = metadata(json, "namespace");
        let namespace = match (mapping.is_namespaced, given) {
            (false, _) => "",
            (true, "") => self.check.namespace,
            (true, given) => given,
        };
        Found {
            kind: gvk.kind,
            mapping,
            namespace: namespace.to_owned(),
            name: metadata(json, "name").to_owned(),
            has_generated_name: !metadata(json, "generateName").is_empty(),
        }
    }
}

fn no_match(gvk: &Gvk) -> String {
    match gvk.version.as_str() {
        "" => format!("no matches for kind {:?} in group {:?}", gvk.kind, gvk.group),
        _ => format!("no matches for kind {:?} in version {:?}", gvk.kind, gvk.group_version()),
    }
}

/// The documents of a text. Templates' texts are one each, files of CRDs may be several.
fn documents(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    documents.retain(|document| !document.trim().is_empty());
    documents
}

fn as_json(value: &Value) -> Result<Json, String> {
    let text = to_json(value).map_err(|error| error.to_string())?;
    serde_json::from_slice(text.as_bytes()).map_err(|error| error.to_string())
}

/// JSON as Go writes it.
fn go_json(json: &Json) -> String {
    to_json(&crate::value::to_value(json)).map(|text| text.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn owners_are_told_by_their_marks() {
        let check = Check { release: "r", namespace: "n", ownership: Ownership::Required, validates: true };
        let metadata = json!({"metadata": {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"},
        }});
        assert_eq!(foreign(&metadata, check), None);
        let wanted =
            "annotation validation error: key \"meta.helm.sh/release-name\" must equal \"q\": current value is \"r\"";
        assert_eq!(foreign(&metadata, Check { release: "q", ..check }).as_deref(), Some(wanted));
    }
}
