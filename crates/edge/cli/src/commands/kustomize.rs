//! `onepane kustomize`: the drop-in for `kustomize build` and `kustomize version`.

use crate::atomic;
use crate::commands::helm::pull_for_kustomize;
use crate::remotes::FetchedRemotes;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, render_full};
use onepane_kustomize::{
    Built, ChartRequest, Charts, KUSTOMIZE_VERSION, LoadRestrictor, Options, RenderedChart, Reorder, Tools, build_with,
};
use onepane_repo::LocalCharts;
use onepane_world::{OsWorld, World};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs with the arguments behind `kustomize`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let (command, rest) = match arguments.split_first() {
        None => ("help", &[][..]),
        Some((command, rest)) => (command.as_str(), rest),
    };
    let outcome = match command {
        "build" => run_build(rest),
        "version" => run_version(rest),
        "help" | "-h" | "--help" => print(HELP),
        other => {
            let known = "this drop-in knows `build` and `version`";
            Err(Failure::text(format!("unknown command \"{other}\" for \"kustomize\": {known}")))
        }
    };
    match outcome {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Text(message)) => {
            eprintln!("Error: {message}");
            ExitCode::FAILURE
        }
        Err(Failure::Found(diagnostic)) => {
            eprintln!("{}", as_kustomize_says(&diagnostic));
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Text(String),
    Found(Box<Diagnostic>),
    OutputClosed,
}

impl Failure {
    fn text(message: impl Into<String>) -> Self {
        Self::Text(message.into())
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Found(diagnostic)
    }
}

/// The diagnostic with its excerpt, behind the word that Kustomize's errors start with.
fn as_kustomize_says(diagnostic: &Diagnostic) -> String {
    let text = render_full(diagnostic, &read_source, false);
    let title = format!("error[{}]: ", diagnostic.code);
    text.strip_prefix(&title).map_or_else(|| format!("Error: {text}"), |rest| format!("Error: {rest}"))
}

fn read_source(file: FileId) -> Option<Arc<str>> {
    std::fs::read_to_string(file.path()).ok().map(Into::into)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|_| Failure::OutputClosed)
}

fn run_version(arguments: &[String]) -> Result<(), Failure> {
    let mut flags = Flags::new(arguments);
    let mut output = String::new();
    while let Some(argument) = flags.next()? {
        match argument {
            Argument::Flag("output" | "o") => output = flags.value()?,
            Argument::Flag("short") => drop(flags.switch()?),
            Argument::Flag("help" | "h") => {
                return print("Prints the kustomize version\n\nUsage:\n  kustomize version [flags]\n");
            }
            Argument::Flag(name) => return Err(unknown(name)),
            Argument::Positional(_) => {}
        }
    }
    match output.as_str() {
        "" => print(&format!("{KUSTOMIZE_VERSION}\n")),
        "yaml" => print(&format!("version: {KUSTOMIZE_VERSION}\n\n")),
        "json" => print(&format!("{{\n  \"version\": \"{KUSTOMIZE_VERSION}\"\n}}\n")),
        _ => Ok(()),
    }
}

fn run_build(arguments: &[String]) -> Result<(), Failure> {
    let mut flags = Flags::new(arguments);
    let mut options = Options::default();
    let mut paths = Vec::new();
    let mut output = String::new();
    let (mut reorder, mut restrictor) = (None, "LoadRestrictionsRootOnly".to_owned());
    while let Some(argument) = flags.next()? {
        match argument {
            Argument::Positional(path) => paths.push(path),
            Argument::Flag("output" | "o") => output = flags.value()?,
            Argument::Flag("load-restrictor") => restrictor = flags.value()?,
            Argument::Flag("reorder") => {
                eprintln!(
                    "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead."
                );
                reorder = Some(flags.value()?);
            }
            Argument::Flag("strict") => options.strict = flags.switch()?,
            Argument::Flag("enable-helm") => options.enable_helm = flags.switch()?,
            Argument::Flag("helm-api-versions") => options.helm_api_versions.push(flags.value()?),
            Argument::Flag("helm-kube-version") => options.helm_kube_version = flags.value()?,
            Argument::Flag("enable-alpha-plugins") => options.enable_plugins = flags.switch()?,
            Argument::Flag("enable-managedby-label") => {
                eprintln!(
                    "Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been \
                     deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead."
                );
                options.managed_by_label = flags.switch()?;
            }
            // These are about programs that are started, and none is.
            Argument::Flag("as-current-user" | "enable-exec" | "network" | "helm-debug" | "stack-trace") => {
                flags.switch()?;
            }
            Argument::Flag("mount" | "env" | "e" | "helm-command" | "network-name") => {
                flags.value()?;
            }
            Argument::Flag("help" | "h") => return print(BUILD_HELP),
            Argument::Flag(name) => return Err(unknown(name)),
        }
    }
    let path = match &paths[..] {
        [] => ".",
        [path] => path,
        _ => return Err(Failure::text("specify one path to kustomization.yaml")),
    };
    options.load_restrictor = match restrictor.as_str() {
        "LoadRestrictionsRootOnly" | "" => LoadRestrictor::RootOnly,
        "LoadRestrictionsNone" => LoadRestrictor::None,
        _ => {
            return Err(Failure::text(format!(
                "illegal flag value --load-restrictor {restrictor}; legal values: [LoadRestrictionsRootOnly \
                 LoadRestrictionsNone]"
            )));
        }
    };
    options.reorder = match reorder.as_deref() {
        None => Reorder::Unspecified,
        Some("legacy") => Reorder::Legacy,
        Some("none") => Reorder::None,
        Some(other) => {
            return Err(Failure::text(format!("illegal flag value --reorder {other}; legal values: [legacy none]")));
        }
    };
    options.managed_by_label |= std::env::var("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL").is_ok_and(|value| value == "on");
    let here = std::env::current_dir().ok().and_then(|here| Utf8PathBuf::from_path_buf(here).ok()).unwrap_or_default();
    let remotes = FetchedRemotes::new(false);
    let tools = Tools { charts: Some(&FetchedCharts), remotes: Some(&remotes), ..Tools::default() };
    let built = build_with(&OsWorld::unrestricted(here), Utf8Path::new(path), &options, tools)?;
    for warning in &built.warnings {
        match warning.code {
            // Kustomize says nothing of these.
            "kustomize-unmatched" => eprintln!("{}", render_full(warning, &read_source, false)),
            _ => eprintln!("{}", warning.message),
        }
    }
    if output.is_empty() {
        return print(&built.to_yaml()?);
    }
    let output = Utf8PathBuf::from(output);
    if output.is_dir() {
        return write_files(&output, &built);
    }
    atomic::write(&output, built.to_yaml()?.as_bytes())?;
    Ok(())
}

/// Charts that are fetched where they are not there.
struct FetchedCharts;

impl Charts for FetchedCharts {
    fn render(&self, world: &dyn World, request: &ChartRequest) -> onepane_diagnostics::Result<RenderedChart> {
        LocalCharts.render(world, request)
    }

    fn fetch(&self, request: &ChartRequest) -> onepane_diagnostics::Result<()> {
        pull_for_kustomize(request)
    }
}

/// A file a resource, as Kustomize names them; the namespace is in the name where there are several.
fn write_files(folder: &Utf8Path, built: &Built) -> Result<(), Failure> {
    let namespaced = built.resources.iter().filter(|resource| !resource.id().is_cluster_scoped());
    let namespaces: BTreeSet<&str> = namespaced.map(|resource| resource.id().effective_namespace()).collect();
    for resource in &built.resources {
        let id = resource.id();
        let parts = [&*id.gvk.group, &*id.gvk.version, &*id.gvk.kind, &*id.name];
        let mut name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_").to_lowercase();
        if namespaces.len() > 1 && !id.is_cluster_scoped() {
            name = format!("{}_{name}", id.effective_namespace().to_lowercase());
        }
        // A name is what the manifest says; it must not lead out of the folder.
        let name = name.replace(['/', '\\'], "_");
        let text = onepane_yaml::write_sorted(resource.node())?;
        atomic::write(&folder.join(format!("{name}.yaml")), text.as_bytes())?;
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    if name.chars().count() == 1 {
        Failure::text(format!("unknown shorthand flag: '{name}' in -{name}"))
    } else {
        Failure::text(format!("unknown flag: --{name}"))
    }
}

/// Reads flags as Go's pflag does: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, anywhere before `--`.
struct Flags<'a> {
    rest: std::slice::Iter<'a, String>,
    current: &'a str,
    value: Option<&'a str>,
    only_positional: bool,
}

enum Argument<'a> {
    Flag(&'a str),
    Positional(&'a str),
}

impl<'a> Flags<'a> {
    fn new(arguments: &'a [String]) -> Self {
        Self { rest: arguments.iter(), current: "", value: None, only_positional: false }
    }

    fn next(&mut self) -> Result<Option<Argument<'a>>, Failure> {
        let Some(argument) = self.rest.next() else { return Ok(None) };
        if self.only_positional || argument == "-" || !argument.starts_with('-') {
            return Ok(Some(Argument::Positional(argument)));
        }
        if argument == "--" {
            self.only_positional = true;
            return self.next();
        }
        let (name, value) = match argument.strip_prefix("--") {
            Some(long) => long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))),
            None => {
                let short = &argument[1..];
                let end = short.chars().next().map_or(0, char::len_utf8);
                let (name, value) = short.split_at(end);
                (name, (!value.is_empty()).then(|| value.strip_prefix('=').unwrap_or(value)))
            }
        };
        (self.current, self.value) = (name, value);
        Ok(Some(Argument::Flag(name)))
    }

    fn value(&mut self) -> Result<String, Failure> {
        let next = match self.value.take() {
            Some(value) => Some(value),
            None => self.rest.next().map(String::as_str),
        };
        next.map(str::to_owned).ok_or_else(|| Failure::text(format!("flag needs an argument: --{}", self.current)))
    }

    fn switch(&mut self) -> Result<bool, Failure> {
        match self.value.take() {
            None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
            Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
            Some(other) => Err(Failure::text(format!(
                "invalid argument \"{other}\" for \"--{}\" flag: strconv.ParseBool: parsing \"{other}\": invalid syntax",
                self.current
            ))),
        }
    }
}

const HELP: &str = "
Builds kustomizations, as Kustomize 5.8 does.

Usage:
  kustomize [command]

Available Commands:
  build       Build a kustomization target from a directory
  version     Prints the kustomize version
";

const BUILD_HELP: &str = "Build a set of KRM resources using a 'kustomization.yaml' file.
If DIR is omitted, '.' is assumed.

Usage:
  kustomize build DIR [flags]

Flags:
      --as-current-user                 taken and without effect: no function is run
      --enable-alpha-plugins            taken; plugins that are not built in are refused all the same
      --enable-exec                     taken and without effect: no program is run
      --enable-helm                     Enable use of the Helm chart inflator generator.
  -e, --env stringArray                 taken and without effect: no function is run
      --helm-api-versions stringArray   Kubernetes api versions used by Helm for Capabilities.APIVersions
      --helm-command string             taken and without effect: charts are rendered by onepane itself
      --helm-debug                      taken and without effect
      --helm-kube-version string        Kubernetes version used by Helm for Capabilities.KubeVersion
  -h, --help                            help for build
      --load-restrictor string          if set to 'LoadRestrictionsNone', local kustomizations may load files from \
outside their root (default \"LoadRestrictionsRootOnly\")
      --mount stringArray               taken and without effect: no function is run
      --network                         taken and without effect: no function is run
      --network-name string             taken and without effect: no function is run
  -o, --output string                   If specified, write output to this path.
      --strict                          fail where a patch or replacement selects nothing, instead of warning
";
