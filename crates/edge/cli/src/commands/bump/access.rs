//! How the registries of Flux's ImageRepositories are asked: with what the Secrets that they name hold ([`Accesses`]).
//!
//! Secrets are looked for in the repository, as manifests and as what a kustomization generates, plain or encrypted by SOPS.
//! What can't be had, such as an identity that only a cloud's machines have, is told, and the registry is asked with what
//! `docker login` has kept.

use crate::commands::decrypted_world::DecryptedWorld;
use crate::redaction;
use crate::terminal::Terminal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId};
use onepane_fetch::{Credentials, RegistryAccess};
use onepane_images::ImageRepository;
use onepane_world::{OsWorld, World, normalize};
use onepane_yaml::Node;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The key of a Secret for registries.
const DOCKER_CONFIG: &str = ".dockerconfigjson";
/// The keys of authorities: Flux's own, and that which it had before.
const AUTHORITIES: [&str; 2] = ["ca.crt", "caFile"];
const CLIENTS: [&str; 2] = ["tls.crt", "certFile"];

/// What was told already: `--watch` looks again and again.
pub(super) type Told = RefCell<BTreeSet<String>>;

/// Finds out how registries are asked.
pub(super) struct Accesses<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) root: &'a Utf8Path,
    pub(super) world: &'a dyn World,
    /// The YAML files of the repository that may hold Secrets.
    pub(super) files: &'a [(Utf8PathBuf, String)],
    pub(super) plain_http: bool,
    pub(super) told: &'a Told,
}

/// What was found under a name: the contents, or why they can't be read.
type Contents = Result<BTreeMap<String, Vec<u8>>, String>;

/// A manifest, or an entry of a kustomization that makes one.
struct Found {
    path: Utf8PathBuf,
    namespace: Option<String>,
    contents: Contents,
}

impl Accesses<'_> {
    /// How the registry of an ImageRepository in the file `path` is asked.
    pub(super) fn of(&self, repository: &ImageRepository, path: &Utf8Path) -> RegistryAccess {
        let mut access =
            RegistryAccess { plain_http: self.plain_http || repository.is_insecure, ..RegistryAccess::default() };
        let of = |why: String| format!("the ImageRepository `{}`: {why}", repository.name);
        if let Some(name) = &repository.certificates {
            match self.authorities(name, repository, path) {
                Ok(authorities) => access.authorities = authorities,
                Err(why) => self.tell(of(format!("{why}; its registry is known by the authorities of this machine"))),
            }
        }
        let secrets = match (&repository.secret, &repository.service_account) {
            (Some(secret), _) => Ok(vec![secret.clone()]),
            (None, Some(account)) => self.secrets_of(account, repository, path),
            (None, None) => Ok(Vec::new()),
        };
        let mut why = None;
        match secrets {
            Ok(secrets) => {
                for secret in secrets {
                    match self.credentials(&secret, repository, path) {
                        Ok(credentials) => {
                            access.credentials = credentials;
                            return access;
                        }
                        Err(error) => why = why.or(Some(error)),
                    }
                }
            }
            Err(error) => why = Some(error),
        }
        if let (None, Some(provider)) = (&why, &repository.provider) {
            why = Some(format!("it logs in by `provider: {provider}`, which only machines of that cloud can"));
        }
        if let Some(why) = why {
            let image = &repository.image;
            self.tell(of(format!("{why}; `{image}` is asked for with what `docker login` has kept")));
        }
        access
    }

    /// Warns, once.
    pub(super) fn tell(&self, message: String) {
        if self.told.borrow_mut().insert(message.clone()) {
            self.terminal.report(&Diagnostic::warning("bump-access", message), self.root);
        }
    }

    fn credentials(&self, name: &str, of: &ImageRepository, path: &Utf8Path) -> Result<Credentials, String> {
        let contents = self.contents("Secret", name, of, path)?;
        let config =
            contents.get(DOCKER_CONFIG).ok_or_else(|| format!("its Secret `{name}` has no `{DOCKER_CONFIG}`"))?;
        let found = Credentials::in_pull_secret(config, &of.image)
            .map_err(|error| format!("its Secret `{name}` can't be used: {}", error.message))?;
        let found = found.ok_or_else(|| format!("its Secret `{name}` has nothing for that registry"))?;
        redaction::note_values(found.password.reveal());
        Ok(found)
    }

    fn authorities(&self, name: &str, of: &ImageRepository, path: &Utf8Path) -> Result<String, String> {
        let contents = self.contents("Secret", name, of, path)?;
        if CLIENTS.iter().any(|key| contents.contains_key(*key)) {
            self.tell(format!(
                "the ImageRepository `{}`: registries can't be shown the client's certificate of its Secret `{name}`",
                of.name
            ));
        }
        let text = AUTHORITIES.iter().find_map(|key| contents.get(*key));
        let text = text.ok_or_else(|| format!("its Secret `{name}` has no `{}`", AUTHORITIES[0]))?;
        String::from_utf8(text.clone()).map_err(|_| format!("the authorities in its Secret `{name}` are no text"))
    }

    /// The Secrets that pods of a ServiceAccount pull with.
    fn secrets_of(&self, account: &str, of: &ImageRepository, path: &Utf8Path) -> Result<Vec<String>, String> {
        let contents = self.contents("ServiceAccount", account, of, path)?;
        let names: Vec<String> = contents.into_keys().collect();
        if names.is_empty() {
            Err(format!("its ServiceAccount `{account}` has no `imagePullSecrets`"))
        } else {
            Ok(names)
        }
    }

    /// What the object of a name holds: the one in the namespace that is said, and of several the nearest.
    fn contents(
        &self,
        kind: &str,
        name: &str,
        of: &ImageRepository,
        path: &Utf8Path,
    ) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let mut found = self.found(kind, name);
        // Kustomizations give namespaces to what has none.
        let is_other =
            |found: &Found| matches!((&found.namespace, &of.namespace), (Some(one), Some(other)) if one != other);
        found.retain(|found| !is_other(found));
        let shared = |found: &Found| found.path.components().zip(path.components()).take_while(|(a, b)| a == b).count();
        found.sort_by_key(|found| (found.namespace != of.namespace, Reverse(shared(found)), found.path.clone()));
        let missing = || format!("its {kind} `{name}` is not in the repository");
        let first = found.into_iter().next().ok_or_else(missing)?;
        first.contents.map_err(|why| format!("its {kind} `{name}` ({}) can't be read: {why}", first.path))
    }

    fn found(&self, kind: &str, name: &str) -> Vec<Found> {
        let machine = OsWorld::unrestricted("/");
        let decrypted = DecryptedWorld::new(self.world, &machine);
        let mut found = Vec::new();
        for (path, text) in self.files.iter().filter(|(_, text)| text.contains(name)) {
            for (at, manifest) in documents(path, text).iter().enumerate() {
                let told = |keys: &[&str]| manifest.at(keys).and_then(Node::as_str);
                if told(&["kind"]) == Some(kind) && told(&["metadata", "name"]) == Some(name) {
                    let contents = match (kind, manifest.get("sops")) {
                        ("Secret", Some(_)) => plain(&decrypted, path).and_then(|text| {
                            // Of the same documents, the same one.
                            let manifests = documents(path, &text);
                            manifests.get(at).map_or_else(|| Err("it holds something else".to_owned()), held)
                        }),
                        ("Secret", None) => held(manifest),
                        _ => Ok(pull_secrets(manifest)),
                    };
                    let namespace = told(&["metadata", "namespace"]).map(str::to_owned);
                    found.push(Found { path: path.clone(), namespace, contents });
                }
                if kind != "Secret" {
                    continue;
                }
                for entry in manifest.get("secretGenerator").and_then(Node::items).unwrap_or_default() {
                    if entry.get("name").and_then(Node::as_str) == Some(name) {
                        let namespace = entry.get("namespace").or_else(|| manifest.get("namespace"));
                        let namespace = namespace.and_then(Node::as_str).map(str::to_owned);
                        let contents = generated(&decrypted, path, entry);
                        found.push(Found { path: path.clone(), namespace, contents });
                    }
                }
            }
        }
        found
    }
}

/// Whether a file may hold what is looked for here.
pub(super) fn is_of_use(text: &str) -> bool {
    ["kind: Secret", "secretGenerator", "kind: ServiceAccount", "kind: Namespace"]
        .iter()
        .any(|word| text.contains(word))
}

/// The labels that a namespace has in these files.
pub(super) fn labels_of_namespace(files: &[(Utf8PathBuf, String)], name: &str) -> BTreeMap<String, String> {
    let texts = files.iter().filter(|(_, text)| text.contains("kind: Namespace"));
    let all = texts.flat_map(|(path, text)| documents(path, text));
    let found = all.filter(|manifest| {
        let told = |keys: &[&str]| manifest.at(keys).and_then(Node::as_str);
        told(&["kind"]) == Some("Namespace") && told(&["metadata", "name"]) == Some(name)
    });
    let labels = found.filter_map(|manifest| {
        let entries = manifest.at(&["metadata", "labels"])?.entries()?.to_vec();
        Some(
            entries.into_iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.as_str()?.to_owned()))),
        )
    });
    labels.flatten().collect()
}

fn documents(path: &Utf8Path, text: &str) -> Vec<Node> {
    onepane_yaml::read(text, FileId::new(path)).unwrap_or_default()
}

/// What is in a file, decrypted. Where that fails, what was said of it does not repeat what it holds.
fn plain(world: &dyn World, path: &Utf8Path) -> Result<String, String> {
    let bytes = world.read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes.to_vec()).map_err(|_| "it is no text".to_owned())
}

/// What a Secret holds.
fn held(manifest: &Node) -> Contents {
    let mut contents = BTreeMap::new();
    let entries = |field: &str| manifest.get(field).and_then(Node::entries).unwrap_or_default();
    let text = |node: &Node| node.as_str().map(str::to_owned).unwrap_or_default();
    for (key, value) in entries("data") {
        let joined: String = text(value).split_whitespace().collect();
        let bytes = STANDARD.decode(joined).map_err(|_| format!("`{}` is not in base64", text(key)))?;
        contents.insert(text(key), bytes);
    }
    // What is given as it reads has the last word.
    contents.extend(entries("stringData").iter().map(|(key, value)| (text(key), text(value).into_bytes())));
    Ok(contents)
}

/// The names of the Secrets of a ServiceAccount, as keys.
fn pull_secrets(manifest: &Node) -> BTreeMap<String, Vec<u8>> {
    let entries = manifest.get("imagePullSecrets").and_then(Node::items).unwrap_or_default();
    let names = entries.iter().filter_map(|entry| entry.get("name").and_then(Node::as_str));
    names.map(|name| (name.to_owned(), Vec::new())).collect()
}

/// What an entry of `secretGenerator` in the kustomization at `path` makes.
fn generated(world: &dyn World, path: &Utf8Path, entry: &Node) -> Contents {
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let list = |field: &str| entry.get(field).and_then(Node::items).unwrap_or_default().iter().filter_map(Node::as_str);
    let mut contents = BTreeMap::new();
    for text in list("files") {
        let (key, file) = match text.split_once('=') {
            Some((key, file)) => (key, file),
            None => (Utf8Path::new(text).file_name().unwrap_or(text), text),
        };
        let bytes = world.read(&normalize(&folder.join(file))).map_err(|error| error.to_string())?;
        contents.insert(key.to_owned(), bytes.to_vec());
    }
    for (key, value) in list("literals").filter_map(|text| text.split_once('=')) {
        contents.insert(key.to_owned(), value.trim_matches(['\'', '"']).as_bytes().to_vec());
    }
    Ok(contents)
}
