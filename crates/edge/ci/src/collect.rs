//! What there is to be seen of an environment before it goes: [`collect`].

use crate::follow::{read, statuses};
use crate::ready::is_well;
use crate::report::Pod;
use crate::run::Run;
use crate::{items, text};
use futures::stream::{self, StreamExt};
use http::Method;
use serde_json::Value;

/// No more events are kept.
const EVENTS: usize = 300;
/// Logs that are read at once.
const AT_ONCE: usize = 8;

/// Describes the pods, reads their logs and the events. What can't be had is left out: the run is over.
pub(crate) async fn collect(run: &Run<'_>) {
    let pods = run.server.request(Method::GET, &run.path("pods"), None).await.unwrap_or_default();
    let events = run.server.request(Method::GET, &run.path("events"), None).await.unwrap_or_default();
    let mut events: Vec<&Value> = items(&events, "/items").collect();
    events.sort_by_key(|event| when(event));
    let described: Vec<Pod> = items(&pods, "/items").map(|pod| describe(pod, &events)).collect();
    let skipped = events.len().saturating_sub(EVENTS);
    run.seen(described, events.into_iter().skip(skipped).map(line).collect());
    let mut logs = Vec::new();
    for pod in items(&pods, "/items") {
        for status in statuses(pod) {
            let restarts = status.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0);
            let name = |restarts| (text(pod, "/metadata/name").to_owned(), text(status, "/name").to_owned(), restarts);
            if status.pointer("/state/running").is_some() || status.pointer("/state/terminated").is_some() {
                logs.push((name(restarts), false));
            }
            if restarts > 0 {
                logs.push((name(restarts - 1), true));
            }
        }
    }
    stream::iter(logs)
        .for_each_concurrent(AT_ONCE, async |(name, is_previous)| read(run, &name, is_previous).await)
        .await;
}

fn describe(pod: &Value, events: &[&Value]) -> Pod {
    let name = text(pod, "/metadata/name");
    let mut lines = vec![format!(
        "{name}: {} on {}",
        or(text(pod, "/status/phase"), "Pending"),
        or(text(pod, "/spec/nodeName"), "no node")
    )];
    let message = text(pod, "/status/message");
    if !message.is_empty() {
        lines.push(format!("  {message}"));
    }
    for status in statuses(pod) {
        let state = status.pointer("/state").and_then(Value::as_object).and_then(|state| state.iter().next());
        let (word, detail) = state.map_or(("unknown", Value::Null), |(word, detail)| (word.as_str(), detail.clone()));
        let mut said = vec![word.to_owned()];
        said.extend(
            ["/reason", "/message"]
                .map(|part| text(&detail, part))
                .iter()
                .filter(|part| !part.is_empty())
                .map(|part| (*part).to_owned()),
        );
        said.extend(detail.pointer("/exitCode").map(|code| format!("exit code {code}")));
        if let Some(code) = status.pointer("/lastState/terminated/exitCode") {
            said.push(format!("ended with exit code {code} before"));
        }
        let restarts = status.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0);
        lines.push(format!(
            "  {} ({}): {}, {restarts} restarts",
            text(status, "/name"),
            text(status, "/image"),
            said.join(", ")
        ));
    }
    for condition in items(pod, "/status/conditions").filter(|one| text(one, "/status") == "False") {
        let message = text(condition, "/message");
        if !message.is_empty() {
            lines.push(format!("  {} is not so: {message}", text(condition, "/type")));
        }
    }
    let own =
        events.iter().filter(|event| text(event, "/involvedObject/name") == name && text(event, "/type") == "Warning");
    lines.extend(own.map(|event| format!("  {}", line(event))));
    Pod { name: name.to_owned(), is_well: is_well(pod), lines }
}

/// An event in a line.
fn line(event: &Value) -> String {
    let count = event.pointer("/count").and_then(Value::as_i64).filter(|count| *count > 1);
    let times = count.map_or_else(String::new, |count| format!(" ({count} times)"));
    format!(
        "{} {} {}/{}: {}: {}{times}",
        when(event),
        text(event, "/type"),
        text(event, "/involvedObject/kind"),
        text(event, "/involvedObject/name"),
        text(event, "/reason"),
        text(event, "/message").trim()
    )
}

fn when(event: &Value) -> &str {
    let times = ["/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    times.iter().map(|at| text(event, at)).find(|time| !time.is_empty()).unwrap_or_default()
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}
