//! The environment, applied and waited for: [`ready`].

use crate::follow::tail;
use crate::report::Problem;
use crate::run::Run;
use crate::{Told, items, text};
use http::Method;
use onepane_deploy::{Engine, Event, Failure, Happened, Options};
use onepane_health::{Health, Status, Trouble, health, runs, trouble};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The Secret that says what belongs to the environment.
const SET: &str = "onepane-ci";
/// How many lines of a log are told.
const LINES: usize = 15;
/// How much longer it is waited once something has failed for good: others may fail for a reason of their own.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// How long a pod may be in a trouble that may pass.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// Applies the environment and waits until every pod is ready; says whether that came to be.
pub(crate) async fn ready(run: &Run<'_>, objects: Vec<Value>) -> Result<bool, Failure> {
    if objects.is_empty() {
        return Err(Failure::Guarded("the environment is empty: its folder builds to nothing".to_owned()));
    }
    let hopeless: Cell<Option<Instant>> = Cell::new(None);
    let unexplained: RefCell<Vec<Unexplained>> = RefCell::default();
    let tell = |event: &Event| {
        // What a container has said last is told with why it is asked, and kept for the report.
        if !matches!(event.happened, Happened::Said { .. }) {
            run.told(&Told::Object(event));
        }
        let object = event.object.to_string();
        match &event.happened {
            Happened::Failed(failure) => {
                run.problem(Problem { object, why: failure.to_string(), log: Vec::new() });
                hopeless.set(hopeless.get().or(Some(Instant::now())));
            }
            Happened::Became(Health { status: Status::Failed, message }) => {
                // Behind what its pods have said.
                let problem = Problem { object, why: message.clone(), log: Vec::new() };
                unexplained.borrow_mut().push(Unexplained::Failed(problem));
                hopeless.set(hopeless.get().or(Some(Instant::now())));
            }
            Happened::InTrouble { pod, trouble } => {
                if is_hopeless(trouble) {
                    hopeless.set(hopeless.get().or(Some(Instant::now())));
                }
                // That there is no room yet is told as what happens, and is no problem if it passes.
                if trouble.is_lasting {
                    unexplained.borrow_mut().push(Unexplained::Troubled(object, pod.clone(), trouble.clone()));
                }
            }
            _ => {}
        }
    };
    let engine = Engine::new(run.server, &run.namespace, SET, tell);
    let options = Options { takes_over: true, prunes: false, may_prune_most: false, patience: Some(run.left()) };
    let apply = engine.apply(objects, &options);
    tokio::pin!(apply);
    let mut clock = tokio::time::interval(Duration::from_millis(200));
    let outcome = loop {
        tokio::select! {
            outcome = &mut apply => break Some(outcome?),
            _ = clock.tick() => {}
        }
        explain(run, &unexplained).await;
        if hopeless.get().is_some_and(|since| since.elapsed() > AFTERWARDS) {
            break None;
        }
    };
    explain(run, &unexplained).await;
    match outcome {
        Some(outcome) if outcome.failed == 0 => until_pods_are(run).await,
        _ => Ok(false),
    }
}

/// Whether no time mends a trouble: an image that is not there does not come by itself.
pub(crate) fn is_hopeless(trouble: &Trouble) -> bool {
    const WORDS: [&str; 6] = [
        "not found",
        "manifest unknown",
        "does not exist",
        "no such image",
        "repository name not known",
        "couldn't find key",
    ];
    let said = trouble.message.to_lowercase();
    matches!(trouble.reason.as_str(), "InvalidImageName" | "ErrImageNeverPull")
        || trouble.is_lasting && !trouble.has_log && WORDS.iter().any(|word| said.contains(word))
}

/// What is yet to be told, since logs have to be read for it.
enum Unexplained {
    /// A pod of an object is in trouble.
    Troubled(String, String, Trouble),
    /// An object has failed.
    Failed(Problem),
}

/// Says what pods in trouble printed at last, and what has failed.
async fn explain(run: &Run<'_>, unexplained: &RefCell<Vec<Unexplained>>) {
    let told = std::mem::take(&mut *unexplained.borrow_mut());
    for one in told {
        let problem = match one {
            Unexplained::Troubled(object, pod, trouble) => problem(run, object, &pod, &trouble).await,
            Unexplained::Failed(problem) => problem,
        };
        run.problem(problem);
    }
}

/// A pod in trouble, with the last lines that it printed.
pub(crate) async fn problem(run: &Run<'_>, object: String, pod: &str, trouble: &Trouble) -> Problem {
    let container = trouble.container.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let colon = if trouble.message.is_empty() { "" } else { ": " };
    let why = format!("the pod {pod}{container} is in {}{colon}{}", trouble.reason, trouble.message);
    let log = match &trouble.container {
        Some(container) if trouble.has_log => tail(run, pod, container, LINES).await,
        _ => Vec::new(),
    };
    Problem { object, why, log }
}

/// Waits for pods that nothing which was applied speaks for, such as those that an operator makes.
///
/// A run has a handful of pods, and a look at all of them sees everything, whatever was missed before.
async fn until_pods_are(run: &Run<'_>) -> Result<bool, Failure> {
    const PAUSE: Duration = Duration::from_millis(500);
    let mut troubled: HashMap<String, Instant> = HashMap::new();
    // How often pods were started when no other was on its way any more.
    let mut alone: HashMap<String, i64> = HashMap::new();
    loop {
        let list = run.server.request(Method::GET, &run.path("pods"), None).await?;
        let unready: Vec<&Value> = items(&list, "/items").filter(|pod| !is_well(pod)).collect();
        if unready.is_empty() {
            return Ok(true);
        }
        if unready.iter().any(|pod| !runs(pod).is_crashing()) {
            alone.clear();
        } else {
            for pod in &unready {
                alone.entry(text(pod, "/metadata/name").to_owned()).or_insert(runs(pod).begun);
            }
        }
        for pod in &unready {
            let name = text(pod, "/metadata/name");
            let Some(trouble) = trouble(pod) else {
                troubled.remove(name);
                continue;
            };
            let since = *troubled.entry(name.to_owned()).or_insert_with(Instant::now);
            let lasts = match trouble.reason.as_str() {
                // The same as for what was applied.
                "CrashLoopBackOff" => alone.get(name).is_some_and(|begun| runs(pod).has_crashed_since(*begun)),
                _ => trouble.is_lasting && since.elapsed() > GRACE,
            };
            if is_hopeless(&trouble) || lasts {
                run.problem(problem(run, format!("Pod/{name}"), name, &trouble).await);
                return Ok(false);
            }
        }
        if run.left().is_zero() {
            for pod in unready {
                let object = format!("Pod/{}", text(pod, "/metadata/name"));
                let mut pod = pod.clone();
                (pod["apiVersion"], pod["kind"]) = ("v1".into(), "Pod".into());
                let why = format!("it is not ready when the time is over: {}", health(&pod).message);
                run.problem(Problem { object, why, log: Vec::new() });
            }
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a pod is ready, done, or on its way out.
pub(crate) fn is_well(pod: &Value) -> bool {
    let mut pod = pod.clone();
    (pod["apiVersion"], pod["kind"]) = ("v1".into(), "Pod".into());
    matches!(health(&pod).status, Status::Current | Status::Terminating)
}
