//! `helm template`.

use super::flags::{Parsed, boolean};
use super::namespace::namespace;
use super::output::{Files, select, stream};
use super::{Failure, print};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{
    Chart, Compat, LoadOptions, Origins, ValueSources, load, merge_sources, missing_dependencies, read_from,
};
use onepane_diagnostics::{Diagnostic, Severity};
use onepane_helm::{
    Action, Capabilities, Hook, Release, RenderOptions, Rendered, Schemas, Stage, name_from_template, render,
};
use onepane_world::{OsWorld, World};
use std::io::Read;

/// Runs with the arguments behind `template`.
pub(super) fn run(flags: &Parsed, arguments: &[String]) -> Result<(), Failure> {
    let compat = compat(flags)?;
    let mut capabilities = Capabilities::of(compat).with_api_versions(flags.all("api-versions"));
    if arguments.is_empty() {
        let message = "\"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]";
        return Err(message.to_owned().into());
    }
    check_groups(flags)?;
    if let Some(version) = flags.text("kube-version").filter(|version| !version.is_empty()) {
        capabilities = capabilities
            .with_kube_version(version)
            .map_err(|error| format!("invalid kube version '{version}': {error}"))?;
    }
    refuse_unsupported(flags)?;
    let start = std::env::current_dir().map_err(|error| format!("the current folder can't be read: {error}"))?;
    let start =
        Utf8PathBuf::try_from(start).map_err(|error| format!("the current folder is no UTF-8 path: {error}"))?;
    let world = OsWorld::unrestricted(start);
    let (name, reference) = name_and_chart(flags, arguments, &world)?;
    let path = locate(reference, &world)?;
    let sources = ValueSources {
        compat,
        files: flags.all("values"),
        json: flags.all("set-json"),
        set: flags.all("set"),
        strings: flags.all("set-string"),
        from_files: flags.all("set-file"),
        literals: flags.all("set-literal"),
    };
    let read = |path: &str| {
        if path.trim() != "-" {
            return read_from(&world, path);
        }
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    let values = merge_sources(&sources, Origins::Untracked, &read)?;
    let mut warned = Vec::new();
    let mut warn = |diagnostic: Diagnostic| {
        // Coalescing passes over the same values more than once.
        if !warned.contains(&diagnostic.message) {
            log(diagnostic.severity, &diagnostic.message);
            warned.push(diagnostic.message);
        }
    };
    let chart = load(Utf8Path::new(&path), &world, LoadOptions { compat, ..LoadOptions::default() }, &mut warn)?;
    check_chart(flags, &chart, compat)?;
    Release::check_name(&name).map_err(|error| format!("release name check failed: release name {name:?}: {error}"))?;
    let options = RenderOptions {
        release: Release {
            name: name.clone(),
            namespace: namespace(flags, &world),
            action: if flags.is_set("is-upgrade") { Action::Upgrade } else { Action::Install },
        },
        capabilities,
        schemas: if flags.is_set("skip-schema-validation") { Schemas::Skipped } else { Schemas::Checked },
        origins: Origins::Untracked,
        compat,
    };
    match render(chart, &values, &options, &world, &mut warn) {
        Ok(rendered) => write(flags, &name, &rendered, compat),
        Err(error) => {
            let debug = is_debug(flags, &world);
            let mut failure = Failure::from(error.diagnostic);
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

/// `--compat`, which Helm does not have: whose results are wanted.
fn compat(flags: &Parsed) -> Result<Compat, Failure> {
    match flags.text("compat") {
        None | Some("helm4") => Ok(Compat::Helm4),
        Some("helm3") => Ok(Compat::Helm3),
        Some(other) => Err(format!("invalid --compat value {other:?}. Must be \"helm4\" or \"helm3\"").into()),
    }
}

fn write(flags: &Parsed, name: &str, rendered: &Rendered, compat: Compat) -> Result<(), Failure> {
    let crds = if flags.is_set("include-crds") { rendered.crds.as_slice() } else { &[] };
    let skip_tests = flags.is_set("skip-tests");
    let hooks: Vec<&Hook> = if flags.is_set("no-hooks") {
        Vec::new()
    } else {
        rendered.hooks.iter().filter(|hook| !(skip_tests && hook.is_test())).collect()
    };
    let patterns = flags.all("show-only");
    let folder = flags.text("output-dir").filter(|folder| !folder.is_empty());
    let out = match folder {
        None => stream(crds, &rendered.manifests, &hooks),
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
            files.finish()?;
            b"\n".to_vec()
        }
    };
    print(&if patterns.is_empty() { out } else { select(out, &patterns, compat)? });
    Ok(())
}

/// Flags that exclude one another, in cobra's words.
fn check_groups(flags: &Parsed) -> Result<(), Failure> {
    for (group, sorted) in [
        (["force-replace", "force-conflicts"], ["force-conflicts", "force-replace"]),
        (["force", "force-conflicts"], ["force", "force-conflicts"]),
        (["validate", "dry-run"], ["dry-run", "validate"]),
    ] {
        if group.iter().all(|name| flags.is_given(name)) {
            return Err(format!(
                "if any flags in the group [{}] are set none of the others can be; [{}] were all set",
                group.join(" "),
                sorted.join(" ")
            )
            .into());
        }
    }
    Ok(())
}

/// What needs a network, a cluster or another program.
fn refuse_unsupported(flags: &Parsed) -> Result<(), Failure> {
    let cluster = "needs a cluster, which rendering in onepane does not talk to yet";
    match flags.text("dry-run") {
        None | Some("client") => {}
        Some("unset") => {
            log(Severity::Warning, "--dry-run is deprecated and should be replaced with '--dry-run=client'")
        }
        Some("server") => return Err(format!("--dry-run=server {cluster}").into()),
        Some(value) => match boolean(value) {
            Some(true) => log(
                Severity::Warning,
                &format!("boolean '--dry-run={value}' flag is deprecated and must be replaced with '--dry-run=client'"),
            ),
            Some(false) => {
                return Err(format!("invalid dry-run value ({value:?}). Must be \"server\" or \"client\"").into());
            }
            None if value == "none" => {
                return Err(format!("invalid dry-run value ({value:?}). Must be \"server\" or \"client\"").into());
            }
            None => {
                return Err(
                    format!("invalid dry-run value ({value:?}). Must be \"none\", \"server\", or \"client\"").into()
                );
            }
        },
    }
    if flags.is_set("validate") {
        return Err(format!("--validate {cluster}").into());
    }
    if flags.text("post-renderer").is_some_and(|program| !program.is_empty()) {
        let message = "--post-renderer runs another program, which rendering in onepane does not do; pipe the output \
                       through it instead";
        return Err(message.to_owned().into());
    }
    if flags.text("repo").is_some_and(|url| !url.is_empty()) {
        let message = "--repo is not supported yet: onepane fetches no charts from repositories; fetch the chart with \
                       `helm pull` and name its path";
        return Err(message.to_owned().into());
    }
    if flags.is_set("verify") {
        return Err("--verify is not supported yet: onepane checks no signatures of packages".to_owned().into());
    }
    Ok(())
}

fn name_and_chart<'a>(
    flags: &Parsed,
    arguments: &'a [String],
    world: &dyn World,
) -> Result<(String, &'a str), Failure> {
    let template = flags.text("name-template").filter(|template| !template.is_empty());
    match arguments {
        [chart] => match template {
            Some(template) => Ok((name_from_template(template, world)?, chart)),
            None => Ok(("release-name".to_owned(), chart)),
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

fn locate(reference: &str, world: &dyn World) -> Result<String, Failure> {
    let path = reference.trim();
    if world.kind(Utf8Path::new(path)).is_some() {
        return Ok(path.to_owned());
    }
    if path.starts_with(['/', '.']) {
        return Err(format!("path {path:?} not found").into());
    }
    if path.contains("://") {
        let message = format!(
            "{path} is not fetched: charts from registries and repositories are not supported yet; \
                               fetch it with `helm pull` and name its path"
        );
        return Err(message.into());
    }
    match path.split_once('/') {
        None => Err(format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {path}").into()),
        Some((repository, _)) => Err(format!(
            "repo {repository} not found: there is no folder {path}, and charts from repositories are not supported yet; \
             fetch it with `helm pull` and name its path"
        )
        .into()),
    }
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
        if flags.is_set("dependency-update") {
            return Err(format!("--dependency-update is not supported yet: {names} can't be fetched").into());
        }
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

fn is_debug(flags: &Parsed, world: &dyn World) -> bool {
    match flags.text("debug") {
        Some(value) => value == "true",
        None => world.env("HELM_DEBUG").and_then(|value| boolean(&value)).unwrap_or(false),
    }
}

/// A line as Helm's logger writes it.
fn log(severity: Severity, message: &str) {
    let level = match severity {
        Severity::Note => "INFO",
        Severity::Warning if message.starts_with("warning:") => "INFO",
        Severity::Warning => "WARN",
        Severity::Error => "ERROR",
    };
    eprintln!("level={level} msg={message:?}");
}
