//! [`Cluster`]: a connection, and what has been learnt over it.

use crate::client::{Answer, Call, Client};
use crate::discovery::{Discovery, Gvk};
use crate::failure::{Failure, Level, Logged};
use crate::kubeconfig::target;
use crate::settings::Settings;
use onepane_helm::ClusterCapabilities;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A cluster that answers.
pub struct Cluster {
    client: Client,
    version: Version,
    served: RefCell<Option<Rc<Discovery>>>,
    /// The lists of resources that `lookup` has asked for, by path.
    pub(crate) looked_up: RefCell<HashMap<String, Value>>,
    /// What the server has warned of: once is enough.
    warned: RefCell<Vec<String>>,
    log: Box<dyn Fn(Logged)>,
}

/// What `/version` says.
pub(crate) struct Version {
    text: String,
    major: String,
    minor: String,
}

impl Cluster {
    /// Connects to the cluster that `settings` mean. `log` gets what Helm would log.
    ///
    /// The error is what Helm says of a cluster that can't be reached.
    pub fn connect(settings: &Settings, log: impl Fn(Logged) + 'static) -> Result<Self, String> {
        let connected = target(settings).and_then(|target| Client::new(target, settings)).and_then(|client| {
            let answer = client.get("/version", "application/json, */*");
            let body = answer.and_then(|answer| answer.raw("")).map_err(|failure| failure.message)?;
            let json: Value = serde_json::from_slice(&body)
                .map_err(|error| format!("unable to parse the server version: {error}"))?;
            let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok((client, Version { text: text("gitVersion"), major: text("major"), minor: text("minor") }))
        });
        let (client, version) = connected.map_err(|error| format!("kubernetes cluster unreachable: {error}"))?;
        Ok(Self {
            client,
            version,
            served: RefCell::default(),
            looked_up: RefCell::default(),
            warned: RefCell::default(),
            log: Box::new(log),
        })
    }

    /// What templates see of it. API versions come in order, where Helm has them at random.
    pub fn capabilities(&self) -> Result<ClusterCapabilities, String> {
        let served = self.run(self.served()).map_err(|failure| {
            let twice = "could not get apiVersions from Kubernetes: ".repeat(2);
            format!("{twice}{failure}")
        })?;
        let Version { text, major, minor } = &self.version;
        Ok(ClusterCapabilities {
            version: text.clone(),
            major: major.clone(),
            minor: minor.clone(),
            api_versions: served.api_versions(),
        })
    }

    /// What it serves, asked once. What it announces and does not have is warned of.
    pub(crate) async fn served(&self) -> Result<Rc<Discovery>, Failure> {
        if let Some(served) = self.served.borrow().as_ref() {
            return Ok(served.clone());
        }
        let discovered = Rc::new(Discovery::of(&self.client).await?);
        for (group_version, error) in &discovered.failed {
            let fields = vec![("groupVersion", group_version.clone()), ("error", error.clone())];
            self.warn("Couldn't get resource list", fields);
        }
        Ok(self.served.borrow_mut().insert(discovered).clone())
    }

    /// Forgets what it serves: definitions came.
    pub fn forget_served(&self) {
        self.served.take();
        self.looked_up.borrow_mut().clear();
    }

    /// Whether it serves a kind. What can't be asked now is not served yet.
    pub async fn serves(&self, api_version: &str, kind: &str) -> bool {
        let Ok(wanted) = Gvk::new(api_version, kind) else { return false };
        self.served().await.is_ok_and(|served| served.mapping(&wanted).is_some())
    }

    /// Waits for `work`, which may make requests. It is not to be called by such work.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.client.run(work)
    }

    /// Gets an object. `asked` is what client-go knows of it, for errors that the server gives no words for.
    pub(crate) fn get_object(&self, path: &str, asked: &str) -> Result<Value, Failure> {
        self.run(self.object_at(path, asked))
    }

    /// The same, for who waits already.
    pub(crate) async fn object_at(&self, path: &str, asked: &str) -> Result<Value, Failure> {
        let answer = self.client.send(&Call::get(path, "application/json")).await?;
        self.tell_warnings(&answer);
        answer.object(asked)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Warns of what the server warns of.
    pub(crate) fn tell_warnings(&self, answer: &Answer) {
        for warning in &answer.warnings {
            if !self.warned.borrow().contains(warning) {
                self.warned.borrow_mut().push(warning.clone());
                self.warn(warning, Vec::new());
            }
        }
    }

    /// Whether it holds what is sent to it against its schemas itself, as all do since Kubernetes 1.27.
    pub(crate) fn validates(&self) -> bool {
        let number = |text: &str| {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..digits].parse::<u32>().unwrap_or_default()
        };
        (number(&self.version.major), number(&self.version.minor)) >= (1, 27)
    }

    pub(crate) fn log_error(&self, message: &str, fields: Vec<(&'static str, String)>) {
        (self.log)(Logged { level: Level::Error, message: message.to_owned(), fields });
    }

    fn warn(&self, message: &str, fields: Vec<(&'static str, String)>) {
        (self.log)(Logged { level: Level::Warning, message: message.to_owned(), fields });
    }
}
