//! `helm dependency update` and `helm dependency build`: the archives in a chart's `charts/`.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::SERVER;
use super::flags::{Flag, Kind, Parsed, flag};
use super::network::{access, fetcher, out};
use camino::Utf8Path;
use onepane_fetch::{DEFAULT_TIMEOUT, DependencyRequest, Refresh, Said};
use onepane_world::normalize;

pub(super) const UPDATE: Command = Command {
    path: &["dependency", "update"],
    aliases: &["up"],
    usage: "CHART",
    about: "fetch the newest dependencies that fit Chart.yaml, and lock them",
    arguments: Arguments::AtMost(1),
    flags: &[FLAGS, SERVER],
    run: |flags| Ok(fetcher(flags)?.update_dependencies(&request(flags)?, &mut out)?),
};

pub(super) const BUILD: Command = Command {
    path: &["dependency", "build"],
    aliases: &[],
    usage: "CHART",
    about: "fetch the dependencies that Chart.lock names",
    arguments: Arguments::AtMost(1),
    flags: &[FLAGS, SERVER],
    run: |flags| Ok(fetcher(flags)?.build_dependencies(&request(flags)?, &mut out)?),
};

const FLAGS: &[Flag] = &[
    flag("keyring", Kind::Text, "the public keys for --verify"),
    flag("skip-refresh", Kind::Bool, "don't fetch the indexes of repositories"),
    flag("verify", Kind::Bool, "check the packages' signatures"),
];

fn request(flags: &Parsed) -> Result<DependencyRequest, Failure> {
    if flags.is_set("verify") {
        let message = "--verify of dependencies is not supported yet: `helm verify` checks the archives in charts/";
        return Err(message.to_owned().into());
    }
    let path = normalize(Utf8Path::new(flags.arguments.first().map_or("", String::as_str)));
    request_for(flags, if path.as_str().is_empty() { Utf8Path::new(".") } else { &path })
}

fn request_for(flags: &Parsed, chart: &Utf8Path) -> Result<DependencyRequest, Failure> {
    Ok(DependencyRequest {
        chart: chart.to_owned(),
        access: access(flags),
        refresh: if flags.is_set("skip-refresh") { Refresh::Skip } else { Refresh::All },
        source_date_epoch: super::source_date_epoch(&super::world()?)?,
        timeout: DEFAULT_TIMEOUT,
    })
}

/// `--dependency-update` of other commands: fetches what the chart in a folder depends on.
pub(super) fn update_in_passing(flags: &Parsed, chart: &Utf8Path, said: &mut dyn FnMut(Said)) -> Result<(), Failure> {
    Ok(fetcher(flags)?.update_dependencies(&request_for(flags, chart)?, said)?)
}
