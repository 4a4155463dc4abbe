//! What is below objects and no part of them: scales, logs, evictions, bindings, tokens; and reviews, which are answered
//! and not kept.

use crate::api::{deletion, writing};
use crate::cluster::Cluster;
use crate::failure::{Failure, Result};
use crate::object::{self, at, number, text};
use crate::patch::{self, PatchKind};
use crate::reply::Reply;
use crate::request::{Request, Target};
use crate::types;
use base64::Engine;
use serde_json::{Value, json};

/// The answer to a request for a subresource; `None` for one that is written as the object itself, such as a status.
pub(crate) fn answer(cluster: &mut Cluster, request: &Request, target: &Target, verb: &str) -> Result<Option<Reply>> {
    let key = Cluster::key(&target.kind, &target.namespace, &target.name);
    let found = cluster.store.get(&key).cloned().ok_or_else(|| Failure::not_found(&target.kind, &target.name));
    let reply = match (&*target.subresource, verb) {
        ("status" | "approval" | "resize" | "ephemeralcontainers", "get" | "update" | "patch" | "apply") => {
            return Ok(None);
        }
        ("finalize", "update") => return Ok(None),
        ("scale", "get") => Reply::json(200, scale_of(target, &*found?)?),
        ("scale", "update" | "patch" | "apply") => scale(cluster, request, target, verb)?,
        ("log", "get") => log(cluster, request, &*found?)?,
        ("eviction", "create") => {
            let pod = found?;
            let mut options = deletion(&Request::new("DELETE", "", "", bytes::Bytes::new()))?;
            let eviction = request.document("Eviction")?;
            options.grace = number(&eviction, &["deleteOptions", "gracePeriodSeconds"]);
            options.dry_run = request.parameter("dryRun") == "All";
            options.uid = Some(object::uid(&pod).to_owned());
            cluster.delete(&target.kind, &key, &options)?;
            Reply::json(
                201,
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
            )
        }
        ("binding", "create") => {
            found?;
            let binding = request.document("Binding")?;
            let node = text(&binding, &["target", "name"]).to_owned();
            let writing = writing(request, target, "CreateOptions")?;
            cluster.update(&target.kind, &key, &writing, |old| {
                let mut new = old.clone();
                object::set(&mut new, &["spec", "nodeName"], node);
                Ok(new)
            })?;
            Reply::json(
                201,
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
            )
        }
        ("token", "create") => {
            let account = found?;
            let mut token = request.document("TokenRequest")?;
            let user = format!("system:serviceaccount:{}:{}", target.namespace, target.name);
            let text =
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{user}:{}", object::uid(&account)));
            let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
            token["apiVersion"] = "authentication.k8s.io/v1".into();
            token["kind"] = "TokenRequest".into();
            token["metadata"] = json!({"name": target.name, "namespace": target.namespace});
            token["status"] = json!({"token": format!("embedded.{text}"), "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
            Reply::json(201, token)
        }
        _ => return Err(Failure::method_not_allowed()),
    };
    Ok(Some(reply))
}

/// Where the replicas of a kind stand: in its spec, in its status, and its selector.
fn replica_paths(target: &Target) -> (Vec<String>, Vec<String>) {
    let path = |field: &str, usual: [&str; 2]| -> Vec<String> {
        let own = target.kind.custom.as_ref().map(|version| text(version, &["subresources", "scale", field]));
        match own {
            Some(path) => path.split('.').skip(1).map(str::to_owned).collect(),
            None => usual.map(str::to_owned).to_vec(),
        }
    };
    (path("specReplicasPath", ["spec", "replicas"]), path("statusReplicasPath", ["status", "replicas"]))
}

fn scale_of(target: &Target, object: &Value) -> Result<Value> {
    let (wanted, have) = replica_paths(target);
    let read = |path: &[String]| number(object, &path.iter().map(String::as_str).collect::<Vec<&str>>());
    let Some(replicas) = read(&wanted) else {
        return Err(Failure::internal(format!("the spec replicas field \".{}\" does not exist", wanted.join("."))));
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = object["metadata"][field].clone();
    }
    let mut status = json!({"replicas": read(&have).unwrap_or(0)});
    if let Some(labels) = at(object, &["spec", "selector", "matchLabels"]).and_then(Value::as_object) {
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        status["selector"] = labels.join(",").into();
    }
    // None is not written.
    let spec = if replicas == 0 { json!({}) } else { json!({"replicas": replicas}) };
    Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}))
}

fn scale(cluster: &mut Cluster, request: &Request, target: &Target, verb: &str) -> Result<Reply> {
    let key = Cluster::key(&target.kind, &target.namespace, &target.name);
    let writing = writing(request, target, "UpdateOptions")?;
    let change = match verb {
        "update" => request.document("Scale")?,
        _ => request.yaml()?,
    };
    let written = cluster.update(&target.kind, &key, &writing, |old| {
        let mut scale = scale_of(target, old)?;
        match PatchKind::of_media_type(request.media_type()) {
            _ if verb == "update" => scale = change,
            Some(PatchKind::Apply) | None => json_patch::merge(&mut scale, &change),
            Some(kind) => patch::patch(kind, &types::Shape::Any, &mut scale, &change)?,
        }
        let replicas = number(&scale, &["spec", "replicas"]).unwrap_or(0);
        if replicas < 0 {
            let message = "spec.replicas: Invalid value: must be greater than or equal to 0";
            return Err(Failure::new(422, "Invalid", message));
        }
        let mut new = old.clone();
        let asked = text(&scale, &["metadata", "resourceVersion"]);
        if !asked.is_empty() {
            object::set(&mut new, &["metadata", "resourceVersion"], asked);
        }
        let (wanted, _) = replica_paths(target);
        object::set(&mut new, &wanted.iter().map(String::as_str).collect::<Vec<&str>>(), replicas);
        object::remove(&mut new, &["metadata", "managedFields"]);
        Ok(new)
    })?;
    Ok(Reply::json(200, scale_of(target, &written.object)?))
}

fn log(cluster: &Cluster, request: &Request, pod: &Value) -> Result<Reply> {
    let containers = object::items(pod, &["spec", "containers"]);
    let asked = request.parameter("container");
    let container = match asked {
        "" => containers.first().map(object_name).unwrap_or_default(),
        asked => asked,
    };
    let is_one = ["containers", "initContainers"]
        .iter()
        .any(|list| object::items(pod, &["spec", list]).iter().any(|of| object_name(of) == container));
    if !is_one {
        let message = format!("container {container} is not valid for pod {}", object::name(pod));
        return Err(Failure::bad_request(message));
    }
    let mut statuses = object::items(pod, &["status", "containerStatuses"]).iter();
    if let Some(reason) =
        statuses.find_map(|status| at(status, &["state", "waiting", "reason"])).and_then(Value::as_str)
        && reason != "CrashLoopBackOff"
    {
        let why = format!("container {container:?} in pod {:?} is waiting to start: {reason}", object::name(pod));
        return Err(Failure::bad_request(why));
    }
    let text = cluster.scenario.log(pod);
    let text = match request.parameter("tailLines").parse::<usize>() {
        Ok(count) => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().concat()
        }
        Err(_) => text.to_owned(),
    };
    Ok(Reply::text(200, text))
}

fn object_name(container: &Value) -> &str {
    text(container, &["name"])
}

/// Whoever asks may do everything.
pub(crate) fn review(cluster: &Cluster, request: &Request, target: &Target) -> Result<Reply> {
    let kind = &target.kind;
    match &*kind.kind {
        "ComponentStatus" if target.name.is_empty() => {
            let list = json!({"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {"resourceVersion": cluster.store.version().to_string()}, "items": []});
            Ok(Reply::json(200, list))
        }
        "ComponentStatus" => Err(Failure::not_found(kind, &target.name)),
        "Binding" => Err(Failure::method_not_allowed()),
        of => {
            let mut review = request.document(of)?;
            review["apiVersion"] = kind.api_version().into();
            review["kind"] = of.into();
            let rule = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
            review["status"] = match of {
                "SelfSubjectRulesReview" => {
                    json!({"resourceRules": [rule], "nonResourceRules": [], "incomplete": false})
                }
                _ => json!({"allowed": true}),
            };
            Ok(Reply::json(201, review))
        }
    }
}
