//! Resources and replacements, parted by a form feed, build or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_fuzz::assert_same;
use onepane_world::MemoryWorld;

fuzz_target!(|text: &str| {
    let (resources, replacements) = text.split_once('\u{c}').unwrap_or((text, ""));
    let kustomization = "resources: [resources.yaml]\nreplacements:\n- path: replacements.yaml\n";
    let world = MemoryWorld::new().with("resources.yaml", resources).with("replacements.yaml", replacements);
    assert_same(&world.with("kustomization.yaml", kustomization));
});
