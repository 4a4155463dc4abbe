//! Commits from a real Git server, over HTTP and from a file.

use camino::{Utf8Path, Utf8PathBuf};
use onepane_git::{Fetched, Repositories, Wanted};
use onepane_testkit::{GitServer, Mood, git};
use onepane_world::{EntryKind, World};
use std::time::{Duration, Instant};

/// A repository with two commits, a tag on the first, a branch, links, and a submodule; and a cache.
struct Room {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
    server: GitServer,
    first: String,
    second: String,
}

const TIMEOUT: Duration = Duration::from_secs(20);

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("it has a UTF-8 path");
        for name in ["library", "shop"] {
            std::fs::create_dir(path.join(name)).expect("it is not there");
            git(path.join(name).as_std_path(), &["init", "--quiet"]);
        }
        let (library, shop) = (path.join("library"), path.join("shop"));
        write(&library, "lib.txt", "library");
        commit(&library, "library");
        write(&shop, "base/file.txt", "one");
        for (link, target) in
            [("base/near", "file.txt"), ("base/up", "../base"), ("out", "../../etc"), ("root", "/etc")]
        {
            std::os::unix::fs::symlink(target, shop.join(link)).expect("links can be made");
        }
        commit(&shop, "one");
        git(shop.as_std_path(), &["tag", "--annotate", "v1", "--message", "v1"]);
        write(&shop, "base/file.txt", "two");
        git(shop.as_std_path(), &["submodule", "--quiet", "add", "../library", "vendor/library"]);
        commit(&shop, "two");
        git(shop.as_std_path(), &["branch", "feature/x", "v1"]);
        git(shop.as_std_path(), &["branch", "both"]);
        git(shop.as_std_path(), &["tag", "both", "v1"]);
        // What a server has is bare.
        for name in ["library", "shop"] {
            git(path.as_std_path(), &["clone", "--quiet", "--bare", name, &format!("served/{name}")]);
        }
        let commits = ["v1^{commit}", "HEAD"].map(|name| git(shop.as_std_path(), &["rev-parse", name]));
        let [first, second] = commits;
        let server = GitServer::start(path.join("served"));
        Self { _folder: folder, path, server, first, second }
    }

    fn repositories(&self) -> Repositories {
        Repositories { cache: self.path.join("cache"), offline: false }
    }

    fn http(&self) -> String {
        format!("{}/shop", self.server.address)
    }

    fn file(&self) -> String {
        format!("file://{}/served/shop", self.path)
    }
}

fn write(folder: &Utf8Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
    std::fs::write(path, text).expect("files can be written");
}

fn commit(folder: &Utf8Path, message: &str) {
    git(folder.as_std_path(), &["add", "--all"]);
    git(folder.as_std_path(), &["commit", "--quiet", "--message", message]);
}

fn wanted<'a>(url: &'a str, reference: Option<&'a str>) -> Wanted<'a> {
    Wanted { url, reference, submodules: true, timeout: TIMEOUT }
}

fn read(fetched: &Fetched, path: &str) -> String {
    let bytes = fetched.tree.read(path.into()).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn error(outcome: onepane_diagnostics::Result<Fetched>) -> (&'static str, String) {
    match outcome {
        Ok(fetched) => panic!("fetched {}", fetched.commit),
        Err(error) => (error.code, error.message),
    }
}

#[test]
fn branches_tags_and_commits_come_over_http_and_from_files() {
    let room = Room::new();
    let (first, second) = (room.first.as_str(), room.second.as_str());
    for url in [room.http(), room.file()] {
        let cases = [
            (None, second, "two"),
            (Some("main"), second, "two"),
            (Some("refs/heads/main"), second, "two"),
            (Some("feature/x"), first, "one"),
            (Some("v1"), first, "one"),
            (Some("both"), first, "one"),
            (Some("refs/heads/both"), second, "two"),
            (Some(first), first, "one"),
        ];
        for (reference, commit, text) in cases {
            let fetched = room.repositories().files(wanted(&url, reference)).expect("the server has it");
            assert_eq!((&*fetched.commit, &*read(&fetched, "base/file.txt")), (commit, text), "{url} {reference:?}");
            assert!(fetched.warnings.is_empty());
        }
    }
}

#[test]
fn what_the_server_has_not_is_an_error_that_names_it() {
    let room = Room::new();
    let absent = "1".repeat(40);
    for url in [room.http(), room.file()] {
        for reference in ["nowhere", &absent, &room.first[..10]] {
            let (code, message) = error(room.repositories().files(wanted(&url, Some(reference))));
            assert_eq!(code, "git-reference", "{message}");
            assert!(message.contains(reference) && message.contains(&url), "{message}");
        }
    }
    let (code, message) = error(room.repositories().files(wanted(&format!("{}/nothing", room.server.address), None)));
    assert!(code == "git-refused" && message.contains("404"), "{code} {message}");
}

#[test]
fn submodules_are_there_at_their_commit_unless_they_are_not_wanted() {
    let room = Room::new();
    for url in [room.http(), room.file()] {
        let fetched = room.repositories().files(wanted(&url, None)).expect("the server has it");
        assert_eq!(read(&fetched, "vendor/library/lib.txt"), "library");
        let without = Wanted { submodules: false, ..wanted(&url, None) };
        let fetched = room.repositories().files(without).expect("the server has it");
        assert_eq!(fetched.tree.kind("vendor/library".into()), Some(EntryKind::Folder));
        assert_eq!(fetched.tree.list("vendor/library".into()).expect("an empty folder"), []);
        assert_eq!(fetched.tree.kind("vendor/library/lib.txt".into()), None);
    }
}

#[test]
fn links_are_followed_within_the_repository_only() {
    let room = Room::new();
    let fetched = room.repositories().files(wanted(&room.file(), None)).expect("the server has it");
    assert_eq!(read(&fetched, "base/near"), "two");
    assert_eq!(read(&fetched, "base/up/up/near"), "two");
    let canonical = fetched.tree.canonical("base/up/near".into()).expect("it leads somewhere");
    assert_eq!(canonical, fetched.tree.top().join("base/file.txt"));
    for path in ["out", "out/passwd", "root/passwd", "../x", "/etc/passwd", "base/none"] {
        assert!(fetched.tree.read(path.into()).is_err(), "{path}");
        assert_eq!(fetched.tree.kind(path.into()), None, "{path}");
    }
    let names: Vec<_> =
        fetched.tree.list("base".into()).expect("a folder").into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["file.txt", "near", "up"]);
}

#[test]
fn a_commit_is_fetched_once_and_a_branch_is_asked_for() {
    let room = Room::new();
    let commit = Wanted { submodules: false, ..wanted("", Some(&room.first)) };
    let url = room.http();
    room.repositories().files(Wanted { url: &url, ..commit }).expect("the server has it");
    let before = room.server.requests();
    room.repositories().files(Wanted { url: &url, ..commit }).expect("it is in the cache");
    assert_eq!(room.server.requests(), before);

    let read_main =
        || read(&room.repositories().files(wanted(&url, Some("main"))).expect("it is there"), "base/file.txt");
    assert_eq!(read_main(), "two");
    let shop = room.path.join("shop");
    write(&shop, "base/file.txt", "three");
    self::commit(&shop, "three");
    git(shop.as_std_path(), &["push", "--quiet", room.path.join("served/shop").as_str(), "main"]);
    assert_eq!(read_main(), "three");
}

#[test]
fn without_a_server_the_commit_that_was_last_seen_serves_and_is_named() {
    let room = Room::new();
    // A port that nobody listens on any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let url = format!("http://{gone}/shop");
    let (code, message) = error(room.repositories().files(wanted(&url, Some("main"))));
    assert_eq!(code, "git-unreachable", "{message}");

    let url = room.http();
    let fetched = room.repositories().files(wanted(&url, Some("main"))).expect("the server has it");
    let offline = Repositories { offline: true, ..room.repositories() };
    let again = offline.files(wanted(&url, Some("main"))).expect("it is in the cache");
    assert_eq!((&again.commit, read(&again, "vendor/library/lib.txt")), (&fetched.commit, "library".to_owned()));
    let [warning] = &again.warnings[..] else { panic!("{:?}", again.warnings) };
    assert!(warning.message.contains(&fetched.commit), "{}", warning.message);
    let (code, message) = error(offline.files(wanted(&url, Some("v1"))));
    assert!(code == "git-unreachable" && message.contains("offline"), "{code} {message}");

    room.server.behave(Mood::FallsSilent);
    let shop = room.path.join("shop");
    write(&shop, "base/file.txt", "three");
    commit(&shop, "three");
    git(shop.as_std_path(), &["push", "--quiet", room.path.join("served/shop").as_str(), "main"]);
    let impatient = Wanted { timeout: Duration::from_millis(300), ..wanted(&url, Some("main")) };
    let again = room.repositories().files(impatient).expect("it is in the cache");
    assert_eq!((again.commit, again.warnings.len()), (fetched.commit, 1));
}

#[test]
fn a_server_that_stops_midway_or_falls_silent_leaves_nothing_behind() {
    let room = Room::new();
    let url = room.http();
    room.server.behave(Mood::StopsMidway);
    let (code, message) = error(room.repositories().files(wanted(&url, Some("main"))));
    assert!(matches!(code, "git-unreachable" | "git-refused"), "{code} {message}");

    room.server.behave(Mood::FallsSilent);
    let started = Instant::now();
    let impatient = Wanted { timeout: Duration::from_millis(500), ..wanted(&url, Some("main")) };
    let (code, message) = error(room.repositories().files(impatient));
    assert_eq!(code, "git-timeout", "{message}");
    assert!(started.elapsed() < TIMEOUT);
    let offline = Repositories { offline: true, ..room.repositories() };
    assert_eq!(error(offline.files(wanted(&url, Some("main")))).0, "git-unreachable");
    assert_eq!(error(offline.files(wanted(&url, Some(&room.second)))).0, "git-unreachable");

    room.server.behave(Mood::Well);
    let fetched = room.repositories().files(wanted(&url, Some("main"))).expect("the server is well again");
    assert_eq!(fetched.commit, room.second);
}

#[test]
fn passwords_are_not_shown_and_not_sent_in_clear_text() {
    let room = Room::new();
    room.server.behave(Mood::WantsPassword);
    let url = room.http().replace("http://", "http://u:hunter2@");
    let (code, message) = error(room.repositories().files(wanted(&url, Some("main"))));
    assert!(code == "git-refused" && message.contains("clear text"), "{code} {message}");
    assert!(!message.contains("hunter2"), "{message}");
}
