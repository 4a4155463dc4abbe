//! What came of a run: [`Report`].

mod html;
mod json;
mod markdown;

use crate::artifacts::Files;
use crate::junit::{self, Case, CaseResult, Suite};
use crate::run::Stop;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything became ready, and the tests passed.
    Passed,
    /// A test failed, or did not end in time.
    TestsFailed,
    /// The environment did not become ready.
    NotReady,
    /// It could not be run, and why.
    NotRun(String),
    /// Somebody stopped it.
    Stopped(Stop),
}

impl Verdict {
    /// The exit code that says so.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::TestsFailed => 1,
            Self::NotRun(_) => 2,
            Self::NotReady => 3,
            // As shells have it.
            Self::Stopped(Stop::Interrupt) => 130,
            Self::Stopped(Stop::Terminate) => 143,
        }
    }

    /// A word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::TestsFailed => "tests failed",
            Self::NotReady => "not ready",
            Self::NotRun(_) => "could not be run",
            Self::Stopped(_) => "stopped",
        }
    }
}

/// A part of a run, and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// `environment`, `tests`, `removal`.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// A Job, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Why it failed; nothing, if it passed.
    pub failure: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// The last lines of its pods.
    pub log: Vec<String>,
}

/// Something that went wrong on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about: `Deployment/api`.
    pub object: String,
    /// What is wrong.
    pub why: String,
    /// The last lines that it printed, if any.
    pub log: Vec<String>,
}

/// A pod as it was at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Whether it is as it should be: ready, or done.
    pub is_well: bool,
    /// What is to be said of it, a line each.
    pub lines: Vec<String>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The namespace that it was in; empty if there was none.
    pub namespace: String,
    /// The cluster.
    pub cluster: String,
    /// The service that it was for.
    pub service: Option<String>,
    /// Images that were put in place of others.
    pub images: Vec<(String, String)>,
    /// How it ended.
    pub verdict: Verdict,
    /// When it began, as in RFC 3339.
    pub started: String,
    /// What it did.
    pub phases: Vec<Phase>,
    /// Its Jobs.
    pub tests: Vec<Test>,
    /// Results that they handed out.
    pub suites: Vec<Suite>,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What is to be known.
    pub notes: Vec<String>,
    /// The pods as they were at the end.
    pub pods: Vec<Pod>,
    /// What the cluster said, the oldest first.
    pub events: Vec<String>,
    /// Logs and files of containers, by their paths below the report.
    pub collected: Files,
    /// What is left on the cluster, and should not be.
    pub left: Vec<String>,
    /// Whether the environment was kept.
    pub is_kept: bool,
}

impl Report {
    /// The files of the report by their paths: `report.md`, `report.json`, `junit.xml`, `index.html`, what containers
    /// printed below `logs/`, what they handed out below `files/`.
    pub fn files(&self) -> Files {
        let mut files = self.collected.clone();
        files.insert("report.md".to_owned(), self.markdown().into_bytes());
        files.insert("report.json".to_owned(), json::of(self).into_bytes());
        files.insert("junit.xml".to_owned(), junit::write(&self.all_suites()).into_bytes());
        files.insert("index.html".to_owned(), html::of(self).into_bytes());
        files
    }

    /// The report for people, as for a comment on a change.
    pub fn markdown(&self) -> String {
        markdown::of(self)
    }

    /// What was handed out, and the run itself as a suite.
    fn all_suites(&self) -> Vec<Suite> {
        let case = |name: &str, seconds, result| Case {
            class: "onepane ci".to_owned(),
            name: name.to_owned(),
            seconds,
            result,
        };
        let said = self.problems.iter().map(|problem| format!("{}: {}", problem.object, problem.why));
        let environment = match &self.verdict {
            Verdict::NotRun(why) => CaseResult::Failed(why.clone()),
            Verdict::NotReady => CaseResult::Failed(said.collect::<Vec<_>>().join("\n")),
            Verdict::Stopped(_) if self.tests.is_empty() => CaseResult::Failed("it was stopped".to_owned()),
            _ => CaseResult::Passed,
        };
        let seconds = self.phases.iter().find(|phase| phase.name == "environment").map_or(0.0, |phase| phase.seconds);
        let mut cases = vec![case("environment", seconds, environment)];
        cases.extend(self.tests.iter().map(|test| {
            let result = test
                .failure
                .as_ref()
                .map_or(CaseResult::Passed, |why| CaseResult::Failed(format!("{why}\n{}", test.log.join("\n"))));
            case(&test.name, test.seconds, result)
        }));
        let own = Suite { name: "onepane ci".to_owned(), cases };
        std::iter::once(own).chain(self.suites.iter().cloned()).collect()
    }

    /// The failed cases of what was handed out, by suite and name.
    fn failed_cases(&self) -> impl Iterator<Item = (String, &str)> {
        self.suites.iter().flat_map(|suite| &suite.cases).filter_map(|case| match &case.result {
            CaseResult::Failed(said) => {
                let dot = if case.class.is_empty() { "" } else { "." };
                Some((format!("{}{dot}{}", case.class, case.name), said.as_str()))
            }
            _ => None,
        })
    }

    fn seconds(&self) -> f64 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// `api on dev`
    fn subject(&self) -> String {
        let service = self.service.as_ref().map_or_else(String::new, |service| format!("{service} on "));
        format!("{service}{}", self.cluster)
    }
}
