//! Requests to an API server: [`Server`].

use crate::failure::Failure;
use crate::identity::Identity;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{Discovery, Scope};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, Semaphore};

/// Which API server.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The kubeconfig; that of the environment if none is named.
    pub kubeconfig: Option<String>,
    /// The context in it; its own choice if none is named.
    pub context: Option<String>,
}

/// An API server, and what it has.
pub struct Server {
    client: kube::Client,
    served: RwLock<Arc<Discovery>>,
    /// As many requests are on the way at once.
    places: Semaphore,
}

/// A kind whose objects live in no namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterKind {
    /// Its group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// What its objects are called in paths and rules: `clusterroles`.
    pub plural: String,
    /// The path of all of them.
    pub path: String,
}

/// Where objects of a kind are.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) resource: ApiResource,
    pub(crate) is_namespaced: bool,
}

impl Kind {
    /// Says of an object from a list of the kind what it is, as such objects do not.
    pub(crate) fn name(&self, object: &mut Value) {
        object["apiVersion"] = Value::from(self.resource.api_version.clone());
        object["kind"] = Value::from(self.resource.kind.clone());
    }
}

/// When what belongs to a deleted object goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// After it.
    Background,
    /// Before it.
    Foreground,
}

const MOST_AT_ONCE: usize = 64;
/// How often a request is made again.
const RETRIES: u32 = 6;
/// How long is waited before that the first time; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// No answer is larger.
const LARGEST_ANSWER: usize = 128 << 20;
/// As much of a log is told.
const LOG_LINES: usize = 10;
const LOG_BYTES: usize = 16 << 10;
/// How many objects a list brings at once.
const PAGE: usize = 500;

impl Server {
    /// Connects, and asks what the server has.
    pub async fn connect(address: &Address) -> Result<Self, Failure> {
        let kubeconfig = match &address.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let kubeconfig = kubeconfig.map_err(|error| Failure::Connection(error.to_string()))?;
        let options = KubeConfigOptions { context: address.context.clone(), ..KubeConfigOptions::default() };
        Self::connect_by(kubeconfig, options).await
    }

    /// The same by the text of a kubeconfig.
    pub async fn connect_by_text(kubeconfig: &str) -> Result<Self, Failure> {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(|error| Failure::Connection(error.to_string()))?;
        Self::connect_by(kubeconfig, KubeConfigOptions::default()).await
    }

    async fn connect_by(kubeconfig: Kubeconfig, options: KubeConfigOptions) -> Result<Self, Failure> {
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Self::with(config.map_err(|error| Failure::Connection(error.to_string()))?).await
    }

    /// The same from within a pod, by the account that it runs as.
    pub async fn connect_from_within() -> Result<Self, Failure> {
        let config = kube::Config::incluster();
        Self::with(config.map_err(|error| Failure::Connection(format!("this is no pod: {error}")))?).await
    }

    async fn with(config: kube::Config) -> Result<Self, Failure> {
        // It fails if there is a provider already, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = kube::Client::try_from(config).map_err(|error| Failure::Connection(error.to_string()))?;
        let served = RwLock::new(Arc::new(discover(&client).await?));
        Ok(Self { client, served, places: Semaphore::new(MOST_AT_ONCE) })
    }

    /// Whether objects of a kind live in namespaces; `None` if the server does not have it.
    pub async fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        self.kind(api_version, kind).await.map(|kind| kind.is_namespaced)
    }

    /// The kinds whose objects live in no namespace and can be listed and deleted, each in its most stable version.
    pub async fn cluster_kinds(&self) -> Vec<ClusterKind> {
        let served = self.served.read().await.clone();
        let all = served.groups().flat_map(|group| group.resources_by_stability());
        let outside = all.filter(|(_, can)| {
            can.scope == Scope::Cluster && ["list", "delete"].iter().all(|verb| can.supports_operation(verb))
        });
        let kind = |(resource, _): (ApiResource, _)| {
            let kind = Kind { resource, is_namespaced: false };
            let path = collection(&kind, None);
            let ApiResource { group, kind, plural, .. } = kind.resource;
            ClusterKind { group, kind, plural, path }
        };
        let mut kinds: Vec<ClusterKind> = outside.map(kind).collect();
        kinds.sort_by(|a, b| a.path.cmp(&b.path));
        kinds
    }

    /// Makes a request with a document in JSON, or without a body, again where that may help; gives the answer. It has to be
    /// one that may be made twice.
    ///
    /// # Errors
    /// For a server that can't be reached, or that refuses.
    pub async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let content = match (&method, body) {
            (_, None) => "",
            (&Method::PATCH, _) => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| Failure::Guarded(error.to_string()))?.unwrap_or_default();
        read(&self.send(method, path, content, body).await?.1)
    }

    /// The text at a path, such as a log.
    ///
    /// # Errors
    /// As for [`Self::request`].
    pub async fn text(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.send(Method::GET, path, "", Vec::new()).await?.1)
    }

    /// Asks anew what the server has: definitions came.
    ///
    /// # Errors
    /// For a server that does not answer.
    pub async fn rediscover(&self) -> Result<(), Failure> {
        *self.served.write().await = Arc::new(discover(&self.client).await?);
        Ok(())
    }

    /// The connection, for answers that come bit by bit.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Where objects of a kind are; `None` if the server does not have it.
    pub(crate) async fn kind(&self, api_version: &str, kind: &str) -> Option<Kind> {
        let (group, version) = onepane_resource::GroupVersionKind::split_api_version(api_version);
        let kind = GroupVersionKind::gvk(group, version, kind);
        let (resource, capabilities) = self.served.read().await.resolve_gvk(&kind)?;
        Some(Kind { resource, is_namespaced: capabilities.scope == Scope::Namespaced })
    }

    /// The same for a group and kind as ApplySets write them, in the most stable version.
    pub(crate) async fn kind_of_set(&self, group_kind: &str) -> Option<Kind> {
        let (kind, group) = group_kind.split_once('.').unwrap_or((group_kind, ""));
        let served = self.served.read().await.clone();
        let stable = served.get(group)?.resources_by_stability();
        let (resource, capabilities) = stable.into_iter().find(|(resource, _)| resource.kind == kind)?;
        Some(Kind { resource, is_namespaced: capabilities.scope == Scope::Namespaced })
    }

    /// Applies an object; gives what it is then, and whether it was not there.
    pub(crate) async fn apply(
        &self,
        path: &str,
        object: &Value,
        manager: &str,
        forces: bool,
        is_trial: bool,
    ) -> Result<(Value, bool), Failure> {
        let trial = if is_trial { "&dryRun=All" } else { "" };
        let path = format!("{path}?fieldManager={manager}&force={forces}&fieldValidation=Strict{trial}");
        let body = serde_json::to_vec(object).map_err(|error| Failure::Guarded(error.to_string()))?;
        let (code, body) = self.send(Method::PATCH, &path, "application/apply-patch+yaml", body).await?;
        Ok((read(&body)?, code == 201))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        read(&self.send(Method::GET, path, "", Vec::new()).await?.1)
    }

    /// Deletes an object; what is gone already is as good.
    pub(crate) async fn delete(&self, path: &str, uid: Option<&str>, propagation: Propagation) -> Result<(), Failure> {
        let propagation = match propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
        };
        let mut options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation});
        if let Some(uid) = uid {
            // One of the same name that came since is another.
            options["preconditions"] = serde_json::json!({"uid": uid});
        }
        let body = serde_json::to_vec(&options).map_err(|error| Failure::Guarded(error.to_string()))?;
        match self.send(Method::DELETE, path, "application/json", body).await {
            Err(failure) if failure.is_absent() => Ok(()),
            Err(Failure::Refused { code: 409, .. }) if uid.is_some() => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// The last lines of what a container of a pod has printed, or of what it had before it was started again.
    pub(crate) async fn log(&self, pod: &Identity, container: &str, is_previous: bool) -> Result<String, Failure> {
        let Identity { namespace, name, .. } = pod;
        let path = format!(
            "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&previous={is_previous}\
             &tailLines={LOG_LINES}&limitBytes={LOG_BYTES}"
        );
        Ok(String::from_utf8_lossy(&self.text(&path).await?).into_owned())
    }

    /// The pods of a namespace.
    pub(crate) async fn pods(&self, namespace: &str) -> Result<Vec<Value>, Failure> {
        let Some(kind) = self.kind("v1", "Pod").await else { return Ok(Vec::new()) };
        self.list_at(&kind, &collection(&kind, Some(namespace)), "").await
    }

    /// All objects of a kind with a label.
    pub(crate) async fn list(&self, kind: &Kind, selector: &str) -> Result<Vec<Value>, Failure> {
        self.list_at(kind, &collection(kind, None), selector).await
    }

    async fn list_at(&self, kind: &Kind, path: &str, selector: &str) -> Result<Vec<Value>, Failure> {
        let selector = selector.replace('=', "%3D").replace('/', "%2F");
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let page = format!("{path}?labelSelector={selector}&limit={PAGE}{next}");
            let mut list = read(&self.send(Method::GET, &page, "", Vec::new()).await?.1)?;
            if let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|mut item| {
                    kind.name(&mut item);
                    item
                }));
            }
            match list.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => next = format!("&continue={token}"),
                _ => return Ok(found),
            }
        }
    }

    /// Makes a request, and once more where the server is busy or was not reached: all that are made here may be repeated.
    async fn send(&self, method: Method, path: &str, content: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), Failure> {
        let (mut pause, mut retries) = (FIRST_PAUSE, RETRIES);
        loop {
            let (failure, wanted) = match self.send_once(method.clone(), path, content, body.clone()).await {
                Ok((code, body, _)) if code < 400 => return Ok((code, body)),
                Ok((code, body, after)) if matches!(code, 429 | 500 | 502 | 503 | 504) => {
                    (Failure::of(code, &body), after)
                }
                Ok((code, body, _)) => return Err(Failure::of(code, &body)),
                Err(failure) => (failure, None),
            };
            if retries == 0 {
                return Err(failure);
            }
            retries -= 1;
            tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause *= 2;
        }
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>, Option<Duration>), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Connection(error.to_string());
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        if !content.is_empty() {
            request = request.header(header::CONTENT_TYPE, content);
        }
        let request = request.body(Body::from(body)).map_err(|error| failed(&error))?;
        let _place = self.places.acquire().await.map_err(|error| failed(&error))?;
        let answer = self.client.send(request).await.map_err(|error| failed(&error))?;
        let after = answer.headers().get(header::RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
        let code = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await.map_err(|error| failed(&error))?;
        Ok((code, body.to_bytes().to_vec(), after.map(Duration::from_secs)))
    }
}

/// What the server has, in two requests; in many of one that is older than that.
async fn discover(client: &kube::Client) -> Result<Discovery, Failure> {
    let served = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(served) => Ok(served),
        Err(kube::Error::Api(_) | kube::Error::SerdeError(_)) => Discovery::new(client.clone()).run().await,
        Err(other) => Err(other),
    };
    served.map_err(|error| Failure::Connection(error.to_string()))
}

fn read(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Connection(format!("the answer is no JSON: {error}")))
}

/// The path of the objects of a kind, in a namespace or in all.
fn collection(kind: &Kind, namespace: Option<&str>) -> String {
    let ApiResource { group, version, plural, .. } = &kind.resource;
    let start = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    match namespace.filter(|_| kind.is_namespaced) {
        Some(namespace) => format!("{start}/namespaces/{namespace}/{plural}"),
        None => format!("{start}/{plural}"),
    }
}

/// The path of an object.
pub(crate) fn path_of(kind: &Kind, identity: &Identity) -> String {
    debug_assert_eq!(kind.resource.group, identity.group);
    format!("{}/{}", collection(kind, Some(&identity.namespace)), identity.name)
}
