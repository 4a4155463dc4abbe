//! Helm's commands as `helmfile` uses them: with files that are only in memory, and what they print given back.

use super::flags::parse;
use super::network::{aside, chart_request, fetcher};
use super::{Failure, dependency_update, lint, pull, registry_login, repo_add, template};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::{
    DEFAULT_TIMEOUT, DependencyRequest, Fetcher, IfPresent, Refresh, RegistryAccess, Repository, Said,
};
use onepane_world::World;

/// What `helm template` prints.
pub(crate) fn render_for_helmfile(arguments: &[String], world: &dyn World) -> Result<Vec<u8>, Failure> {
    template::rendered(&parse(template::COMMAND.flags, arguments)?, world)
}

/// The files that `helm template --output-dir` would write, by their paths below that folder.
pub(crate) fn render_files_for_helmfile(
    arguments: &[String],
    world: &dyn World,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    template::rendered_files(&parse(template::COMMAND.flags, arguments)?, world)
}

/// What `helm lint` prints, and whether it found something.
pub(crate) fn lint_for_helmfile(
    arguments: &[String],
    world: &dyn World,
) -> Result<(Vec<u8>, Result<(), Failure>), Failure> {
    lint::linted(&parse(lint::COMMAND.flags, arguments)?, world)
}

/// `helm dependency build` of a chart's folder. A chart that depends on nothing is left as it is.
pub(crate) fn build_dependencies_for_helmfile(
    chart: &Utf8Path,
    refresh: Refresh,
    world: &dyn World,
) -> Result<(), Failure> {
    let has_dependencies = |file: &str| {
        let bytes = world.read(&chart.join(file)).unwrap_or_default();
        bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"dependencies:"))
    };
    if !has_dependencies("Chart.yaml") && !has_dependencies("requirements.yaml") {
        return Ok(());
    }
    let flags = parse(dependency_update::BUILD.flags, &[])?;
    let request = DependencyRequest { refresh, ..dependency_update::request_for(&flags, chart)? };
    Ok(fetcher(&flags)?.build_dependencies(&request, &mut aside)?)
}

/// `helm dependency update` of a chart's folder.
pub(crate) fn update_dependencies_for_helmfile(chart: &Utf8Path) -> Result<(), Failure> {
    dependency_update::update_in_passing(&parse(dependency_update::UPDATE.flags, &[])?, chart, &mut aside)
}

/// `helm repo add`.
pub(crate) fn add_repository_for_helmfile(repository: Repository, present: IfPresent) -> Result<(), Failure> {
    let flags = parse(repo_add::COMMAND.flags, &[])?;
    Fetcher::refuse_gone_repository(&repository.url)?;
    let name = repository.name.clone();
    let added = fetcher(&flags)?.add_repository(repository, present, DEFAULT_TIMEOUT, &mut aside)?;
    aside(Said::Line(repo_add::outcome(&name, added)));
    Ok(())
}

/// `helm registry login`.
pub(crate) fn login_for_helmfile(host: &str, access: &RegistryAccess) -> Result<(), Failure> {
    fetcher(&parse(registry_login::COMMAND.flags, &[])?)?.login(host, access)?;
    aside(Said::Line("Login Succeeded".to_owned()));
    Ok(())
}

/// `helm pull --untar` of `chart` to a folder that need not be there yet, with more `arguments`. Gives the chart's own
/// folder in it.
pub(crate) fn pull_for_helmfile(chart: &str, arguments: &[String], folder: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let flags = parse(pull::COMMAND.flags, arguments)?;
    pull::unpacked(&flags, &fetcher(&flags)?, chart, folder, &mut aside)
}

/// The version that `helm pull` of a chart in a registry would choose.
pub(crate) fn version_for_helmfile(chart: &str, arguments: &[String]) -> Result<String, Failure> {
    let flags = parse(pull::COMMAND.flags, arguments)?;
    Ok(fetcher(&flags)?.version_of(&chart_request(&flags, chart)?, &mut aside)?)
}
