//! What runs that were killed left behind, removed: [`reap`].

use crate::removal::{delete, labelled, remove};
use crate::{Told, items, text};
use futures::stream::{FuturesUnordered, StreamExt};
use http::Method;
use jiff::Timestamp;
use onepane_deploy::{ClusterKind, Failure, Server};
use onepane_temporary::{EXPIRES, RUN};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// What is to be reaped.
#[derive(Clone, Copy, Debug)]
pub struct Reaping {
    /// Environments that are older than this, in place of those that have expired.
    pub older_than: Option<Duration>,
    /// Whether nothing is deleted, and it is only told what would be.
    pub is_trial: bool,
    /// How long it is waited until all is gone.
    pub patience: Duration,
}

/// What was reaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// The runs whose environments are gone, or would be.
    pub gone: Vec<String>,
    /// What is still there and should not be.
    pub left: Vec<String>,
    /// How many environments have time left.
    pub alive: usize,
}

/// Removes the environments whose time is over: namespaces, and what of runs lives in no namespace.
///
/// Only what carries the label of a run is looked at, and an environment has to say until when it lives.
///
/// # Errors
/// For a server that does not answer.
pub async fn reap(server: &Server, reaping: &Reaping, tell: &dyn Fn(&Told<'_>)) -> Result<Reaped, Failure> {
    let now = Timestamp::now();
    let kinds: Vec<ClusterKind> =
        server.cluster_kinds().await.into_iter().filter(|kind| kind.path != "/api/v1/namespaces").collect();
    let selector = RUN.replace('/', "%2F");
    let list = server.request(Method::GET, &format!("/api/v1/namespaces?labelSelector={selector}"), None).await?;
    let mut reaped = Reaped::default();
    let (mut due, mut alive): (BTreeSet<String>, BTreeSet<String>) = Default::default();
    for namespace in items(&list, "/items") {
        let name = text(namespace, "/metadata/name").to_owned();
        let is_over = run_of(namespace) == name && is_due(namespace, reaping, now);
        if is_over {
            due.insert(name)
        } else {
            alive.insert(name)
        };
    }
    // What is left where the namespace was removed by somebody else.
    let orphans = labelled(server, RUN, &kinds).await?;
    let orphans: Vec<_> = orphans
        .into_iter()
        .filter(|(_, object)| {
            let run = run_of(object);
            !due.contains(run) && !alive.contains(run) && is_due(object, reaping, now)
        })
        .collect();
    reaped.alive = alive.len();
    if reaping.is_trial {
        reaped.gone = due.into_iter().chain(orphans.iter().map(|(path, _)| path.clone())).collect();
        return Ok(reaped);
    }
    for (path, object) in &orphans {
        tell(&Told::Note(&format!("{}/{} is removed", text(object, "/kind"), text(object, "/metadata/name"))));
        delete(server, path, object).await?;
        reaped.gone.push(path.clone());
    }
    let mut removed: FuturesUnordered<_> = due
        .iter()
        .map(|name| {
            tell(&Told::Note(&format!("the environment {name} is removed")));
            let kinds = &kinds;
            async move { (name, remove(server, name, kinds, reaping.patience).await) }
        })
        .collect();
    while let Some((name, left)) = removed.next().await {
        match left {
            Ok(left) if left.is_empty() => reaped.gone.push(name.clone()),
            Ok(left) => reaped.left.extend(left),
            // One that fails is no reason to leave the others.
            Err(failure) => reaped.left.push(format!("Namespace/{name}: {failure}")),
        }
    }
    reaped.gone.sort();
    Ok(reaped)
}

/// Whose an object says that it is.
fn run_of(object: &Value) -> &str {
    text(object, &format!("/metadata/labels/{}", RUN.replace('/', "~1")))
}

/// Whether the time of an object is over. One that does not say its time has not been made by a run.
fn is_due(object: &Value, reaping: &Reaping, now: Timestamp) -> bool {
    let expires = text(object, &format!("/metadata/annotations/{}", EXPIRES.replace('/', "~1")));
    let Ok(expires) = expires.parse::<Timestamp>() else { return false };
    let Some(oldest) = reaping.older_than else { return expires <= now };
    let Ok(created) = text(object, "/metadata/creationTimestamp").parse::<Timestamp>() else { return false };
    now.duration_since(created).unsigned_abs() >= oldest && created <= now
}
