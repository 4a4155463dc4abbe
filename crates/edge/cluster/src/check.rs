//! Manifests checked as Helm does before it would install them: that the cluster serves their kinds, and that what is
//! there already belongs to the release.

use crate::client::Call;
use crate::cluster::Cluster;
use crate::discovery::{Discovery, Gvk, Mapping};
use crate::failure::aggregate;
use crate::identity::{check_metadata, kind_of, metadata, object_kind};
use crate::resource::Resource;
use crate::schema::Schemas;
use futures::stream::{StreamExt, iter};
use onepane_value::{Value, from_yaml, to_json};
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// As many requests are on the way at once.
const AT_ONCE: usize = 32;
/// Of so many of a kind in a namespace it is asked at once which are there, if there are no more than a page of it.
const MANY: usize = 16;
const PAGE: usize = 500;
/// Of what is there, names are enough.
const NAMES: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
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

impl Cluster {
    /// Checks `manifests`, each a YAML document or several. The error is Helm's.
    pub fn check<'a>(&self, manifests: impl IntoIterator<Item = &'a [u8]>, check: Check<'_>) -> Result<(), String> {
        let manifests: Vec<&[u8]> = manifests.into_iter().collect();
        self.run(async {
            let validation = if check.validates { Validation::Strict } else { Validation::None };
            let found = self
                .build(&manifests, check.namespace, validation)
                .await
                .map_err(|error| format!("unable to build kubernetes objects from release manifest: {error}"))?;
            if check.ownership == Ownership::Ignored {
                return Ok(());
            }
            self.adoptable(&found, check)
                .await
                .map(drop)
                .map_err(|error| format!("unable to continue with install: {error}"))
        })
    }

    /// The resources of `manifests`, in `namespace` where they say none. The error is Helm's.
    pub async fn build(
        &self,
        manifests: &[&[u8]],
        namespace: &str,
        validation: Validation,
    ) -> Result<Vec<Resource>, String> {
        let served = self.served().await.map_err(|failure| failure.message)?;
        let mut build = Build { cluster: self, served, namespace, validation, schemas: None, misses: Cell::new(false) };
        let built = build.resources(manifests);
        if !build.misses.get() {
            return built;
        }
        let openapi = self.object_at("/openapi/v2", "").await;
        let openapi = openapi.map_err(|failure| format!("failed to download openapi: {failure}"))?;
        build.schemas = Some(Schemas::new(openapi));
        build.resources(manifests)
    }

    /// Those of `resources` that are there already and may be the release's, by their places in the list. The error tells,
    /// in Helm's words, of the first that may not.
    pub async fn adoptable(&self, resources: &[Resource], check: Check<'_>) -> Result<Vec<usize>, String> {
        let there = self.names_there(resources).await;
        let is_absent = |resource: &Resource| {
            let names = there.get(&resource.collection());
            names.is_some_and(|names| !resource.name.is_empty() && !names.contains(&resource.name))
        };
        let asked = iter(resources).map(async |resource| match is_absent(resource) {
            true if !resource.has_generated_name() => Ok(false),
            _ => self.is_adoptable(resource, check).await,
        });
        let mut asked = asked.buffered(AT_ONCE).enumerate();
        let mut found = Vec::new();
        while let Some((place, is_there)) = asked.next().await {
            if is_there? {
                found.push(place);
            }
        }
        Ok(found)
    }

    /// The names of all that is there, by the path of where it is, for kinds of which many are looked for. What can't be
    /// listed is left out: then each is asked for by itself.
    async fn names_there(&self, resources: &[Resource]) -> HashMap<String, HashSet<String>> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for resource in resources.iter().filter(|resource| resource.check_path().is_ok()) {
            *counts.entry(resource.collection()).or_default() += 1;
        }
        let many = counts.into_iter().filter(|(_, count)| *count >= MANY).map(|(path, _)| path);
        let lists = iter(many).map(async |path| {
            let answer = self.client().send(&Call::get(&format!("{path}?limit={PAGE}"), NAMES)).await.ok()?;
            let list = answer.object("").ok()?;
            let is_whole = list.get("metadata")?.get("continue").and_then(Json::as_str).is_none_or(str::is_empty);
            // Where there are none, Go writes null.
            let items = list.get("items").and_then(Json::as_array).into_iter().flatten();
            let names = items.map(|item| metadata(item, "name").to_owned());
            is_whole.then(|| (path, names.collect()))
        });
        lists.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
    }

    async fn is_adoptable(&self, resource: &Resource, check: Check<'_>) -> Result<bool, String> {
        match (resource.name.is_empty(), resource.has_generated_name()) {
            (true, true) => return Ok(false),
            (false, true) => return Err("metadata.name and metadata.generateName cannot both be set".to_owned()),
            (_, false) => {}
        }
        let unknown = |error| format!("could not get information about the resource {resource}: {error}");
        resource.check_path().map_err(unknown)?;
        let existing = match self.object_at(&resource.path(), &resource.asked()).await {
            Ok(existing) => existing,
            Err(failure) if failure.is_not_found => return Ok(false),
            Err(failure) => return Err(unknown(failure.message)),
        };
        if check.ownership == Ownership::Taken {
            return Ok(true);
        }
        match foreign(&existing, check.release, check.namespace) {
            None => Ok(true),
            Some(problems) => Err(format!(
                "{resource} exists and cannot be imported into the current release: invalid ownership metadata; \
                 {problems}"
            )),
        }
    }
}

/// What says that `existing` is not of the release of this name and namespace; `None` where it is.
pub fn foreign(existing: &Json, release: &str, namespace: &str) -> Option<String> {
    let wanted = [
        ("label", "labels", "app.kubernetes.io/managed-by", "Helm"),
        ("annotation", "annotations", "meta.helm.sh/release-name", release),
        ("annotation", "annotations", "meta.helm.sh/release-namespace", namespace),
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

/// Whether manifests are held against the published schemas, where the server does not do so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// They are.
    Strict,
    /// They are not.
    None,
}

/// Manifests on their way to resources.
struct Build<'a> {
    cluster: &'a Cluster,
    served: Rc<Discovery>,
    /// Of resources that say none.
    namespace: &'a str,
    validation: Validation,
    /// The published schemas, which few need.
    schemas: Option<Schemas>,
    /// Whether schemas are needed and not there.
    misses: Cell<bool>,
}

impl Build<'_> {
    /// The resources of all manifests, lists opened. What is wrong with any of them is said at once, up to the first
    /// that is no manifest at all.
    fn resources(&self, manifests: &[&[u8]]) -> Result<Vec<Resource>, String> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for document in manifests.iter().flat_map(|text| documents(text)) {
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
        if self.validation == Validation::Strict {
            self.validate(&json)
                .map_err(|problem| format!("error validating \"\": error validating data: {problem}"))?;
        }
        Ok(Some(json))
    }

    fn validate(&self, json: &Json) -> Result<(), String> {
        let gvk = object_kind(json).map_err(|problems| aggregate(&problems))?;
        let is_list = gvk == Gvk { group: String::new(), version: "v1".to_owned(), kind: "List".to_owned() };
        if !is_list && self.cluster.validates() && self.served.can_be_patched(&gvk) {
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
        } else if self.served.mapping(&gvk).is_some() {
            problems = self.schemas()?.problems(&gvk.group, &gvk.version, &gvk.kind, json);
        }
        if problems.is_empty() { Ok(()) } else { Err(aggregate(&problems)) }
    }

    /// The published schemas; where they are not there, it is noted that they have to be fetched.
    fn schemas(&self) -> Result<&Schemas, String> {
        self.schemas.as_ref().ok_or_else(|| {
            self.misses.set(true);
            "the published schemas have to be fetched".to_owned()
        })
    }

    fn add(&self, json: &Json, found: &mut Vec<Resource>, problems: &mut Vec<String>) {
        let decoded = kind_of(json, None)
            .ok_or_else(|| format!("Object 'Kind' is missing in '{}'", go_json(json)))
            .and_then(|gvk| check_metadata(json).map(|()| gvk));
        let gvk = match decoded {
            Ok(gvk) => gvk,
            Err(problem) => return problems.push(format!("unable to decode \"\": {problem}")),
        };
        match self.served.mapping(&gvk) {
            None => {
                let (name, namespace) = (metadata(json, "name"), metadata(json, "namespace"));
                problems.push(format!(
                    "resource mapping not found for name: {name:?} namespace: {namespace:?} from \"\": {}\nensure CRDs \
                     are installed first",
                    no_match(&gvk)
                ));
            }
            Some(mapping) if json.get("items").is_none() => found.push(self.found(json, gvk, mapping)),
            Some(_) => self.add_items(json, &gvk, found, problems, 0),
        }
    }

    fn add_items(&self, list: &Json, of: &Gvk, found: &mut Vec<Resource>, problems: &mut Vec<String>, depth: usize) {
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
            match self.served.mapping(&gvk) {
                None => problems.push(format!("unable to recognize {}", no_match(&gvk))),
                Some(mapping) => found.push(self.found(item, gvk, mapping)),
            }
        }
    }

    fn found(&self, json: &Json, gvk: Gvk, mapping: Mapping) -> Resource {
        Resource::new(json.clone(), gvk, mapping, self.namespace)
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
        let metadata = json!({"metadata": {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"},
        }});
        assert_eq!(foreign(&metadata, "r", "n"), None);
        let wanted =
            "annotation validation error: key \"meta.helm.sh/release-name\" must equal \"q\": current value is \"r\"";
        assert_eq!(foreign(&metadata, "q", "n").as_deref(), Some(wanted));
    }
}
