//! Where releases are kept: [`Storage`], Secrets or ConfigMaps that are Helm's to the byte.
//!
//! A revision that somebody is at work on is written only over what that one knows of it, so that of two who take themselves
//! for its writer one learns that it is not. All others are written as Helm does, whatever is there.

use crate::encoding::{decode, encode};
use crate::failure::Failure;
use crate::release::Release;
use crate::writer::{ANNOTATION, PATIENCE, Presence, Writer, presence};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onepane_cluster::{Cluster, Refusal, Request, Verb};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What Helm keeps releases in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// Secrets.
    #[default]
    Secrets,
    /// ConfigMaps.
    ConfigMaps,
}

/// The labels that are Helm's own.
pub const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// Says of a revision that whoever was at work on it was found to be gone.
const ABANDONED: &str = "onepane.dev/abandoned";
/// How many a list brings at once.
const PAGE: usize = 250;
/// How often something is written that may have been written already.
const TRIES: usize = 5;

/// Where the releases of a namespace, or of all, are kept.
#[derive(Clone)]
pub(crate) struct Storage<'c> {
    cluster: &'c Cluster,
    /// Empty for all.
    namespace: String,
    driver: Driver,
}

/// A revision as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) release: Release,
    /// Who was at work on it, if that was noted.
    pub(crate) writer: Option<String>,
    /// Whether whoever was at work on it was found to be gone.
    pub(crate) is_abandoned: bool,
    version: String,
}

/// A revision that somebody is at work on.
pub(crate) struct Held {
    writer: Writer,
    /// The version of the object that was last seen.
    version: String,
    object: Value,
    beat: u64,
}

impl<'c> Storage<'c> {
    pub(crate) fn new(cluster: &'c Cluster, namespace: &str, driver: Driver) -> Self {
        Self { cluster, namespace: namespace.to_owned(), driver }
    }

    fn resource(&self) -> &'static str {
        match self.driver {
            Driver::Secrets => "secrets",
            Driver::ConfigMaps => "configmaps",
        }
    }

    fn collection(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("/api/v1/{}", self.resource()),
            namespace => format!("/api/v1/namespaces/{namespace}/{}", self.resource()),
        }
    }

    fn place(&self, key: &str) -> (String, String) {
        (format!("{}/{key}", self.collection()), format!("{} {key}", self.resource()))
    }

    /// A revision.
    pub(crate) async fn get(&self, name: &str, version: i64) -> Result<Kept, Failure> {
        let key = key(name, version);
        let (path, asked) = self.place(&key);
        match self.cluster.ask(&Request::get(path, asked)).await {
            Ok(object) => {
                let mut kept = self
                    .read(&object)
                    .map_err(|error| Failure::Other(format!("get: failed to decode data {key:?}: {error}")))?;
                kept.release.labels.retain(|label, _| !SYSTEM_LABELS.contains(&label.as_str()));
                Ok(kept)
            }
            Err(refusal) if refusal.is_not_found() => Err(Failure::NotFound),
            Err(refusal) => Err(Failure::Other(format!("get: failed to get {key:?}: {refusal}"))),
        }
    }

    /// All revisions of a release, by their numbers.
    pub(crate) async fn history(&self, name: &str) -> Result<Vec<Kept>, Failure> {
        let query = self.query(&format!("name={name},owner=helm")).await;
        let mut found =
            query.map_err(|refusal| Failure::Other(format!("query: failed to query with labels: {refusal}")))?;
        if found.is_empty() {
            return Err(Failure::NotFound);
        }
        found.sort_by_key(|kept| kept.release.version);
        Ok(found)
    }

    /// All revisions of all releases. Those that can't be read are left out, as in Helm.
    pub(crate) async fn all(&self) -> Result<Vec<Release>, Failure> {
        let found = self.query("owner=helm").await;
        let found = found.map_err(|refusal| Failure::Other(format!("list: failed to list: {refusal}")))?;
        Ok(found.into_iter().map(|kept| kept.release).collect())
    }

    async fn query(&self, selector: &str) -> Result<Vec<Kept>, Refusal> {
        let selector = selector.replace('=', "%3D").replace(',', "%2C");
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("{}?labelSelector={selector}&limit={PAGE}{next}", self.collection());
            let list = self.cluster.ask(&Request::get(path, self.resource())).await?;
            let items = list.get("items").and_then(Value::as_array);
            found.extend(items.into_iter().flatten().filter_map(|object| self.read(object).ok()));
            match list.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => next = format!("&continue={}", in_query(token)),
                _ => return Ok(found),
            }
        }
    }

    fn read(&self, object: &Value) -> Result<Kept, String> {
        let data = object.pointer("/data/release").and_then(Value::as_str).unwrap_or_default();
        let mut release = match self.driver {
            Driver::ConfigMaps => decode(data)?,
            Driver::Secrets => {
                let data = STANDARD.decode(data).map_err(|error| error.to_string())?;
                decode(std::str::from_utf8(&data).map_err(|error| error.to_string())?)?
            }
        };
        let texts = |pointer: &str| -> BTreeMap<String, String> {
            let fields = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
            fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        };
        release.labels = texts("/metadata/labels");
        let mut annotations = texts("/metadata/annotations");
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
        Ok(Kept {
            release,
            writer: annotations.remove(ANNOTATION),
            is_abandoned: annotations.contains_key(ABANDONED),
            version: version.to_owned(),
        })
    }

    /// Whether who was at work on a revision is gone. Takes its time where that is on another machine.
    pub(crate) async fn is_left(&self, kept: &Kept) -> Result<bool, Failure> {
        let Some(note) = &kept.writer else { return Ok(false) };
        match presence(note) {
            Presence::AtWork => return Ok(false),
            Presence::Gone => return Ok(true),
            Presence::Elsewhere => {}
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            self.cluster.pause(Duration::from_secs(1)).await;
            match self.get(&kept.release.name, kept.release.version).await {
                Ok(now) if now.version == kept.version => {}
                Ok(_) | Err(Failure::NotFound) => return Ok(false),
                Err(failure) => return Err(failure),
            }
        }
        Ok(true)
    }

    /// Keeps a new revision that the caller is at work on.
    pub(crate) async fn create(&self, release: &Release) -> Result<Held, Failure> {
        let writer = Writer::new();
        let object = self.object(release, Some(&writer.note(0)), "createdAt")?;
        let failed = |refusal: &Refusal| Failure::Other(format!("create: failed to create: {refusal}"));
        let mut is_doubtful = false;
        for try_number in 1.. {
            let asked = format!("{} ", self.resource());
            match self.cluster.ask(&Request::send(Verb::Post, self.collection(), asked.trim_end(), &object)).await {
                Ok(made) => return Ok(Held::new(writer, &made, object)),
                Err(refusal) if refusal.is_already_there() => {
                    // It may have been us, a moment ago.
                    let (path, asked) = self.place(&key(&release.name, release.version));
                    let found =
                        if is_doubtful { self.cluster.ask(&Request::get(path, asked)).await.ok() } else { None };
                    return match found.filter(|found| is_own(found, &writer)) {
                        Some(found) => Ok(Held::new(writer, &found, object)),
                        None => Err(Failure::Exists),
                    };
                }
                Err(refusal) if matches!(refusal.code, 0 | 429 | 500..) && try_number < TRIES => {
                    is_doubtful = true;
                    self.cluster.pause(Duration::from_millis(100 << try_number)).await;
                }
                Err(refusal) => return Err(failed(&refusal)),
            }
        }
        Err(Failure::Exists)
    }

    /// Takes up a revision that is there already, to be at work on it as `release` says.
    pub(crate) async fn take(&self, release: &Release) -> Result<Held, Failure> {
        let writer = Writer::new();
        let object = self.object(release, Some(&writer.note(0)), "modifiedAt")?;
        let (path, asked) = self.place(&key(&release.name, release.version));
        let made = self.cluster.ask(&Request::send(Verb::Put, path, asked, &object)).await;
        let made = made.map_err(|refusal| Failure::Other(format!("update: failed to update: {refusal}")))?;
        Ok(Held::new(writer, &made, object))
    }

    /// Writes a revision that the caller is at work on. The error is another's hand in it, or the server's.
    pub(crate) async fn update(&self, held: &mut Held, release: &Release) -> Result<(), Failure> {
        let note = release.info.status.is_passing().then(|| held.writer.note(held.beat));
        let object = self.object(release, note.as_deref(), "modifiedAt")?;
        self.put(held, object).await
    }

    /// Says that the writer is there.
    pub(crate) async fn beat(&self, held: &mut Held) -> Result<(), Failure> {
        held.beat += 1;
        let mut object = held.object.clone();
        object["metadata"]["annotations"] = json!({ANNOTATION: held.writer.note(held.beat)});
        self.put(held, object).await
    }

    async fn put(&self, held: &mut Held, mut object: Value) -> Result<(), Failure> {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (path, asked) = self.place(&name);
        for _ in 0..TRIES {
            object["metadata"]["resourceVersion"] = Value::from(held.version.as_str());
            let request = Request::send(Verb::Put, path.as_str(), asked.as_str(), &object);
            match self.cluster.ask(&request).await {
                Ok(made) => {
                    held.saw(&made, object);
                    return Ok(());
                }
                // Somebody wrote to it: it may have been us, without an answer.
                Err(refusal) if refusal.is_conflict() => {
                    let now = self.cluster.ask(&Request::get(path.as_str(), asked.as_str())).await;
                    let now = now.map_err(|refusal| Failure::Other(format!("update: failed to update: {refusal}")))?;
                    if now.pointer("/data/release") == object.pointer("/data/release") {
                        held.saw(&now, object);
                        return Ok(());
                    }
                    if !is_own(&now, &held.writer) {
                        return Err(Failure::Busy);
                    }
                    held.version = version_of(&now);
                }
                Err(refusal) => return Err(Failure::Other(format!("update: failed to update: {refusal}"))),
            }
        }
        Err(Failure::Busy)
    }

    /// Writes a revision that nobody is at work on.
    pub(crate) async fn rewrite(&self, release: &Release) -> Result<(), Failure> {
        let object = self.object(release, None, "modifiedAt")?;
        self.rewrite_object(release, object).await
    }

    /// Writes a revision whose writer was found to be gone. Nobody's hand may have come between.
    pub(crate) async fn abandon(&self, kept: &Kept) -> Result<(), Failure> {
        let mut object = self.object(&kept.release, None, "modifiedAt")?;
        object["metadata"]["annotations"] = json!({ABANDONED: "true"});
        object["metadata"]["resourceVersion"] = Value::from(kept.version.as_str());
        match self.rewrite_object(&kept.release, object).await {
            // Whoever else found out has written the same.
            Err(failure) => match self.get(&kept.release.name, kept.release.version).await {
                Ok(now) if now.is_abandoned => Ok(()),
                Ok(now) if now.version != kept.version => Err(Failure::Busy),
                _ => Err(failure),
            },
            done => done,
        }
    }

    async fn rewrite_object(&self, release: &Release, object: Value) -> Result<(), Failure> {
        let (path, asked) = self.place(&key(&release.name, release.version));
        let written = self.cluster.ask(&Request::send(Verb::Put, path, asked, &object)).await;
        written.map(drop).map_err(|refusal| Failure::Other(format!("update: failed to update: {refusal}")))
    }

    /// Forgets a revision.
    pub(crate) async fn delete(&self, name: &str, version: i64) -> Result<(), Failure> {
        let (path, asked) = self.place(&key(name, version));
        let request = Request { verb: Verb::Delete, ..Request::get(path, asked) };
        match self.cluster.ask(&request).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_not_found() => Err(Failure::NotFound),
            Err(refusal) => Err(Failure::Other(refusal.message)),
        }
    }

    /// Makes room for a further revision, so that there are no more than `most` with it. What the cluster has stays.
    pub(crate) async fn make_room(&self, name: &str, most: i64) -> Result<(), Failure> {
        if most <= 0 {
            return Ok(());
        }
        let history = match self.history(name).await {
            Ok(history) => history,
            Err(Failure::NotFound) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let deployed = last_deployed(&history).map(|kept| kept.release.version);
        let surplus = (history.len() as i64 - (most - 1)).max(0);
        let old = history.iter().map(|kept| kept.release.version).filter(|version| Some(*version) != deployed);
        let mut failures = Vec::new();
        for version in old.take(usize::try_from(surplus).unwrap_or(0)) {
            match self.delete(name, version).await {
                Ok(()) | Err(Failure::NotFound) => {}
                Err(failure) => failures.push(failure),
            }
        }
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            count => {
                Err(Failure::Other(format!("encountered {count} deletion errors. First is: {}", failures.remove(0))))
            }
        }
    }

    fn object(&self, release: &Release, writer: Option<&str>, stamp: &str) -> Result<Value, Failure> {
        let mut labels: Map<String, Value> =
            release.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        // Labels of the revision before come along, as they do in Helm.
        labels.entry(stamp).or_insert_with(|| Value::from(seconds.to_string()));
        labels.insert("name".to_owned(), Value::from(release.name.as_str()));
        labels.insert("owner".to_owned(), Value::from("helm"));
        labels.insert("status".to_owned(), Value::from(release.info.status.name()));
        labels.insert("version".to_owned(), Value::from(release.version.to_string()));
        let data = encode(release).map_err(Failure::Other)?;
        let mut object = json!({
            "apiVersion": "v1",
            "metadata": {"name": key(&release.name, release.version), "labels": labels},
        });
        match self.driver {
            Driver::Secrets => {
                object["kind"] = json!("Secret");
                object["type"] = json!("helm.sh/release.v1");
                object["data"] = json!({"release": STANDARD.encode(data)});
            }
            Driver::ConfigMaps => {
                object["kind"] = json!("ConfigMap");
                object["data"] = json!({ "release": data });
            }
        }
        if let Some(writer) = writer {
            object["metadata"]["annotations"] = json!({ANNOTATION: writer});
        }
        Ok(object)
    }
}

impl Held {
    fn new(writer: Writer, made: &Value, object: Value) -> Self {
        Self { writer, version: version_of(made), object, beat: 0 }
    }

    fn saw(&mut self, made: &Value, object: Value) {
        self.version = version_of(made);
        self.object = object;
    }

    /// Whether it is still one that somebody is at work on.
    pub(crate) fn is_passing(&self) -> bool {
        self.object.pointer("/metadata/annotations").is_some()
    }
}

/// Of the revisions that are what the cluster has, the last.
pub(crate) fn last_deployed(history: &[Kept]) -> Option<&Kept> {
    history.iter().rev().find(|kept| kept.release.info.status == crate::release::Status::Deployed)
}

fn version_of(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_own(object: &Value, writer: &Writer) -> bool {
    let note = object.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(ANNOTATION)?.as_str());
    note.is_some_and(|note| writer.is_own(note))
}

/// The name of the object that a revision is kept in.
fn key(name: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{name}.v{version}")
}

/// A token as it may stand in a query.
fn in_query(token: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    token.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
