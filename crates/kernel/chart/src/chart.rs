//! A chart in memory: [`Chart`] and its [`File`]s.

use crate::Metadata;
use onepane_diagnostics::{FileId, Span};
use onepane_value::{Map, utf8_lossy};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// A chart and the charts it depends on.
///
/// Cloning shares files and values. Values are never changed in place: whoever computes others puts a new map there.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Chart.yaml, and the dependencies that requirements.yaml adds in charts of API version v1.
    pub metadata: Rc<Metadata>,
    /// Where Chart.yaml stands, for findings about the chart as a whole.
    pub place: Span,
    /// The files below `templates/`, in the order they were read.
    pub templates: Rc<[File]>,
    /// What `.Files` shows, `crds/` included.
    pub files: Rc<[File]>,
    /// The defaults of values.yaml.
    pub values: Map,
    /// values.yaml as it is.
    pub values_file: Option<File>,
    /// Chart.lock.
    pub lock: Option<File>,
    /// values.schema.json.
    pub schema: Option<File>,
    /// The subcharts below `charts/`, or the enabled ones once dependencies were processed.
    pub dependencies: Vec<Chart>,
}

impl Chart {
    /// The name, or the alias that a parent gave.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only lends named templates.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// The manifests below `crds/` of this chart and then of those it depends on, with the path that Helm prints.
    pub fn crds(&self) -> Vec<(String, File)> {
        let mut found = Vec::new();
        self.collect_crds("", &mut found);
        found
    }

    fn collect_crds(&self, parent: &str, found: &mut Vec<(String, File)>) {
        let path = self.path_below(parent);
        let is_manifest = |name: &str| [".yaml", ".yml", ".json"].iter().any(|extension| name.ends_with(extension));
        for file in self.files.iter().filter(|file| file.name.starts_with("crds/") && is_manifest(&file.name)) {
            found.push((format!("{path}/{}", file.name), file.clone()));
        }
        for dependency in &self.dependencies {
            dependency.collect_crds(&path, found);
        }
    }

    /// The path that names this chart's templates: `parent/charts/name`, or the bare name of a root.
    pub fn path_below(&self, parent: &str) -> String {
        if parent.is_empty() { self.name().to_owned() } else { format!("{parent}/charts/{}", self.name()) }
    }
}

/// The contents of a file, shared between threads.
#[derive(Clone, Debug)]
pub struct SharedBytes {
    bytes: Arc<[u8]>,
    start: usize,
}

impl SharedBytes {
    /// All of the bytes that were read, and where the contents start in them.
    pub fn whole(&self) -> (&Arc<[u8]>, usize) {
        (&self.bytes, self.start)
    }
}

impl std::ops::Deref for SharedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// A file of a chart.
#[derive(Clone, Debug)]
pub struct File {
    /// The path within the chart: `templates/service.yaml`.
    pub name: Rc<str>,
    /// The path that findings and origins name.
    pub id: FileId,
    bytes: SharedBytes,
}

impl File {
    /// A file `name` of a chart, read from `id`; a leading byte order mark is dropped, as Helm does.
    pub fn new(name: &str, id: FileId, bytes: Arc<[u8]>) -> Self {
        let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        Self { name: name.into(), id, bytes: SharedBytes { bytes, start } }
    }

    /// The contents.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The contents as UTF-8, with U+FFFD where they are not.
    pub fn text(&self) -> Cow<'_, str> {
        utf8_lossy(&self.bytes)
    }

    /// The contents, to be kept by another thread.
    pub fn shared(&self) -> SharedBytes {
        self.bytes.clone()
    }

    /// The first line, where findings about the file as a whole point.
    pub fn place(&self) -> Span {
        Span::new(self.id, 1, 1)
    }
}
