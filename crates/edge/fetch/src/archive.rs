//! Archives of charts: checked before they are kept, read, and unpacked to a folder.

use crate::failure::{self, damaged, refused};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::MultiGzDecoder;
use onepane_chart::{Chart, Origins};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::MemoryWorld;
use std::io::Read;

/// How large an archive may be, in bytes, before it is unpacked.
pub(crate) const LARGEST_ARCHIVE: u64 = 128 << 20;

/// How large everything in it may be together, as in Helm.
const LARGEST_CHART: u64 = 100 << 20;

/// How many entries it may have.
const MOST_ENTRIES: usize = 100_000;

/// A file of an archive, its name without the chart's folder.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the chart in an archive, which `path` names in errors.
pub(crate) fn load(path: &Utf8Path, bytes: &[u8]) -> Result<Chart> {
    let world = MemoryWorld::new().with(path, bytes);
    onepane_chart::load(path, &world, Origins::Untracked, &mut |_| {})
}

/// The files of an archive, within the limits and the rules of Helm's reader: nothing may climb out.
///
/// Error: `fetch-damaged`; `source` names the archive.
pub(crate) fn unpack(bytes: &[u8], source: &str) -> Result<Vec<Entry>> {
    let refuse = |problem: String| {
        damaged(format!("{source}: {problem}")).hint("it is not a chart's archive as it was packed; nothing was kept")
    };
    let broken = |error: std::io::Error| refuse(format!("unable to load chart archive: {error}"));
    let too_large = || refuse(format!("decompressed chart is larger than the maximum size {LARGEST_CHART}"));
    if !bytes.starts_with(b"\x1F\x8B\x08") {
        return Err(refuse("does not appear to be a gzipped archive".to_owned()));
    }
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes).take(LARGEST_CHART * 2));
    let (mut entries, mut remaining, mut count) = (Vec::new(), LARGEST_CHART, 0);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > MOST_ENTRIES {
            return Err(refuse(format!("it has more than {MOST_ENTRIES} entries")));
        }
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || name.ends_with('/') || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = name_within(&name).map_err(|problem| refuse(problem.to_owned()))?;
        let size = entry.size();
        if size > remaining {
            return Err(too_large());
        }
        let mut contents = Vec::new();
        entry.by_ref().take(remaining).read_to_end(&mut contents).map_err(broken)?;
        remaining -= contents.len() as u64;
        if remaining == 0 {
            return Err(too_large());
        }
        if (contents.len() as u64) < size && kind.is_file() {
            return Err(refuse("unexpected EOF".to_owned()));
        }
        entries.push(Entry { name, bytes: contents });
    }
    // What stands behind the last entry is read as well, so that a cut in the checksum is seen.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(broken)?;
    if rest.limit() == 0 {
        return Err(too_large());
    }
    if entries.is_empty() {
        return Err(refuse("no files in chart archive".to_owned()));
    }
    Ok(entries)
}

/// The path of an entry within the chart, if it stays there.
fn name_within(entry: &str) -> Result<String, &'static str> {
    let entry = entry.replace('\\', "/");
    let (folder, rest) = entry.split_once('/').unwrap_or((&entry, ""));
    if rest.starts_with('/') {
        return Err("chart illegally contains absolute paths");
    }
    if folder == "Chart.yaml" {
        return Err("chart yaml not in base directory");
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() {
        return Err("chart illegally contains content outside the base directory");
    }
    if parts.contains(&"..") || folder == ".." {
        return Err("chart illegally references parent directory");
    }
    if parts[0].ends_with(':') || rest.contains('\0') {
        return Err("chart contains illegally named files");
    }
    Ok(parts.join("/"))
}

/// Unpacks an archive to a folder of the chart's name in `folder`, which it makes: first beside it under another name,
/// so that the chart is there as a whole or not at all. Gives the chart's folder.
///
/// Errors: those of [`unpack`], `fetch-refused` for a name that is none or is taken, `fetch-file`.
pub(crate) fn expand(bytes: &[u8], source: &str, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let entries = unpack(bytes, source)?;
    let name = load(Utf8Path::new("chart.tgz"), bytes)?.metadata.name.clone();
    let target = if folder == "." { Utf8PathBuf::from(&name) } else { folder.join(&name) };
    if target.symlink_metadata().is_ok() {
        return Err(taken(&target));
    }
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let temporary = tempfile::Builder::new().prefix(".onepane-").tempdir_in(folder)?;
        let inner = temporary.path().join("chart");
        for entry in &entries {
            let path = inner.join(&entry.name);
            std::fs::create_dir_all(path.parent().unwrap_or(&inner))?;
            std::fs::write(path, &entry.bytes)?;
        }
        std::fs::rename(&inner, &target)
    };
    write().map_err(|error| failure::io("failed to untar: can't write", &target, &error))?;
    Ok(target)
}

fn taken(path: &Utf8Path) -> Box<Diagnostic> {
    refused(format!("failed to untar: a file or directory with the name {path} already exists"))
        .hint("remove it, or give another folder: `--untardir`")
}
