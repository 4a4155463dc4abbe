//! What origins cost: the releases of a repository rendered and its clusters built with origins and without, in turn,
//! the minimum of each.
//!
//! `cargo bench -p onepane-repo --bench origins -- DIR…` measures each DIR: a repository, as `onepane init --example`
//! makes one, or a chart. It prints times and ratios, and fails only where the two differ in a byte.

use onepane_chart::Origins;
use onepane_helm::{Capabilities, Early, Release, RenderOptions, Schemas, render};
use onepane_repo::{BuildOptions, Repository};
use onepane_value::Map;
use onepane_world::OsWorld;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;

fn main() {
    // `cargo bench` adds a flag of its own.
    let folders: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if folders.is_empty() {
        println!("SKIPPED: name a repository, as in `cargo bench -p onepane-repo --bench origins -- target/shop`");
    }
    for folder in folders {
        let world = OsWorld::within(&folder).unwrap_or_else(|error| panic!("{error}"));
        if std::path::Path::new(&folder).join("Chart.yaml").exists() {
            measure_chart(&folder, &world);
        } else {
            measure_repository(&world);
        }
    }
}

fn measure_chart(folder: &str, world: &OsWorld) {
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder);
    // A chart may print random values, so the bytes are not compared.
    measure(&format!("render, {name}"), |origins| {
        let origins = if origins { Origins::Tracked } else { Origins::Untracked };
        let mut early = Early::new(origins);
        let chart = early.load(".".into(), world, origins.into(), &mut |_| {});
        let chart = chart.unwrap_or_else(|error| panic!("{error}"));
        let options = RenderOptions {
            release: Release { name: "release".into(), namespace: "default".into(), ..Release::default() },
            capabilities: Capabilities::default(),
            schemas: Schemas::Checked,
            origins,
            compat: onepane_chart::Compat::Helm4,
            explain: None,
        };
        let rendered = render(chart, &Map::new(), &options, world, early, &mut |_| {});
        std::hint::black_box(rendered.unwrap_or_else(|error| panic!("{}", error.diagnostic)));
        Vec::new()
    });
}

fn measure_repository(world: &OsWorld) {
    let open = || Repository::open(world).unwrap_or_else(|error| panic!("{error}"));
    measure("render, all releases", |origins| {
        let repository = open();
        let state = repository.state("default").unwrap_or_else(|error| panic!("{error}"));
        let origins = if origins { Origins::Tracked } else { Origins::Untracked };
        let render = |release| repository.render_tracked(release, origins).unwrap_or_else(|error| panic!("{error}"));
        let files = state.releases.iter().map(render).flat_map(|release| release.files);
        files.map(|file| file.contents).collect::<Vec<_>>()
    });
    for cluster in open().clusters().unwrap_or_else(|error| panic!("{error}")) {
        measure(&format!("build, {cluster}"), |origins| {
            // A repository of its own each time, so that no base is remembered.
            let repository = open();
            let options = BuildOptions { origins, ..BuildOptions::default() };
            let unit = repository.unit(&cluster).unwrap_or_else(|error| panic!("{error}"));
            let built = repository.build(&unit, &options).unwrap_or_else(|error| panic!("{error}"));
            vec![built.to_yaml().unwrap_or_else(|error| panic!("{error}"))]
        });
    }
}

fn measure(what: &str, work: impl Fn(bool) -> Vec<String>) {
    assert!(work(true) == work(false), "{what}: origins change the output");
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (origins, best) in [false, true].into_iter().zip(&mut best) {
            let start = Instant::now();
            std::hint::black_box(work(origins));
            *best = start.elapsed().min(*best);
        }
    }
    let [without, with] = best.map(|time| time.as_secs_f64() * 1000.0);
    println!("{what:<28} without {without:7.2} ms   with {with:7.2} ms   ratio {:.2}", with / without);
}
