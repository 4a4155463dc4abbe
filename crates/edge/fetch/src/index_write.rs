//! `repo index`: an index of the archives in a folder, in the bytes that Helm would write.

use crate::cache::Hash;
use crate::failure::{self, damaged, prefixed, refused};
use crate::index::{ChartVersion, Index};
use crate::ordered::{self, Fields, Ordered};
use crate::{address, archive, clock, write};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result};
use onepane_semver::Version;
use onepane_value::to_yaml;

/// What the index is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexFormat {
    /// YAML with sorted keys.
    Yaml,
    /// JSON, two spaces a level: `--json`.
    Json,
}

/// What to index.
#[derive(Clone, Debug)]
pub struct IndexRequest {
    /// The folder of archives; those in its folders are taken too, but none below.
    pub folder: Utf8PathBuf,
    /// `--url`: where the archives will lie; empty for addresses relative to the index.
    pub url: String,
    /// `--merge`: an index whose versions are taken over; it is made, empty, if it is not there.
    pub merge: Option<Utf8PathBuf>,
    /// How it is written.
    pub format: IndexFormat,
}

/// Writes `index.yaml` into the folder. What is no chart is passed over.
///
/// Errors: `fetch-file` for a folder that can't be read or written, `fetch-damaged` for an index to merge that is none.
pub fn write_index(request: &IndexRequest, warn: &mut dyn FnMut(Diagnostic)) -> Result<()> {
    let IndexRequest { folder, url, merge, format } = request;
    let mut index = index_of(folder, url)?;
    if let Some(path) = merge {
        if path.exists() {
            let other = Index::read(path, warn).map_err(|error| prefixed("merge failed: ", error))?;
            index.merge(other);
        } else {
            write::write(path, text(&empty(), *format)?.as_bytes(), 0o644)?;
        }
    }
    index.sort();
    write::write(&folder.join("index.yaml"), text(&index, *format)?.as_bytes(), 0o644)
}

fn empty() -> Index {
    Index { api_version: "v1".to_owned(), generated: clock::now(), ..Index::default() }
}

fn index_of(folder: &Utf8Path, url: &str) -> Result<Index> {
    let mut index = empty();
    for (below, name) in archives(folder)? {
        let path = folder.join(&below).join(&name);
        let Some(bytes) = write::read(&path, archive::LARGEST_ARCHIVE)? else { continue };
        let Ok(chart) = archive::load(&path, &bytes) else { continue };
        let metadata = (*chart.metadata).clone();
        let place = address::join(url, &below);
        let version = Version::parse(&metadata.version).map_err(|error| refused(error.to_string()))?;
        index.entries.entry(metadata.name.clone()).or_default().push(ChartVersion {
            urls: vec![if place.is_empty() { name } else { address::join(&place, &name) }],
            created: clock::now(),
            removed: false,
            digest: Hash::of(&bytes).as_str().to_owned(),
            version,
            metadata,
        });
    }
    Ok(index)
}

/// The archives of a folder and then those of the folders in it, as pairs of folder and name.
fn archives(folder: &Utf8Path) -> Result<Vec<(String, String)>> {
    let list = |path: &Utf8Path| -> std::io::Result<Vec<(String, bool)>> {
        let mut names = Vec::new();
        for entry in path.read_dir_utf8()? {
            let entry = entry?;
            names.push((entry.file_name().to_owned(), entry.path().is_dir()));
        }
        names.sort();
        Ok(names)
    };
    let failed = |path: &Utf8Path, error: std::io::Error| failure::io("can't read", path, &error);
    let is_archive = |(name, folder): &&(String, bool)| !folder && name.ends_with(".tgz");
    let top = list(folder).map_err(|error| failed(folder, error))?;
    let mut found: Vec<(String, String)> =
        top.iter().filter(is_archive).map(|(name, _)| (String::new(), name.clone())).collect();
    for (below, _) in top.iter().filter(|(_, folder)| *folder) {
        let path = folder.join(below);
        // A folder that may not be read has nothing to offer, as in Go's glob.
        let names = list(&path).unwrap_or_default();
        found.extend(names.iter().filter(is_archive).map(|(name, _)| (below.clone(), name.clone())));
    }
    Ok(found)
}

fn text(index: &Index, format: IndexFormat) -> Result<String> {
    let index = encode(index);
    match format {
        IndexFormat::Json => index.json(true),
        IndexFormat::Yaml => to_yaml(&index.value()).map(|text| text.to_str().into_owned()),
    }
    .map_err(damaged)
}

fn encode(index: &Index) -> Ordered {
    let mut fields = Fields::default();
    fields.always("apiVersion", Ordered::text(&index.api_version));
    fields.always("generated", Ordered::text(&time(&index.generated)));
    let entries = index
        .entries
        .iter()
        .map(|(name, versions)| (name.clone(), Ordered::List(versions.iter().map(version).collect())));
    fields.always("entries", Ordered::Object(entries.collect()));
    fields.texts("publicKeys", &index.public_keys);
    if !index.annotations.is_empty() {
        let entries = index.annotations.iter().map(|(key, value)| (key.clone(), Ordered::text(value)));
        fields.always("annotations", Ordered::Object(entries.collect()));
    }
    Ordered::Object(fields.0)
}

fn version(version: &ChartVersion) -> Ordered {
    let mut fields = ordered::metadata(&version.metadata);
    // A nil slice where there are none.
    let urls: Vec<Ordered> = version.urls.iter().map(|url| Ordered::text(url)).collect();
    let nothing = Ordered::Value(onepane_value::Value::NIL);
    fields.always("urls", if urls.is_empty() { nothing } else { Ordered::List(urls) });
    fields.always("created", Ordered::text(&time(&version.created)));
    fields.flag("removed", version.removed);
    fields.text("digest", &version.digest);
    Ordered::Object(fields.0)
}

fn time(text: &str) -> String {
    if text.is_empty() { "0001-01-01T00:00:00Z".to_owned() } else { clock::trimmed(text) }
}
