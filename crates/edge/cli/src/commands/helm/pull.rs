//! `helm pull`: a chart's archive, as it is or unpacked.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::{CHART_LOCATION, DEVELOPMENT, SERVER};
use super::flags::{Flag, Kind, Parsed, flag, short};
use super::network::{chart_request, fetcher, out};
use super::verify::{say_verified, verify_fetched};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_fetch::{Fetcher, Provenance, Said};
use onepane_world::normalize;
use std::cell::RefCell;

pub(super) const COMMAND: Command = Command {
    path: &["pull"],
    aliases: &["fetch"],
    usage: "[chart URL | repo/chartname] [...]",
    about: "download charts from repositories and registries",
    arguments: Arguments::AtLeast(1),
    flags: &[FLAGS, SERVER, CHART_LOCATION, DEVELOPMENT],
    run,
};

const FLAGS: &[Flag] = &[
    short('d', "destination", Kind::Text, "the folder that it is written to; the current one by default"),
    flag("prov", Kind::Bool, "fetch the provenance file too, without checking it"),
    flag("untar", Kind::Bool, "unpack it"),
    flag("untardir", Kind::Text, "with --untar: the folder it is unpacked in, below the destination"),
];

/// Fetches the chart that a kustomization inflates into the folder that it looks in, and prints nothing.
pub(crate) fn pull_for_kustomize(chart: &onepane_kustomize::ChartRequest) -> onepane_diagnostics::Result<()> {
    let mut arguments = Vec::new();
    let reference = match chart.repo.strip_prefix("oci://") {
        Some(_) => format!("{}/{}", chart.repo.trim_end_matches('/'), chart.name),
        None => {
            arguments.push(format!("--repo={}", chart.repo));
            chart.name.clone()
        }
    };
    if !chart.version.is_empty() {
        arguments.push(format!("--version={}", chart.version));
    }
    if chart.devel {
        arguments.push("--devel".to_owned());
    }
    let pull = || -> Result<(), Failure> {
        let flags = super::flags::parse(COMMAND.flags, &arguments)?;
        let request = chart_request(&flags, &reference)?;
        fetcher(&flags)?.download_unpacked(&request, &chart.home, Provenance::Skip, &mut |_| {})?;
        Ok(())
    };
    pull().map_err(|failure| {
        let message = format!("the chart '{}' can't be fetched: {}", chart.name, failure.message);
        Diagnostic::error("kustomize-helm", message)
    })
}

fn run(flags: &Parsed) -> Result<(), Failure> {
    let fetcher = fetcher(flags)?;
    let destination = Utf8Path::new(flags.text("destination").unwrap_or("."));
    for chart in &flags.arguments {
        if flags.is_set("untar") {
            let folder = match flags.text("untardir").unwrap_or(".") {
                "." => normalize(destination),
                below => normalize(&destination.join(below)),
            };
            let folder = if folder.as_str().is_empty() { Utf8PathBuf::from(".") } else { folder };
            unpacked(flags, &fetcher, chart, &folder, &mut out)?;
        } else {
            let request = chart_request(flags, chart)?;
            with_provenance(flags, &mut out, |provenance, said| {
                Ok(fetcher.download(&request, destination, provenance, said)?)
            })?;
        }
    }
    Ok(())
}

/// Fetches a chart and unpacks it to its folder in `folder`, which it gives.
pub(super) fn unpacked(
    flags: &Parsed,
    fetcher: &Fetcher,
    chart: &str,
    folder: &Utf8Path,
    said: &mut dyn FnMut(Said),
) -> Result<Utf8PathBuf, Failure> {
    let request = chart_request(flags, chart)?;
    with_provenance(flags, said, |provenance, said| Ok(fetcher.download_unpacked(&request, folder, provenance, said)?))
}

/// Fetches with what `--verify` and `--prov` ask for, and says who signed.
fn with_provenance<T>(
    flags: &Parsed,
    said: &mut dyn FnMut(Said),
    fetch: impl FnOnce(Provenance<'_>, &mut dyn FnMut(Said)) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let world = super::world()?;
    let verified = RefCell::new(None);
    let verify = |archive: &[u8], provenance: &[u8], name: &str| {
        *verified.borrow_mut() = Some(verify_fetched(flags, &world, archive, provenance, name)?);
        Ok(())
    };
    let provenance = match (flags.is_set("verify"), flags.is_set("prov")) {
        (true, _) => Provenance::Verify(&verify),
        (false, true) => Provenance::Fetch,
        (false, false) => Provenance::Skip,
    };
    let fetched = fetch(provenance, said)?;
    if let Some(verified) = verified.take() {
        say_verified(&verified, said);
    }
    Ok(fetched)
}
