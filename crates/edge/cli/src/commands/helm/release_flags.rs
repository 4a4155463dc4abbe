//! What the commands about releases have in common: the session, and flags as `onepane_release` wants them.

use super::caller::Caller;
use super::cluster::connect_unlogged;
use super::flags::{Flag, Kind, Parsed, flag};
use super::namespace::namespace;
use super::{Failure, log, log_with};
use onepane_cluster::Cluster;
use onepane_diagnostics::Severity;
use onepane_functions::go::parse_duration;
use onepane_release::{Driver, Said, Session, Strategy, Wait};
use onepane_world::World;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How it is waited, and how long.
pub(super) const WAIT: &[Flag] = &[
    flag("timeout", Kind::Duration, "how long each thing is waited for; 5m0s by default"),
    flag(
        "wait",
        Kind::OptionalText("watcher"),
        "wait until resources are ready: watcher (if no value is given), legacy, or hookOnly (if the flag is not given)",
    ),
];

/// Whether Jobs have to complete.
pub(super) const WAIT_FOR_JOBS: &[Flag] =
    &[flag("wait-for-jobs", Kind::Bool, "with --wait: wait until Jobs have completed, too")];

/// What is done about resources that are there.
pub(super) const FORCE: &[Flag] = &[
    flag("force", Kind::Bool, ""),
    flag("force-conflicts", Kind::Bool, "take over fields that others have set"),
    flag("force-replace", Kind::Bool, "put resources in place of those that are there"),
    flag("no-hooks", Kind::Bool, "run no hooks"),
];

/// What `install` and `upgrade` share.
pub(super) const DEPLOY: &[Flag] = &[
    flag("atomic", Kind::Bool, ""),
    flag("create-namespace", Kind::Bool, "make the release's namespace if it is not there"),
    flag("dependency-update", Kind::Bool, "fetch missing dependencies first"),
    flag("description", Kind::Text, "what the history says of it"),
    flag("disable-openapi-validation", Kind::Bool, "don't hold manifests against schemas"),
    flag("enable-dns", Kind::Bool, "let templates look up hosts (not supported yet: they get \"\")"),
    flag("hide-notes", Kind::Bool, "don't print the chart's notes"),
    flag("hide-secret", Kind::Bool, "with --dry-run: don't print Secrets"),
    super::flags::short('l', "labels", Kind::Slice, "labels of the release: key=value,…"),
    flag("post-renderer", Kind::Array, "the plugin to pass everything through"),
    flag("post-renderer-args", Kind::Array, "an argument for it"),
    flag("render-subchart-notes", Kind::Bool, "print the notes of subcharts, too"),
    flag("rollback-on-failure", Kind::Bool, "undo everything if something fails; waits, as with --wait=watcher"),
    flag("skip-crds", Kind::Bool, "don't make the definitions of the charts' crds/"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("take-ownership", Kind::Bool, "take resources that others own"),
];

/// `--dry-run` of a command that does something without it.
pub(super) const DRY_RUN: &[Flag] = &[flag(
    "dry-run",
    Kind::OptionalText("unset"),
    "\"none\" (default), \"client\": only say what would be, or \"server\": ask the cluster about it",
)];

/// Which revision.
pub(super) const REVISION: &[Flag] = &[flag("revision", Kind::Integer, "the revision; the last one by default")];

/// The cluster that flags and environment mean; the error is Helm's where it can't be reached.
pub(super) fn cluster(flags: &Parsed, world: &dyn World) -> Result<Cluster, Failure> {
    Ok(connect_unlogged(flags, world)?)
}

/// The releases of the namespace that flags and environment mean.
pub(super) fn session<'c>(flags: &Parsed, world: &dyn World, cluster: &'c Cluster) -> Result<Session<'c>, Failure> {
    session_in(&namespace(flags, world), world, cluster)
}

/// The releases of a namespace; of all, for none.
pub(super) fn session_in<'c>(namespace: &str, world: &dyn World, cluster: &'c Cluster) -> Result<Session<'c>, Failure> {
    let driver = match world.env("HELM_DRIVER").unwrap_or_default().as_str() {
        "" | "secret" | "secrets" => Driver::Secrets,
        "configmap" | "configmaps" => Driver::ConfigMaps,
        // Helm's own tests read releases from files in this way, which keeps nothing and reaches no cluster.
        "memory" => {
            return Err(match world.env("HELM_MEMORY_DRIVER_DATA").unwrap_or_default().as_str() {
                "" => "Unable to read memory driver data: open : no such file or directory".to_owned(),
                _ => "HELM_MEMORY_DRIVER_DATA is not read: it is there for tests of Helm itself, and nothing that is \
                      done with it reaches a cluster"
                    .to_owned(),
            }
            .into());
        }
        "sql" => {
            let message = "HELM_DRIVER=sql is not supported: releases are kept in secrets or configmaps";
            return Err(message.to_owned().into());
        }
        other => return Err(format!("unknown driver {other:?}").into()),
    };
    // What is no name would be a part of a path.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if !namespace.bytes().all(is_name) || matches!(namespace, "." | "..") {
        return Err(format!("{namespace:?} is no name of a namespace").into());
    }
    Ok(Session::new(cluster, namespace, driver, tell))
}

/// The same, to be ended by Ctrl-C or a request to terminate, of which it is told on stdout. A second one ends at once.
pub(super) fn interruptible<'c>(session: Session<'c>, name: &str, caller: Caller<'_>) -> Session<'c> {
    if let Some(end) = caller.end {
        return session.until(end.clone());
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::iterator::Signals;
        // Where they can't be had, they end the process, and the next command finds out.
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
            let (flag, name) = (interrupted.clone(), name.to_owned());
            std::thread::spawn(move || {
                for (count, signal) in signals.forever().enumerate() {
                    if count > 0 {
                        std::process::exit(128 + signal);
                    }
                    super::print(format!("Release {name} has been cancelled.\n").as_bytes());
                    flag.store(true, Ordering::Relaxed);
                }
            });
        }
    }
    session.until(interrupted)
}

fn tell(said: Said) {
    match said {
        Said::Warning(message, fields) => log_with(Severity::Warning, &message, &fields),
        Said::Error(message, fields) => log_with(Severity::Error, &message, &fields),
        Said::Line(line) => eprintln!("{line}"),
        Said::Log(bytes) => {
            let mut stderr = std::io::stderr().lock();
            // That nobody reads any more is no failure of ours.
            let _ = stderr.write_all(&bytes);
        }
    }
}

/// `--timeout`.
pub(super) fn timeout(flags: &Parsed) -> Result<Duration, Failure> {
    let Some(text) = flags.text("timeout") else { return Ok(Duration::from_secs(300)) };
    let nanoseconds = parse_duration(text)?;
    // Go's context of a time that is over already ends at once.
    Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(1)))
}

/// `--wait` and what belongs to it.
pub(super) fn wait(flags: &Parsed) -> Result<Wait, Failure> {
    let strategy = match flags.text("wait") {
        None | Some("hookOnly") => Strategy::HookOnly,
        Some("legacy") => Strategy::Legacy,
        Some("true") => {
            let message = "--wait=true is deprecated (boolean value) and can be replaced with --wait=watcher";
            log(Severity::Warning, message);
            Strategy::Watcher
        }
        Some("false") => {
            let message = "--wait=false is deprecated (boolean value) and can be replaced with --wait=hookOnly";
            log(Severity::Warning, message);
            Strategy::HookOnly
        }
        Some(_) => Strategy::Watcher,
    };
    Ok(Wait { strategy, for_jobs: flags.is_set("wait-for-jobs"), timeout: timeout(flags)? })
}

/// The same where a failure is undone, which can't be known without waiting.
pub(super) fn wait_and_roll_back(flags: &Parsed) -> Result<(Wait, bool), Failure> {
    let mut wait = wait(flags)?;
    let rolls_back = flags.is_set("rollback-on-failure") || flags.is_set("atomic");
    if rolls_back && wait.strategy == Strategy::HookOnly {
        wait.strategy = Strategy::Watcher;
    }
    Ok((wait, rolls_back))
}

/// `--labels`, which are checked already.
pub(super) fn labels(flags: &Parsed) -> BTreeMap<String, String> {
    let labels = flags.all("labels");
    labels.iter().filter_map(|label| label.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

/// A number that a flag gives.
pub(super) fn number(flags: &Parsed, name: &str, default: i64) -> i64 {
    flags.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `--history-max`, and the variable that Helm has for it.
pub(super) fn most_revisions(flags: &Parsed, world: &dyn World) -> i64 {
    let default = world.env("HELM_MAX_HISTORY").and_then(|text| text.parse().ok()).unwrap_or(10);
    number(flags, "history-max", default)
}

/// Whether `--force-replace` was given, or what it was called before.
pub(super) fn forces_replace(flags: &Parsed) -> bool {
    flags.is_set("force-replace") || flags.is_set("force")
}

/// A name of a release. `refusal` is the error's beginning.
pub(super) fn check_name(name: &str, refusal: &str) -> Result<(), Failure> {
    onepane_helm::Release::check_name(name).map_err(|_| format!("{refusal}: {name}").into())
}

/// That not both ways to force something are asked for.
pub(super) fn check_groups(flags: &Parsed) -> Result<(), Failure> {
    check_group(flags, ["force-replace", "force-conflicts"])?;
    check_group(flags, ["force", "force-conflicts"])
}

/// That of flags which exclude one another not all are given, in cobra's words.
pub(super) fn check_group(flags: &Parsed, group: [&str; 2]) -> Result<(), Failure> {
    if !group.iter().all(|name| flags.is_given(name)) {
        return Ok(());
    }
    let mut sorted = group;
    sorted.sort_unstable();
    let (group, sorted) = (group.join(" "), sorted.join(" "));
    let message =
        format!("if any flags in the group [{group}] are set none of the others can be; [{sorted}] were all set");
    Err(message.into())
}

impl From<onepane_release::Failure> for Failure {
    fn from(failure: onepane_release::Failure) -> Self {
        Self::from(failure.to_string())
    }
}

impl Failure {
    /// The same, with `before` in front of it.
    pub(super) fn after(mut self, before: &str) -> Self {
        self.message.insert_str(0, before);
        self
    }
}
