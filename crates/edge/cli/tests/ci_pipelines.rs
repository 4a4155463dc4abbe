//! `onepane ci pipeline`: each file has the structure that its system wants, and each shell line in it runs, for a change that is
//! proposed and for one that was merged. Git, its server and the registry are real ones, and onepane is itself, on a cluster in
//! the process; Docker and what reports are stand-ins that note how they are called, and the forge is one that follows the
//! published descriptions.
#![cfg(unix)]

mod pipelines;

use onepane_embedded::{Behaviour, Rule, Scenario};
use onepane_testkit::run_with;
use pipelines::{Event, Lab, Workspace, systems};
use std::fs;
use std::path::Path;
use std::time::Duration;

const SYSTEMS: [&str; 3] = ["github", "gitlab", "jenkins"];

#[test]
fn what_is_proposed_is_tested_and_reported() {
    let lab = Lab::new();
    let service = lab.served("api", &["rev-parse", "main"]);
    let company = lab.served("shop", &["rev-parse", "main"]);
    for system in SYSTEMS {
        for (name, commit) in [(Some("api"), &service), (None, &company)] {
            let workspace = Workspace::new(&lab, Event::PullRequest, commit);
            systems::run(&lab, system, name, &workspace).unwrap_or_else(|said| panic!("{system} {name:?}: {said}"));
            let report = fs::read_to_string(workspace.work.join("report/junit.xml")).expect("the report is there");
            assert!(report.contains("integration-checkout"), "{report}");
            let (calls, reported) = (workspace.calls(), workspace.reported());
            assert!(calls.contains("docker create onepane:1\n"), "{calls}");
            match system {
                "github" => assert!(calls.contains("gh pr comment 7 --body-file "), "{calls}"),
                "gitlab" => assert!(calls.contains("/projects/1/merge_requests/7/notes\n"), "{calls}"),
                _ => assert_eq!(reported, "", "Jenkins' own step reports"),
            }
            if name.is_none() {
                assert!(
                    reported.is_empty() || reported.contains("ci: dev passed") && reported.contains("clusters change"),
                    "{reported}"
                );
                continue;
            }
            let image = format!("{}/api:{commit}", lab.registry_host());
            for wanted in [
                &format!("docker build --label org.opencontainers.image.revision={commit} --tag {image} ."),
                &format!("docker push {image}"),
                &format!("docker login --username robot --password-stdin {}", lab.registry_host()),
            ] {
                assert!(calls.contains(wanted.as_str()), "{wanted} is not among {calls}");
            }
            assert!(
                reported.is_empty() || reported.contains("api on dev passed") && reported.contains(&image),
                "{reported}"
            );
        }
        // Nothing of it is left on the server.
        assert_eq!(lab.served("shop", &["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
        assert_eq!(lab.served("shop", &["rev-parse", "main"]), company);
    }
}

#[test]
fn what_github_merges_is_promoted() {
    what_is_merged_is_promoted("github", "github");
}

#[test]
fn what_gitlab_merges_is_promoted() {
    what_is_merged_is_promoted("gitlab", "gitlab");
}

#[test]
fn what_jenkins_merges_is_promoted() {
    what_is_merged_is_promoted("jenkins", "gitea");
}

fn what_is_merged_is_promoted(system: &str, forge: &'static str) {
    let lab = Lab::new();
    if lab.registry.is_none() {
        return;
    }
    lab.be(forge);
    let service = |commit: &str| systems::run(&lab, system, Some("api"), &Workspace::new(&lab, Event::Push, commit));
    let company = || {
        let commit = lab.served("shop", &["rev-parse", "main"]);
        let done = systems::run(&lab, system, None, &Workspace::new(&lab, Event::Push, &commit));
        done.unwrap_or_else(|said| panic!("{said}"));
    };
    let titles = |branch: &str| lab.served("shop", &["log", "--format=%s", "--first-parent", branch]);
    // Whichever file of the environment it is that says it.
    let runs = |environment: &str, branch: &str, commit: &str| {
        let [cluster, group] = ["clusters", "groups"].map(|folder| format!("{folder}/{environment}"));
        let files = lab.served("shop", &["ls-tree", "-r", "--name-only", branch, &cluster, &group]);
        let says = |path: &str| lab.served("shop", &["show", &format!("{branch}:{path}")]).contains(commit);
        files.lines().any(says)
    };
    let pinned = || lab.served("shop", &["rev-parse", "main:src/api"]);
    let pulls = || lab.server.pull_requests();

    // Nothing is to be promoted yet, and so nothing is.
    company();
    assert_eq!(pulls().len(), 0);
    assert_eq!(lab.served("shop", &["for-each-ref", "--format=%(refname)"]), "refs/heads/main");

    // A change that passes comes to dev: its image and its commit, together.
    let one = lab.change_service("one");
    service(&one).unwrap_or_else(|said| panic!("{said}"));
    assert!(titles("main").starts_with("Pin api, also in dev\n"), "{}", titles("main"));
    assert!(pinned() == one && runs("dev", "main", &one));
    let notes = lab.served("shop", &["log", "-1", "--format=%N", "--notes=onepane-ci", "main~1"]);
    assert!(notes.contains("\"passed\":true") && notes.contains(&one), "{notes}");
    // It is on its way, once.
    company();
    company();
    assert_eq!(pulls().len(), 1, "{:?}", pulls());
    assert_eq!(titles("promote/dev-staging").lines().next(), Some("Promote api from dev to staging"));
    assert!(runs("staging", "promote/dev-staging", &one) && !runs("staging", "main", &one));

    // Another one comes before that is merged, and the pull request has it as well.
    let two = lab.change_service("two");
    service(&two).unwrap_or_else(|said| panic!("{said}"));
    company();
    assert_eq!(pulls().len(), 1, "{:?}", pulls());
    assert!(runs("staging", "promote/dev-staging", &two) && !runs("staging", "promote/dev-staging", &one));
    let changed = lab.served("shop", &["diff", "--name-only", "main...promote/dev-staging"]);
    assert!(changed.lines().all(|path| path.contains("staging")) && !changed.is_empty(), "{changed}");

    // A pipeline that was slower changes nothing back.
    let before = lab.served("shop", &["rev-parse", "main"]);
    service(&one).unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(lab.served("shop", &["rev-parse", "main"]), before);

    // One that fails changes nothing.
    let three = lab.change_service("three");
    let fails = Behaviour::Fail { after: Duration::from_secs(1), exit_code: 1, times: None };
    let name = Some("integration-checkout".to_owned());
    let rules = vec![Rule { name, behaviour: Some(fails), ..Rule::default() }];
    lab.cluster.set_scenario(Scenario { rules });
    let said = service(&three).expect_err("its test fails");
    assert!(said.contains("tests failed"), "{said}");
    lab.cluster.set_scenario(Scenario::default());
    assert_eq!(lab.served("shop", &["rev-parse", "main"]), before);
    let notes = lab.served("shop", &["log", "--format=%N", "--notes=onepane-ci", "main"]);
    assert!(notes.lines().any(|line| line.contains("\"passed\":false") && line.contains(&three)), "{notes}");

    // What is merged goes on to production, in its turn, and is nothing new for staging.
    lab.served("shop", &["update-ref", "refs/heads/main", "promote/dev-staging"]);
    company();
    let branch = if forge == "gitlab" { "source_branch" } else { "head" };
    let branches: Vec<_> = pulls().iter().map(|pull| pull[branch].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(branches, ["promote/dev-staging", "promote/staging-prod-eu"]);
    let last = titles("promote/staging-prod-eu");
    assert_eq!(last.lines().next(), Some("Promote api from staging to prod-eu"));
    lab.served("shop", &["fsck", "--strict"]);
}

#[test]
fn files_are_written_where_they_belong_and_nothing_is_overwritten() {
    let lab = Lab::new();
    lab.onepane(&lab.shop, &["ci", "pipeline", "github", "--service", "api"]);
    lab.onepane(&lab.shop, &["ci", "pipeline", "github", "--along=dev,staging", "--branch", "trunk"]);
    let read = |path: &str| fs::read_to_string(lab.shop.join(path)).unwrap_or_default();
    assert!(read("src/api/.github/workflows/integration.yml").contains("--service api"));
    let path = ".github/workflows/onepane.yml";
    let text = read(path);
    assert!(text.contains("ci run dev") && text.contains("promote --along=dev,staging --push"), "{text}");
    assert!(text.contains("      - trunk\n") && text.contains("github.ref_name == 'trunk'"), "{text}");
    fs::write(lab.shop.join(path), "ours\n").expect("it can be written");
    let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
    let refused = |arguments: &[&str], said: &str| {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let refused = run_with(binary, &arguments, &lab.shop, home.path(), &[]).expect("it ends in time");
        assert!(refused.code == Some(1) && refused.stderr.contains(said), "{}", refused.stderr);
    };
    refused(&["ci", "pipeline", "github"], "says something else");
    assert_eq!(read(path), "ours\n");
    refused(&["ci", "pipeline", "github", "--force", "--along=dev"], "no way from one environment to another");
    refused(&["ci", "pipeline", "github", "--force", "--along=a,b,a"], "in a circle");
    refused(&["ci", "pipeline", "github", "--force", "--branch", "a'b"], "no name that a pipeline can be given");
    assert_eq!(read(path), "ours\n");
    lab.onepane(&lab.shop, &["ci", "pipeline", "github", "--force"]);
    assert!(read(path).contains("promote --along --push"));
}
