//! `onepane bump`: the newest images by a policy, in an environment or in all lines that follow one of Flux's ImagePolicies.

mod access;

use crate::commands::change_log::ChangeLog;
use crate::commands::chosen_images::ChosenImages;
use crate::commands::delivery::{Delivery, Edit, State};
use crate::commands::live;
use crate::commands::promote::{Bench, CarryArguments, Journey, NewPin, carry, pinned};
use crate::commands::pull_secrets::PullAccess;
use crate::commands::registry::{Registries, Wanted};
use crate::terminal::{Failure, Terminal};
use access::{Accesses, Told};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::{Diagnostic, FileId, Severity};
use onepane_images::{ImagePolicy, ImageRepository, Newest, Order, Policy, TagFilter, has_markers, set_markers};
use onepane_repo::{Promotion, Repository, Version};
use onepane_world::{EntryKind, World};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

/// What `onepane bump` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: ChosenImages,
    /// The environment whose images are followed: a cluster, or a folder such as groups/dev [default: the lines with a comment
    /// `# {"$imagepolicy": "NAMESPACE:NAME"}`, by the ImagePolicies of Flux in the repository]
    #[arg(long = "in", value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// The highest version in this range [default: any that is not before what runs]
    #[arg(long, value_name = "RANGE", requires = "environment")]
    semver: Option<String>,
    /// The last tag by the order of letters
    #[arg(long, requires = "environment", conflicts_with_all = ["semver", "numerical"])]
    alphabetical: bool,
    /// The last tag by the order of numbers
    #[arg(long, requires = "environment", conflicts_with = "semver")]
    numerical: bool,
    /// Only tags that this regular expression matches, as `^main-[a-f0-9]+-(?P<time>[0-9]+)$`
    #[arg(long, value_name = "REGEX", requires = "environment")]
    filter_tags: Option<String>,
    /// What of such tags is compared, as `$time`
    #[arg(long, value_name = "TEMPLATE", requires = "filter_tags")]
    extract: Option<String>,
    /// Say digests, too
    #[arg(long, requires = "environment")]
    digest: bool,
    /// Ask registries by HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    /// Do so again and again, after this time
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    watch: Option<Duration>,
    #[command(flatten)]
    common: CarryArguments,
}

/// A pause between two looks at registries, which others ask as well.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = live::duration(text)?;
    (pause >= Duration::from_secs(1)).then_some(pause).ok_or_else(|| format!("`{text}` is shorter than a second"))
}

/// Looks for newer images, once or again and again.
pub(crate) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let registries = Registries::new();
    if arguments.environment.is_none() && (!arguments.chosen.services.is_empty() || arguments.chosen.all_images) {
        let message = "services are looked for in an environment, which is not named";
        return Err(Diagnostic::error("bump-where", message).hint("`--in dev`, for example").into());
    }
    let told = Told::default();
    let once = || match &arguments.environment {
        Some(environment) => in_environment(terminal, directory, arguments, environment, &registries),
        None => by_markers(terminal, directory, arguments, &registries, &told),
    };
    let Some(pause) = arguments.watch else { return once() };
    loop {
        // What fails may not fail the next time: a server that is away is no reason to stop.
        if let Err(failure) = once() {
            terminal.fail(&failure);
        }
        registries.forget();
        std::thread::sleep(pause);
    }
}

fn in_environment(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
    environment: &str,
    registries: &Registries,
) -> Result<ExitCode, Failure> {
    let filter = match &arguments.filter_tags {
        Some(pattern) => TagFilter::new(pattern, arguments.extract.as_deref().unwrap_or_default())?,
        None => TagFilter::default(),
    };
    let policy = match &arguments.semver {
        _ if arguments.alphabetical => Policy::Alphabetical(Order::Ascending),
        _ if arguments.numerical => Policy::Numerical(Order::Ascending),
        range => Policy::semver(range.as_deref().unwrap_or("*"))?,
    };
    let title = |names: &str| format!("Bump {names} in {environment}");
    let access = PullAccess::new(terminal, arguments.plain_http);
    let journey = Journey {
        to: environment,
        from: Some("a registry"),
        title: &title,
        branch: format!("bump/{environment}"),
        pins: &|bench, promotion| pins(bench, promotion, registries, &access),
    };
    carry(terminal, directory, &arguments.chosen, &arguments.common, &journey, &|bench| {
        let repository = bench.repository()?;
        let unit = repository.unit(environment).map_err(&bench.state.failure)?;
        let is_wanted = bench.is_wanted(&arguments.chosen);
        let mut running = repository.running(&unit, &is_wanted).map_err(&bench.state.failure)?;
        for (image, version) in &mut running.wanted {
            let before = version.clone();
            let mut tags = access.tags(registries, bench, &unit, image)?;
            let access = access.of(image);
            // What runs counts whether it is still listed or not, so that nothing goes back and forth.
            tags.push(before.tag.clone());
            let Some(newest) = policy.newest(&filter, tags.iter().map(String::as_str)) else {
                let message = format!("none of the {} tags of `{image}` is one that is followed", tags.len() - 1);
                terminal.note(&message);
                continue;
            };
            if newest == before.tag {
                continue;
            }
            let commit = bench.service_of(image).and_then(|service| bench.git.commit_of_tag(&service.path, newest));
            let wanted = Wanted { name: image, access: &access, with_digest: arguments.digest };
            *version = registries.version(&wanted, newest, &before, commit.as_deref())?;
        }
        Ok(running)
    })
}

/// The submodules go along, forward only, to the commits that the images were made of, where those are on this machine.
fn pins(
    bench: &Bench<'_>,
    promotion: &Promotion,
    registries: &Registries,
    access: &PullAccess<'_>,
) -> Result<Vec<NewPin>, Failure> {
    let pinned = pinned(bench.git, bench.state)?;
    let mut pins: BTreeMap<Utf8PathBuf, NewPin> = BTreeMap::new();
    for carried in &promotion.carried {
        let Some(service) = bench.service_of(&carried.image) else { continue };
        let facts = registries.facts(&carried.image, &carried.after.tag, &access.of(&carried.image))?;
        let by_tag = || bench.git.commit_of_tag(&service.path, &carried.after.tag);
        let Some(commit) = facts.revision.or_else(by_tag) else { continue };
        let Some(before) = pinned.get(&service.path) else { continue };
        let is_forward = bench
            .git
            .range(&service.path, before, &commit, 0)
            .is_some_and(|range| !range.goes_back && range.unlisted > 0);
        if is_forward {
            let pin = NewPin { path: service.path.clone(), before: Some(before.clone()), after: commit };
            pins.insert(service.path.clone(), pin);
        }
    }
    Ok(pins.into_values().collect())
}

/// A file that is looked at, with what it says.
type Text = (Utf8PathBuf, String);

fn by_markers(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
    registries: &Registries,
    told: &Told,
) -> Result<ExitCode, Failure> {
    let delivery = Delivery::open(terminal, directory)?;
    let common = &arguments.common;
    let edit = |state: &State<'_>| -> Result<Option<Edit>, Failure> {
        let repository = Repository::open(state.world).map_err(&state.failure)?;
        let is_of_use =
            |text: &str| has_markers(text) || text.contains("image.toolkit.fluxcd.io/") || access::is_of_use(text);
        let texts = texts(state.world, &repository.layout.src, &is_of_use);
        let (policies, repositories) = followed(terminal, &delivery.root, &texts);
        let marked: Vec<&Text> = texts.iter().filter(|(_, text)| has_markers(text)).collect();
        if marked.is_empty() {
            let message = "no line follows an image policy";
            return Err(Diagnostic::error("bump-nothing", message)
                .hint("a comment `# {\"$imagepolicy\": \"NAMESPACE:NAME\"}` behind a value lets it follow one; `--in ENVIRONMENT` needs none")
                .into());
        }
        let accesses = Accesses {
            terminal,
            root: &delivery.root,
            world: state.world,
            files: &texts,
            plain_http: arguments.plain_http,
            told,
        };
        let newest = newest(terminal, &policies, &repositories, &marked, &accesses, registries)?;
        let mut files = BTreeMap::new();
        let mut changed: Vec<(String, Utf8PathBuf)> = Vec::new();
        for (path, text) in marked {
            let set = set_markers(text, FileId::new(path), &newest).map_err(&state.failure)?;
            let Some((text, names)) = set else { continue };
            files.insert(path.clone(), text);
            changed.extend(names.into_iter().map(|name| (name, path.clone())));
        }
        if files.is_empty() {
            return Ok(None);
        }
        let plan = delivery.plan(terminal, state, &files, &[], &common.compared())?;
        changed.sort();
        let mut names: Vec<&str> = changed.iter().filter_map(|(name, _)| name.split(':').nth(1)).collect();
        names.dedup();
        let mut message = format!("Bump {}\n\n", names.join(", "));
        for (name, path) in &changed {
            let Newest { name: image, tag, .. } = &newest[name];
            _ = writeln!(message, "{image}:{tag} ({path})");
        }
        let carried = changed.iter().map(|(name, path)| {
            let Newest { name: image, tag, digest } = &newest[name];
            format!("{image}:{tag}@{digest}/{path}")
        });
        let carried = carried.collect();
        let log = ChangeLog { message, links: Vec::new() };
        Ok(Some(Edit { files, pins: Vec::new(), log, plan, reviewers: Vec::new(), carried }))
    };
    let (is_changed, code) = delivery.run(terminal, &common.delivery, &common.report, "bump", &edit)?;
    if !is_changed {
        terminal.note("all lines that follow a policy say what is the newest");
    }
    Ok(code)
}

/// The YAML files of the repository that are of use, without its services'.
fn texts(world: &dyn World, src: &Utf8Path, is_of_use: &dyn Fn(&str) -> bool) -> Vec<Text> {
    let mut found = Vec::new();
    let mut folders = vec![Utf8PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in world.list(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if entry.link || entry.name == ".git" || path == src => {}
                EntryKind::Folder => folders.push(path),
                EntryKind::File if matches!(path.extension(), Some("yaml" | "yml")) => {
                    let bytes = world.read(&path).ok();
                    let text = bytes.and_then(|bytes| std::str::from_utf8(&bytes).map(str::to_owned).ok());
                    found.extend(text.filter(|text| is_of_use(text)).map(|text| (path, text)));
                }
                EntryKind::File | EntryKind::Other => {}
            }
        }
    }
    found.sort();
    found
}

/// ImageRepositories with their files, by name.
type Repositories = BTreeMap<String, (ImageRepository, Utf8PathBuf)>;

/// Flux's objects in these files. What can't be read is no reason not to follow the others.
fn followed(terminal: &Terminal, root: &Utf8Path, texts: &[Text]) -> (Vec<ImagePolicy>, Repositories) {
    let (mut policies, mut repositories) = (Vec::new(), BTreeMap::new());
    let warn = |mut error: Box<Diagnostic>| {
        error.severity = Severity::Warning;
        terminal.report(&error, root);
    };
    for (path, text) in texts.iter().filter(|(_, text)| text.contains("image.toolkit.fluxcd.io/")) {
        for manifest in onepane_yaml::read(text, FileId::new(path)).unwrap_or_default() {
            match ImagePolicy::read(&manifest) {
                Ok(policy) => policies.extend(policy),
                Err(error) => warn(error),
            }
            match ImageRepository::read(&manifest) {
                Ok(repository) => {
                    let named = |repository: ImageRepository| (repository.name.clone(), (repository, path.clone()));
                    repositories.extend(repository.map(named));
                }
                Err(error) => warn(error),
            }
        }
    }
    (policies, repositories)
}

/// Whether Flux would let a policy follow a repository. What says no namespace gets one elsewhere, which may be the same.
fn is_let_in(policy: &ImagePolicy, repository: &ImageRepository, files: &[Text]) -> bool {
    let (Some(own), Some(other)) = (&policy.namespace, &repository.namespace) else { return true };
    own == other || repository.lets_in(own, &access::labels_of_namespace(files, own))
}

/// The newest image by each of the policies that a line follows.
fn newest(
    terminal: &Terminal,
    policies: &[ImagePolicy],
    repositories: &Repositories,
    marked: &[&Text],
    accesses: &Accesses<'_>,
    registries: &Registries,
) -> Result<BTreeMap<String, Newest>, Failure> {
    let mut found = BTreeMap::new();
    for policy in policies {
        let is_followed = |(_, text): &&Text| {
            text.contains(&format!("\"{}\"", policy.name)) || text.contains(&format!("\"{}:", policy.name))
        };
        if !marked.iter().any(is_followed) {
            continue;
        }
        let (repository, path) = repositories.get(&policy.repository).ok_or_else(|| {
            let message = format!(
                "the ImageRepository `{}` of the ImagePolicy `{}` is not in the repository",
                policy.repository, policy.name
            );
            Diagnostic::error("bump-no-repository", message)
        })?;
        if !is_let_in(policy, repository, accesses.files) {
            let message = format!(
                "the ImagePolicy `{}` is not followed: its ImageRepository `{}` is in another namespace, and its `accessFrom` \
                 does not let that of the policy in",
                policy.name, policy.repository
            );
            accesses.tell(message);
            continue;
        }
        let access = accesses.of(repository, path);
        let tags = registries.tags(&repository.image, &access)?;
        let taken = tags.iter().map(String::as_str).filter(|tag| repository.takes(tag));
        let Some(tag) = policy.policy.newest(&policy.filter, taken) else {
            terminal.note(&format!(
                "none of the {} tags of `{}` is one that `{}` follows",
                tags.len(),
                repository.image,
                policy.name
            ));
            continue;
        };
        let wanted = Wanted { name: &repository.image, access: &access, with_digest: policy.with_digest };
        let version = registries.version(&wanted, tag, &Version::default(), None)?;
        let newest = Newest { name: repository.image.clone(), tag: version.tag, digest: version.digest };
        found.insert(policy.name.clone(), newest);
    }
    Ok(found)
}
