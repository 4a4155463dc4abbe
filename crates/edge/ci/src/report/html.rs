//! A report as a page of its own, which needs nothing else.

use super::{Report, Verdict};
use quick_xml::escape::escape;
use std::fmt::Write;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1c2024;background:#fff}\
table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1em .2em 0;border-bottom:1px solid #d5dae0;vertical-align:top}\
pre{background:#f4f6f8;padding:.6em 1em;border-radius:6px;overflow:auto;font:13px/1.45 ui-monospace,monospace}\
.good{color:#116329}.bad{color:#a40e26}summary{cursor:pointer;font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#d7dde3;background:#14181c}pre{background:#1d2329}td,th{border-color:#39414a}\
.good{color:#56d364}.bad{color:#ff7b72}a{color:#7ab7ff}}";

pub(super) fn of(report: &Report) -> String {
    let class = if report.verdict == Verdict::Passed { "good" } else { "bad" };
    let title = format!("{} {}", escape(report.subject()), report.verdict.word());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1 class=\"{class}\">{title}</h1>\n"
    );
    if let Verdict::NotRun(why) = &report.verdict {
        _ = writeln!(page, "<p>{}</p>", escape(why));
    }
    page += "<table>\n";
    row(&mut page, "began", &report.started);
    row(&mut page, "namespace", &format!("{}{}", report.namespace, if report.is_kept { " (kept)" } else { "" }));
    for (was, is) in &report.images {
        row(&mut page, "image", &format!("{is} in place of {was}"));
    }
    for phase in &report.phases {
        row(&mut page, phase.name, &format!("{:.1} s", phase.seconds));
    }
    for left in &report.left {
        row(&mut page, "left behind", left);
    }
    page += "</table>\n";
    if !report.tests.is_empty() {
        page += "<h2>Tests</h2>\n<table>\n";
        for test in &report.tests {
            let (class, result) = match &test.failure {
                None => ("good", "passed".to_owned()),
                Some(why) => ("bad", format!("failed: {why}")),
            };
            let (name, result) = (escape(&test.name), escape(&result));
            _ = writeln!(
                page,
                "<tr><td>{name}</td><td class=\"{class}\">{result}</td><td>{:.1} s</td></tr>",
                test.seconds
            );
        }
        page += "</table>\n";
        for test in report.tests.iter().filter(|test| !test.log.is_empty()) {
            let open = if test.failure.is_some() { " open" } else { "" };
            _ = writeln!(page, "<details{open}><summary>{}</summary>", escape(&test.name));
            lines(&mut page, &test.log);
            page += "</details>\n";
        }
    }
    let cases: usize = report.suites.iter().map(|suite| suite.cases.len()).sum();
    if cases > 0 {
        _ = writeln!(
            page,
            "<h2>Cases</h2>\n<p>{cases} in files of JUnit, {} failed</p>",
            report.failed_cases().count()
        );
        for (name, said) in report.failed_cases() {
            _ = writeln!(page, "<p class=\"bad\">{}</p>\n<pre>{}</pre>", escape(&name), escape(said));
        }
    }
    if !report.problems.is_empty() {
        page += "<h2>What went wrong</h2>\n";
        for problem in &report.problems {
            _ = writeln!(page, "<p class=\"bad\"><b>{}</b>: {}</p>", escape(&problem.object), escape(&problem.why));
            lines(&mut page, &problem.log);
        }
    }
    for note in &report.notes {
        _ = writeln!(page, "<p>{}</p>", escape(note));
    }
    if !report.pods.is_empty() {
        page += "<h2>Pods</h2>\n";
        for pod in &report.pods {
            let class = if pod.is_well { "good" } else { "bad" };
            _ = writeln!(page, "<details><summary class=\"{class}\">{}</summary>", escape(&pod.name));
            lines(&mut page, &pod.lines);
            page += "</details>\n";
        }
    }
    if !report.events.is_empty() {
        page += "<details><summary>Events</summary>\n";
        lines(&mut page, &report.events);
        page += "</details>\n";
    }
    if !report.collected.is_empty() {
        page += "<h2>Files</h2>\n<ul>\n";
        for (path, content) in &report.collected {
            // Paths are of letters that need no escaping; that they are is not for this page to trust.
            let path = escape(path);
            _ = writeln!(page, "<li><a href=\"{path}\">{path}</a> ({} bytes)</li>", content.len());
        }
        page += "</ul>\n";
    }
    page + "</body>\n</html>\n"
}

fn row(page: &mut String, what: &str, said: &str) {
    if !said.is_empty() {
        _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escape(what), escape(said));
    }
}

fn lines(page: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        _ = writeln!(page, "<pre>{}</pre>", escape(lines.join("\n")));
    }
}
