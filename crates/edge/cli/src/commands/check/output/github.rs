//! Annotations of GitHub Actions: commands that its runner reads from the output of a step.

use super::super::report::Report;
use super::remarks;
use onepane_diagnostics::Severity;

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    for told in &report.findings {
        let command = match told.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(span) = told.span() {
            properties.push(format!("file={}", property(span.file.path().as_str())));
            properties.push(format!("line={}", span.line));
            properties.push(format!("col={}", span.column));
        }
        properties.push(format!("title={}", property(told.diagnostic.code)));
        let message =
            std::iter::once(told.diagnostic.message.clone()).chain(remarks(told)).collect::<Vec<_>>().join("\n");
        text.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&message)));
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100%\na: b, c"), "100%25%0Aa: b, c");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
