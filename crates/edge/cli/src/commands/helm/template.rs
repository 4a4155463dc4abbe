//! `helm template`.

use super::cluster::{Remembering, connect};
use super::command::{Arguments, Command};
use super::dependency_update::update_in_passing;
use super::dry_run::{DryRun, check, dry_run};
use super::flags::{CHART_LOCATION, DEVELOPMENT, Flag, Kind, Parsed, SERVER, VALUES, boolean, flag, short};
use super::location::locate;
use super::namespace::namespace;
use super::network::out;
use super::output::{Files, release, select, stream};
use super::post_renderer::{PostRenderer, post_renderer};
use super::release_flags::{check_group, check_groups};
use super::values::{capabilities, given_values, merged_values, named_sources};
use super::{Failure, log, log_once, print, world};
use camino::Utf8Path;
use onepane_chart::{Chart, Compat, LoadOptions, Origins, missing_dependencies};
use onepane_cluster::{Check, Cluster};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_helm::{
    Action, Afterwards, Capabilities, Early, Hook, Release, RenderOptions, Rendered, Schemas, Stage, Surroundings,
    TEMPLATE_FAILED, name_from_template, render_within,
};
use onepane_template::{Host, Offline};
use onepane_world::World;
use std::io::IsTerminal;

/// Its own flags. Those without help are accepted and not shown, as in Helm.
const OWN_FLAGS: &[Flag] = &[
    short('a', "api-versions", Kind::Slice, "API versions that .Capabilities.APIVersions has besides its own"),
    flag("atomic", Kind::Bool, ""),
    flag("create-namespace", Kind::Bool, "no effect on rendering"),
    flag("dependency-update", Kind::Bool, "fetch missing dependencies first"),
    flag("description", Kind::Text, "no effect on rendering"),
    flag("disable-openapi-validation", Kind::Bool, "with --dry-run=server: don't hold manifests against schemas"),
    flag(
        "dry-run",
        Kind::OptionalText("unset"),
        "\"client\" (default), or \"server\": ask a cluster, check against it",
    ),
    flag("enable-dns", Kind::Bool, "let templates look up hosts (not supported yet: they get \"\")"),
    flag("force", Kind::Bool, ""),
    flag("force-conflicts", Kind::Bool, "no effect on rendering"),
    flag("force-replace", Kind::Bool, "no effect on rendering"),
    short('g', "generate-name", Kind::Bool, "give no NAME"),
    flag("hide-notes", Kind::Bool, ""),
    flag("include-crds", Kind::Bool, "print the charts' crds/ too"),
    flag("is-upgrade", Kind::Bool, "set .Release.IsUpgrade instead of .Release.IsInstall"),
    flag("kube-version", Kind::Text, "the version of Kubernetes in .Capabilities.KubeVersion"),
    short('l', "labels", Kind::Slice, "no effect on rendering"),
    flag("name-template", Kind::Text, "a template that gives the release's name"),
    flag("no-hooks", Kind::Bool, "leave hooks out"),
    flag("output-dir", Kind::Text, "write a file a template below this folder instead of printing"),
    flag("post-renderer", Kind::Array, "the plugin to pass everything through (with --compat helm3: the program)"),
    flag("post-renderer-args", Kind::Array, "an argument for it"),
    flag("release-name", Kind::Bool, "put the release's name into the paths below --output-dir"),
    flag("render-subchart-notes", Kind::Bool, ""),
    flag("replace", Kind::Bool, "no effect on rendering"),
    flag("rollback-on-failure", Kind::Bool, "no effect on rendering"),
    flag("server-side", Kind::Bool, "no effect on rendering"),
    short('s', "show-only", Kind::Array, "print what these templates give and nothing else"),
    flag("skip-crds", Kind::Bool, "with --dry-run=server: don't warn of the charts' crds/"),
    flag("skip-schema-validation", Kind::Bool, "don't hold values against values.schema.json"),
    flag("skip-tests", Kind::Bool, "leave test hooks out"),
    flag("take-ownership", Kind::Bool, "with --dry-run=server: take resources that others own"),
    flag("timeout", Kind::Duration, "no effect on rendering"),
    flag("validate", Kind::Bool, ""),
    flag("wait", Kind::OptionalText("watcher"), "no effect on rendering"),
    flag("wait-for-jobs", Kind::Bool, "no effect on rendering"),
];

pub(super) const COMMAND: Command = Command {
    path: &["template"],
    aliases: &[],
    usage: "[NAME] [CHART]",
    about: "render a chart, without a cluster and without a network unless --dry-run=server",
    flags: &[OWN_FLAGS, VALUES, SERVER, CHART_LOCATION, DEVELOPMENT],
    arguments: Arguments::AtLeast(1),
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    print(&rendered_into(flags, &world()?, None, Afterwards::Ends)?);
    Ok(())
}

/// What the command prints, with the files of `world`.
pub(super) fn rendered(flags: &Parsed, world: &dyn World) -> Result<Vec<u8>, Failure> {
    rendered_into(flags, world, None, Afterwards::GoesOn)
}

/// The files that the command would write, by their paths below `--output-dir`.
pub(super) fn rendered_files(flags: &Parsed, world: &dyn World) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    rendered_into(flags, world, Some(&mut files), Afterwards::GoesOn)?;
    Ok(files)
}

fn rendered_into(
    flags: &Parsed,
    world: &dyn World,
    files: Option<&mut Vec<(String, Vec<u8>)>>,
    afterwards: Afterwards,
) -> Result<Vec<u8>, Failure> {
    let compat = compat(flags)?;
    let post_renderer = post_renderer(flags, compat, world)?;
    check_groups(flags)?;
    check_group(flags, ["validate", "dry-run"])?;
    let capabilities = capabilities(flags, compat)?.with_api_versions(flags.all("api-versions"));
    let dry_run = dry_run(flags)?;
    let (name, reference) = name_and_chart(flags, world, |_| Ok("release-name".to_owned()))?;
    let path = locate(flags, reference, world)?;
    let values = given_values(flags, compat, world)?;
    let mut warn = log_once();
    let (early, chart) = load(flags, &path, compat, world, &mut warn)?;
    let namespace = namespace(flags, world);
    let cluster = match dry_run {
        DryRun::Client => None,
        DryRun::Server => Some(connect(flags, world)?),
    };
    Release::check_name(&name).map_err(|error| format!("release name check failed: release name {name:?}: {error}"))?;
    let capabilities = match &cluster {
        None => capabilities,
        Some(cluster) => Capabilities::of_cluster(compat, cluster.capabilities()?),
    };
    let options = RenderOptions {
        release: Release {
            name: name.clone(),
            namespace: namespace.clone(),
            action: if flags.is_set("is-upgrade") { Action::Upgrade } else { Action::Install },
            ..Release::default()
        },
        capabilities,
        schemas: if flags.is_set("skip-schema-validation") { Schemas::Skipped } else { Schemas::Checked },
        origins: Origins::Untracked,
        compat,
        explain: None,
    };
    let through = |stream| match &post_renderer {
        Some(PostRenderer::Plugin(plugin, arguments)) => PostRenderer::run_plugin(plugin, arguments, stream),
        _ => Ok(stream.into_bytes()),
    };
    let mut surroundings = Surroundings { afterwards, ..Surroundings::default() };
    if let Some(PostRenderer::Plugin(..)) = &post_renderer {
        surroundings.post_render = Some(&through);
    }
    let debug = is_debug(flags, world);
    let is_shown = debug || std::io::stderr().is_terminal();
    let remembering = cluster.as_ref().filter(|_| is_shown).map(Remembering::new);
    if let Some(cluster) = &cluster {
        surroundings.host = match &remembering {
            Some(remembering) => remembering,
            None => cluster,
        };
        surroundings.warns_of_crds = !flags.is_set("skip-crds");
    }
    match render_within(chart, &values, &options, surroundings, world, early, &mut warn) {
        Ok(rendered) => {
            let check = cluster.as_ref().map(|cluster| (cluster, check(flags, &name, &namespace)));
            write(flags, &name, &rendered, post_renderer.as_ref(), check, compat, files)
        }
        Err(error) => {
            let replay = remembering.map(Remembering::replay);
            let host = replay.as_ref().map_or(&Offline as &dyn Host, |replay| replay);
            let diagnostic = match error.diagnostic.code {
                TEMPLATE_FAILED if is_shown => explained(flags, error.diagnostic, options, &path, host, world),
                _ => error.diagnostic,
            };
            let mut failure = Failure { is_shown, ..Failure::from(diagnostic) };
            if error.stage == Stage::Templates && debug {
                let mut out = Vec::new();
                for (path, text) in error.rendered.iter().filter(|(_, text)| !text.trim_ascii().is_empty()) {
                    out.extend_from_slice(format!("---\n# Source: {path}\n").as_bytes());
                    out.extend_from_slice(text);
                    out.push(b'\n');
                }
                print(out.trim_ascii());
                print(b"\n");
            } else if error.stage == Stage::Templates {
                failure.message += "\n\nUse --debug flag to render out invalid YAML";
            }
            Err(failure)
        }
    }
}

/// The error of a template with what is known of the values it is of: rendering once more, with origins, finds it out.
/// `host` answers as the cluster did the first time, if there was one.
pub(super) fn explained(
    flags: &Parsed,
    error: Box<Diagnostic>,
    options: RenderOptions,
    path: &Utf8Path,
    host: &dyn Host,
    world: &dyn World,
) -> Box<Diagnostic> {
    // Standard input can't be read a second time.
    if flags.all("values").iter().any(|path| path.trim() == "-") {
        return error;
    }
    let (origins, compat) = (Origins::Tracked, options.compat);
    let Ok(values) = merged_values(flags, compat, origins, world) else { return error };
    let mut early = Early::new(origins);
    let read = LoadOptions { origins, compat, ..LoadOptions::default() };
    let Ok(chart) = early.load(path, world, read, &mut |_| {}) else { return error };
    let options = RenderOptions { origins, explain: Some(named_sources(flags)), ..options };
    let surroundings = Surroundings { host, ..Surroundings::default() };
    match render_within(chart, &values, &options, surroundings, world, early, &mut |_| {}) {
        // A template that asks the clock or chance may fail in another way the second time.
        Err(explained) if explained.diagnostic.message == error.message => explained.diagnostic,
        _ => error,
    }
}

/// `--compat`, which Helm does not have: whose results are wanted.
pub(super) fn compat(flags: &Parsed) -> Result<Compat, Failure> {
    match flags.text("compat") {
        None | Some("helm4") => Ok(Compat::Helm4),
        Some("helm3") => Ok(Compat::Helm3),
        Some(other) => Err(format!("invalid --compat value {other:?}. Must be \"helm4\" or \"helm3\"").into()),
    }
}

fn write(
    flags: &Parsed,
    name: &str,
    rendered: &Rendered,
    post_renderer: Option<&PostRenderer>,
    check: Option<(&Cluster, Check<'_>)>,
    compat: Compat,
    collected: Option<&mut Vec<(String, Vec<u8>)>>,
) -> Result<Vec<u8>, Failure> {
    let crds = if flags.is_set("include-crds") { rendered.crds.as_slice() } else { &[] };
    let skip_tests = flags.is_set("skip-tests");
    let hooks: Vec<&Hook> = if flags.is_set("no-hooks") {
        Vec::new()
    } else {
        rendered.hooks.iter().filter(|hook| !(skip_tests && hook.is_test())).collect()
    };
    if let Some(collected) = collected {
        let mut files = Files::default();
        crds.iter().for_each(|(path, file)| files.add("", path, file.bytes()));
        let manifests = rendered.manifests.iter().chain(hooks.iter().map(|hook| &hook.manifest));
        manifests.for_each(|manifest| files.add("", &manifest.source, &manifest.text));
        *collected = files.into_contents();
        return Ok(Vec::new());
    }
    let patterns = flags.all("show-only");
    let folder = flags.text("output-dir").filter(|folder| !folder.is_empty());
    let manifests = if folder.is_none() { release(crds, &rendered.manifests) } else { Vec::new() };
    let manifests = match post_renderer {
        Some(PostRenderer::Program(program, arguments)) => PostRenderer::run_program(program, arguments, manifests)
            .map_err(|error| {
                format!(
                    "error while running post render on files: {error}\n\nUse --debug flag to render out invalid YAML"
                )
            })?,
        _ => manifests,
    };
    // What is written to files is no part of the release that Helm looks at; hooks never are.
    if let Some((cluster, check)) = check {
        cluster.check([manifests.as_slice()], check)?;
    }
    let mut written = String::new();
    let out = match folder {
        None => stream(manifests, &hooks),
        Some(folder) => {
            let mut files = Files::default();
            for (path, file) in crds {
                files.add(folder, path, file.bytes());
            }
            // Helm puts CRDs beside the release's folder, not into it.
            let folder = if flags.is_set("release-name") {
                onepane_world::normalize(&Utf8Path::new(folder).join(name)).into_string()
            } else {
                folder.to_owned()
            };
            for manifest in &rendered.manifests {
                files.add(&folder, &manifest.source, &manifest.text);
            }
            for hook in hooks {
                files.append(&folder, &hook.manifest.source, &hook.manifest.text);
            }
            written = files.finish()?;
            stream(manifests, &[])
        }
    };
    let out = if patterns.is_empty() { out } else { select(out, &patterns, compat)? };
    Ok(if written.is_empty() { out } else { [written.into_bytes(), out].concat() })
}

/// The release's name and the chart that arguments and flags name; `unnamed` gives one for the chart where none is.
pub(super) fn name_and_chart<'a>(
    flags: &'a Parsed,
    world: &dyn World,
    unnamed: impl FnOnce(&str) -> Result<String, Failure>,
) -> Result<(String, &'a str), Failure> {
    let template = flags.text("name-template").filter(|template| !template.is_empty());
    match flags.arguments.as_slice() {
        [chart] => match template {
            Some(template) => Ok((name_from_template(template, world)?, chart)),
            None => Ok((unnamed(chart)?, chart)),
        },
        [_, _] if flags.is_set("generate-name") => {
            Err("cannot set --generate-name and also specify a name".to_owned().into())
        }
        [_, _] if template.is_some() => Err("cannot set --name-template and also specify a name".to_owned().into()),
        [name, chart] => Ok((name.clone(), chart)),
        [_, _, more @ ..] => {
            Err(format!("expected at most two arguments, unexpected arguments: {}", more.join(", ")).into())
        }
        [] => Err("must either provide a name or specify --generate-name".to_owned().into()),
    }
}

/// The chart at a path, which has to be one that is installed; missing dependencies are fetched first where that is wanted.
pub(super) fn load(
    flags: &Parsed,
    path: &Utf8Path,
    compat: Compat,
    world: &dyn World,
    warn: &mut dyn FnMut(Diagnostic),
) -> Result<(Early, Chart), Failure> {
    let read = LoadOptions { compat, ..LoadOptions::default() };
    let mut early = Early::new(Origins::Untracked);
    let mut chart = early.load(path, world, read, warn)?;
    if flags.is_set("dependency-update") && !missing_dependencies(&chart).is_empty() {
        update_in_passing(flags, path, &mut out)?;
        early = Early::new(Origins::Untracked);
        chart = early.load(path, world, read, warn)?;
    }
    check_chart(flags, &chart, compat)?;
    Ok((early, chart))
}

fn check_chart(flags: &Parsed, chart: &Chart, compat: Compat) -> Result<(), Failure> {
    let metadata = &chart.metadata;
    if !matches!(metadata.kind.as_str(), "" | "application") {
        return Err(Diagnostic::error("chart-type", format!("{} charts are not installable", metadata.kind))
            .at(chart.place)
            .into());
    }
    if metadata.deprecated {
        log(Severity::Warning, "this chart is deprecated");
    }
    let missing = missing_dependencies(chart);
    if !missing.is_empty() {
        let names = missing.join(", ");
        let (first, quote) = match compat {
            Compat::Helm4 => ("an", '\''),
            Compat::Helm3 => ("An", '`'),
        };
        let message = format!(
            "{first} error occurred while checking for chart dependencies. You may need to run {quote}helm dependency \
             build{quote} to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {names}"
        );
        return Err(Diagnostic::error("chart-dependency", message).at(chart.place).into());
    }
    const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];
    for label in flags.all("labels") {
        let (name, _) = label.split_once('=').ok_or_else(|| format!("{label} must be formatted as key=value"))?;
        if SYSTEM_LABELS.contains(&name) {
            return Err(format!(
                "user supplied labels contains system reserved label name. System labels: [{}]",
                SYSTEM_LABELS.join(" ")
            )
            .into());
        }
    }
    Ok(())
}

pub(super) fn is_debug(flags: &Parsed, world: &dyn World) -> bool {
    match flags.text("debug") {
        Some(value) => value == "true",
        None => world.env("HELM_DEBUG").and_then(|value| boolean(&value)).unwrap_or(false),
    }
}
