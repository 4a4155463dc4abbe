//! `onepane src pin`: services pinned to other commits, and an environment to the images that were made of them.

use super::chosen;
use crate::commands::change_log::ChangeLogs;
use crate::commands::chosen_images::ChosenImages;
use crate::commands::delivery::{Delivery, Edit, State};
use crate::commands::promote::{CarryArguments, Journey, NewPin, carried, carry, pinned};
use crate::commands::pull_secrets::PullAccess;
use crate::commands::registry::{Registries, Wanted, tags_of_commit};
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::{LocalRepository, Service, short};
use onepane_repo::Promotion;
use onepane_resource::ImageName;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What `onepane src pin` takes.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Services, each with the commit, tag or branch that it gets [default: what is checked out of it]
    #[arg(value_name = "SERVICE[=REVISION]", required = true)]
    services: Vec<String>,
    /// The environment that gets the images which were made of these commits: a cluster, or a folder such as groups/dev
    #[arg(long = "in", value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// Say the digests of images, too
    #[arg(long, requires = "environment")]
    digest: bool,
    /// Ask registries by HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    /// Even if a pin goes backwards, or its commit is on no remote
    #[arg(long)]
    allow_older: bool,
    /// Leave a service as it is where it is pinned to a newer commit, which is no error then
    #[arg(long, conflicts_with = "allow_older")]
    keep_newer: bool,
    #[command(flatten)]
    common: CarryArguments,
}

/// A service, and the commit that it gets.
struct Target {
    path: Utf8PathBuf,
    commit: String,
}

pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let delivery = Delivery::open(terminal, directory)?;
    let services = delivery.git.listed_services(&delivery.disk);
    let targets = targets(&delivery.git, &services, arguments)?;
    let title = |names: &str| match &arguments.environment {
        Some(environment) => format!("Pin {names}, also in {environment}"),
        None => format!("Pin {names}"),
    };
    let changed =
        |pinned: &BTreeMap<Utf8PathBuf, String>| changed(terminal, &delivery.git, &targets, arguments, pinned);
    let Some(environment) = &arguments.environment else {
        let common = &arguments.common;
        let logs = ChangeLogs::new(&delivery.git, &services, &common.delivery, common.offline);
        let edit = |state: &State<'_>| {
            let pinned = pinned(&delivery.git, state)?;
            let pins = changed(&pinned)?;
            if pins.is_empty() {
                return Ok(None);
            }
            let plan = delivery.plan(terminal, state, &BTreeMap::new(), &pins, &arguments.common.compared())?;
            let log = logs.of(&title, &Promotion::default(), &pins);
            let carried = carried(&Promotion::default(), &pins);
            let pins = pins.into_iter().map(|pin| (pin.path, pin.after)).collect();
            Ok(Some(Edit { files: BTreeMap::new(), pins, log, plan, reviewers: Vec::new(), carried }))
        };
        let (is_changed, code) = delivery.run(terminal, &common.delivery, &common.report, "pin", &edit)?;
        if !is_changed {
            terminal.note("the services are pinned so already");
        }
        return Ok(code);
    };
    let registries = Registries::new();
    let access = PullAccess::new(terminal, arguments.plain_http);
    let journey = Journey {
        to: environment,
        from: Some("a registry"),
        title: &title,
        branch: format!("pin/{environment}"),
        pins: &|bench, _| changed(&pinned(bench.git, bench.state)?),
    };
    let names = targets.iter().map(|target| target.path.to_string()).collect();
    let images = ChosenImages { services: names, all_images: false };
    carry(terminal, directory, &images, &arguments.common, &journey, &|bench| {
        let repository = bench.repository()?;
        let unit = repository.unit(environment).map_err(&bench.state.failure)?;
        let mut running = repository.running(&unit, &bench.is_wanted(&images)).map_err(&bench.state.failure)?;
        let pinned = pinned(bench.git, bench.state)?;
        for (image, version) in &mut running.wanted {
            let base = ImageName::parse(image).base();
            let service = bench.service_of(image).map(|service| &service.path);
            let by_service = targets.iter().find(|target| Some(&target.path) == service);
            let by_name = || targets.iter().find(|target| target.path.file_name() == Some(base));
            let Some(target) = by_service.or_else(by_name) else { continue };
            if arguments.keep_newer && is_newer(bench.git, target, &pinned)? {
                continue;
            }
            let candidates = tags_of_commit(bench.git, &target.path, &target.commit);
            let there = access.tags(&registries, bench, &unit, image)?;
            let access = access.of(image);
            let Some(tag) = candidates.iter().find(|tag| there.contains(tag)) else {
                let message = format!("no image of `{image}` is tagged as the commit {}", short(&target.commit));
                return Err(Diagnostic::error("image-absent", message)
                    .hint(format!("it would have one of the tags {}", candidates.join(", ")))
                    .into());
            };
            let wanted = Wanted { name: image, access: &access, with_digest: arguments.digest };
            *version = registries.version(&wanted, tag, &version.clone(), Some(&target.commit))?;
        }
        Ok(running)
    })
}

/// What the arguments mean.
fn targets(git: &LocalRepository, services: &[Service], arguments: &Arguments) -> Result<Vec<Target>, Failure> {
    let target = |text: &String| {
        let (name, revision) = text.split_once('=').unwrap_or((text, ""));
        let service = chosen(services.to_vec(), &[name.to_owned()])?.remove(0);
        let commit = git.commit_in(&service.path, revision)?;
        if !arguments.allow_older && git.is_pushed(&service.path, &commit) == Some(false) {
            let message = format!("the commit {} of {} is on no remote", short(&commit), service.path);
            return Err(Failure::from(
                Diagnostic::error("src-not-pushed", message)
                    .hint("push it, so that others have it; `--allow-older` pins it all the same"),
            ));
        }
        Ok(Target { path: service.path, commit })
    };
    arguments.services.iter().map(target).collect()
}

/// Whether a service is pinned to a commit that came after the one that it is to get.
fn is_newer(git: &LocalRepository, target: &Target, pinned: &BTreeMap<Utf8PathBuf, String>) -> Result<bool, Failure> {
    let Target { path, commit } = target;
    let Some(before) = pinned.get(path).filter(|before| *before != commit) else { return Ok(false) };
    let range = git.range(path, before, commit, 0).ok_or_else(|| {
        let message = format!("{path} is pinned to {}, which its clone here does not have", short(before));
        Diagnostic::error("src-unknown-pin", message)
            .hint(format!("`git -C {path} fetch` brings it, so that it shows which commit is newer"))
    })?;
    Ok(range.goes_back && range.unlisted == 0)
}

/// The pins that change. None goes backwards unasked.
fn changed(
    terminal: &Terminal,
    git: &LocalRepository,
    targets: &[Target],
    arguments: &Arguments,
    pinned: &BTreeMap<Utf8PathBuf, String>,
) -> Result<Vec<NewPin>, Failure> {
    let mut pins = Vec::new();
    for target in targets {
        let Target { path, commit } = target;
        let before = pinned.get(path).cloned();
        if before.as_ref() == Some(commit) {
            continue;
        }
        if arguments.keep_newer && is_newer(git, target, pinned)? {
            terminal.note(&format!("{path} is pinned to a newer commit than {}", short(commit)));
            continue;
        }
        let goes_back =
            before.as_ref().and_then(|before| git.range(path, before, commit, 0)).is_some_and(|range| range.goes_back);
        if goes_back && !arguments.allow_older {
            let from = before.as_deref().map_or("", short);
            let message = format!("the pin of {path} would go backwards, from {from} to {}", short(commit));
            return Err(Diagnostic::error("src-goes-back", message)
                .hint("`--allow-older` lets it, `--keep-newer` leaves a newer one as it is")
                .into());
        }
        pins.push(NewPin { path: path.clone(), before, after: commit.clone() });
    }
    Ok(pins)
}
