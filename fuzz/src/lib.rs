//! What fuzz targets share.

use onepane_kustomize::{Options, build};
use onepane_world::MemoryWorld;

/// Builds what `world` starts with, with and without origins: both give the same bytes or the same error.
pub fn assert_same(world: &MemoryWorld) {
    let built = |origins| {
        let options = Options { origins, ..Options::default() };
        build(world, "".into(), &options).and_then(|built| built.to_yaml()).map_err(|error| error.message)
    };
    assert_eq!(built(false), built(true));
}
