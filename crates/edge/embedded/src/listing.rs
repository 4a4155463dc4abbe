//! Many objects: lists, page by page, and how watches begin.

use crate::accept::Form;
use crate::cluster::Cluster;
use crate::failure::{Cause, Failure, Result};
use crate::kinds::Kind;
use crate::object;
use crate::reply::{Body, Reply};
use crate::request::{Request, Target};
use crate::selector::Selector;
use crate::table::{metadata_of, table};
use crate::watch::{BOOKMARK_EVERY, Watch};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a list or watch asks for; a path that ends in a name is a selection too.
fn selector(request: &Request, kind: &Kind) -> Result<Selector> {
    let (labels, fields) = (request.parameter("labelSelector"), request.parameter("fieldSelector"));
    Selector::read(&kind.kind, kind.is_namespaced, labels, fields)
}

/// The objects that are asked for, all of them.
pub(crate) fn selected(cluster: &Cluster, request: &Request, target: &Target) -> Result<Vec<Arc<Value>>> {
    let selector = selector(request, &target.kind)?;
    let namespace = Some(&*target.namespace).filter(|namespace| !namespace.is_empty());
    let all =
        cluster.store.list(&target.kind.storage_key(), namespace).map(|(_, object)| object.clone()).collect::<Vec<_>>();
    Ok(all.into_iter().filter(|object| selector.matches(object)).collect())
}

/// The version that is asked for; `None` where any will do.
fn version(cluster: &Cluster, request: &Request) -> Result<Option<u64>> {
    let given = request.parameter("resourceVersion");
    if given.is_empty() {
        return Ok(None);
    }
    let Ok(version) = given.parse::<u64>() else {
        let message =
            format!("resourceVersion: Invalid value: {given:?}: strconv.ParseUint: parsing {given:?}: invalid syntax");
        return Err(Failure::new(500, "", message));
    };
    let current = cluster.store.version();
    match version {
        0 => Ok(None),
        asked if asked > current => Err(Failure::from_the_future(asked, current)),
        asked => Ok(Some(asked)),
    }
}

pub(crate) fn list(cluster: &Cluster, request: &Request, target: &Target, form: Form) -> Result<Reply> {
    let kind = &target.kind;
    let resource = kind.storage_key();
    let selector = selector(request, kind)?;
    let namespace = Some(&*target.namespace).filter(|namespace| !namespace.is_empty());
    let asked = version(cluster, request)?;
    let mut as_of = cluster.store.version();
    let mut start = None;
    let token = request.parameter("continue");
    if !token.is_empty() {
        let (version, from) = read_token(token)?;
        // Pages are of the state as it is now, so a state that has changed since can't be continued for ever.
        if version < cluster.store.compacted() {
            let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
            return Err(Failure::expired(message));
        }
        as_of = version;
        start = Some(from);
    } else if let Some(asked) = asked.filter(|_| request.parameter("resourceVersionMatch") == "Exact") {
        let is_same = cluster.store.since(asked, &resource).is_some_and(|mut changes| changes.next().is_none());
        if !is_same {
            let message = format!("The resourceVersion for the provided list is too old: {asked}");
            return Err(Failure::expired(message));
        }
        as_of = asked;
    }
    let limit = request.parameter("limit").parse::<usize>().ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let mut rest = cluster
        .store
        .list(&resource, namespace)
        .filter(|(key, object)| start.as_ref().is_none_or(|start| *key > start) && selector.matches(object));
    let mut found: Vec<Arc<Value>> = Vec::new();
    let mut last = None;
    for (key, object) in rest.by_ref().take(limit) {
        found.push(object.clone());
        last = Some(key);
    }
    let left = rest.count();
    let version = as_of.to_string();
    let mut list = match form {
        Form::Table => table(kind, &found, &version, request.parameter("includeObject")),
        Form::Metadata => {
            let items: Vec<Value> = found.iter().map(|object| metadata_of(object)).collect();
            json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version}, "items": items})
        }
        Form::Whole | Form::Discovery => {
            let mut list = list_of(cluster, kind, &found);
            list["metadata"]["resourceVersion"] = version.into();
            list
        }
    };
    if let Some((namespace, name)) = last.filter(|_| left > 0) {
        list["metadata"]["continue"] = write_token(as_of, namespace, name).into();
        if selector.is_everything() {
            list["metadata"]["remainingItemCount"] = left.into();
        }
    }
    Ok(Reply::json(200, list))
}

/// A list of objects. Those of Kubernetes' own kinds are told of without their kinds, which that of the list tells.
pub(crate) fn list_of(cluster: &Cluster, kind: &Kind, found: &[Arc<Value>]) -> Value {
    let items: Vec<Value> = found
        .iter()
        .map(|object| {
            let mut shown = Value::clone(object);
            match kind.custom {
                Some(_) => object::set(&mut shown, &["apiVersion"], kind.api_version()),
                None => {
                    object::remove(&mut shown, &["apiVersion"]);
                    object::remove(&mut shown, &["kind"]);
                }
            }
            shown
        })
        .collect();
    let mut metadata = json!({"resourceVersion": cluster.store.version().to_string()});
    if kind.custom.is_some() {
        metadata["continue"] = "".into();
    }
    json!({"kind": kind.list_kind, "apiVersion": kind.api_version(), "metadata": metadata, "items": items})
}

fn write_token(version: u64, namespace: &str, name: &str) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": version, "start": [namespace, name]});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Result<(u64, (String, String))> {
    let wrong = |why: &str| Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| wrong(&error.to_string()))?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let part = |index: usize| token["start"].get(index).and_then(Value::as_str).map(str::to_owned);
    match (token["rv"].as_u64(), part(0), part(1)) {
        (Some(version), Some(namespace), Some(name)) => Ok((version, (namespace, name))),
        _ => Err(wrong("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")),
    }
}

/// How long a watch is kept whose client does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(1800);

pub(crate) fn watch(cluster: &Cluster, request: &Request, target: &Target, form: Form) -> Result<Reply> {
    let kind = &target.kind;
    let selector = selector(request, kind)?;
    let version = version(cluster, request)?;
    let initial = request.parameter("sendInitialEvents");
    let (matching, wants_initial) = (request.parameter("resourceVersionMatch"), matches!(initial, "true" | "1"));
    let forbidden = match (initial.is_empty(), matching) {
        (true, "") | (false, "NotOlderThan") => None,
        (true, _) => Some((
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )),
        (false, _) => {
            Some(("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
        }
    };
    if let Some((field, why)) = forbidden {
        let cause = Cause::forbidden(field, why);
        return Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &[cause]));
    }
    let timeout = request.parameter("timeoutSeconds").parse().map_or(USUAL_TIMEOUT, Duration::from_secs);
    let now = Instant::now();
    let mut watch = Watch {
        kind: kind.clone(),
        namespace: Some(target.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        selector,
        form,
        include: request.parameter("includeObject").to_owned(),
        seen: version.unwrap_or(cluster.store.version()),
        bookmarks: request.flag("allowWatchBookmarks"),
        until: now + timeout.min(Duration::from_secs(24 * 3600)),
        first: Vec::new(),
        next_bookmark: now + BOOKMARK_EVERY,
    };
    let begins_anew = wants_initial || (version.is_none() && initial.is_empty());
    if begins_anew {
        watch.seen = cluster.store.version();
        let found: Vec<_> = cluster
            .store
            .list(&kind.storage_key(), watch.namespace.as_deref())
            .map(|(_, object)| object.clone())
            .filter(|object| watch.selector.matches(object))
            .collect();
        watch.first = found.iter().map(|object| watch.added(object)).collect();
        if wants_initial && watch.bookmarks {
            watch.first.push(watch.bookmark(watch.seen, true));
        }
    }
    Ok(Reply { status: 200, headers: Vec::new(), body: Body::Watch(Box::new(watch)) })
}
