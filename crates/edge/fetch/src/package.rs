//! Packing a chart folder to an archive, as `file://` dependencies are.

use crate::failure::{damaged, refused};
use crate::lock_file;
use crate::write;
use camino::Utf8Path;
use flate2::{Compression, GzBuilder};
use onepane_chart::Chart;
use onepane_diagnostics::Result;
use std::io::Write;
use std::time::SystemTime;

/// Helm's mark in the header of its archives.
const EXTRA: &[u8] = b"rr\x28\x00aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";

/// Packs the chart that was loaded from `folder`, subcharts unpacked, with what `.helmignore` leaves. Chart.yaml is
/// written anew, as Helm does. Entries carry their files' times, or `time` in seconds since 1970.
pub(crate) fn pack(chart: &Chart, folder: &Utf8Path, time: Option<u64>) -> Result<Vec<u8>> {
    let gzip = GzBuilder::new().extra(EXTRA).comment("Helm").write(Vec::new(), Compression::default());
    let mut packer = Packer { archive: tar::Builder::new(gzip), time };
    packer.chart(chart, folder, "")?;
    let full = |error: std::io::Error| damaged(format!("can't pack {folder}: {error}"));
    packer.archive.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(full)
}

struct Packer<W: Write> {
    archive: tar::Builder<W>,
    time: Option<u64>,
}

impl<W: Write> Packer<W> {
    fn chart(&mut self, chart: &Chart, folder: &Utf8Path, above: &str) -> Result<()> {
        let name = chart.name();
        if name.contains('/') {
            return Err(refused(format!("{name:?} is not a valid chart name")));
        }
        let base = format!("{above}{name}");
        let mut metadata = (*chart.metadata).clone();
        if metadata.api_version == "v1" {
            // They are in requirements.yaml.
            metadata.dependencies = None;
        }
        self.file(&base, "Chart.yaml", metadata.to_yaml().map_err(damaged)?.as_bytes(), folder)?;
        if metadata.api_version == "v2"
            && let Some(file) = &chart.lock
        {
            let lock = lock_file::LockFile::parse(file.bytes()).map_err(damaged)?;
            self.file(&base, "Chart.lock", lock.text().map_err(damaged)?.as_bytes(), folder)?;
        }
        if let Some(file) = &chart.values_file {
            self.file(&base, "values.yaml", file.bytes(), folder)?;
        }
        for file in chart.schema.iter().chain(chart.templates.iter()).chain(chart.files.iter()) {
            self.file(&base, &file.name, file.bytes(), folder)?;
        }
        for dependency in &chart.dependencies {
            let place = dependency.place.file.path();
            let folder = if place.file_name() == Some("Chart.yaml") { write::parent(place) } else { place };
            self.chart(dependency, folder, &format!("{base}/charts/"))?;
        }
        Ok(())
    }

    fn file(&mut self, base: &str, name: &str, bytes: &[u8], folder: &Utf8Path) -> Result<()> {
        let time = self.time.unwrap_or_else(|| {
            let modified = std::fs::metadata(folder.join(name)).and_then(|metadata| metadata.modified());
            let modified = modified.unwrap_or_else(|_| SystemTime::now());
            modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
        });
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_mtime(time);
        let path = format!("{base}/{name}");
        self.archive
            .append_data(&mut header, &path, bytes)
            .map_err(|error| damaged(format!("can't pack {path}: {error}")))
    }
}
