//! Services from servers behind HTTP: what they are asked, and where they may lead.

use camino::Utf8Path;
use onepane_git::{LocalRepository, SyncOptions, SyncedTo};
use onepane_testkit::{GitServer, Mood, git};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three repositories, and one that pins them.
fn lab() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let top = folder.path().join("top");
    fs::create_dir(&top).expect("nothing is there yet");
    git(&top, &["init", "--quiet"]);
    for name in NAMES {
        let origin = folder.path().join(name);
        fs::create_dir(&origin).expect("nothing is there yet");
        git(&origin, &["init", "--quiet"]);
        for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            git(&origin, &["config", key, "true"]);
        }
        for text in ["one", "two"] {
            fs::write(origin.join("file"), format!("{name} {text}")).expect("it can be written");
            git(&origin, &["add", "file"]);
            git(&origin, &["commit", "--quiet", "--message", text]);
        }
        git(&origin, &["tag", "--annotate", "--message", "v1", "v1"]);
        let pin = git(&origin, &["rev-parse", "HEAD"]);
        git(&top, &["update-index", "--add", "--cacheinfo", &format!("160000,{pin},{name}")]);
    }
    folder
}

/// Where they are from.
fn declare(folder: &Path, url: impl Fn(&str) -> String) {
    let modules = NAMES.map(|name| format!("[submodule \"{name}\"]\n\tpath = {name}\n\turl = {}\n", url(name)));
    fs::write(folder.join("top/.gitmodules"), modules.concat()).expect("it can be written");
}

fn synced(folder: &Path) -> Vec<Result<SyncedTo, String>> {
    let top = folder.join("top");
    let repository = LocalRepository::of(Utf8Path::from_path(&top).expect("it is UTF-8")).expect("it is one");
    let options = SyncOptions {
        services: None,
        jobs: 1,
        depth: None,
        filter: None,
        completes: false,
        is_recursive: false,
        keeps_branches: false,
        is_forced: false,
    };
    let all = repository.sync(options, &|_| {}).expect("it can be tried");
    all.into_iter().map(|one| one.outcome.map_err(|error| error.to_string())).collect()
}

fn are_whole(folder: &Path) {
    for name in NAMES {
        let service = folder.join("top").join(name);
        assert_eq!(fs::read_to_string(service.join("file")).ok(), Some(format!("{name} two")));
        assert_eq!(git(&service, &["status", "--porcelain"]), "");
        git(&service, &["fsck", "--strict"]);
        let references = git(&service, &["for-each-ref", "--format=%(refname)"]);
        for reference in ["refs/remotes/origin/main", "refs/tags/v1"] {
            assert!(references.lines().any(|line| line == reference), "{references}");
        }
    }
}

/// A server that sends whoever asks to what comes before and after the path that was asked for.
fn redirecting(before: String, after: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().expect("it is open")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let answer = format!("HTTP/1.1 301 Moved\r\nLocation: {before}{path}{after}\r\nContent-Length: 0\r\n");
            let _ = stream.write_all(format!("{answer}Connection: close\r\n\r\n").as_bytes());
        }
    });
    address
}

#[test]
fn a_server_is_greeted_once() {
    let lab = lab();
    let server = GitServer::start(lab.path());
    declare(lab.path(), |name| format!("{}/{name}", server.address));
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(SyncedTo::Cloned(_)))), "{outcomes:?}");
    // Each is asked what is there, and for commits and files.
    assert_eq!(server.requests(), 1 + 3 * NAMES.len());
    are_whole(lab.path());
}

#[test]
fn a_repository_that_is_not_served_as_others_is_asked_again() {
    let lab = lab();
    git(&lab.path().join("b"), &["config", "uploadpack.allowFilter", "false"]);
    let server = GitServer::start(lab.path());
    declare(lab.path(), |name| format!("{}/{name}", server.address));
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(SyncedTo::Cloned(_)))), "{outcomes:?}");
    are_whole(lab.path());
    let is_partial = NAMES.map(|name| {
        let config = fs::read_to_string(lab.path().join("top/.git/modules").join(name).join("config"));
        config.expect("it is there").contains("promisor")
    });
    assert_eq!(is_partial, [true, false, true]);
    // The second refuses the filter, and is greeted; so is the third, since nothing is known any more.
    assert_eq!(server.requests(), 4 + (2 + 3) + 4);
}

#[test]
fn who_sends_elsewhere_is_followed_to_the_same_repository_alone() {
    let lab = lab();
    let server = GitServer::start(lab.path());
    let moved = redirecting(server.address.clone(), "");
    declare(lab.path(), |name| format!("{moved}/{name}"));
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(SyncedTo::Cloned(_)))), "{outcomes:?}");
    // What somebody says of himself who was not asked is not kept.
    assert_eq!(server.requests(), 4 * NAMES.len());
    are_whole(lab.path());
    let url = git(&lab.path().join("top/a"), &["config", "remote.origin.url"]);
    assert_eq!(url, format!("{moved}/a"));

    let lab = self::lab();
    let server = GitServer::start(lab.path());
    let elsewhere = redirecting(server.address.clone(), "&x");
    let round = redirecting("/round".to_owned(), "");
    let gone = redirecting("ftp://127.0.0.1:1".to_owned(), "");
    declare(lab.path(), |name| match name {
        "a" => format!("{elsewhere}/{name}"),
        "b" => format!("{round}/{name}"),
        _ => format!("{gone}/{name}"),
    });
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
}

#[test]
fn a_server_that_stops_midway_leaves_nothing() {
    let lab = lab();
    let server = GitServer::start(lab.path());
    declare(lab.path(), |name| format!("{}/{name}", server.address));
    server.behave(Mood::StopsMidway);
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    assert!(NAMES.iter().all(|name| !lab.path().join("top/.git/modules").join(name).exists()));
    server.behave(Mood::Well);
    let outcomes = synced(lab.path());
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    are_whole(lab.path());
}
