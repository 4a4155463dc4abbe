//! `onepane ci run --status`, and `onepane promote` where the rules ask for it: on a cluster in the process, with a Git server and
//! a forge that follows the published descriptions.
#![cfg(unix)]

use onepane_embedded::{Behaviour, Embedded, Options, Rule, Scenario};
use onepane_testkit::{Finished, Forge, GitServer, PostedStatus, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A company with the service `api`, which runs on `dev` and `staging`.
struct Lab {
    cluster: Embedded,
    server: GitServer,
    folder: TempDir,
    root: PathBuf,
    kind: &'static str,
    /// The service's commit, tagged v1.1.0.
    commit: String,
}

const IMAGE: &str = "registry.example.com/api";

impl Lab {
    fn new(kind: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let cluster = Embedded::start(Options::default()).expect("it starts");
        fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig()).expect("it can be written");
        let served = folder.path().join("served");
        fs::create_dir_all(served.join("acme")).expect("it is new");
        for name in ["api", "shop"] {
            let path = format!("acme/{name}.git");
            git(&served, &["init", "--quiet", "--bare", "--initial-branch", "main", &path]);
            git(&served.join(path), &["config", "http.receivepack", "true"]);
        }
        let server = GitServer::start(&served);
        server.be(Forge::like(kind));
        let api = folder.path().join("api");
        git(folder.path(), &["init", "--quiet", "--initial-branch", "main", "api"]);
        git(&api, &["commit", "--quiet", "--allow-empty", "--message", "one"]);
        git(&api, &["tag", "v1.1.0"]);
        git(&api, &["push", "--quiet", "--tags", &format!("{}/acme/api.git", server.address), "main"]);
        let commit = git(&api, &["rev-parse", "HEAD"]);
        let lab = Self { cluster, server, root: folder.path().join("shop"), folder, kind, commit };
        lab.fill();
        lab
    }

    fn fill(&self) {
        let write = |path: &str, text: &str| {
            let path = self.root.join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        write(
            "onepane.yaml",
            "clusters: {dev: {context: embedded}}\npromotions: {staging: {from: dev, ciRun: status}}\n",
        );
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec: {{containers: [{{name: a, image: {IMAGE}}}]}}\n"
        );
        write("components/api/pod.yaml", &pod);
        write("components/api/kustomization.yaml", "resources: [pod.yaml]\n");
        for (cluster, tag) in [("dev", "1.0.0"), ("staging", "1.0.0")] {
            let images = format!("images:\n- name: {IMAGE}\n  newTag: {tag}\n");
            let path = format!("clusters/{cluster}/kustomization.yaml");
            write(&path, &format!("namespace: {cluster}\nresources: [../../components/api]\n{images}"));
        }
        let ci = format!(
            "namespace: ci\nresources: [../../../components/api]\nimages: [{{name: {IMAGE}, newTag: 1.0.0}}]\n"
        );
        write("clusters/dev/ci/kustomization.yaml", &ci);
        let container = format!("{{name: test, image: '{IMAGE}:1.0.0'}}");
        let job = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: orders}}\nspec:\n  backoffLimit: 0\n  template:\n    spec: {{restartPolicy: Never, containers: [{container}]}}\n"
        );
        write("clusters/dev/ci/integration-test/job.yaml", &job);
        write("clusters/dev/ci/integration-test/kustomization.yaml", "namespace: ci\nresources: [job.yaml]\n");
        git(&self.root, &["init", "--quiet", "--initial-branch", "main"]);
        git(&self.root, &["config", "user.name", "t"]);
        git(&self.root, &["config", "user.email", "t@example.com"]);
        git(&self.root, &["remote", "add", "origin", &format!("{}/acme/shop.git", self.server.address)]);
        git(&self.root, &["submodule", "--quiet", "add", "../api.git", "src/api"]);
        self.commit_and_push("all");
    }

    fn commit_and_push(&self, message: &str) {
        git(&self.root, &["add", "--all"]);
        git(&self.root, &["commit", "--quiet", "--message", message]);
        git(&self.root, &["push", "--quiet", "origin", "main"]);
    }

    fn variables(&self, token: &str) -> Vec<(String, String)> {
        let name = match self.kind {
            "github" => "GH_ENTERPRISE_TOKEN",
            "gitlab" => "GITLAB_TOKEN",
            _ => "GITEA_TOKEN",
        };
        let kubeconfig = self.folder.path().join("kubeconfig").to_str().expect("it is UTF-8").to_owned();
        let job = "https://forge/acme/api/jobs/7";
        let all = [(name, token), ("KUBECONFIG", &*kubeconfig), ("CI_JOB_URL", job)];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn run_with_token(&self, token: &str, arguments: &[&str]) -> Finished {
        let all = [arguments, &["--forge", self.kind]].concat();
        let arguments: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        let ran = run_with(binary, &arguments, &self.root, self.folder.path(), &self.variables(token));
        ran.expect("it ends in time")
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with_token("t0ken", arguments)
    }

    /// Who has which status of which commit by now: one a line, the first first.
    fn statuses(&self) -> Vec<String> {
        let shown = |posted: &PostedStatus| {
            let PostedStatus { repository, commit, context, state, body } = posted;
            assert_eq!(body["target_url"], "https://forge/acme/api/jobs/7");
            let commit = if *commit == self.commit { "api" } else { commit.as_str() };
            format!("{repository} {commit} {context} {state}: {}", body["description"].as_str().unwrap_or_default())
        };
        self.server.statuses().iter().map(shown).collect()
    }
}

fn said(finished: &Finished) -> String {
    format!("{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr)
}

#[test]
fn a_run_is_a_status_of_the_commit_that_it_tests() {
    for (kind, failed, stopped) in
        [("github", "failure", "error"), ("gitlab", "failed", "canceled"), ("gitea", "failure", "error")]
    {
        let lab = Lab::new(kind);
        let image = format!("{IMAGE}:{}", lab.commit);
        let run = ["ci", "run", "dev", "--service", "api", "--image", &image, "--status"];
        // Who may not post one learns it before anything is run.
        let refused = lab.run_with_token("wr0ng", &run);
        assert_eq!(refused.code, Some(2), "{}", said(&refused));
        assert!(refused.stderr.contains("Bad credentials") && !said(&refused).contains("wr0ng"), "{}", said(&refused));
        assert!(!said(&refused).contains("created"), "{}", said(&refused));
        let passed = lab.run(&run);
        assert_eq!(passed.code, Some(0), "{}", said(&passed));
        let pending = "api api onepane-ci/dev pending: is tested, until ";
        let success = "api api onepane-ci/dev success: passed: 1 tests, 0 failed";
        let statuses = lab.statuses();
        assert!(statuses[0].starts_with(pending) && statuses[0].ends_with(" UTC at the latest"), "{statuses:?}");
        assert_eq!(statuses[1..], [success]);
        // A tag stands for the commit as well, and a name of it that is said.
        let behaviour = Some(Behaviour::Fail { after: Duration::from_secs(1), exit_code: 1, times: None });
        let rules = vec![Rule { name: Some("orders".to_owned()), behaviour, ..Rule::default() }];
        lab.cluster.set_scenario(Scenario { rules });
        let image = format!("{IMAGE}:1.1.0");
        let ran = lab.run(&["ci", "run", "dev", "--service", "api", "--image", &image, "--status"]);
        assert_eq!(ran.code, Some(1), "{}", said(&ran));
        let last = lab.statuses().pop();
        assert_eq!(last, Some(format!("api api onepane-ci/dev {failed}: tests failed: 1 tests, 1 failed")));
        let image = format!("{IMAGE}:nightly");
        let with = ["ci", "run", "dev", "--service", "api", "--image", &image, "--status", "--commit", "v1.1.0"];
        assert_eq!(lab.run(&with).code, Some(1));
        assert_eq!(lab.statuses().len(), 6);
        // Without a service it is what runs there that is tested, and the commit is the last one here.
        lab.cluster.set_scenario(Scenario::default());
        let ran = lab.run(&["ci", "run", "dev", "--status"]);
        assert_eq!(ran.code, Some(0), "{}", said(&ran));
        let head = git(&lab.root, &["rev-parse", "HEAD"]);
        assert!(lab.statuses()[7].starts_with(&format!("shop {head} onepane-ci/dev success")), "{:?}", lab.statuses());
        // What is stopped does not stay pending.
        let rules =
            vec![Rule { name: Some("api".to_owned()), behaviour: Some(Behaviour::NeverReady), ..Rule::default() }];
        lab.cluster.set_scenario(Scenario { rules });
        // However early that is, and also where its terminal is closed.
        for (signal, pause) in [("-TERM", 1000), ("-HUP", 1000), ("-TERM", 0)] {
            let before = lab.statuses().len();
            let mut child = Command::new(env!("CARGO_BIN_EXE_onepane"))
                .args(run)
                .args(["--forge", kind])
                .current_dir(&lab.root)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", lab.folder.path())
                .envs(lab.variables("t0ken"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts");
            let start = Instant::now();
            while lab.statuses().len() == before && start.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(pause));
            Command::new("kill").args([signal, &child.id().to_string()]).status().expect("it can be run");
            assert_eq!(child.wait().expect("it ends").code(), Some(143));
            let statuses = lab.statuses();
            assert_eq!(statuses.len(), before + 2, "{statuses:?}");
            assert!(statuses[before].starts_with(pending), "{statuses:?}");
            let last = format!("api api onepane-ci/dev {stopped}: stopped");
            assert!(statuses[before + 1].starts_with(&last), "{statuses:?}");
        }
        // Of one that nobody could stop, the next run says how it is.
        let mut forge = Forge::like(kind);
        forge.statuses = lab.server.statuses();
        forge.statuses.pop();
        lab.server.be(forge);
        lab.cluster.set_scenario(Scenario::default());
        assert_eq!(lab.run(&run).code, Some(0));
        assert_eq!(lab.statuses().pop().as_deref(), Some(success));
    }
}

#[test]
fn rules_can_ask_for_a_status() {
    for kind in ["github", "gitlab", "gitea"] {
        let lab = Lab::new(kind);
        let change = |tag: &str| {
            let path = lab.root.join("clusters/dev/kustomization.yaml");
            let text = format!(
                "namespace: dev\nresources: [../../components/api]\nimages:\n- name: {IMAGE}\n  newTag: \"{tag}\"\n"
            );
            fs::write(path, text).expect("it can be written");
            lab.commit_and_push(tag);
        };
        let promote = || lab.run(&["promote", "dev", "staging", "--push"]);
        change(&lab.commit);
        let refused = promote();
        assert_eq!(refused.code, Some(1), "{}", said(&refused));
        let short = &lab.commit[..7];
        for words in ["no status `onepane-ci/…` of src/api at ", short, "says that it has passed", "--force"] {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
        let refused = lab.run_with_token("", &["promote", "dev", "staging", "--push"]);
        assert!(refused.stderr.contains("there is no token of "), "{}", refused.stderr);
        // One of another name, one that has not ended, one that has failed, and many others: none of them is it.
        let image = format!("{IMAGE}:{}", lab.commit);
        let run = ["ci", "run", "dev", "--service", "api", "--image", &image, "--status"];
        let behaviour = Some(Behaviour::Fail { after: Duration::from_secs(1), exit_code: 1, times: None });
        let rules = vec![Rule { name: Some("orders".to_owned()), behaviour, ..Rule::default() }];
        lab.cluster.set_scenario(Scenario { rules });
        assert_eq!(lab.run(&run).code, Some(1));
        let mut forge = Forge::like(kind);
        forge.statuses = lab.server.statuses();
        for number in 0..120 {
            let context = format!("lint/{number}");
            let state = "success".to_owned();
            let (repository, commit) = ("api".to_owned(), lab.commit.clone());
            forge.statuses.push(PostedStatus { repository, commit, context, state, body: serde_json::json!({}) });
        }
        lab.server.be(forge.clone());
        assert!(promote().stderr.contains("says that it has passed"));
        // The one that counts is found behind all others.
        let passed = forge.statuses[1].clone();
        forge.statuses.insert(2, PostedStatus { state: "success".to_owned(), ..passed });
        lab.server.be(forge.clone());
        let done = promote();
        assert_eq!(done.code, Some(0), "{}", said(&done));
        // The tag of a commit is as good as its name.
        git(&lab.root, &["pull", "--quiet", "origin", "main"]);
        change("1.1.0");
        let done = promote();
        assert_eq!(done.code, Some(0), "{}", said(&done));
        let text = git(&lab.root, &["fetch", "--quiet", "origin", "main"]);
        assert_eq!(text, "");
        let staging = git(&lab.root, &["show", "FETCH_HEAD:clusters/staging/kustomization.yaml"]);
        assert!(staging.contains("1.1.0"), "{staging}");
    }
}
