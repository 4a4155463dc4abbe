//! `helm dependency update` and `helm dependency build`: the archives in a chart's `charts/`.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::SERVER;
use super::flags::{Flag, Kind, Parsed, flag};
use super::network::{access, fetcher, out};
use super::verify::verify_fetched;
use camino::Utf8Path;
use onepane_fetch::{DEFAULT_TIMEOUT, DependencyRequest, Provenance, Refresh, Said};
use onepane_world::normalize;

pub(super) const UPDATE: Command = Command {
    path: &["dependency", "update"],
    aliases: &["up"],
    usage: "CHART",
    about: "fetch the newest dependencies that fit Chart.yaml, and lock them",
    arguments: Arguments::AtMost(1),
    flags: &[FLAGS, SERVER],
    run: |flags| run(flags, Strictness::Always),
};

pub(super) const BUILD: Command = Command {
    path: &["dependency", "build"],
    aliases: &[],
    usage: "CHART",
    about: "fetch the dependencies that Chart.lock names",
    arguments: Arguments::AtMost(1),
    flags: &[FLAGS, SERVER],
    run: |flags| run(flags, Strictness::IfPossible),
};

const FLAGS: &[Flag] = &[
    flag("keyring", Kind::Text, "the public keys for --verify"),
    flag("skip-refresh", Kind::Bool, "don't fetch the indexes of repositories"),
    flag("verify", Kind::Bool, "check the packages' signatures"),
];

/// What `--verify` asks for. Helm is less strict where the lock file has the versions.
enum Strictness {
    /// Every archive must be signed: `update`.
    Always,
    /// Those that are signed must be signed well: `build`.
    IfPossible,
}

fn run(flags: &Parsed, strictness: Strictness) -> Result<(), Failure> {
    let world = super::world()?;
    let verify = |archive: &[u8], provenance: &[u8], name: &str| {
        verify_fetched(flags, &world, archive, provenance, name).map(drop)
    };
    let provenance = match strictness {
        _ if !flags.is_set("verify") => Provenance::Skip,
        Strictness::Always => Provenance::Verify(&verify),
        Strictness::IfPossible => Provenance::VerifyIfPresent(&verify),
    };
    let path = normalize(Utf8Path::new(flags.arguments.first().map_or("", String::as_str)));
    let path = if path.as_str().is_empty() { Utf8Path::new(".") } else { &path };
    let request = DependencyRequest { provenance, ..request_for(flags, path)? };
    match strictness {
        Strictness::Always => Ok(fetcher(flags)?.update_dependencies(&request, &mut out)?),
        Strictness::IfPossible => Ok(fetcher(flags)?.build_dependencies(&request, &mut out)?),
    }
}

pub(super) fn request_for(flags: &Parsed, chart: &Utf8Path) -> Result<DependencyRequest<'static>, Failure> {
    Ok(DependencyRequest {
        chart: chart.to_owned(),
        access: access(flags),
        refresh: if flags.is_set("skip-refresh") { Refresh::Skip } else { Refresh::All },
        source_date_epoch: super::source_date_epoch(&super::world()?)?,
        timeout: DEFAULT_TIMEOUT,
        provenance: Provenance::Skip,
    })
}

/// `--dependency-update` of other commands: fetches what the chart in a folder depends on.
pub(super) fn update_in_passing(flags: &Parsed, chart: &Utf8Path, said: &mut dyn FnMut(Said)) -> Result<(), Failure> {
    Ok(fetcher(flags)?.update_dependencies(&request_for(flags, chart)?, said)?)
}
