//! `helmCharts:`: charts, which another engine renders ([`Charts`]).

use crate::accumulate::{Build, Target};
use crate::decode::Located;
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::load::Loaded;
use crate::parse::{parse_first, parse_resources};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Origin, Record, Result};
use onepane_patch::{PatchOptions, strategic_merge};
use onepane_resource::Resource;
use onepane_world::{EntryKind, World};
use onepane_yaml::{Content, History, Node};
use std::collections::HashSet;
use std::sync::Arc;

/// Renders charts and fetches those that are not there.
pub trait Charts {
    /// What `helm template` prints for the chart.
    fn render(&self, world: &dyn World, request: &ChartRequest) -> Result<RenderedChart>;

    /// Puts the chart into a folder below `request.home`, as `helm pull --untar` does.
    fn fetch(&self, request: &ChartRequest) -> Result<()>;
}

/// An entry of `helmCharts:`, as `helm template` and `helm pull` would be asked for it.
#[derive(Clone, Debug, Default)]
pub struct ChartRequest {
    /// The chart's name in its repository.
    pub name: String,
    /// The version to fetch; empty for the newest.
    pub version: String,
    /// The address of the repository; empty where there is none to fetch from.
    pub repo: String,
    /// Whether versions before a release may be fetched.
    pub devel: bool,
    /// The folder that holds the chart's own, which is named as the chart.
    pub home: Utf8PathBuf,
    /// The release's name; empty for Helm's own.
    pub release_name: String,
    /// A template that gives the release's name; empty for none.
    pub name_template: String,
    /// The release's namespace; empty for Helm's default.
    pub namespace: String,
    /// The values files in their order.
    pub values: Vec<ChartValues>,
    /// API versions that templates are told of besides Helm's own.
    pub api_versions: Vec<String>,
    /// The Kubernetes version that templates are told of; empty for Helm's default.
    pub kube_version: String,
    /// Whether the chart's `crds/` are wanted.
    pub include_crds: bool,
    /// Whether hooks that are tests are unwanted.
    pub skip_tests: bool,
    /// Whether hooks are unwanted.
    pub skip_hooks: bool,
    /// Whether the text's origins are wanted.
    pub origins: bool,
}

/// A values file.
#[derive(Clone, Debug)]
pub struct ChartValues {
    /// The file.
    pub file: FileId,
    /// What it says.
    pub bytes: Arc<[u8]>,
    /// The same where it was put together from `valuesInline:` and a file: its nodes know where they stand.
    pub merged: Option<Node>,
}

impl ChartRequest {
    /// The chart's folder.
    pub fn folder(&self) -> Utf8PathBuf {
        self.home.join(&self.name)
    }
}

/// What `helm template` prints.
#[derive(Clone, Debug, Default)]
pub struct RenderedChart {
    /// The documents.
    pub text: String,
    /// From which byte on which origin holds, in order; empty where origins were not wanted.
    pub marks: Vec<(usize, Origin)>,
}

/// The folder that holds charts, where nothing else is said.
pub(crate) const CHART_HOME: &str = "charts";

/// Inflates a chart to its resources.
pub(crate) fn inflate(
    build: &mut Build<'_>,
    target: &Target<'_>,
    chart: &HelmChart,
    globals: &HelmGlobals,
) -> Result<Vec<Resource>> {
    let fail = |message: String| Diagnostic::error("kustomize-helm", message);
    let options = build.options;
    if !options.enable_helm {
        return Err(fail("must specify --enable-helm".to_owned()).hint("`onepane build` needs no flag"));
    }
    if chart.name.is_empty() {
        return Err(
            fail("chart name cannot be empty".to_owned()).hint("add `name:`, the chart's folder below `chartHome`")
        );
    }
    // The name is a folder's; upstream lets Helm refuse what is none.
    if Utf8Path::new(&chart.name).components().any(|part| !matches!(part, camino::Utf8Component::Normal(_))) {
        let error = fail(format!("chart name '{}' leads out of the chart home", chart.name));
        return Err(error.hint("`helmGlobals.chartHome` names the folder that holds the chart's own"));
    }
    let merge = ValuesMerge::parse(&chart.values_merge)
        .map_err(|message| fail(message).hint("without it, `override` is meant: `valuesInline` wins"))?;
    let mut home = match globals.chart_home.as_str() {
        "" => Utf8PathBuf::from(CHART_HOME),
        home => Utf8PathBuf::from(home),
    };
    if !chart.version.is_empty() && !chart.repo.is_empty() {
        home.push(format!("{}-{}", chart.name, chart.version));
    }
    let mut request = ChartRequest {
        name: chart.name.clone(),
        version: chart.version.clone(),
        repo: chart.repo.clone(),
        devel: chart.devel,
        home: target.loader.relative(&target.loader.join(home.as_str())),
        release_name: chart.release_name.clone(),
        name_template: chart.name_template.clone(),
        namespace: chart.namespace.clone(),
        values: Vec::new(),
        api_versions: if options.helm_api_versions.is_empty() {
            &chart.api_versions
        } else {
            &options.helm_api_versions
        }
        .clone(),
        kube_version: if options.helm_kube_version.is_empty() {
            &chart.kube_version
        } else {
            &options.helm_kube_version
        }
        .clone(),
        include_crds: chart.include_crds,
        skip_tests: chart.skip_tests,
        skip_hooks: chart.skip_hooks,
        origins: options.origins,
    };
    let Some(charts) = build.charts else {
        return Err(fail("no engine was given that could render charts".to_owned()));
    };
    let folder = request.folder();
    if target.loader.world().kind(&folder) != Some(EntryKind::Folder) {
        if chart.repo.is_empty() {
            let error = fail(format!("no repo specified for pull, no chart found at '{folder}'"));
            return Err(error.hint("put the chart there, or add `repo:` and `version:` to fetch it"));
        }
        charts.fetch(&request)?;
    }
    let own = home.join(&chart.name).join("values.yaml");
    let values = match chart.values_file.text.as_str() {
        "" => target.loader.load(own.as_str(), chart.span)?,
        path => target.loader.load(path, chart.values_file.span)?,
    };
    request.values.push(match &chart.values_inline {
        Some(inline) if inline.entries().is_some_and(|entries| !entries.is_empty()) => {
            let merged = merge.values(&values, inline)?;
            let bytes = onepane_yaml::write_sorted(&merged)?.into_bytes().into();
            ChartValues { file: target.file, bytes, merged: Some(merged) }
        }
        _ => ChartValues { file: values.file, bytes: values.bytes, merged: None },
    });
    for Located { text, span } in &chart.additional_values_files {
        let values = target.loader.load(text, *span)?;
        request.values.push(ChartValues { file: values.file, bytes: values.bytes, merged: None });
    }
    build.charts_inflated += 1;
    let rendered = charts.render(target.loader.world(), &request)?;
    rendered_resources(&folder, &rendered)
}

/// The resources in what the chart in `folder` renders to.
///
/// # Errors
/// For what is no manifest.
pub fn rendered_resources(folder: &Utf8Path, rendered: &RenderedChart) -> Result<Vec<Resource>> {
    let file = FileId::new(folder);
    let mut resources = parse_resources(&Loaded { bytes: rendered.text.as_bytes().into(), file })?;
    let lines: Vec<usize> = std::iter::once(0).chain(rendered.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    for resource in &mut resources {
        resource.helm_generated = true;
        if !rendered.marks.is_empty() {
            explain(resource.node_mut(), rendered, &lines);
        }
    }
    Ok(resources)
}

/// Nodes come from where their text does, and not from a file that nobody wrote.
fn explain(node: &mut Node, rendered: &RenderedChart, lines: &[usize]) {
    if let Some(span) = node.span {
        let start = lines.get(span.line as usize - 1).copied().unwrap_or_default();
        let text = rendered.text[start..].lines().next().unwrap_or_default();
        let at = start + text.char_indices().nth(span.column as usize - 1).map_or(0, |(at, _)| at);
        let after = rendered.marks.partition_point(|(offset, _)| *offset <= at);
        let first = after.saturating_sub(1);
        // A scalar on one line is made of all that stands in its text.
        let is_block = rendered.text[at..].starts_with(['|', '>']);
        let length = if node.as_str().is_some() && !is_block { span.length as usize } else { 0 };
        let end = at + rendered.text[at..].chars().take(length).map(char::len_utf8).sum::<usize>();
        let within = rendered.marks[first..].iter().take_while(|(offset, _)| *offset < end.max(at + 1));
        let mut seen = HashSet::new();
        let pieces: Vec<Origin> = within
            .map(|(_, origin)| origin)
            .filter(|origin| origin.address().is_some_and(|one| seen.insert(one)))
            .cloned()
            .collect();
        let origin = put_together(pieces);
        if after > 0 && origin.is_known() {
            node.history = History(origin);
        }
    }
    match &mut node.content {
        Content::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            explain(key, rendered, lines);
            explain(value, rendered, lines);
        }),
        Content::Sequence(items) => items.iter_mut().for_each(|item| explain(item, rendered, lines)),
        _ => {}
    }
}

/// The first of several pieces with what it read, and with the others.
fn put_together(pieces: Vec<Origin>) -> Origin {
    let first = pieces.first().and_then(Origin::record).filter(|_| pieces.len() > 1);
    let Some(first) = first else { return pieces.into_iter().next().unwrap_or_default() };
    let inputs = first.inputs.iter().chain(&pieces[1..]).cloned().collect();
    let (step, span, note) = (first.step, first.span, first.note.clone());
    Origin::from(Record { step, span, note, inputs, previous: Origin::UNKNOWN })
}

/// What becomes of `valuesInline` and the values file.
#[derive(Clone, Copy)]
enum ValuesMerge {
    /// The file counts only where the entry says nothing.
    Override,
    /// The entry counts only where the file says nothing.
    Merge,
    /// The file does not count.
    Replace,
}

impl ValuesMerge {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        match text {
            "" | "override" => Ok(Self::Override),
            "merge" => Ok(Self::Merge),
            "replace" => Ok(Self::Replace),
            _ => Err("valuesMerge must be one of [merge override replace]".to_owned()),
        }
    }

    fn values(self, file: &Loaded, inline: &Node) -> Result<Node> {
        match self {
            Self::Replace => Ok(inline.clone()),
            Self::Override => merged(parse_first(file)?, inline),
            Self::Merge => merged(inline.clone(), &parse_first(file)?),
        }
    }
}

fn merged(mut onto: Node, over: &Node) -> Result<Node> {
    if onto.entries().is_none() {
        return Ok(over.clone());
    }
    strategic_merge(&mut onto, over, &PatchOptions::default())?;
    Ok(onto)
}
