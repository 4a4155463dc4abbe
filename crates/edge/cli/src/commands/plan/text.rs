//! A plan for people.

use super::{ClusterPlan, PinChange, Plan};
use onepane_git::short;
use onepane_plan::{Action, Change, ConsequenceKind, FieldChange};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Colours, or nothing in their place.
#[derive(Clone, Copy, Default)]
struct Colors {
    bold: &'static str,
    green: &'static str,
    red: &'static str,
    yellow: &'static str,
    plain: &'static str,
}

/// The plan: clusters to which the same happens together, then pins, then a line that sums up.
pub(super) fn of(plan: &Plan, color: bool) -> String {
    let colors = if color {
        Colors { bold: "\x1b[1m", green: "\x1b[32m", red: "\x1b[31m", yellow: "\x1b[33m", plain: "\x1b[0m" }
    } else {
        Colors::default()
    };
    let mut text = String::new();
    for (names, cluster) in groups(plan) {
        let Colors { bold, plain, .. } = colors;
        _ = writeln!(text, "{bold}{names}{plain}  {}", counts(cluster));
        cluster.changes.iter().for_each(|change| write_change(&mut text, change, colors));
        text.push('\n');
    }
    for pin in &plan.pins {
        text += &pin_lines(pin);
    }
    if !plan.pins.is_empty() {
        text.push('\n');
    }
    text + &summary(plan)
}

/// Clusters that change, those to which the same happens in one row: their names, and one of them.
pub(super) fn groups(plan: &Plan) -> Vec<(String, &ClusterPlan)> {
    let mut groups: Vec<(Vec<&str>, &ClusterPlan)> = Vec::new();
    for cluster in plan.clusters.iter().filter(|cluster| !cluster.changes.is_empty()) {
        match groups.iter_mut().find(|(_, other)| other.changes == cluster.changes) {
            Some((names, _)) => names.push(cluster.unit.as_str()),
            None => groups.push((vec![cluster.unit.as_str()], cluster)),
        }
    }
    groups.into_iter().map(|(names, cluster)| (names.join(", "), cluster)).collect()
}

/// `1 added, 2 changed`
pub(super) fn counts(cluster: &ClusterPlan) -> String {
    let count = |is: fn(&Action) -> bool| cluster.changes.iter().filter(|change| is(&change.action)).count();
    let counts = [
        (count(|action| *action == Action::Added), "added"),
        (count(|action| matches!(action, Action::Changed | Action::Replaced { .. })), "changed"),
        (count(|action| *action == Action::Removed), "removed"),
        (count(|action| *action == Action::Affected), "affected"),
        (cluster.folded, "with other labels only"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

fn write_change(text: &mut String, change: &Change, colors: Colors) {
    let Colors { green, red, yellow, plain, .. } = colors;
    let (color, sign) = match &change.action {
        Action::Added => (green, '+'),
        Action::Removed => (red, '-'),
        Action::Changed | Action::Replaced { .. } => (yellow, '~'),
        Action::Affected => (plain, '!'),
    };
    let from = match &change.action {
        Action::Replaced { from } => format!(" in place of {from}"),
        _ => String::new(),
    };
    _ = writeln!(text, "  {color}{sign}{plain} {}{from}", change.name);
    for field in &change.fields {
        field_lines(field).iter().for_each(|line| _ = writeln!(text, "      {line}"));
    }
    for consequence in &change.consequences {
        _ = writeln!(text, "      {yellow}! {}: {}{plain}", consequence.kind.name(), consequence.text);
    }
}

/// A field as one line, or as lines with signs where its text has many.
pub(crate) fn field_lines(field: &FieldChange) -> Vec<String> {
    let path = &field.path;
    if field.is_hidden {
        let what = match (&field.before, &field.after) {
            (None, _) => "is added",
            (_, None) => "is removed",
            _ => "differs",
        };
        return vec![format!("{path}: {what} (secret)")];
    }
    match (&field.before, &field.after) {
        (Some(Value::String(before)), Some(Value::String(after))) if before.contains('\n') || after.contains('\n') => {
            let mut lines = vec![format!("{path}:")];
            lines.extend(line_difference(before, after));
            lines
        }
        (Some(before), Some(after)) => vec![format!("{path}: {} → {}", shown(before), shown(after))],
        (None, Some(after)) => vec![format!("{path}: + {}", shown(after))],
        (Some(before), None) => vec![format!("{path}: - {}", shown(before))],
        (None, None) => Vec::new(),
    }
}

/// A value on one line.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).collect::<String>() + " …" }
}

/// The lines that differ, with one before and one behind.
fn line_difference(before: &str, after: &str) -> Vec<String> {
    const MOST: usize = 40;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
    let end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut lines: Vec<String> = Vec::new();
    let context = |at: Option<&&str>, lines: &mut Vec<String>| lines.extend(at.map(|line| format!("    {line}")));
    context(start.checked_sub(1).and_then(|at| before.get(at)), &mut lines);
    for (sign, all) in [('-', &before), ('+', &after)] {
        let differing = &all[start..all.len() - end];
        lines.extend(differing.iter().take(MOST).map(|line| format!("  {sign} {line}")));
        if differing.len() > MOST {
            lines.push(format!("  {sign} … {} more lines", differing.len() - MOST));
        }
    }
    context(after.get(after.len() - end), &mut lines);
    lines
}

/// A pin and the commits that came with it.
pub(crate) fn pin_lines(pin: &PinChange) -> String {
    let commit = |commit: &Option<String>| commit.as_deref().map_or("nothing", short).to_owned();
    let mut text = format!("{}  {} → {}", pin.path, commit(&pin.from), commit(&pin.to));
    let Some(range) = &pin.range else { return text + "\n" };
    let count = range.ahead.len() + range.unlisted;
    text += &match (count, range.goes_back) {
        (0, true) => "  goes back".to_owned(),
        (count, true) => format!("  {count} commits of another line"),
        (1, false) => "  1 commit".to_owned(),
        (count, false) => format!("  {count} commits"),
    };
    text.push('\n');
    for commit in &range.ahead {
        _ = writeln!(text, "    {} {}", commit.short(), commit.title);
    }
    if range.unlisted > 0 {
        _ = writeln!(text, "    … {} more", range.unlisted);
    }
    text
}

/// `main → the files on disk: 2 of 4 clusters change; restart 2, image 2`
pub(super) fn summary(plan: &Plan) -> String {
    let changed = plan.clusters.iter().filter(|cluster| !cluster.changes.is_empty()).count();
    let mut kinds: BTreeMap<ConsequenceKind, usize> = BTreeMap::new();
    for consequence in plan.clusters.iter().flat_map(|cluster| &cluster.changes).flat_map(|change| &change.consequences)
    {
        *kinds.entry(consequence.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    let follows = if kinds.is_empty() { String::new() } else { format!("; follows: {}", kinds.join(", ")) };
    let note =
        if changed == 0 { " (charts and their values count once `onepane render` has rendered them)" } else { "" };
    let total = plan.clusters.len();
    format!("{} → {}: {changed} of {total} clusters change{follows}{note}\n", plan.from, plan.to)
}
