//! What pipelines run in: the example company on a Git server with its services, a registry, a cluster in the process, and
//! folders in which their systems would work.

pub(crate) mod systems;

use onepane_embedded::{Embedded, Options};
use onepane_testkit::{Doors, Forge, GitServer, Mood, Registry, git, run_with};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What a pipeline runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A change that somebody proposes.
    PullRequest,
    /// One that was merged.
    Push,
}

/// The example company, and programs that stand in for those that are no part of it.
pub(crate) struct Lab {
    pub(crate) cluster: Embedded,
    pub(crate) registry: Option<Registry>,
    pub(crate) server: GitServer,
    folder: TempDir,
    pub(crate) shop: PathBuf,
}

/// Git and onepane are themselves.
const STAND_INS: [(&str, &str); 4] = [
    ("docker", "case $1 in create) echo id-1 ;; cp) cp \"$ONEPANE_BINARY\" \"$3\" ;; login) cat > /dev/null ;; esac"),
    ("apk", ":"),
    ("gh", "for last; do :; done; if [ \"$last\" = - ]; then cat; else cat \"$last\"; fi > \"$CALLS.reported\""),
    ("curl", "for word; do case $word in body@*) cat \"${word#body@}\" > \"$CALLS.reported\" ;; esac; done"),
];

/// What gets somebody in, and is to be seen nowhere.
pub(crate) const TOKEN: &str = "t0ken";

const RULES: &str = "clusters: {dev: {context: embedded}}\n\
                     promotions:\n  dev: {ciRun: true}\n  staging: {from: dev}\n  prod-eu: {from: staging, ciRun: true}\n";

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let cluster = Embedded::start(Options::default()).expect("it starts");
        fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig()).expect("it can be written");
        let served = folder.path().join("served");
        let server = GitServer::start(&served);
        let registry = Registry::start(Doors::default());
        let lab = Self { cluster, registry, server, shop: folder.path().join("shop"), folder };
        lab.onepane(lab.folder.path(), &["init", "--example", "shop"]);
        fs::create_dir(&served).expect("it is new");
        fs::rename(lab.folder.path().join("shop.origins"), served.join("acme")).expect("both are there");
        for name in ["api", "shop"] {
            git(&served.join(format!("acme/{name}.git")), &["config", "http.receivepack", "true"]);
        }
        lab.equal_versions(&lab.shop);
        fs::write(lab.shop.join("onepane.yaml"), RULES).expect("it can be written");
        lab.onepane(&lab.shop, &["render"]);
        lab.onepane(&lab.shop, &["apply", "dev"]);
        git(&lab.shop, &["remote", "set-url", "origin", &format!("{}/acme/shop.git", lab.server.address)]);
        git(&lab.shop, &["add", "--all"]);
        git(&lab.shop, &["commit", "--quiet", "--message", "Everything in one version"]);
        git(&lab.shop, &["push", "--quiet", "origin", "main"]);
        lab.server.behave(Mood::WantsToken);
        let programs = lab.folder.path().join("programs");
        fs::create_dir(&programs).expect("it can be made");
        for (name, script) in STAND_INS {
            let path = programs.join(name);
            let text = format!("#!/bin/sh\nset -eu\necho \"{name} $*\" >> \"$CALLS\"\n{script}\n");
            fs::write(&path, text).expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("they can be set");
        }
        lab
    }

    /// All environments run the same, from the registry that is here, so that nothing is to be promoted yet.
    fn equal_versions(&self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("it is UTF-8");
            if path.is_dir() && name != ".git" && name != "src" {
                self.equal_versions(&path);
            } else if name.ends_with(".yaml") {
                let text = fs::read_to_string(&path).expect("it can be read");
                let line = |line: &str| match line.split_once("newTag:") {
                    Some((before, _)) => format!("{before}newTag: 1.0.0\n"),
                    None => format!("{}\n", line.replace("registry.shop.example.com", &self.registry_host())),
                };
                let changed: String = text.lines().map(line).collect();
                fs::write(&path, changed).expect("it can be written");
            }
        }
    }

    pub(crate) fn registry_host(&self) -> String {
        let host = self.registry.as_ref().map(|registry| registry.host.clone());
        host.unwrap_or_else(|| "registry.shop.example.com".to_owned())
    }

    pub(crate) fn onepane(&self, folder: &Path, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        let kubeconfig = self.folder.path().join("kubeconfig").to_str().expect("it is UTF-8").to_owned();
        let variables = [("KUBECONFIG".to_owned(), kubeconfig)];
        let finished = run_with(binary, &arguments, folder, self.folder.path(), &variables).expect("it ends in time");
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_eq!(finished.code, Some(0), "{arguments:?}: {text}{}", finished.stderr);
        text
    }

    /// The text of a pipeline, with all names filled in.
    pub(crate) fn pipeline(&self, system: &str, service: Option<&str>) -> String {
        let mut arguments = vec!["ci", "pipeline", system, "--stdout"];
        arguments.extend(service.into_iter().flat_map(|service| ["--service", service]));
        let text = self.onepane(&self.shop, &arguments);
        let left =
            text.split('@').filter(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        assert_eq!(left.count(), 0, "a name is not filled in: {text}");
        assert!(text.lines().count() < 110, "it is small");
        text
    }

    /// Git in what the server has of a repository.
    pub(crate) fn served(&self, name: &str, arguments: &[&str]) -> String {
        git(&self.folder.path().join(format!("served/acme/{name}.git")), arguments)
    }

    /// Somebody merges a change of the service `api`; the commit, of which an image is in the registry as its pipeline would
    /// have pushed it.
    pub(crate) fn change_service(&self, text: &str) -> String {
        let clone = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder can be made");
        let bare = self.folder.path().join("served/acme/api.git");
        git(clone.path(), &["clone", "--quiet", bare.to_str().expect("it is UTF-8"), "api"]);
        let api = clone.path().join("api");
        fs::write(api.join("change.txt"), text).expect("it can be written");
        git(&api, &["add", "--all"]);
        git(&api, &["commit", "--quiet", "--message", text]);
        git(&api, &["push", "--quiet", "origin", "HEAD:main"]);
        let commit = git(&api, &["rev-parse", "HEAD"]);
        if let Some(registry) = &self.registry {
            registry.push_image("api", &commit, &commit);
        }
        commit
    }

    /// The server is a forge of a kind with no pull requests yet.
    pub(crate) fn be(&self, kind: &'static str) {
        self.server.be(Forge::like(kind));
    }
}

/// A folder that a system works in.
pub(crate) struct Workspace<'l> {
    lab: &'l Lab,
    home: TempDir,
    pub(crate) work: PathBuf,
    pub(crate) event: Event,
    /// The commit of the repository that it is for.
    pub(crate) commit: String,
}

impl<'l> Workspace<'l> {
    pub(crate) fn new(lab: &'l Lab, event: Event, commit: &str) -> Self {
        let home = tempfile::tempdir_in(lab.folder.path()).expect("a temporary folder can be made");
        let to = format!("[url \"{}/\"]\n\tinsteadOf = https://gitlab.example.com/\n", lab.server.address);
        fs::write(home.path().join(".gitconfig"), to).expect("it can be written");
        Self { lab, work: home.path().join("work"), home, event, commit: commit.to_owned() }
    }

    /// What a system does before anybody's scripts: it clones, by a token that it keeps where scripts do not look, or with
    /// `is_kept` in the clone, as GitHub's own action does. There is a branch, or just the commit.
    pub(crate) fn clone(&self, repository: &str, folder: &str, options: &[&str], commit: Option<&str>, is_kept: bool) {
        let header = "http.extraHeader=Authorization: Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=";
        let to = self.work.join(folder);
        let url = format!("{}/acme/{repository}.git", self.lab.server.address);
        let to_text = to.to_str().expect("it is UTF-8");
        git(self.home.path(), &[&["-c", header, "clone", "--quiet"], options, &[&url, to_text]].concat());
        if let Some(commit) = commit {
            git(&to, &["checkout", "--quiet", commit]);
        }
        if is_kept {
            let (name, value) = header.split_once('=').expect("it has both");
            git(&to, &["config", name, value]);
        }
    }

    /// Runs a script: whether it went well, and what it said.
    pub(crate) fn run(&self, shell: &[&str], script: &str, variables: &[(String, String)]) -> (bool, String) {
        let ran = Command::new(shell[0])
            .args(&shell[1..])
            .arg(script)
            .current_dir(&self.work)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.lab.folder.path().join("programs").display()))
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("CALLS", self.home.path().join("calls"))
            .env("ONEPANE_BINARY", env!("CARGO_BIN_EXE_onepane"))
            .env("RUNNER_TEMP", self.home.path())
            .env("KUBECONFIG", self.lab.folder.path().join("kubeconfig"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("a shell can be run");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(!said.contains(TOKEN) && !said.contains("hunter2"), "{said}");
        self.assert_no_token(&self.work);
        (ran.status.success(), said)
    }

    /// No file has the token: clones are left behind on machines that others use.
    fn assert_no_token(&self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                self.assert_no_token(&path);
            } else if fs::metadata(&path).is_ok_and(|file| file.len() < 1 << 16) {
                let bytes = fs::read(&path).expect("it can be read");
                let is_in = bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
                assert!(!is_in, "{} has the token", path.display());
            }
        }
    }

    /// How stand-ins were called.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.home.path().join("calls")).unwrap_or_default()
    }

    /// What was reported.
    pub(crate) fn reported(&self) -> String {
        fs::read_to_string(self.home.path().join("calls.reported")).unwrap_or_default()
    }

    pub(crate) fn kubeconfig(&self) -> String {
        fs::read_to_string(self.lab.folder.path().join("kubeconfig")).expect("it is there")
    }
}

pub(crate) fn yaml(text: &str) -> Value {
    onepane_resource::json_document(text, &"pipeline").expect("it is YAML")
}
