//! `onepane promote` to branches of a server, by the rules of `onepane.yaml`, and as pull requests.

use onepane_testkit::{Finished, Forge, GitServer, Mood, Random, git, run_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A repository with the clusters `a` and `b`, pushed to a server, and who works on it.
struct Lab {
    folder: TempDir,
    server: GitServer,
    root: PathBuf,
}

impl Lab {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let served = folder.path().join("served");
        fs::create_dir_all(served.join("acme")).expect("nothing is there yet");
        git(&served, &["init", "--quiet", "--bare", "--initial-branch", "main", "acme/shop.git"]);
        git(&served.join("acme/shop.git"), &["config", "http.receivepack", "true"]);
        let server = GitServer::start(&served);
        let root = folder.path().join("one");
        let pod = |number| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: s{number}}}\n\
                 spec: {{containers: [{{name: a, image: \"example.com/s{number}\"}}]}}\n"
            )
        };
        for (cluster, version) in [("a", 2), ("b", 1)] {
            let image = |number| format!("- name: example.com/s{number}\n  newTag: \"{version}\"\n");
            let path = root.join("clusters").join(cluster);
            fs::create_dir_all(&path).expect("nothing is there yet");
            fs::write(path.join("pods.yaml"), (0..count).map(pod).collect::<String>()).expect("it can be written");
            let text = format!("resources: [pods.yaml]\nimages:\n{}", (0..count).map(image).collect::<String>());
            fs::write(path.join("kustomization.yaml"), text).expect("it can be written");
        }
        let lab = Self { folder, server, root };
        git(&lab.root, &["init", "--quiet", "--initial-branch", "main"]);
        git(&lab.root, &["remote", "add", "origin", &lab.address()]);
        lab.identify(&lab.root);
        lab.commit_and_push("all");
        lab
    }

    fn address(&self) -> String {
        format!("{}/acme/shop.git", self.server.address)
    }

    fn identify(&self, root: &Path) {
        git(root, &["config", "user.name", "t"]);
        git(root, &["config", "user.email", "t@example.com"]);
    }

    fn commit_and_push(&self, message: &str) {
        git(&self.root, &["add", "--all"]);
        git(&self.root, &["commit", "--quiet", "--message", message]);
        git(&self.root, &["push", "--quiet", "origin", "main"]);
    }

    /// With the rules, committed and pushed.
    fn with_rules(self, rules: &str) -> Self {
        fs::write(self.root.join("onepane.yaml"), rules).expect("it can be written");
        self.commit_and_push("rules");
        self
    }

    fn run_in(&self, root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let binary = Path::new(env!("CARGO_BIN_EXE_onepane"));
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let variables: Vec<(String, String)> = variables.iter().map(owned).collect();
        run_with(binary, &arguments, root, self.folder.path(), &variables).expect("it ends in time")
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.run_in(&self.root, arguments, &[])
    }

    /// What the server has: titles of commits since the first, the newest first.
    fn titles(&self, branch: &str) -> Vec<String> {
        let served = self.folder.path().join("served/acme/shop.git");
        git(&served, &["log", "--format=%s", branch]).lines().map(str::to_owned).collect()
    }

    fn served(&self, arguments: &[&str]) -> String {
        git(&self.folder.path().join("served/acme/shop.git"), arguments)
    }
}

fn assert_done(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}{}", String::from_utf8_lossy(&finished.stdout), finished.stderr);
}

#[test]
fn a_commit_is_made_on_top_of_what_the_server_has() {
    let lab = Lab::new(2);
    // Somebody else was here; this machine has not seen it.
    let other = lab.folder.path().join("other");
    git(lab.folder.path(), &["clone", "--quiet", &lab.address(), "other"]);
    lab.identify(&other);
    fs::write(other.join("README.md"), "hello\n").expect("it can be written");
    git(&other, &["add", "--all"]);
    git(&other, &["commit", "--quiet", "--message", "readme"]);
    git(&other, &["push", "--quiet"]);
    let before = git(&lab.root, &["rev-parse", "HEAD"]);
    let dry = lab.run(&["promote", "a", "b", "s0", "--push", "--dry-run"]);
    assert_done(&dry);
    assert_eq!(lab.titles("main"), ["readme", "all"]);
    assert_done(&lab.run(&["promote", "a", "b", "s0", "--push"]));
    assert_eq!(lab.titles("main"), ["Promote s0 from a to b", "readme", "all"]);
    assert_eq!(lab.served(&["diff", "--numstat", "main~1", "main"]), "1\t1\tclusters/b/kustomization.yaml");
    // Nothing here has moved, though the branch is checked out.
    assert_eq!(git(&lab.root, &["rev-parse", "HEAD"]), before);
    assert_eq!(git(&lab.root, &["status", "--short"]), "");
    let again = lab.run(&["promote", "a", "b", "s0", "--push"]);
    assert!(again.code == Some(0) && again.stderr.contains("runs these versions already"), "{}", again.stderr);
    // A branch that is not there begins with the server's own.
    assert_done(&lab.run(&["promote", "a", "b", "--push", "--branch", "next"]));
    assert_eq!(lab.titles("next"), ["Promote s1 from a to b", "Promote s0 from a to b", "readme", "all"]);
    let lost = lab.run(&["promote", "a", "b", "--push=upstream"]);
    assert!(lost.code == Some(1) && lost.stderr.contains("upstream"), "{}", lost.stderr);
}

#[test]
fn what_a_server_does_not_take_is_an_error_and_changes_nothing() {
    let lab = Lab::new(1);
    let hook = lab.folder.path().join("served/acme/shop.git/hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\necho 'main is protected' >&2\nexit 1\n").expect("it can be written");
    git(lab.folder.path(), &["init", "--quiet", "x"]);
    Command::new("chmod").arg("+x").arg(&hook).status().expect("it can be made a program");
    let refused = lab.run(&["promote", "a", "b", "--push"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("main is protected") && refused.stderr.contains("git-push"), "{}", refused.stderr);
    assert_eq!(lab.titles("main"), ["all"]);
    // A password that is asked for is nobody's to type, and the wrong one is not shown.
    lab.server.behave(Mood::WantsPassword);
    let refused = lab.run(&["promote", "a", "b", "--push"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("git-remote"), "{}", refused.stderr);
    let with = lab.address().replace("http://", "http://u:secret@");
    git(&lab.root, &["remote", "set-url", "origin", &with]);
    let refused = lab.run(&["promote", "a", "b", "--push"]);
    assert!(refused.code == Some(1) && !refused.stderr.contains("secret"), "{}", refused.stderr);
    // The right one from a helper of Git.
    fs::remove_file(&hook).expect("it is there");
    git(&lab.root, &["remote", "set-url", "origin", &lab.address()]);
    git(&lab.root, &["config", "credential.helper", "!f() { echo username=u; echo password=p; }; f"]);
    assert_done(&lab.run(&["promote", "a", "b", "--push"]));
    assert_eq!(lab.titles("main"), ["Promote s0 from a to b", "all"]);
}

#[test]
fn many_who_push_to_one_branch_lose_nothing() {
    // Fifty by hand.
    let count = std::env::var("ONEPANE_PROMOTERS").ok().and_then(|count| count.parse().ok()).unwrap_or(8);
    let lab = Lab::new(count);
    let roots: Vec<PathBuf> = (0..count)
        .map(|number| {
            let name = format!("clone{number}");
            git(lab.folder.path(), &["clone", "--quiet", &lab.address(), &name]);
            let root = lab.folder.path().join(name);
            lab.identify(&root);
            root
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, root) in roots.iter().enumerate() {
            let lab = &lab;
            scope.spawn(move || {
                let name = format!("s{number}");
                assert_done(&lab.run_in(root, &["promote", "a", "b", &name, "--push", "--no-cache"], &[]));
            });
        }
    });
    let mut titles = lab.titles("main");
    titles.sort();
    let mut expected: Vec<String> = (0..count).map(|number| format!("Promote s{number} from a to b")).collect();
    expected.push("all".to_owned());
    expected.sort();
    assert_eq!(titles, expected);
    for commit in lab.served(&["rev-list", "main~1"]).lines().take(count - 1) {
        assert_eq!(
            lab.served(&["diff", "--numstat", &format!("{commit}~1"), commit]),
            "1\t1\tclusters/b/kustomization.yaml"
        );
    }
    lab.served(&["fsck", "--strict"]);
}

#[test]
fn whoever_is_killed_leaves_all_as_before_or_as_after() {
    // Thirty by hand.
    let kills = std::env::var("ONEPANE_PUSH_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(8);
    let lab = Lab::new(1);
    let base = lab.served(&["rev-parse", "main"]);
    let mut chance = Random(7);
    let mut midway = 0;
    for _ in 0..kills {
        lab.served(&["update-ref", "refs/heads/main", &base]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_onepane"))
            .args(["promote", "a", "b", "--push", "--no-cache"])
            .current_dir(&lab.root)
            .env("HOME", lab.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        std::thread::sleep(Duration::from_millis(u64::try_from(chance.below(400)).expect("it is small")));
        let was_running = child.try_wait().expect("it can be asked").is_none();
        midway += usize::from(was_running);
        _ = child.kill();
        child.wait().expect("it ends");
        // What Git has begun by then ends by itself.
        std::thread::sleep(Duration::from_millis(300));
        let titles = lab.titles("main");
        assert!(titles == ["all"] || titles == ["Promote s0 from a to b", "all"], "{titles:?}");
        lab.served(&["fsck", "--strict"]);
        git(&lab.root, &["fsck", "--strict"]);
        assert_eq!(git(&lab.root, &["status", "--short"]), "");
        assert_done(&lab.run(&["promote", "a", "b", "--push", "--no-cache"]));
        assert_eq!(lab.titles("main"), ["Promote s0 from a to b", "all"]);
    }
    eprintln!("{midway} of {kills} killed midway");
    assert!(midway > 0, "none was killed");
}

#[test]
fn a_pull_request_is_opened_once() {
    for (kind, reviewers) in [("github", "[ann, team/ops]"), ("gitlab", "ann"), ("gitea", "ann")] {
        let lab = Lab::new(2).with_rules(&format!("promotions: {{b: {{approvals: 1, reviewers: {reviewers}}}}}\n"));
        lab.server.be(Forge::like(kind));
        let refused = lab.run(&["promote", "a", "b", "s0", "--push"]);
        assert!(refused.code == Some(1) && refused.stderr.contains("needs 1 approvals"), "{}", refused.stderr);
        let wanted = ["promote", "a", "b", "s0", "--push", "--pull-request", "--forge", kind];
        let lost = lab.run(&wanted);
        assert!(lost.code == Some(1) && lost.stderr.contains("there is no token"), "{}", lost.stderr);
        let variable = match kind {
            "github" => "GH_ENTERPRISE_TOKEN",
            "gitlab" => "GITLAB_TOKEN",
            _ => "GITEA_TOKEN",
        };
        // The branch is there by now, and the next one opens what is missing.
        let wrong = lab.run_in(&lab.root, &wanted, &[(variable, "wr0ng")]);
        assert!(wrong.code == Some(1) && wrong.stderr.contains("Bad credentials"), "{}", wrong.stderr);
        assert!(!wrong.stderr.contains("wr0ng"), "{}", wrong.stderr);
        // A helper of Git may have it as well, and nobody else is asked.
        let helper = "!f() { echo username=u; echo password=h3lper; }; f";
        git(&lab.root, &["config", "credential.helper", helper]);
        git(&lab.root, &["config", "core.askPass", "/nowhere/asks"]);
        let wrong = lab.run(&wanted);
        assert!(wrong.code == Some(1) && wrong.stderr.contains("Bad credentials"), "{}", wrong.stderr);
        assert!(!wrong.stderr.contains("h3lper") && !wrong.stderr.contains("nowhere"), "{}", wrong.stderr);
        let token = [(variable, "t0ken")];
        let opened = lab.run_in(&lab.root, &wanted, &token);
        assert_done(&opened);
        assert!(opened.stderr.contains("#1 opened: https://forge/acme/shop/"), "{}", opened.stderr);
        let again = lab.run_in(&lab.root, &wanted, &token);
        assert!(again.code == Some(0) && again.stderr.contains("#1 is open already"), "{}", again.stderr);
        let pulls = lab.server.pull_requests();
        assert_eq!(pulls.len(), 1, "{pulls:?}");
        let (head, base, text) = match kind {
            "gitlab" => ("source_branch", "target_branch", "description"),
            _ => ("head", "base", "body"),
        };
        assert_eq!((&pulls[0][head], &pulls[0][base]), (&"promote/a-b".into(), &"main".into()));
        assert_eq!(pulls[0]["title"], "Promote s0 from a to b");
        assert!(pulls[0][text].as_str().is_some_and(|text| text.contains("s0: 1 → 2")), "{pulls:?}");
        assert_eq!(lab.titles("promote/a-b"), ["Promote s0 from a to b", "rules", "all"]);
        // More comes on top; main is nobody's to change.
        let more = lab.run_in(&lab.root, &["promote", "a", "b", "--push", "--pull-request", "--forge", kind], &token);
        assert!(more.code == Some(0) && more.stderr.contains("#1 is open already"), "{}", more.stderr);
        assert_eq!(lab.titles("promote/a-b").len(), 4);
        assert_eq!(lab.titles("main"), ["rules", "all"]);
        // Merged, it begins anew, and asks for whom it wants.
        lab.served(&["update-ref", "refs/heads/main", "promote/a-b"]);
        lab.server.be(Forge::like(kind));
        let back = ["rollback", "b", "--to", "HEAD", "--push", "--pull-request", "--forge", kind];
        assert_done(&lab.run_in(&lab.root, &back, &token));
        let pull = &lab.server.pull_requests()[0];
        let asked = match kind {
            "github" => &serde_json::json!({"reviewers": ["ann"], "team_reviewers": ["ops"]}),
            "gitlab" => &serde_json::json!([7]),
            _ => &serde_json::json!({"reviewers": ["ann"], "team_reviewers": []}),
        };
        let key = if kind == "gitlab" { "reviewer_ids" } else { "reviewers" };
        assert_eq!(&pull[key], asked, "{pull}");
    }
}

#[test]
fn rules_say_what_may_be_promoted() {
    let lab = Lab::new(1).with_rules(
        "promotions:\n  b: {from: staging, ciRun: true}\n  c: {windows: {kind: deny, schedule: '* * * * *', duration: 1h}}\n",
    );
    let refused = lab.run(&["promote", "a", "b", "--push"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for words in ["comes from staging, not from a", "`example.com/s0` 2 has not passed", "--force"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert_eq!(lab.titles("main"), ["rules", "all"]);
    assert_done(&lab.run(&["promote", "a", "b", "--push", "--force"]));
    let message = lab.served(&["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("Forced, although what runs there comes from staging"), "{message}");

    // A run that passed, noted on the server by somebody else.
    let lab = Lab::new(1).with_rules("promotions: {b: {ciRun: true}}\n");
    let head = git(&lab.root, &["rev-parse", "HEAD"]);
    let note = |image: &str, passed: bool| {
        let line = format!("{{\"passed\":{passed},\"images\":[\"{image}\"]}}");
        git(&lab.root, &["notes", "--ref", "onepane-ci", "append", "-m", &line, &head]);
    };
    note("example.com/s0:2", false);
    note("example.com/s0:3", true);
    let refused = lab.run(&["promote", "a", "b"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("has not passed"), "{}", refused.stderr);
    note("example.com/s0:2", true);
    git(&lab.root, &["push", "--quiet", "origin", "refs/notes/onepane-ci"]);
    git(&lab.root, &["update-ref", "-d", "refs/notes/onepane-ci"]);
    let refused = lab.run(&["promote", "a", "b"]);
    assert!(refused.code == Some(1), "{}", refused.stderr);
    assert_done(&lab.run(&["promote", "a", "b", "--push"]));

    // Going back is not a matter of where from, but of when.
    let lab = Lab::new(1).with_rules(
        "promotions:\n  b: {from: staging, ciRun: true}\n  a: {windows: {kind: deny, schedule: '* * * * *', duration: 1h}}\n",
    );
    assert_done(&lab.run(&["promote", "a", "b", "--force"]));
    git(&lab.root, &["commit", "--quiet", "--all", "--message", "b"]);
    assert_done(&lab.run(&["rollback", "b"]));
    git(&lab.root, &["checkout", "--quiet", "."]);
    let refused = lab.run(&["promote", "b", "a", "--dry-run"]);
    assert!(refused.code == Some(0), "the same version: {}", refused.stderr);
    git(&lab.root, &["revert", "--no-edit", "HEAD"]);
    let refused = lab.run(&["promote", "b", "a", "--dry-run"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("not changed in the window"), "{}", refused.stderr);
}

#[test]
fn commits_are_signed_where_git_signs_them() {
    let lab = Lab::new(1);
    let key = lab.folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no ssh-keygen to make a key with");
        return;
    }
    let public = fs::read_to_string(key.with_extension("pub")).expect("it was made");
    fs::write(lab.folder.path().join("allowed"), format!("t@example.com {public}")).expect("it can be written");
    for (name, value) in [
        ("gpg.format", "ssh".to_owned()),
        ("user.signingKey", key.display().to_string()),
        ("gpg.ssh.allowedSignersFile", lab.folder.path().join("allowed").display().to_string()),
        ("commit.gpgSign", "true".to_owned()),
    ] {
        git(&lab.root, &["config", name, &value]);
    }
    assert_done(&lab.run(&["promote", "a", "b", "--branch", "signed"]));
    git(&lab.root, &["verify-commit", "signed"]);
    git(&lab.root, &["config", "user.signingKey", "/nowhere"]);
    let refused = lab.run(&["promote", "a", "b", "--branch", "other"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("can't be signed"), "{}", refused.stderr);
}

#[test]
fn a_pull_request_has_what_the_other_environment_runs_now() {
    let lab = Lab::new(2).with_rules("promotions: {b: {from: a}}\n");
    lab.server.be(Forge::like("gitea"));
    let promote = || {
        let along = ["promote", "--along", "--push", "--pull-request", "--forge", "gitea"];
        lab.run_in(&lab.root, &along, &[("GITEA_TOKEN", "t0ken")])
    };
    let change = |cluster: &str, from: &str, to: &str| {
        let path = lab.root.join("clusters").join(cluster).join("kustomization.yaml");
        let text = fs::read_to_string(&path).expect("it is there");
        fs::write(&path, text.replacen(from, to, 1)).expect("it can be written");
        lab.commit_and_push(&format!("{cluster} runs {to}"));
    };
    let runs = |branch: &str| {
        let text = lab.served(&["show", &format!("{branch}:clusters/b/kustomization.yaml")]);
        text.lines().filter_map(|line| line.split('"').nth(1).map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_done(&promote());
    assert_eq!(runs("promote/a-b"), ["2", "2"]);
    // What runs there changes before anybody has merged it.
    change("a", "\"2\"", "\"3\"");
    assert_done(&promote());
    assert_eq!((runs("promote/a-b"), runs("main")), (vec!["3".into(), "2".into()], vec!["1".into(), "1".into()]));
    assert_eq!(lab.served(&["diff", "--name-only", "main...promote/a-b"]), "clusters/b/kustomization.yaml");
    // What changes elsewhere is no reason to write to it.
    let tip = lab.served(&["rev-parse", "promote/a-b"]);
    fs::write(lab.root.join("README.md"), "hello\n").expect("it can be written");
    lab.commit_and_push("readme");
    assert_done(&promote());
    assert_eq!(lab.served(&["rev-parse", "promote/a-b"]), tip);
    // Merged as one commit of another name, with the branch left behind: that is done, and nothing is opened for it.
    git(&lab.root, &["fetch", "--quiet", "origin", "promote/a-b"]);
    git(&lab.root, &["merge", "--quiet", "--squash", "FETCH_HEAD"]);
    lab.commit_and_push("squashed");
    lab.server.be(Forge::like("gitea"));
    let done = promote();
    assert!(done.code == Some(0) && done.stderr.contains("runs these versions already"), "{}", done.stderr);
    assert_eq!(lab.server.pull_requests().len(), 0);
    // The next one goes on with that branch.
    change("a", "\"3\"", "\"4\"");
    assert_done(&promote());
    assert_eq!((runs("promote/a-b"), lab.server.pull_requests().len()), (vec!["4".into(), "2".into()], 1));
    assert_eq!(lab.served(&["diff", "--numstat", "main...promote/a-b"]), "1\t1\tclusters/b/kustomization.yaml");
    // Where both change the same line somebody has to say which it is.
    change("b", "\"3\"", "\"9\"");
    let torn = promote();
    assert_eq!(torn.code, Some(1), "{}", torn.stderr);
    for words in
        ["`promote/a-b` and `main` at `origin` don't come together", "clusters/b/kustomization.yaml", "delete that"]
    {
        assert!(torn.stderr.contains(words), "{words}: {}", torn.stderr);
    }
    lab.served(&["fsck", "--strict"]);
}

#[test]
fn a_way_is_gone_from_its_end_and_what_may_not_go_yet_waits() {
    let lab = Lab::new(1);
    let path = lab.root.join("clusters/c");
    fs::create_dir(&path).expect("it is new");
    for name in ["pods.yaml", "kustomization.yaml"] {
        let text = fs::read_to_string(lab.root.join("clusters/b").join(name)).expect("it is there");
        fs::write(path.join(name), text.replace("\"1\"", "\"0\"")).expect("it can be written");
    }
    lab.commit_and_push("c");
    // Nothing passes two environments at once.
    assert_done(&lab.run(&["promote", "--along=a,b,c", "--push"]));
    assert_eq!(lab.titles("main"), ["Promote s0 from a to b", "Promote s0 from b to c", "c", "all"]);
    let version = |cluster: &str| lab.served(&["show", &format!("main:clusters/{cluster}/kustomization.yaml")]);
    assert!(version("b").contains("\"2\"") && version("c").contains("\"1\""), "{}", version("c"));
    // What the rules refuse is told, and the other step is done.
    git(&lab.root, &["pull", "--quiet", "origin", "main"]);
    let text = version("a").replace("\"2\"", "\"3\"");
    fs::write(lab.root.join("clusters/a/kustomization.yaml"), text).expect("it can be written");
    let window = "{kind: deny, schedule: '* * * * *', duration: 1h}";
    let lab = lab.with_rules(&format!("promotions: {{b: {{from: a}}, c: {{from: b, windows: {window}}}}}\n"));
    let done = lab.run(&["promote", "--along", "--push"]);
    assert!(done.code == Some(0) && done.stderr.contains("c is not changed by this: it is not"), "{}", done.stderr);
    assert_eq!(lab.titles("main")[0], "Promote s0 from a to b");
    // What fails keeps nothing else from being done.
    let failed = lab.run(&["promote", "--along=a,b", "--along=nowhere,c", "--push"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("nowhere") && failed.stderr.contains("b runs these"), "{}", failed.stderr);
    for wrong in [&["promote", "--along", "a"][..], &["promote"], &["promote", "a"]] {
        assert_eq!(lab.run(wrong).code, Some(2));
    }
}

#[test]
fn a_pull_request_that_was_closed_is_opened_again_for_something_newer_only() {
    for kind in ["github", "gitlab", "gitea"] {
        let lab = Lab::new(2).with_rules("promotions: {b: {from: a}}\n");
        lab.server.be(Forge::like(kind));
        let token = [("GH_ENTERPRISE_TOKEN", "t0ken"), ("GITLAB_TOKEN", "t0ken"), ("GITEA_TOKEN", "t0ken")];
        let promote = |more: &[&str]| {
            let along = ["promote", "--along", "--push", "--pull-request", "--forge", kind];
            let done = lab.run_in(&lab.root, &[&along, more].concat(), &token);
            assert_eq!(done.code, Some(0), "{kind}: {}", done.stderr);
            done.stderr
        };
        let change = |from: &str, to: &str| {
            let path = lab.root.join("clusters/a/kustomization.yaml");
            let text = fs::read_to_string(&path).expect("it is there");
            fs::write(&path, text.replacen(from, to, 1)).expect("it can be written");
            lab.commit_and_push(&format!("a runs {to}"));
        };
        let (key, says) = if kind == "gitlab" { ("source_branch", "description") } else { ("head", "body") };
        let set = |number: usize, name: &str, value: serde_json::Value| {
            let mut forge = Forge::like(kind);
            forge.pulls = lab.server.pull_requests();
            forge.pulls[number - 1][name] = value;
            lab.server.be(forge);
        };
        let text = |number: usize| lab.server.pull_requests()[number - 1][says].as_str().unwrap_or_default().to_owned();
        // Somebody else's branch of that name is not it.
        promote(&[]);
        set(1, "fork", 2.into());
        if kind != "github" {
            assert!(promote(&[]).contains("#2 opened"), "{kind}");
        }
        set(1, "fork", serde_json::Value::Null);
        set(1, "state", "merged".into());
        if kind == "github" {
            assert!(promote(&[]).contains("#2 opened"), "{kind}");
        }
        assert_eq!(lab.server.pull_requests()[1][key], "promote/a-b");
        // What is added while it is open, it says.
        change("\"2\"", "\"3\"");
        let said = promote(&[]);
        assert!(said.contains("#2 is open already"), "{said}");
        assert!(text(2).contains("s0: 1 → 3") && text(2).contains("s1: 1 → 2"), "{}", text(2));
        // Closed, by its last commit and by what it says: the branch may be there or not.
        set(2, "state", "closed".into());
        set(2, "commit", lab.served(&["rev-parse", "promote/a-b"]).into());
        let said = promote(&[]);
        assert!(said.contains("#2 was closed without being merged") && said.contains("--reopen"), "{said}");
        lab.served(&["update-ref", "-d", "refs/heads/promote/a-b"]);
        let said = promote(&[]);
        assert!(said.contains("#2 was closed without being merged"), "{said}");
        assert_eq!(
            lab.served(&["branch", "--list", "promote/*"]),
            "",
            "a branch that somebody has deleted stays deleted"
        );
        assert_eq!(lab.server.pull_requests().len(), 2);
        // Less than it was is no news; something newer is, and all that is carried is told.
        let path = lab.root.join("clusters/b/kustomization.yaml");
        let now = fs::read_to_string(&path).expect("it is there");
        let by_hand = now.replacen("example.com/s1\n  newTag: \"1\"", "example.com/s1\n  newTag: \"2\"", 1);
        assert_ne!(now, by_hand);
        fs::write(&path, by_hand).expect("it can be written");
        lab.commit_and_push("s1 by hand");
        assert!(promote(&[]).contains("#2 was closed"), "{kind}");
        change("\"3\"", "\"4\"");
        let said = promote(&[]);
        assert!(said.contains("#3 opened"), "{said}");
        assert!(text(3).contains("s0: 1 → 4") && text(3).contains("carries: example.com/s0:4 -->"), "{}", text(3));
        // Who wants it all the same says so.
        set(3, "state", "closed".into());
        lab.served(&["update-ref", "-d", "refs/heads/promote/a-b"]);
        assert!(promote(&[]).contains("#3 was closed"), "{kind}");
        assert!(promote(&["--reopen"]).contains("#4 opened"), "{kind}");
        assert!(promote(&[]).contains("#4 is open already"), "{kind}");
    }
}

#[test]
fn a_pull_request_tells_the_commits_of_services_that_are_not_here() {
    let lab = Lab::new(2);
    lab.server.be(Forge::like("gitea"));
    let served = lab.folder.path().join("served/acme/s0.git");
    let work = lab.folder.path().join("s0");
    git(lab.folder.path(), &["init", "--quiet", "--initial-branch", "main", "s0"]);
    for number in 1..=3 {
        git(&work, &["commit", "--quiet", "--allow-empty", "--message", &format!("s0 number {number}")]);
        git(&work, &["tag", &format!("v{number}")]);
    }
    git(lab.folder.path(), &["clone", "--quiet", "--bare", "s0", served.to_str().expect("it is UTF-8")]);
    // As a pipeline has it: pinned, and not checked out. Nobody has `s1`.
    let commit = git(&work, &["rev-parse", "v1"]);
    for name in ["s0", "s1"] {
        fs::create_dir_all(lab.root.join("src").join(name)).expect("it can be made");
        git(&lab.root, &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},src/{name}")]);
    }
    let declared = |name: &str| format!("[submodule \"{name}\"]\n\tpath = src/{name}\n\turl = ../{name}.git\n");
    fs::write(lab.root.join(".gitmodules"), declared("s0") + &declared("s1")).expect("it can be written");
    lab.commit_and_push("services");
    let token = [("GITEA_TOKEN", "t0ken")];
    // Whoever only looks asks no server for it.
    let shown = lab.run_in(&lab.root, &["promote", "a", "b", "--dry-run"], &token);
    assert!(shown.code == Some(0) && !shown.stderr.contains("s0 number"), "{}", shown.stderr);
    let wanted = ["promote", "a", "b", "--push", "--pull-request", "--forge", "gitea"];
    assert_done(&lab.run_in(&lab.root, &wanted, &token));
    let message = lab.served(&["log", "-1", "--format=%B", "promote/a-b"]);
    let titled: Vec<&str> = message.lines().filter(|line| line.contains(" s0 number ")).collect();
    assert!(titled.len() == 1 && titled[0].ends_with("s0 number 2"), "{message}");
    // Where nobody answers, there is at least where to look; in the text of the pull request for all of them.
    let address = &lab.server.address;
    assert!(message.contains(&format!("    {address}/acme/s1/compare/1...2")), "{message}");
    let text = lab.server.pull_requests()[0]["body"].as_str().unwrap_or_default().to_owned();
    let to = git(&work, &["rev-parse", "v2"]);
    assert!(text.contains(&format!("\n- [s0]({address}/acme/s0/compare/{commit}...{to})\n")), "{text}");
    assert!(text.contains("s0 number 2") && text.contains("- [s1]("), "{text}");
    // Another forge, of which nothing tells what it is, is no place to send anybody.
    let text = fs::read_to_string(lab.root.join(".gitmodules")).expect("it is there");
    fs::write(lab.root.join(".gitmodules"), text.replace("../s1.git", "https://git.example.invalid/acme/s1.git"))
        .expect("it can be written");
    lab.commit_and_push("elsewhere");
    lab.served(&["update-ref", "-d", "refs/heads/promote/a-b"]);
    lab.server.be(Forge::like("gitea"));
    assert_done(&lab.run_in(&lab.root, &[&wanted[..], &["--offline"]].concat(), &token));
    let message = lab.served(&["log", "-1", "--format=%B", "promote/a-b"]);
    assert!(!message.contains("git.example.invalid") && !message.contains("s0 number"), "{message}");
}
