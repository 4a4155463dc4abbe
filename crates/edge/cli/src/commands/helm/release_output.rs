//! What is printed of a release: [`text`].

use super::Failure;
use super::listing::Format;
use super::release_chart::computed;
use super::resource_tables::tables;
use onepane_release::{Hook, Release, go_json};
use onepane_value::{from_yaml, to_yaml};
use serde_json::Value as Json;

/// How much is printed of a release where it is printed for people.
#[derive(Clone, Copy, Default)]
pub(super) struct Detail {
    /// What the chart is.
    pub(super) shows_chart: bool,
    /// Values, hooks and manifests.
    pub(super) shows_all: bool,
    /// No notes.
    pub(super) hides_notes: bool,
}

/// A release as Helm prints it.
pub(super) fn text(release: &Release, format: Format, detail: Detail) -> Result<String, Failure> {
    match format {
        Format::Table => for_people(release, detail),
        _ => structured(&release.to_json(), format),
    }
}

/// Anything as a line of JSON, or as YAML with sorted keys.
pub(super) fn structured(json: &Json, format: Format) -> Result<String, Failure> {
    let line = go_json(json);
    match format {
        Format::Yaml => as_yaml(&line),
        _ => Ok(line + "\n"),
    }
}

fn as_yaml(json: &str) -> Result<String, Failure> {
    Ok(to_yaml(&from_yaml(json, None)?)?.to_str().into_owned())
}

fn for_people(release: &Release, detail: Detail) -> Result<String, Failure> {
    let info = &release.info;
    let mut out = format!("NAME: {}\n", release.name);
    if let Some(time) = &info.last_deployed {
        out += &format!("LAST DEPLOYED: {}\n", time.ansi());
    }
    out += &format!("NAMESPACE: {}\nSTATUS: {}\nREVISION: {}\n", release.namespace, info.status, release.version);
    if detail.shows_chart {
        let field = |name| release.chart_field(name).unwrap_or_default();
        let (name, version, app_version) = (field("name"), field("version"), field("appVersion"));
        out += &format!("CHART: {name}\nVERSION: {version}\nAPP_VERSION: {app_version}\n");
    }
    out += &format!("DESCRIPTION: {}\n", info.description);
    if let Some(resources) = info.resources.as_ref().and_then(Json::as_object).filter(|groups| !groups.is_empty()) {
        out += &format!("RESOURCES:\n{}\n", tables(resources));
    }
    let tests: Vec<&Hook> =
        release.hooks.iter().filter(|hook| hook.events.iter().any(|event| event == "test")).collect();
    if tests.is_empty() {
        out += "TEST SUITE: None\n";
    }
    for Hook { name, last_run, .. } in tests {
        let Some(started) = &last_run.started_at else { continue };
        // Go's zero time, where it has not ended.
        let completed = last_run.completed_at.as_ref().map_or("Mon Jan  1 00:00:00 0001".to_owned(), |it| it.ansi());
        let (started, phase) = (started.ansi(), &last_run.phase);
        out += &format!(
            "TEST SUITE:     {name}\nLast Started:   {started}\nLast Completed: {completed}\nPhase:          {phase}\n"
        );
    }
    if detail.shows_all {
        let given = if release.config.is_null() { "{}".to_owned() } else { go_json(&release.config) };
        out += &format!(
            "USER-SUPPLIED VALUES:\n{}\n",
            if release.config.is_null() { "null\n".to_owned() } else { as_yaml(&given)? }
        );
        let computed = computed(release, &mut |_| {})?;
        out += &format!("COMPUTED VALUES:\n{}\n", to_yaml(&computed.into())?.to_str());
    }
    if detail.shows_all || info.description.eq_ignore_ascii_case("Dry run complete") {
        out += "HOOKS:\n";
        for Hook { path, manifest, .. } in &release.hooks {
            out += &format!("---\n# Source: {path}\n{manifest}\n");
        }
        out += &format!("MANIFEST:\n{}\n", release.manifest);
    }
    if !detail.hides_notes && !info.notes.is_empty() {
        out += &format!("NOTES:\n{}\n", info.notes.trim());
    }
    Ok(out)
}

/// `name-1.0.0`, and the version of what is in the chart, as lists have them.
pub(super) fn chart_columns(release: &Release) -> (String, String) {
    match (release.chart_field("name"), release.chart_field("version"), release.chart_field("appVersion")) {
        (Some(name), Some(version), Some(app_version)) => (format!("{name}-{version}"), app_version.to_owned()),
        // Nobody knows how that comes about, but it has.
        _ => ("MISSING".to_owned(), "MISSING".to_owned()),
    }
}
