//! `onepane ci`: the example's environment, on a cluster in the process.
#![cfg(unix)]

use onepane_embedded::{Behaviour, Embedded, Options, Rule, Scenario};
use onepane_testkit::{Finished, run_with};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The example company, and a cluster that has its definitions.
struct Lab {
    cluster: Embedded,
    folder: TempDir,
    shop: PathBuf,
}

impl Lab {
    fn new(rules: Vec<Rule>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let options = Options { scenario: Scenario { rules }, ..Options::default() };
        let cluster = Embedded::start(options).expect("it starts");
        fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig()).expect("it can be written");
        let lab = Self { cluster, shop: folder.path().join("shop"), folder };
        let made = lab.onepane(lab.folder.path(), &["init", "--example", "shop"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        lab.write("onepane.yaml", "clusters: {dev: {context: embedded}}\n");
        let (applied, text) = lab.run(&["apply", "dev"]);
        assert_eq!(applied.code, Some(0), "{text}{}", applied.stderr);
        lab
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.shop.join(path), text).expect("it can be written");
    }

    fn variables(&self) -> [(String, String); 1] {
        let kubeconfig = self.folder.path().join("kubeconfig").to_str().expect("it is UTF-8").to_owned();
        [("KUBECONFIG".to_owned(), kubeconfig)]
    }

    fn onepane(&self, folder: &Path, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        run_with(binary, &arguments, folder, self.folder.path(), &self.variables()).expect("it ends in time")
    }

    fn run(&self, arguments: &[&str]) -> (Finished, String) {
        let finished = self.onepane(&self.shop, arguments);
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        (finished, text)
    }

    /// Starts a run that nobody waits for.
    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_onepane"))
            .args(["ci", "run", "--service", "api", "--image", "registry.shop.example.com/api:new"])
            .current_dir(&self.shop)
            .env_clear()
            .envs(self.variables())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts")
    }

    /// How many namespaces of runs there are.
    fn environments(&self) -> usize {
        let (reaped, text) = self.run(&["ci", "reap", "--older-than", "0s", "--dry-run"]);
        assert_eq!(reaped.code, Some(0), "{text}{}", reaped.stderr);
        text.lines().filter(|line| line.starts_with("would go")).count()
    }
}

fn rule(image: &str, behaviour: Option<Behaviour>, log: &str) -> Rule {
    Rule { name: Some(image.to_owned()), behaviour, log: Some(log.to_owned()), ..Rule::default() }
}

const RUN: [&str; 6] = ["ci", "run", "--service", "api", "--image", "registry.shop.example.com/api:new"];

#[test]
fn the_example_is_tested_and_gone() {
    let log = "ordered a kettle\nthe token is example-only-not-a-secret\n\u{1b}[31mred\n";
    let lab = Lab::new(vec![rule("integration-checkout", None, log)]);
    let report = lab.folder.path().join("report");
    let mut arguments = RUN.to_vec();
    arguments.extend(["--report", report.to_str().expect("it is UTF-8")]);
    let (passed, text) = lab.run(&arguments);
    assert_eq!(passed.code, Some(0), "{text}{}", passed.stderr);
    assert!(text.contains("/test | ordered a kettle\n") && text.starts_with("note "), "{text}");
    assert!(text.contains("test        integration-checkout passed\n"), "{text}");
    assert!(text.ends_with("passed: 2 tests, 0 failed\n"), "{text}");
    // What Secrets hold is shown nowhere, and nothing moves the cursor.
    assert!(text.contains("the token is ***") && !text.contains('\u{1b}'), "{text}");
    let json: Value =
        serde_json::from_slice(&fs::read(report.join("report.json")).expect("it is there")).expect("it is JSON");
    assert_eq!((&json["verdict"], &json["cluster"]), (&"passed".into(), &"dev".into()));
    assert_eq!(json["images"][0]["is"], "registry.shop.example.com/api:new");
    let mut logs = 0;
    for path in ["report.md", "junit.xml", "index.html"].map(|name| report.join(name)).into_iter().chain(
        fs::read_dir(report.join("logs")).expect("there are logs").map(|entry| entry.expect("it can be read").path()),
    ) {
        let text = fs::read_to_string(&path).expect("it can be read");
        assert!(!text.contains("not-a-secret"), "{}", path.display());
        logs += usize::from(text.contains("ordered a kettle"));
    }
    assert!(logs >= 1);
    assert_eq!(lab.environments(), 0);
}

#[test]
fn what_fails_has_an_exit_code_of_its_own() {
    let fail = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 1, times: None };
    let mut rules = vec![rule("integration-checkout", Some(fail), "no such order\n")];
    let lab = Lab::new(rules.clone());
    rules.push(rule("worker", Some(Behaviour::NeverReady), ""));
    lab.cluster.set_scenario(Scenario { rules: rules.clone() });
    let (failed, text) = lab.run(&["ci", "run", "dev", "--timeout", "3s", "--output", "json"]);
    assert_eq!(failed.code, Some(3), "{text}{}", failed.stderr);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.last().expect("it says something")["verdict"], "not ready");
    assert!(text.contains("\"name\":\"worker\",\"event\":\"failed\""), "{text}");
    rules.truncate(1);
    lab.cluster.set_scenario(Scenario { rules });
    let (failed, text) = lab.run(&["ci", "run", "dev"]);
    assert_eq!(failed.code, Some(1), "{text}{}", failed.stderr);
    assert!(
        text.contains("test        integration-checkout failed: ") && text.contains("/test | no such order\n"),
        "{text}"
    );
    assert!(text.ends_with("tests failed: 2 tests, 1 failed\n"), "{text}");

    // What can't be run makes nothing, and says why.
    let refused = |arguments: &[&str], said: &str| {
        let (refused, text) = lab.run(arguments);
        assert_eq!(refused.code, Some(2), "{text}{}", refused.stderr);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    };
    refused(&["ci", "run", "prod-eu"], "has no folder `clusters/prod-eu/ci`");
    refused(&["ci", "run", "nowhere"], "there is no cluster or folder `nowhere`");
    refused(&["ci", "run", "--service", "billing", "--image", "billing:1"], "runs an image of `billing`");
    refused(&["ci", "run", "--image", "api:1"], "--service");
    lab.write("onepane.yaml", "clusters: {prod-eu: {context: embedded}}\n");
    refused(&["ci", "run"], "names no context for the cluster `dev`");
    lab.write("onepane.yaml", "clusters: {dev: {context: embedded}}\n");
    lab.write("clusters/dev/ci/kustomization.yaml", "resources: [nothing.yaml]\n");
    refused(&["ci", "run"], "nothing.yaml");
    assert_eq!(lab.environments(), 0);
}

#[test]
fn the_other_services_run_what_the_policy_says() {
    let lab = Lab::new(Vec::new());
    let images = |arguments: &[&str]| -> Vec<String> {
        let report = lab.folder.path().join("report");
        let report = report.to_str().expect("it is UTF-8");
        let (passed, text) = lab.run(&[&["ci", "run", "--report", report], arguments].concat());
        assert_eq!(passed.code, Some(0), "{text}{}", passed.stderr);
        let json = fs::read(Path::new(report).join("report.json")).expect("it is there");
        let json: Value = serde_json::from_slice(&json).expect("it is JSON");
        let images = json["images"].as_array().expect("it is a list").iter();
        images
            .map(|image| image["is"].as_str().expect("it is a text").replace("registry.shop.example.com/", ""))
            .collect()
    };
    assert_eq!(images(&[]), [""; 0]);
    let tested = ["--service", "api", "--image", "registry.shop.example.com/api:new"];
    assert_eq!(
        images(&[&tested[..], &["--others", "latest"]].concat()),
        ["api:new", "storefront:latest", "worker:latest"]
    );
    lab.write("onepane.yaml", "clusters: {dev: {context: embedded}}\nci: {others: branch}\n");
    assert_eq!(images(&["--branch", "feature/pay"]), [""; 0]);
    let worker = lab.shop.join("src/worker");
    onepane_testkit::git(&worker, &["branch", "feature/pay"]);
    assert_eq!(images(&["--branch", "feature/pay"]), ["worker:feature-pay"]);
    // The branch that is checked out is one that all of them have.
    assert_eq!(images(&[]), ["api:main", "storefront:main", "worker:main"]);
}

#[test]
fn the_environment_is_held_against_its_cluster() {
    let lab = Lab::new(Vec::new());
    let (shown, text) = lab.run(&["ci", "diff"]);
    assert_eq!(shown.code, Some(0), "{text}{}", shown.stderr);
    assert!(shown.stderr.contains("the namespace shop-ci is held against shop"), "{}", shown.stderr);
    let volume = "spec.template.spec.volumes[name=data]";
    assert!(text.contains("~ Deployment shop/api\n") && text.contains(volume), "{text}");
    assert!(text.contains("https://shop.localhost") && text.contains("https://ci.shop.localhost"), "{text}");
    assert!(!text.contains("- Ingress") && shown.stderr.contains("--all lists them"), "{text}");
    let (_, text) = lab.run(&["ci", "diff", "--all", "--output", "json"]);
    let json: Value = serde_json::from_str(&text).expect("it is JSON");
    let changes = json["clusters"][0]["changes"].as_array().expect("it is a list");
    let gone = |kind: &str| changes.iter().any(|one| one["kind"] == kind && one["action"] == "removed");
    assert!(gone("Ingress") && gone("PersistentVolumeClaim") && !gone("Deployment") || gone("Ingress"), "{text}");
}

#[test]
fn a_reaper_may_do_no_more_than_it_needs() {
    let lab = Lab::new(Vec::new());
    let (printed, text) = lab.run(&["ci", "reaper", "--image", "onepane:1"]);
    assert_eq!(printed.code, Some(0), "{text}{}", printed.stderr);
    let read = |text| onepane_resource::json_document(text, &"reaper").expect("it is YAML");
    let documents: Vec<Value> = text.split("---\n").map(read).collect();
    let of =
        |kind: &str| documents.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("{kind} is not there"));
    let rules = of("ClusterRole")["rules"].as_array().expect("it is a list");
    for rule in rules {
        let words = rule["verbs"]
            .as_array()
            .expect("it is a list")
            .iter()
            .chain(rule["resources"].as_array().expect("it is a list"));
        assert!(
            words
                .clone()
                .all(|word| !["*", "create", "update", "patch", "secrets", "pods"].iter().any(|wide| word == wide)),
            "{rule}"
        );
    }
    let pod = &of("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["args"], serde_json::json!(["ci", "reap", "--in-cluster"]));
    assert_eq!(
        (&pod["securityContext"]["runAsNonRoot"], &pod["containers"][0]["image"]),
        (&true.into(), &"onepane:1".into())
    );
    let (applied, text) = lab.run(&["ci", "reaper", "--image", "onepane:1", "--apply"]);
    assert_eq!(
        (applied.code, text.lines().filter(|line| line.starts_with("created")).count()),
        (Some(0), documents.len()),
        "{text}{}",
        applied.stderr
    );
    let (refused, _) = lab.run(&["ci", "reaper", "--image", "onepane:1", "--namespace", "a'b"]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("no name that a namespace can have"),
        "{}",
        refused.stderr
    );
}

#[test]
fn whoever_is_stopped_removes_it_and_whoever_is_killed_is_reaped() {
    let lab = Lab::new(vec![rule("integration-", Some(Behaviour::NeverReady), "")]);
    let send = |child: &Child, signal: &str| {
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill can be run");
        assert!(killed.success());
    };
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = lab.start();
        for _ in 0..200 {
            if lab.cluster.faults().count("list", "jobs") > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        lab.cluster.faults().reset_counts();
        send(&child, signal);
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert_eq!(lab.environments(), 0, "{signal}");
    }
    let mut left = 0;
    for turn in 0..10 {
        let mut child = lab.start();
        std::thread::sleep(Duration::from_millis(100 + turn * 60));
        send(&child, "-KILL");
        child.wait().expect("it ends");
        left += lab.environments();
        // Nothing has expired yet.
        let (reaped, text) = lab.run(&["ci", "reap"]);
        assert_eq!((reaped.code, text.starts_with("0 gone, 0 left, ")), (Some(0), true), "{text}{}", reaped.stderr);
        let (reaped, text) = lab.run(&["ci", "reap", "--older-than", "0s"]);
        assert_eq!(reaped.code, Some(0), "{text}{}", reaped.stderr);
        assert_eq!(lab.environments(), 0, "{text}");
    }
    println!("10 kills, {left} of which left something to reap");
    assert!(left >= 5, "{left}");
    // What was applied to the cluster itself is as it was.
    assert_eq!(lab.run(&["status", "dev"]).0.code, Some(0));
}
