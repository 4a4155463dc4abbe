//! From files to a [`Chart`].

use crate::archive;
use crate::chart::{Chart, File};
use crate::compat::Compat;
use crate::folder::{self, unreadable};
use crate::metadata::Metadata;
use crate::values_file::parse_values_as;
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, FileId, Result, Span, Step};
use onepane_parallel::{Ahead, Pending};
use onepane_value::{Map, Value, from_yaml, from_yaml_as_go};
use onepane_world::{EntryKind, World};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Whether values remember where they came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// They do: `why` can tell their story.
    Tracked,
    /// They do, and text knows what decided on it besides: what depends on a line can be told.
    Complete,
    /// They don't, which is a little faster.
    #[default]
    Untracked,
}

/// How a chart is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Whether its values remember where they came from.
    pub origins: Origins,
    /// Whose rules it is read by.
    pub compat: Compat,
    /// Whether its API version may be any: Helm's linter has a rule of its own for it.
    pub any_version: bool,
}

impl Origins {
    /// Whether values remember anything.
    pub fn are_tracked(self) -> bool {
        self != Self::Untracked
    }
}

impl From<Origins> for LoadOptions {
    /// As Helm 4 reads charts.
    fn from(origins: Origins) -> Self {
        Self { origins, ..Self::default() }
    }
}

/// How deep charts may nest: Helm has no limit but the file system's.
const DEEPEST: usize = 64;

/// A file of a chart under its name there.
#[derive(Debug)]
pub(crate) struct LooseFile {
    pub(crate) name: String,
    pub(crate) id: FileId,
    pub(crate) bytes: Arc<[u8]>,
    /// What others do with it already.
    pub(crate) begun: Begun,
}

/// What was begun with a file as soon as it was read.
#[derive(Debug, Default)]
pub(crate) enum Begun {
    #[default]
    Nothing,
    /// It is a template, and was told of.
    Template,
    /// It is an archive, and was given away.
    Archive(Unpacked),
}

/// Reads the chart at `path`, a folder or a `.tgz` archive, with its subcharts.
///
/// `warn` takes what Helm only warns of. The error's message is Helm's own text.
pub fn load(
    path: &Utf8Path,
    world: &dyn World,
    options: impl Into<LoadOptions>,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Chart> {
    load_early(path, world, options, &Ahead::default(), &mut |_| {}, warn)
}

/// [`load`], which lets others begin with what they need of a chart while the rest is read: archives are unpacked by
/// `ahead`, and `found` sees every template, be it of a chart that turns out to be disabled.
pub fn load_early(
    path: &Utf8Path,
    world: &dyn World,
    options: impl Into<LoadOptions>,
    ahead: &Ahead,
    found: &mut dyn FnMut(&File),
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Chart> {
    let LoadOptions { origins, compat, any_version } = options.into();
    let mut loader = Loader { origins, compat, ahead, any_version, found, warn };
    let files = match world.kind(path) {
        Some(EntryKind::Folder) => {
            let place = path.join("Chart.yaml");
            if world.kind(&place) != Some(EntryKind::File) {
                let message = if compat == Compat::Helm3 || any_version {
                    "Chart.yaml file is missing".to_owned()
                } else {
                    format!("unable to detect chart at {place}: open {place}: no such file or directory")
                };
                return Err(Diagnostic::error("chart-missing", message).at(Span::file(path)));
            }
            // While the rest of the folder is read, others may be busy with what is there.
            folder::collect(path, world, &mut |file| {
                if is_template(&file.name) {
                    (loader.found)(&file_of(file));
                    file.begun = Begun::Template;
                } else if is_packed_subchart(file) {
                    file.begun = Begun::Archive(loader.unpack_early(file));
                }
            })?
        }
        _ => {
            let bytes = world.read(path).map_err(|error| unreadable(&error))?;
            if !archive::is_archive(&bytes) {
                let message = if path.as_str().ends_with(".yaml") || path.as_str().ends_with(".yml") {
                    format!("file '{path}' seems to be a YAML file, but expected a gzipped archive")
                } else {
                    format!("file '{path}' does not appear to be a gzipped archive")
                };
                return Err(Diagnostic::error("chart-archive", message).at(Span::file(path)));
            }
            archive::unpack(path, &bytes)?
        }
    };
    loader.assemble(files, Span::file(path), 0)
}

/// The files of an archive by their names within the chart, within Helm's limits.
pub fn unpack(path: &Utf8Path, bytes: &[u8]) -> Result<Vec<(String, Arc<[u8]>)>> {
    Ok(archive::unpack(path, bytes)?.into_iter().map(|file| (file.name, file.bytes)).collect())
}

/// An archive that another thread may be unpacking.
pub(crate) type Unpacked = Pending<Result<Vec<LooseFile>>>;

/// How many times as much work a byte of an archive is as one of a text.
const UNPACKING: usize = 4;

struct Loader<'w> {
    origins: Origins,
    compat: Compat,
    ahead: &'w Ahead,
    any_version: bool,
    found: &'w mut dyn FnMut(&File),
    warn: &'w mut dyn FnMut(Diagnostic),
}

impl Loader<'_> {
    fn assemble(&mut self, mut files: Vec<LooseFile>, place: Span, depth: usize) -> Result<Chart> {
        if depth > DEEPEST {
            return Err(Diagnostic::error("chart-depth", format!("charts nest deeper than {DEEPEST}")).at(place));
        }
        let mut unpacked: BTreeMap<String, Unpacked> = BTreeMap::new();
        for file in files.iter_mut().filter(|file| is_packed_subchart(file)) {
            let pending = match std::mem::take(&mut file.begun) {
                Begun::Archive(pending) => pending,
                _ => self.unpack_early(file),
            };
            unpacked.insert(file.name["charts/".len()..].to_owned(), pending);
        }
        let templates: Vec<File> =
            files.iter().filter(|file| file.name.starts_with("templates/")).map(file_of).collect();
        let files_of_templates = files.iter().filter(|file| file.name.starts_with("templates/"));
        for (file, template) in files_of_templates.zip(&templates) {
            if !matches!(file.begun, Begun::Template) {
                (self.found)(template);
            }
        }
        let mut metadata = None;
        let mut place = place;
        // Only the outermost chart's API version is checked, as in Helm.
        let checks_version = depth == 0 && !self.any_version;
        for file in files.iter().filter(|file| file.name == "Chart.yaml") {
            let is_first = metadata.is_none();
            let metadata: &mut Metadata = metadata.get_or_insert_default();
            place = Span::new(file.id, 1, 1);
            decode(&file_of(file), metadata, "Chart.yaml", self.origins)?;
            if checks_version && is_first {
                check_version(&metadata.api_version).map_err(|error| error.at(place))?;
            }
            if metadata.api_version.is_empty() {
                metadata.api_version = "v1".to_owned();
            }
        }
        if checks_version && metadata.is_none() {
            let message = "unable to detect chart version, no Chart.yaml found";
            return Err(Diagnostic::error("chart-missing", message).at(place));
        }
        let mut values = Map::new();
        let (mut schema, mut values_file, mut lock) = (None, None, None);
        let mut others = Vec::new();
        let mut subcharts: BTreeMap<String, Vec<LooseFile>> = BTreeMap::new();
        for file in files {
            match file.name.as_str() {
                "Chart.yaml" => {}
                name if name.starts_with("templates/") => {}
                "Chart.lock" => {
                    let file = file_of(&file);
                    yaml(&file, "Chart.lock", Origins::Untracked)?;
                    lock = Some(file);
                }
                "values.yaml" => {
                    let file = file_of(&file);
                    let tracked = (self.origins.are_tracked()).then_some((Step::ChartDefaults, file.id));
                    values = parse_values_as(self.compat, file.bytes(), tracked).map_err(|mut error| {
                        if let Some(label) = &mut error.primary {
                            label.span.file = file.id;
                        }
                        prefixed(error, "cannot load values.yaml: ").or_at(file.place())
                    })?;
                    values_file = Some(file);
                }
                "values.schema.json" => schema = Some(file_of(&file)),
                "requirements.yaml" => {
                    let metadata: &mut Metadata = metadata.get_or_insert_default();
                    decode(&file_of(&file), metadata, "requirements.yaml", self.origins)?;
                    if metadata.api_version == "v1" {
                        others.push(file_of(&file));
                    } else {
                        let message = "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We \
                                       recommend migrating dependencies to Chart.yaml.";
                        (self.warn)(*Diagnostic::warning("chart-requirements", message).at(Span::new(file.id, 1, 1)));
                    }
                }
                "requirements.lock" => {
                    let file = file_of(&file);
                    yaml(&file, "requirements.lock", Origins::Untracked)?;
                    if metadata.as_ref().is_some_and(|metadata| metadata.api_version == "v1") {
                        others.push(file);
                    }
                }
                name if name.starts_with("charts/") && !name.ends_with(".prov") => {
                    let name = name["charts/".len()..].to_owned();
                    let chart = name.split('/').next().unwrap_or_default().to_owned();
                    subcharts.entry(chart).or_default().push(LooseFile { name, ..file });
                }
                _ => others.push(file_of(&file)),
            }
        }
        let Some(mut metadata) = metadata else {
            return Err(Diagnostic::error("chart-missing", "Chart.yaml file is missing").at(place));
        };
        metadata.validate().map_err(|message| Diagnostic::error("chart-metadata", message).at(place))?;
        let mut dependencies = Vec::new();
        for (name, files) in subcharts {
            if name.starts_with(['_', '.']) {
                continue;
            }
            let subchart = self.subchart(&name, files, unpacked.remove(&name), place, depth + 1).map_err(|error| {
                prefixed(error, &format!("error unpacking subchart {name} in {}: ", metadata.name)).or_at(place)
            })?;
            dependencies.push(subchart);
        }
        Ok(Chart {
            metadata: Rc::new(metadata),
            place,
            templates: templates.into(),
            files: others.into(),
            values,
            values_file,
            lock,
            schema,
            dependencies,
        })
    }

    /// Gives an archive away.
    fn unpack_early(&self, file: &LooseFile) -> Unpacked {
        let (id, bytes) = (file.id, file.bytes.clone());
        self.ahead.give(file.bytes.len() * UNPACKING, move || archive::unpack(id.path(), &bytes))
    }

    fn subchart(
        &mut self,
        name: &str,
        files: Vec<LooseFile>,
        unpacked: Option<Unpacked>,
        place: Span,
        depth: usize,
    ) -> Result<Chart> {
        if name.ends_with(".tgz") {
            let Some(archive) = files.first().filter(|file| file.name == name) else {
                let found = files.first().map_or("", |file| &file.name);
                return Err(Diagnostic::error("chart-archive", format!("expected {name}, got {found}")).at(place));
            };
            if !archive::is_archive(&archive.bytes) {
                return Err(Diagnostic::error("chart-archive", "gzip: invalid header").at(Span::new(archive.id, 1, 1)));
            }
            let files = match unpacked {
                Some(pending) => pending.wait()?,
                None => archive::unpack(archive.id.path(), &archive.bytes)?,
            };
            return self.assemble(files, Span::new(archive.id, 1, 1), depth);
        }
        // A file that lies in charts/ by itself, a README perhaps, is a chart without any files.
        let files = files.into_iter().filter_map(|file| {
            let (_, rest) = file.name.split_once('/')?;
            Some(LooseFile { name: rest.to_owned(), ..file })
        });
        self.assemble(files.collect(), place, depth)
    }
}

fn check_version(version: &str) -> Result<()> {
    let refusal = match version {
        "" | "v1" | "v2" => return Ok(()),
        "v3" => "invalid chart apiVersion",
        _ => "unsupported chart version",
    };
    Err(Diagnostic::error("chart-version", refusal))
}

/// Whether a file of a chart is an archive in its `charts/`.
fn is_packed_subchart(file: &LooseFile) -> bool {
    let name = file.name.strip_prefix("charts/");
    name.is_some_and(|name| name.ends_with(".tgz") && !name.contains('/')) && archive::is_archive(&file.bytes)
}

/// Whether a file of a chart folder is a template of the chart, or of a chart that lies in its `charts/` as a folder.
fn is_template(mut name: &str) -> bool {
    while let Some((_, inner)) = name.strip_prefix("charts/").and_then(|rest| rest.split_once('/')) {
        name = inner;
    }
    name.starts_with("templates/")
}

fn file_of(file: &LooseFile) -> File {
    File::new(&file.name, file.id, file.bytes.clone())
}

fn decode(file: &File, metadata: &mut Metadata, name: &str, origins: Origins) -> Result<()> {
    let document = yaml(file, name, origins)?;
    metadata.decode(&document).map_err(|message| {
        Diagnostic::error("chart-metadata", format!("cannot load {name}: {message}")).at(file.place())
    })
}

fn yaml(file: &File, name: &str, origins: Origins) -> Result<Value> {
    let text = file.text();
    from_yaml(&text, origins.are_tracked().then_some((file.id, Step::ChartMetadata))).map_err(|mut error| {
        // Without a file the reader knows lines but not whose.
        if let Some(label) = &mut error.primary {
            label.span.file = file.id;
        }
        let words = from_yaml_as_go(&text).err().unwrap_or_else(|| std::mem::take(&mut error.message));
        error.message = format!("cannot load {name}: {words}");
        error.or_at(file.place())
    })
}

/// The same finding with more in front of its message.
pub(crate) fn prefixed(mut error: Box<Diagnostic>, prefix: &str) -> Box<Diagnostic> {
    error.message.insert_str(0, prefix);
    error
}

/// Findings that get a place where they have none.
pub(crate) trait OrAt {
    /// Points at `span` unless it points somewhere already.
    fn or_at(self, span: Span) -> Self;
}

impl OrAt for Box<Diagnostic> {
    fn or_at(self, span: Span) -> Self {
        if self.primary.is_some() { self } else { self.at(span) }
    }
}
