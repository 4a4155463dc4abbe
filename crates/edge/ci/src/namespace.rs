//! The namespace of a run, and what it may use: [`create`].

use crate::{is_there, text};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use onepane_deploy::{Failure, Server};
use onepane_temporary::{Place, Refused, Rewriting, Rewritten, namespace_name};
use serde_json::{Value, json};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The annotation by which a run knows a namespace that it has made itself.
const NONCE: &str = "onepane.dev/ci-nonce";
/// How long after a run should have ended its environment may be removed by others.
const LEEWAY: Duration = Duration::from_secs(15 * 60);
/// A name that is taken is as good as never met twice.
const TRIES: usize = 5;

/// Why there is no namespace.
pub(crate) enum NotMade {
    Refused(Refused),
    Failed(Failure),
}

/// What a namespace is called after, and how long its run may take.
pub(crate) struct About<'a> {
    pub(crate) subject: &'a str,
    pub(crate) lifetime: Duration,
}

/// A namespace that was made, and what is to be in it.
pub(crate) struct Made {
    pub(crate) place: Place,
    /// The kinds of what is to be in no namespace, as `ClusterRole.rbac.authorization.k8s.io`.
    pub(crate) cluster_kinds: BTreeSet<String>,
    pub(crate) environment: Rewritten,
    pub(crate) tests: Rewritten,
}

/// Makes a namespace that nobody else has. Nothing is made for what can't be in one.
pub(crate) async fn create(
    server: &Server,
    environment: Vec<Value>,
    tests: Vec<Value>,
    about: &About<'_>,
) -> Result<Made, NotMade> {
    let mut scopes: HashMap<(&str, &str), Option<bool>> = HashMap::new();
    for object in environment.iter().chain(&tests) {
        let kind = (text(object, "/apiVersion"), text(object, "/kind"));
        if let Entry::Vacant(unknown) = scopes.entry(kind) {
            unknown.insert(server.is_namespaced(kind.0, kind.1).await);
        }
    }
    let nonce = chance(20);
    for _ in 0..TRIES {
        let place =
            Place { namespace: namespace_name(about.subject, &chance(6)), expires: after(about.lifetime + LEEWAY) };
        let is_namespaced = |api_version: &str, kind: &str| scopes.get(&(api_version, kind)).copied().flatten();
        let all = environment.iter().chain(&tests);
        let rewriting = Rewriting::new(place.clone(), all, &is_namespaced).map_err(NotMade::Refused)?;
        let made = Made {
            cluster_kinds: rewriting.cluster_kinds(),
            environment: rewriting.rewritten(environment.clone()).map_err(NotMade::Refused)?,
            tests: rewriting.rewritten(tests.clone()).map_err(NotMade::Refused)?,
            place,
        };
        let mut object = rewriting.namespace();
        object["metadata"]["annotations"][NONCE] = nonce.clone().into();
        match server.request(Method::POST, "/api/v1/namespaces", Some(&object)).await {
            Ok(_) => return Ok(made),
            // It is ours where the answer to the first of several requests was lost.
            Err(failure) if is_there(&failure) => {
                let path = format!("/api/v1/namespaces/{}", made.place.namespace);
                let there = server.request(Method::GET, &path, None).await.map_err(NotMade::Failed)?;
                if text(&there, &format!("/metadata/annotations/{}", NONCE.replace('/', "~1"))) == nonce {
                    return Ok(made);
                }
            }
            Err(failure) => return Err(NotMade::Failed(failure)),
        }
    }
    Err(NotMade::Failed(Failure::Guarded("no name could be found that is not taken".to_owned())))
}

/// What all of an environment may use together, and what a container has that asks for nothing; left to the folder where
/// it brings one of its own.
pub(crate) async fn limit(server: &Server, place: &Place, objects: &[Value]) -> Result<(), Failure> {
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "onepane-ci"},
        "spec": {"hard": {
            "pods": "100", "requests.cpu": "8", "requests.memory": "16Gi", "persistentvolumeclaims": "20",
            "requests.storage": "100Gi", "services.loadbalancers": "2",
        }},
    });
    let limits = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "onepane-ci"},
        "spec": {"limits": [{
            // Where there is a maximum it is also what a container gets that says nothing.
            "type": "Container", "defaultRequest": {"cpu": "10m", "memory": "32Mi"}, "max": {"memory": "8Gi"},
        }]},
    });
    for (resource, object) in [("resourcequotas", quota), ("limitranges", limits)] {
        if objects.iter().any(|other| text(other, "/kind") == text(&object, "/kind")) {
            continue;
        }
        let path = format!("/api/v1/namespaces/{}/{resource}", place.namespace);
        match server.request(Method::POST, &path, Some(&object)).await {
            Err(failure) if !is_there(&failure) => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

/// So many letters and digits by chance, none of which looks like another, and no vowels that would make words.
fn chance(count: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxz23456789";
    (0..count).filter_map(|_| fastrand::choice(LETTERS)).map(|letter| char::from(*letter)).collect()
}

/// The moment that is so far off, to the second.
fn after(time: Duration) -> String {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::from_hours(24));
    let moment = Timestamp::now().checked_add(time).unwrap_or(Timestamp::MAX);
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
