//! A report for programs.

use super::{Report, Verdict};
use serde_json::json;

pub(super) fn of(report: &Report) -> String {
    let why = match &report.verdict {
        Verdict::NotRun(why) => Some(why),
        _ => None,
    };
    let tests = report.tests.iter().map(|test| {
        json!({"name": test.name, "passed": test.failure.is_none(), "failure": test.failure, "seconds": test.seconds, "log": test.log})
    });
    let problems = report.problems.iter().map(|one| json!({"object": one.object, "why": one.why, "log": one.log}));
    let pods = report.pods.iter().map(|pod| json!({"name": pod.name, "well": pod.is_well, "lines": pod.lines}));
    let images = report.images.iter().map(|(was, is)| json!({"was": was, "is": is}));
    let phases = report.phases.iter().map(|phase| json!({"name": phase.name, "seconds": phase.seconds}));
    let cases: usize = report.suites.iter().map(|suite| suite.cases.len()).sum();
    let document = json!({
        "verdict": report.verdict.word(),
        "exitCode": report.verdict.exit_code(),
        "why": why,
        "cluster": report.cluster,
        "service": report.service,
        "namespace": report.namespace,
        "images": images.collect::<Vec<_>>(),
        "started": report.started,
        "seconds": report.seconds(),
        "phases": phases.collect::<Vec<_>>(),
        "tests": tests.collect::<Vec<_>>(),
        "cases": {"total": cases, "failed": report.failed_cases().count()},
        "problems": problems.collect::<Vec<_>>(),
        "notes": report.notes,
        "pods": pods.collect::<Vec<_>>(),
        "events": report.events,
        "files": report.collected.keys().collect::<Vec<_>>(),
        "kept": report.is_kept,
        "left": report.left,
    });
    format!("{document:#}\n")
}
