//! Packing a chart folder to an archive, as `file://` dependencies are.

use crate::archive;
use crate::failure::{damaged, refused};
use crate::lock_file;
use crate::ordered::{self, Ordered};
use crate::write;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, GzBuilder};
use onepane_chart::Chart;
use onepane_diagnostics::Result;
use onepane_value::to_yaml;
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
        let text = to_yaml(&Ordered::Object(ordered::metadata(&metadata).0).value()).map_err(damaged)?;
        self.file(&base, "Chart.yaml", text.as_bytes(), folder)?;
        if metadata.api_version == "v2"
            && let Some(bytes) = through_archives(&folder.join("Chart.lock"))?
        {
            let lock = lock_file::LockFile::parse(&bytes).map_err(damaged)?;
            self.file(&base, "Chart.lock", lock.text().map_err(damaged)?.as_bytes(), folder)?;
        }
        if let Some(bytes) = through_archives(&folder.join("values.yaml"))? {
            self.file(&base, "values.yaml", &bytes, folder)?;
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

/// Reads a file that may lie in an archive, or in one within one: `charts/a-1.0.0.tgz/values.yaml`.
fn through_archives(path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    if path.is_file() {
        return write::read(path, archive::LARGEST_ARCHIVE);
    }
    let Some(outer) = path.ancestors().find(|above| above.is_file()) else { return Ok(None) };
    let Some(mut bytes) = write::read(outer, archive::LARGEST_ARCHIVE)? else { return Ok(None) };
    let mut rest: Utf8PathBuf = path.strip_prefix(outer).unwrap_or(path).to_owned();
    loop {
        let entries = archive::unpack(&bytes, path.as_str())?;
        let Some(entry) = entries.into_iter().find(|entry| rest.starts_with(&entry.name)) else { return Ok(None) };
        let inner = rest.strip_prefix(&entry.name).map(Utf8Path::to_owned).unwrap_or_default();
        bytes = entry.bytes;
        if inner.as_str().is_empty() {
            return Ok(Some(bytes));
        }
        rest = inner;
    }
}
