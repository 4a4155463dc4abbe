//! Which chart a command means.

use super::Failure;
use super::flags::Parsed;
use super::verify::verify_chart;
use camino::Utf8Path;
use onepane_world::World;

/// Refuses the flags that need a server, which are not spoken to yet.
pub(super) fn refuse_repositories(flags: &Parsed) -> Result<(), Failure> {
    if flags.text("repo").is_some_and(|url| !url.is_empty()) {
        let message = "--repo is not supported yet: onepane fetches no charts from repositories; fetch the chart with \
                       `helm pull` and name its path";
        return Err(message.to_owned().into());
    }
    Ok(())
}

/// The path of the chart that `reference` names. Errors are Helm's where it has them.
pub(super) fn locate(flags: &Parsed, reference: &str, world: &dyn World) -> Result<String, Failure> {
    let path = reference.trim();
    if world.kind(Utf8Path::new(path)).is_some() {
        if flags.is_set("verify") {
            verify_chart(flags, Utf8Path::new(path), world)?;
        }
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
