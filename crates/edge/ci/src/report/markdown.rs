//! A report for people, short enough for a comment.

use super::{Report, Verdict};
use std::fmt::Write;

/// No more lines of a log are shown.
const LINES: usize = 20;
/// No more events.
const EVENTS: usize = 15;
/// No more failed cases.
const CASES: usize = 20;

pub(super) fn of(report: &Report) -> String {
    let sign = if report.verdict == Verdict::Passed { "✅" } else { "❌" };
    let mut text = format!("### {sign} onepane ci: {} {}\n\n", plain(&report.subject()), report.verdict.word());
    if let Verdict::NotRun(why) = &report.verdict {
        _ = writeln!(text, "{}\n", plain(why));
    }
    for (was, is) in &report.images {
        _ = writeln!(text, "- image {} in place of {}", code(is), code(was));
    }
    let phases: Vec<String> =
        report.phases.iter().map(|phase| format!("{} {:.1} s", phase.name, phase.seconds)).collect();
    if !phases.is_empty() {
        _ = writeln!(text, "- {}", phases.join(", "));
    }
    if report.is_kept {
        _ = writeln!(text, "- the environment is kept in the namespace {}", code(&report.namespace));
    }
    for left in &report.left {
        _ = writeln!(text, "- **left behind**: {}", code(left));
    }
    text.push('\n');
    if !report.tests.is_empty() {
        text += "| test | result | time |\n|---|---|---|\n";
        for test in &report.tests {
            let result =
                test.failure.as_deref().map_or_else(|| "passed".to_owned(), |why| format!("**failed**: {}", cell(why)));
            _ = writeln!(text, "| {} | {result} | {:.1} s |", cell(&test.name), test.seconds);
        }
        text.push('\n');
    }
    let cases: usize = report.suites.iter().map(|suite| suite.cases.len()).sum();
    if cases > 0 {
        _ = writeln!(text, "{cases} cases in files of JUnit, {} failed\n", report.failed_cases().count());
        for (name, said) in report.failed_cases().take(CASES) {
            _ = writeln!(text, "- {}: {}", code(&name), plain(said.lines().next().unwrap_or_default()));
        }
        text.push('\n');
    }
    for problem in &report.problems {
        _ = writeln!(text, "**{}**: {}\n", plain(&problem.object), plain(&problem.why));
        log(&mut text, &problem.log);
    }
    for test in report.tests.iter().filter(|test| test.failure.is_some() && !test.log.is_empty()) {
        _ = writeln!(text, "**{}** printed at last\n", plain(&test.name));
        log(&mut text, &test.log);
    }
    if report.verdict != Verdict::Passed {
        let unwell: Vec<&String> = report.pods.iter().filter(|pod| !pod.is_well).flat_map(|pod| &pod.lines).collect();
        details(&mut text, "Pods that are not well", &unwell);
        let skipped = report.events.len().saturating_sub(EVENTS);
        let events: Vec<&String> = report.events.iter().skip(skipped).collect();
        details(&mut text, "The last events", &events);
    }
    for note in &report.notes {
        _ = writeln!(text, "> {}\n", plain(note));
    }
    text
}

fn log(text: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        let last: Vec<&String> = lines.iter().skip(lines.len().saturating_sub(LINES)).collect();
        block(text, &last);
    }
}

fn details(text: &mut String, what: &str, lines: &[&String]) {
    if !lines.is_empty() {
        _ = writeln!(text, "<details><summary>{what}</summary>\n");
        block(text, lines);
        text.push_str("</details>\n\n");
    }
}

/// Lines between fences that none of them can end.
fn block(text: &mut String, lines: &[&String]) {
    let longest = lines.iter().map(|line| line.split(|c| c != '`').map(str::len).max().unwrap_or(0)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    _ = writeln!(text, "{fence}text");
    for line in lines {
        text.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
        text.push('\n');
    }
    _ = writeln!(text, "{fence}\n");
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n'], " "))
}

/// Text in a line, in which nothing is markup.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => plain.push(' '),
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            '*' | '_' | '`' | '[' | ']' | '#' | '|' | '\\' | '!' | '@' | '~' => {
                plain.push('\\');
                plain.push(c);
            }
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

fn cell(text: &str) -> String {
    plain(text)
}
