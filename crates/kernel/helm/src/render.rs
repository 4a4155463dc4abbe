//! [`render`]: from a chart and values to manifests.

use crate::capabilities::Capabilities;
use crate::chart_files::ChartFiles;
use crate::early::{Early, EarlyTemplate};
use crate::explain::Explanation;
use crate::failure::{execution_error, parse_error};
use crate::manifest::{Cut, Hook, Manifest, cut_early, sort};
use crate::release::Release;
use onepane_chart::{
    Chart, Compat, File, Origins, Switch, Validation, coalesce_values, is_compatible, process_dependencies,
};
use onepane_diagnostics::{Diagnostic, Origin, Span};
use onepane_functions::HELM;
use onepane_template::{Demand, Host, MissingKey, NamedTemplate, Offline, Options, Parsed, Templates};
use onepane_value::{Data, Map, MapType, Text, Value};
use onepane_world::World;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

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
    /// Whose results are wanted.
    pub compat: Compat,
    /// Whether the error of a template is to tell all about the values it is of, and then what was merged into them,
    /// in words: the files and flags. Asks for origins; made for rendering once more what has failed.
    pub explain: Option<Vec<String>>,
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
    /// What the NOTES.txt of all charts say, in the order of their paths.
    pub all_notes: Vec<Text>,
    /// What decided on which text each template prints, by its path, where that was asked for; of a subchart that prints
    /// nothing, by its folder.
    pub decisions: Vec<(Rc<str>, Origin)>,
}

/// What templates printed.
struct Printed {
    files: Files,
    /// What the root chart's NOTES.txt says.
    notes: Option<Text>,
    all_notes: Vec<Text>,
    decisions: Vec<(Rc<str>, Origin)>,
}

/// What switches a subchart decides on whatever its templates print.
fn add_switches(switches: &[Switch], chart: &str, paths: &[&str], decisions: &mut Vec<(Rc<str>, Origin)>) {
    for Switch { folder, value } in switches {
        let folder = format!("{chart}/{folder}");
        let is_its = |path: &str| path.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
        let before = decisions.len();
        let printed = paths.iter().filter(|path| is_its(path));
        decisions.extend(printed.map(|path| (Rc::from(*path), value.clone())));
        if decisions.len() == before {
            decisions.push((folder.into(), value.clone()));
        }
    }
}

/// What templates printed, by path.
pub(crate) type Files = Vec<(Rc<str>, Text)>;

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

/// The code of findings about templates that failed while they ran.
pub const TEMPLATE_FAILED: &str = "template-execution";

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
/// `early` is what [`Early::load`] has begun with; a new one will do for a chart that was loaded otherwise. `warn` takes
/// what Helm only warns of. But for what it gives away, a render keeps to its thread; run it on one with a large stack,
/// because templates nest as deep as Go's.
pub fn render(
    chart: Chart,
    given: &Map,
    options: &RenderOptions,
    world: &dyn World,
    early: Early,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Rendered, RenderError> {
    render_within(chart, given, options, Surroundings::default(), world, early, warn)
}

/// What a post-renderer of Helm 4's does with a stream of documents.
pub type PostRender<'a> = &'a dyn Fn(String) -> Result<Vec<u8>, String>;

/// What a render may reach beyond files, where the user wants it to.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What `lookup` and the like ask.
    pub host: &'a dyn Host,
    /// What all that the templates print goes through before it is sorted.
    pub post_render: Option<PostRender<'a>>,
    /// Whether the user is warned if the chart brings CRDs: a cluster that is asked may not have them yet.
    pub warns_of_crds: bool,
    /// What the caller does when it has the result.
    pub afterwards: Afterwards,
}

/// What comes after a render.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Afterwards {
    /// Something else.
    #[default]
    GoesOn,
    /// The process ends. Charts, values and templates are not taken apart then: the system takes all of the memory back
    /// at once.
    Ends,
}

impl Afterwards {
    fn let_go<T>(self, value: T) {
        match self {
            Self::GoesOn => drop(value),
            Self::Ends => std::mem::forget(value),
        }
    }
}

impl Default for Surroundings<'_> {
    /// No cluster, no post-renderer.
    fn default() -> Self {
        Self { host: &Offline, post_render: None, warns_of_crds: false, afterwards: Afterwards::GoesOn }
    }
}

/// [`render`], with what surrounds it.
pub fn render_within(
    mut chart: Chart,
    given: &Map,
    options: &RenderOptions,
    Surroundings { host, post_render, warns_of_crds, afterwards }: Surroundings<'_>,
    world: &dyn World,
    mut early: Early,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<Rendered, RenderError> {
    let in_values = |diagnostic| RenderError { diagnostic, stage: Stage::Values, rendered: Vec::new() };
    let switches = process_dependencies(&mut chart, given, options.compat, warn).map_err(|mut error| {
        error.message.insert_str(0, "chart dependencies processing failed: ");
        in_values(error)
    })?;
    if warns_of_crds && !chart.crds().is_empty() {
        let message = "This chart or one of its subcharts contains CRDs. Rendering may fail or contain inaccuracies.";
        warn(*Diagnostic::warning("chart-crds", message));
    }
    let values = coalesce_values(&chart, given, options.compat, warn).map_err(in_values)?;
    let validation =
        (options.schemas == Schemas::Checked).then(|| Validation::start(&chart, &values, early.ahead.helper()));
    // Templates may change their values; those that coalescing shares must not change with them.
    let Data::Map(values) = Value::from(values).deep_copy().data else { return Ok(Rendered::default()) };

    let secrets = options.origins.are_tracked() && Value::from(given.clone()).secret().is_some();
    let mut plan = Plan { templates: BTreeMap::new(), options, top: Top::new(options), explanation: None, secrets };
    let data = plan.add(&chart, "", &Parent::None(values));
    let explanation = options.explain.as_ref().map(|sources| Explanation::new(&chart, given, sources, &data));
    plan.explanation = explanation.map(RefCell::new);
    // Manifests' heads are read while values are held against their schemas; a post-renderer sees only what is good.
    let printed = plan.parse(&mut early).and_then(|templates| {
        let printed = plan.print(&templates, &early, chart.name(), post_render.is_none(), world, host);
        afterwards.let_go(templates);
        printed
    });
    let printed = printed.map_err(late);
    // What is wrong with the values is said first, and what is wrong with the templates last.
    validation.map_or(Ok(()), Validation::finish).map_err(in_values)?;
    let wanted = &chart.metadata.kube_version;
    if !wanted.is_empty() && !is_compatible(wanted, options.capabilities.kube_version()) {
        let version = options.capabilities.full_kube_version();
        let message = format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}");
        return Err(late(Diagnostic::error("chart-kube-version", message).at(chart.place)));
    }
    let (Printed { mut files, notes, all_notes, mut decisions }, mut cut) = printed?;
    if options.origins == Origins::Complete {
        let crds = chart.crds();
        let paths = files.iter().map(|(path, _)| &**path).chain(crds.iter().map(|(path, _)| path.as_str()));
        add_switches(&switches, chart.name(), &paths.collect::<Vec<_>>(), &mut decisions);
    }
    if let Some(post_render) = post_render {
        files = crate::post_render::post_render(&files, post_render)
            .map_err(|message| late(Diagnostic::error("post-render", message)))?;
        cut = files.iter().flat_map(|(path, text)| cut_early(&early.ahead, path, text, options.compat)).collect();
    }
    match sort(cut, options.compat) {
        Ok((manifests, hooks)) => {
            let crds = chart.crds();
            afterwards.let_go(plan);
            afterwards.let_go((chart, early));
            Ok(Rendered { manifests, hooks, crds, notes, all_notes, decisions })
        }
        Err(bad) => {
            let diagnostic = Diagnostic::error("manifest-syntax", bad.message);
            let place = files.iter().find(|(source, _)| *source == bad.source);
            let place = place.and_then(|(_, text)| text.origin_at(0).span());
            let diagnostic = match place {
                Some(place) => diagnostic.at(place),
                None => diagnostic,
            };
            Err(RenderError { rendered: files, ..late(diagnostic) })
        }
    }
}

/// What the templates of `chart` print, by path, with `required` and `fail` letting everything pass, of which `tell` is
/// told: what `helm lint` looks at. `None` where Helm's linter gives up without a word.
pub(crate) fn render_leniently(
    chart: &mut Chart,
    given: &Map,
    options: &RenderOptions,
    world: &dyn World,
    tell: &dyn Fn(Demand, &Text),
) -> Option<Result<Files, String>> {
    process_dependencies(chart, given, options.compat, &mut |_| {}).ok()?;
    // Helm's linter coalesces twice, which tells for nulls of subcharts.
    let values = coalesce_values(chart, given, options.compat, &mut |_| {}).ok()?;
    let values = coalesce_values(chart, &values, options.compat, &mut |_| {}).ok()?;
    if options.schemas == Schemas::Checked
        && let Err(error) = Validation::start(chart, &values, || ()).finish()
    {
        return Some(Err(error.message));
    }
    let Data::Map(values) = Value::from(values).deep_copy().data else { return None };
    let top = Top::new(options);
    let mut plan = Plan { templates: BTreeMap::new(), options, top, explanation: None, secrets: false };
    plan.add(chart, "", &Parent::None(values));
    let printed = plan.parse(&mut Early::new(options.origins));
    let printed =
        printed.and_then(|templates| plan.run(&templates, chart.name(), world, &Lenient(tell), &mut |_, _| {}));
    Some(printed.map(|printed| printed.files).map_err(|error| error.message))
}

/// The surroundings of templates that are linted.
struct Lenient<'a>(&'a dyn Fn(Demand, &Text));

impl Host for Lenient<'_> {
    fn passes(&self, demand: Demand, message: &Text) -> bool {
        (self.0)(demand, message);
        true
    }
}

fn late(diagnostic: Box<Diagnostic>) -> RenderError {
    RenderError { diagnostic, stage: Stage::Templates, rendered: Vec::new() }
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
    explanation: Option<RefCell<Explanation<'a>>>,
    /// Whether there are secrets among the values.
    secrets: bool,
}

impl Plan<'_> {
    /// Adds the templates of `chart` and of those below it; gives the data that its templates see.
    fn add(&mut self, chart: &Chart, parent_path: &str, parent: &Parent<'_>) -> Map {
        let path = chart.path_below(parent_path);
        let values = match parent {
            Parent::None(values) => values.clone(),
            Parent::Values(values) => table(values, chart.name()).unwrap_or_default(),
        };
        let is_root = matches!(parent, Parent::None(_));
        let metadata = match self.options.compat {
            Compat::Helm4 => {
                let metadata = chart.metadata.to_map();
                metadata.insert("IsRoot", is_root.into());
                Value::from(metadata)
            }
            Compat::Helm3 => chart.metadata.to_struct(is_root),
        };
        let files = ChartFiles::new(&chart.files, self.options.origins.are_tracked());
        let subcharts = Map::new();
        let data = Map::from_iter([
            ("Chart", metadata),
            ("Files", Value::object(files)),
            ("Release", self.top.release.clone()),
            ("Capabilities", self.top.capabilities.clone()),
            ("Values", values.declared_as(self.map_type()).into()),
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

    fn map_type(&self) -> MapType {
        match self.options.compat {
            Compat::Helm4 => MapType::Values,
            Compat::Helm3 => MapType::ValuesOfHelm3,
        }
    }

    /// The templates as they are parsed: deeply nested files first, so that what a parent chart defines wins over its
    /// subcharts' definitions.
    fn order(&self) -> Vec<(&String, &Template)> {
        let mut order: Vec<(&String, &Template)> = self.templates.iter().collect();
        let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
        order.sort_by_cached_key(|(path, _)| std::cmp::Reverse((depth(path), *path)));
        order
    }

    fn parse(&self, early: &mut Early) -> Result<Templates, Box<Diagnostic>> {
        enum Waited {
            Shared(Arc<NamedTemplate>),
            Parsed(Option<Box<Parsed>>),
        }
        let origins = self.options.origins.are_tracked();
        let absences = self.explanation.is_some();
        let options = Options {
            missing_key: MissingKey::Zero,
            origins,
            absences,
            secrets: self.secrets,
            decisions: self.options.origins == Origins::Complete,
            set_name: "gotpl",
            ..Options::default()
        };
        let mut templates = Templates::new(&HELM, options);
        let order = self.order();
        let pending: Vec<_> = order.iter().map(|(_, template)| early.template(&template.file)).collect();
        // From behind, so that this thread and the other one meet as late as can be.
        let wait = |template| match template {
            EarlyTemplate::Shared(template) => Waited::Shared(template),
            EarlyTemplate::Pending(parsed) => Waited::Parsed(parsed.wait().map(Box::new)),
        };
        let mut waited: Vec<_> = pending.into_iter().rev().map(wait).collect();
        for (path, Template { file, .. }) in order {
            let added = match waited.pop() {
                // One chart may be in two others, and is called something else in each.
                Some(Waited::Shared(template)) if template.name() == path => {
                    templates.add_named(&template);
                    Ok(())
                }
                Some(Waited::Parsed(Some(parsed))) => {
                    early.named(path, *parsed, file).map(|template| templates.add_named(&template))
                }
                _ => templates.parse(path, Some(file.id), &file.text()),
            };
            added.map_err(|error| {
                let message = parse_error(path, &error.message);
                let mut diagnostic = error.into_diagnostic("template-syntax");
                diagnostic.message = message;
                or_at(diagnostic, file.place())
            })?;
        }
        Ok(templates)
    }

    /// What the templates print, whatever the values' schema says; cut into manifests as it comes where `cuts` says so.
    fn print(
        &self,
        templates: &Templates,
        early: &Early,
        root: &str,
        cuts: bool,
        world: &dyn World,
        host: &dyn Host,
    ) -> Result<(Printed, Vec<Cut>), Box<Diagnostic>> {
        let mut cut = Vec::new();
        let mut seen = |path: &Rc<str>, text: &Text| {
            if cuts {
                cut.extend(cut_early(&early.ahead, path, text, self.options.compat));
            }
        };
        let printed = self.run(templates, root, world, host, &mut seen)?;
        Ok((printed, cut))
    }

    /// Runs the templates that are no partials, and puts what they print in the order of their paths.
    /// NOTES.txt is kept apart; of several, the root chart's counts. `seen` gets each of the others as it comes.
    fn run(
        &self,
        templates: &Templates,
        root: &str,
        world: &dyn World,
        host: &dyn Host,
        seen: &mut dyn FnMut(&Rc<str>, &Text),
    ) -> Result<Printed, Box<Diagnostic>> {
        let order = self.order();
        let notes_path = format!("{root}/templates/NOTES.txt");
        let mut notes = None;
        let mut all_notes: Vec<(&str, Text)> = Vec::new();
        let mut files: Vec<(Rc<str>, Text)> = Vec::with_capacity(order.len());
        let mut decisions = Vec::new();
        for (path, template) in &order {
            if is_partial(path) {
                continue;
            }
            let about = Map::from_iter([
                ("Name", Value::string(path.as_str())),
                ("BasePath", Value::string(&*template.base_path)),
            ]);
            template.data.insert("Template", about.declared_as(self.map_type()).into());
            let mut data = Value::from(template.data.declared_as(self.map_type()));
            if let Some(explanation) = &self.explanation {
                data = explanation.borrow_mut().named_top(data);
            }
            let (text, decision) = templates.execute_and_tell(path, &data, world, host).map_err(|error| {
                let message = execution_error(&error.message);
                let subjects = error.subjects.clone();
                let mut diagnostic = error.into_diagnostic(TEMPLATE_FAILED);
                diagnostic.message = message;
                let diagnostic = or_at(diagnostic, template.file.place());
                match &self.explanation {
                    Some(explanation) => explanation.borrow().add_to(diagnostic, &subjects),
                    None => diagnostic,
                }
            })?;
            let text = with_raw_bytes(onepane_template::without_no_value(text), template.file.bytes());
            if path.ends_with("NOTES.txt") {
                all_notes.push((path, text.clone()));
                if **path == notes_path {
                    notes = Some(text);
                }
                continue;
            }
            let path: Rc<str> = path.as_str().into();
            if decision.is_known() {
                decisions.push((path.clone(), decision));
            }
            seen(&path, &text);
            files.push((path, text));
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        all_notes.sort_by_key(|(path, _)| *path);
        let all_notes = all_notes.into_iter().map(|(_, text)| text).collect();
        Ok(Printed { files, notes, all_notes, decisions })
    }
}

/// Templates are read as UTF-8 with U+FFFD for what is none; Go would have passed the bytes on. Putting an impossible
/// byte back makes the manifest what Go's would be: no YAML.
fn with_raw_bytes(text: Text, source: &[u8]) -> Text {
    const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();
    if onepane_bytes::find_text(REPLACEMENT, &text).is_none() || std::str::from_utf8(source).is_ok() {
        return text;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(at) = rest.windows(REPLACEMENT.len()).position(|window| window == REPLACEMENT) {
        bytes.extend_from_slice(&rest[..at]);
        bytes.push(0xFF);
        rest = &rest[at + REPLACEMENT.len()..];
    }
    bytes.extend_from_slice(rest);
    bytes.into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_chart::{ValueSources, load, merge_sources, read_from};
    use onepane_diagnostics::Step;
    use onepane_world::MemoryWorld;

    fn world() -> MemoryWorld {
        MemoryWorld::new()
            .with("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
            .with("c/values.yaml", "image: a\nsub:\n  x: from-parent\nglobal:\n  g: everywhere\n")
            .with("c/templates/_lib.tpl", "{{ define \"who\" }}{{ .Chart.Name }}{{ end }}")
            .with("c/templates/a.yaml", "kind: Pod\nname: {{ .Release.Name }}\nimage: {{ .Values.image }}\n")
            .with("c/templates/NOTES.txt", "thanks {{ include \"who\" . }}")
            .with("c/crds/crd.yaml", "kind: CustomResourceDefinition\n")
            .with("c/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n")
            .with("c/charts/sub/values.yaml", "x: own\ny: own\n")
            .with(
                "c/charts/sub/templates/b.yaml",
                "kind: Job\nmetadata:\n  annotations: {helm.sh/hook: test}\nx: {{ .Values.x }}\ny: {{ .Values.y }}\n\
                 g: {{ .Values.global.g }}\nwho: {{ include \"who\" . }}\nat: {{ .Template.BasePath }}\n",
            )
            .with("over.yaml", "image: b\n")
    }

    fn rendered(world: &MemoryWorld, origins: Origins) -> Result<Rendered, RenderError> {
        let chart = load("c".into(), world, origins, &mut |_| {}).expect("the chart is good");
        let sources =
            ValueSources { files: vec!["over.yaml".into()], set: vec!["sub.y=set".into()], ..ValueSources::default() };
        let values = merge_sources(&sources, origins, &|path| read_from(world, path)).expect("the values are good");
        let options = RenderOptions {
            release: Release { name: "r".into(), namespace: "n".into(), ..Release::default() },
            capabilities: Capabilities::default(),
            schemas: Schemas::Checked,
            origins,
            compat: Compat::Helm4,
            explain: None,
        };
        render(chart, &values, &options, world, Early::new(origins), &mut |_| {})
    }

    #[test]
    fn every_chart_sees_its_own_part() {
        let rendered = rendered(&world(), Origins::Untracked).expect("it renders");
        assert_eq!(rendered.manifests.len(), 1);
        assert_eq!(rendered.manifests[0].text, "kind: Pod\nname: r\nimage: b\n");
        assert_eq!(&*rendered.manifests[0].source, "c/templates/a.yaml");
        let hook = &rendered.hooks[0];
        assert!(hook.is_test());
        let text = hook.manifest.text.to_string();
        let tail = "x: from-parent\ny: set\ng: everywhere\nwho: sub\nat: c/charts/sub/templates\n";
        assert!(text.ends_with(tail), "{text}");
        assert_eq!(rendered.notes.expect("there are notes"), "thanks c");
        assert_eq!(rendered.crds[0].0, "c/crds/crd.yaml");
    }

    #[test]
    fn text_knows_its_template_line_and_the_values_it_read() {
        let plain = rendered(&world(), Origins::Untracked).expect("it renders");
        let tracked = rendered(&world(), Origins::Tracked).expect("it renders");
        let text = &tracked.manifests[0].text;
        assert_eq!(text, &plain.manifests[0].text);
        let image = text.to_string().find("b\n").expect("the image is there");
        let origin = text.origin_at(image);
        let record = origin.record().expect("the origin is known");
        assert_eq!((record.step, record.span.expect("a line").line), (Step::Template, 3));
        assert_eq!(record.span.expect("a line").file.path(), "c/templates/a.yaml");
        let story: Vec<_> = record.inputs.iter().flat_map(|input| input.chain()).collect();
        let story: Vec<_> = story
            .iter()
            .map(|record| (record.step, record.span.map(|span| (span.file.path().to_string(), span.line))))
            .collect();
        assert_eq!(
            story,
            [
                (Step::ValuesFile, Some(("over.yaml".to_owned(), 1))),
                (Step::ChartDefaults, Some(("c/values.yaml".to_owned(), 1))),
            ]
        );
    }

    #[test]
    fn what_an_if_declares_is_not_seen_by_its_else() {
        let template = "{{ $x := \"outer\" }}{{ if false }}{{ $x := 1 }}{{ $y := 1 }}{{ else }}a: {{ $x }}{{ end }}";
        let text = rendered(&world().with("c/templates/a.yaml", template), Origins::Untracked).expect("it renders");
        assert_eq!(text.manifests[0].text, "a: outer");
        // Go's parser lets it pass; only running it fails.
        for (condition, fails) in [("true", false), ("false", true)] {
            let template = format!("{{{{ if {condition} }}}}{{{{ $y := 1 }}}}{{{{ else }}}}{{{{ $y }}}}{{{{ end }}}}");
            let outcome = rendered(&world().with("c/templates/a.yaml", template), Origins::Untracked);
            assert_eq!(outcome.is_err(), fails, "{condition}");
        }
    }

    #[test]
    fn errors_have_helms_words_and_a_place() {
        let cases = [
            ("c/templates/a.yaml", "{{ fail \"no\" }}", "execution error at (c/templates/a.yaml:1:3): no"),
            ("c/templates/a.yaml", "{{ if }}", "parse error at (c/templates/a.yaml:1): missing value for if"),
            (
                "c/templates/a.yaml",
                "a: b: c",
                "YAML parse error on c/templates/a.yaml: error converting YAML to JSON: yaml: mapping values are not \
                 allowed in this context",
            ),
            (
                "c/Chart.yaml",
                "apiVersion: v2\nname: c\nversion: 1.0.0\nkubeVersion: \">9\"\n",
                "chart requires kubeVersion: >9 which is incompatible with Kubernetes v1.37.0",
            ),
        ];
        for (path, contents, wanted) in cases {
            let error = rendered(&world().with(path, contents), Origins::Tracked).expect_err(wanted);
            assert_eq!(error.diagnostic.message, wanted);
            assert_eq!(error.stage, Stage::Templates);
            let place = error.diagnostic.primary.as_ref().map(|label| label.span.file.path().as_str());
            assert_eq!(place, Some(path), "{wanted}");
        }
    }
}
