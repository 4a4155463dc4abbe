//! `dependency build` and `update`: against a web server, a registry, and the real Helm.

mod support;

use onepane_fetch::{Access, DependencyRequest, Fetcher, IfPresent, Provenance, Refresh, RegistryAccess, Repository};
use std::time::Duration;
use support::{Answer, Ears, Room, Site, chart, registry, sha256, silent, stderr, stdout};

const PATIENCE: Duration = Duration::from_secs(20);

fn request(room: &Room, chart: &str) -> DependencyRequest<'static> {
    DependencyRequest {
        chart: room.path.join(chart),
        access: Access { plain_http: true, ..Access::default() },
        refresh: Refresh::All,
        source_date_epoch: None,
        timeout: PATIENCE,
        provenance: Provenance::Skip,
    }
}

/// A site with the chart `a` in some versions, and a room that has added it as `r`.
fn ready() -> (Site, Room) {
    let (site, room) = (Site::start(), Room::new());
    let mut index = "apiVersion: v1\nentries:\n  a:\n".to_owned();
    for version in ["1.0.0", "1.2.0", "2.0.0-rc.1"] {
        let archive = chart("a", version);
        let digest = sha256(&archive);
        index.push_str(&format!("  - {{name: a, version: {version}, digest: {digest}, urls: [a-{version}.tgz]}}\n"));
        site.bytes(&format!("/a-{version}.tgz"), archive);
    }
    site.bytes("/index.yaml", index);
    let repository = Repository { name: "r".to_owned(), url: site.address.clone(), ..Repository::default() };
    room.fetcher().add_repository(repository, IfPresent::Keep, PATIENCE, &mut silent).expect("it is good");
    (site, room)
}

fn parent(room: &Room, name: &str, dependencies: &str) {
    room.write(
        &format!("{name}/Chart.yaml"),
        format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies:\n{dependencies}"),
    );
}

fn update(room: &Room, chart: &str) -> Vec<String> {
    let mut ears = Ears::default();
    room.fetcher().update_dependencies(&request(room, chart), &mut ears.hear()).expect("they can be had");
    ears.0
}

/// A lock file without the time of its making.
fn masked(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("generated: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn dependencies_are_updated_and_built() {
    let (site, room) = ready();
    let url = &site.address;
    room.write("local/Chart.yaml", "apiVersion: v2\nname: local\nversion: 0.3.0\n");
    room.write("local/values.yaml", "# kept\nb: 2\n");
    room.write("local/templates/x.yaml", "x\n");
    room.write("local/.helmignore", "secret\n");
    room.write("local/secret", "s");
    room.write("local/charts/inner/Chart.yaml", "apiVersion: v2\nname: inner\nversion: 1.0.0\n");
    room.write("local/charts/inner/values.yaml", "# inner\n");
    room.write("local/charts/a-1.0.0.tgz", chart("a", "1.0.0"));
    let dependencies = format!(
        "- {{name: a, version: ^1.0.0, repository: \"{url}\"}}\n- {{name: a, version: 1.0.0, repository: \"@r\", alias: \
         old}}\n- {{name: local, version: \">0.1\", repository: \"file://../local\"}}\n- {{name: inside, version: \"*\", \
         repository: \"\"}}\n"
    );
    parent(&room, "p", &dependencies);
    room.write("p/charts/inside/Chart.yaml", "apiVersion: v2\nname: inside\nversion: 1.0.0\n");
    room.write("p/charts/gone-1.0.0.tgz", chart("gone", "1.0.0"));
    let said = update(&room, "p");
    assert!(said.contains(&"Saving 4 charts".to_owned()) && said.contains(&"Deleting outdated charts".to_owned()));
    let charts = ["a-1.0.0.tgz", "a-1.2.0.tgz", "inside/Chart.yaml", "local-0.3.0.tgz"];
    assert_eq!(room.files("p/charts"), charts);
    let lock = room.read("p/Chart.lock");
    update(&room, "p");
    assert_eq!(room.read("p/Chart.lock"), lock, "what did not change is not written");
    std::fs::remove_dir_all(room.path.join("p/charts/")).expect("it can be removed");
    room.write("p/charts/inside/Chart.yaml", "apiVersion: v2\nname: inside\nversion: 1.0.0\n");
    room.fetcher().build_dependencies(&request(&room, "p"), &mut silent).expect("they are locked");
    assert_eq!(room.files("p/charts"), charts);

    // Helm writes the same lock, and takes ours.
    let Some(output) = room.helm(&["dependency", "build", "p"]) else { return };
    stdout(&output);
    std::fs::remove_file(room.path.join("p/Chart.lock")).expect("it can be removed");
    stdout(&room.helm(&["dependency", "update", "p"]).expect("it was there before"));
    assert_eq!(masked(&room.read("p/Chart.lock")), masked(&lock));
    room.fetcher().build_dependencies(&request(&room, "p"), &mut silent).expect("we take theirs");
    // What we packed of `local` holds what Helm packs.
    let values = |archive: &str| stdout(&room.helm(&["show", "all", archive]).expect("it was there before"));
    let ours = values("p/charts/local-0.3.0.tgz");
    stdout(&room.helm(&["package", "local", "-d", "out"]).expect("it was there before"));
    assert_eq!(ours, values("out/local-0.3.0.tgz"));
    let listed = |archive: &str| {
        let output = std::process::Command::new("tar").args(["tzf", room.path.join(archive).as_str()]).output();
        // Helm packs subcharts in the random order of Go's maps.
        let mut names: Vec<String> = stdout(&output.expect("tar is there")).lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(listed("p/charts/local-0.3.0.tgz"), listed("out/local-0.3.0.tgz"));
}

#[test]
fn repositories_that_nobody_added_are_asked_as_well() {
    let (site, room) = ready();
    let fetcher = room.fetcher();
    fetcher.remove_repositories(&["r".to_owned()], &mut silent).expect("it is there");
    parent(&room, "p", &format!("- {{name: a, version: 1.x.x, repository: \"{}\"}}\n", site.address));
    let said = update(&room, "p");
    assert_eq!(said[0], "Getting updates for unmanaged Helm repositories...");
    assert_eq!(said[1], format!("...Successfully got an update from the {:?} chart repository", site.address));
    assert_eq!(room.files("p/charts"), ["a-1.2.0.tgz"]);
    // But building from the lock is for those that were added, as in Helm.
    let error = fetcher.build_dependencies(&request(&room, "p"), &mut silent).expect_err("it was not added");
    let wanted =
        format!("no repository definition for {}. Please add the missing repos via 'helm repo add'", site.address);
    assert_eq!(error.message, wanted);
    let Some(output) = room.helm(&["dependency", "build", "p"]) else { return };
    assert_eq!(stderr(&output).trim_end(), format!("Error: {wanted}"));
}

#[test]
fn what_does_not_fit_is_refused_in_helms_words() {
    let (site, room) = ready();
    let url = &site.address;
    let charts = [
        ("none", format!("- {{name: a, version: ^9, repository: \"{url}\"}}\n")),
        ("unknown", format!("- {{name: z, version: 1.0.0, repository: \"{url}\"}}\n")),
        ("alias", "- {name: a, version: 1.0.0, repository: \"@nobody\"}\n".to_owned()),
        ("bare", "- {name: a, version: 1.0.0, repository: stable}\n".to_owned()),
        ("range", format!("- {{name: a, version: \"x y\", repository: \"{url}\"}}\n")),
        ("absent", "- {name: a, version: 1.0.0, repository: \"\"}\n".to_owned()),
        ("folder", "- {name: a, version: 1.0.0, repository: \"file://../nowhere\"}\n".to_owned()),
    ];
    for (name, dependencies) in charts {
        parent(&room, name, &dependencies);
        let before = room.files(name);
        let fetcher = room.fetcher();
        let error = fetcher.update_dependencies(&request(&room, name), &mut silent).expect_err(name).message;
        assert_eq!(room.files(name), before, "{name}");
        let Some(output) = room.helm(&["dependency", "update", name]) else { return };
        let theirs =
            stderr(&output).replace(&format!("directory {name}/"), &format!("directory {}/{name}/", room.path));
        let theirs = theirs.replace("directory nowhere", &format!("directory {}/nowhere", room.path));
        assert_eq!(theirs.trim_end(), format!("Error: {error}"), "{name}");
    }
}

#[test]
fn a_lock_that_is_out_of_step_is_refused() {
    let (site, room) = ready();
    let dependency = |version: &str| format!("- {{name: a, version: {version}, repository: \"{}\"}}\n", site.address);
    parent(&room, "p", &dependency("^1"));
    update(&room, "p");
    parent(&room, "p", &dependency("^1.1"));
    let error = room.fetcher().build_dependencies(&request(&room, "p"), &mut silent).expect_err("it changed");
    let wanted = "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the \
                  dependencies with 'helm dependency update'";
    assert_eq!(error.message, wanted);
    if let Some(output) = room.helm(&["dependency", "build", "p"]) {
        assert_eq!(stderr(&output).trim_end(), format!("Error: {wanted}"));
    }
    // Charts of the first API version have files of their own.
    room.write("v1/Chart.yaml", "apiVersion: v1\nname: v1\nversion: 0.1.0\n");
    room.write("v1/requirements.yaml", format!("dependencies:\n{}", dependency("1.0.0")));
    update(&room, "v1");
    room.fetcher().build_dependencies(&request(&room, "v1"), &mut silent).expect("it is in step");
    let ours = room.read("v1/requirements.lock");
    std::fs::remove_file(room.path.join("v1/requirements.lock")).expect("it can be removed");
    let Some(output) = room.helm(&["dependency", "update", "v1"]) else { return };
    stdout(&output);
    assert_eq!(masked(&room.read("v1/requirements.lock")), masked(&ours));
}

#[test]
fn a_failure_leaves_everything_as_it_was() {
    let (site, room) = ready();
    parent(&room, "p", &format!("- {{name: a, version: 1.0.0, repository: \"{}\"}}\n", site.address));
    update(&room, "p");
    let (files, lock) = (room.files("p"), room.read("p/Chart.lock"));
    let dependencies = format!(
        "- {{name: a, version: 1.0.0, repository: \"{0}\"}}\n- {{name: a, version: ^1.1.0, repository: \"{0}\", alias: b}}\n",
        site.address
    );
    parent(&room, "p", &dependencies);
    let archive = chart("a", "1.2.0");
    for answer in [
        Answer::Cut { announced: archive.len(), bytes: archive[..20].to_vec() },
        Answer::Bytes(archive[..archive.len() / 2].to_vec()),
        Answer::Bytes(chart("a", "1.2.1")),
        Answer::Redirect("/none".to_owned()),
    ] {
        site.put("/a-1.2.0.tgz", answer);
        let mut ears = Ears::default();
        let fetcher: Fetcher = room.fetcher();
        let error = fetcher.update_dependencies(&request(&room, "p"), &mut ears.hear()).expect_err("it is broken");
        assert!(error.message.starts_with("could not download "), "{}", error.message);
        assert!(ears.0.last().is_some_and(|line| line.starts_with("Save error occurred:  could not download ")));
        assert_eq!((room.files("p"), room.read("p/Chart.lock")), (files.clone(), lock.clone()));
    }
    // A link in place of the lock could lead anywhere.
    site.bytes("/a-1.2.0.tgz", archive);
    std::fs::remove_file(room.path.join("p/Chart.lock")).expect("it can be removed");
    std::os::unix::fs::symlink(room.path.join("victim"), room.path.join("p/Chart.lock")).expect("it can be made");
    room.write("victim", "");
    let error = room.fetcher().update_dependencies(&request(&room, "p"), &mut silent).expect_err("it is a link");
    assert!(error.message.starts_with("the Chart.lock file is a symlink to "), "{}", error.message);
    assert_eq!(room.read("victim"), "");
}

#[test]
fn dependencies_come_from_registries() {
    let Some(registry) = registry() else { return };
    let room = Room::new();
    let fetcher = room.fetcher();
    let from = RegistryAccess {
        credentials: onepane_fetch::Credentials { username: "u".into(), password: onepane_fetch::Secret::new("p") },
        plain_http: true,
        ..RegistryAccess::default()
    };
    fetcher.login(&registry.host, &from).expect("the password is right");
    let remote = format!("oci://{}/charts", registry.host);
    for version in ["1.0.0", "1.1.0+b", "2.0.0"] {
        let archive = room.write("x.tgz", chart("a", version));
        fetcher.push(&archive, &remote, &from, &mut silent).expect("it is good");
    }
    parent(&room, "p", &format!("- {{name: a, version: ^1, repository: \"{remote}\"}}\n"));
    let said = update(&room, "p");
    assert!(said.contains(&format!("Downloading a from repo {remote}")), "{said:?}");
    assert_eq!(room.files("p/charts"), ["a-1.1.0+b.tgz"]);
    let lock = room.read("p/Chart.lock");
    fetcher.build_dependencies(&request(&room, "p"), &mut silent).expect("they are locked");
    std::fs::remove_file(room.path.join("p/Chart.lock")).expect("it can be removed");
    let Some(output) = room.helm(&["dependency", "update", "p", "--plain-http"]) else { return };
    stdout(&output);
    assert_eq!(masked(&room.read("p/Chart.lock")), masked(&lock));
    assert_eq!(room.files("p/charts"), ["a-1.1.0+b.tgz"]);
}
