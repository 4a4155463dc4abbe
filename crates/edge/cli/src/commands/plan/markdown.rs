//! A plan as a comment on a pull request.

use super::Plan;
use super::text::{counts, field_lines, groups, pin_lines, summary};
use onepane_plan::Action;
use std::fmt::Write;

pub(super) fn of(plan: &Plan) -> String {
    let mut text = format!("### What changes\n\n{}\n", escaped(summary(plan).trim_end()));
    let groups = groups(plan);
    if !groups.is_empty() {
        text += "\n| cluster | resources | what follows |\n|---|---|---|\n";
    }
    for (names, cluster) in &groups {
        let follows: Vec<String> = cluster
            .changes
            .iter()
            .flat_map(|change| change.consequences.iter().map(move |one| (change, one)))
            .map(|(change, one)| {
                format!("**{}** {}: {}", one.kind.name(), escaped(&change.name.to_string()), escaped(&one.text))
            })
            .collect();
        _ = writeln!(text, "| {} | {} | {} |", escaped(names), counts(cluster), follows.join("<br>"));
    }
    for (names, cluster) in &groups {
        let mut lines = String::new();
        for change in &cluster.changes {
            let sign = match change.action {
                Action::Added => '+',
                Action::Removed => '-',
                Action::Changed | Action::Replaced { .. } => '!',
                Action::Affected => ' ',
            };
            _ = writeln!(lines, "{sign} {}", change.name);
            for line in change.fields.iter().flat_map(field_lines) {
                // Signs of lines stand first, so that they are coloured.
                let sign =
                    line.trim_start().chars().next().filter(|sign| line.starts_with("  ") && "+-".contains(*sign));
                _ = writeln!(lines, "{}    {line}", sign.unwrap_or(' '));
            }
        }
        let fence = fence(&lines);
        _ = write!(
            text,
            "\n<details><summary>{}</summary>\n\n{fence}diff\n{lines}{fence}\n\n</details>\n",
            escaped(names)
        );
    }
    let pins: String = plan.pins.iter().map(pin_lines).collect();
    if !pins.is_empty() {
        let fence = fence(&pins);
        _ = write!(text, "\nServices:\n\n{fence}\n{pins}{fence}\n");
    }
    text
}

/// Longer than any row of backticks in what it encloses.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A text in which nothing is Markdown or HTML, on one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
