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

/// How often a container of a pod was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// How often it was started.
    pub begun: i64,
    /// How often it has ended since.
    pub ended: i64,
}

impl Runs {
    /// Whether it ends again and again: what has ended once and runs may go on to.
    pub fn is_crashing(&self) -> bool {
        self.ended > 1 || (self.ended == 1 && self.begun == 1)
    }

    /// Whether it has crashed twice, and once more since it was started `begun` times.
    pub fn has_crashed_since(&self, begun: i64) -> bool {
        self.ended > begun.max(1)
    }
}

/// How often that container of a pod was started that has ended the most often.
pub fn runs(pod: &Value) -> Runs {
    let of_container = |status: &Value| {
        let restarts = status.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0).clamp(0, i64::MAX - 1);
        let is_there = |field: &str| status.pointer(field).is_some_and(|state| !state.is_null());
        // An init container that is done ends no more.
        let is_done = status.pointer("/state/terminated/exitCode").and_then(Value::as_i64) == Some(0);
        if is_there("/state/running") || is_done {
            Runs { begun: restarts + 1, ended: restarts }
        } else if is_there("/state/terminated") || is_there("/lastState/terminated") {
            Runs { begun: restarts + 1, ended: restarts + 1 }
        } else {
            Runs::default()
        }
    };
    statuses(pod).map(of_container).max_by_key(|runs| runs.ended).unwrap_or_default()
}

/// A container that has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its name.
    pub container: String,
    /// Whether it has been started again since, or will be: what it has printed is then that of the run before.
    pub is_previous: bool,
}

/// The first container of a pod that has failed, or ends again and again.
pub fn failed_container(pod: &Value) -> Option<Failed> {
    let of_container = |status: &Value| {
        let failed = |field: &str| {
            status.pointer(&format!("/{field}/terminated/exitCode")).and_then(Value::as_i64).filter(|code| *code != 0)
        };
        let ends_again = text(status, "/state/waiting/reason") == Some("CrashLoopBackOff");
        let is_now = failed("state").is_some();
        let has_failed = is_now || ends_again || failed("lastState").is_some();
        let container = text(status, "/name")?.to_owned();
        has_failed.then_some(Failed { container, is_previous: !is_now })
    };
    statuses(pod).find_map(of_container)
}

/// What is said of containers, those that run before the others first.
fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    let list = |field: &str| pod.pointer(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list("/status/initContainerStatuses").iter().chain(list("/status/containerStatuses"))
}

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
    statuses(pod).find_map(of_container).or_else(|| {
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
