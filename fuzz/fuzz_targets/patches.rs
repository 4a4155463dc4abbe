//! Resources, a patch and a name, parted by form feeds: the patch goes to the resource that it names and to all that are
//! called so, as a strategic merge or by operations, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_fuzz::assert_same;
use onepane_world::MemoryWorld;

fuzz_target!(|text: &str| {
    let mut parts = text.split('\u{c}');
    let mut part = || parts.next().unwrap_or_default();
    let (resources, patch, name) = (part(), part(), part());
    let world = MemoryWorld::new().with("resources.yaml", resources).with("patch.yaml", patch).with("name", name);
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    for target in [String::new(), format!("\n  target: {{name: '{name}'}}"), "\n  target: {kind: .*}".to_owned()] {
        let kustomization = format!("resources: [resources.yaml]\npatches:\n- path: patch.yaml{target}\n");
        assert_same(&world.clone().with("kustomization.yaml", &*kustomization));
    }
});
