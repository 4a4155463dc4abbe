//! `onepane ci run`: a temporary environment, tested and removed.

use super::others::{self, Policy};
use super::{ClusterArguments, failed, line, runtime, signals};
use crate::atomic;
use crate::commands::ci_runs::CiRun;
use crate::commands::ci_statuses::{CiStatus, Tested};
use crate::commands::decrypted_world::DecryptedWorld;
use crate::commands::forges;
use crate::commands::{OutputFormat, live, open};
use crate::elsewhere::Elsewhere;
use crate::redaction::{note_values, redacted};
use crate::terminal::{Failure, Terminal, harmless};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use onepane_ci::{Build, Report, Request, Stop, Told, Verdict};
use onepane_deploy::{Address, Failure as ClusterFailure, Server};
use onepane_diagnostics::Diagnostic;
use onepane_forge::{Kind, State};
use onepane_git::LocalRepository;
use onepane_repo::{BuildOptions, OtherImages, Repository};
use onepane_temporary::images;
use onepane_world::OsWorld;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const CODES: &str = "Exit codes: 0 the tests passed, 1 a test failed or hung, 2 it could not be run, 3 the environment did \
                     not become ready, 130 and 143 it was stopped by Ctrl-C or SIGTERM";

/// What `onepane ci run` takes.
#[derive(clap::Args)]
#[command(after_help = CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    cluster: ClusterArguments,
    /// The service that is tested: its images are replaced
    #[arg(long, requires = "image")]
    service: Option<String>,
    /// The image to test it with
    #[arg(long, value_name = "REF", requires = "service")]
    image: Option<String>,
    /// Build src/SERVICE with Docker first, as the image, and push it
    #[arg(long, requires = "image")]
    build: bool,
    /// Leave the image that is built with Docker, for a cluster that takes it from there
    #[arg(long, requires = "build")]
    no_push: bool,
    /// Which images the other services run: `pinned`, those that the folder says; `branch`, those tagged as the branch,
    /// where a service has it; `latest` [default: what onepane.yaml says, or pinned]
    #[arg(long, value_name = "WHICH", value_parser = other_images)]
    others: Option<OtherImages>,
    /// The branch for `--others branch` [default: the one that is checked out]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// How long all of it may take until the tests have ended
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = live::duration)]
    timeout: Duration,
    /// Write report.md, report.json, junit.xml, index.html, logs and files of containers to this folder
    #[arg(long, value_name = "DIR")]
    report: Option<Utf8PathBuf>,
    /// Note at the repository's last commit which images were tested and how that ended, here (`--record=local`) or on a
    /// remote as well [default: origin]; `onepane promote` can ask for it
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "origin")]
    record: Option<String>,
    /// Post how it is as a status `onepane-ci/CLUSTER` of a commit, at the forge that its repository is at: of the service's
    /// commit that the image was made of, without a service of the last commit here; `onepane promote` can ask for it
    #[arg(long)]
    status: bool,
    /// The commit that the image was made of [default: what its tag or its label says]
    #[arg(long, value_name = "COMMIT", requires_all = ["status", "service"], conflicts_with = "build")]
    commit: Option<String>,
    /// Which kind of forge it is, where its name does not show it: github, gitlab or gitea
    #[arg(long, value_name = "KIND", value_parser = forges::kind, requires = "status")]
    forge: Option<Kind>,
    /// Leave the environment where it fails, until it expires
    #[arg(long)]
    keep_on_failure: bool,
    /// Ask no server for bases in other repositories; what was fetched before serves
    #[arg(long)]
    offline: bool,
    /// How to report on the way
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: OutputFormat,
}

/// Builds, runs and reports. Whatever keeps it from being run has an exit code of its own, so that no pipeline takes it for
/// a test that failed.
pub(super) fn run(terminal: &Terminal, directory: Option<&Utf8Path>, arguments: &Arguments) -> ExitCode {
    const NOT_RUN: u8 = 2;
    match run_and_report(terminal, directory, arguments) {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(failure) => {
            terminal.fail(&failure);
            ExitCode::from(NOT_RUN)
        }
    }
}

fn run_and_report(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<Verdict, Failure> {
    let Prepared { address, request, build, tested, status } = prepare(terminal, directory, arguments)?;
    let runtime = runtime()?;
    // Before there is anything to remove, and a status that would stay as it is.
    let stops = {
        let _entered = runtime.enter();
        signals::stops().map_err(|error| failed(&ClusterFailure::Guarded(error.to_string())))?
    };
    if let Some(status) = &status {
        // Who may not post one learns it before anything is made. What is pending later than that has been killed.
        let end =
            SignedDuration::try_from(arguments.timeout).ok().and_then(|time| Timestamp::now().checked_add(time).ok());
        let end = end.map(|end| end.strftime(", until %H:%M UTC at the latest").to_string()).unwrap_or_default();
        status.post(State::Pending, &format!("is tested{end}"))?;
    }
    let ended = runtime.block_on(build_and_run(terminal, arguments, &address, request, build.as_ref(), stops));
    let posted = status.map_or(Ok(()), |status| {
        let (state, said) = match &ended {
            Ok(Ok(report)) => (state_of(&report.verdict), in_words(report)),
            Ok(Err(_)) => (State::Error, "stopped".to_owned()),
            Err(failure) => (State::Error, format!("could not be run: {}", failure.message())),
        };
        post_at_last(&status, state, &redacted(&said))
    });
    let report = match ended? {
        Ok(report) => report,
        // There is nothing to report yet, and nothing to remove.
        Err(stop) => return Ok(Verdict::Stopped(stop)),
    };
    if let Some(folder) = &arguments.report {
        write(&report, folder)?;
    }
    sum_up(terminal, arguments.output, &report)?;
    if let Some(remote) = &arguments.record {
        record(directory, remote, &report, &tested)?;
    }
    match posted {
        // Whoever relies on the status would wait for it in vain.
        Err(failure) if report.verdict == Verdict::Passed => return Err(failure),
        Err(failure) => _ = terminal.fail(&failure),
        Ok(()) => {}
    }
    Ok(report.verdict)
}

/// Posts how it ended, again where that fails: nobody else will.
fn post_at_last(status: &CiStatus, state: State, said: &str) -> Result<(), Failure> {
    let mut pauses = [1, 4].into_iter().map(Duration::from_secs);
    loop {
        match (status.post(state, said), pauses.next()) {
            (Err(_), Some(pause)) => std::thread::sleep(pause),
            (posted, _) => return posted,
        }
    }
}

/// How a run that has ended is told to a forge.
fn state_of(verdict: &Verdict) -> State {
    match verdict {
        Verdict::Passed => State::Passed,
        Verdict::Stopped(_) | Verdict::NotRun(_) => State::Error,
        _ => State::Failed,
    }
}

fn in_words(report: &Report) -> String {
    let failed = report.tests.iter().filter(|test| test.failure.is_some()).count();
    format!("{}: {} tests, {failed} failed", report.verdict.word(), report.tests.len())
}

/// Builds what is to be built, and runs; or tells which signal came before there was anything to run.
async fn build_and_run(
    terminal: &Terminal,
    arguments: &Arguments,
    address: &Address,
    request: Request,
    build: Option<&Build>,
    mut stops: UnboundedReceiver<Stop>,
) -> Result<Result<Report, Stop>, Failure> {
    let tell = |told: &Told<'_>| {
        let text = match arguments.output {
            OutputFormat::Text => harmless(&line(told)),
            OutputFormat::Json => as_json(told).to_string(),
        };
        // Whoever does not listen any more is no reason to stop midway.
        let _ = terminal.print(format!("{}\n", redacted(&text)).as_bytes());
    };
    if let Some(build) = build {
        let built = tokio::select! {
            biased;
            Some(stop) = stops.recv() => return Ok(Err(stop)),
            built = onepane_ci::build(build, &tell) => built,
        };
        built.map_err(|why| Failure::from(Diagnostic::error("ci-build", why)))?;
    }
    let server = tokio::select! {
        biased;
        Some(stop) = stops.recv() => return Ok(Err(stop)),
        server = Server::connect(address) => server.map_err(|error| failed(&error))?,
    };
    Ok(Ok(onepane_ci::run(&server, request, &mut stops, &tell).await))
}

/// What is to be run, and where.
struct Prepared {
    address: Address,
    request: Request,
    build: Option<Build>,
    /// The images that a run which passes has passed with.
    tested: BTreeSet<String>,
    /// Where it is told how that goes.
    status: Option<CiStatus>,
}

/// What is to be run, from the repository.
fn prepare(terminal: &Terminal, directory: Option<&Utf8Path>, arguments: &Arguments) -> Result<Prepared, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, arguments.offline);
    let machine = OsWorld::unrestricted("/");
    // Secrets go to the cluster as Flux would bring them.
    let decrypted = DecryptedWorld::new(&world, &machine);
    let repository = elsewhere.reached(Repository::open(&decrypted).map_err(&failure)?);
    let environment = arguments.cluster.environment(&repository).map_err(&failure)?;
    let address = arguments.cluster.address(&repository, &environment.cluster).map_err(&failure)?;
    let build = |folder: &Utf8Path| -> Result<Vec<Value>, Failure> {
        let built = repository.manifests(folder, &BuildOptions::default()).map_err(&failure)?;
        built.warnings.iter().for_each(|warning| terminal.report(warning, &root));
        let objects = built.manifests.iter().map(|manifest| manifest.document()).collect::<Result<Vec<_>, _>>();
        objects.map_err(&failure)
    };
    let mut objects = build(&environment.folder)?;
    let tests = environment.folder.join("integration-test");
    let mut tests = match repository.unit(tests.as_str()) {
        Ok(folder) => build(&folder)?,
        Err(_) => Vec::new(),
    };
    objects.iter().chain(&tests).for_each(note_secrets);
    let policy = Policy {
        others: arguments.others.unwrap_or(repository.layout.other_images),
        branch: arguments.branch.as_deref(),
        tested: arguments.service.as_deref(),
    };
    let mut replaced = others::replace(&repository, &root, &policy, [&mut objects, &mut tests]).map_err(&failure)?;
    if let (Some(service), Some(image)) = (&arguments.service, &arguments.image) {
        let named = images::of_service(&objects, service);
        if named.is_empty() {
            let all: Vec<&str> = images::all(&objects).into_iter().collect();
            let message = format!("nothing in `{}` runs an image of `{service}`", environment.folder);
            let hint = format!(
                "an image is a service's if its name ends in the service's, or a workload of that name runs it; there are: {}",
                all.join(", ")
            );
            return Err(Failure::from(Diagnostic::error("ci-no-image", message).hint(hint)));
        }
        for objects in [&mut objects, &mut tests] {
            replaced.extend(images::replace(objects, &|name| named.contains(name.name).then(|| image.clone())));
        }
    }
    replaced.sort();
    replaced.dedup();
    // Where no service is named, all of them are tested.
    let tested = match &arguments.image {
        Some(image) => replaced.iter().map(|(_, image)| image).chain([image]).cloned().collect(),
        None => images::all(&objects).into_iter().map(str::to_owned).collect(),
    };
    let request = Request {
        cluster: environment.cluster,
        service: arguments.service.clone(),
        images: replaced,
        environment: objects,
        tests,
        timeout: arguments.timeout,
        keeps_on_failure: arguments.keep_on_failure,
    };
    let build = arguments.service.as_ref().zip(arguments.image.clone()).filter(|_| arguments.build);
    let build = build.map(|(service, image)| Build {
        folder: root.join(&repository.layout.src).join(service).into_std_path_buf(),
        image,
        is_pushed: !arguments.no_push,
    });
    let status = arguments.status.then(|| {
        let git = LocalRepository::of(&root)?;
        let services = git.listed_services(&world);
        let named = arguments.service.as_deref();
        let service = services.iter().find(|service| named.is_some() && service.path.file_name() == named);
        if let (Some(named), None) = (named, service) {
            let message = format!("`{named}` is no submodule, and so no commit of it can have a status");
            return Err(Failure::from(Diagnostic::error("ci-status", message)));
        }
        let tested = Tested {
            cluster: &request.cluster,
            service,
            image: arguments.image.as_deref(),
            commit: arguments.commit.as_deref(),
            is_built_here: arguments.build,
        };
        CiStatus::of(&git, &tested, arguments.forge)
    });
    Ok(Prepared { address, request, build, tested, status: status.transpose()? })
}

fn other_images(name: &str) -> Result<OtherImages, String> {
    OtherImages::named(name).ok_or_else(|| format!("`{name}` is not one of pinned, branch, latest"))
}

/// What Secrets hold is in no log and no report.
fn note_secrets(object: &Value) {
    use base64::Engine;
    if object["kind"] != "Secret" {
        return;
    }
    let texts = |field: &str| object[field].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let decoded = texts("data").filter_map(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let plain = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    plain.chain(texts("stringData").map(str::to_owned)).for_each(|text| note_values(&text));
}

/// Notes how it ended at the commit that was tested. Who has stopped it has not tested anything.
fn record(
    directory: Option<&Utf8Path>,
    remote: &str,
    report: &Report,
    tested: &BTreeSet<String>,
) -> Result<(), Failure> {
    if matches!(report.verdict, Verdict::Stopped(_) | Verdict::NotRun(_)) {
        return Ok(());
    }
    let (root, _) = open(directory)?;
    let git = LocalRepository::of(&root)?;
    let run = CiRun {
        is_passed: report.verdict == Verdict::Passed,
        verdict: report.verdict.word(),
        cluster: &report.cluster,
        service: report.service.as_deref(),
        images: tested.iter().map(String::as_str).collect(),
        at: &report.started,
    };
    run.add(&git, Some(remote).filter(|&remote| remote != "local"))
}

/// Writes the files of the report.
fn write(report: &Report, folder: &Utf8Path) -> Result<(), Failure> {
    for (path, content) in report.files() {
        let content = match std::str::from_utf8(&content) {
            Ok(text) => redacted(text).into_bytes(),
            Err(_) => content,
        };
        atomic::write(&folder.join(path), &content)?;
    }
    Ok(())
}

fn as_json(told: &Told<'_>) -> Value {
    match told {
        Told::Note(note) => json!({"event": "note", "message": note}),
        Told::Test { name, said } => json!({"event": "test", "name": name, "message": said}),
        Told::Log { pod, container, line } => json!({"event": "log", "pod": pod, "container": container, "line": line}),
        Told::Object(event) => live::as_json(event),
    }
}

/// The last line.
fn sum_up(terminal: &Terminal, format: OutputFormat, report: &Report) -> Result<(), Failure> {
    let failed = report.tests.iter().filter(|test| test.failure.is_some()).count();
    let line = match format {
        OutputFormat::Text => {
            let why = if let Verdict::NotRun(why) = &report.verdict { format!(": {why}") } else { String::new() };
            format!("{}{why}: {} tests, {failed} failed", report.verdict.word(), report.tests.len())
        }
        OutputFormat::Json => json!({
            "event": "end", "verdict": report.verdict.word(), "exitCode": report.verdict.exit_code(),
            "namespace": report.namespace, "tests": report.tests.len(), "failed": failed, "left": report.left,
        })
        .to_string(),
    };
    terminal.print(format!("{}\n", redacted(&line)).as_bytes())
}
