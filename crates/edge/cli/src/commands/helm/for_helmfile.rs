//! Helm's commands as `helmfile` uses them: with files that are only in memory, and what they print given back.

use super::flags::parse;
use super::network::{aside, fetcher};
use super::{Failure, dependency_update, lint, template};
use camino::Utf8Path;
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
pub(crate) fn build_dependencies_for_helmfile(chart: &Utf8Path, world: &dyn World) -> Result<(), Failure> {
    let has_dependencies = |file: &str| {
        let bytes = world.read(&chart.join(file)).unwrap_or_default();
        bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"dependencies:"))
    };
    if !has_dependencies("Chart.yaml") && !has_dependencies("requirements.yaml") {
        return Ok(());
    }
    let flags = parse(dependency_update::BUILD.flags, &["--skip-refresh".to_owned()])?;
    let request = dependency_update::request_for(&flags, chart)?;
    Ok(fetcher(&flags)?.build_dependencies(&request, &mut aside)?)
}
