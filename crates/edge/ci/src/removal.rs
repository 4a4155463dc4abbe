//! All of an environment, removed: [`remove`].

use crate::{items, text};
use futures::stream::{FuturesUnordered, StreamExt};
use http::Method;
use onepane_deploy::{ClusterKind, Failure, Server};
use onepane_temporary::RUN;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Removes the namespace of that name and what has its label, and waits until all is gone; gives what is not.
///
/// What lives in no namespace goes first: as long as the namespace is there, somebody will find it.
pub(crate) async fn remove(
    server: &Server,
    name: &str,
    kinds: &[ClusterKind],
    patience: Duration,
) -> Result<Vec<String>, Failure> {
    let end = Instant::now() + patience;
    let namespace = format!("/api/v1/namespaces/{name}");
    for (path, object) in outside(server, name, kinds).await? {
        delete(server, &path, &object).await?;
    }
    let has_label = |object: &Value| {
        object.pointer(&format!("/metadata/labels/{}", RUN.replace('/', "~1"))) == Some(&Value::from(name))
    };
    match server.request(Method::GET, &namespace, None).await {
        Ok(object) if has_label(&object) => {
            stop(server, name).await;
            delete(server, &namespace, &object).await?;
        }
        Ok(_) => return Err(Failure::Guarded(format!("the namespace {name} is none of a run, and is left alone"))),
        Err(failure) if failure.is_absent() => {}
        Err(failure) => return Err(failure),
    }
    let mut pause = Duration::from_millis(100);
    loop {
        let mut left: Vec<String> =
            outside(server, name, kinds).await?.iter().map(|(_, object)| called(object)).collect();
        match server.request(Method::GET, &namespace, None).await {
            Ok(object) => left.push(described(&object)),
            Err(failure) if failure.is_absent() => {}
            Err(failure) => return Err(failure),
        }
        if left.is_empty() || Instant::now() >= end {
            return Ok(left);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Ends the pods of a namespace. They may be given half a minute to end, which nobody needs any more, and whoever deletes them
/// first has the say: so what makes them goes without them, and then they. A namespace that is deleted while it has pods is
/// looked at again only after half of that time, over and over.
async fn stop(server: &Server, namespace: &str) {
    const MAKERS: [(&str, &str); 7] = [
        ("/apis/batch/v1", "cronjobs"),
        ("/apis/apps/v1", "deployments"),
        ("/apis/apps/v1", "statefulsets"),
        ("/apis/apps/v1", "daemonsets"),
        ("/apis/batch/v1", "jobs"),
        ("/apis/apps/v1", "replicasets"),
        ("/api/v1", "replicationcontrollers"),
    ];
    /// How long pods are waited for.
    const PATIENCE: Duration = Duration::from_secs(30);
    let alone = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"});
    let whole = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    let at_once = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1});
    // All of it goes without that as well, only later: whoever may not do this can still delete the namespace.
    for (group, resource) in MAKERS {
        let path = format!("{group}/namespaces/{namespace}/{resource}");
        if server.request(Method::DELETE, &path, Some(&alone)).await.is_err() {
            return;
        }
    }
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let end = Instant::now() + PATIENCE;
    let _ = server.request(Method::DELETE, &pods, Some(&at_once)).await;
    while Instant::now() < end
        && server.request(Method::GET, &pods, None).await.is_ok_and(|pods| items(&pods, "/items").next().is_some())
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Claims are held by pods; without them they go at once, and the namespace at its first look.
    let claims = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims");
    let _ = server.request(Method::DELETE, &claims, Some(&whole)).await;
}

/// What lives in no namespace and belongs to the run, with the path of each.
async fn outside(server: &Server, name: &str, kinds: &[ClusterKind]) -> Result<Vec<(String, Value)>, Failure> {
    labelled(server, &format!("{RUN}={name}"), kinds).await
}

/// What lives in no namespace and has a label. Kinds that are gone have nothing; those that one may not see are skipped.
pub(crate) async fn labelled(
    server: &Server,
    selector: &str,
    kinds: &[ClusterKind],
) -> Result<Vec<(String, Value)>, Failure> {
    let selector = selector.replace('=', "%3D").replace('/', "%2F");
    let mut lists: FuturesUnordered<_> = kinds
        .iter()
        .map(|kind| {
            let path = format!("{}?labelSelector={selector}", kind.path);
            async move { (kind, server.request(Method::GET, &path, None).await) }
        })
        .collect();
    let mut found = Vec::new();
    while let Some((kind, list)) = lists.next().await {
        let list = match list {
            Ok(list) => list,
            Err(Failure::Refused { code: 403..=405, .. }) => continue,
            Err(failure) => return Err(failure),
        };
        for item in items(&list, "/items") {
            let mut item = item.clone();
            item["kind"] = kind.kind.clone().into();
            found.push((format!("{}/{}", kind.path, text(&item, "/metadata/name")), item));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

/// Deletes just this object, and none of the same name that came since.
pub(crate) async fn delete(server: &Server, path: &str, object: &Value) -> Result<(), Failure> {
    let options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        "preconditions": {"uid": object["metadata"]["uid"]},
    });
    match server.request(Method::DELETE, path, Some(&options)).await {
        Err(failure) if failure.is_absent() || crate::is_there(&failure) => Ok(()),
        outcome => outcome.map(drop),
    }
}

fn called(object: &Value) -> String {
    format!("{}/{}", text(object, "/kind"), text(object, "/metadata/name"))
}

/// A namespace that does not go, with what it says of that.
fn described(namespace: &Value) -> String {
    let is_reason =
        |condition: &&Value| text(condition, "/status") == "True" && text(condition, "/type").starts_with("Namespace");
    let why: Vec<&str> =
        items(namespace, "/status/conditions").filter(is_reason).map(|condition| text(condition, "/message")).collect();
    let colon = if why.is_empty() { "" } else { ": " };
    format!("Namespace/{}{colon}{}", text(namespace, "/metadata/name"), why.join("; "))
}
