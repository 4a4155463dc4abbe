//! [`render`]: from a chart and values to manifests.

use crate::capabilities::Capabilities;
use crate::chart_files::ChartFiles;
use crate::failure::{execution_error, parse_error};
use crate::manifest::{Hook, Manifest, sort};
use crate::release::Release;
use onepane_chart::{Chart, File, Origins, coalesce_values, is_compatible, process_dependencies, validate};
use onepane_diagnostics::{Diagnostic, Span};
use onepane_functions::helm;
use onepane_template::{Host, MissingKey, Options, Templates};
use onepane_value::{Data, Map, MapType, Text, Value};
use onepane_world::World;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How a chart is rendered.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// What `.Release` says.
    pub release: Release,
    /// What `.Capabilities` says.
    pub capabilities: Capabilities,
    /// Whether values are held against the charts' schemas.
    pub schemas: Schemas,
    /// Whether the manifests' text remembers where it came from.
    pub origins: Origins,
}

/// Whether values are held against `values.schema.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schemas {
    /// They are.
    #[default]
    Checked,
    /// They are not.
    Skipped,
}

/// What a render gives.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The release's manifests in install order.
    pub manifests: Vec<Manifest>,
    /// Hooks in install order.
    pub hooks: Vec<Hook>,
    /// The charts' `crds/`, with the paths that Helm prints.
    pub crds: Vec<(String, File)>,
    /// What the root chart's NOTES.txt says.
    pub notes: Option<Text>,
}

/// Why there is no result.
#[derive(Debug)]
pub struct RenderError {
    /// The finding; its message is Helm's text.
    pub diagnostic: Box<Diagnostic>,
    /// How far it got.
    pub stage: Stage,
    /// Where a manifest is no YAML: what was rendered, by path, for `--debug`.
    pub rendered: Vec<(Rc<str>, Text)>,
}

/// How far a render got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Dependencies, values or their schema are wrong.
    Values,
    /// The templates or what they print are wrong; Helm then points at `--debug`.
    Templates,
}

/// Renders `chart` with what the user gave over its defaults.
///
/// `warn` takes what Helm only warns of. A render keeps to its thread; run it on one with a large stack, because
/// templates nest as deep as Go's.
pub fn render(
    mut chart: Chart,
    given: &Map,
    options: &RenderOptions,
    world: &dyn World,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Rendered, RenderError> {
    let early = |diagnostic| RenderError { diagnostic, stage: Stage::Values, rendered: Vec::new() };
    process_dependencies(&mut chart, given, warn).map_err(|mut error| {
        error.message.insert_str(0, "chart dependencies processing failed: ");
        early(error)
    })?;
    let values = coalesce_values(&chart, given, warn).map_err(early)?;
    if options.schemas == Schemas::Checked {
        validate(&chart, &values).map_err(early)?;
    }
    let late = |diagnostic| RenderError { diagnostic, stage: Stage::Templates, rendered: Vec::new() };
    let wanted = &chart.metadata.kube_version;
    if !wanted.is_empty() && !is_compatible(wanted, options.capabilities.kube_version()) {
        let version = options.capabilities.full_kube_version();
        let message = format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}");
        return Err(late(Diagnostic::error("chart-kube-version", message).at(chart.place)));
    }
    // Templates may change their values; those that coalescing shares must not change with them.
    let Data::Map(values) = Value::from(values).deep_copy().data else { return Ok(Rendered::default()) };

    let mut plan = Plan { templates: BTreeMap::new(), options, top: Top::new(options) };
    plan.add(&chart, "", &Parent::None(values));
    let (files, notes) = plan.run(chart.name(), world).map_err(late)?;
    let (manifests, hooks) = match sort(&files) {
        Ok(sorted) => sorted,
        Err(bad) => {
            let diagnostic = Diagnostic::error("manifest-syntax", bad.message);
            let place = files.iter().find(|(source, _)| *source == bad.source);
            let place = place.and_then(|(_, text)| text.marks()?.at(0).span());
            let diagnostic = match place {
                Some(place) => diagnostic.at(place),
                None => diagnostic,
            };
            return Err(RenderError { diagnostic, stage: Stage::Templates, rendered: files });
        }
    };
    Ok(Rendered { manifests, hooks, crds: chart.crds(), notes })
}

/// What all charts see alike.
struct Top {
    release: Value,
    capabilities: Value,
}

impl Top {
    fn new(options: &RenderOptions) -> Self {
        Self { release: options.release.to_map().into(), capabilities: options.capabilities.to_value() }
    }
}

/// Where a chart's values come from.
enum Parent<'a> {
    /// It is the root: these are its values.
    None(Map),
    /// They are a table of the parent's.
    Values(&'a Map),
}

/// A template and the data of its chart.
struct Template {
    file: File,
    data: Map,
    base_path: Rc<str>,
}

/// All templates, by the paths that Helm names them by.
struct Plan<'a> {
    templates: BTreeMap<String, Template>,
    options: &'a RenderOptions,
    top: Top,
}

impl Plan<'_> {
    /// Adds the templates of `chart` and of those below it; gives the data that its templates see.
    fn add(&mut self, chart: &Chart, parent_path: &str, parent: &Parent<'_>) -> Map {
        let path = chart.path_below(parent_path);
        let values = match parent {
            Parent::None(values) => values.clone(),
            Parent::Values(values) => table(values, chart.name()).unwrap_or_default(),
        };
        let metadata = chart.metadata.to_map();
        metadata.insert("IsRoot", matches!(parent, Parent::None(_)).into());
        let files = ChartFiles::new(&chart.files, self.options.origins == Origins::Tracked);
        let subcharts = Map::new();
        let data = Map::from_iter([
            ("Chart", Value::from(metadata)),
            ("Files", Value::object(files)),
            ("Release", self.top.release.clone()),
            ("Capabilities", self.top.capabilities.clone()),
            ("Values", values.declared_as(MapType::Values).into()),
            ("Subcharts", subcharts.clone().into()),
        ]);
        for subchart in &chart.dependencies {
            let inner = self.add(subchart, &path, &Parent::Values(&values));
            subcharts.insert(subchart.name(), inner.into());
        }
        let base_path: Rc<str> = format!("{path}/templates").into();
        for file in chart.templates.iter() {
            // A library only lends what it defines.
            if chart.is_library() && !is_partial(&file.name) {
                continue;
            }
            let template = Template { file: file.clone(), data: data.clone(), base_path: base_path.clone() };
            self.templates.insert(format!("{path}/{}", file.name), template);
        }
        data
    }

    /// Parses all templates, runs those that are no partials, and puts what they print in the order of their paths.
    /// NOTES.txt is kept apart; of several, the root chart's counts.
    fn run(self, root: &str, world: &dyn World) -> Result<(Vec<(Rc<str>, Text)>, Option<Text>), Box<Diagnostic>> {
        let tracked = self.options.origins == Origins::Tracked;
        let options =
            Options { missing_key: MissingKey::Zero, origins: tracked, set_name: "gotpl", ..Options::default() };
        let mut templates = Templates::new(Rc::new(helm()), options);
        let mut order: Vec<(&String, &Template)> = self.templates.iter().collect();
        // Deeply nested files first, so that what a parent chart defines wins over its subcharts' definitions.
        let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
        order.sort_by_cached_key(|(path, _)| std::cmp::Reverse((depth(path), *path)));
        for (path, template) in &order {
            let text = String::from_utf8_lossy(template.file.bytes());
            templates.parse(path, Some(template.file.id), &text).map_err(|error| {
                let message = parse_error(path, &error.message);
                let mut diagnostic = error.into_diagnostic("template-syntax");
                diagnostic.message = message;
                or_at(diagnostic, template.file.place())
            })?;
        }
        let host = Offline;
        let notes_path = format!("{root}/templates/NOTES.txt");
        let mut notes = None;
        let mut files: Vec<(Rc<str>, Text)> = Vec::with_capacity(order.len());
        for (path, template) in &order {
            if is_partial(path) {
                continue;
            }
            let about = Map::from_iter([
                ("Name", Value::string(path.as_str())),
                ("BasePath", Value::string(&*template.base_path)),
            ]);
            template.data.insert("Template", about.declared_as(MapType::Values).into());
            let data = Value::from(template.data.declared_as(MapType::Values));
            let text = templates.execute(path, &data, world, &host).map_err(|error| {
                let message = execution_error(&error.message);
                let mut diagnostic = error.into_diagnostic("template-execution");
                diagnostic.message = message;
                or_at(diagnostic, template.file.place())
            })?;
            let text = onepane_template::without_no_value(text);
            if path.ends_with("NOTES.txt") {
                if **path == notes_path {
                    notes = Some(text);
                }
                continue;
            }
            files.push((path.as_str().into(), text));
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok((files, notes))
    }
}

/// The table at a chart's name, whose dots part levels as in any path of values.
fn table(values: &Map, name: &str) -> Option<Map> {
    name.split('.').try_fold(values.clone(), |table, key| match table.get(key)?.data {
        Data::Map(map) => Some(map),
        _ => None,
    })
}

fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

fn or_at(diagnostic: Box<Diagnostic>, place: Span) -> Box<Diagnostic> {
    if diagnostic.primary.is_some() { diagnostic } else { diagnostic.at(place) }
}

/// No cluster, no network, no linter.
pub(crate) struct Offline;

impl Host for Offline {
    fn lookup(&self, _api_version: &str, _kind: &str, _namespace: &str, _name: &str) -> Result<Value, String> {
        Ok(Map::new().into())
    }

    fn resolve(&self, _host: &str) -> String {
        String::new()
    }

    fn lenient(&self) -> bool {
        false
    }
}
