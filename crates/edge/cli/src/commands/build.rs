//! `onepane build`: the manifests of clusters, groups or any folder.

use crate::atomic;
use crate::commands::decrypted_world::DecryptedWorld;
use crate::commands::open;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_repo::{BuildOptions, Manifests, Memo, Repository};
use onepane_world::{OsWorld, World};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Instant;

/// What `onepane build` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Clusters by name, or paths of folders with a kustomization [default: every cluster, and a summary]
    targets: Vec<String>,
    /// Write one file a target into this folder; `json` prints JSON and `yaml` YAML to stdout
    #[arg(short, long, value_name = "DIR|json|yaml")]
    output: Option<String>,
    /// Preview with another image: `NAME=NEW:TAG`, `NAME=NEW@DIGEST` or `NAME:TAG`, as in `kustomize edit set image`
    #[arg(long = "set-image", value_name = "IMAGE")]
    set_images: Vec<String>,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    /// Fail where a patch or replacement selects nothing, instead of warning
    #[arg(long)]
    strict: bool,
    /// Decrypt what SOPS has encrypted, sources of secret generators and manifests, as Flux does: prints secrets
    #[arg(long)]
    decrypt: bool,
    #[command(flatten)]
    results: crate::results::ResultsArguments,
}

/// One target and what came of it.
struct Outcome {
    unit: Utf8PathBuf,
    built: Manifests,
    milliseconds: f64,
}

/// Builds on all cores, then prints, writes or sums up.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, arguments.offline);
    let machine = OsWorld::unrestricted("/");
    let decrypted = arguments.decrypt.then(|| DecryptedWorld::new(&world, &machine));
    let files: &dyn World = decrypted.as_ref().map_or(&world, |decrypted| decrypted);
    // What was decrypted is kept nowhere.
    let store = if arguments.decrypt { None } else { arguments.results.store() };
    let memo = store.as_ref().map(|store| Memo::new(store));
    let repository = elsewhere.reached(Repository::open(files).map_err(&failure)?).with_memo(memo.as_ref());
    let units = match arguments.targets.as_slice() {
        [] => repository.clusters().map_err(&failure)?.iter().map(|name| repository.cluster_folder(name)).collect(),
        targets => {
            targets.iter().map(|target| repository.unit(target)).collect::<Result<Vec<_>, _>>().map_err(&failure)?
        }
    };
    let options = BuildOptions { origins: false, set_images: arguments.set_images.clone(), strict: arguments.strict };
    let outcomes = build(terminal, &repository, &units, &options, &root)?;
    arguments.results.report(terminal, memo.as_ref());
    // What is wrong with a common base is said once.
    let mut said = Vec::new();
    for warning in outcomes.iter().flat_map(|outcome| &outcome.built.warnings) {
        if !said.contains(&warning) {
            terminal.report(warning, &root);
            said.push(warning);
        }
    }
    match arguments.output.as_deref() {
        Some("json") => terminal.print(as_json(&outcomes)?.as_bytes())?,
        Some("yaml") => print_yaml(terminal, &outcomes)?,
        Some(folder) => {
            for outcome in &outcomes {
                let path = Utf8Path::new(folder).join(format!("{}.yaml", outcome.unit.as_str().replace('/', "-")));
                atomic::write(&path, outcome.built.to_yaml().as_bytes())?;
            }
            terminal.print(summary(&outcomes, start).as_bytes())?;
        }
        None if arguments.targets.is_empty() => terminal.print(summary(&outcomes, start).as_bytes())?,
        None => print_yaml(terminal, &outcomes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn build(
    terminal: &Terminal,
    repository: &Repository<'_>,
    units: &[Utf8PathBuf],
    options: &BuildOptions,
    root: &Utf8Path,
) -> Result<Vec<Outcome>, Failure> {
    let bar = terminal.progress(units.len(), "building");
    let results: Vec<Result<Outcome, Box<Diagnostic>>> = units
        .par_iter()
        .map(|unit| {
            let start = Instant::now();
            let built = repository.manifests(unit, options);
            bar.inc(1);
            built.map(|built| Outcome {
                unit: unit.clone(),
                built,
                milliseconds: start.elapsed().as_secs_f64() * 1000.0,
            })
        })
        .collect();
    bar.finish_and_clear();
    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(diagnostic) => failures.push(*diagnostic),
        }
    }
    if failures.is_empty() { Ok(outcomes) } else { Err(Failure::Found(failures, root.to_owned())) }
}

fn print_yaml(terminal: &Terminal, outcomes: &[Outcome]) -> Result<(), Failure> {
    let texts: Vec<String> = outcomes.iter().map(|outcome| outcome.built.to_yaml()).collect();
    terminal.print(texts.join("---\n").as_bytes())
}

/// A `v1` List for each target, under its path.
fn as_json(outcomes: &[Outcome]) -> Result<String, Failure> {
    let mut lists = serde_json::Map::new();
    for outcome in outcomes {
        let mut items = Vec::new();
        for manifest in &outcome.built.manifests {
            items.push(manifest.document()?);
        }
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
        lists.insert(outcome.unit.to_string(), list);
    }
    Ok(format!("{:#}\n", serde_json::Value::Object(lists)))
}

/// A row a target: resources, the kinds that there are most of, time.
fn summary(outcomes: &[Outcome], start: Instant) -> String {
    let width = outcomes.iter().map(|outcome| outcome.unit.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut total = 0;
    for outcome in outcomes {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for manifest in &outcome.built.manifests {
            *kinds.entry(&manifest.name.kind).or_default() += 1;
        }
        let count = outcome.built.manifests.len();
        total += count;
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        let rest = kinds.len().saturating_sub(5);
        let mut most: Vec<String> = kinds.iter().take(5).map(|(kind, count)| format!("{count} {kind}")).collect();
        if rest > 0 {
            most.push(format!("{rest} more kinds"));
        }
        let unit = outcome.unit.as_str();
        writeln!(text, "{unit:<width$}  {count:>4} resources  {:>6.1} ms  {}", outcome.milliseconds, most.join(", "))
            .expect("a string takes any text");
    }
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    writeln!(text, "{} targets, {total} resources, {milliseconds:.0} ms", outcomes.len())
        .expect("a string takes any text");
    text
}
