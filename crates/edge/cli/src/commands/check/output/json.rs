//! For programs.

use super::super::report::{Report, Told};
use onepane_diagnostics::{Span, render_json};
use serde_json::{Value, json};

pub(super) fn of(report: &Report) -> String {
    let of_values = |counts: bool| -> Vec<Value> {
        let unread =
            report.findings.iter().filter(|told| told.diagnostic.code == "values-unread" && told.counts == counts);
        unread.map(|told| render_json(&told.diagnostic)).collect()
    };
    let suppressed = report.passed.iter().map(|passed| {
        let mut value = finding(&passed.told);
        value["reason"] = json!(passed.reason);
        value["by"] = json!(if passed.reason.is_some() { "source" } else { "baseline" });
        value
    });
    let clusters = report.clusters.iter().map(|(name, count)| json!({"name": name, "resources": count}));
    let report = json!({
        "charts": report.charts,
        "files": report.files,
        "beyond": report.beyond,
        "given": of_values(true),
        "charts_own": of_values(false),
        "clusters": clusters.collect::<Vec<_>>(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "fixed": report.fixed.iter().map(finding).collect::<Vec<_>>(),
        "suppressed": suppressed.collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn finding(told: &Told) -> Value {
    let place = |span: Span| json!({"file": span.file.path().as_str(), "line": span.line, "column": span.column});
    let mut value = render_json(&told.diagnostic);
    value["clusters"] = json!(told.clusters);
    value["rendered"] = json!(told.rendered.map(place));
    value["fixable"] = json!(told.fix.is_some());
    value
}
