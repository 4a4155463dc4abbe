//! `helm dependency`: what a chart depends on.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::table::table;
use super::{Failure, print, world};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_chart::{Chart, Dependency, Origins, is_compatible, load};
use onepane_semver::{Constraint, Version};
use onepane_world::{EntryKind, OsWorld, World};

pub(super) const LIST: Command = Command {
    path: &["dependency", "list"],
    aliases: &["ls"],
    usage: "CHART",
    about: "list a chart's dependencies and whether they are there",
    flags: &[LIST_FLAGS],
    arguments: Arguments::AtMost(1),
    run: list,
};

const LIST_FLAGS: &[Flag] = &[flag("max-col-width", Kind::Integer, "the widest a column may be (default 80)")];

fn list(flags: &Parsed) -> Result<(), Failure> {
    let world = world()?;
    let path = Utf8Path::new(flags.arguments.first().map_or(".", String::as_str));
    let path = onepane_world::normalize(path);
    let chart = load(&path, &world, Origins::Untracked, &mut |_| {})?;
    let charts = onepane_world::normalize(&path.join("charts"));
    let Some(dependencies) = &chart.metadata.dependencies else {
        print(format!("WARNING: no dependencies at {charts}\n").as_bytes());
        return Ok(());
    };
    let width = flags.text("max-col-width").and_then(|width| width.parse().ok()).unwrap_or(80);
    let head = ["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned);
    let row = |dependency: &Dependency| {
        let status = status(&charts, dependency, &chart, &world);
        [dependency.name.clone(), dependency.version.clone(), dependency.repository.clone(), status.to_owned()]
    };
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(dependencies.iter().map(row)).collect();
    let mut text = table(&rows, width);
    text.push('\n');
    for (path, kind) in entries(&charts, &world) {
        if kind != EntryKind::Folder && path.extension() != Some("tgz") {
            continue;
        }
        match load(&path, &world, Origins::Untracked, &mut |_| {}) {
            Err(_) => text += &format!("WARNING: {:?} is not a chart.\n", path.as_str()),
            Ok(found) if !dependencies.iter().any(|dependency| dependency.name == found.name()) => {
                text += &format!("WARNING: {:?} is not in Chart.yaml.\n", path.as_str());
            }
            Ok(_) => {}
        }
    }
    print(text.as_bytes());
    Ok(())
}

/// What lies in a folder, by name; what starts with a dot is not looked at.
fn entries(folder: &Utf8Path, world: &OsWorld) -> Vec<(Utf8PathBuf, EntryKind)> {
    let mut entries: Vec<_> = world.list(folder).unwrap_or_default().into_iter().collect();
    entries.retain(|entry| !entry.name.starts_with('.'));
    let mut found: Vec<_> = entries.into_iter().map(|entry| (folder.join(&entry.name), entry.kind)).collect();
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Whether a dependency is there as an archive (`ok`) or a folder (`unpacked`), or what is wrong with it.
fn status(charts: &Utf8Path, dependency: &Dependency, parent: &Chart, world: &OsWorld) -> &'static str {
    let version_in = |path: &Utf8Path| {
        let rest = path.file_name()?.strip_prefix(&dependency.name)?.strip_prefix('-')?;
        rest.strip_suffix(".tgz").map(str::to_owned)
    };
    let archives: Vec<(Utf8PathBuf, String)> = entries(charts, world)
        .into_iter()
        .filter_map(|(path, _)| version_in(&path).map(|version| (path, version)))
        .collect();
    let versioned: Vec<_> = match archives.as_slice() {
        [_] => archives,
        _ => archives.into_iter().filter(|(_, version)| Version::parse_strict(version).is_ok()).collect(),
    };
    match versioned.as_slice() {
        [] => {}
        [(archive, _)] => {
            return match load(archive, world, Origins::Untracked, &mut |_| {}) {
                Err(_) => "corrupt",
                Ok(chart) if chart.name() != dependency.name => "misnamed",
                Ok(chart) => fit(&chart, dependency).unwrap_or("ok"),
            };
        }
        _ => return "too many matches",
    }
    match parent.dependencies.iter().rfind(|chart| chart.name() == dependency.name) {
        None => "missing",
        Some(chart) => fit(chart, dependency).unwrap_or("unpacked"),
    }
}

/// What is wrong with a chart's version.
fn fit(chart: &Chart, dependency: &Dependency) -> Option<&'static str> {
    let version = &chart.metadata.version;
    if *version == dependency.version || is_compatible(&dependency.version, version) {
        return None;
    }
    let readable = Constraint::parse(&dependency.version).is_ok() && Version::parse(version).is_ok();
    Some(if readable { "wrong version" } else { "invalid version" })
}
