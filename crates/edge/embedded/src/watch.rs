//! Watches: what changed, told as it changes.

use crate::accept::Form;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::kinds::Kind;
use crate::object;
use crate::selector::Selector;
use crate::store::Change;
use crate::table::{metadata_of, table};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A watch, and how far it has got.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) kind: Arc<Kind>,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Selector,
    pub(crate) form: Form,
    pub(crate) include: String,
    /// The version of the last change that was told of.
    pub(crate) seen: u64,
    pub(crate) bookmarks: bool,
    pub(crate) until: Instant,
    /// What is told first: what there is already.
    pub(crate) first: Vec<Value>,
    pub(crate) next_bookmark: Instant,
}

/// How often a watch is told how far it is when nothing happens.
pub(crate) const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// What a watch has to tell.
pub(crate) enum News {
    Events(Vec<Value>),
    /// The last event there is.
    End(Option<Value>),
}

impl Watch {
    /// What happened since the last look.
    pub(crate) fn news(&mut self, cluster: &Cluster) -> News {
        if !self.first.is_empty() {
            return News::Events(std::mem::take(&mut self.first));
        }
        let now = Instant::now();
        if now >= self.until {
            return News::End(None);
        }
        let resource = self.kind.storage_key();
        let Some(changes) = cluster.store.since(self.seen, &resource) else {
            let message = format!("too old resource version: {} ({})", self.seen, cluster.store.compacted());
            return News::End(Some(json!({"type": "ERROR", "object": Failure::expired(message).status()})));
        };
        let events: Vec<Value> = changes.filter_map(|change| self.event(change)).collect();
        self.seen = cluster.store.version();
        if events.is_empty() && self.bookmarks && now >= self.next_bookmark {
            self.next_bookmark = now + BOOKMARK_EVERY;
            return News::Events(vec![self.bookmark(self.seen, false)]);
        }
        News::Events(events)
    }

    /// When the watch has something to say though nothing happened.
    pub(crate) fn wakes_at(&self) -> Instant {
        if self.bookmarks { self.until.min(self.next_bookmark) } else { self.until }
    }

    fn event(&self, change: &Change) -> Option<Value> {
        let is_inside = |object: &Value| {
            self.namespace.as_ref().is_none_or(|namespace| object::namespace(object) == namespace)
                && self.selector.matches(object)
        };
        let was = change.before.as_deref().is_some_and(is_inside);
        let is = !change.is_removal && is_inside(&change.object);
        let of = match (was, is) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        let object = match (&change.before, is) {
            // What is no longer selected is told as it was when it still was.
            (Some(before), false) if !change.is_removal => {
                let mut before = Value::clone(before);
                object::set(&mut before, &["metadata", "resourceVersion"], change.version.to_string());
                Arc::new(before)
            }
            _ => change.object.clone(),
        };
        Some(json!({"type": of, "object": self.shown(&object)}))
    }

    pub(crate) fn added(&self, object: &Arc<Value>) -> Value {
        json!({"type": "ADDED", "object": self.shown(object)})
    }

    fn shown(&self, object: &Arc<Value>) -> Value {
        match self.form {
            Form::Metadata => metadata_of(object),
            Form::Table => {
                let version = object::text(object, &["metadata", "resourceVersion"]);
                table(&self.kind, std::slice::from_ref(object), version, &self.include)
            }
            Form::Whole | Form::Discovery => {
                let mut shown = Value::clone(object);
                object::set(&mut shown, &["apiVersion"], self.kind.api_version());
                shown
            }
        }
    }

    /// How far the watch has got; `ends_initial`: and that all there was has been told.
    pub(crate) fn bookmark(&self, version: u64, ends_initial: bool) -> Value {
        let mut object = match self.form {
            Form::Metadata => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}),
            _ => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version()}),
        };
        object["metadata"] = json!({"resourceVersion": version.to_string()});
        if ends_initial {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        json!({"type": "BOOKMARK", "object": object})
    }
}
