//! Pods, and what stands in their way.

use crate::conditions::Conditions;
use crate::{Health, text};
use serde_json::Value;

/// What keeps a pod from becoming ready, and will go on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The container it is about, if it is about one.
    pub container: Option<String>,
    /// Kubernetes' word for it: `CrashLoopBackOff`, `ImagePullBackOff`, `Unschedulable`.
    pub reason: String,
    /// What else is said of it.
    pub message: String,
    /// Whether the container has run, so that there is a log.
    pub has_log: bool,
    /// Whether somebody has to do something: a cluster may get more room by itself, and an image does not come by itself.
    pub is_lasting: bool,
}

/// Reasons to wait that no time mends. A container that has crashed may come up the next time, and is told of all the same.
const LASTING: [&str; 6] = [
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
];

pub(crate) fn pod(object: &Value, conditions: &Conditions<'_>) -> Health {
    let phase = text(object, "/status/phase").unwrap_or("Pending");
    match phase {
        "Succeeded" => return Health::current(),
        "Failed" => {
            let message = text(object, "/status/message").or_else(|| text(object, "/status/reason"));
            return Health::failed(message.map_or_else(|| "it has failed".to_owned(), str::to_owned));
        }
        "Running" if conditions.is("Ready") == Some(true) => return Health::current(),
        _ => {}
    }
    match trouble(object) {
        Some(trouble) => {
            let container = trouble.container.map_or_else(String::new, |name| format!("{name}: "));
            let said = format!("{container}{}: {}", trouble.reason, trouble.message);
            let said = said.trim_end_matches(": ").to_owned();
            if trouble.is_lasting { Health::failed(said) } else { Health::in_progress(said) }
        }
        None => Health::in_progress(conditions.message("Ready").unwrap_or_else(|| format!("it is {phase}"))),
    }
}

/// What keeps a pod from becoming ready.
pub fn trouble(pod: &Value) -> Option<Trouble> {
    let statuses = |field: &str| {
        let list = pod.pointer(&format!("/status/{field}")).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    };
    let of_container = |status: &Value| {
        let name = text(status, "/name").unwrap_or_default().to_owned();
        let reason = text(status, "/state/waiting/reason").filter(|reason| LASTING.contains(reason))?;
        let ended = text(status, "/lastState/terminated/reason");
        let code = status.pointer("/lastState/terminated/exitCode").and_then(Value::as_i64);
        let message = match (reason, ended, code) {
            // How it ended says more than that it is tried again later.
            ("CrashLoopBackOff", Some("Error" | "Completed") | None, Some(code)) => {
                format!("it ended with exit code {code}")
            }
            ("CrashLoopBackOff", Some(ended), _) => format!("it ended with {ended}"),
            _ => text(status, "/state/waiting/message").unwrap_or_default().to_owned(),
        };
        let has_log = status.pointer("/lastState/terminated").is_some();
        Some(Trouble { container: Some(name), reason: reason.to_owned(), message, has_log, is_lasting: true })
    };
    let containers = statuses("initContainerStatuses").iter().chain(statuses("containerStatuses"));
    containers.filter_map(of_container).next().or_else(|| {
        let conditions = Conditions::of(pod);
        let is_unschedulable = conditions.reason("PodScheduled") == "Unschedulable";
        is_unschedulable.then(|| Trouble {
            container: None,
            reason: "Unschedulable".to_owned(),
            message: conditions.message("PodScheduled").unwrap_or_default(),
            has_log: false,
            is_lasting: false,
        })
    })
}
