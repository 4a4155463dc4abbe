//! `onepane src checkout`: a branch over several services, taken back where one of them fails, and killed at any moment.

mod services_lab;

use onepane_testkit::{Random, git};
use services_lab::{Lab, SERVICES, commit};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_branch_is_checked_out_where_it_exists() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    git(&lab.origin("api"), &["branch", "feature", "v2"]);
    git(&lab.service("web"), &["branch", "feature", "v1"]);
    let pin = lab.head("db");
    fs::write(lab.service("web").join("only-3"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("`src/web`"), "{}", finished.stderr);
    assert_ne!(lab.head("api"), git(&lab.origin("api"), &["rev-parse", "v2"]), "nothing was touched");
    git(&lab.service("web"), &["checkout", "--quiet", "--force", "HEAD"]);
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(text, "src/api  on feature, which is new here and follows origin/feature\nsrc/web  on feature\n");
    assert_eq!(git(&lab.service("api"), &["rev-parse", "--abbrev-ref", "feature@{upstream}"]), "origin/feature");
    assert_eq!(lab.head("db"), pin);
    // One that is begun needs no move, so that changes stay.
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    assert_eq!(lab.onepane(&["src", "checkout", "feature", "--create"]).code, Some(2));
    let finished = lab.onepane(&["src", "checkout", "feature", "db", "--create"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(git(&lab.service("db"), &["branch", "--show-current"]), "feature");
    // Back, with a commit that only the branch has.
    fs::write(lab.service("api").join("more"), "more").expect("it can be written");
    commit(&lab.service("api"), "more");
    let mine = lab.head("api");
    fs::write(lab.service("web").join("only-1"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "--pinned"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("nothing was changed"), "{}", finished.stderr);
    assert_eq!(lab.head("api"), mine);
    for name in ["web", "db"] {
        git(&lab.service(name), &["checkout", "--quiet", "--force", "HEAD"]);
    }
    assert_eq!(lab.onepane(&["src", "checkout", "--pinned"]).code, Some(0));
    lab.is_clean();
    assert_eq!(git(&lab.service("api"), &["rev-parse", "feature"]), mine);
    assert_eq!(lab.onepane(&["src", "checkout", "nowhere"]).code, Some(1));
    assert!(lab.onepane(&["src", "checkout", "--", "-x"]).stderr.contains("no name of a branch"));
}

#[test]
fn a_branch_that_one_service_can_not_take_leaves_all_where_they_were() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    for name in ["api", "web", "db"] {
        git(&lab.origin(name), &["branch", "feature", "v1"]);
    }
    git(&lab.service("api"), &["checkout", "--quiet", "-b", "mine"]);
    let before: Vec<String> = SERVICES.map(|name| lab.head(name)).to_vec();
    // Somebody else is at work there.
    let lock = lab.root.join(".git/modules/src/web/index.lock");
    fs::write(&lock, "").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("`src/web`"), "{}", finished.stderr);
    assert!(finished.stderr.contains("index.lock") && !finished.stderr.contains("--force"), "{}", finished.stderr);
    assert_eq!(SERVICES.map(|name| lab.head(name)).to_vec(), before);
    assert_eq!(git(&lab.service("api"), &["branch", "--show-current"]), "mine");
    for name in SERVICES {
        assert_eq!(git(&lab.service(name), &["branch", "--list", "feature"]), "", "{name}");
        assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
    }
    fs::remove_file(&lock).expect("it is there");
    // What would be lost is told without an option that is not there.
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "checkout", "feature"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("commit or stash them"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("--force"), "{}", finished.stderr);
    git(&lab.service("db"), &["checkout", "--quiet", "--force", "HEAD"]);
    // No file may be as large as those that are to be written, not even on the way back: it is told, and the next run ends it.
    let limited = format!("ulimit -f 1; exec {} src checkout --offline feature", env!("CARGO_BIN_EXE_onepane"));
    let mut command = Command::new("bash");
    command.args(["-c", &limited]).current_dir(&lab.root).env("HOME", lab.folder.path()).env("LC_ALL", "C");
    let told = command.output().expect("it can be started");
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.code() == Some(1) && text.contains("could not be taken back to"), "{text}");
    assert_eq!(lab.onepane(&["src", "checkout", "feature"]).code, Some(0));
    for name in SERVICES {
        assert_eq!(lab.head(name), git(&lab.origin(name), &["rev-parse", "v1"]), "{name}");
        assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
        git(&lab.service(name), &["checkout", "--quiet", "--detach", "v3"]);
        git(&lab.service(name), &["branch", "--quiet", "-D", "feature"]);
    }
    // Killed at any moment, the next run brings all of them there.
    let mut random = Random(3);
    let mut interrupted = 0;
    let mut whole = Duration::ZERO;
    for round in 0..24 {
        for name in SERVICES.iter().filter(|_| round > 0) {
            git(&lab.service(name), &["checkout", "--quiet", "--detach", "v3"]);
            git(&lab.service(name), &["branch", "--quiet", "-D", "feature"]);
        }
        if round < 3 {
            // It takes longer where all of it is new.
            let begin = Instant::now();
            assert_eq!(lab.onepane(&["src", "checkout", "feature"]).code, Some(0));
            whole = begin.elapsed();
            continue;
        }
        interrupted += usize::from(lab.killed(&["src", "checkout", "feature"], whole, &mut random));
        let finished = lab.onepane(&["src", "checkout", "feature"]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        for name in SERVICES {
            assert_eq!(git(&lab.service(name), &["branch", "--show-current"]), "feature", "{name}");
            let upstream = git(&lab.service(name), &["rev-parse", "--abbrev-ref", "feature@{upstream}"]);
            assert_eq!(upstream, "origin/feature", "{name}");
            assert_eq!(git(&lab.service(name), &["status", "--porcelain"]), "", "{name}");
            assert_eq!(lab.head(name), git(&lab.origin(name), &["rev-parse", "v1"]), "{name}");
        }
    }
    assert!(interrupted > 3, "only {interrupted} were interrupted");
}

/// Killed between Git's last steps: the branch is there, and checked out or not, and follows nothing yet.
#[test]
fn a_branch_that_was_begun_follows_its_remote_in_the_end() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    for name in SERVICES {
        git(&lab.origin(name), &["branch", "feature", "v1"]);
    }
    let real = git(&lab.root, &["--exec-path"]) + "/git";
    let tools = lab.folder.path().join("tools");
    fs::create_dir(&tools).expect("it is not there yet");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("there is one"));
    // What it does in place of a checkout that tracks, before it ends whoever called it.
    for (round, half) in
        ["branch --no-track feature v1", "checkout --quiet --no-track -b feature v1"].iter().enumerate()
    {
        for next in [&["src", "checkout", "feature"][..], &["src", "sync"]] {
            let script = format!(
                "#!/bin/sh\ncase \"$*\" in\n  *--track*) '{real}' {half} >/dev/null 2>&1; kill -KILL $PPID; exit 1;;\nesac\nexec '{real}' \"$@\"\n"
            );
            let git_file = tools.join("git");
            fs::write(&git_file, script).expect("it can be written");
            fs::set_permissions(&git_file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
            let killed = lab.onepane_with(&["src", "checkout", "feature"], &[("PATH", &path)]);
            assert_ne!(killed.code, Some(0), "{}", killed.stderr);
            let has_begun = |name: &str| !git(&lab.service(name), &["branch", "--list", "feature"]).is_empty();
            assert!(SERVICES.iter().any(|name| has_begun(name)), "nothing was begun: {}", killed.stderr);
            let finished = lab.onepane(next);
            assert_eq!(finished.code, Some(0), "{}", finished.stderr);
            for name in SERVICES {
                let service = lab.service(name);
                if next[1] == "checkout" {
                    assert_eq!(git(&service, &["branch", "--show-current"]), "feature", "{name}");
                }
                if has_begun(name) {
                    let upstream = git(&service, &["rev-parse", "--abbrev-ref", "feature@{upstream}"]);
                    assert_eq!(upstream, "origin/feature", "{name} {round} {next:?}");
                }
                assert_eq!(git(&service, &["status", "--porcelain"]), "", "{name}");
                git(&service, &["checkout", "--quiet", "--detach", "v3"]);
                let _ = Command::new("git").args(["branch", "--quiet", "-D", "feature"]).current_dir(&service).output();
            }
        }
    }
}
