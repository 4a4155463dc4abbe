//! `kustomize build`.

use super::flags::{Argument, Flags, unknown};
use super::functions::{Allowed, parse_mount};
use super::{Failure, current_world, print, read_source};
use crate::atomic;
use crate::commands::helm::pull_for_kustomize;
use crate::remotes::FetchedRemotes;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, render_full};
use onepane_kustomize::{
    Built, ChartRequest, Charts, Functions, LoadRestrictor, Options, RenderedChart, Reorder, Tools, build_with,
};
use onepane_repo::LocalCharts;
use onepane_world::World;
use std::collections::BTreeSet;

/// Runs with the arguments behind `build`.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut flags = Flags::new(arguments);
    let mut options = Options::default();
    let mut paths = Vec::new();
    let mut output = String::new();
    let (mut plugins, mut functions) = (false, Allowed::default());
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
            Argument::Flag("enable-alpha-plugins") => plugins = flags.switch()?,
            Argument::Flag("enable-managedby-label") => {
                eprintln!(
                    "Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label` has been \
                     deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead."
                );
                options.managed_by_label = flags.switch()?;
            }
            Argument::Flag("enable-exec") => functions.executables = flags.switch()?,
            Argument::Flag("network") => functions.network = flags.switch()?,
            Argument::Flag("mount") => functions.mounts.push(parse_mount(&flags.value()?)),
            Argument::Flag("env" | "e") => functions.environment.push(flags.value()?),
            Argument::Flag("as-current-user") => functions.as_current_user = flags.switch()?,
            // Helm is not started, and Kustomize itself takes no notice of the name of a network.
            Argument::Flag("helm-debug" | "stack-trace") => drop(flags.switch()?),
            Argument::Flag("helm-command" | "network-name") => drop(flags.value()?),
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
    // Kustomize has it that who allows plugins allows Helm.
    options.enable_helm |= plugins;
    let built = built(path, &options, &FetchedRemotes::new(false), plugins.then_some(&functions))?;
    for warning in &built.warnings {
        match warning.code {
            code if OWN_WARNINGS.contains(&code) => eprintln!("{}", warning.message),
            _ => eprintln!("{}", render_full(warning, &read_source, false)),
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

/// The codes of warnings that are Kustomize's own, in its words.
pub(super) const OWN_WARNINGS: [&str; 3] = ["kustomize-deprecated", "kustomize-sort", "kustomize-unused-variable"];

/// What a folder builds to, with functions and plugins where they are allowed.
/// Builds a folder of this machine; what it names elsewhere is fetched.
pub(crate) fn build_folder(path: &Utf8Path, options: &Options) -> Result<Built, Box<Diagnostic>> {
    let remotes = FetchedRemotes::new(false);
    let tools = Tools { charts: Some(&FetchedCharts), remotes: Some(&remotes), ..Tools::default() };
    build_with(&current_world(), path, options, tools)
}

pub(super) fn built(
    path: &str,
    options: &Options,
    remotes: &FetchedRemotes,
    functions: Option<&Allowed>,
) -> Result<Built, Failure> {
    let functions = functions.map(|functions| functions as &dyn Functions);
    let tools = Tools { charts: Some(&FetchedCharts), remotes: Some(remotes), functions, ..Tools::default() };
    Ok(build_with(&current_world(), Utf8Path::new(path), options, tools)?)
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

const BUILD_HELP: &str = "Build a set of KRM resources using a 'kustomization.yaml' file.
If DIR is omitted, '.' is assumed.

Usage:
  kustomize build DIR [flags]

Flags:
      --as-current-user                 use the uid and gid of the command executor to run the function in the container
      --enable-alpha-plugins            enable kustomize plugins
      --enable-exec                     enable support for exec functions (raw executables); do not use for untrusted \
configs! (Alpha)
      --enable-helm                     Enable use of the Helm chart inflator generator.
  -e, --env stringArray                 a list of environment variables to be used by functions
      --helm-api-versions stringArray   Kubernetes api versions used by Helm for Capabilities.APIVersions
      --helm-command string             taken and without effect: charts are rendered by onepane itself
      --helm-debug                      taken and without effect
      --helm-kube-version string        Kubernetes version used by Helm for Capabilities.KubeVersion
  -h, --help                            help for build
      --load-restrictor string          if set to 'LoadRestrictionsNone', local kustomizations may load files from \
outside their root (default \"LoadRestrictionsRootOnly\")
      --mount stringArray               a list of storage options read from the filesystem
      --network                         enable network access for functions that declare it
      --network-name string             taken and without effect, as by Kustomize
  -o, --output string                   If specified, write output to this path.
      --strict                          fail where a patch or replacement selects nothing, instead of warning
";
