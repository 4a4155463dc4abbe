//! Where a chart lies that an argument names.

use super::Failure;
use super::flags::Parsed;
use super::network::{aside, chart_request, fetcher};
use super::verify::verify_chart;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_world::World;

/// The path of the chart that `reference` names: the reference itself, if it is a path, else that of the archive in
/// Helm's content cache, to which it is downloaded if it is not there.
pub(super) fn locate(flags: &Parsed, reference: &str, world: &dyn World) -> Result<Utf8PathBuf, Failure> {
    let request = chart_request(flags, reference)?;
    let path = Utf8Path::new(reference.trim());
    if request.repository.is_empty() && world.kind(path).is_some() {
        if flags.is_set("verify") {
            verify_chart(flags, path, world)?;
        }
        return Ok(path.to_owned());
    }
    if flags.is_set("verify") {
        let message =
            "--verify of a chart from the network is not supported yet: `helm pull --prov` it, then `helm verify`";
        return Err(message.to_owned().into());
    }
    Ok(fetcher(flags)?.locate(&request, &mut aside)?)
}
