//! Any bytes as a chart's archive, and any bytes as the tar inside it, load or are refused.
#![no_main]

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use onepane_chart::{Origins, load};
use onepane_world::MemoryWorld;
use std::io::Write;

fuzz_target!(|bytes: &[u8]| {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    let packed = gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory takes it");
    for archive in [bytes, packed.as_slice()] {
        let world = MemoryWorld::new().with("c.tgz", archive);
        let _ = load("c.tgz".into(), &world, Origins::Untracked, &mut |_| {});
    }
});
