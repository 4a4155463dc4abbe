//! JUnit's XML: a case a finding, and one for each rule that finds nothing.

use super::super::Level;
use super::super::report::{Report, Told};
use super::remarks;
use onepane_rules::RULES;

pub(super) fn of(report: &Report, fail_on: Level) -> String {
    let mut cases = String::new();
    let (mut count, mut failures) = (0, 0);
    for told in &report.findings {
        count += 1;
        let is_failure = told.counts && fail_on.is_reached(told.severity());
        failures += usize::from(is_failure);
        let body = std::iter::once(told.diagnostic.message.clone()).chain(remarks(told)).collect::<Vec<_>>().join("\n");
        let inner = match is_failure {
            true => format!(
                "<failure message=\"{}\" type=\"{}\">{}</failure>",
                escaped(&told.diagnostic.message),
                told.diagnostic.code,
                escaped(&body)
            ),
            false => format!("<system-out>{}</system-out>", escaped(&body)),
        };
        cases.push_str(&case(told, &inner));
    }
    for passed in &report.passed {
        count += 1;
        let why = passed.reason.as_deref().unwrap_or("in the baseline");
        cases.push_str(&case(&passed.told, &format!("<skipped message=\"{}\"/>", escaped(why))));
    }
    let has_some = |code: &str| {
        report
            .findings
            .iter()
            .chain(report.passed.iter().map(|passed| &passed.told))
            .any(|told| told.diagnostic.code == code)
    };
    for rule in RULES.iter().filter(|rule| report.selection.has(rule.code) && !has_some(rule.code)) {
        count += 1;
        cases.push_str(&format!("    <testcase classname=\"rules\" name=\"{}\"/>\n", rule.code));
    }
    let skipped = report.passed.len();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"onepane check\" tests=\"{count}\" \
         failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(told: &Told, inner: &str) -> String {
    let line = told.span().map_or(0, |span| span.line);
    let file = escaped(told.file());
    let name = format!("{} at {file}:{line}", told.diagnostic.code);
    format!("    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\">{inner}</testcase>\n")
}

fn escaped(text: &str) -> String {
    // XML has no other control characters.
    let is_foreign = |character: char| character.is_control() && !matches!(character, '\t' | '\n');
    crate::markup::escaped(&text.replace(is_foreign, "\u{fffd}")).replace('\n', "&#10;")
}
