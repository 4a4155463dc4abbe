//! SARIF 2.1.0, as code scanning takes it.

use super::super::report::{Report, Told};
use super::remarks;
use onepane_diagnostics::Severity;
use onepane_rules::{RULES, Rule};
use serde_json::{Value, json};

pub(super) fn of(report: &Report) -> String {
    // Codes of builds have no rule of ours; they are rules of this run all the same.
    let mut codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let all = || report.findings.iter().chain(report.passed.iter().map(|passed| &passed.told));
    for told in all() {
        if !codes.contains(&told.diagnostic.code) {
            codes.push(told.diagnostic.code);
        }
    }
    let rule = |code: &&str| match onepane_rules::rule(code) {
        Some(Rule { summary, severity, is_on, .. }) => json!({
            "id": code,
            "shortDescription": {"text": summary},
            "defaultConfiguration": {"level": level(*severity), "enabled": is_on},
        }),
        None => json!({"id": code, "shortDescription": {"text": "what a build or a render says"}}),
    };
    let index = |told: &Told| codes.iter().position(|code| *code == told.diagnostic.code).unwrap_or(0);
    let mut results: Vec<Value> = report.findings.iter().map(|told| result(told, index(told))).collect();
    for passed in &report.passed {
        let mut value = result(&passed.told, index(&passed.told));
        value["suppressions"] = match &passed.reason {
            Some(reason) => json!([{"kind": "inSource", "justification": reason}]),
            None => json!([{"kind": "external", "justification": "in the baseline"}]),
        };
        results.push(value);
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "onepane",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(told: &Told, index: usize) -> Value {
    let diagnostic = &told.diagnostic;
    let mut text = diagnostic.message.clone();
    for remark in remarks(told) {
        text.push_str(&format!("\n{remark}"));
    }
    let mut value = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": level(diagnostic.severity),
        "message": {"text": text},
        "partialFingerprints": {"onepaneFinding/v1": fingerprint(told)},
        "properties": {"clusters": told.clusters},
    });
    if let Some(span) = told.span() {
        let mut region = json!({"startLine": span.line, "startColumn": span.column});
        if span.length > 0 {
            region["endColumn"] = json!(span.column + span.length);
        }
        let artifact = json!({"uri": uri(span.file.path().as_str()), "uriBaseId": "%SRCROOT%"});
        value["locations"] = json!([{"physicalLocation": {"artifactLocation": artifact, "region": region}}]);
    }
    value
}

fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// A path as a relative reference.
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'+' | b'@' => {
                text.push(char::from(byte))
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// The same for the same finding, wherever its line has moved to: FNV-1a of code, file and message.
fn fingerprint(told: &Told) -> String {
    let parts = [told.diagnostic.code, told.file(), &told.diagnostic.message];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.join("\0").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
