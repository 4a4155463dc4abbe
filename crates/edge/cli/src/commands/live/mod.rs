//! What the commands for live clusters have in common: the cluster that is meant, and how it is told what happens.

pub(crate) mod apply;
pub(crate) mod destroy;
pub(crate) mod diff;
pub(crate) mod status;

use crate::commands::decrypted_world::DecryptedWorld;
use crate::commands::{OutputFormat, open};
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal, harmless};
use camino::Utf8Path;
use onepane_deploy::{Address, Engine, Event, Failure as ClusterFailure, Happened, Identity, Outcome, Server};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_embedded::Embedded;
use onepane_repo::{BuildOptions, Repository};
use onepane_world::OsWorld;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Which cluster: all of them take that.
#[derive(clap::Args)]
pub(crate) struct ClusterArguments {
    /// The cluster: a folder below clusters/
    cluster: String,
    /// The kubeconfig [default: that of the environment]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
}

/// Where manifests are brought.
enum Place {
    /// A cluster.
    At(Address),
    /// A stand-in for one in this process, which is gone with it.
    Embedded(Box<Embedded>),
}

/// What those take that change it or tell how it is.
#[derive(clap::Args)]
pub(crate) struct LiveArguments {
    #[command(flatten)]
    of: ClusterArguments,
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
        place: &Place,
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<Outcome, ClusterFailure>,
    ) -> Result<ExitCode, Failure> {
        let outcome = self.of.on_set(place, |event| tell(terminal, self.output, event), work)?;
        sum_up(terminal, self.output, &outcome)?;
        Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl ClusterArguments {
    /// Runs what talks to the cluster about that set, on this thread.
    fn on_set<T>(
        &self,
        place: &Place,
        tell: impl Fn(&Event),
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<T, ClusterFailure>,
    ) -> Result<T, Failure> {
        let runtime = runtime().map_err(|error| failure(&error))?;
        let done = runtime.block_on(async {
            let server = match place {
                Place::At(address) => Server::connect(address).await?,
                Place::Embedded(cluster) => Server::connect_by_text(&cluster.kubeconfig()).await?,
            };
            work(&Engine::new(&server, HOME, &format!("onepane-{}", self.cluster), tell)).await
        });
        done.map_err(|error| failure(&error))
    }

    /// Builds the cluster's folder as it is brought to the place that `place` gives.
    fn objects(
        &self,
        terminal: &Terminal,
        directory: Option<&Utf8Path>,
        is_offline: bool,
        place: impl FnOnce(&Repository<'_>) -> Result<Place, Box<Diagnostic>>,
    ) -> Result<(Place, Vec<Value>), Failure> {
        let (root, world) = open(directory)?;
        let failure = Failure::below(&root);
        let elsewhere = Elsewhere::of(&root, is_offline);
        let machine = OsWorld::unrestricted("/");
        // Secrets go to the cluster as Flux would bring them.
        let decrypted = DecryptedWorld::new(&world, &machine);
        let repository = elsewhere.reached(Repository::open(&decrypted).map_err(&failure)?);
        let place = place(&repository).map_err(&failure)?;
        let unit = repository.unit(&self.cluster).map_err(&failure)?;
        let built = repository.manifests(&unit, &BuildOptions::default()).map_err(&failure)?;
        built.warnings.iter().for_each(|warning| terminal.report(warning, &root));
        let objects = built.manifests.iter().map(|manifest| manifest.document()).collect::<Result<Vec<_>, _>>();
        Ok((place, objects.map_err(&failure)?))
    }

    /// The API server of the context that the repository names for the cluster: no other is ever touched.
    fn place(&self, repository: &Repository<'_>) -> Result<Place, Box<Diagnostic>> {
        repository.unit(&self.cluster)?;
        address(repository, &self.cluster, self.kubeconfig.clone()).map(Place::At)
    }
}

/// A runtime on this thread.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, ClusterFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| ClusterFailure::Connection(error.to_string()))
}

/// The API server of the context that the repository names for a cluster.
pub(super) fn address(
    repository: &Repository<'_>,
    cluster: &str,
    kubeconfig: Option<String>,
) -> Result<Address, Box<Diagnostic>> {
    let Some((context, _)) = repository.layout.contexts.get(cluster) else {
        let message = format!("onepane.yaml names no context for the cluster `{cluster}`");
        let hint = format!("say which one it is: `clusters: {{{cluster}: {{context: NAME}}}}`");
        return Err(Diagnostic::error("live-no-context", message)
            .at(Span::file("onepane.yaml"))
            .hint(hint)
            .hint("`kubectl config get-contexts` lists those that you have"));
    };
    Ok(Address { kubeconfig, context: Some(context.clone()) })
}

fn failure(error: &ClusterFailure) -> Failure {
    Failure::from(Diagnostic::error("live-failed", error.to_string()))
}

/// Tells what happens, a line each.
fn tell(terminal: &Terminal, format: OutputFormat, event: &Event) {
    let line = match format {
        OutputFormat::Text => as_text(event),
        OutputFormat::Json => format!("{}\n", as_json(event)),
    };
    // Whoever does not listen any more is no reason to stop midway.
    let _ = terminal.print(crate::redaction::redacted(&line).as_bytes());
}

fn as_text(event: &Event) -> String {
    let (word, more) = said(&event.happened);
    let mut text = line(word, &event.object, &more);
    if let Happened::Said { log, .. } = &event.happened {
        text.extend(log.lines().map(|line| format!("            {}\n", harmless(line))));
    }
    text
}

/// What happened to an object, without the end of the line.
pub(super) fn event_line(event: &Event) -> String {
    as_text(event).trim_end().to_owned()
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
        Happened::KeptFor(dependent) => ("kept", format!("{dependent}, which stays, depends on it")),
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
        Happened::Said { pod, container, .. } => ("log", format!("the pod {pod} ({container}) has said last")),
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

pub(super) fn as_json(event: &Event) -> Value {
    let (word, more) = said(&event.happened);
    let mut json = identity(&event.object);
    json["event"] = Value::from(word);
    if !more.is_empty() {
        json["message"] = Value::from(more);
    }
    match &event.happened {
        Happened::Failed(ClusterFailure::Conflicts(conflicts)) => {
            let conflicts = conflicts.iter().map(|one| json!({"field": one.field, "owner": one.owner}));
            json["conflicts"] = Value::from_iter(conflicts);
        }
        Happened::InTrouble { pod, trouble } => {
            json["pod"] = json!({"name": pod, "container": trouble.container, "reason": trouble.reason});
        }
        Happened::Said { pod, container, log } => {
            json["pod"] = json!({"name": pod, "container": container});
            json["log"] = Value::from_iter(log.lines());
        }
        _ => {}
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

/// A duration as Go has it, `90s` or `1h30m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let parsed =
        || onepane_functions::go::parse_duration(text).ok().and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    seconds
        .or_else(|| parsed().map(Duration::from_nanos))
        .ok_or_else(|| format!("`{text}` is no duration such as 90s, 5m or 1h30m"))
}
