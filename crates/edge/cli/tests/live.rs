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
