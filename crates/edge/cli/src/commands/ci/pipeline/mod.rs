//! `onepane ci pipeline`: what GitHub, GitLab and Jenkins read, for a service's repository or for this one.
//!
//! The files are texts beside this one, with a few names to be filled in between `@`. None of them is filled in where it
//! could be something else than a name.

use super::ClusterArguments;
use crate::atomic;
use crate::commands::open;
use crate::commands::promote::NO_WAY;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_git::LocalRepository;
use onepane_repo::{BuildOptions, PromotionStep, Repository};
use onepane_resource::ImageName;
use onepane_temporary::images;
use std::process::ExitCode;

/// What `onepane ci pipeline` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Whose pipelines
    system: System,
    /// The cluster, a folder below clusters/ [default: the only one that has a `ci` folder]
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// For the repository of this service, in place of this one
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The way of versions that is promoted along, as dev,staging,prod [default: what `promotions` in onepane.yaml says then]
    #[arg(long, value_name = "ENVIRONMENT,…", conflicts_with = "service")]
    along: Vec<String>,
    /// The branch whose changes are promoted [default: the repository's own]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Write to this folder [default: src/NAME for a service, otherwise this repository]
    #[arg(long, value_name = "DIR", conflicts_with = "stdout")]
    to: Option<Utf8PathBuf>,
    /// Print it in place of writing it
    #[arg(long)]
    stdout: bool,
    /// Replace a file that is there and says something else
    #[arg(long)]
    force: bool,
}

/// A system that runs pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum System {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
    /// Jenkins, declarative.
    Jenkins,
}

impl System {
    /// Where the file is, and what is in it.
    fn file(self, is_service: bool) -> (&'static str, &'static str) {
        match (self, is_service) {
            (Self::Github, true) => (".github/workflows/integration.yml", include_str!("github-service.yml")),
            (Self::Github, false) => (".github/workflows/onepane.yml", include_str!("github-gitops.yml")),
            (Self::Gitlab, true) => (".gitlab-ci.yml", include_str!("gitlab-service.yml")),
            (Self::Gitlab, false) => (".gitlab-ci.yml", include_str!("gitlab-gitops.yml")),
            (Self::Jenkins, true) => ("Jenkinsfile", include_str!("jenkins-service.groovy")),
            (Self::Jenkins, false) => ("Jenkinsfile", include_str!("jenkins-gitops.groovy")),
        }
    }
}

/// Fills in, and writes or prints.
pub(super) fn run(
    terminal: &Terminal,
    directory: Option<&Utf8Path>,
    arguments: &Arguments,
) -> Result<ExitCode, Failure> {
    let (root, world) = open(directory)?;
    let failure = Failure::below(&root);
    let elsewhere = Elsewhere::of(&root, true);
    let addresses = elsewhere.addresses.clone();
    let repository = elsewhere.reached(Repository::open(&world).map_err(&failure)?);
    let chosen = ClusterArguments { cluster: arguments.cluster.clone(), kubeconfig: None };
    let environment = chosen.environment(&repository).map_err(&failure)?;
    let service = arguments.service.as_deref();
    let image = service.map(|service| image_of(&repository, &environment.folder, service)).transpose();
    let image = image.map_err(&failure)?;
    PromotionStep::along(&arguments.along)?;
    if service.is_none() && arguments.along.is_empty() {
        let found = repository.promotion_steps().map_err(&failure)?;
        found.left_out.iter().for_each(|why| terminal.note(why));
        if found.steps.is_empty() {
            terminal.note(NO_WAY);
        }
    }
    let git = LocalRepository::of(&root).ok();
    let services = git.as_ref().map(|git| git.listed_services(&world)).unwrap_or_default();
    let submodule = services.iter().map(|service| &*service.path).find(|path| path.file_name() == service);
    let in_src = service.map(|service| repository.layout.src.join(service));
    let path = submodule.map(Utf8Path::to_owned).or(in_src);
    let main_branch = |path| git.as_ref().map_or_else(|| "main".to_owned(), |git| git.main_branch(path));
    let names = Names {
        cluster: &environment.cluster,
        service: service.unwrap_or_default(),
        path: path.as_deref().map_or("", Utf8Path::as_str),
        is_submodule: submodule.is_some(),
        image: image.as_deref().unwrap_or_default(),
        branch: &arguments.branch.clone().unwrap_or_else(|| main_branch(path.as_deref())),
        gitops_branch: &main_branch(None),
        along: &arguments.along,
    };
    let (path, text) = arguments.system.file(service.is_some());
    let text = fill(arguments.system, text, &names, &addresses)?;
    if arguments.stdout {
        terminal.print(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = arguments.to.clone().unwrap_or_else(|| match service {
        Some(service) => root.join(&repository.layout.src).join(service),
        None => root.clone(),
    });
    if !folder.is_dir() {
        let error = Diagnostic::error("ci-pipeline", format!("there is no folder `{folder}` to write to"));
        return Err(Failure::from(error.hint("name one with --to, or print it with --stdout")));
    }
    let path = folder.join(path);
    let is_other = std::fs::read(&path).is_ok_and(|there| there != text.as_bytes());
    if is_other && !arguments.force {
        let error = Diagnostic::error("ci-pipeline", format!("`{path}` is there and says something else"));
        return Err(Failure::from(error.hint("--force replaces it, --stdout prints what it would be")));
    }
    atomic::write(&path, text.as_bytes())?;
    terminal.note(&format!("{path} is written; its first lines say what it needs"));
    Ok(ExitCode::SUCCESS)
}

/// The name of a service's image, as the environment runs it.
fn image_of(repository: &Repository<'_>, folder: &Utf8Path, service: &str) -> Result<String, Box<Diagnostic>> {
    let built = repository.manifests(folder, &BuildOptions::default())?;
    let objects = built.manifests.iter().map(|manifest| manifest.document()).collect::<Result<Vec<_>, _>>()?;
    let names = images::of_service(&objects, service);
    names.into_iter().next().ok_or_else(|| {
        Diagnostic::error("ci-no-image", format!("nothing in `{folder}` runs an image of `{service}`"))
            .hint(format!("there are: {}", images::all(&objects).into_iter().collect::<Vec<_>>().join(", ")))
    })
}

/// What is filled in.
#[derive(Default)]
struct Names<'n> {
    cluster: &'n str,
    service: &'n str,
    /// The service's folder.
    path: &'n str,
    is_submodule: bool,
    image: &'n str,
    /// Whose changes are promoted.
    branch: &'n str,
    /// The branch of this repository, which the pipelines of services test with.
    gitops_branch: &'n str,
    along: &'n [String],
}

fn fill(system: System, text: &str, names: &Names<'_>, addresses: &[String]) -> Result<String, Box<Diagnostic>> {
    let registry = ImageName::parse(names.image).registry;
    let address = addresses.iter().find_map(|address| Address::parse(address));
    // Where nobody knows where this repository is, the settings say it.
    let (github, gitlab, need) = match &address {
        Some(Address { host, path }) => (path.clone(), format!("{host}/{path}.git"), String::new()),
        None => (
            "${{ vars.GITOPS_REPOSITORY }}".to_owned(),
            "$GITOPS_REPOSITORY".to_owned(),
            ", which GITOPS_REPOSITORY names".to_owned(),
        ),
    };
    let filled_in = [
        ("@CLUSTER@", names.cluster),
        ("@SERVICE@", names.service),
        ("@PATH@", names.path),
        ("@IMAGE@", names.image),
        ("@REGISTRY@", if registry.is_empty() { "docker.io" } else { registry }),
        ("@BRANCH@", names.branch),
        ("@GITOPS_BRANCH@", names.gitops_branch),
    ];
    let check = |name: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | ',');
        if !name.chars().all(is_name) || name.starts_with('-') {
            return Err(Diagnostic::error("ci-pipeline", format!("`{name}` is no name that a pipeline can be given")));
        }
        Ok(())
    };
    let commit = match system {
        System::Github => "$COMMIT",
        System::Gitlab => "$CI_COMMIT_SHA",
        System::Jenkins => "$GIT_COMMIT",
    };
    let service = names.service;
    // Where no submodule says which commit came after which, it is the image alone that is brought there.
    let pin = match names.is_submodule {
        true => format!("src pin {service}=\"{commit}\" --keep-newer"),
        false => format!("bump {service} --filter-tags \"{commit}\" --alphabetical"),
    };
    names.along.iter().try_for_each(|way| check(way))?;
    let along: Vec<String> = names.along.iter().map(|way| format!("--along={way}")).collect();
    let along = if along.is_empty() { "--along".to_owned() } else { along.join(" ") };
    let mut filled = text.replace("@PIN@", &pin).replace("@ALONG@", &along);
    for (place, name) in filled_in {
        check(name)?;
        filled = filled.replace(place, name);
    }
    Ok(filled
        .replace("@GITHUB_REPOSITORY@", &github)
        .replace("@GITLAB_REPOSITORY@", &gitlab)
        .replace("@GITOPS_NEED@", &need))
}

/// Where a repository is: a host, and the path there without `.git`.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    host: String,
    path: String,
}

impl Address {
    /// Of `https://HOST/PATH.git`, `ssh://git@HOST/PATH` or `git@HOST:PATH`; `None` for what is on this machine.
    fn parse(address: &str) -> Option<Self> {
        let (host, path) = match address.split_once("://") {
            Some(("https" | "http" | "ssh" | "git", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            None => address.split_once(':').filter(|(host, _)| host.contains('@') && !host.contains('/'))?,
        };
        let host = host.rsplit('@').next()?;
        let path = path.trim_matches('/').trim_end_matches(".git");
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
        };
        (is_word(host) && is_word(path)).then(|| Self { host: host.to_owned(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_git_writes_them() {
        let parse = |text| Address::parse(text).map(|address| format!("{} {}", address.host, address.path));
        for address in [
            "https://github.com/acme/shop.git",
            "https://user:token@github.com/acme/shop",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com/acme/shop.git",
        ] {
            assert_eq!(parse(address).as_deref(), Some("github.com acme/shop"), "{address}");
        }
        for other in ["/srv/git/shop.git", "../shop.git", "file:///srv/shop", "C:/shop", "https://h/$(id)", "git@h:a'b"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_is_filled_in_that_is_no_name() {
        let fill = |text: &str, names: &Names<'_>| fill(System::Gitlab, text, names, &[]);
        let evil = "a\"; rm -rf /";
        let ways = [evil.to_owned()];
        for names in [
            Names { service: evil, ..Names::default() },
            Names { branch: evil, ..Names::default() },
            Names { path: evil, ..Names::default() },
            Names { along: &ways, ..Names::default() },
        ] {
            let error = fill("", &names).expect_err("it is no name");
            assert!(error.message.contains("no name"), "{error}");
        }
        let text = fill("@GITHUB_REPOSITORY@ @GITLAB_REPOSITORY@", &Names::default()).expect("it can be");
        assert_eq!(text, "${{ vars.GITOPS_REPOSITORY }} $GITOPS_REPOSITORY");
        let ways = ["dev,qa,prod-eu".to_owned(), "qa,prod-us".to_owned()];
        let names = Names { service: "api", is_submodule: true, along: &ways, ..Names::default() };
        let text = fill("promote @ALONG@; @PIN@", &names).expect("it can be");
        let pin = "src pin api=\"$CI_COMMIT_SHA\" --keep-newer";
        assert_eq!(text, format!("promote --along=dev,qa,prod-eu --along=qa,prod-us; {pin}"));
        let text = fill("@PIN@", &Names { is_submodule: false, ..names }).expect("it can be");
        assert_eq!(text, "bump api --filter-tags \"$CI_COMMIT_SHA\" --alphabetical");
    }
}
