//! A chart's defaults, its subchart's, a values file and `--set` texts, parted by form feeds, coalesce or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onepane_chart::{Compat, Origins, SetKind, coalesce_values, load, parse_values, process_dependencies, set_into};
use onepane_world::MemoryWorld;

fuzz_target!(|text: &str| {
    let mut parts = text.split('\u{c}');
    let mut part = || parts.next().unwrap_or_default();
    let world = MemoryWorld::new()
        .with(
            "p/Chart.yaml",
            "apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies:\n- {name: s, version: 1.x, \
                               condition: s.enabled, import-values: [data, {child: a, parent: b}]}\n",
        )
        .with("p/values.yaml", part())
        .with("p/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
        .with("p/charts/s/values.yaml", part());
    let Ok(given) = parse_values(part().as_bytes(), None) else { return };
    for text in parts {
        let _ = set_into(&given, text, SetKind::Typed, None);
        let _ = set_into(&given, text, SetKind::Json, None);
    }
    for compat in [Compat::Helm4, Compat::Helm3] {
        let Ok(mut chart) = load("p".into(), &world, Origins::Untracked, &mut |_| {}) else { continue };
        if process_dependencies(&mut chart, &given, compat, &mut |_| {}).is_ok() {
            let _ = coalesce_values(&chart, &given, compat, &mut |_| {});
        }
    }
});
