//! `onepane ci pipeline`: each file has the structure that its system wants, and each shell line in it runs. Docker, Git and
//! what reports are stand-ins that note how they are called; onepane is the real one, on a cluster in the process.
#![cfg(unix)]

use onepane_embedded::{Embedded, Options};
use onepane_testkit::run_with;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The example company, a cluster, and programs that stand in for others.
struct Lab {
    _cluster: Embedded,
    folder: TempDir,
    shop: PathBuf,
}

const STAND_INS: [(&str, &str); 5] = [
    ("docker", "case $1 in create) echo id-1 ;; cp) cp \"$ONEPANE_BINARY\" \"$3\" ;; login) cat > /dev/null ;; esac"),
    ("git", "for last; do :; done; cp -r \"$SHOP\" \"$last\""),
    ("apk", ":"),
    ("gh", "for last; do :; done; if [ \"$last\" = - ]; then cat; else cat \"$last\"; fi > \"$CALLS.reported\""),
    ("curl", "for word; do case $word in body@*) cat \"${word#body@}\" > \"$CALLS.reported\" ;; esac; done"),
];

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let cluster = Embedded::start(Options::default()).expect("it starts");
        fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig()).expect("it can be written");
        let lab = Self { _cluster: cluster, shop: folder.path().join("shop"), folder };
        lab.onepane(lab.folder.path(), &["init", "--example", "shop"]);
        fs::write(lab.shop.join("onepane.yaml"), "clusters: {dev: {context: embedded}}\n").expect("it can be written");
        lab.onepane(&lab.shop, &["apply", "dev"]);
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

    fn onepane(&self, folder: &Path, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        let kubeconfig = self.folder.path().join("kubeconfig").to_str().expect("it is UTF-8").to_owned();
        let variables = [("KUBECONFIG".to_owned(), kubeconfig)];
        let finished = run_with(binary, &arguments, folder, self.folder.path(), &variables).expect("it ends in time");
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_eq!(finished.code, Some(0), "{arguments:?}: {text}{}", finished.stderr);
        text
    }

    fn pipeline(&self, system: &str, service: Option<&str>) -> String {
        let mut arguments = vec!["ci", "pipeline", system, "--stdout"];
        arguments.extend(service.into_iter().flat_map(|service| ["--service", service]));
        let text = self.onepane(&self.shop, &arguments);
        let left =
            text.split('@').filter(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        assert_eq!(left.count(), 0, "a name is not filled in: {text}");
        assert!(text.contains("`onepane promote FROM TO`"), "{text}");
        assert!(text.lines().count() < 90, "it is small");
        text
    }

    /// Runs scripts one after another, each as its system does; gives how stand-ins were called, and what was reported.
    fn shell(&self, is_service: bool, scripts: &[(String, Vec<(String, String)>)], shell: &[&str]) -> (String, String) {
        let home = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder can be made");
        let work = home.path().join("work");
        let copy = |to: &Path| {
            let copied = Command::new("cp").arg("-r").arg(&self.shop).arg(to).status().expect("cp can be run");
            assert!(copied.success());
        };
        if is_service {
            fs::create_dir(&work).expect("it can be made");
            copy(&work.join("gitops"));
        } else {
            copy(&work);
        }
        let calls = home.path().join("calls");
        let kubeconfig = self.folder.path().join("kubeconfig");
        let programs = self.folder.path().join("programs");
        for (script, variables) in scripts {
            let ran = Command::new(shell[0])
                .args(&shell[1..])
                .arg(script)
                .current_dir(&work)
                .env_clear()
                .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
                .env("HOME", home.path())
                .env("CALLS", &calls)
                .env("SHOP", &self.shop)
                .env("ONEPANE_BINARY", env!("CARGO_BIN_EXE_onepane"))
                .env("RUNNER_TEMP", home.path())
                .env("KUBECONFIG", &kubeconfig)
                .envs(variables.iter().map(|(name, value)| (name, value)))
                .output()
                .expect("a shell can be run");
            let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{script}\n{said}");
        }
        let report = fs::read_to_string(work.join("report/junit.xml")).expect("the report is there");
        assert!(report.contains("integration-checkout"), "{report}");
        (read(&calls), read(&home.path().join("calls.reported")))
    }

    fn kubeconfig(&self) -> String {
        read(&self.folder.path().join("kubeconfig"))
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn yaml(text: &str) -> Value {
    onepane_resource::json_document(text, &"pipeline").expect("it is YAML")
}

const IMAGE: &str = "registry.shop.example.com/api:0123abc";

/// What the shell lines of all systems have to have done.
fn check(is_service: bool, calls: &str, reported: &str) {
    if is_service {
        for wanted in [
            &format!("docker build --tag {IMAGE} ."),
            &format!("docker push {IMAGE}"),
            "docker login --username robot --password-stdin registry.shop.example.com",
        ] {
            assert!(calls.contains(wanted), "{wanted} is not among {calls}");
        }
        assert!(
            reported.is_empty() || reported.contains("api on dev passed") && reported.contains(IMAGE),
            "{reported}"
        );
    } else {
        assert!(
            reported.is_empty() || reported.contains("ci: dev passed") && reported.contains("clusters change"),
            "{reported}"
        );
    }
    assert!(calls.contains("docker create onepane:1\n") && !calls.contains("hunter2"), "{calls}");
}

#[test]
fn what_github_runs_works() {
    let lab = Lab::new();
    let known = [
        ("github.sha", "0123abc"),
        ("vars.ONEPANE_IMAGE", "onepane:1"),
        ("vars.REGISTRY_USER", "robot"),
        ("secrets.REGISTRY_PASSWORD", "hunter2"),
        ("secrets.KUBECONFIG", &lab.kubeconfig()),
        ("github.token", "t"),
        ("github.event.pull_request.number", "7"),
        ("github.base_ref", "main"),
    ]
    .map(|(name, value)| (format!("${{{{ {name} }}}}"), value.to_owned()));
    let variables = |env: &Value| -> Vec<(String, String)> {
        let pairs = env.as_object().into_iter().flatten();
        let value = |value: &Value| {
            let text = value.as_str().expect("it is a text").to_owned();
            let text = known.iter().fold(text, |text, (name, value)| text.replace(name, value));
            assert!(!text.contains("${{"), "{text} is not known");
            text
        };
        pairs.map(|(name, text)| (name.clone(), value(text))).collect()
    };
    for service in [Some("api"), None] {
        let file = yaml(&lab.pipeline("github", service));
        // For YAML 1.1, which Kubernetes reads, `on` is no text.
        assert!(file["true"].get("pull_request").is_some() && file["permissions"]["contents"] == "read", "{file}");
        let jobs = file["jobs"].as_object().expect("there are jobs");
        let mut scripts = Vec::new();
        for job in jobs.values() {
            assert!(job["runs-on"] == "ubuntu-latest" && job["timeout-minutes"].is_u64(), "{job}");
            for step in job["steps"].as_array().expect("there are steps") {
                assert!(step.get("uses").is_some() != step.get("run").is_some(), "{step}");
                if let Some(script) = step["run"].as_str() {
                    // What strangers choose, such as the name of a branch, is no part of a script.
                    assert!(!script.contains("${{"), "{script}");
                    let variables = [variables(&job["env"]), variables(&step["env"])].concat();
                    scripts.push((script.to_owned(), variables));
                }
            }
        }
        assert!(scripts.len() >= 5);
        let (calls, reported) = lab.shell(service.is_some(), &scripts, &["bash", "-eo", "pipefail", "-c"]);
        check(service.is_some(), &calls, &reported);
        assert!(calls.contains("gh pr comment 7 --body-file ") && !reported.is_empty(), "{calls}");
    }
}

#[test]
fn what_gitlab_runs_works() {
    let lab = Lab::new();
    for service in [Some("api"), None] {
        let file = yaml(&lab.pipeline("gitlab", service));
        assert_eq!(file["workflow"]["rules"][0]["if"], "$CI_PIPELINE_SOURCE == \"merge_request_event\"");
        let stages: Vec<&str> = file["stages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let words = ["stages", "workflow", "default", "variables"];
        // Names that mean something else at the top of the file, and so none of jobs.
        let reserved = [
            "image",
            "services",
            "cache",
            "before_script",
            "after_script",
            "include",
            "pages",
            "spec",
            "types",
            "true",
            "false",
            "nil",
        ];
        assert!(reserved.iter().all(|word| file.get(word).is_none()), "{file}");
        let mut jobs: Vec<&Value> = file
            .as_object()
            .expect("it is one")
            .iter()
            .filter(|(name, _)| !words.contains(&name.as_str()))
            .map(|(_, job)| job)
            .collect();
        // In the order of their stages, whatever the order of keys here.
        jobs.sort_by_key(|job| stages.iter().position(|stage| job["stage"] == **stage));
        let mut given: Vec<(String, String)> = [
            ("CI_COMMIT_SHA", "0123abc"),
            ("ONEPANE_IMAGE", "onepane:1"),
            ("REGISTRY_USER", "robot"),
            ("REGISTRY_PASSWORD", "hunter2"),
            ("GITOPS_TOKEN", "t"),
            ("GITOPS_REPOSITORY", "example.com/shop.git"),
            ("REPORT_TOKEN", "t"),
            ("CI_API_V4_URL", "https://example.com/api/v4"),
            ("CI_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "origin/main"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in file["variables"].as_object().into_iter().flatten() {
            let value = value.as_str().expect("it is a text").replace("$CI_COMMIT_SHA", "0123abc");
            given.push((name.clone(), value));
        }
        let mut scripts = Vec::new();
        for job in &jobs {
            assert!(stages.is_empty() || stages.iter().any(|stage| job["stage"] == **stage), "{job}");
            for part in ["script", "after_script"] {
                let lines: Vec<&str> = job[part]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|line| line.as_str().expect("it is a text"))
                    .collect();
                if !lines.is_empty() {
                    scripts.push((lines.join("\n"), given.clone()));
                }
            }
        }
        let last = jobs.last().expect("there is one");
        assert_eq!(
            (&last["artifacts"]["reports"]["junit"], &last["artifacts"]["when"]),
            (&"report/junit.xml".into(), &"always".into())
        );
        // The folder is not there before it is cloned.
        let (calls, reported) = lab.shell(service.is_some(), &scripts, &["sh", "-eu", "-c"]);
        check(service.is_some(), &calls, &reported);
        assert!(calls.contains("/projects/1/merge_requests/7/notes\n") && !reported.is_empty(), "{calls}");
    }
}

#[test]
fn what_jenkins_runs_works() {
    let lab = Lab::new();
    for service in [Some("api"), None] {
        let text = lab.pipeline("jenkins", service);
        let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("//")).collect();
        assert_eq!(code.first(), Some(&"pipeline {"));
        for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
            let count = |of: char| code.iter().flat_map(|line| line.chars()).filter(|c| *c == of).count();
            assert_eq!(count(open), count(close), "{open}{close}");
        }
        for word in ["agent {", "stages {", "stage('", "steps {", "junit testResults: 'report/junit.xml'"] {
            assert!(code.iter().any(|line| line.contains(word)), "{word}");
        }
        let given: Vec<(String, String)> = [
            ("IMAGE", IMAGE),
            ("ONEPANE_IMAGE", "onepane:1"),
            ("REGISTRY_USER", "robot"),
            ("REGISTRY_PASSWORD", "hunter2"),
            ("CHANGE_TARGET", "main"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        // In quotes in which Groovy fills in nothing.
        let scripts: Vec<_> = text
            .split("sh '''")
            .skip(1)
            .map(|rest| (rest.split("'''").next().expect("it is one").to_owned(), given.clone()))
            .collect();
        assert_eq!(scripts.len(), if service.is_some() { 2 } else { 1 });
        assert!(!code.iter().any(|line| line.trim_start().starts_with("sh \"")), "{text}");
        let (calls, reported) = lab.shell(service.is_some(), &scripts, &["sh", "-e", "-c"]);
        check(service.is_some(), &calls, &reported);
    }
}

#[test]
fn files_are_written_where_they_belong_and_nothing_is_overwritten() {
    let lab = Lab::new();
    lab.onepane(&lab.shop, &["ci", "pipeline", "github", "--service", "api"]);
    lab.onepane(&lab.shop, &["ci", "pipeline", "github"]);
    assert!(read(&lab.shop.join("src/api/.github/workflows/integration.yml")).contains("--service api"));
    let path = lab.shop.join(".github/workflows/onepane.yml");
    assert!(read(&path).contains("ci run dev"));
    fs::write(&path, "ours\n").expect("it can be written");
    let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
    let arguments = ["ci", "pipeline", "github"].map(str::to_owned);
    let refused = run_with(binary, &arguments, &lab.shop, lab.folder.path(), &[]).expect("it ends in time");
    assert!(refused.code == Some(1) && refused.stderr.contains("says something else"), "{}", refused.stderr);
    assert_eq!(read(&path), "ours\n");
    lab.onepane(&lab.shop, &["ci", "pipeline", "github", "--force"]);
    assert!(read(&path).contains("ci run dev"));
}
