//! The state of the cluster, and how objects get into it: [`Cluster`].
//!
//! Everything is done under one lock and without waiting, so that each request and each step of a controller sees a
//! state that is whole. What changes is noted as work for the controllers.

use crate::allocation;
use crate::decode;
use crate::defaults;
use crate::failure::{Cause, Failure, Result};
use crate::kinds::{Kind, Kinds};
use crate::managed_fields::{self, Apply, Manager};
use crate::object;
use crate::options::Options;
use crate::scenario::Scenario;
use crate::store::{Key, Store};
use crate::validation;
use crate::work::Work;
use serde_json::{Value, json};
use std::sync::Arc;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) store: Store,
    pub(crate) kinds: Kinds,
    pub(crate) options: Options,
    pub(crate) scenario: Scenario,
    pub(crate) work: Work,
    pub(crate) random: fastrand::Rng,
}

/// How an object is written.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) manager: Manager,
    pub(crate) dry_run: bool,
    pub(crate) unknown_fields: UnknownFields,
}

/// What becomes of fields that there are none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownFields {
    Ignore,
    Warn,
    Refuse,
}

/// An object that was written, and what the client is warned of.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) warnings: Vec<String>,
}

/// The manager of what the controllers write.
pub(crate) const CONTROLLER: &str = "kube-controller-manager";

impl Writing {
    /// How controllers write.
    pub(crate) fn by_controller(subresource: &str) -> Self {
        let manager = Manager { name: CONTROLLER.to_owned(), subresource: subresource.to_owned() };
        Self { manager, dry_run: false, unknown_fields: UnknownFields::Ignore }
    }
}

impl Cluster {
    pub(crate) fn new(options: Options) -> Self {
        let mut cluster = Self {
            store: Store::new(options.history_limit),
            kinds: Kinds::new(),
            scenario: options.scenario.clone(),
            work: Work::default(),
            random: fastrand::Rng::with_seed(options.seed),
            options,
        };
        cluster.found();
        cluster
    }

    /// What a cluster has from the beginning.
    fn found(&mut self) {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.create_by_controller("v1", "Namespace", namespace);
        }
        let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]);
        let labels = json!({"component": "apiserver", "provider": "kubernetes"});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
            "spec": {"clusterIP": "10.96.0.1", "ports": ports}});
        self.create_by_controller("v1", "Service", service);
        for index in 1..=self.options.nodes {
            let name = format!("embedded-{index}");
            let labels =
                json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"});
            let room = json!({"cpu": "32", "memory": "256Gi", "pods": "1000"});
            let condition = json!({"type": "Ready", "status": "True", "reason": "KubeletReady",
                "message": "nothing runs here: this node is embedded in a process", "lastTransitionTime": object::now()});
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
                "status": {"capacity": room, "allocatable": room, "conditions": [condition]}});
            self.create_by_controller("v1", "Node", node);
        }
    }

    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        self.kinds.by_kind(api_version, kind)
    }

    /// Creates what a controller wants; `None` where it is there already or refused, which the next change tries again.
    pub(crate) fn create_by_controller(&mut self, api_version: &str, kind: &str, object: Value) -> Option<Arc<Value>> {
        let kind = self.kind(api_version, kind)?;
        let namespace = object::namespace(&object).to_owned();
        self.create(&kind, &namespace, object, &Writing::by_controller(""), false).ok().map(|written| written.object)
    }

    /// Changes an object as a controller; `subresource` is mostly `status`.
    pub(crate) fn change(&mut self, kind: &Kind, key: &Key, subresource: &str, change: impl FnOnce(&mut Value)) {
        let writing = Writing::by_controller(subresource);
        // Refused is what is gone meanwhile, which is no failure of a controller.
        let _ = self.update(kind, key, &writing, |old| {
            let mut new = old.clone();
            change(&mut new);
            Ok(new)
        });
    }

    pub(crate) fn key(kind: &Kind, namespace: &str, name: &str) -> Key {
        let namespace = if kind.is_namespaced { namespace.to_owned() } else { String::new() };
        Key { resource: kind.storage_key(), namespace, name: name.to_owned() }
    }

    /// Creates an object; `applied` when by server-side apply.
    pub(crate) fn create(
        &mut self,
        kind: &Kind,
        namespace: &str,
        mut new: Value,
        writing: &Writing,
        applied: bool,
    ) -> Result<Written> {
        let sent = object::namespace(&new);
        if kind.is_namespaced && !sent.is_empty() && sent != namespace {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Failure::bad_request(message));
        }
        if !object::text(&new, &["metadata", "resourceVersion"]).is_empty() {
            return Err(Failure::new(500, "", "resourceVersion should not be set on objects to be created"));
        }
        let configuration = if applied { Some(new.clone()) } else { None };
        self.name(kind, namespace, &mut new);
        let name = object::name(&new).to_owned();
        self.admit_to_namespace(kind, namespace, &name)?;
        let key = Self::key(kind, namespace, &name);
        if self.store.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &name));
        }
        if kind.has("status") && kind.plural != "nodes" {
            object::remove(&mut new, &["status"]);
        }
        let managed = object::remove(&mut new, &["metadata", "managedFields"]);
        let warnings = self.decode(kind, &mut new, writing)?;
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
            object::remove(&mut new, &["metadata", field]);
        }
        let uid = self.uid();
        object::set(&mut new, &["metadata", "uid"], uid);
        object::set(&mut new, &["metadata", "creationTimestamp"], object::now());
        match kind.has_generation() {
            true => object::set(&mut new, &["metadata", "generation"], 1),
            false => _ = object::remove(&mut new, &["metadata", "generation"]),
        }
        if kind.custom.is_none() {
            defaults::fill(kind, &mut new);
        }
        let empty = self.empty(kind);
        match configuration {
            Some(configuration) => {
                let apply = Apply { kind, manager: &writing.manager, force: true };
                new = apply.apply(&empty, &configuration, |_| Ok(new))?;
            }
            None => {
                if let Some(managed) = managed {
                    object::mapping(&mut new, &["metadata"]).insert("managedFields".to_owned(), managed);
                }
                managed_fields::updated(kind, &empty, &mut new, &writing.manager);
            }
        }
        // From here on nobody owns what is added.
        if kind.custom.is_none() {
            defaults::fill_new(kind, &mut new);
        }
        validation::validate(kind, &new, None)?;
        allocation::allocate(self, kind, &mut new, None)?;
        if writing.dry_run {
            return Ok(Written { object: Arc::new(new), warnings });
        }
        let object = self.put(key, new);
        Ok(Written { object, warnings })
    }

    /// An object of a kind in which nobody wrote anything.
    fn empty(&self, kind: &Kind) -> Value {
        let mut empty = json!({});
        if kind.custom.is_none() {
            // It has no values that could be wrong.
            let _ = decode::builtin(&kind.shape, &kind.kind, &mut empty);
        }
        empty
    }

    /// Checks names and scopes, and makes up a name where one is to be generated.
    fn name(&mut self, kind: &Kind, namespace: &str, new: &mut Value) {
        match kind.is_namespaced {
            true => object::set(new, &["metadata", "namespace"], namespace),
            false => _ = object::remove(new, &["metadata", "namespace"]),
        }
        let prefix = object::text(new, &["metadata", "generateName"]).to_owned();
        if object::name(new).is_empty() && !prefix.is_empty() {
            let name = format!("{prefix}{}", self.suffix());
            object::set(new, &["metadata", "name"], name);
        }
    }

    /// The end of a generated name.
    pub(crate) fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5)
            .filter_map(|_| LETTERS.get(self.random.usize(0..LETTERS.len())))
            .map(|letter| char::from(*letter))
            .collect()
    }

    fn uid(&mut self) -> String {
        let (a, b) = (self.random.u64(..), self.random.u64(..));
        let (third, fourth) = (0x4000 | (a & 0xfff), 0x8000 | (b >> 48 & 0x3fff));
        format!("{:08x}-{:04x}-{third:04x}-{fourth:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, b & 0xffff_ffff_ffff)
    }

    fn admit_to_namespace(&self, kind: &Kind, namespace: &str, name: &str) -> Result<()> {
        if !kind.is_namespaced {
            return Ok(());
        }
        let Some(of) = self.kind("v1", "Namespace") else { return Ok(()) };
        match self.store.get(&Self::key(&of, "", namespace)) {
            None => Err(Failure::not_found(&of, namespace)),
            Some(found) if object::is_being_deleted(found) => {
                let why =
                    format!("unable to create new content in namespace {namespace} because it is being terminated");
                let message = format!("namespace {namespace} is being terminated");
                let cause =
                    json!([{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]);
                Err(Failure::forbidden(kind, name, &why, cause))
            }
            Some(_) => Ok(()),
        }
    }

    /// Reads what was sent; the warnings.
    fn decode(&self, kind: &Kind, new: &mut Value, writing: &Writing) -> Result<Vec<String>> {
        let api_version = kind.api_version();
        let handled = |why: &str| {
            format!("{} in version {:?} cannot be handled as a {}: {why}", kind.kind, kind.version, kind.kind)
        };
        let decoded = match kind.custom {
            None => decode::builtin(&kind.shape, &kind.kind, new).map_err(|why| Failure::bad_request(handled(&why)))?,
            Some(_) => decode::custom(&kind.shape, new),
        };
        object::set(new, &["apiVersion"], api_version);
        object::set(new, &["kind"], kind.kind.clone());
        let unknown = decoded.unknown.iter().map(|path| format!("unknown field {path:?}"));
        match writing.unknown_fields {
            UnknownFields::Refuse if !decoded.unknown.is_empty() => {
                let all: Vec<String> = unknown.collect();
                let why = format!("strict decoding error: {}", all.join(", "));
                Err(Failure::bad_request(handled(&why)))
            }
            UnknownFields::Warn => Ok(unknown.collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// Changes an object: `change` makes the new one of the old one.
    pub(crate) fn update(
        &mut self,
        kind: &Kind,
        key: &Key,
        writing: &Writing,
        change: impl FnOnce(&Value) -> Result<Value>,
    ) -> Result<Written> {
        let old = self.store.get(key).cloned().ok_or_else(|| Failure::not_found(kind, &key.name))?;
        let seen = self.seen_as(kind, &old);
        let new = change(&seen)?;
        let managed = object::at(&new, &["metadata", "managedFields"]).cloned();
        let (mut new, warnings) = self.finish(kind, key, &seen, new, writing)?;
        let resets = matches!(&managed, Some(Value::Array(entries)) if entries.is_empty() || entries == &[json!({})])
            && object::at(&old, &["metadata", "managedFields"]).is_some();
        if !resets && !managed_fields::is_changed(kind, &seen, &new) {
            return Ok(Written { object: old, warnings });
        }
        if let Some(managed) = managed {
            object::mapping(&mut new, &["metadata"]).insert("managedFields".to_owned(), managed);
        }
        managed_fields::updated(kind, &seen, &mut new, &writing.manager);
        Ok(self.keep(key, new, writing, warnings))
    }

    /// Server-side apply.
    pub(crate) fn apply(
        &mut self,
        kind: &Kind,
        key: &Key,
        writing: &Writing,
        configuration: Value,
        force: bool,
    ) -> Result<Written> {
        let Some(old) = self.store.get(key).cloned() else {
            if !writing.manager.subresource.is_empty() {
                return Err(Failure::not_found(kind, &key.name));
            }
            return self.create(kind, &key.namespace, configuration, writing, true);
        };
        let seen = self.seen_as(kind, &old);
        let wanted = object::text(&configuration, &["metadata", "resourceVersion"]);
        if !wanted.is_empty() && wanted != object::text(&old, &["metadata", "resourceVersion"]) {
            return Err(Failure::conflict(kind, &key.name));
        }
        let mut warnings = Vec::new();
        let apply = Apply { kind, manager: &writing.manager, force };
        let mut configuration = configuration;
        object::remove(&mut configuration, &["metadata", "resourceVersion"]);
        let new = apply.apply(&seen, &configuration, |merged| {
            let (new, found) = self.finish(kind, key, &seen, merged, writing)?;
            warnings = found;
            Ok(new)
        })?;
        if new == *seen {
            return Ok(Written { object: old, warnings });
        }
        Ok(self.keep(key, new, writing, warnings))
    }

    /// The object in the version that is asked for; versions of one kind differ in nothing else.
    fn seen_as(&self, kind: &Kind, object: &Arc<Value>) -> Arc<Value> {
        if object::text(object, &["apiVersion"]) == kind.api_version() {
            return object.clone();
        }
        let mut seen = Value::clone(object);
        object::set(&mut seen, &["apiVersion"], kind.api_version());
        Arc::new(seen)
    }

    /// Makes an object that can be kept of what a client wants one to be: without managed fields.
    fn finish(
        &self,
        kind: &Kind,
        key: &Key,
        old: &Value,
        mut new: Value,
        writing: &Writing,
    ) -> Result<(Value, Vec<String>)> {
        let name = object::name(&new);
        if name != key.name {
            let message = format!("the name of the object ({name}) does not match the name on the URL ({})", key.name);
            return Err(Failure::bad_request(message));
        }
        let namespace = object::namespace(&new);
        if kind.is_namespaced && !namespace.is_empty() && namespace != key.namespace {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Failure::bad_request(message));
        }
        let version = object::text(&new, &["metadata", "resourceVersion"]);
        if !version.is_empty() && version != object::text(old, &["metadata", "resourceVersion"]) {
            return Err(Failure::conflict(kind, &key.name));
        }
        let uid = object::uid(&new);
        if !uid.is_empty() && uid != object::uid(old) {
            let path = format!("/registry/{}/{}/{}", kind.plural, key.namespace, key.name);
            let what =
                format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", object::uid(old));
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {what}"
            );
            return Err(Failure::cannot_be_fulfilled(kind, &key.name, &why));
        }
        let warnings = self.decode(kind, &mut new, writing)?;
        separate(kind, &writing.manager.subresource, old, &mut new);
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "namespace",
            "resourceVersion",
            "generateName",
        ] {
            match object::at(old, &["metadata", field]) {
                Some(value) => object::set(&mut new, &["metadata", field], value.clone()),
                None => _ = object::remove(&mut new, &["metadata", field]),
            }
        }
        object::remove(&mut new, &["metadata", "managedFields"]);
        if kind.custom.is_none() {
            defaults::fill(kind, &mut new);
            allocation::keep(kind, old, &mut new);
        }
        validation::validate(kind, &new, Some(old))?;
        if kind.has_generation() && is_other_wish(kind, old, &new) {
            let generation = object::number(old, &["metadata", "generation"]).unwrap_or(0);
            object::set(&mut new, &["metadata", "generation"], generation + 1);
        }
        Ok((new, warnings))
    }

    fn keep(&mut self, key: &Key, mut new: Value, writing: &Writing, warnings: Vec<String>) -> Written {
        if writing.dry_run {
            return Written { object: Arc::new(new), warnings };
        }
        if let Some(kind) = self.kinds.by_key(&key.resource) {
            // A node port that can't be had leaves the service without.
            let old = self.store.get(key).cloned();
            let _ = allocation::allocate(self, &kind, &mut new, old.as_deref());
        }
        // What waited for its last finalizer is gone with it.
        let is_finished = object::is_being_deleted(&new)
            && object::finalizers(&new).is_empty()
            && object::items(&new, &["spec", "finalizers"]).is_empty()
            && object::number(&new, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0) == 0;
        if is_finished {
            let object = Arc::new(new);
            self.store_removal(key);
            return Written { object, warnings };
        }
        Written { object: self.put(key.clone(), new), warnings }
    }

    pub(crate) fn put(&mut self, key: Key, object: Value) -> Arc<Value> {
        let object = self.store.put(key.clone(), object);
        if *key.resource == *"customresourcedefinitions.apiextensions.k8s.io" {
            crate::definitions::define(self, &object);
        }
        self.work.note(key);
        if let Some(owner) =
            object::controller_of(&object).and_then(|owner| self.store.by_uid(object::text(owner, &["uid"])))
        {
            let owner = owner.clone();
            self.work.note(owner);
        }
        object
    }

    /// Removes an object and notes what is to be looked at because of that.
    pub(crate) fn store_removal(&mut self, key: &Key) -> Option<Arc<Value>> {
        let object = self.store.remove(key)?;
        for dependent in self.store.dependents(object::uid(&object)) {
            self.work.note(dependent);
        }
        for owner in object::items(&object, &["metadata", "ownerReferences"]) {
            if let Some(owner) = self.store.by_uid(object::text(owner, &["uid"])).cloned() {
                self.work.note(owner);
            }
        }
        if *key.resource == *"pods" {
            for claim in crate::controllers::claims_of(&object) {
                self.work.note(claim);
            }
        }
        if !key.namespace.is_empty() {
            self.work.note(Key {
                resource: "namespaces".into(),
                namespace: String::new(),
                name: key.namespace.clone(),
            });
        }
        if *key.resource == *"customresourcedefinitions.apiextensions.k8s.io" {
            self.kinds.undefine(&key.name);
        } else if let Some((_, _)) = key.resource.split_once('.') {
            let resource = "customresourcedefinitions.apiextensions.k8s.io".into();
            self.work.note(Key { resource, namespace: String::new(), name: key.resource.to_string() });
        }
        self.work.forget(object::uid(&object));
        Some(object)
    }
}

/// Undoes what may not be written where it was: the status with the object, everything else with the status.
fn separate(kind: &Kind, subresource: &str, old: &Value, new: &mut Value) {
    match subresource {
        "status" => {
            let mut kept = old.clone();
            match new.get("status") {
                Some(status) => object::set(&mut kept, &["status"], status.clone()),
                None => _ = object::remove(&mut kept, &["status"]),
            }
            // A status may bring metadata, but in custom resources.
            if kind.custom.is_none() {
                // Those of a Deployment bring no labels.
                let labels = (kind.kind != "Deployment").then_some("labels");
                for field in ["annotations", "finalizers", "ownerReferences"].into_iter().chain(labels) {
                    match object::at(new, &["metadata", field]) {
                        Some(value) => object::set(&mut kept, &["metadata", field], value.clone()),
                        None => _ = object::remove(&mut kept, &["metadata", field]),
                    }
                }
            }
            *new = kept;
        }
        "" if kind.has("status") => match old.get("status") {
            Some(status) => object::set(new, &["status"], status.clone()),
            None => _ = object::remove(new, &["status"]),
        },
        _ => {}
    }
}

/// Whether something else is wanted than before, which is what generations count.
fn is_other_wish(kind: &Kind, old: &Value, new: &Value) -> bool {
    let is_wish =
        |name: &str| !matches!(name, "metadata" | "apiVersion" | "kind") && (name != "status" || !kind.has("status"));
    let wishes = |object: &Value| -> Vec<(String, Value)> {
        let fields = object.as_object().into_iter().flatten();
        fields.filter(|(name, _)| is_wish(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    wishes(old) != wishes(new)
}

/// A refusal for one field of a request's options.
pub(crate) fn invalid_option(kind: &str, cause: Cause) -> Failure {
    Failure::invalid("meta.k8s.io", kind, "", &[cause])
}
