//! What is kept of a release: [`Release`].

use crate::go_json::go_json;
use crate::time::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// A revision of a release.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The namespace that it is kept in.
    pub namespace: String,
    /// The revision, from 1.
    pub version: i64,
    /// What became of it.
    pub info: Info,
    /// The chart as Helm stores it: metadata, lock, templates, values, schema, files.
    pub chart: Value,
    /// The values that the user gave.
    pub config: Value,
    /// All manifests but hooks.
    pub manifest: String,
    /// Its hooks, in install order.
    pub hooks: Vec<Hook>,
    /// `ssa` or `csa`: whether the server merged what was applied. Empty in releases of Helm 3, which knew no choice.
    pub apply_method: String,
    /// What its user has labelled it with; Helm keeps labels beside it.
    pub labels: BTreeMap<String, String>,
}

/// What became of a revision.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// When the first revision was made.
    pub first_deployed: Option<Time>,
    /// When this one was.
    pub last_deployed: Option<Time>,
    /// When it was uninstalled.
    pub deleted: Option<Time>,
    /// What happened last, in words.
    pub description: String,
    /// How it is.
    pub status: Status,
    /// The revision that a rollback took up.
    pub rollback_revision: i64,
    /// What NOTES.txt says.
    pub notes: String,
    /// The objects in the cluster, where somebody asked for them.
    pub resources: Option<Value>,
}

/// How a revision is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It is what the cluster has.
    Deployed,
    /// It was uninstalled, and its history kept.
    Uninstalled,
    /// A later one took its place.
    Superseded,
    /// It did not become what it should be.
    Failed,
    /// It is being uninstalled.
    Uninstalling,
    /// It is being installed.
    PendingInstall,
    /// It is being upgraded to.
    PendingUpgrade,
    /// It is being rolled back to.
    PendingRollback,
}

/// A manifest that runs at a point of a release's life.
#[derive(Clone, Debug, Default)]
pub struct Hook {
    /// `metadata.name`
    pub name: String,
    /// `kind`
    pub kind: String,
    /// The template's path.
    pub path: String,
    /// The manifest.
    pub manifest: String,
    /// The points: `pre-install`, `test`, …
    pub events: Vec<String>,
    /// What became of it the last time.
    pub last_run: LastRun,
    /// Hooks of one event run from the lightest to the heaviest.
    pub weight: i64,
    /// When it is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`.
    pub delete_policies: Vec<String>,
    /// When its logs are shown: `hook-succeeded`, `hook-failed`.
    pub output_log_policies: Vec<String>,
}

/// What became of a hook the last time it ran.
#[derive(Clone, Debug, Default)]
pub struct LastRun {
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub completed_at: Option<Time>,
    /// `Running`, `Succeeded`, `Failed`, `Unknown`; empty where it never ran.
    pub phase: String,
}

const STATUSES: [(Status, &str); 9] = [
    (Status::Unknown, "unknown"),
    (Status::Deployed, "deployed"),
    (Status::Uninstalled, "uninstalled"),
    (Status::Superseded, "superseded"),
    (Status::Failed, "failed"),
    (Status::Uninstalling, "uninstalling"),
    (Status::PendingInstall, "pending-install"),
    (Status::PendingUpgrade, "pending-upgrade"),
    (Status::PendingRollback, "pending-rollback"),
];

impl Status {
    /// Helm's word for it.
    pub fn name(self) -> &'static str {
        STATUSES.iter().find(|(status, _)| *status == self).map_or("unknown", |(_, name)| *name)
    }

    fn read(name: &str) -> Self {
        STATUSES.iter().find(|(_, known)| *known == name).map_or(Self::Unknown, |(status, _)| *status)
    }

    /// Whether somebody is, or was, about to make it another.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }

    /// The same, also where it was about to go.
    pub(crate) fn is_passing(self) -> bool {
        self.is_pending() || self == Self::Uninstalling
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Release {
    /// Says how it is, and why.
    pub(crate) fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }

    /// Whether the server merges what is applied.
    pub fn is_server_side(&self) -> bool {
        self.apply_method == "ssa"
    }

    /// Reads what Helm stores.
    ///
    /// # Errors
    /// For what is no release.
    pub(crate) fn from_json(json: &Value) -> Result<Self, String> {
        if !json.is_object() {
            return Err("it is no release".to_owned());
        }
        let info = json.get("info").unwrap_or(&Value::Null);
        let hooks = json.get("hooks").and_then(Value::as_array).into_iter().flatten();
        let take = |name: &str| json.get(name).cloned().unwrap_or_default();
        Ok(Self {
            name: text(json, "name"),
            namespace: text(json, "namespace"),
            version: number(json, "version"),
            info: Info {
                first_deployed: time(info, "first_deployed"),
                last_deployed: time(info, "last_deployed"),
                deleted: time(info, "deleted"),
                description: text(info, "description"),
                status: Status::read(&text(info, "status")),
                rollback_revision: number(info, "rollback_revision"),
                notes: text(info, "notes"),
                resources: None,
            },
            chart: take("chart"),
            config: take("config"),
            manifest: text(json, "manifest"),
            hooks: hooks.map(Hook::from_json).collect(),
            apply_method: text(json, "apply_method"),
            labels: BTreeMap::new(),
        })
    }

    /// The fields in Helm's order. Those that are empty are left out, as Go does.
    pub fn to_json(&self) -> Value {
        let Info { first_deployed, last_deployed, deleted, description, status, rollback_revision, notes, resources } =
            &self.info;
        let mut info = Fields::default();
        info.time("first_deployed", first_deployed.as_ref());
        info.time("last_deployed", last_deployed.as_ref());
        info.time("deleted", deleted.as_ref());
        info.text("description", description);
        info.text("status", status.name());
        info.number("rollback_revision", *rollback_revision);
        info.text("notes", notes);
        if let Some(resources) = resources.as_ref().filter(|resources| !is_empty(resources)) {
            info.0.insert("resources".to_owned(), resources.clone());
        }
        let mut fields = Fields::default();
        fields.text("name", &self.name);
        fields.0.insert("info".to_owned(), Value::Object(info.0));
        for (name, value) in [("chart", &self.chart), ("config", &self.config)] {
            if !value.is_null() && (name == "chart" || !is_empty(value)) {
                fields.0.insert(name.to_owned(), value.clone());
            }
        }
        fields.text("manifest", &self.manifest);
        if !self.hooks.is_empty() {
            fields.0.insert("hooks".to_owned(), self.hooks.iter().map(Hook::to_json).collect());
        }
        fields.number("version", self.version);
        fields.text("namespace", &self.namespace);
        fields.text("apply_method", &self.apply_method);
        Value::Object(fields.0)
    }

    /// The same as text.
    pub fn to_go_json(&self) -> String {
        go_json(&self.to_json())
    }

    /// A text of the chart's metadata.
    pub fn chart_field(&self, name: &str) -> Option<&str> {
        let metadata = self.chart.get("metadata").filter(|metadata| metadata.is_object())?;
        Some(metadata.get(name).and_then(Value::as_str).unwrap_or_default())
    }
}

impl Hook {
    fn from_json(json: &Value) -> Self {
        let last_run = json.get("last_run").unwrap_or(&Value::Null);
        Self {
            name: text(json, "name"),
            kind: text(json, "kind"),
            path: text(json, "path"),
            manifest: text(json, "manifest"),
            events: texts(json, "events"),
            last_run: LastRun {
                started_at: time(last_run, "started_at"),
                completed_at: time(last_run, "completed_at"),
                phase: text(last_run, "phase"),
            },
            weight: number(json, "weight"),
            delete_policies: texts(json, "delete_policies"),
            output_log_policies: texts(json, "output_log_policies"),
        }
    }

    fn to_json(&self) -> Value {
        let mut last_run = Fields::default();
        last_run.time("started_at", self.last_run.started_at.as_ref());
        last_run.time("completed_at", self.last_run.completed_at.as_ref());
        last_run.0.insert("phase".to_owned(), Value::from(self.last_run.phase.as_str()));
        let mut fields = Fields::default();
        for (name, value) in
            [("name", &self.name), ("kind", &self.kind), ("path", &self.path), ("manifest", &self.manifest)]
        {
            fields.text(name, value);
        }
        fields.texts("events", &self.events);
        fields.0.insert("last_run".to_owned(), Value::Object(last_run.0));
        fields.number("weight", self.weight);
        fields.texts("delete_policies", &self.delete_policies);
        fields.texts("output_log_policies", &self.output_log_policies);
        Value::Object(fields.0)
    }
}

/// Fields of a Go structure, without those that are empty.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), Value::from(text));
        }
    }

    fn number(&mut self, name: &str, number: i64) {
        if number != 0 {
            self.0.insert(name.to_owned(), json!(number));
        }
    }

    fn texts(&mut self, name: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.0.insert(name.to_owned(), json!(texts));
        }
    }

    fn time(&mut self, name: &str, time: Option<&Time>) {
        if let Some(time) = time {
            self.0.insert(name.to_owned(), Value::from(time.rfc3339_nano()));
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

fn text(json: &Value, name: &str) -> String {
    json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(json: &Value, name: &str) -> Vec<String> {
    let items = json.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn number(json: &Value, name: &str) -> i64 {
    json.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// A time; what Go takes for none, its zero time, is none.
fn time(json: &Value, name: &str) -> Option<Time> {
    let text = json.get(name)?.as_str()?;
    Time::parse(text).filter(|_| !text.starts_with("0001-01-01T00:00:00"))
}
