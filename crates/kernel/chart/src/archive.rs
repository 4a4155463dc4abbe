//! Packaged charts: gzipped tar archives, unpacked in memory within Helm's limits.

use crate::load::{Begun, LooseFile};
use camino::Utf8Path;
use flate2::read::MultiGzDecoder;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use std::io::Read;

/// The size of everything in an archive or a chart folder, as in Helm.
pub(crate) const LARGEST_CHART: u64 = 100 << 20;

/// How many entries an archive may have: headers of empty files cost memory that no size limit counts.
const MOST_ENTRIES: usize = 100_000;

/// Whether `bytes` start as gzip does.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1F\x8B\x08")
}

/// The files of the archive `bytes`, which was read from `path`; the first component of their names, the chart's
/// folder, is taken off.
pub(crate) fn unpack(path: &Utf8Path, bytes: &[u8]) -> Result<Vec<LooseFile>> {
    let refuse = |message: String| Diagnostic::error("chart-archive", message).at(Span::file(path));
    let damaged = |error: std::io::Error| refuse(format!("unable to load chart archive: {error}"));
    let too_large = || refuse(format!("decompressed chart is larger than the maximum size {LARGEST_CHART}"));
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes).take(LARGEST_CHART * 2));
    let mut files = Vec::new();
    let mut remaining = LARGEST_CHART;
    let mut count = 0;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        count += 1;
        if count > MOST_ENTRIES {
            return Err(refuse(format!("chart archive has more than {MOST_ENTRIES} entries")));
        }
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || name.ends_with('/') || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = name_within(&name).map_err(refuse)?;
        let size = entry.size();
        if size > remaining {
            return Err(too_large());
        }
        // Links have no contents of their own: like Helm, they become empty files and lead nowhere.
        let mut contents = Vec::with_capacity(size.min(1 << 20) as usize);
        entry.by_ref().take(remaining).read_to_end(&mut contents).map_err(damaged)?;
        remaining -= contents.len() as u64;
        if (contents.len() as u64) < size && kind.is_file() || remaining == 0 {
            return Err(too_large());
        }
        let id = FileId::new(path.join(&name));
        files.push(LooseFile { name, id, bytes: contents.into(), begun: Begun::Nothing });
    }
    if files.is_empty() {
        return Err(refuse("no files in chart archive".to_owned()));
    }
    Ok(files)
}

/// The path of an entry within the chart, if it stays there.
fn name_within(entry: &str) -> Result<String, String> {
    // Windows archives have backslashes throughout.
    let delimiter = if entry.contains('\\') { '\\' } else { '/' };
    let (folder, rest) = entry.split_once(delimiter).unwrap_or((entry, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err("chart illegally contains absolute paths".to_owned());
    }
    let name = clean(&rest);
    if name == "." {
        return Err(format!("chart illegally contains content outside the base directory: {entry:?}"));
    }
    if name.starts_with("..") {
        return Err("chart illegally references parent directory".to_owned());
    }
    let mut start = name.bytes();
    if start.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && start.next() == Some(b':')
        && start.next() == Some(b'/')
    {
        return Err("chart contains illegally named files".to_owned());
    }
    if folder == "Chart.yaml" {
        return Err("chart yaml not in base directory".to_owned());
    }
    Ok(name)
}

/// Go's `path.Clean` of a relative path.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, contents) in entries {
            let mut header = tar::Header::new_gnu();
            let raw = name.as_bytes();
            header.as_mut_bytes()[..raw.len()].copy_from_slice(raw);
            header.set_size(contents.len() as u64);
            header.set_cksum();
            builder.append(&header, *contents).expect("memory takes everything");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("memory takes everything")
    }

    #[test]
    fn entries_lose_the_chart_folder() {
        let bytes = packed(&[("c/Chart.yaml", b"name: c"), ("c/templates/./a.yaml", b"")]);
        let files = unpack("c.tgz".into(), &bytes).expect("the archive is good");
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["Chart.yaml", "templates/a.yaml"]);
        assert_eq!(files[0].id.path(), "c.tgz/Chart.yaml");
    }

    #[test]
    fn what_leaves_the_chart_is_refused() {
        let cases = [
            ("c/../../x", "chart illegally references parent directory"),
            ("c//etc/passwd", "chart illegally contains absolute paths"),
            ("Chart.yaml", "chart illegally contains content outside the base directory: \"Chart.yaml\""),
            ("c/c:/x", "chart contains illegally named files"),
            ("Chart.yaml/x", "chart yaml not in base directory"),
        ];
        for (name, wanted) in cases {
            let error = unpack("c.tgz".into(), &packed(&[(name, b"x")])).expect_err(name);
            assert_eq!(error.message, wanted, "{name}");
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let mut header = tar::Header::new_gnu();
        header.set_path("c/big").expect("the path is short");
        header.set_size(LARGEST_CHART + 1);
        header.set_cksum();
        encoder.write_all(header.as_bytes()).expect("memory takes everything");
        let bytes = encoder.finish().expect("memory takes everything");
        let error = unpack("c.tgz".into(), &bytes).expect_err("it is too large");
        assert_eq!(error.message, "decompressed chart is larger than the maximum size 104857600");
    }
}
