//! Helm's commands as `helmfile` uses them: with files that are only in memory, and what they print given back.

use super::caller::Caller;
use super::flags::parse;
use super::network::{aside, chart_request, fetcher};
use super::{
    Failure, dependency_update, diff, lint, list, pull, registry_login, repo_add, status, template, test, uninstall,
    upgrade,
};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::{
    DEFAULT_TIMEOUT, DependencyRequest, Fetcher, IfPresent, Refresh, RegistryAccess, Repository, Said,
};
use onepane_world::World;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// What a command has printed, and how it ended.
pub(crate) struct Printed {
    pub(crate) text: Vec<u8>,
    pub(crate) outcome: Result<(), Failure>,
}

impl Printed {
    fn of(command: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), Failure>) -> Self {
        let mut text = Vec::new();
        let outcome = command(&mut |bytes| text.extend_from_slice(bytes));
        Self { text, outcome }
    }
}

/// `helm upgrade --install`, until `end` is set.
pub(crate) fn upgrade_for_helmfile(arguments: &[String], world: &dyn World, end: &Arc<AtomicBool>) -> Printed {
    Printed::of(|print| {
        let flags = parse(upgrade::COMMAND.flags, arguments)?;
        upgrade::upgrade_or_install(&flags, Caller { world, end: Some(end) }, print)
    })
}

/// `helm uninstall`.
pub(crate) fn uninstall_for_helmfile(arguments: &[String], world: &dyn World) -> Printed {
    Printed::of(|print| uninstall::uninstall_all(&parse(uninstall::COMMAND.flags, arguments)?, world, print))
}

/// `helm status`.
pub(crate) fn status_for_helmfile(arguments: &[String], world: &dyn World) -> Printed {
    Printed::of(|print| status::show(&parse(status::COMMAND.flags, arguments)?, world, print))
}

/// `helm test`.
pub(crate) fn test_for_helmfile(arguments: &[String], world: &dyn World) -> Printed {
    Printed::of(|print| test::test_release(&parse(test::COMMAND.flags, arguments)?, world, print))
}

/// A release as `helm list` has it.
pub(crate) struct Listed {
    pub(crate) row: String,
    /// The version of its chart.
    pub(crate) version: String,
}

/// `helm list --filter ^NAME$` of releases that were not uninstalled.
pub(crate) fn list_for_helmfile(
    name: &str,
    arguments: &[String],
    world: &dyn World,
) -> Result<Option<Listed>, Failure> {
    let statuses = ["--uninstalling", "--deployed", "--failed", "--pending"].map(str::to_owned);
    let flags = parse(list::COMMAND.flags, &[arguments, &statuses].concat())?;
    let found = list::one(&flags, name, world)?;
    Ok(found.map(|(row, release)| {
        let version = release.chart_field("version").unwrap_or_default().to_owned();
        Listed { row, version }
    }))
}

/// `helm diff upgrade --allow-unreleased` of the plugin helm-diff: what it prints, and whether anything would change.
pub(crate) fn diff_for_helmfile(arguments: &[String], world: &dyn World) -> Result<(Vec<u8>, bool), Failure> {
    diff::difference(&parse(diff::FLAGS, arguments)?, world)
}
