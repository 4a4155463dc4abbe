//! One run from its beginning to its end: [`run`].

use crate::artifacts::{Files, Read, Reader};
use crate::junit::{self, Suite};
use crate::logs::{KeptLog, Lines};
use crate::namespace::{self, About, Made, NotMade};
use crate::removal::remove;
use crate::report::{Phase, Pod, Problem, Report, Test, Verdict};
use crate::{Told, collect, definitions, ready, tests};
use jiff::Timestamp;
use onepane_deploy::{Failure, Server};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cluster whose environment it is.
    pub cluster: String,
    /// The service that it is for; the namespace is called after it.
    pub service: Option<String>,
    /// Images that were put in place of others, for the report.
    pub images: Vec<(String, String)>,
    /// The environment.
    pub environment: Vec<Value>,
    /// What tests it: Jobs, and what they need.
    pub tests: Vec<Value>,
    /// How long all of it may take until the tests have ended.
    pub timeout: Duration,
    /// Whether the environment stays where it fails.
    pub keeps_on_failure: bool,
}

/// Why a run is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// How long it is waited until an environment is gone.
const REMOVAL: Duration = Duration::from_secs(180);
/// How long a look at what is there at the end may take.
const COLLECTING: Duration = Duration::from_secs(30);
/// No more logs are kept,
const MOST_LOGS: usize = 500;
/// and no more bytes of files.
const MOST_BYTES: usize = 64 << 20;

/// A run that is on its way.
pub(crate) struct Run<'r> {
    pub(crate) server: &'r Server,
    pub(crate) namespace: String,
    /// When the tests have to have ended.
    pub(crate) end: Instant,
    tell: &'r dyn Fn(&Told<'_>),
    state: RefCell<State>,
}

/// What it has come to know. It outlives what is dropped when somebody stops the run.
#[derive(Default)]
struct State {
    phases: Vec<(&'static str, Instant, Option<Instant>)>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    tests: Vec<Test>,
    pods: Vec<Pod>,
    events: Vec<String>,
    logs: BTreeMap<LogName, Log>,
    files: Files,
    suites: Vec<Suite>,
}

/// Pod, container, and how often that was started before.
pub(crate) type LogName = (String, String, i64);

#[derive(Default)]
struct Log {
    lines: Lines,
    reader: Reader,
    kept: KeptLog,
    bytes: u64,
}

/// Makes the environment, waits for it, tests it, and removes it. What is sent to `stops` ends it early; the second one also
/// ends the removal.
pub async fn run(
    server: &Server,
    request: Request,
    stops: &mut UnboundedReceiver<Stop>,
    tell: &dyn Fn(&Told<'_>),
) -> Report {
    let started = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut report = Report {
        namespace: String::new(),
        cluster: request.cluster.clone(),
        service: request.service.clone(),
        images: request.images.clone(),
        verdict: Verdict::Passed,
        started,
        phases: Vec::new(),
        tests: Vec::new(),
        suites: Vec::new(),
        problems: Vec::new(),
        notes: Vec::new(),
        pods: Vec::new(),
        events: Vec::new(),
        collected: Files::new(),
        left: Vec::new(),
        is_kept: false,
    };
    let end = Instant::now() + request.timeout;
    let about = About { subject: request.service.as_deref().unwrap_or(&request.cluster), lifetime: request.timeout };
    let made = match namespace::create(server, request.environment, request.tests, &about).await {
        Ok(made) => made,
        Err(NotMade::Refused(refused)) => return Report { verdict: Verdict::NotRun(refused.to_string()), ..report },
        Err(NotMade::Failed(failure)) => return Report { verdict: Verdict::NotRun(failure.to_string()), ..report },
    };
    let namespace = made.place.namespace.clone();
    let cluster_kinds = made.cluster_kinds.clone();
    tell(&Told::Note(&format!(
        "the environment is the namespace {namespace}, until {} at the latest",
        made.place.expires
    )));
    let run = Run { server, namespace: namespace.clone(), end, tell, state: RefCell::default() };
    run.begin("environment");
    report.verdict = tokio::select! {
        biased;
        Some(stop) = stops.recv() => Verdict::Stopped(stop),
        verdict = run.work(made) => verdict,
    };
    run.end_phase();
    if let Verdict::Stopped(_) = report.verdict {
        run.note("it is stopped, and the environment removed; once more leaves that to `onepane ci reap`");
    }
    tokio::select! {
        biased;
        Some(stop) = stops.recv() => report.verdict = Verdict::Stopped(stop),
        _ = tokio::time::timeout(COLLECTING, collect::collect(&run)) => {}
    }
    let failed = !matches!(report.verdict, Verdict::Passed | Verdict::Stopped(_));
    if failed && request.keeps_on_failure {
        report.is_kept = true;
        run.note(&format!("the environment stays in the namespace {namespace} until it expires"));
    } else {
        run.begin("removal");
        let kinds: Vec<_> = server.cluster_kinds().await;
        let name = |group: &str, kind: &str| if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let kinds: Vec<_> =
            kinds.into_iter().filter(|kind| cluster_kinds.contains(&name(&kind.group, &kind.kind))).collect();
        report.left = tokio::select! {
            biased;
            Some(_) = stops.recv() => vec![format!("Namespace/{namespace}: its removal was stopped")],
            left = remove(server, &namespace, &kinds, REMOVAL) => match left {
                Ok(left) => left,
                Err(failure) => vec![format!("Namespace/{namespace}: {failure}")],
            }
        };
        run.end_phase();
        for left in &report.left {
            run.note(&format!("left behind: {left}; `onepane ci reap` removes it when it has expired"));
        }
    }
    report.namespace = namespace;
    run.into_report(report)
}

impl Run<'_> {
    async fn work(&self, made: Made) -> Verdict {
        let could_not = |failure: Failure| Verdict::NotRun(failure.to_string());
        let Made { place, environment, tests, .. } = made;
        for note in environment.notes.iter().chain(&tests.notes) {
            self.note(note);
        }
        if let Err(failure) = namespace::limit(self.server, &place, &environment.objects).await {
            return could_not(failure);
        }
        let definitions = environment.definitions.into_iter().chain(tests.definitions).collect();
        if let Err(failure) = definitions::bring(self.server, definitions, &|told| self.told(told)).await {
            return could_not(failure);
        }
        match ready::ready(self, environment.objects).await {
            Ok(true) => {}
            Ok(false) => return Verdict::NotReady,
            Err(failure) => return could_not(failure),
        }
        self.end_phase();
        self.begin("tests");
        match tests::tests(self, tests.objects).await {
            Ok(true) => Verdict::Passed,
            Ok(false) => Verdict::TestsFailed,
            Err(failure) => could_not(failure),
        }
    }

    /// How much of the time is left.
    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// The path of something in the namespace.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/api/v1/namespaces/{}/{below}", self.namespace)
    }

    pub(crate) fn told(&self, told: &Told<'_>) {
        if let Told::Note(note) = told {
            return self.note(note);
        }
        (self.tell)(told);
    }

    /// Tells something that the report says as well.
    pub(crate) fn note(&self, note: &str) {
        (self.tell)(&Told::Note(note));
        self.state.borrow_mut().notes.push(note.to_owned());
    }

    /// Tells something that went wrong.
    pub(crate) fn problem(&self, problem: Problem) {
        let Problem { object, why, log } = &problem;
        let mut text = format!("{object}: {why}");
        for line in log {
            text += &format!("\n    {line}");
        }
        (self.tell)(&Told::Note(&text));
        self.state.borrow_mut().problems.push(problem);
    }

    fn begin(&self, phase: &'static str) {
        self.state.borrow_mut().phases.push((phase, Instant::now(), None));
    }

    fn end_phase(&self) {
        if let Some((.., end)) = self.state.borrow_mut().phases.last_mut() {
            end.get_or_insert_with(Instant::now);
        }
    }

    pub(crate) fn test(&self, test: Test) {
        self.state.borrow_mut().tests.push(test);
    }

    pub(crate) fn seen(&self, pods: Vec<Pod>, events: Vec<String>) {
        let mut state = self.state.borrow_mut();
        (state.pods, state.events) = (pods, events);
    }

    /// How many bytes of a log there are already; `None` if nothing of it was read.
    pub(crate) fn log_bytes(&self, name: &LogName) -> Option<u64> {
        self.state.borrow().logs.get(name).map(|log| log.bytes)
    }

    /// The last lines of a log.
    pub(crate) fn last_lines(&self, name: &LogName, count: usize) -> Vec<String> {
        self.state.borrow().logs.get(name).map(|log| log.kept.last(count)).unwrap_or_default()
    }

    /// The names of the logs of a pod.
    pub(crate) fn logs_of(&self, pod: &str) -> Vec<LogName> {
        self.state.borrow().logs.keys().filter(|(of, ..)| of == pod).cloned().collect()
    }

    /// More of a log; its lines are told if somebody watches.
    pub(crate) fn feed(&self, name: &LogName, bytes: &[u8], is_watched: bool) {
        let mut taken = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            if !state.logs.contains_key(name) && state.logs.len() >= MOST_LOGS {
                return;
            }
            let log = state.logs.entry(name.clone()).or_default();
            log.bytes += bytes.len() as u64;
            let Log { lines, reader, kept, .. } = log;
            lines.feed(bytes, &mut |line| taken.extend(take(reader, kept, line)));
        }
        self.take(name, taken, is_watched);
    }

    /// A log is at its end.
    pub(crate) fn finish(&self, name: &LogName, is_watched: bool) {
        let mut taken = Vec::new();
        if let Some(Log { lines, reader, kept, .. }) = self.state.borrow_mut().logs.get_mut(name) {
            lines.finish(&mut |line| taken.extend(take(reader, kept, line)));
            taken.extend(reader.finish().map(|read| Taken::of(read, "", kept)));
        }
        self.take(name, taken, is_watched);
    }

    fn take(&self, (pod, container, _): &LogName, taken: Vec<Taken>, is_watched: bool) {
        for taken in taken {
            match taken {
                Taken::Line(line) if is_watched => (self.tell)(&Told::Log { pod, container, line: &line }),
                Taken::Line(_) => {}
                Taken::File(name, content) => {
                    let mut state = self.state.borrow_mut();
                    let bytes: usize = state.files.values().map(Vec::len).sum();
                    if bytes + content.len() > MOST_BYTES {
                        drop(state);
                        self.note(&format!("the file {name} of {pod} is not taken: there are {bytes} bytes already"));
                        continue;
                    }
                    if name.ends_with(".xml") {
                        state.suites.extend(junit::suites(&content).unwrap_or_default());
                    }
                    state.files.insert(format!("files/{pod}/{name}"), content);
                }
                Taken::Wrong(why) => self.note(&format!("a file of {pod}: {why}")),
            }
        }
    }

    fn into_report(self, report: Report) -> Report {
        let State { phases, problems, notes, tests, pods, events, logs, files, suites } = self.state.into_inner();
        let phases = phases.into_iter().map(|(name, start, end)| Phase {
            name,
            seconds: end.unwrap_or_else(Instant::now).duration_since(start).as_secs_f64(),
        });
        let mut collected = files;
        for ((pod, container, restarts), log) in logs {
            let before = if restarts == 0 { String::new() } else { format!(".{restarts}") };
            collected.insert(format!("logs/{pod}.{container}{before}.log"), log.kept.text().into_bytes());
        }
        Report { phases: phases.collect(), problems, notes, tests, pods, events, suites, collected, ..report }
    }
}

/// What comes of a line of a log.
enum Taken {
    Line(String),
    File(String, Vec<u8>),
    Wrong(String),
}

impl Taken {
    fn of(read: Read, line: &str, kept: &mut KeptLog) -> Self {
        match read {
            Read::File(name, content) => {
                let said = format!("[the file {name}, {} bytes]", content.len());
                kept.push(&said);
                Self::File(name, content)
            }
            Read::Wrong(why) => Self::Wrong(why),
            Read::Line | Read::Inside => {
                kept.push(line);
                Self::Line(line.to_owned())
            }
        }
    }
}

fn take(reader: &mut Reader, kept: &mut KeptLog, line: &str) -> Option<Taken> {
    match reader.read(line) {
        Read::Inside => None,
        read => Some(Taken::of(read, line, kept)),
    }
}
