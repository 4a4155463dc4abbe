//! Where a chart lies that an argument names.

use super::Failure;
use super::flags::Parsed;
use super::network::{aside, chart_request, fetcher};
use super::verify::{verify_chart, verify_fetched};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::Provenance;
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
    let verify = |archive: &[u8], provenance: &[u8], name: &str| {
        verify_fetched(flags, world, archive, provenance, name).map(drop)
    };
    let provenance = if flags.is_set("verify") { Provenance::Verify(&verify) } else { Provenance::Skip };
    Ok(fetcher(flags)?.locate(&request, provenance, &mut aside)?)
}
