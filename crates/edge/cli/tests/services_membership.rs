//! `onepane src add` and `src remove` beside `git submodule add` and `git rm`, and killed at any moment.

mod services_lab;

use onepane_testkit::{Random, git};
use services_lab::{Lab, commit};
use std::fs;
use std::process::Command;
use std::time::Instant;

#[test]
fn services_come_and_go_as_with_git() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let origin = lab.folder.path().join("cache");
    git(lab.folder.path(), &["clone", "--quiet", "--bare", "db", "cache"]);
    let modules = lab.root.join(".gitmodules");
    let before = format!("# ours\n{}", fs::read_to_string(&modules).expect("it is there"));
    fs::write(&modules, &before).expect("it can be written");
    commit(&lab.root, "with a comment");
    let finished = lab.onepane(&["src", "add", "../cache", "--branch", "main"]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let after = fs::read_to_string(&modules).expect("it is there");
    let section = "[submodule \"src/cache\"]\n\tpath = src/cache\n\turl = ../cache\n\tbranch = main\n";
    assert_eq!(after, format!("{before}{section}"));
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "M  .gitmodules\nA  src/cache");
    assert_eq!(lab.head("cache"), git(&origin, &["rev-parse", "HEAD"]));
    assert!(lab.onepane(&["src", "add", "../cache"]).stderr.contains("already"));
    for (url, path) in [("../cache", "../x"), ("ext::sh -c id", "x"), ("--upload-pack=x", "x"), ("../cache", ".git/x")]
    {
        let finished = lab.onepane(&["src", "add", "--", url, path]);
        assert_eq!(finished.code, Some(1), "{url} {path}");
    }
    // What is only here is kept.
    fs::write(lab.service("cache").join("untracked"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "remove", "cache"]);
    assert!(
        finished.code == Some(1) && finished.stderr.contains("`untracked` is not committed"),
        "{}",
        finished.stderr
    );
    commit(&lab.service("cache"), "mine");
    git(&lab.service("cache"), &["checkout", "--quiet", "origin/main"]);
    let finished = lab.onepane(&["src", "remove", "cache"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("on no remote branch"), "{}", finished.stderr);
    assert_eq!(lab.onepane(&["src", "remove", "cache", "--force"]).code, Some(0));
    assert_eq!(fs::read_to_string(&modules).expect("it is there"), before);
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "");
    assert!(!lab.root.join(".git/modules/src/cache").exists() && !lab.service("cache").exists());
    assert!(!git(&lab.root, &["config", "--local", "--list"]).contains("src/cache"));
    assert_eq!(lab.onepane(&["src", "add", "../cache", "src/again"]).code, Some(0));
    assert_eq!(lab.onepane(&["src", "remove", "again"]).code, Some(0));
    lab.is_clean();
}

/// Killed at any moment, a service that comes or goes is there or not, and not half of it.
#[test]
fn one_that_comes_or_goes_is_there_or_not() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    git(lab.folder.path(), &["clone", "--quiet", "--bare", "db", "cache"]);
    let modules = lab.root.join(".gitmodules");
    let before = fs::read_to_string(&modules).expect("it is there");
    let config = git(&lab.root, &["config", "--local", "--list"]);
    let (add, remove) = (["src", "add", "../cache"], ["src", "remove", "cache", "--force"]);
    let timed = |arguments: &[&str]| {
        let begin = Instant::now();
        let finished = lab.onepane(arguments);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        begin.elapsed()
    };
    let (adding, removing) = (timed(&add), timed(&remove));
    let mut random = Random(11);
    let mut outcomes = [0; 2];
    let mut interrupted = 0;
    let is_there = |what: &str| {
        let text = fs::read_to_string(&modules).expect("it is there");
        let status = git(&lab.root, &["status", "--porcelain"]);
        let facts = [
            text != before,
            lab.service("cache").exists(),
            lab.root.join(".git/modules/src/cache").exists(),
            git(&lab.root, &["config", "--local", "--list"]) != config,
            !status.is_empty(),
        ];
        assert!(facts == [true; 5] || facts == [false; 5], "{what}: {facts:?} {status}");
        assert!(!lab.root.join(".git/index.lock").exists() && !lab.root.join(".git/config.lock").exists(), "{what}");
        assert!(!lab.root.join(".git/onepane/membership").exists(), "{what}");
        if facts[0] {
            assert_eq!(status, "M  .gitmodules\nA  src/cache", "{what}");
        }
        facts[0]
    };
    for round in 0..40 {
        let (arguments, whole): (&[&str], _) = if round % 2 == 0 { (&add, adding) } else { (&remove, removing) };
        interrupted += usize::from(lab.killed(arguments, whole, &mut random));
        lab.synced(&[]);
        let there = is_there(&arguments.join(" "));
        outcomes[usize::from(there)] += 1;
        if (round % 2 == 0) != there {
            timed(if there { &remove } else { &add });
            assert_eq!(is_there("whole"), !there);
        }
    }
    lab.onepane(&remove);
    lab.is_clean();
    assert!(interrupted > 10, "only {interrupted} were interrupted: {outcomes:?}");
    // One that can't be had leaves nothing.
    let finished = lab.onepane(&["src", "add", "../nowhere"]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "");
    assert!(!lab.root.join(".git/modules/src/nowhere").exists() && !lab.service("nowhere").exists());
}

/// Of an interrupted removal locks are left, which the next one removes, but not those of somebody else's Git.
#[test]
fn the_locks_of_others_are_left_to_them() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let note = serde_json::json!({"name": "src/db", "path": "src/db", "isRemoval": true, "hasFiles": true});
    let place = lab.root.join(".git/onepane/membership");
    fs::write(&place, note.to_string()).expect("it can be written");
    let lock = lab.root.join(".git/index.lock");
    fs::write(&lock, "").expect("it can be written");
    let other = lab.folder.path().join("git");
    fs::copy("/bin/sleep", &other).expect("it can be copied");
    let mut child = Command::new(&other).arg("60").current_dir(&lab.root).spawn().expect("it can be started");
    let finished = lab.onepane(&["src", "sync"]);
    child.kill().and_then(|()| child.wait()).expect("it is ours");
    assert!(finished.code == Some(1) && finished.stderr.contains("another Git is at work"), "{}", finished.stderr);
    assert!(lock.exists() && place.exists() && lab.service("db").exists());
    lab.synced(&[]);
    assert!(!lock.exists() && !place.exists() && !lab.service("db").exists());
    assert_eq!(git(&lab.root, &["status", "--porcelain"]), "M  .gitmodules\nD  src/db");
}
