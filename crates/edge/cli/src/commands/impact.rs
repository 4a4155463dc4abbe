//! `onepane impact`: the fields of all clusters that a line feeds.

use super::OutputFormat;
use super::fleet::{self, wrong};
use super::opened::Opened;
use crate::commands::releases::on_all_cores;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, Result as Outcome};
use onepane_repo::{Impact, Reach, ReachedRelease, Repository, Target};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::process::ExitCode;

/// What `onepane impact` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file, and a line of it or two with all between them: `values.yaml:12`, `values.yaml:12-20`
    #[arg(value_name = "FILE[:LINE[-LINE]]")]
    place: String,
    /// Only these clusters, or folders with a kustomization; again for more
    #[arg(long = "cluster", value_name = "CLUSTER")]
    clusters: Vec<String>,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
}

/// What is known of a line.
struct Report {
    place: String,
    clusters: Vec<(String, Impact)>,
    /// Templates whose conditions read the line, and that print nothing now, with the releases that they are of.
    silent: Vec<(String, String)>,
    /// Releases whose files it reaches, whatever overlays make of that.
    releases: Vec<String>,
    unknown: Vec<String>,
}

/// Searches, and prints what was found. That a line feeds nothing is no failure; not having seen every cluster is.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let opened = Opened::at(directory, arguments.offline)?;
    let (repository, failure) = (opened.repository()?, opened.failure());
    let Opened { root, world, .. } = &opened;
    let (path, lines) = parse(&arguments.place)?;
    let path = below(root, &path)?;
    let target = Target::new(world, &path, lines).map_err(&failure)?;
    let units = fleet::units(&repository, &arguments.clusters).map_err(&failure)?;

    let (mut report, mut is_partial) = search(terminal, &repository, root, &target, &units).map_err(&failure)?;
    report.place.clone_from(&arguments.place);
    // Of each line of a Chart.yaml it is known what it is for.
    let may_decide = target.lines().is_some() && !target.is_comment(world) && path.file_name() != Some("Chart.yaml");
    if report.is_empty() && report.releases.is_empty() && may_decide {
        // No history names the line, which may decide on what others of its file do.
        let whole = search(terminal, &repository, root, &target.whole(), &units).map_err(&failure)?;
        is_partial |= whole.1;
        if !whole.0.is_empty() {
            let what = "no value is known to come from this line; what other lines of the file reach is listed, \
                        because it may decide on it";
            report.unknown.push(what.to_owned());
            let found = whole.0.clusters.into_iter();
            report.clusters = found.map(|(name, impact)| (name, impact.at_most_decided())).collect();
            report.silent = whole.0.silent;
        }
    }
    let text = match arguments.output {
        OutputFormat::Text => as_text(&report, terminal.color_stdout()),
        OutputFormat::Json => as_json(&report),
    };
    terminal.print(text.as_bytes())?;
    Ok(if is_partial { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Report {
    fn is_empty(&self) -> bool {
        self.silent.is_empty() && self.clusters.iter().all(|(_, impact)| impact.is_empty())
    }
}

/// What `target` reaches, and whether a cluster could not be looked at.
fn search(
    terminal: &Terminal,
    repository: &Repository<'_>,
    root: &Utf8Path,
    target: &Target,
    units: &[Utf8PathBuf],
) -> Outcome<(Report, bool)> {
    let releases = reached_releases(repository, target)?;
    let impact = |unit: &Utf8Path| repository.impact(unit, target, &releases);
    let clusters = fleet::on_each(terminal, repository, root, units, impact, &mut |_| {});
    let is_partial = clusters.len() < units.len();
    let silent = |release: &ReachedRelease| {
        let name = release.name.clone();
        release.silent.clone().into_iter().map(move |template| (name.clone(), template))
    };
    let silent = releases.iter().flat_map(silent).collect();
    let reached = releases.iter().filter(|release| !release.is_empty()).map(|release| release.name.clone()).collect();
    let unknown: BTreeSet<&String> = clusters.iter().flat_map(|(_, impact)| &impact.unknown).collect();
    let unknown = unknown.into_iter().cloned().collect();
    Ok((Report { place: String::new(), clusters, silent, releases: reached, unknown }, is_partial))
}

/// What `target` does to the releases that may read it.
fn reached_releases(repository: &Repository<'_>, target: &Target) -> Outcome<Vec<ReachedRelease>> {
    if !repository.has_releases() {
        return Ok(Vec::new());
    }
    let listed = repository.listed_releases("default")?;
    let path = target.path();
    let reached = on_all_cores(repository, "default", &listed, |listed, state, (): &mut ()| {
        let release = state.release(&listed.name)?;
        Ok(repository.may_read(release, &path).then(|| repository.reached(release, target)))
    });
    reached.into_iter().filter_map(Result::transpose).collect()
}

/// The file and its lines.
fn parse(place: &str) -> Result<(Utf8PathBuf, Option<RangeInclusive<u32>>), Failure> {
    let Some((path, lines)) = place.rsplit_once(':') else { return Ok((place.into(), None)) };
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => Ok((path.into(), Some(first..=last))),
        _ => Err(wrong(
            "impact-place",
            format!("`{lines}` is no line"),
            "for example values.yaml:12 or values.yaml:12-20",
        )),
    }
}

/// The path from the root of the repository of a file that is named from there, or from the folder that one is in.
fn below(root: &Utf8Path, path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    // A file may be in an archive.
    if path.is_relative() && path.ancestors().any(|path| root.join(path).is_file()) {
        return Ok(path.to_owned());
    }
    let found = path.canonicalize_utf8().ok().and_then(|path| path.strip_prefix(root).map(Utf8Path::to_owned).ok());
    found.ok_or_else(|| {
        Diagnostic::error("impact-no-such-file", format!("`{path}` is no file of the repository"))
            .hint(format!("paths begin at its root, `{root}`, or where you are"))
            .into()
    })
}

fn as_text(report: &Report, color: bool) -> String {
    let [bold, dim, plain] = if color { ["\x1b[1m", "\x1b[2m", "\x1b[0m"] } else { [""; 3] };
    let mut text = String::new();
    let mut line = |row: String| writeln!(text, "{}", row.trim_end()).expect("a string takes any text");
    let reached: Vec<_> = report.clusters.iter().filter(|(_, impact)| !impact.is_empty()).collect();
    if report.is_empty() {
        line(format!("{} feeds nothing on any cluster", report.place));
        if !report.releases.is_empty() {
            line(format!("what it says in the rendered {} is replaced, or built nowhere", report.releases.join(", ")));
        }
    }
    for (cluster, impact) in reached {
        let fed = impact.fields.iter().filter(|field| field.reach == Reach::Feeds).count();
        let decided = impact.fields.len() - fed;
        line(format!("{bold}{cluster}{plain}: feeds {fed} fields, decides on {decided}"));
        let mut resource = "";
        for field in &impact.fields {
            if field.resource != resource {
                resource = &field.resource;
                line(format!("  {resource}"));
            }
            let value: String = field.value.lines().next().unwrap_or_default().chars().take(80).collect();
            let how = if field.reach == Reach::Decides { " (decided)" } else { "" };
            line(format!("    {}: {value}{dim}{how}{plain}", field.field));
        }
        for parts in &impact.parts {
            line(format!("  {} may have other parts: {dim}{}{plain}", parts.resource, parts.asked_by));
        }
    }
    for (release, template) in &report.silent {
        line(format!(
            "the release {release} may have more: {dim}{template} prints nothing now, and asks for it{plain}"
        ));
    }
    for unknown in &report.unknown {
        line(format!("unknown: {unknown}"));
    }
    text
}

fn as_json(report: &Report) -> String {
    let clusters: Vec<_> = report
        .clusters
        .iter()
        .map(|(cluster, impact)| {
            let fields: Vec<_> = impact
                .fields
                .iter()
                .map(|field| {
                    json!({
                        "resource": field.resource, "field": field.field, "value": field.value,
                        "reach": field.reach.name(),
                    })
                })
                .collect();
            let parts: Vec<_> = impact
                .parts
                .iter()
                .map(|parts| json!({"resource": parts.resource, "askedBy": parts.asked_by}))
                .collect();
            json!({"cluster": cluster, "fields": fields, "parts": parts})
        })
        .collect();
    let silent: Vec<_> =
        report.silent.iter().map(|(release, template)| json!({"release": release, "template": template})).collect();
    let report = json!({
        "place": report.place, "clusters": clusters, "silentTemplates": silent, "unknown": report.unknown,
    });
    format!("{report:#}\n")
}
