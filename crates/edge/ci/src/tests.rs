//! The tests: Jobs that are applied and followed to their end, [`tests`].

use crate::follow::{follow, statuses};
use crate::ready::{GRACE, is_hopeless, problem};
use crate::report::Test;
use crate::run::{LogName, Run};
use crate::{Told, items, text};
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use http::Method;
use onepane_deploy::{Engine, Event, Failure, Happened, Options};
use onepane_health::{Health, Status, health, trouble};
use serde_json::Value;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// The Secret that says what belongs to the tests.
const SET: &str = "onepane-ci-tests";
/// How often Jobs and pods are looked at.
const PAUSE: Duration = Duration::from_millis(400);
/// How long logs are read on when all Jobs have ended.
const REST: Duration = Duration::from_secs(10);
/// How many lines of a test are shown.
const LINES: usize = 40;

/// A Job that has not ended.
struct Pending {
    uid: String,
    since: Instant,
    pods: BTreeSet<String>,
}

/// Applies the tests and follows their Jobs; says whether all of them completed.
pub(crate) async fn tests(run: &Run<'_>, objects: Vec<Value>) -> Result<bool, Failure> {
    let is_job = |object: &&Value| text(object, "/kind") == "Job" && text(object, "/apiVersion").starts_with("batch/");
    let names: Vec<String> = objects.iter().filter(is_job).map(|job| text(job, "/metadata/name").to_owned()).collect();
    if names.is_empty() {
        run.note("there are no Jobs in integration-test/, so that nothing is tested but that everything becomes ready");
    }
    if objects.is_empty() {
        return Ok(true);
    }
    let is_refused = Cell::new(false);
    let tell = |event: &Event| {
        run.told(&Told::Object(event));
        if let Happened::Failed(failure) = &event.happened {
            is_refused.set(true);
            let (object, why) = (event.object.to_string(), failure.to_string());
            run.problem(crate::Problem { object, why, log: Vec::new() });
        }
    };
    let options = Options { takes_over: true, prunes: false, may_prune_most: false, patience: None };
    Engine::new(run.server, &run.namespace, SET, tell).apply(objects, &options).await?;
    if is_refused.get() {
        return Err(Failure::Guarded("the tests could not be applied".to_owned()));
    }
    let now = Instant::now();
    let begun = |name| (name, Pending { uid: String::new(), since: now, pods: BTreeSet::new() });
    let mut following = Following {
        run,
        pending: names.into_iter().map(begun).collect(),
        followed: BTreeSet::new(),
        logs: FuturesUnordered::new(),
        troubled: HashMap::new(),
        passed: true,
    };
    following.until_all_have_ended().await?;
    Ok(following.passed)
}

struct Following<'f> {
    run: &'f Run<'f>,
    pending: BTreeMap<String, Pending>,
    followed: BTreeSet<LogName>,
    logs: FuturesUnordered<LocalBoxFuture<'f, ()>>,
    /// Pods in trouble: since when, and whether that was told.
    troubled: HashMap<String, (Instant, String)>,
    passed: bool,
}

impl Following<'_> {
    async fn until_all_have_ended(&mut self) -> Result<(), Failure> {
        let mut clock = tokio::time::interval(PAUSE);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.pending.is_empty() {
            tokio::select! {
                _ = clock.tick() => self.look().await?,
                Some(()) = self.logs.next() => {}
            }
        }
        Ok(())
    }

    /// A look at all Jobs and pods.
    async fn look(&mut self) -> Result<(), Failure> {
        let jobs = format!("/apis/batch/v1/namespaces/{}/jobs", self.run.namespace);
        let jobs = self.run.server.request(Method::GET, &jobs, None).await?;
        let pods = self.run.server.request(Method::GET, &self.run.path("pods"), None).await?;
        for job in items(&jobs, "/items") {
            if let Some(pending) = self.pending.get_mut(text(job, "/metadata/name")) {
                text(job, "/metadata/uid").clone_into(&mut pending.uid);
            }
        }
        let mut hopeless: Vec<(String, String)> = Vec::new();
        for pod in items(&pods, "/items") {
            let owner = items(pod, "/metadata/ownerReferences").find_map(|owner| {
                let uid = text(owner, "/uid");
                self.pending.iter().find(|(_, job)| job.uid == uid).map(|(name, _)| name.clone())
            });
            if let Some(job) = owner {
                self.look_at_pod(&job, pod);
                hopeless.extend(self.trouble(&job, pod).await.map(|why| (job, why)));
            }
        }
        let mut ended: Vec<(String, Option<String>)> = Vec::new();
        for job in items(&jobs, "/items").filter(|job| self.pending.contains_key(text(job, "/metadata/name"))) {
            let mut job = job.clone();
            (job["apiVersion"], job["kind"]) = ("batch/v1".into(), "Job".into());
            let name = text(&job, "/metadata/name").to_owned();
            match health(&job) {
                Health { status: Status::Current, .. } => ended.push((name, None)),
                Health { status: Status::Failed, message } => ended.push((name, Some(message))),
                Health { status: Status::Terminating, .. } => ended.push((name, Some("it was deleted".to_owned()))),
                Health { message, .. } if self.run.left().is_zero() => {
                    ended.push((name, Some(format!("it has not ended when the time is over: {message}"))));
                }
                Health { .. } => {}
            }
        }
        if self.run.left().is_zero() {
            let missing = self.pending.keys().filter(|name| !ended.iter().any(|(other, _)| other == *name));
            let missing: Vec<_> =
                missing.map(|name| (name.clone(), Some("it is not there when the time is over".to_owned()))).collect();
            ended.extend(missing);
        }
        for (name, why) in hopeless {
            if !ended.iter().any(|(other, _)| *other == name) {
                ended.push((name, Some(why)));
            }
        }
        if !ended.is_empty() {
            self.read_on(&ended).await;
        }
        for (name, failure) in ended {
            self.end(&name, failure);
        }
        Ok(())
    }

    /// Follows containers that run or have run.
    fn look_at_pod(&mut self, job: &str, pod: &Value) {
        let name = text(pod, "/metadata/name").to_owned();
        if let Some(pending) = self.pending.get_mut(job) {
            pending.pods.insert(name.clone());
        }
        for status in statuses(pod) {
            let has_run = status.pointer("/state/running").is_some() || status.pointer("/state/terminated").is_some();
            let restarts = status.pointer("/restartCount").and_then(Value::as_i64).unwrap_or(0);
            let log = (name.clone(), text(status, "/name").to_owned(), restarts);
            if has_run && self.followed.insert(log.clone()) {
                self.logs.push(Box::pin(follow(self.run, log)));
            }
        }
    }

    /// Tells what keeps a pod from running; gives why its Job comes to nothing, if it does.
    async fn trouble(&mut self, job: &str, pod: &Value) -> Option<String> {
        let name = text(pod, "/metadata/name");
        let Some(trouble) = trouble(pod) else {
            self.troubled.remove(name);
            return None;
        };
        let is_new = self.troubled.get(name).is_none_or(|(_, reason)| *reason != trouble.reason);
        if is_new && trouble.is_lasting {
            let since = self.troubled.get(name).map_or_else(Instant::now, |(since, _)| *since);
            self.troubled.insert(name.to_owned(), (since, trouble.reason.clone()));
            self.run.problem(problem(self.run, format!("Job/{job}"), name, &trouble).await);
        }
        // A Job counts by itself how often its pods crash.
        let lasts = trouble.reason != "CrashLoopBackOff" && trouble.is_lasting;
        let since = self.troubled.get(name).map_or_else(Instant::now, |(since, _)| *since);
        let is_over = is_hopeless(&trouble) || lasts && since.elapsed() > GRACE;
        is_over.then(|| format!("the pod {name} is in {}: {}", trouble.reason, trouble.message))
    }

    /// Reads logs on that may still come, since a Job is told to have ended before they are read.
    async fn read_on(&mut self, ended: &[(String, Option<String>)]) {
        let is_open = |(name, _): &(String, Option<String>)| {
            self.pending.get(name).is_some_and(|job| self.followed.iter().any(|(pod, ..)| job.pods.contains(pod)))
        };
        if ended.iter().any(is_open) {
            let rest = if self.pending.len() == ended.len() { REST } else { REST / 5 };
            let until = Instant::now() + if self.run.left().is_zero() { rest / 5 } else { rest };
            while let Ok(Some(())) = tokio::time::timeout_at(until, self.logs.next()).await {}
        }
    }

    fn end(&mut self, name: &str, failure: Option<String>) {
        let Some(job) = self.pending.remove(name) else { return };
        let logs = job.pods.iter().flat_map(|pod| self.run.logs_of(pod));
        let log: Vec<String> = logs.flat_map(|log| self.run.last_lines(&log, LINES)).collect();
        let seconds = job.since.elapsed().as_secs_f64();
        let said = failure.as_ref().map_or_else(|| "passed".to_owned(), |why| format!("failed: {why}"));
        self.run.told(&Told::Test { name, said: &said });
        self.passed &= failure.is_none();
        let skipped = log.len().saturating_sub(LINES);
        self.run.test(Test { name: name.to_owned(), failure, seconds, log: log.into_iter().skip(skipped).collect() });
    }
}
