//! `helm get metadata`.

use super::command::{Arguments, Command};
use super::flags::Parsed;
use super::get::release;
use super::listing::{self, Format};
use super::release_flags::REVISION;
use super::release_output::structured;
use super::{Failure, print};
use onepane_release::Release;
use serde_json::{Map, Value};

pub(super) const COMMAND: Command = Command {
    path: &["get", "metadata"],
    aliases: &[],
    usage: "RELEASE_NAME",
    about: "print what is known about a release",
    flags: &[REVISION, listing::OUTPUT],
    arguments: Arguments::Exactly(1),
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let release = release(flags)?;
    let text = match format {
        Format::Table => for_people(&release),
        format => structured(&fields(&release), format)?,
    };
    print(text.as_bytes());
    Ok(())
}

fn deployed_at(release: &Release) -> String {
    release.info.last_deployed.as_ref().map_or("0001-01-01T00:00:00Z".to_owned(), |time| time.rfc3339())
}

fn metadata<'r>(release: &'r Release, name: &str) -> Option<&'r Value> {
    release.chart.get("metadata")?.get(name)
}

fn for_people(release: &Release) -> String {
    let annotations = metadata(release, "annotations").and_then(Value::as_object).into_iter().flatten();
    let mut annotations: Vec<String> =
        annotations.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    annotations.sort_unstable();
    let labels: Vec<String> = release.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let dependencies = metadata(release, "dependencies").and_then(Value::as_array).into_iter().flatten();
    let mut dependencies: Vec<&str> = dependencies.filter_map(|one| one.get("name")?.as_str()).collect();
    dependencies.sort_unstable();
    let method = match release.apply_method.as_str() {
        "" => "client-side apply (defaulted)".to_owned(),
        "csa" => "client-side apply".to_owned(),
        "ssa" => "server-side apply".to_owned(),
        other => format!("unknown ({other:?})"),
    };
    let chart = |name| release.chart_field(name).unwrap_or_default().to_owned();
    let lines = [
        ("NAME", release.name.clone()),
        ("CHART", chart("name")),
        ("VERSION", chart("version")),
        ("APP_VERSION", chart("appVersion")),
        ("ANNOTATIONS", annotations.join(",")),
        ("LABELS", labels.join(",")),
        ("DEPENDENCIES", dependencies.join(",")),
        ("NAMESPACE", release.namespace.clone()),
        ("REVISION", release.version.to_string()),
        ("STATUS", release.info.status.to_string()),
        ("DEPLOYED_AT", deployed_at(release)),
        ("APPLY_METHOD", method),
    ];
    lines.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn fields(release: &Release) -> Value {
    let chart = |name| Value::from(release.chart_field(name).unwrap_or_default());
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| _ = fields.insert(name.to_owned(), value);
    add("name", release.name.as_str().into());
    add("chart", chart("name"));
    add("version", chart("version"));
    add("appVersion", chart("appVersion"));
    if let Some(annotations) = metadata(release, "annotations") {
        add("annotations", annotations.clone());
    }
    if !release.labels.is_empty() {
        let labels = release.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
        add("labels", Value::Object(labels.collect()));
    }
    if let Some(dependencies) = metadata(release, "dependencies") {
        add("dependencies", dependencies.clone());
    }
    add("namespace", release.namespace.as_str().into());
    add("revision", release.version.into());
    add("status", release.info.status.name().into());
    add("deployedAt", deployed_at(release).into());
    if !release.apply_method.is_empty() {
        add("applyMethod", release.apply_method.as_str().into());
    }
    Value::Object(fields)
}
