//! `onepane src sync` beside `git submodule update`: what it leaves, what it leaves alone, with hostile `.gitmodules`, and killed
//! at any moment.

mod services_lab;

use onepane_testkit::{Random, git};
use services_lab::{Lab, SERVICES, commit, facts};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_sync_leaves_what_git_leaves() {
    let lab = Lab::new("../");
    let text = lab.synced(&["--full"]);
    assert_eq!(text.lines().count(), 3, "{text}");
    lab.is_clean();
    git(lab.folder.path(), &["clone", "--quiet", "company", "theirs"]);
    let theirs = lab.folder.path().join("theirs");
    git(&theirs, &["submodule", "--quiet", "update", "--init"]);
    for name in SERVICES {
        let place = format!(".git/modules/src/{name}");
        assert_eq!(facts(&lab.root.join(&place)), facts(&theirs.join(&place)), "{name}");
        let link = |top: &Path| fs::read_to_string(top.join("src").join(name).join(".git")).expect("it is there");
        assert_eq!(link(&lab.root), link(&theirs));
        let entries = |top: &Path| git(&top.join("src").join(name), &["ls-files", "--stage"]);
        assert_eq!(entries(&lab.root), entries(&theirs));
        let log = |top: &Path| git(&top.join("src").join(name), &["log", "--walk-reflogs", "--format=%gs"]);
        assert_eq!(log(&lab.root), log(&theirs));
    }
    let settings = |top: &Path| git(top, &["config", "--local", "--get-regexp", "^submodule"]);
    assert_eq!(settings(&lab.root), settings(&theirs));
    // Nothing more is left than the lock, and a second sync does nothing.
    assert!(!lab.root.join(".git/onepane/sync").exists());
    assert_eq!(lab.synced(&[]), "");
}

#[test]
fn services_move_with_their_pins_and_come_back() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    let old = lab.pin("api", "v1");
    assert!(lab.synced(&["api"]).starts_with("src/api  "));
    assert_eq!(lab.head("api"), old);
    assert!(!lab.service("api").join("only-2").exists());
    // A commit that came later, on a branch, and one that is on no branch at all.
    let origin = lab.origin("api");
    git(&origin, &["checkout", "--quiet", "-b", "feature"]);
    fs::write(origin.join("new"), "new").expect("it can be written");
    commit(&origin, "new");
    let new = lab.pin("api", "feature");
    lab.synced(&[]);
    assert_eq!(lab.head("api"), new);
    fs::write(origin.join("new"), "newer").expect("it can be written");
    commit(&origin, "newer");
    let nowhere = git(&origin, &["rev-parse", "HEAD"]);
    git(&origin, &["reset", "--quiet", "--hard", "HEAD~1"]);
    lab.pin_in(&lab.root, "api", &nowhere);
    lab.synced(&[]);
    assert_eq!(lab.head("api"), nowhere);
    // And away from it: the server has it, though none of its branches does.
    lab.pin("api", "v3");
    lab.synced(&[]);
    lab.is_clean();
    // Files that are gone come back without a server, and so does a service of which nothing is left.
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/web"]);
    fs::rename(lab.origin("web"), lab.origin("moved")).expect("it can be moved");
    lab.synced(&[]);
    fs::rename(lab.origin("moved"), lab.origin("web")).expect("it can be moved");
    fs::remove_dir_all(lab.service("db")).expect("it can be removed");
    fs::remove_dir_all(lab.root.join(".git/modules/src/db")).expect("it can be removed");
    lab.synced(&["--jobs", "1"]);
    lab.is_clean();
    // The URL follows `.gitmodules`.
    git(&lab.service("db"), &["remote", "set-url", "origin", "https://example.com/old"]);
    lab.synced(&[]);
    assert!(git(&lab.service("db"), &["remote", "get-url", "origin"]).ends_with("/db"));
}

#[test]
fn what_is_not_pushed_or_not_committed_stays() {
    let lab = Lab::new("../");
    lab.synced(&[]);
    lab.pin("api", "v1");
    lab.pin("web", "v1");
    let db = lab.pin("db", "v1");
    fs::write(lab.service("api").join("only-1"), "mine").expect("it can be written");
    fs::write(lab.service("web").join("mine"), "mine").expect("it can be written");
    commit(&lab.service("web"), "mine");
    let web = lab.head("web");
    let finished = lab.onepane(&["src", "sync"]);
    assert_eq!(finished.code, Some(1));
    let told = &finished.stderr;
    assert!(told.contains("`src/api`") && told.contains("`only-1` among them"), "{told}");
    assert!(
        told.contains("`src/web`") && told.contains(&format!("its commit {} is on no remote branch", &web[..8])),
        "{told}"
    );
    assert_eq!((lab.head("web"), lab.head("db")), (web.clone(), db));
    assert_eq!(fs::read_to_string(lab.service("api").join("only-1")).expect("it is there"), "mine");
    // One that is at its pin may be changed.
    fs::write(lab.service("db").join("only-1"), "mine").expect("it can be written");
    assert_eq!(lab.onepane(&["src", "sync", "db"]).code, Some(0));
    // An untracked file in the way is Git's to refuse.
    git(&lab.service("db"), &["checkout", "--quiet", "--force", "HEAD"]);
    fs::write(lab.service("db").join("only-3"), "mine").expect("it can be written");
    lab.pin("db", "v3");
    let finished = lab.onepane(&["src", "sync", "db"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("only-3"), "{}", finished.stderr);
    fs::remove_file(lab.service("db").join("only-3")).expect("it is there");
    lab.synced(&["--force"]);
    lab.is_clean();
    // What is there and no repository is not ours.
    git(&lab.root, &["submodule", "--quiet", "deinit", "--force", "src/api"]);
    fs::write(lab.service("api").join("notes"), "mine").expect("it can be written");
    let finished = lab.onepane(&["src", "sync"]);
    assert!(finished.code == Some(1) && finished.stderr.contains("move them away"), "{}", finished.stderr);
}

#[test]
fn a_pin_that_was_not_pushed_is_told_by_name() {
    let lab = Lab::new("../");
    let missing = "1234567890123456789012345678901234567890";
    lab.pin_in(&lab.root, "web", missing);
    let finished = lab.onepane(&["src", "sync"]);
    let told = &finished.stderr;
    assert!(
        told.contains("`src/web`") && told.contains(&format!("commit {missing} is not on the server: was it pushed?")),
        "{told}"
    );
    assert_eq!((finished.code, lab.service("api").join("only-1").exists()), (Some(1), true));
    assert!(!lab.root.join(".git/modules/src/web").exists() && !lab.service("web").join(".git").exists());
    lab.pin("web", "v2");
    lab.synced(&[]);
    lab.is_clean();
    lab.pin_in(&lab.root, "web", missing);
    assert!(lab.onepane(&["src", "sync"]).stderr.contains("was it pushed?"));
}

#[test]
fn submodules_of_services_come_with_them() {
    let lab = Lab::new("../");
    let api = lab.origin("api");
    git(&api, &["submodule", "--quiet", "add", "../db", "vendor/db"]);
    commit(&api, "nested");
    lab.pin("api", "HEAD");
    lab.synced(&["--recursive"]);
    let nested = lab.service("api").join("vendor/db");
    assert_eq!(git(&nested, &["rev-parse", "HEAD"]), git(&lab.origin("db"), &["rev-parse", "HEAD"]));
    assert!(lab.root.join(".git/modules/src/api/modules/vendor/db/HEAD").exists());
    assert!(git(&lab.root, &["submodule", "status", "--recursive"]).lines().all(|line| !line.starts_with(['+', '-'])));
}

#[test]
fn hostile_declarations_are_refused_and_the_others_go_on() {
    let lab = Lab::new("../");
    let outside = lab.folder.path().join("outside");
    fs::create_dir(&outside).expect("nothing is there yet");
    let cases: [(&str, &str, &str, &str); 8] = [
        ("../../../evil", "src/api", "../api", "its name leads out"),
        ("src/web/hooks", "src/api", "../api", "its name puts it into the Git folder"),
        ("src/api", "src/api", "ext::sh -c touch% pwned", "names a program to be run"),
        ("src/api", "src/api", "-u./pwn", "its URL is none"),
        ("src/api", "src/api", "../../../../../../../../x", "leads out"),
        ("src/api", "src/api", "gopher://h/x", "is not asked for submodules"),
        ("src/api", "../outside/x", "../api", ""),
        ("src/api", "link/x", "../api", "is a link"),
    ];
    std::os::unix::fs::symlink("../outside", lab.root.join("link")).expect("nothing is there yet");
    for (name, path, url, wanted) in cases {
        let text = format!(
            "[submodule \"{name}\"]\n\tpath = {path}\n\turl = \"{url}\"\n[submodule \"src/web\"]\n\tpath = src/web\n\turl = ../web\n"
        );
        fs::write(lab.root.join(".gitmodules"), text).expect("it can be written");
        if path == "link/x" {
            // As somebody has it who made the index by hand.
            git(&lab.root, &["update-index", "--force-remove", "link"]);
            let entry = format!("160000,{},link/x", git(&lab.origin("api"), &["rev-parse", "HEAD"]));
            git(&lab.root, &["update-index", "--add", "--cacheinfo", &entry]);
        }
        let finished = lab.onepane(&["src", "sync"]);
        assert_eq!(finished.code, Some(1), "{name} {path} {url}: {}", finished.stderr);
        assert!(finished.stderr.contains(wanted), "{name} {path} {url}: {}", finished.stderr);
        assert!(!lab.service("api").join("only-1").exists(), "{name} {path} {url}");
        assert!(lab.service("web").join("only-1").exists(), "{}", finished.stderr);
    }
    assert_eq!(fs::read_dir(&outside).expect("it is there").count(), 0);
    assert!(!lab.root.join("pwned").exists() && !lab.folder.path().join("evil").exists());
    // Folders of this machine are asked where the user has allowed it, as in Git.
    fs::write(lab.folder.path().join(".gitconfig"), "").expect("it can be written");
    fs::write(lab.root.join(".gitmodules"), "[submodule \"src/db\"]\n\tpath = src/db\n\turl = ../db\n")
        .expect("it can be written");
    let finished = lab.onepane(&["src", "sync", "db"]);
    assert!(finished.stderr.contains("protocol.file.allow"), "{}", finished.stderr);
    fs::write(lab.root.join(".gitmodules"), "[submodule").expect("it can be written");
    assert!(lab.onepane(&["src", "sync"]).stderr.contains("can't be read"));
}

/// Fifty times at a random moment, and the next one completes: services that come, and services that move.
#[test]
fn one_that_is_killed_is_completed_by_the_next() {
    let lab = Lab::new("../");
    let mut random = Random(7);
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["src", "sync"]).current_dir(&lab.root).env("HOME", lab.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    };
    let begin = Instant::now();
    assert!(command().status().expect("it can be started").success());
    let whole = begin.elapsed();
    let mut interrupted = 0;
    for round in 0..50 {
        if round % 2 == 0 {
            for name in SERVICES {
                let _ = fs::remove_dir_all(lab.service(name));
                let _ = fs::remove_dir_all(lab.root.join(".git/modules/src").join(name));
            }
        }
        for name in SERVICES {
            lab.pin(name, ["v1", "v2", "v3"][random.below(3)]);
        }
        let mut child = command().spawn().expect("it can be started");
        let after = whole.as_micros() as usize * (random.below(1000) + 1) / 1000;
        std::thread::sleep(Duration::from_micros(after as u64));
        if child.try_wait().expect("it is ours").is_none() {
            interrupted += 1;
        }
        // With all that it has started.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
        child.wait().expect("it is ours");
        lab.synced(&[]);
        lab.is_clean();
        assert!(!lab.root.join(".git/config.lock").exists());
    }
    assert!(interrupted > 10, "only {interrupted} were interrupted");
}
