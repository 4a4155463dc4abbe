//! `onepane ci pipeline`: what GitHub, GitLab and Jenkins read, for a service's repository or for this one.
//!
//! The files are texts beside this one, with a few names to be filled in between `@`. None of them is filled in where it
//! could be something else than a name.

use super::ClusterArguments;
use crate::atomic;
use crate::commands::open;
use crate::elsewhere::Elsewhere;
use crate::terminal::{Failure, Terminal};
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Diagnostic;
use onepane_repo::{BuildOptions, Repository};
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
    let (path, text) = arguments.system.file(service.is_some());
    let text = fill(text, &environment.cluster, service, image.as_deref(), &addresses)?;
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

fn fill(
    text: &str,
    cluster: &str,
    service: Option<&str>,
    image: Option<&str>,
    addresses: &[String],
) -> Result<String, Box<Diagnostic>> {
    let image = image.unwrap_or_default();
    let registry = ImageName::parse(image).registry;
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
    let names = [
        ("@CLUSTER@", cluster),
        ("@SERVICE@", service.unwrap_or_default()),
        ("@IMAGE@", image),
        ("@REGISTRY@", if registry.is_empty() { "docker.io" } else { registry }),
    ];
    let mut filled = text.to_owned();
    for (place, name) in names {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
        if !name.chars().all(is_name) || name.starts_with('-') {
            return Err(Diagnostic::error("ci-pipeline", format!("`{name}` is no name that a pipeline can be given")));
        }
        filled = filled.replace(place, name);
    }
    Ok(filled
        .replace("@GITHUB_REPOSITORY@", &github)
        .replace("@GITLAB_REPOSITORY@", &format!("@{gitlab}"))
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
        let error = fill("@SERVICE@", "dev", Some("a\"; rm -rf /"), Some("x/a"), &[]).expect_err("it is no name");
        assert!(error.message.contains("no name"), "{error}");
        let text = fill("@GITHUB_REPOSITORY@ @GITLAB_REPOSITORY@", "dev", None, None, &[]).expect("it can be");
        assert_eq!(text, "${{ vars.GITOPS_REPOSITORY }} @$GITOPS_REPOSITORY");
    }
}
