//! What flags give templates to see: values, and the cluster's version.

use super::Failure;
use super::flags::Parsed;
use super::network::fetcher;
use onepane_chart::{Compat, Origins, ValueSources, merge_sources, read_from};
use onepane_helm::Capabilities;
use onepane_value::Map;
use onepane_world::World;
use std::io::Read;

/// Merges `-f` and the `--set` family. The file `-` is standard input, and one at an HTTP address is fetched.
pub(super) fn given_values(flags: &Parsed, compat: Compat, world: &dyn World) -> Result<Map, Failure> {
    merged_values(flags, compat, Origins::Untracked, world)
}

/// The files and flags that are merged, in their order and without what flags say: it may be secret.
pub(super) fn named_sources(flags: &Parsed) -> Vec<String> {
    let names = ["set-json", "set", "set-string", "set-file", "set-literal"];
    let given = names.iter().filter(|name| !flags.all(name).is_empty());
    flags.all("values").into_iter().chain(given.map(|name| format!("`--{name}`"))).collect()
}

/// What [`given_values`] gives, with origins or without.
pub(super) fn merged_values(
    flags: &Parsed,
    compat: Compat,
    origins: Origins,
    world: &dyn World,
) -> Result<Map, Failure> {
    let sources = ValueSources {
        compat,
        files: flags.all("values"),
        json: flags.all("set-json"),
        set: flags.all("set"),
        strings: flags.all("set-string"),
        from_files: flags.all("set-file"),
        literals: flags.all("set-literal"),
    };
    let read = |path: &str| match path {
        _ if path.trim() == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            Ok(bytes)
        }
        _ if ["http://", "https://"].iter().any(|scheme| path.starts_with(scheme)) => {
            let fetcher = fetcher(flags).map_err(|failure| failure.message)?;
            fetcher.file(path).map_err(|error| error.message)
        }
        _ => read_from(world, path),
    };
    Ok(merge_sources(&sources, origins, &read)?)
}

/// What a version of Helm knows of clusters, with `--kube-version`.
pub(super) fn capabilities(flags: &Parsed, compat: Compat) -> Result<Capabilities, Failure> {
    let capabilities = Capabilities::of(compat);
    match flags.text("kube-version").filter(|version| !version.is_empty()) {
        None => Ok(capabilities),
        Some(version) => Ok(capabilities
            .with_kube_version(version)
            .map_err(|error| format!("invalid kube version '{version}': {error}"))?),
    }
}
