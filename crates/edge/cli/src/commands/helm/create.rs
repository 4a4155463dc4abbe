//! `helm create`: a chart to start from. Its files stand beside this source, in `scaffold/`.

use super::command::{Arguments, Command};
use super::env::settings;
use super::flags::{Flag, Kind, Parsed, short};
use super::{Failure, log, print};
use crate::atomic;
use camino::Utf8Path;
use onepane_chart::{Metadata, Origins, load, pack};
use onepane_world::normalize;

pub(super) const COMMAND: Command = Command {
    path: &["create"],
    aliases: &[],
    usage: "NAME",
    about: "make a new chart in a folder of its name",
    flags: &[FLAGS],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] =
    &[short('p', "starter", Kind::Text, "a chart to start from: its path, or its name below Helm's starters")];

/// What is put in place of the chart's name, as in Helm's starters.
const NAME: &str = "<CHARTNAME>";

const FILES: &[(&str, &str)] = &[
    (".helmignore", include_str!("scaffold/.helmignore")),
    ("Chart.yaml", include_str!("scaffold/Chart.yaml")),
    ("templates/NOTES.txt", include_str!("scaffold/templates/NOTES.txt")),
    ("templates/_helpers.tpl", include_str!("scaffold/templates/_helpers.tpl")),
    ("templates/deployment.yaml", include_str!("scaffold/templates/deployment.yaml")),
    ("templates/hpa.yaml", include_str!("scaffold/templates/hpa.yaml")),
    ("templates/httproute.yaml", include_str!("scaffold/templates/httproute.yaml")),
    ("templates/ingress.yaml", include_str!("scaffold/templates/ingress.yaml")),
    ("templates/service.yaml", include_str!("scaffold/templates/service.yaml")),
    ("templates/serviceaccount.yaml", include_str!("scaffold/templates/serviceaccount.yaml")),
    ("templates/tests/test-connection.yaml", include_str!("scaffold/templates/tests/test-connection.yaml")),
    ("values.yaml", include_str!("scaffold/values.yaml")),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let folder = Utf8Path::new(&flags.arguments[0]);
    let name = folder.file_name().unwrap_or_default();
    print(format!("Creating {}\n", flags.arguments[0]).as_bytes());
    if name.is_empty() || name.len() > 250 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err("chart name must be at most 250 letters, digits, dots, dashes and underscores".to_owned().into());
    }
    if let Some(starter) = flags.text("starter").filter(|starter| !starter.is_empty()) {
        return from_starter(flags, starter, name, folder);
    }
    for (path, text) in FILES {
        let path = folder.join(path);
        if path.exists() {
            eprintln!("WARNING: File {:?} already exists. Overwriting.", path.as_str());
        }
        atomic::write(&path, text.replace(NAME, name).as_bytes())?;
    }
    let charts = folder.join("charts");
    std::fs::create_dir_all(&charts).map_err(|error| format!("{charts} can't be made: {error}"))?;
    Ok(())
}

/// The starter's files with the new name in its places and a Chart.yaml of its own; subcharts become archives.
fn from_starter(flags: &Parsed, starter: &str, name: &str, folder: &Utf8Path) -> Result<(), Failure> {
    let world = super::world()?;
    let data = settings(flags, &world).remove("HELM_DATA_HOME").unwrap_or_default();
    // A starter of an absolute path replaces the folder of starters.
    let starter = normalize(&Utf8Path::new(&data).join("starters").join(starter));
    let warn = &mut |warning: onepane_diagnostics::Diagnostic| log(warning.severity, &warning.message);
    let chart = load(&starter, &world, Origins::Untracked, warn).map_err(|mut error| {
        error.message.insert_str(0, &format!("could not load {starter}: "));
        error
    })?;
    let metadata = Metadata {
        api_version: "v2".to_owned(),
        name: name.to_owned(),
        description: format!("{name} on Kubernetes"),
        kind: "application".to_owned(),
        version: "0.1.0".to_owned(),
        app_version: "0.1.0".to_owned(),
        ..Metadata::default()
    };
    atomic::write(&folder.join("Chart.yaml"), metadata.to_yaml()?.as_bytes())?;
    for file in chart.values_file.iter().chain(chart.templates.iter()) {
        let named = std::str::from_utf8(file.bytes()).map(|text| text.replace(NAME, name).into_bytes());
        atomic::write(&folder.join(&*file.name), &named.unwrap_or_else(|_| file.bytes().to_vec()))?;
    }
    for file in chart.schema.iter().chain(chart.files.iter()) {
        atomic::write(&folder.join(&*file.name), file.bytes())?;
    }
    for subchart in &chart.dependencies {
        let archive = format!("charts/{}-{}.tgz", subchart.name(), subchart.metadata.version);
        atomic::write(&folder.join(archive), &pack(subchart, 0)?)?;
    }
    Ok(())
}
