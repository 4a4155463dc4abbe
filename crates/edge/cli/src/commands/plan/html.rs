//! A plan as a page of its own, which needs nothing else: for an artefact of a pipeline.

use super::Plan;
use super::text::{counts, field_lines, groups, pin_lines, summary};
use crate::markup::escaped;
use onepane_plan::{Action, Change};
use std::fmt::Write;

/// How a page looks.
pub(crate) const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1c2024;background:#fff}\
details{border:1px solid #d5dae0;border-radius:6px;margin:1em 0;padding:.5em 1em}\
summary{cursor:pointer;font-weight:600}summary span{font-weight:400;color:#5b6570;margin-left:.6em}\
pre{margin:.2em 0 .2em 1.5em;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,monospace}\
.added{color:#116329}.removed{color:#a40e26}.changed{color:#7d4e00}.affected{color:#5b6570}\
.follows{margin:.1em 0 .1em 1.5em;color:#7d4e00}\
@media(prefers-color-scheme:dark){body{color:#d7dde3;background:#14181c}details{border-color:#39414a}\
.added{color:#56d364}.removed{color:#ff7b72}.changed,.follows{color:#e3b341}summary span,.affected{color:#97a2ad}}";

pub(super) fn of(plan: &Plan) -> String {
    let summary = summary(plan);
    let summary = escaped(summary.trim_end());
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>What changes</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>What \
         changes</h1>\n<p>{summary}</p>\n"
    );
    for (names, cluster) in groups(plan) {
        _ = writeln!(
            text,
            "<details open><summary>{}<span>{}</span></summary>",
            escaped(&names),
            escaped(&counts(cluster))
        );
        cluster.changes.iter().for_each(|change| write_change(&mut text, change));
        text += "</details>\n";
    }
    let pins: String = plan.pins.iter().map(pin_lines).collect();
    if !pins.is_empty() {
        _ = writeln!(text, "<h2>Services</h2>\n<pre>{}</pre>", escaped(&pins));
    }
    text + "</body>\n</html>\n"
}

/// One resource, and what happens to it.
pub(crate) fn write_change(text: &mut String, change: &Change) {
    let (class, from) = match &change.action {
        Action::Added => ("added", String::new()),
        Action::Removed => ("removed", String::new()),
        Action::Changed => ("changed", String::new()),
        Action::Replaced { from } => ("changed", format!(" in place of {from}")),
        Action::Affected => ("affected", String::new()),
    };
    let name = escaped(&format!("{}{from}", change.name));
    _ = writeln!(text, "<p class=\"{class}\"><b>{class}</b> {name}</p>");
    let lines: Vec<String> = change.fields.iter().flat_map(field_lines).collect();
    if !lines.is_empty() {
        _ = writeln!(text, "<pre>{}</pre>", escaped(&lines.join("\n")));
    }
    for consequence in &change.consequences {
        let (kind, what) = (consequence.kind.name(), escaped(&consequence.text));
        _ = writeln!(text, "<p class=\"follows\"><b>{kind}</b>: {what}</p>");
    }
}
