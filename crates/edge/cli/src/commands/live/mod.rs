//! What the commands for live clusters have in common: the cluster that is meant, and how it is told what happens.

pub(crate) mod apply;
pub(crate) mod destroy;
pub(crate) mod status;

use crate::commands::OutputFormat;
use crate::terminal::{Failure, Terminal};
use onepane_deploy::{Address, Engine, Event, Failure as ClusterFailure, Happened, Identity, Outcome, Server};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_repo::Repository;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// What all of them take.
#[derive(clap::Args)]
pub(crate) struct LiveArguments {
    /// The cluster: a folder below clusters/
    cluster: String,
    /// The kubeconfig [default: that of the environment]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// The namespace that the Secret is in which says what belongs to a cluster's folder.
const HOME: &str = "default";

impl LiveArguments {
    /// Does something to the set that the cluster's folder is, tells what happens, and sums up.
    fn carry_out(
        &self,
        terminal: &Terminal,
        address: &Address,
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<Outcome, ClusterFailure>,
    ) -> Result<ExitCode, Failure> {
        let outcome = self.on_set(address, |event| tell(terminal, self.output, event), work)?;
        sum_up(terminal, self.output, &outcome)?;
        Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Runs what talks to the cluster about that set, on this thread.
    fn on_set<T>(
        &self,
        address: &Address,
        tell: impl Fn(&Event),
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<T, ClusterFailure>,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failure(&ClusterFailure::Connection(error.to_string())))?;
        let done = runtime.block_on(async {
            let server = Server::connect(address).await?;
            work(&Engine::new(&server, HOME, &format!("onepane-{}", self.cluster), tell)).await
        });
        done.map_err(|error| failure(&error))
    }

    /// The API server of the context that the repository names for the cluster: no other is ever touched.
    fn address(&self, repository: &Repository<'_>) -> Result<Address, Box<Diagnostic>> {
        repository.unit(&self.cluster)?;
        let Some((context, _)) = repository.layout.contexts.get(&self.cluster) else {
            let message = format!("onepane.yaml names no context for the cluster `{}`", self.cluster);
            let hint = format!("say which one it is: `clusters: {{{}: {{context: NAME}}}}`", self.cluster);
            return Err(Diagnostic::error("live-no-context", message)
                .at(Span::file("onepane.yaml"))
                .hint(hint)
                .hint("`kubectl config get-contexts` lists those that you have"));
        };
        Ok(Address { kubeconfig: self.kubeconfig.clone(), context: Some(context.clone()) })
    }
}

fn failure(error: &ClusterFailure) -> Failure {
    Failure::from(Diagnostic::error("live-failed", error.to_string()))
}

/// Tells what happens, a line each.
fn tell(terminal: &Terminal, format: OutputFormat, event: &Event) {
    let line = match format {
        OutputFormat::Text => {
            let (word, more) = said(&event.happened);
            line(word, &event.object, &more)
        }
        OutputFormat::Json => format!("{}\n", as_json(event)),
    };
    // Whoever does not listen any more is no reason to stop midway.
    let _ = terminal.print(line.as_bytes());
}

fn line(word: &str, object: &Identity, more: &str) -> String {
    let colon = if more.is_empty() { "" } else { ": " };
    format!("{word:<11} {object}{colon}{more}\n")
}

/// What happened in a word, and what else is to be said of it.
fn said(happened: &Happened) -> (&'static str, String) {
    match happened {
        Happened::Created => ("created", String::new()),
        Happened::Configured => ("configured", String::new()),
        Happened::Unchanged => ("unchanged", String::new()),
        Happened::Pruned => ("pruned", String::new()),
        Happened::Kept => ("kept", "it says that it stays".to_owned()),
        Happened::Deleted => ("deleted", String::new()),
        Happened::Failed(ClusterFailure::Conflicts(conflicts)) => {
            let fields = conflicts.iter().map(|one| format!("{} belongs to {}", one.field, one.owner));
            ("conflict", format!("{}; --take-over takes it", fields.collect::<Vec<_>>().join(", ")))
        }
        Happened::Failed(error) => ("failed", error.to_string()),
        Happened::Became(health) => (status_word(health.status), health.message.clone()),
        Happened::InTrouble { pod, trouble } => {
            let container = trouble.container.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            ("trouble", format!("the pod {pod}{container} is in {}: {}", trouble.reason, trouble.message))
        }
    }
}

fn status_word(status: onepane_health::Status) -> &'static str {
    use onepane_health::Status::{Current, Failed, InProgress, Terminating};
    match status {
        Current => "ready",
        InProgress => "waiting",
        Failed => "failed",
        Terminating => "terminating",
    }
}

fn as_json(event: &Event) -> Value {
    let (word, more) = said(&event.happened);
    let mut json = identity(&event.object);
    json["event"] = Value::from(word);
    if !more.is_empty() {
        json["message"] = Value::from(more);
    }
    json
}

fn identity(object: &Identity) -> Value {
    json!({"group": object.group, "kind": object.kind, "namespace": object.namespace, "name": object.name})
}

/// The last line of a report.
fn sum_up(terminal: &Terminal, format: OutputFormat, outcome: &Outcome) -> Result<(), Failure> {
    let Outcome { created, configured, unchanged, deleted, failed } = outcome;
    let line = match format {
        OutputFormat::Text => {
            format!(
                "{created} created, {configured} configured, {unchanged} unchanged, {deleted} deleted, {failed} failed\n"
            )
        }
        OutputFormat::Json => format!(
            "{}\n",
            json!({"created": created, "configured": configured, "unchanged": unchanged, "deleted": deleted, "failed": failed})
        ),
    };
    terminal.print(line.as_bytes())
}

/// `90s`, `5m`, `1h`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(format!("`{text}` is no duration such as 90s, 5m or 1h")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is no duration such as 90s, 5m or 1h"))?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}
