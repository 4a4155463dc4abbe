//! Logs of containers: while they run, [`follow`], and what there is, [`read`] and [`tail`].

use crate::run::{LogName, Run};
use crate::{items, text};
use http::{Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::time::Duration;

/// How long it is waited before a log is asked for again.
const PAUSE: Duration = Duration::from_millis(300);
/// No more is read of a log at once.
const LARGEST: usize = 16 << 20;
/// No more of one that is followed.
const LARGEST_FOLLOWED: u64 = 1 << 30;

/// What has become of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It runs, or will.
    Running,
    /// It has ended.
    Ended,
    /// It was started again since.
    Restarted,
    /// Its pod is gone.
    Gone,
}

/// Tells the lines of a container until it has ended. Where the connection ends before, it goes on where that was.
pub(crate) async fn follow(run: &Run<'_>, name: LogName) {
    loop {
        // What it is before its log is read: whoever has ended prints nothing more.
        let state = state_of(run, &name).await;
        if state == State::Gone {
            break;
        }
        stream(run, &name, state).await;
        let is_flood = run.log_bytes(&name).is_some_and(|bytes| bytes > LARGEST_FOLLOWED);
        if state != State::Running || is_flood {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    run.finish(&name, true);
}

async fn state_of(run: &Run<'_>, (pod, container, restarts): &LogName) -> State {
    let pod = match run.server.request(Method::GET, &run.path(&format!("pods/{pod}")), None).await {
        Ok(pod) => pod,
        Err(failure) if failure.is_absent() => return State::Gone,
        Err(_) => return State::Running,
    };
    let Some(status) = statuses(&pod).find(|status| text(status, "/name") == container) else { return State::Running };
    let count = status.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0);
    // One that waits to be started again has ended, too, and counts already.
    if count > *restarts {
        return State::Restarted;
    }
    match status.pointer("/state/terminated") {
        Some(_) => State::Ended,
        None => State::Running,
    }
}

/// The statuses of all containers of a pod, those that come first included.
pub(crate) fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"))
}

/// Reads a log to where it ends at present, or while the container runs, to where the connection ends.
async fn stream(run: &Run<'_>, name: &LogName, state: State) {
    let (pod, container, _) = name;
    let (follow, previous) = (state == State::Running, state == State::Restarted);
    let path = run.path(&format!("pods/{pod}/log?container={container}&follow={follow}&previous={previous}"));
    let Ok(request) = Request::get(path).body(Body::empty()) else { return };
    // Whatever fails is tried again as long as the container runs.
    let Ok(answer) = run.server.client().send(request).await else { return };
    if !answer.status().is_success() {
        return;
    }
    let mut skip = run.log_bytes(name).unwrap_or(0);
    let mut body = answer.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        let known = usize::try_from(skip).unwrap_or(usize::MAX).min(data.len());
        skip -= known as u64;
        if known < data.len() {
            run.feed(name, &data[known..], true);
        }
        if run.log_bytes(name).is_some_and(|bytes| bytes > LARGEST_FOLLOWED) {
            return;
        }
    }
}

/// Reads the whole log of a container that nobody has followed.
pub(crate) async fn read(run: &Run<'_>, name: &LogName, is_previous: bool) {
    if run.log_bytes(name).is_some() {
        return;
    }
    let (pod, container, _) = name;
    let path = format!("pods/{pod}/log?container={container}&previous={is_previous}&limitBytes={LARGEST}");
    if let Ok(log) = run.server.text(&run.path(&path)).await {
        run.feed(name, &log, false);
        run.finish(name, false);
    }
}

/// The last lines of a container that has crashed: of its last life if it is in none now.
pub(crate) async fn tail(run: &Run<'_>, pod: &str, container: &str, count: usize) -> Vec<String> {
    for previous in [true, false] {
        let path =
            format!("pods/{pod}/log?container={container}&previous={previous}&tailLines={count}&limitBytes=65536");
        if let Ok(log) = run.server.text(&run.path(&path)).await
            && !log.is_empty()
        {
            return String::from_utf8_lossy(&log).lines().map(str::to_owned).collect();
        }
    }
    Vec::new()
}
