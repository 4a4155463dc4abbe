//! Objects as rows for people: what `kubectl get` prints.

use crate::kinds::Kind;
use crate::object::{self, at, items, number, text};
use serde_json::{Value, json};
use std::sync::Arc;

/// A column: its name, its type, whether it is only for wide outputs, and what stands in it.
type Column = (String, &'static str, bool, Cell);
type Cell = Box<dyn Fn(&Value) -> Value>;

/// The table of objects. `include` is what of an object goes with its row: `None`, `Metadata` or `Object`.
pub(crate) fn table(kind: &Kind, objects: &[Arc<Value>], version: &str, include: &str) -> Value {
    let columns = columns(kind);
    let definitions: Vec<Value> = columns
        .iter()
        .map(|(name, of, is_wide, _)| {
            let format = if name == "Name" { "name" } else { "" };
            json!({"name": name, "type": of, "format": format, "description": "", "priority": i32::from(*is_wide)})
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|(_, _, _, cell)| cell(object)).collect();
            let mut row = json!({"cells": cells});
            match include {
                "None" => {}
                "Object" => row["object"] = Value::clone(object),
                _ => row["object"] = metadata_of(object),
            }
            row
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version},
        "columnDefinitions": definitions, "rows": rows,
    })
}

/// An object without anything but its metadata.
pub(crate) fn metadata_of(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

fn columns(kind: &Kind) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![column("Name", "string", |object| object["metadata"]["name"].clone())];
    match (&*kind.group, &*kind.kind) {
        ("", "Pod") => columns.extend([
            column("Ready", "string", ready_containers),
            column("Status", "string", |pod| pod_status(pod).into()),
            column("Restarts", "string", |pod| restarts(pod).to_string().into()),
            age(),
            wide("IP", |pod| at(pod, &["status", "podIP"]).cloned().unwrap_or("<none>".into())),
            wide("Node", |pod| at(pod, &["spec", "nodeName"]).cloned().unwrap_or("<none>".into())),
        ]),
        ("apps", "Deployment") => columns.extend([
            column("Ready", "string", |of| ratio(of, "readyReplicas", "replicas")),
            column("Up-to-date", "string", |of| count(of, &["status", "updatedReplicas"])),
            column("Available", "string", |of| count(of, &["status", "availableReplicas"])),
            age(),
        ]),
        ("apps", "StatefulSet") => {
            columns.extend([column("Ready", "string", |of| ratio(of, "readyReplicas", "replicas")), age()])
        }
        ("apps", "ReplicaSet") => columns.extend([
            column("Desired", "integer", |of| count(of, &["spec", "replicas"])),
            column("Current", "integer", |of| count(of, &["status", "replicas"])),
            column("Ready", "integer", |of| count(of, &["status", "readyReplicas"])),
            age(),
        ]),
        ("apps", "DaemonSet") => columns.extend([
            column("Desired", "integer", |of| count(of, &["status", "desiredNumberScheduled"])),
            column("Current", "integer", |of| count(of, &["status", "currentNumberScheduled"])),
            column("Ready", "integer", |of| count(of, &["status", "numberReady"])),
            column("Up-to-date", "integer", |of| count(of, &["status", "updatedNumberScheduled"])),
            column("Available", "integer", |of| count(of, &["status", "numberAvailable"])),
            age(),
        ]),
        ("batch", "Job") => columns.extend([
            column("Status", "string", |job| job_status(job).into()),
            column("Completions", "string", |job| {
                format!(
                    "{}/{}",
                    number(job, &["status", "succeeded"]).unwrap_or(0),
                    number(job, &["spec", "completions"]).unwrap_or(1)
                )
                .into()
            }),
            age(),
        ]),
        ("", "Service") => columns.extend([
            column("Type", "string", |of| of["spec"]["type"].clone()),
            column("Cluster-IP", "string", |of| at(of, &["spec", "clusterIP"]).cloned().unwrap_or("<none>".into())),
            column("External-IP", "string", |_| "<none>".into()),
            column("Port(s)", "string", |of| {
                let ports = items(of, &["spec", "ports"]).iter();
                let ports: Vec<String> =
                    ports.map(|port| format!("{}/{}", port["port"], text(port, &["protocol"]))).collect();
                ports.join(",").into()
            }),
            age(),
        ]),
        ("", "ConfigMap") => columns.extend([
            column("Data", "string", |of| {
                let size = |field: &str| of[field].as_object().map_or(0, serde_json::Map::len);
                (size("data") + size("binaryData")).to_string().into()
            }),
            age(),
        ]),
        ("", "Secret") => columns.extend([
            column("Type", "string", |of| of["type"].clone()),
            column("Data", "string", |of| of["data"].as_object().map_or(0, serde_json::Map::len).to_string().into()),
            age(),
        ]),
        ("", "Namespace") => columns.extend([column("Status", "string", |of| of["status"]["phase"].clone()), age()]),
        ("", "Node") => columns.extend([column("Status", "string", |_| "Ready".into()), age()]),
        ("", "PersistentVolumeClaim") => columns.extend([
            column("Status", "string", |of| of["status"]["phase"].clone()),
            column("Volume", "string", |of| at(of, &["spec", "volumeName"]).cloned().unwrap_or("".into())),
            age(),
        ]),
        ("apiextensions.k8s.io", _) => {
            columns.push(column("Created At", "date", |of| of["metadata"]["creationTimestamp"].clone()))
        }
        _ => {
            let own =
                kind.custom.as_ref().map(|version| items(version, &["additionalPrinterColumns"])).unwrap_or_default();
            for own in own {
                let path: Vec<String> = text(own, &["jsonPath"]).split('.').skip(1).map(str::to_owned).collect();
                let cell = move |object: &Value| {
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    at(object, &path).cloned().unwrap_or(Value::Null)
                };
                let is_wide = number(own, &["priority"]).unwrap_or(0) > 0;
                let of = match text(own, &["type"]) {
                    "integer" => "integer",
                    "boolean" => "boolean",
                    "date" => "date",
                    "number" => "number",
                    _ => "string",
                };
                columns.push((text(own, &["name"]).to_owned(), of, is_wide, Box::new(cell)));
            }
            if own.is_empty() {
                columns.push(if kind.custom.is_some() {
                    age()
                } else {
                    column("Created At", "date", |of| of["metadata"]["creationTimestamp"].clone())
                });
            }
        }
    }
    columns
}

fn column(name: &str, of: &'static str, cell: impl Fn(&Value) -> Value + 'static) -> Column {
    (name.to_owned(), of, false, Box::new(cell))
}

fn wide(name: &str, cell: impl Fn(&Value) -> Value + 'static) -> Column {
    (name.to_owned(), "string", true, Box::new(cell))
}

fn age() -> Column {
    column("Age", "string", |of| {
        let created: Option<jiff::Timestamp> = text(of, &["metadata", "creationTimestamp"]).parse().ok();
        let seconds = created.map_or(0, |created| (jiff::Timestamp::now().as_second() - created.as_second()).max(0));
        match seconds {
            0..120 => format!("{seconds}s"),
            120..7_200 => format!("{}m", seconds / 60),
            7_200..172_800 => format!("{}h", seconds / 3_600),
            _ => format!("{}d", seconds / 86_400),
        }
        .into()
    })
}

fn count(of: &Value, path: &[&str]) -> Value {
    number(of, path).unwrap_or(0).into()
}

fn ratio(of: &Value, have: &str, want: &str) -> Value {
    format!("{}/{}", number(of, &["status", have]).unwrap_or(0), number(of, &["spec", want]).unwrap_or(0)).into()
}

fn ready_containers(pod: &Value) -> Value {
    let ready =
        items(pod, &["status", "containerStatuses"]).iter().filter(|container| container["ready"] == true).count();
    format!("{ready}/{}", items(pod, &["spec", "containers"]).len()).into()
}

fn pod_status(pod: &Value) -> String {
    if object::is_being_deleted(pod) {
        return "Terminating".to_owned();
    }
    for container in items(pod, &["status", "containerStatuses"]) {
        for state in ["waiting", "terminated"] {
            let reason = text(container, &["state", state, "reason"]);
            if !reason.is_empty() {
                return reason.to_owned();
            }
        }
    }
    text(pod, &["status", "phase"]).to_owned()
}

fn restarts(pod: &Value) -> i64 {
    items(pod, &["status", "containerStatuses"])
        .iter()
        .filter_map(|container| number(container, &["restartCount"]))
        .sum()
}

fn job_status(job: &Value) -> &'static str {
    let is = |of: &str| {
        items(job, &["status", "conditions"])
            .iter()
            .any(|condition| condition["type"] == of && condition["status"] == "True")
    };
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if is("Suspended") => "Suspended",
        () => "Running",
    }
}
