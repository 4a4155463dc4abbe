//! Chart repositories over HTTP: what works, and that nothing is left behind where it does not.

mod support;

use onepane_fetch::{
    Access, Added, ChartRequest, Credentials, IfPresent, IndexFormat, IndexRequest, Provenance, Repository, Secret,
    write_index,
};
use std::time::Duration;
use support::{Answer, Ears, Room, Site, bomb, chart, index, packed, sha256, silent, stderr, stdout};

const PATIENCE: Duration = Duration::from_secs(20);

fn repository(name: &str, url: &str) -> Repository {
    Repository { name: name.to_owned(), url: url.to_owned(), ..Repository::default() }
}

fn credentials(password: &str) -> Credentials {
    Credentials { username: "u".to_owned(), password: Secret::new(password) }
}

fn request(chart: &str) -> ChartRequest {
    ChartRequest { timeout: PATIENCE, ..ChartRequest::new(chart) }
}

/// A site with the chart `a` 1.0.0, and a room that has added it as `r`.
fn ready() -> (Site, Room) {
    let (site, room) = (Site::start(), Room::new());
    let archive = chart("a", "1.0.0");
    site.bytes("/index.yaml", index("a", "1.0.0", "a-1.0.0.tgz", &sha256(&archive)));
    site.bytes("/a-1.0.0.tgz", archive);
    let added = room.fetcher().add_repository(repository("r", &site.address), IfPresent::Keep, PATIENCE, &mut silent);
    assert_eq!(added.expect("it is a good repository"), Added::Added);
    (site, room)
}

#[test]
fn a_repository_is_added_updated_and_removed() {
    let (site, room) = ready();
    let fetcher = room.fetcher();
    assert_eq!(room.files("cache"), ["repository/r-charts.txt", "repository/r-index.yaml"]);
    assert_eq!(room.read("cache/repository/r-charts.txt"), "a\n");
    let again = fetcher.add_repository(repository("r", &site.address), IfPresent::Keep, PATIENCE, &mut silent);
    assert_eq!(again.expect("it is the same"), Added::Unchanged);
    let other = repository("r", &format!("{}/other", site.address));
    let error = fetcher.add_repository(other, IfPresent::Keep, PATIENCE, &mut silent).expect_err("it is taken");
    assert_eq!(error.message, "repository name (r) already exists, please specify a different name");
    for (name, url, wanted) in [
        ("x/y", "http://h", "repository name (x/y) contains '/', please specify a different name without '/'"),
        ("q", "ftp://h", "could not find protocol handler for: ftp"),
        ("q", "h", "could not find protocol handler for: "),
    ] {
        let error = fetcher.add_repository(repository(name, url), IfPresent::Keep, PATIENCE, &mut silent);
        assert_eq!(error.expect_err(name).message, wanted);
    }

    site.bytes("/index.yaml", index("b", "2.0.0", "b-2.0.0.tgz", ""));
    let mut ears = Ears::default();
    fetcher.update_repositories(&[], PATIENCE, &mut ears.hear()).expect("it can be reached");
    assert_eq!(ears.0[1], "...Successfully got an update from the \"r\" chart repository");
    assert_eq!(room.read("cache/repository/r-charts.txt"), "b\n");
    let error = fetcher.update_repositories(&["x".to_owned()], PATIENCE, &mut silent).expect_err("there is none");
    assert_eq!(error.message, "no repositories found matching 'x'.  Nothing will be updated");

    site.bytes("/index.yaml", "<html>");
    let error = fetcher.update_repositories(&[], PATIENCE, &mut silent).expect_err("it is no index");
    assert_eq!(error.message, format!("failed to update the following repositories: [{}]", site.address));
    assert_eq!(room.read("cache/repository/r-charts.txt"), "b\n", "what was cached stays");

    fetcher.remove_repositories(&["r".to_owned()], &mut silent).expect("it is there");
    assert!(room.files("cache").is_empty());
    let error = fetcher.remove_repositories(&["r".to_owned()], &mut silent).expect_err("it is gone");
    assert_eq!(error.message, "no repositories configured");
}

#[test]
fn helm_reads_what_is_written_and_the_other_way_round() {
    let (site, room) = ready();
    let Some(output) = room.helm(&["pull", "r/a", "-d", "out"]) else { return };
    stdout(&output);
    assert_eq!(room.files("out"), ["a-1.0.0.tgz"]);
    let output = room.helm(&["repo", "add", "s", &site.address]).expect("it was there before");
    stdout(&output);
    let ours = room.fetcher().repositories().expect("it is good");
    let names: Vec<&str> = ours.repositories().iter().map(|repository| repository.name.as_str()).collect();
    assert_eq!(names, ["r", "s"]);
    // The same words for the same mistakes.
    for chart in ["r/x", "x/a", "a"] {
        let output = room.helm(&["pull", chart]).expect("it was there before");
        let error = room.fetcher().download(&request(chart), &room.out(), Provenance::Skip, &mut silent);
        assert_eq!(stderr(&output).trim_end(), format!("Error: {}", error.expect_err(chart).message));
    }
    // One content cache for both.
    let located = room.fetcher().locate(&request("r/a"), Provenance::Skip, &mut silent).expect("it is there");
    let before = site.seen().len();
    stdout(&room.helm(&["template", "x", "r/a"]).expect("it was there before"));
    assert_eq!(site.seen().len(), before, "Helm takes {located}");
}

#[test]
fn a_chart_is_downloaded_located_and_unpacked() {
    let (site, room) = ready();
    let fetcher = room.fetcher();
    let got = fetcher.download(&request("r/a"), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(got.archive, room.out().join("a-1.0.0.tgz"));
    let direct = format!("{}/a-1.0.0.tgz", site.address);
    fetcher.download(&request(&direct), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    let by_repository = ChartRequest { repository: site.address.clone(), version: "^1".to_owned(), ..request("a") };
    let path = fetcher.locate(&by_repository, Provenance::Skip, &mut silent).expect("it is there");
    let digest = sha256(&chart("a", "1.0.0"));
    assert_eq!(path, room.path.join(format!("cache/content/{}/{digest}.chart", &digest[..2])));
    let before = site.seen().len();
    assert_eq!(fetcher.locate(&request("r/a"), Provenance::Skip, &mut silent).expect("it is cached"), path);
    assert_eq!(site.seen().len(), before);
    // A cache that was tampered with is not believed.
    std::fs::write(&path, "x").expect("it can be written");
    fetcher.locate(&request("r/a"), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(sha256(&std::fs::read(&path).expect("it is there")), digest);

    let folder =
        fetcher.download_unpacked(&request("r/a"), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(room.files("out/a"), ["Chart.yaml", "values.yaml"]);
    let error = fetcher
        .download_unpacked(&request("r/a"), &room.out(), Provenance::Skip, &mut silent)
        .expect_err("it is taken");
    assert_eq!(error.message, format!("failed to untar: a file or directory with the name {folder} already exists"));
    let missing = ChartRequest { version: "4".to_owned(), ..by_repository };
    let error = fetcher.locate(&missing, Provenance::Skip, &mut silent).expect_err("there is none");
    assert_eq!(error.message, format!("chart \"a\" version \"4\" not found in {} repository", site.address));
}

#[test]
fn provenance_comes_along_where_there_is_one() {
    let (site, room) = ready();
    let fetcher = room.fetcher();
    let mut ears = Ears::default();
    let got = fetcher.download(&request("r/a"), &room.out(), Provenance::Fetch, &mut ears.hear()).expect("it is there");
    assert_eq!(got.provenance, None);
    assert!(ears.0[0].starts_with("WARNING: Verification not found for r/a: failed to fetch "), "{:?}", ears.0);
    let strict = fetcher.download(&request("r/a"), &room.out(), Provenance::Verify(&|_, _, _| Ok(())), &mut silent);
    assert!(strict.expect_err("there is none").message.starts_with("failed to fetch provenance "));
    site.bytes("/a-1.0.0.tgz.prov", "signed");
    fetcher.download(&request("r/a"), &room.out(), Provenance::Fetch, &mut silent).expect("it is there");
    assert_eq!(room.read("out/a-1.0.0.tgz.prov"), "signed");
}

#[test]
fn passwords_open_their_own_server_only_and_are_never_shown() {
    let (site, room) = (Site::start(), Room::new());
    let elsewhere = Site::start();
    let archive = chart("a", "1.0.0");
    let there = format!("{}/a-1.0.0.tgz", elsewhere.address);
    elsewhere.bytes("/a-1.0.0.tgz", archive.clone());
    site.bytes("/index.yaml", index("a", "1.0.0", &there, &sha256(&archive)));
    site.lock();
    let fetcher = room.fetcher();
    let with = |password: &str, all| Repository {
        credentials: credentials(password),
        pass_credentials_all: all,
        ..repository("r", &site.address)
    };
    for wrong in [repository("r", &site.address), with("hush", false)] {
        let error = fetcher.add_repository(wrong, IfPresent::Keep, PATIENCE, &mut silent).expect_err("it is locked");
        assert!(error.message.ends_with("/index.yaml : 401 Unauthorized"), "{}", error.message);
        assert!(!format!("{error:?}").contains("hush"));
        assert_eq!((room.files("cache"), room.files("config")), (vec![], vec!["repositories.lock".to_owned()]));
    }
    fetcher.add_repository(with("p", false), IfPresent::Keep, PATIENCE, &mut silent).expect("it is right");
    fetcher.download(&request("r/a"), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(elsewhere.seen().last().expect("it was asked").1, None);
    fetcher.add_repository(with("p", true), IfPresent::Replace, PATIENCE, &mut silent).expect("it is right");
    fetcher.download(&request("r/a"), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(elsewhere.seen().last().expect("it was asked").1.as_deref(), Some("Basic dTpw"));
    // A redirect leads nobody's password elsewhere.
    site.bytes("/index.yaml", index("a", "1.0.0", "moved.tgz", &sha256(&archive)));
    site.put("/moved.tgz", Answer::Redirect(there));
    fetcher.add_repository(with("p", false), IfPresent::Replace, PATIENCE, &mut silent).expect("it is right");
    fetcher.download(&request("r/a"), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(elsewhere.seen().last().expect("it was asked").1, None);
    // Nor does `--repo`.
    site.bytes("/index.yaml", index("a", "1.0.0", &format!("{}/a-1.0.0.tgz", elsewhere.address), ""));
    let access = Access { credentials: credentials("p"), ..Access::default() };
    let by_repository = ChartRequest { repository: site.address.clone(), access, ..request("a") };
    fetcher.locate(&by_repository, Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(elsewhere.seen().last().expect("it was asked").1, None);
}

#[test]
fn a_bad_archive_leaves_nothing_behind() {
    let archive = chart("a", "1.0.0");
    let half = archive[..archive.len() / 2].to_vec();
    let whole = sha256(&archive);
    let climbing = packed(&[("a/Chart.yaml", b"name: a"), ("a/../../evil", b"x")]);
    let absolute = packed(&[("a/Chart.yaml", b"name: a"), ("a//etc/evil", b"x")]);
    let nothing = packed(&[]);
    for (what, answer, digest, wanted) in [
        ("cut", Answer::Cut { announced: archive.len(), bytes: half.clone() }, "", "unexpected EOF"),
        ("other", Answer::Bytes(chart("a", "1.0.1")), whole.as_str(), "but the repository's index says"),
        ("truncated", Answer::Bytes(half), "", "unable to load chart archive"),
        ("without its end", Answer::Bytes(archive[..archive.len() - 4].to_vec()), "", "unable to load chart archive"),
        ("climbing", Answer::Bytes(climbing), "", "chart illegally references parent directory"),
        ("absolute", Answer::Bytes(absolute), "", "chart illegally contains absolute paths"),
        ("empty", Answer::Bytes(nothing), "", "no files in chart archive"),
        ("nothing", Answer::Bytes(vec![]), "", "does not appear to be a gzipped archive"),
        ("a page", Answer::Bytes(b"<html>".to_vec()), "", "does not appear to be a gzipped archive"),
        ("bomb", Answer::Bytes(bomb()), "", "decompressed chart is larger than the maximum size 104857600"),
        ("endless", Answer::Endless, "", "is larger than 134217728 bytes"),
        ("huge", Answer::Cut { announced: 1 << 40, bytes: vec![] }, "", "is larger than 134217728 bytes"),
        ("in a circle", Answer::Redirect("/a-1.0.0.tgz".to_owned()), "", "stopped after 10 redirects"),
        ("odd digest", Answer::Bytes(archive.clone()), "../../x", "invalid digest length"),
    ] {
        let (site, room) = (Site::start(), Room::new());
        site.bytes("/index.yaml", index("a", "1.0.0", "a-1.0.0.tgz", digest));
        site.put("/a-1.0.0.tgz", answer);
        let fetcher = room.fetcher();
        fetcher
            .add_repository(repository("r", &site.address), IfPresent::Keep, PATIENCE, &mut silent)
            .expect("the index is good");
        let cache = room.files("cache");
        let downloaded = fetcher.download(&request("r/a"), &room.out(), Provenance::Skip, &mut silent);
        let unpacked = fetcher.download_unpacked(&request("r/a"), &room.out(), Provenance::Skip, &mut silent);
        let located = fetcher.locate(&request("r/a"), Provenance::Skip, &mut silent);
        for message in
            [downloaded.expect_err(what).message, unpacked.expect_err(what).message, located.expect_err(what).message]
        {
            assert!(message.contains(wanted), "{what}: {message}");
        }
        assert_eq!(room.files("out"), Vec::<String>::new(), "{what}");
        assert_eq!(room.files("cache"), cache, "{what}");
        assert!(!room.path.join("evil").exists() && !room.out().join("evil").exists());
    }
}

#[test]
fn a_bad_index_leaves_nothing_behind() {
    let deep = format!("apiVersion: v1\nentries: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let mut aliases = "apiVersion: v1\nannotations:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..12 {
        let before = at - 1;
        let items = vec![format!("*a{before}"); 9].join(", ");
        aliases.push_str(&format!("  a{at}: &a{at} [{items}]\n"));
    }
    for (what, answer) in [
        ("deep", Answer::Bytes(deep.into_bytes())),
        ("aliases", Answer::Bytes(aliases.into_bytes())),
        ("huge", Answer::Cut { announced: 1 << 40, bytes: vec![] }),
        ("cut", Answer::Cut { announced: 1000, bytes: b"apiVersion: v1\nentries: {}\n".to_vec() }),
        ("not text", Answer::Bytes(vec![0xFF; 1000])),
        ("zeros", Answer::Bytes(vec![0; 1 << 20])),
        ("page", Answer::Bytes(b"<html></html>".to_vec())),
        (
            "many values",
            Answer::Bytes(format!("apiVersion: v1\nentries: [{}]\n", "a,".repeat(10_000_000)).into_bytes()),
        ),
        ("a name that climbs", Answer::Bytes(b"apiVersion: v1\nentries: {a: [{name: 1".to_vec())),
    ] {
        let (site, room) = (Site::start(), Room::new());
        site.put("/index.yaml", answer);
        let added =
            room.fetcher().add_repository(repository("r", &site.address), IfPresent::Keep, PATIENCE, &mut silent);
        let message = added.expect_err(what).message;
        let head = format!("looks like {:?} is not a valid chart repository or cannot be reached: ", site.address);
        assert!(message.starts_with(&head), "{what}: {message}");
        assert_eq!(room.files("cache"), Vec::<String>::new(), "{what}");
        assert_eq!(room.files("config"), ["repositories.lock"], "{what}");
    }
}

#[test]
fn a_server_that_is_silent_or_absent_is_given_up() {
    let (site, room) = (Site::start(), Room::new());
    site.put("/index.yaml", Answer::Silence);
    let add = |url: &str| {
        let wait = Duration::from_millis(300);
        let added = room.fetcher().add_repository(repository("r", url), IfPresent::Keep, wait, &mut silent);
        added.expect_err(url).message
    };
    assert!(add(&site.address).contains("context deadline exceeded"));
    let message = add("http://127.0.0.1:1");
    assert!(
        message.ends_with("Get \"http://127.0.0.1:1/index.yaml\": dial tcp 127.0.0.1:1: connect: connection refused"),
        "{message}"
    );
    let message = add("http://u:hush@127.0.0.1:1");
    assert!(!message.contains("hush"), "{message}");
}

/// Replaces what differs from run to run.
fn masked(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(':') {
        Some((key, _)) if ["created", "generated"].contains(&key.trim().trim_matches('"')) => format!("{key}: …"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_index_is_written_in_helms_bytes() {
    let room = Room::new();
    let metadata = "apiVersion: v2\nname: c\nversion: 1.0.0\ndescription: \"yes\"\nkeywords: [a, \"1\"]\nhome: https://h\n\
                    sources: [s]\nmaintainers: [{name: n, email: e}]\nicon: i\nappVersion: \"1.10\"\ndeprecated: true\n\
                    annotations: {b: \"1\", a: \"<x>\"}\nkubeVersion: \">=1\"\ndependencies: [{name: d, version: 1.x, \
                    repository: \"\", tags: [t], condition: x.y, import-values: [{child: a, parent: b}], alias: e}]\n";
    room.write("site/c-1.0.0.tgz", packed(&[("c/Chart.yaml", metadata.as_bytes())]));
    room.write("site/a-1.0.0.tgz", chart("a", "1.0.0"));
    room.write("site/a-1.10.0.tgz", chart("a", "1.10.0"));
    room.write("site/below/a-1.9.0.tgz", chart("a", "1.9.0"));
    room.write("site/no.tgz", "x");
    let old = index("a", "0.1.0", "a-0.1.0.tgz", "") + "    created: 2016-10-06T16:23:20.499814565-06:00\n";
    room.write("old.yaml", old);
    let mut compared = 0;
    for (url, merge, format) in [
        ("", false, IndexFormat::Yaml),
        ("http://h:1/x/", true, IndexFormat::Yaml),
        ("http://h:1", true, IndexFormat::Json),
        ("charts", false, IndexFormat::Json),
    ] {
        let merged = merge.then(|| room.path.join("old.yaml"));
        let request = IndexRequest { folder: room.path.join("site"), url: url.to_owned(), merge: merged, format };
        write_index(&request, &mut |_| {}).expect("it can be written");
        let ours = room.read("site/index.yaml");
        let mut arguments = vec!["repo", "index", "site", "--url", url];
        if merge {
            arguments.extend(["--merge", "old.yaml"]);
        }
        if format == IndexFormat::Json {
            arguments.push("--json");
        }
        let Some(output) = room.helm(&arguments) else { return };
        stdout(&output);
        assert_eq!(masked(&ours), masked(&room.read("site/index.yaml")), "{arguments:?}");
        compared += 1;
    }
    assert_eq!(compared, 4);
}
