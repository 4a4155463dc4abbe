//! Files parted by form feeds, the first line of each its path, build or are refused, the same with and without origins.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_fuzz::assert_same;
use onepane_world::MemoryWorld;

fuzz_target!(|text: &str| {
    let files = text.split('\u{c}').filter_map(|file| file.split_once('\n'));
    assert_same(&files.fold(MemoryWorld::new(), |world, (path, contents)| world.with(path, contents)));
});
