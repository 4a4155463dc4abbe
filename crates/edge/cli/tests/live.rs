//! `apply`, `status` and `destroy`: the example, on a cluster in the process.

use onepane_embedded::{Behaviour, Embedded, Options, Rule, Scenario};
use onepane_testkit::{Finished, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The example company, and a cluster.
struct Lab {
    cluster: Embedded,
    folder: TempDir,
    shop: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let cluster = Embedded::start(Options::default()).expect("it starts");
        fs::write(folder.path().join("kubeconfig"), cluster.kubeconfig()).expect("it can be written");
        let lab = Self { cluster, shop: folder.path().join("shop"), folder };
        let made = lab.onepane(lab.folder.path(), &["init", "--example", "shop"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        lab
    }

    fn onepane(&self, folder: &Path, arguments: &[&str]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let kubeconfig = self.folder.path().join("kubeconfig").to_str().expect("it is UTF-8").to_owned();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        let variables = [("KUBECONFIG".to_owned(), kubeconfig)];
        run_with(binary, &arguments, folder, self.folder.path(), &variables).expect("it ends in time")
    }

    fn run(&self, arguments: &[&str]) -> (Finished, String) {
        let finished = self.onepane(&self.shop, arguments);
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        (finished, text)
    }

    /// Names the context of the cluster `dev`.
    fn name_context(&self, context: &str) {
        let path = self.shop.join("onepane.yaml");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let before = text.find("# live\n").map_or(text.as_str(), |at| &text[..at]).to_owned();
        fs::write(path, format!("{before}# live\nclusters: {{dev: {{context: {context}}}}}\n"))
            .expect("it can be written");
    }
}

/// The counts in the last line: created, configured, unchanged, deleted, failed.
fn counts(text: &str) -> Vec<usize> {
    let last = text.lines().last().unwrap_or_default();
    last.split(' ').filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn the_example_is_applied_and_goes() {
    let lab = Lab::new();
    let (refused, _) = lab.run(&["apply", "dev"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("names no context for the cluster `dev`"), "{}", refused.stderr);
    lab.name_context("elsewhere");
    let (refused, _) = lab.run(&["apply", "dev"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("elsewhere"), "{}", refused.stderr);
    lab.name_context("embedded");

    let (applied, text) = lab.run(&["apply", "dev"]);
    assert_eq!(applied.code, Some(0), "{text}{}", applied.stderr);
    let first = counts(&text);
    assert!(first[0] > 20 && first[1..] == [0, 0, 0, 0], "{text}");
    assert!(
        text.contains("created     Deployment/shop/api\n") && text.contains("ready       Deployment/shop/api\n"),
        "{text}"
    );
    assert!(!text.contains("example-only"), "secrets are not shown");
    let (applied, text) = lab.run(&["apply", "dev", "--output", "json"]);
    assert_eq!(applied.code, Some(0), "{text}{}", applied.stderr);
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("it says something")).expect("it is JSON");
    assert_eq!((&last["created"], &last["failed"]), (&0.into(), &0.into()), "{text}");

    let (status, text) = lab.run(&["status", "dev"]);
    assert_eq!((status.code, text.lines().count()), (Some(0), first[0]), "{text}");
    let (refused, _) = lab.run(&["destroy", "dev", "--confirm", "prod-eu"]);
    assert!(refused.stderr.contains("`prod-eu` is not the cluster `dev`"), "{}", refused.stderr);
    let (destroyed, text) = lab.run(&["destroy", "dev", "--confirm", "dev"]);
    assert_eq!((destroyed.code, counts(&text)[3]), (Some(0), first[0]), "{text}{}", destroyed.stderr);
    assert_eq!(lab.run(&["status", "dev"]).1, "");
}

#[test]
fn what_does_not_start_fails_the_apply() {
    let lab = Lab::new();
    lab.name_context("embedded");
    let rule = Rule { image: Some("api".to_owned()), behaviour: Some(Behaviour::ImagePullFails), ..Rule::default() };
    lab.cluster.set_scenario(Scenario { rules: vec![rule] });
    let (applied, text) = lab.run(&["apply", "dev"]);
    assert_eq!(applied.code, Some(1), "{text}{}", applied.stderr);
    assert!(text.contains("trouble     Deployment/shop/api: the pod api-"), "{text}");
    assert!(text.contains("failed      Deployment/shop/api: "), "{text}");
    // Nobody waits where that is not wanted.
    let (applied, text) = lab.run(&["apply", "dev", "--no-wait"]);
    assert_eq!(applied.code, Some(0), "{text}{}", applied.stderr);
    assert_eq!(lab.run(&["status", "dev"]).0.code, Some(1));
}

#[test]
fn a_diff_is_what_an_apply_would_change() {
    let lab = Lab::new();
    lab.name_context("embedded");
    let (diff, text) = lab.run(&["diff", "dev", "--exit-code"]);
    assert_eq!(diff.code, Some(2), "{text}{}", diff.stderr);
    assert!(text.contains("Deployment shop/api") && text.contains("the cluster → the files on disk"), "{text}");
    assert_eq!(lab.run(&["apply", "dev"]).0.code, Some(0));
    let (diff, text) = lab.run(&["diff", "dev", "--exit-code"]);
    assert_eq!(diff.code, Some(0), "{text}{}", diff.stderr);
    assert!(!text.contains("Deployment"), "{text}");

    // An image and a secret are changed.
    let kustomization = lab.shop.join("clusters/dev/kustomization.yaml");
    let mut patched = fs::read_to_string(&kustomization).expect("it is there");
    patched += "\npatches:\n- target: {kind: Deployment, name: api}\n  patch: |\n    - {op: replace, path: /spec/replicas, value: 4}\n\
                - target: {kind: Secret}\n  patch: |\n    - {op: add, path: /stringData, value: {password: very-new}}\n";
    fs::write(&kustomization, patched).expect("it can be written");
    let (diff, text) = lab.run(&["diff", "dev", "--output", "json", "--exit-code"]);
    assert_eq!(diff.code, Some(2), "{text}{}", diff.stderr);
    let report: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let changes = report["clusters"][0]["changes"].as_array().expect("there are some");
    let api = changes.iter().find(|change| change["kind"] == "Deployment").expect("it changes");
    let field = api["fields"]
        .as_array()
        .and_then(|fields| fields.iter().find(|field| field["path"].to_string().contains("replicas")));
    assert_eq!(field.map(|field| &field["after"]), Some(&4.into()), "{text}");
    assert!(changes.iter().any(|change| change["kind"] == "Secret") && !text.contains("very-new"), "{text}");
}

#[test]
fn without_a_cluster_one_in_the_process_stands_in() {
    let lab = Lab::new();
    let (applied, text) = lab.run(&["apply", "dev", "--cluster", "embedded"]);
    assert_eq!(applied.code, Some(0), "{text}{}", applied.stderr);
    assert!(applied.stderr.contains("nothing really runs"), "{}", applied.stderr);
    assert!(counts(&text)[0] > 20 && text.contains("ready       Deployment/shop/api\n"), "{text}");
    lab.name_context("embedded");
    assert_eq!(lab.run(&["status", "dev"]).1, "", "the cluster itself is not touched");
}

#[test]
fn last_words_and_conflicts_are_told_to_programs() {
    let lab = Lab::new();
    lab.name_context("embedded");
    let crash = Behaviour::Fail { after: std::time::Duration::from_secs(1), exit_code: 3, times: None };
    let rule = Rule {
        image: Some("api".to_owned()),
        behaviour: Some(crash),
        log: Some("it said \u{1b}[31mwhy\n".to_owned()),
        ..Rule::default()
    };
    lab.cluster.set_scenario(Scenario { rules: vec![rule] });
    let (applied, text) = lab.run(&["apply", "dev"]);
    assert_eq!(applied.code, Some(1), "{text}{}", applied.stderr);
    assert!(text.contains("\n            it said [31mwhy\n"), "{text}");
    let (_, text) = lab.run(&["apply", "dev", "--output", "json"]);
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let log = events.iter().find(|event| event["event"] == "log").expect("it is told");
    assert_eq!(log["log"], serde_json::json!(["it said \u{1b}[31mwhy"]), "{log}");
    let trouble = events.iter().find(|event| event["event"] == "trouble").expect("it is told");
    assert_eq!(trouble["pod"]["reason"], "CrashLoopBackOff", "{trouble}");
}
