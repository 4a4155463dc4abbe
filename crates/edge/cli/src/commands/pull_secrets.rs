//! How the registries of an environment's images are asked: as `docker login` has it, and where that is refused with what the
//! environment's own pods pull with ([`PullAccess`]).

use crate::commands::promote::Bench;
use crate::commands::registry::Registries;
use crate::redaction;
use crate::terminal::{Failure, Terminal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_fetch::{Credentials, RegistryAccess};
use onepane_resource::ImageName;
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// The key of a Secret for registries.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// Which registries are asked with what.
pub(crate) struct PullAccess<'p> {
    terminal: &'p Terminal,
    plain: RegistryAccess,
    /// What the environment consists of, decrypted; built where a registry refuses.
    objects: OnceCell<Vec<Value>>,
    /// The images that are asked for with a Secret.
    with_secret: RefCell<BTreeMap<String, RegistryAccess>>,
}

impl<'p> PullAccess<'p> {
    /// By HTTP without TLS, if that is wanted.
    pub(crate) fn new(terminal: &'p Terminal, plain_http: bool) -> Self {
        let plain = RegistryAccess { plain_http, ..RegistryAccess::default() };
        Self { terminal, plain, objects: OnceCell::new(), with_secret: RefCell::default() }
    }

    /// How an image is asked for.
    pub(crate) fn of(&self, image: &str) -> RegistryAccess {
        self.with_secret.borrow().get(image).unwrap_or(&self.plain).clone()
    }

    /// The tags of an image that `unit` runs.
    pub(crate) fn tags(
        &self,
        registries: &Registries,
        bench: &Bench<'_>,
        unit: &Utf8Path,
        image: &str,
    ) -> Result<Vec<String>, Failure> {
        let refused = match registries.tags(image, &self.of(image)) {
            Ok(tags) => return Ok(tags),
            Err(refused) => refused,
        };
        if self.with_secret.borrow().contains_key(image) {
            return Err(refused);
        }
        let objects = self.objects.get_or_init(|| {
            bench.decrypted(unit).unwrap_or_else(|failure| {
                let message = format!("Secrets of {unit} can't be used for its registries: {}", failure.message());
                self.terminal.report(&Diagnostic::warning("bump-access", message), Utf8Path::new(""));
                Vec::new()
            })
        });
        let Some(credentials) = credentials(objects, image) else { return Err(refused) };
        redaction::note_values(credentials.password.reveal());
        let access = RegistryAccess { credentials, ..self.plain.clone() };
        let tags = registries.tags(image, &access)?;
        self.with_secret.borrow_mut().insert(image.to_owned(), access);
        Ok(tags)
    }
}

/// What those pods log in with that run an image.
fn credentials(objects: &[Value], image: &str) -> Option<Credentials> {
    let mut wanted = BTreeSet::new();
    for object in objects {
        let namespace = text(object, "/metadata/namespace");
        pods(object, &mut |pod| {
            if !runs(pod, image) {
                return;
            }
            let account = text(pod, "/serviceAccountName").filter(|name| !name.is_empty()).unwrap_or("default");
            let is_account = |other: &&Value| {
                text(other, "/kind") == Some("ServiceAccount")
                    && text(other, "/metadata/name") == Some(account)
                    && text(other, "/metadata/namespace") == namespace
            };
            // What a pod says itself keeps its account's away.
            let own = names(pod);
            let names = if own.is_empty() { objects.iter().filter(is_account).flat_map(names).collect() } else { own };
            wanted.extend(names.into_iter().map(|name| (namespace, name)));
        });
    }
    wanted.into_iter().find_map(|(namespace, name)| {
        let is_it = |object: &&Value| {
            text(object, "/kind") == Some("Secret")
                && text(object, "/metadata/name") == Some(name)
                && text(object, "/metadata/namespace") == namespace
        };
        let config = config(objects.iter().find(is_it)?)?;
        Credentials::in_pull_secret(&config, image).ok().flatten()
    })
}

/// Calls `seen` with everything that is what a pod is made of.
fn pods<'o>(value: &'o Value, seen: &mut dyn FnMut(&'o Value)) {
    match value {
        Value::Object(fields) => {
            if fields.get("containers").is_some_and(Value::is_array) {
                seen(value);
            }
            fields.values().for_each(|value| pods(value, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| pods(item, seen)),
        _ => {}
    }
}

fn runs(pod: &Value, image: &str) -> bool {
    let lists = ["containers", "initContainers"].iter().filter_map(|key| pod.get(key)?.as_array());
    lists.flatten().any(|container| text(container, "/image").is_some_and(|own| ImageName::parse(own).name == image))
}

/// The names of the Secrets that a pod or a ServiceAccount pulls with.
fn names(value: &Value) -> Vec<&str> {
    let entries = value.get("imagePullSecrets").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| text(entry, "/name")).collect()
}

fn config(secret: &Value) -> Option<Vec<u8>> {
    let plain = secret.get("stringData").and_then(|data| data.get(DOCKER_CONFIG)?.as_str());
    if let Some(plain) = plain {
        return Some(plain.as_bytes().to_vec());
    }
    let data = secret.get("data")?.get(DOCKER_CONFIG)?.as_str()?;
    STANDARD.decode(data.split_whitespace().collect::<String>()).ok()
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}
