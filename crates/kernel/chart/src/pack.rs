//! A chart as the archive that `helm package` makes.

use crate::chart::Chart;
use flate2::{Compression, GzBuilder};
use std::io::Write;

/// The archive: Chart.yaml, Chart.lock, values, schema, templates, other files, and the same for each subchart.
///
/// `time` is what every file is dated, in seconds since 1970. The same chart gives the same bytes everywhere.
pub fn pack(chart: &Chart, time: u64) -> Result<Vec<u8>, String> {
    let gzip = GzBuilder::new().comment("Helm").write(Vec::new(), Compression::default());
    let mut archive = tar::Builder::new(gzip);
    add(&mut archive, chart, "", time)?;
    let gzip = archive.into_inner().map_err(|error| error.to_string())?;
    gzip.finish().map_err(|error| error.to_string())
}

fn add<W: Write>(archive: &mut tar::Builder<W>, chart: &Chart, parent: &str, time: u64) -> Result<(), String> {
    let name = chart.name();
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(format!("chart name {name:?} is invalid"));
    }
    let folder = format!("{parent}{name}");
    let mut file = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(time);
        header.set_size(bytes.len() as u64);
        let path = format!("{folder}/{name}");
        archive.append_data(&mut header, &path, bytes).map_err(|error| format!("{path}: {error}"))
    };
    let is_v1 = chart.metadata.api_version == "v1";
    let mut metadata = (*chart.metadata).clone();
    if is_v1 {
        // They stand in requirements.yaml.
        metadata.dependencies = None;
    }
    file("Chart.yaml", metadata.to_yaml()?.as_bytes())?;
    if let Some(lock) = chart.lock.as_ref().filter(|_| !is_v1) {
        file("Chart.lock", lock.bytes())?;
    }
    if let Some(values) = &chart.values_file {
        file("values.yaml", values.bytes())?;
    }
    if let Some(schema) = &chart.schema {
        serde_json::from_slice::<serde::de::IgnoredAny>(schema.bytes())
            .map_err(|_| "invalid JSON in values.schema.json")?;
        file("values.schema.json", schema.bytes())?;
    }
    for content in chart.templates.iter().chain(chart.files.iter()) {
        file(&content.name, content.bytes())?;
    }
    let charts = format!("{folder}/charts/");
    chart.dependencies.iter().try_for_each(|dependency| add(archive, dependency, &charts, time))
}
