//! `onepane src status`: each service with its pin, what is checked out, and which clusters run what.

use super::chosen;
use crate::commands::OutputFormat;
use crate::commands::chosen_images::service_of;
use crate::commands::fleet::{columns, on_each, units};
use crate::commands::opened::Opened;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::FileId;
use onepane_git::{CheckedOut, Distance, LocalRepository, Service, short};
use onepane_repo::{BuildOptions, Memo};
use onepane_resource::{ImageName, Manifest, images};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// What `onepane src status` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only these services
    services: Vec<String>,
    /// Do not look at what clusters run
    #[arg(long)]
    no_clusters: bool,
    /// End with 1 where a service is not as it is pinned, or its pin is nowhere else
    #[arg(long)]
    exit_code: bool,
    /// How to report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// A service, and the versions of it that clusters run.
struct Row {
    service: Service,
    runs: Vec<Running>,
}

/// A version of a service that clusters run.
struct Running {
    image: String,
    /// Its commit, where the tag is one, or a tag of the service.
    commit: Option<String>,
    clusters: BTreeSet<String>,
}

/// Looks, and prints a row each.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let opened = Opened::at(directory, arguments.offline)?;
    let git = LocalRepository::of(&opened.root)?;
    // An image's service may be one that is not asked for.
    let listed = git.services(&opened.world);
    let services = chosen(listed.clone(), &arguments.services)?;
    let mut images = match arguments.no_clusters {
        true => BTreeMap::new(),
        false => running(terminal, &opened, &listed, arguments)?,
    };
    let rows = services.into_iter().map(|service| {
        let images = images.remove(&service.path).unwrap_or_default();
        let runs = images.into_iter().map(|(image, clusters)| {
            let tag = ImageName::parse(&image).tag.to_owned();
            Running { commit: git.commit_of_tag(&service.path, &tag), image, clusters }
        });
        Row { runs: runs.collect(), service }
    });
    let rows: Vec<Row> = rows.collect();
    let text = match arguments.output {
        OutputFormat::Text => table(&rows),
        OutputFormat::Json => format!("{:#}\n", Value::from_iter(rows.iter().map(as_json))),
    };
    terminal.print(text.as_bytes())?;
    let is_well = rows.iter().all(|row| state(&row.service).is_empty());
    Ok(if arguments.exit_code && !is_well { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The images of all clusters by the service that they are of, with the clusters that run each.
fn running(
    terminal: &Terminal,
    opened: &Opened,
    services: &[Service],
    arguments: &Arguments,
) -> Result<BTreeMap<Utf8PathBuf, BTreeMap<String, BTreeSet<String>>>, Failure> {
    let store = arguments.results.store();
    let memo = store.as_ref().map(|store| Memo::new(store));
    let repository = opened.repository()?.with_memo(memo.as_ref());
    let units: Vec<Utf8PathBuf> = units(&repository, &[]).map_err(opened.failure())?;
    let run = |unit: &Utf8Path| {
        let built = repository.manifests(unit, &BuildOptions::default())?;
        Ok(built.manifests.iter().flat_map(images_of).collect::<BTreeSet<String>>())
    };
    let clusters = on_each(terminal, &repository, &opened.root, &units, run, &mut |_| {});
    arguments.results.report(terminal, memo.as_ref());
    let mut found: BTreeMap<Utf8PathBuf, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (cluster, images) in clusters {
        for image in images {
            let Some(service) = service_of(services, &image) else { continue };
            found.entry(service.path.clone()).or_default().entry(image).or_default().insert(cluster.clone());
        }
    }
    Ok(found)
}

fn images_of(manifest: &Manifest) -> Vec<String> {
    // Most have none, and reading takes long.
    if !manifest.yaml.contains("image") {
        return Vec::new();
    }
    let nodes = onepane_yaml::read(&manifest.yaml, FileId::new(Utf8Path::new("built"))).unwrap_or_default();
    nodes.iter().flat_map(images).map(str::to_owned).collect()
}

fn table(rows: &[Row]) -> String {
    let row = |Row { service, runs }: &Row| {
        let pinned = service.pinned.as_deref().map_or("nothing", short).to_owned();
        let here = service.here.as_ref().map_or_else(String::new, |here| match (&here.branch, &here.tag) {
            (Some(branch), _) => format!("{} {branch}", short(&here.commit)),
            (None, Some(tag)) => format!("{} {tag}", short(&here.commit)),
            (None, None) => short(&here.commit).to_owned(),
        });
        let state = state(service);
        let state = if state.is_empty() { "as pinned".to_owned() } else { state.join(", ") };
        let runs = runs.iter().map(|running| {
            let image = ImageName::parse(&running.image);
            let version =
                [image.tag, image.digest, "no tag"].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            let clusters: Vec<&str> = running.clusters.iter().map(String::as_str).collect();
            format!("{} on {}", version.get(..20).unwrap_or(version), clusters.join(", "))
        });
        [service.path.to_string(), pinned, here, state, runs.collect::<Vec<_>>().join("; ")]
    };
    columns(["SERVICE", "PINNED", "HERE", "STATE", "RUNS"], &rows.iter().map(row).collect::<Vec<_>>())
}

/// What is to be told of a service, in words; nothing where it is as it is pinned.
fn state(service: &Service) -> Vec<String> {
    let mut words = Vec::new();
    match (&service.pinned, &service.committed) {
        (None, _) => words.push("no commit is pinned".to_owned()),
        (Some(pinned), Some(committed)) if pinned != committed => {
            words.push(format!("the pin moved from {}, not committed", short(committed)));
        }
        (Some(_), None) => words.push("the pin is new, not committed".to_owned()),
        _ => {}
    }
    let Some(here) = &service.here else {
        words.push("not checked out".to_owned());
        return words;
    };
    match here.from_pin {
        Some(distance) => words.extend(distance_words(distance, "the pin")),
        None if service.pinned.is_some() => words.push("the pin's commit is not on this machine".to_owned()),
        None => {}
    }
    if here.is_dirty {
        words.push("files changed".to_owned());
    }
    if here.is_pushed == Some(false) {
        words.push("not pushed".to_owned());
    }
    // That a pin is behind the newest is no news, but of a branch that somebody works on.
    if let (Some((upstream, distance)), Some(_)) = (&here.upstream, &here.branch) {
        words.extend(distance_words(*distance, upstream));
    }
    words
}

fn distance_words(Distance { ahead, behind }: Distance, of: &str) -> Option<String> {
    match (ahead, behind) {
        (0, 0) => None,
        (ahead, 0) => Some(format!("{ahead} ahead of {of}")),
        (0, behind) => Some(format!("{behind} behind {of}")),
        (ahead, behind) => Some(format!("{ahead} ahead of {of} and {behind} behind")),
    }
}

fn as_json(Row { service, runs }: &Row) -> Value {
    let distance = |Distance { ahead, behind }: &Distance| json!({"ahead": ahead, "behind": behind});
    let here = service.here.as_ref().map(|here| {
        let CheckedOut { commit, branch, tag, is_dirty, from_pin, upstream, is_pushed } = here;
        let upstream = upstream.as_ref().map(|(name, from)| {
            let mut upstream = distance(from);
            upstream["branch"] = Value::from(name.clone());
            upstream
        });
        json!({
            "commit": commit, "branch": branch, "tag": tag, "dirty": is_dirty, "fromPin": from_pin.as_ref().map(distance),
            "upstream": upstream, "pushed": is_pushed,
        })
    });
    let runs = runs.iter().map(|one| json!({"image": one.image, "commit": one.commit, "clusters": one.clusters}));
    json!({
        "name": service.name, "path": service.path.as_str(), "url": service.url, "branch": service.branch,
        "committed": service.committed, "pinned": service.pinned, "here": here, "state": state(service),
        "runs": Value::from_iter(runs),
    })
}
