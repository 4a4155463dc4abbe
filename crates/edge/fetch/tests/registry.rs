//! Charts in registries: against Docker's registry, the real Helm, and a registry that lies.

mod support;

use onepane_fetch::{Access, ChartRequest, Credentials, Provenance, RegistryAccess, Secret};
use onepane_testkit::Registry;
use support::{Answer, Ears, Room, Site, chart, packed, registry, sha256, silent, stderr, stdout};

fn access(username: &str, password: &str) -> RegistryAccess {
    let credentials = Credentials { username: username.to_owned(), password: Secret::new(password) };
    RegistryAccess { credentials, plain_http: true, ..RegistryAccess::default() }
}

fn request(chart: &str, version: &str) -> ChartRequest {
    let access = Access { plain_http: true, ..Access::default() };
    ChartRequest { version: version.to_owned(), access, ..ChartRequest::new(chart) }
}

/// A registry, and a room that is logged in to it and has the archive of `a` in these versions.
fn ready(versions: &[&str]) -> Option<(Registry, Room)> {
    let (registry, room) = (registry()?, Room::new());
    room.fetcher().login(&registry.host, &access("u", "p")).expect("the password is right");
    for version in versions {
        room.write(&format!("a-{version}.tgz"), chart("a", version));
    }
    Some((registry, room))
}

#[test]
fn login_asks_the_registry_and_logout_forgets() {
    let Some(registry) = registry() else { return };
    let room = Room::new();
    let fetcher = room.fetcher();
    let error = fetcher.login(&registry.host, &access("u", "hush")).expect_err("the password is wrong");
    let host = &registry.host;
    let words = "response status code 401: unauthorized: authentication required";
    assert_eq!(error.message, format!("authenticating to {host:?}: GET \"http://{host}/v2/\": {words}"));
    assert!(!format!("{error:?}").contains("hush"));
    assert_eq!(room.files("config"), Vec::<String>::new());
    fetcher.login(host, &access("u", "p")).expect("the password is right");
    let ours = room.read("config/registry/config.json");
    fetcher.logout(host).expect("it can be written");
    assert_eq!(room.read("config/registry/config.json"), "{\n\t\"auths\": {}\n}");
    fetcher.logout(host).expect("that there is nothing is fine");
    let Some(output) = room.helm(&["registry", "login", host, "-u", "u", "-p", "p", "--plain-http"]) else { return };
    stdout(&output);
    assert_eq!(room.read("config/registry/config.json"), ours);
}

#[test]
fn charts_are_pushed_listed_and_pulled() {
    let Some((registry, room)) = ready(&["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1+b7"]) else { return };
    let fetcher = room.fetcher();
    let remote = format!("oci://{}/charts", registry.host);
    let from = RegistryAccess { plain_http: true, ..RegistryAccess::default() };
    for version in ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1+b7"] {
        let mut ears = Ears::default();
        let archive = room.path.join(format!("a-{version}.tgz"));
        let pushed = fetcher.push(&archive, &remote, &from, &mut ears.hear()).expect("it is good");
        let tag = version.replace('+', "_");
        assert_eq!(pushed.reference, format!("{}/charts/a:{tag}", registry.host));
        assert_eq!(ears.0[..2], [format!("Pushed: {}", pushed.reference), format!("Digest: {}", pushed.digest)]);
        assert_eq!(ears.0.len(), if version.contains('+') { 8 } else { 2 });
    }
    let chart_reference = format!("{remote}/a");
    let tags = fetcher.tags(&chart_reference, &from).expect("they can be listed");
    assert_eq!(tags, ["2.0.0-rc.1+b7", "1.10.0", "1.9.0", "1.0.0"]);
    for (version, file) in
        [("", "a-1.10.0.tgz"), ("~1.9", "a-1.9.0.tgz"), ("1.0.0", "a-1.0.0.tgz"), (">0.0.0-0", "a-2.0.0-rc.1+b7.tgz")]
    {
        let request = request(&chart_reference, version);
        let got = fetcher.download(&request, &room.out(), Provenance::Skip, &mut silent).expect(version);
        assert_eq!(got.archive, room.out().join(file));
        let (ours, theirs) = (std::fs::read(&got.archive), std::fs::read(room.path.join(file)));
        assert_eq!(ours.expect("it is there"), theirs.expect("it is there"));
    }
    let mut ears = Ears::default();
    let tagged = request(&format!("{chart_reference}:1.0.0"), "");
    fetcher.download(&tagged, &room.out(), Provenance::Skip, &mut ears.hear()).expect("it is there");
    let digest = ears.0[1].strip_prefix("Digest: ").expect("it is said").to_owned();
    for by_digest in [format!("{chart_reference}@{digest}"), format!("{chart_reference}:1.0.0@{digest}")] {
        let got = fetcher.download(&request(&by_digest, ""), &room.out(), Provenance::Skip, &mut silent);
        let name = format!("a@{}.tgz", digest.replace(':', "-"));
        assert_eq!(got.expect("it is there").archive, room.out().join(name));
    }
    let located = fetcher.locate(&tagged, Provenance::Skip, &mut silent).expect("it is there");
    assert!(located.as_str().ends_with(&format!("{}.chart", sha256(&chart("a", "1.0.0")))), "{located}");

    let missing =
        fetcher.locate(&request(&chart_reference, "9.0.0"), Provenance::Skip, &mut silent).expect_err("there is none");
    let wanted = format!("failed to perform \"FetchReference\" on source: {}/charts/a:9.0.0: not found", registry.host);
    assert_eq!(missing.message, wanted);
    let missing =
        fetcher.locate(&request(&chart_reference, "^9"), Provenance::Skip, &mut silent).expect_err("there is none");
    assert_eq!(missing.message, "could not locate a version matching provided version string ^9");
    let other = fetcher.locate(&request(&format!("{chart_reference}:1.0.0"), "1.9.0"), Provenance::Skip, &mut silent);
    assert_eq!(other.expect_err("they differ").message, "chart reference and version mismatch: 1.9.0 is not 1.0.0");
    let none = fetcher.tags(&format!("{remote}/none"), &from).expect_err("there is none");
    assert!(none.message.contains("response status code 404: name unknown: "), "{}", none.message);

    fetcher.logout(&registry.host).expect("it can be written");
    let cache = room.files("cache");
    let stranger =
        fetcher.locate(&request(&chart_reference, "1.9.0"), Provenance::Skip, &mut silent).expect_err("it is locked");
    assert!(
        stranger.message.starts_with("failed to perform \"FetchReference\" on source: GET "),
        "{}",
        stranger.message
    );
    assert!(stranger.hints[0].contains("helm registry login"), "{stranger:?}");
    let archive = room.path.join("a-1.0.0.tgz");
    fetcher.push(&archive, &remote, &access("u", "hush"), &mut silent).expect_err("the password is wrong");
    assert_eq!(room.files("cache"), cache);
}

#[test]
fn what_is_no_archive_is_not_pushed() {
    let room = Room::new();
    let fetcher = room.fetcher();
    let page = room.write("page.tgz", "<html>");
    let push = |path: &str, remote: &str| {
        let pushed = fetcher.push(path.into(), remote, &access("u", "p"), &mut silent);
        pushed.expect_err(path).message
    };
    let remote = "oci://127.0.0.1:1/x";
    assert_eq!(push("none.tgz", remote), "none.tgz: no such file");
    assert_eq!(push(room.path.as_str(), remote), "cannot push directory, must provide chart archive (.tgz)");
    assert!(push(page.as_str(), remote).contains("does not appear to be a gzipped archive"));
    assert_eq!(push(page.as_str(), "http://h/x"), "scheme \"http\" not supported");
}

#[test]
fn helm_pulls_what_is_pushed_and_the_other_way_round() {
    let Some((registry, room)) = ready(&["1.0.0", "2.0.0"]) else { return };
    let remote = format!("oci://{}/charts", registry.host);
    let reference = format!("{remote}/a");
    let metadata = "apiVersion: v2\nname: b\nversion: 1.0.0\ndescription: \"x <y> & z\"\nhome: https://h\nsources: [s, t]\n\
                    maintainers: [{name: n, email: e}, {name: m}]\nannotations: {k: v, \
                    org.opencontainers.image.title: no, org.opencontainers.image.url: own}\n";
    room.write("b-1.0.0.tgz", packed(&[("b/Chart.yaml", metadata.as_bytes())]));
    room.write("b-1.0.0.tgz.prov", "signed");
    let Some(output) = room.helm(&["push", "b-1.0.0.tgz", &remote, "--plain-http"]) else { return };
    let theirs = format!("{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
    // The manifest that we make has the same digest, so it is the same to the byte.
    let fetcher = room.fetcher();
    let from = RegistryAccess { plain_http: true, ..RegistryAccess::default() };
    let mut ears = Ears::default();
    fetcher.push(&room.path.join("b-1.0.0.tgz"), &remote, &from, &mut ears.hear()).expect("it is good");
    assert_eq!(ears.0.join("\n"), theirs.trim_end());

    fetcher.push(&room.path.join("a-1.0.0.tgz"), &remote, &from, &mut silent).expect("it is good");
    stdout(&room.helm(&["push", "a-2.0.0.tgz", &remote, "--plain-http"]).expect("it was there before"));
    stdout(&room.helm(&["pull", &reference, "--version", "1.0.0", "-d", "out", "--plain-http"]).expect("it was there"));
    fetcher.download(&request(&reference, ""), &room.out(), Provenance::Skip, &mut silent).expect("it is there");
    assert_eq!(room.files("out"), ["a-1.0.0.tgz", "a-2.0.0.tgz"]);
    let b = request(&format!("{remote}/b"), "");
    fetcher.download(&b, &room.out(), Provenance::Fetch, &mut silent).expect("it is there");
    assert_eq!(room.read("out/b-1.0.0.tgz.prov"), "signed");
    let none =
        fetcher.download(&request(&reference, ""), &room.out(), Provenance::Verify(&|_, _, _| Ok(())), &mut silent);
    assert!(none.expect_err("there is none").message.starts_with("failed to fetch provenance "));

    for (chart, version) in [("a", "9.0.0"), ("a", "^9"), ("a:1.0.0", "2.0.0"), ("none", "1.0.0"), ("A", "1.0.0")] {
        let reference = format!("{remote}/{chart}");
        let theirs = room.helm(&["pull", &reference, "--version", version, "--plain-http"]).expect("it was there");
        let ours = fetcher.locate(&request(&reference, version), Provenance::Skip, &mut silent).expect_err(chart);
        assert_eq!(stderr(&theirs).trim_end(), format!("Error: {}", ours.message));
    }
}

#[test]
fn a_registry_that_lies_leaves_nothing_behind() {
    let archive = chart("a", "1.0.0");
    let config = b"{}".to_vec();
    let manifest = |kind: &str, digest: &str, size: usize| {
        let layer = format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}"#);
        let digest = sha256(b"{}");
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:{digest}","size":2}},"layers":[{layer}]}}"#
        )
    };
    let kind = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let digest = sha256(&archive);
    let good = manifest(kind, &digest, archive.len());
    let half = archive[..archive.len() / 2].to_vec();
    let evil = packed(&[("a/../../x", b"x")]);
    for (what, manifest, blob, wanted) in [
        ("other bytes", good.clone(), Answer::Bytes(chart("a", "1.0.1")), "unable to retrieve blob"),
        ("cut", good.clone(), Answer::Cut { announced: archive.len(), bytes: half }, "unable to retrieve blob"),
        ("endless", good.clone(), Answer::Endless, "it is larger than its manifest says"),
        ("absent", good.clone(), Answer::Redirect("/none".to_owned()), "unable to retrieve blob"),
        ("huge", manifest(kind, &digest, 1 << 50), Answer::Endless, "is not taken"),
        ("no digest", manifest(kind, "../../x", 10), Answer::Endless, "is not taken"),
        (
            "no size",
            good.replace(&format!("\"size\":{}", archive.len()), "\"size\":-1"),
            Answer::Endless,
            "is not taken",
        ),
        (
            "an image",
            manifest("application/x", &digest, 10),
            Answer::Endless,
            "does not contain a layer with mediatype",
        ),
        ("no manifest", "<html>".to_owned(), Answer::Endless, ""),
        ("a list", "[]".to_owned(), Answer::Endless, "the manifest is not an object"),
        (
            "climbing",
            manifest(kind, &sha256(&evil), evil.len()),
            Answer::Bytes(evil.clone()),
            "references parent directory",
        ),
    ] {
        let (site, room) = (Site::start(), Room::new());
        site.put(
            "/v2/c/a/manifests/1.0.0",
            Answer::With(
                "Content-Type",
                "application/vnd.oci.image.manifest.v1+json".to_owned(),
                manifest.into_bytes(),
            ),
        );
        for digest in [&digest, &sha256(&evil)] {
            site.put(&format!("/v2/c/a/blobs/sha256:{digest}"), blob.clone());
        }
        site.bytes(&format!("/v2/c/a/blobs/sha256:{}", sha256(&config)), config.clone());
        let host = site.address.trim_start_matches("http://");
        let request = request(&format!("oci://{host}/c/a"), "1.0.0");
        let fetcher = room.fetcher();
        let downloaded = fetcher.download(&request, &room.out(), Provenance::Skip, &mut silent);
        let located = fetcher.locate(&request, Provenance::Skip, &mut silent);
        for message in [downloaded.expect_err(what).message, located.expect_err(what).message] {
            assert!(message.contains(wanted), "{what}: {message}");
        }
        for folder in ["out", "cache", "config"] {
            assert_eq!(room.files(folder), Vec::<String>::new(), "{what}");
        }
    }
}
