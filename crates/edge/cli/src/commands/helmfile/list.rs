//! `helmfile list`

use super::session::Session;
use super::{Failure, print};
use crate::commands::helm::table;
use crate::commands::pflag::{Flag, Kind, Parsed, flag};
use onepane_helmfile::Release;
use serde_json::json;

pub(super) const FLAGS: &[Flag] = &[
    flag("keep-temp-dir", Kind::Bool, "no effect here"),
    flag("output", Kind::Text, "json"),
    flag("skip-charts", Kind::Bool, "no effect here: charts are not looked at"),
];

pub(super) fn run(flags: &Parsed) -> Result<(), Failure> {
    let mut session = Session::open(flags)?;
    let mut states = std::mem::take(&mut session.states);
    let mut releases: Vec<&Release> = Vec::new();
    for state in &mut states {
        state.lock_versions(&session.world)?;
    }
    for state in &states {
        releases.extend(state.listed()?);
    }
    session.check_selected(!releases.is_empty(), flags)?;
    releases.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    let labels = |release: &Release| {
        release.labels.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(",")
    };
    if flags.text("output") == Some("json") {
        let described = releases.iter().map(|release| {
            json!({
                "name": release.name,
                "namespace": release.namespace,
                "enabled": release.enabled,
                "installed": release.desired,
                "labels": labels(release),
                "chart": release.own_chart.clone(),
                "version": release.version,
            })
        });
        return print(&format!("{}\n", serde_json::Value::from_iter(described)));
    }
    let head = ["NAME", "NAMESPACE", "ENABLED", "INSTALLED", "LABELS", "CHART", "VERSION"].map(str::to_owned);
    let rows = releases.iter().map(|release| {
        [
            release.name.clone(),
            release.namespace.clone(),
            release.enabled.to_string(),
            release.desired.to_string(),
            labels(release),
            release.own_chart.clone(),
            release.version.clone(),
        ]
    });
    let rows: Vec<[String; 7]> = [head].into_iter().chain(rows).collect();
    print(&trimmed(&table(&rows, 0)))
}

/// Lines without space at their ends.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end_matches([' ', '\t']))).collect()
}
