//! A Kubernetes API server in a process, in which nothing runs: for tests without a cluster, and for a first look on a
//! machine without one.
//!
//! [`Embedded::start`] listens on 127.0.0.1 and answers kubectl, Helm and kube-rs as a server of Kubernetes 1.34 does:
//! discovery, objects of Kubernetes' own kinds and of CustomResourceDefinitions, optimistic concurrency, server-side apply
//! with managed fields, the other patches, selectors, pages, watches, finalizers, the garbage collector, namespaces that
//! end. Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs have pods, of which a [`Scenario`] tells what becomes;
//! [`Faults`] are what goes wrong with requests, and counts of them.
//!
//! From the bottom: `store` keeps objects and the history of changes; `types` and `kinds` know what is served and what it
//! consists of (`tables` makes their texts from a real server); `typed`, `field_set` and `managed_fields` are server-side
//! apply; `cluster` is the state and how it is written; `controllers` make something of it; `api` answers requests;
//! `http` brings them. `tests/same.rs` asks this server and a real one the same.
//!
//! # What is not here
//! - TLS, and authorization: whoever reaches the port may do everything. A bearer token that is sent has to be the right
//!   one, but none need be sent, as kubectl sends none without TLS. Requests are served only under names of this machine.
//! - Protobuf. Who can read nothing else is refused with 406, who sends it with 415: of kubectl those are the commands that
//!   make up objects, such as `kubectl create namespace`; those that read files, `apply` and `create -f`, send JSON.
//! - `exec`, `attach`, `portforward`, `proxy`; logs are texts of the scenario, and are not followed.
//! - Admission: webhooks, policies, quotas, limit ranges, pod security. PodDisruptionBudgets do not stop evictions.
//! - Conversions: `autoscaling/v1` and `resource.k8s.io` are not served, events of `events.k8s.io` and of the core group
//!   are apart, versions of a CustomResourceDefinition differ in nothing but their name, managed fields are not converted
//!   between versions, and webhooks convert nothing.
//! - Schemas in OpenAPI documents: `kubectl explain` has nothing to say. CEL rules, formats, `oneOf` and its like in
//!   schemas of definitions are not looked at; of Kubernetes' own kinds the rules in `validation` are, and no others.
//!   Quantities are kept as they were written (`0.5` stays, where a real server writes `500m`).
//! - Defaults of kinds beyond those in `defaults`; volumes with tokens in pods; `create` by `PUT`.
//! - Pages of a list are of the state as it is now, not as it was at the first page; a list of an older version is
//!   refused with 410 where something has changed since.
//! - CronJobs, HorizontalPodAutoscalers, ReplicationControllers, Endpoints and their slices, Ingresses and load balancers are
//!   kept, and nothing is made of them. A Deployment rolls in one step, StatefulSets and DaemonSets have no
//!   ControllerRevisions, a Job no indexes, deadlines or policies; a container is restarted 16 times at the most.
//! - Managed fields are not thinned out when there are very many managers.

mod accept;
mod allocation;
mod api;
mod cluster;
mod controllers;
mod custom_validation;
mod decode;
mod defaults;
mod definitions;
mod deletion;
mod discovery;
mod failure;
mod faults;
mod field_set;
mod http;
mod kinds;
mod listing;
mod managed_fields;
mod object;
mod options;
mod patch;
mod reply;
mod request;
mod scenario;
mod selector;
mod store;
mod subresources;
mod table;
mod typed;
mod types;
mod validation;
mod watch;
mod work;

pub use faults::{Effect, Faults, Filter, When};
pub use options::Options;
pub use scenario::{Behaviour, Rule, Scenario};

use crate::cluster::Cluster;
use crate::http::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::watch as signal;

/// Objects may be nested some hundred levels deep, and are walked recursively.
const STACK: usize = 8 * 1024 * 1024;

/// A cluster that lives as long as this value.
///
/// It has a thread and a runtime of its own, so that it is used alike from plain code and from any runtime. Dropping it
/// closes all connections and waits for the thread, which takes no longer than one request.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: signal::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Starts a cluster; it serves when this returns.
    ///
    /// # Errors
    /// When no port can be had on 127.0.0.1, or no thread.
    pub fn start(options: Options) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let token = format!("{:032x}", fastrand::u128(..));
        let shared = Arc::new(Shared::new(Cluster::new(options), token, address));
        let (stop, stopped) = signal::channel(false);
        let own = shared.clone();
        let thread =
            std::thread::Builder::new().name("onepane-embedded".to_owned()).stack_size(STACK).spawn(move || {
                runtime.block_on(async {
                    // It was bound, and is only handed over.
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        http::serve(listener, own, stopped).await;
                    }
                });
            })?;
        Ok(Self { shared, address, stop, thread: Some(thread) })
    }

    /// The address of the API server: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token that clients may send.
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// A kubeconfig with the one context `embedded`.
    pub fn kubeconfig(&self) -> String {
        let (url, token) = (self.url(), self.token());
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: embedded\n\
             clusters:\n- name: embedded\n  cluster:\n    server: {url}\n\
             contexts:\n- name: embedded\n  context:\n    cluster: embedded\n    user: embedded\n    namespace: default\n\
             users:\n- name: embedded\n  user:\n    token: {token}\n"
        )
    }

    /// What goes wrong with requests, and counts of them.
    pub fn faults(&self) -> Faults {
        self.shared.faults.clone()
    }

    /// What becomes of pods.
    pub fn scenario(&self) -> Scenario {
        self.shared.cluster().scenario.clone()
    }

    /// Changes what becomes of pods from their next step on.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.shared.cluster().scenario = scenario;
    }

    /// Forgets all changes so far, as a real server does after some minutes: who watches from before is answered with 410.
    pub fn forget_history(&self) {
        let mut cluster = self.shared.cluster();
        cluster.store.compact();
        cluster.work.news.notify_waiters();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Nobody listening means that it has stopped already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // What a thread that panicked left behind is dropped with it.
            let _ = thread.join();
        }
    }
}
