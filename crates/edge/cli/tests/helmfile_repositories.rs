//! States whose charts, values and parts are elsewhere: in chart repositories, registries, Git repositories and on web
//! servers, all of them on this machine. Where the real Helmfile is there, it runs the same lines in a room of its own, and
//! prints the same.

#[path = "../../fetch/tests/support/mod.rs"]
mod support;

use onepane_testkit::{git, peer};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::{Room, Site, packed, registry, sha256, stderr, stdout};

/// A room for ours and one for the real Helmfile, if it is there, with the same files.
struct Rooms {
    ours: Room,
    theirs: Option<(Room, PathBuf)>,
}

impl Rooms {
    fn new() -> Self {
        let helmfile = peer("helm").and(peer("helmfile"));
        Self { ours: Room::new(), theirs: helmfile.map(|helmfile| (Room::new(), helmfile)) }
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.ours.write(path, &text);
        if let Some((room, _)) = &self.theirs {
            room.write(path, &text);
        }
    }

    /// What ours prints, which is what theirs does: to stdout, and whether it ends well.
    fn run(&self, arguments: &[&str]) -> Output {
        let ours = self.alone(arguments);
        if let Some((room, helmfile)) = &self.theirs {
            let mut command = Command::new(helmfile);
            let peers = helmfile.parent().expect("it is in a folder").display();
            command.env("PATH", format!("{peers}:/usr/bin:/bin"));
            let theirs = finished(command, room, arguments);
            assert_eq!(masked(room, &theirs), masked(&self.ours, &ours), "{arguments:?}: {theirs:?} {ours:?}");
        }
        ours
    }

    fn alone(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.arg("helmfile").env("PATH", "/usr/bin:/bin");
        finished(command, &self.ours, arguments)
    }
}

fn finished(mut command: Command, room: &Room, arguments: &[&str]) -> Output {
    command.args(arguments).current_dir(&room.path).stdin(Stdio::null());
    command.env_remove("XDG_CACHE_HOME").env("LATE_PASSWORD", "p");
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
        command.env(name, room.variable(name).expect("it is one of the room's"));
    }
    command.output().expect("it can be run")
}

fn masked(room: &Room, output: &Output) -> (String, bool) {
    (String::from_utf8_lossy(&output.stdout).replace(room.path.as_str(), "ROOM"), output.status.success())
}

/// A chart that says its version and its values.
fn chart(name: &str, version: &str) -> Vec<u8> {
    let definition = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let template = "kind: A\nmetadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}\nversion: {{ .Chart.Version }}\nvalues: {{ \
                    .Values | toJson }}\n";
    packed(&[
        (&format!("{name}/Chart.yaml"), definition.as_bytes()),
        (&format!("{name}/values.yaml"), b"own: true\n"),
        (&format!("{name}/templates/a.yaml"), template.as_bytes()),
    ])
}

/// A repository with the chart `web` in some versions.
fn publish(site: &Site, versions: &[&str]) {
    let mut index = "apiVersion: v1\nentries:\n  web:\n".to_owned();
    for version in versions {
        let archive = chart("web", version);
        let digest = sha256(&archive);
        index += &format!("  - {{name: web, version: {version}, digest: {digest}, urls: [web-{version}.tgz]}}\n");
        site.bytes(&format!("/web-{version}.tgz"), archive);
    }
    site.bytes("/index.yaml", index);
}

fn versions(output: &Output) -> Vec<String> {
    stdout(output).lines().filter_map(|line| Some(line.strip_prefix("version: ")?.to_owned())).collect()
}

#[test]
fn charts_of_repositories_render_in_the_versions_of_the_lock_file() {
    let (site, rooms) = (Site::start(), Rooms::new());
    publish(&site, &["1.0.0", "1.1.0", "2.0.0"]);
    let state = format!(
        "repositories:\n- {{name: shop, url: '{}'}}\nreleases:\n- {{name: a, namespace: n, chart: shop/web, version: ~1.0}}\n- \
         {{name: b, chart: shop/web, version: '>=1'}}\n",
        site.address
    );
    rooms.write("helmfile.yaml", &state);
    stdout(&rooms.run(&["repos"]));
    assert!(rooms.ours.read("config/repositories.yaml").contains(&site.address));
    assert_eq!(versions(&rooms.run(&["template"])), ["1.0.0", "2.0.0"]);
    stdout(&rooms.run(&["deps"]));
    let lock = rooms.ours.read("helmfile.lock");
    let locked = format!(
        "version: v1.8.0\ndependencies:\n  - name: web\n    repository: {0}\n    version: 1.0.0\n  - name: web\n    repository: \
         {0}\n    version: 2.0.0\ndigest: sha256:",
        site.address
    );
    assert!(lock.starts_with(&locked), "{lock}");
    if let Some((room, _)) = &rooms.theirs {
        let dateless = |lock: &str| lock.split("generated: ").next().map(str::to_owned);
        assert_eq!(dateless(&room.read("helmfile.lock")), dateless(&lock));
    }
    // What is published later changes nothing until the lock is made anew.
    publish(&site, &["1.0.0", "1.0.9", "1.1.0", "2.0.0", "2.5.0"]);
    for line in [&["list"][..], &["build"], &["write-values"], &["list", "--output", "json"]] {
        rooms.run(line);
    }
    assert_eq!(versions(&rooms.run(&["template"])), ["1.0.0", "1.0.0"]);
    stdout(&rooms.run(&["deps"]));
    assert_eq!(versions(&rooms.run(&["template"])), ["1.0.9", "1.0.9"]);
    // A lock that has no fitting version is an error that says what there is.
    rooms.write("helmfile.yaml", state.replace("~1.0", "^3"));
    let said = stderr(&rooms.run(&["template"]));
    assert!(said.contains("no resolved dependency found for \"web\"") && said.contains("1.0.9, 2.5.0"), "{said}");
}

#[test]
fn fetch_puts_charts_where_a_template_says() {
    let (site, rooms) = (Site::start(), Rooms::new());
    publish(&site, &["1.0.0", "1.1.0"]);
    rooms.write("own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.1.0\n");
    rooms.write("own/templates/a.yaml", "kind: A\n");
    rooms.write(
        "helmfile.yaml",
        format!(
            "repositories:\n- {{name: shop, url: '{}'}}\nreleases:\n- {{name: a, namespace: n, chart: shop/web, version: \
             1.0.0}}\n- {{name: b, chart: shop/web}}\n- {{name: c, chart: ./own}}\n- {{name: d, chart: shop/none, installed: \
             false}}\n",
            site.address
        ),
    );
    stdout(&rooms.run(&["fetch"]));
    stdout(&rooms.run(&["fetch", "--output-dir", "charts", "--write-output"]));
    let files = rooms.ours.files("charts");
    let wanted =
        ["b/shop/web/latest/web/Chart.yaml", "c/own/latest/Chart.yaml", "n/a/shop/web/1.0.0/web/templates/a.yaml"];
    assert!(wanted.iter().all(|path| files.contains(&(*path).to_owned())), "{files:?}");
    // A second time takes what is there, without asking.
    let asked = site.seen().len();
    stdout(&rooms.alone(&["fetch", "--output-dir", "charts", "--skip-refresh"]));
    assert_eq!(site.seen().len(), asked);
    stdout(&rooms.run(&[
        "fetch",
        "--output-dir",
        "flat",
        "--output-dir-template",
        "{{ .OutputDir }}/{{ .Release.Name }}",
    ]));
    assert!(rooms.ours.files("flat").contains(&"a/web/Chart.yaml".to_owned()));
    let said = stderr(&rooms.run(&["fetch", "--write-output"]));
    assert!(said.contains("--output-dir is required"), "{said}");
    // A chart that is not there leaves nothing.
    rooms.write("helmfile.yaml", "releases:\n- {name: a, chart: shop/none}\n");
    assert!(stderr(&rooms.run(&["fetch", "--output-dir", "none"])).contains("none"));
    assert_eq!(rooms.ours.files("none"), [""; 0]);
}

#[test]
fn repositories_have_passwords_and_are_tried_again() {
    let (site, rooms) = (Site::start(), Rooms::new());
    publish(&site, &["1.0.0"]);
    site.lock();
    let state = |more: &str| {
        let repository = format!("repositories:\n- {{name: late, url: '{}', username: u{more}}}\n", site.address);
        rooms.write("helmfile.yaml", repository + "releases:\n- {name: a, chart: late/web}\n");
    };
    // The password is in the environment, as LATE_PASSWORD.
    state("");
    assert_eq!(versions(&rooms.run(&["template"])), ["1.0.0"]);
    state(", password: nonsense");
    let said = stderr(&rooms.run(&["template"]));
    assert!(said.contains("401") && !said.contains("nonsense"), "{said}");
    let asked = site.seen().len();
    let said = stderr(&rooms.alone(&["--repo-retries", "1", "repos"]));
    assert!(said.contains("retry 1/1") && site.seen().len() == asked + 2, "{said}");
    rooms.write(
        "helmfile.yaml",
        "repositories:\n- {name: x, url: 'http://127.0.0.1:1', managed: other}\nreleases: []\n",
    );
    assert!(stderr(&rooms.run(&["repos"])).contains("unknown managed type \"other\" for repository x"));
}

#[test]
fn charts_of_registries_are_kept_in_helmfiles_cache() {
    let Some(registry) = registry() else { return };
    let rooms = Rooms::new();
    let host = &registry.host;
    for version in ["1.0.0", "1.0.3"] {
        rooms.ours.write(&format!("web-{version}.tgz"), chart("web", version));
        let push = ["push", &format!("web-{version}.tgz"), &format!("oci://{host}/charts"), "--plain-http"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.arg("helm");
        let arguments = [&push[..], &["--username", "u", "--password", "p"]].concat();
        stdout(&finished(command, &rooms.ours, &arguments));
    }
    let state = |password: &str, version: &str| {
        let repository = format!(
            "{{name: shop, url: '{host}/charts', oci: true, plainHttp: true, username: u, password: \
                                  {password}}}"
        );
        let releases = format!("- {{name: a, chart: shop/web, version: '{version}'}}\n");
        rooms.write("helmfile.yaml", format!("repositories:\n- {repository}\nreleases:\n{releases}"));
    };
    state("p", "~1.0");
    // Ours alone: Helmfile does not tell `helm registry login` of HTTP.
    assert_eq!(versions(&rooms.alone(&["template"])), ["1.0.3"]);
    let kept = rooms.ours.files("home/.cache/helmfile");
    assert!(kept.contains(&"shop/web/1.0.3/web/Chart.yaml".to_owned()), "{kept:?}");
    let built = stdout(&rooms.alone(&["build"]));
    assert!(built.contains("chartPath: ") && built.contains("/.cache/helmfile/shop/web/1.0.3/web\n"), "{built}");
    // What is kept is used as it is.
    fs::write(rooms.ours.path.join("home/.cache/helmfile/shop/web/1.0.3/web/templates/a.yaml"), "version: kept\n")
        .expect("it is there");
    assert_eq!(versions(&rooms.alone(&["template"])), ["kept"]);
    let fetched = rooms.alone(&["fetch", "--output-dir", "charts"]);
    assert!(fetched.status.success() && rooms.ours.files("charts").contains(&"a/web/~1.0/web/Chart.yaml".to_owned()));
    state("nonsense", "1.0.0");
    let said = stderr(&rooms.alone(&["template"]));
    assert!(said.contains("401") && !said.contains("nonsense"), "{said}");
    state("p", "latest");
    assert!(stderr(&rooms.alone(&["template"])).contains("the latest tag is not supported"));
    let info = stdout(&rooms.alone(&["cache", "info"]));
    assert!(info.ends_with("/home/.cache/helmfile\n- shop\n"), "{info}");
    stdout(&rooms.alone(&["cache", "cleanup"]));
    assert_eq!(rooms.ours.files("home/.cache/helmfile"), [""; 0]);
}

/// A Git repository with states, values and a chart, tagged `v1`. Gives its URL.
fn repository(room: &Room) -> String {
    let source = room.path.join("git/source");
    for (path, text) in [
        ("far/Chart.yaml", "apiVersion: v2\nname: far\nversion: 0.1.0\n"),
        ("far/templates/a.yaml", "kind: A\nmetadata: {name: far}\nvalues: {{ .Values | toJson }}\n"),
        ("states/helmfile.yaml", "releases:\n- {name: nested, chart: ../far, values: [../values/a.yaml]}\n"),
        ("values/a.yaml", "a: 1\n"),
        ("values/b.yaml", "b: 2\n"),
        ("base.yaml", "commonLabels: {from: base}\n"),
    ] {
        room.write(&format!("git/source/{path}"), text);
    }
    let in_source = |arguments: &[&str]| git(source.as_std_path(), arguments);
    in_source(&["init", "--quiet"]);
    std::os::unix::fs::symlink("a.yaml", source.join("values/link.yaml")).expect("links can be made");
    std::os::unix::fs::symlink("/etc/passwd", source.join("values/out.yaml")).expect("links can be made");
    in_source(&["add", "--all"]);
    in_source(&["commit", "--quiet", "--message", "one"]);
    in_source(&["tag", "v1"]);
    format!("git::file://{source}/.git@")
}

#[test]
fn states_values_and_charts_come_from_git_repositories_and_web_servers() {
    let (site, rooms, served) = (Site::start(), Rooms::new(), Room::new());
    let url = repository(&served);
    site.bytes("/values/c.yaml", "c: 3\n");
    rooms.write("raw/cm.yaml", "kind: ConfigMap\nmetadata: {name: raw}\n");
    rooms.write(
        "helmfile.yaml",
        format!(
            "bases: ['{url}base.yaml?ref=v1']\nenvironments:\n  default:\n    values: ['{0}/values/c.yaml']\n---\nhelmfiles:\n- \
             path: {url}states/helmfile.yaml?ref=v1\n---\nreleases:\n- name: own-{{{{ .Values.c }}}}\n  chart: \
             '{url}far?ref=v1'\n  values: ['{0}/values/c.yaml', '{url}values/a.yaml?ref=v1', '{url}values/link.yaml?ref=v1']\n",
            site.address
        ),
    );
    fs::rename(rooms.ours.path.join("helmfile.yaml"), rooms.ours.path.join("helmfile.yaml.gotmpl"))
        .expect("it is there");
    if let Some((room, _)) = &rooms.theirs {
        fs::rename(room.path.join("helmfile.yaml"), room.path.join("helmfile.yaml.gotmpl")).expect("it is there");
    }
    let printed = stdout(&rooms.run(&["template"]));
    assert!(printed.contains("values: {\"a\":1}\n") && printed.contains("values: {\"a\":1,\"c\":3}\n"), "{printed}");
    for line in [&["build"][..], &["list"], &["cache", "info"]] {
        stdout(&rooms.run(line));
    }
    assert_eq!(stdout(&rooms.alone(&["lint"])).matches("1 chart(s) linted, 0 chart(s) failed").count(), 2);
    let kept = rooms.ours.files("home/.cache/helmfile");
    assert!(
        kept.iter().any(|path| path.ends_with("values/a.yaml")) && !kept.iter().any(|path| path.ends_with("out.yaml"))
    );
    // What is kept serves without a server; and no server is asked in a sandbox.
    fs::remove_dir_all(served.path.join("git")).expect("it is there");
    assert_eq!(stdout(&rooms.run(&["template"])), printed);
    stdout(&rooms.run(&["cache", "cleanup"]));
    stderr(&rooms.run(&["template"]));
    let said = stderr(&rooms.alone(&["template", "--sandbox"]));
    assert!(said.contains("nothing is fetched for a state with --sandbox"), "{said}");
}

#[test]
fn what_is_not_elsewhere_is_an_error_at_its_line() {
    let (site, rooms, served) = (Site::start(), Rooms::new(), Room::new());
    let url = repository(&served);
    rooms.write("own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.1.0\n");
    for (entry, wanted) in [
        (format!("{url}values/none.yaml?ref=v1"), "no file matches"),
        (format!("{url}values/a.yaml?ref=v9"), "v9"),
        (format!("{}/none.yaml", site.address), "404"),
        (format!("{}/*.yaml", site.address), "wildcards"),
        ("s3://bucket/x.yaml".to_owned(), "not supported yet"),
        (url.replace("@", "/values/a.yaml"), "behind an `@`"),
        (format!("{url}values/a.yaml?sshkey=c2VjcmV0"), "sshkey"),
    ] {
        rooms.write("helmfile.yaml", format!("releases:\n- name: a\n  chart: ./own\n  values:\n  - '{entry}'\n"));
        let said = stderr(&rooms.alone(&["template"]));
        assert!(said.contains(wanted) && said.contains("helmfile.yaml:5:"), "{entry}: {said}");
        assert!(!said.contains("c2VjcmV0"), "{said}");
    }
    // The repository that is there is kept, and nothing of the others.
    let kept = rooms.ours.files("home/.cache/helmfile");
    assert!(kept.len() == 7 && kept.iter().all(|path| path.contains("_git.ref=v1/")), "{kept:?}");
}

#[test]
fn nothing_is_written_where_a_state_leads_out_of_the_cache() {
    let (site, rooms, served) = (Site::start(), Rooms::new(), Room::new());
    let url = repository(&served);
    publish(&site, &["1.0.0"]);
    site.bytes("/../../../../x/values.yaml", "a: 1\n");
    rooms.write("precious/keep", "what was there before");
    let repositories = format!("repositories:\n- {{name: shop, url: '{}'}}\nreleases:\n", site.address);
    for (release, arguments) in [
        (format!("{{name: ../../../../../out, chart: '{url}far?ref=v1'}}"), &["template"][..]),
        ("{name: ../../../out, chart: shop/web}".to_owned(), &["fetch", "--output-dir", "charts"]),
        (
            format!(
                "{{name: a, chart: shop/web, values: ['{}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/x/values.yaml']}}",
                site.address
            ),
            &["template"],
        ),
        (format!("{{name: a, chart: '{url}../../../../../precious?ref=v1'}}"), &["template"]),
    ] {
        rooms.write("helmfile.yaml", format!("{repositories}- {release}\n"));
        let said = stderr(&rooms.alone(arguments));
        assert!(said.contains("leads out of it"), "{release}: {said}");
    }
    // A folder that a template names keeps what is in it.
    rooms.write("helmfile.yaml", format!("{repositories}- {{name: a, chart: shop/web}}\n"));
    for _ in 0..2 {
        stdout(&rooms.alone(&["fetch", "--output-dir", "precious", "--output-dir-template", "{{ .OutputDir }}"]));
        assert_eq!(rooms.ours.files("precious"), ["keep", "web/Chart.yaml", "web/templates/a.yaml", "web/values.yaml"]);
    }
    assert_eq!(rooms.ours.files("x"), [""; 0]);
    assert!(!rooms.ours.path.join("../out").exists() && rooms.ours.files("out").is_empty());
}

#[test]
fn charts_from_elsewhere_are_patched_and_joined_by_others() {
    let (site, rooms, served) = (Site::start(), Rooms::new(), Room::new());
    let url = repository(&served);
    publish(&site, &["1.0.0", "1.1.0"]);
    rooms.write("own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.1.0\n");
    rooms.write("own/templates/a.yaml", "apiVersion: v1\nkind: B\nmetadata: {name: own}\n");
    rooms.write(
        "helmfile.yaml",
        format!(
            "repositories:\n- {{name: shop, url: '{}'}}\nreleases:\n- name: a\n  chart: shop/web\n  version: 1.0.0\n  \
             jsonPatches:\n  - target: {{kind: A, name: a-web, version: ''}}\n    patch: [{{op: add, path: /spec, value: \
             {{x: 1}}}}]\n- name: b\n  chart: ./own\n  dependencies:\n  - {{chart: shop/web, version: ^1, alias: more}}\n  - \
             {{chart: '{url}far?ref=v1', version: 0.1.0}}\n",
            site.address
        ),
    );
    let printed = stdout(&rooms.run(&["template"]));
    assert!(printed.contains("spec:\n  x: 1\n") && printed.contains("version: 1.1.0\n"), "{printed}");
    assert!(printed.contains("# Source: own/charts/more/templates/a.yaml"), "{printed}");
    assert!(printed.contains("# Source: own/charts/far/templates/a.yaml"), "{printed}");
    // Charts that were changed are linted as what they became.
    let linted = stdout(&rooms.alone(&["lint"]));
    assert!(linted.matches("1 chart(s) linted, 0 chart(s) failed").count() == 2, "{linted}");
}

#[test]
fn a_state_may_come_from_standard_input() {
    let rooms = Rooms::new();
    rooms.ours.write("own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.1.0\n");
    rooms.ours.write("own/templates/a.yaml", "kind: B\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onepane"));
    command.args(["helmfile", "-f", "-", "template"]).current_dir(&rooms.ours.path).env("HOME", &rooms.ours.path);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it can be started");
    std::io::Write::write_all(&mut child.stdin.take().expect("it is piped"), b"releases:\n- {name: a, chart: ./own}\n")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(stdout(&output), "---\n# Source: own/templates/a.yaml\nkind: B\n\n");
}
