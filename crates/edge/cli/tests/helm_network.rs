//! The commands that use the network, side by side with the real Helm: the same command lines against the same servers,
//! each with files and folders of its own. Compared are stdout, exit codes, Helm's error line and the files written.

mod side_by_side;

use side_by_side::support::{Room, Site, chart, packed, registry, sha256};
use side_by_side::{compare, ours};

/// A site with two charts in some versions.
fn site() -> Site {
    let site = Site::start();
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for (name, versions) in [("a", ["1.0.0", "1.10.0", "2.0.0-rc.1"]), ("web", ["0.1.0", "0.2.0", "0.3.0"])] {
        index.push_str(&format!("  {name}:\n"));
        for version in versions {
            let archive = chart(name, version);
            let digest = sha256(&archive);
            index.push_str(&format!(
                "  - {{name: {name}, version: {version}, appVersion: \"v{version}\", description: The chart that is \
                 called {name} and has words enough to be cut, keywords: [k{name}], digest: {digest}, urls: \
                 [{name}-{version}.tgz]}}\n"
            ));
            site.bytes(&format!("/{name}-{version}.tgz"), archive);
        }
    }
    site.bytes("/index.yaml", index);
    site
}

#[test]
fn repositories() {
    let (site, room, peer) = (site(), Room::new(), Room::new());
    let url = &site.address;
    let lines: Vec<String> = [
        "repo list",
        "repo list -o json",
        "search repo",
        "repo update",
        "repo remove x",
        "repo add r URL",
        "repo add r URL",
        "repo add r URL/other",
        "repo add q URL/other",
        "repo add x/y URL",
        "repo add x ftp://h",
        "repo add x https://kubernetes-charts.storage.googleapis.com",
        "repo add r",
        "repo list",
        "repo ls --no-headers",
        "repo list -o yaml",
        "repo list -o json",
        "repo list -o nonsense",
        "repo update",
        "repo up r",
        "repo update none",
        "search repo",
        "search repo WEB",
        "search repo chart that",
        "search repo kweb -l",
        "search repo a --devel",
        "search repo r/a --version ^1.0",
        "search repo a -o json",
        "search repo a -o yaml",
        "search repo a --max-col-width 12",
        "search repo --regexp ^w.b",
        "search repo none",
        "search repo none -o json",
        "search repo none --fail-on-no-result",
        "search repo a --version nonsense",
        "pull r/a -d out",
        "pull r/a --devel -d out",
        "pull r/web r/a --version 0.1.0 -d out",
        "pull r/web --version 0.1.0 --untar --untardir out/u",
        "pull r/web --untar --untardir out/u",
        "pull r/none",
        "pull none/a",
        "pull a",
        "pull ./a",
        "pull a --repo URL -d out",
        "pull a --repo URL --version 7",
        "pull a --repo URL/other",
        "pull URL/web-0.2.0.tgz -d out",
        "pull URL/none.tgz",
        "show chart r/a",
        "show values a --repo URL",
        "show all URL/web-0.2.0.tgz",
        "template x r/web",
        "template x web --repo URL --version 0.1.0",
        "template x r/none",
        "template x ./none",
        "lint r/web",
        "repo remove r",
        "repo remove r",
        "repo add r URL",
        "repo rm none",
    ]
    .map(|line| line.replace("URL", url))
    .to_vec();
    if compare(&room, &peer, &lines).is_some() {
        for folder in ["out", "cache", "config"] {
            assert_eq!(room.files(folder), peer.files(folder), "{folder}");
        }
        assert_eq!(room.read("config/repositories.yaml"), peer.read("config/repositories.yaml"));
    }
}

#[test]
fn registries() {
    let Some(registry) = registry() else { return };
    let (room, peer) = (Room::new(), Room::new());
    for room in [&room, &peer] {
        for version in ["1.0.0", "1.1.0+b", "2.0.0-rc.1"] {
            room.write(&format!("a-{version}.tgz"), chart("a", version));
        }
    }
    // The manifest has the archive's time.
    for version in ["1.0.0", "1.1.0+b", "2.0.0-rc.1"] {
        for room in [&room, &peer] {
            let file = std::fs::File::open(room.path.join(format!("a-{version}.tgz"))).expect("it is there");
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
            file.set_modified(time).expect("it is ours");
        }
    }
    let lines: Vec<String> = [
        "push a-1.0.0.tgz oci://HOST/c --plain-http",
        "registry login HOST -u u -p wrong --plain-http",
        "registry login HOST -u u -p p --plain-http",
        "push a-1.0.0.tgz oci://HOST/c --plain-http",
        "push a-1.1.0+b.tgz oci://HOST/c --plain-http",
        "push a-2.0.0-rc.1.tgz oci://HOST/c --plain-http",
        "push none.tgz oci://HOST/c --plain-http",
        "push out oci://HOST/c --plain-http",
        "push a-1.0.0.tgz HOST/c",
        "push a-1.0.0.tgz http://HOST/c",
        "push a-1.0.0.tgz c",
        "pull oci://HOST/c/a -d out --plain-http",
        "pull oci://HOST/c/a --version 1.0.0 -d out --plain-http",
        "pull oci://HOST/c/a --version ^1.0.0 -d out --plain-http",
        "pull oci://HOST/c/a --devel -d out --plain-http",
        "pull oci://HOST/c/a:1.0.0 -d out --plain-http",
        "pull oci://HOST/c/a:1.0.0 --version 2.0.0 --plain-http",
        "pull oci://HOST/c/a --version 9.0.0 --plain-http",
        "pull oci://HOST/c/a --version >9 --plain-http",
        "pull oci://HOST/c/none --version 1.0.0 --plain-http",
        "pull oci://HOST/c/A --version 1.0.0 --plain-http",
        "show chart oci://HOST/c/a --version 1.0.0 --plain-http",
        "template x oci://HOST/c/a --plain-http",
        "registry logout HOST",
        "registry logout HOST",
        "pull oci://HOST/c/a --version 1.0.0 --plain-http",
        "pull oci://HOST/c/a --plain-http",
        "push a-1.0.0.tgz oci://HOST/c --plain-http",
        "pull oci://HOST/c/a --version 1.0.0 -d out --plain-http --username u --password p",
    ]
    .map(|line| line.replace("HOST", &registry.host))
    .to_vec();
    if compare(&room, &peer, &lines).is_some() {
        for folder in ["out", "cache", "config"] {
            assert_eq!(room.files(folder), peer.files(folder), "{folder}");
        }
        let config = "config/registry/config.json";
        assert_eq!(room.read(config), peer.read(config));
    }
}

#[test]
fn dependencies() {
    let (site, room, peer) = (site(), Room::new(), Room::new());
    for room in [&room, &peer] {
        let chart = |name: &str, dependencies: &str| {
            let text = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies:\n{dependencies}");
            room.write(&format!("{name}/Chart.yaml"), text.replace("URL", &site.address));
        };
        room.write("local/Chart.yaml", "apiVersion: v2\nname: local\nversion: 0.3.0\n");
        chart(
            "p",
            "- {name: a, version: ^1, repository: URL}\n- {name: local, version: 0.3.x, repository: file://../local}\n",
        );
        chart("q", "- {name: web, version: ~0.2, repository: \"@r\", alias: w}\n");
        chart("none", "- {name: web, version: ^9, repository: \"@r\"}\n");
        chart("alias", "- {name: web, version: ^9, repository: \"@s\"}\n");
        chart("bare", "- {name: web, version: ^9, repository: stable}\n");
        room.write("bare.txt", "");
    }
    let lines: Vec<String> = [
        "dependency update p",
        "repo add r URL",
        "dependency update p",
        "dependency build p",
        "dependency build p --skip-refresh",
        "dep up q --skip-refresh",
        "dependency list q",
        "template x q",
        "dependency update none",
        "dependency update alias",
        "dependency update bare",
        "dependency update nowhere",
        "dependency update bare.txt",
        "dependency build local",
    ]
    .map(|line| line.replace("URL", &site.address))
    .to_vec();
    if compare(&room, &peer, &lines).is_some() {
        for folder in ["p", "q", "none"] {
            assert_eq!(room.files(folder), peer.files(folder), "{folder}");
        }
    }
}

#[test]
fn kustomizations_fetch_the_charts_that_are_not_there() {
    let (site, room) = (site(), Room::new());
    let manifest = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.a }}\n";
    let files: [(&str, &[u8]); 3] = [
        ("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 0.2.0\n"),
        ("web/values.yaml", b"a: 1\n"),
        ("web/templates/pod.yaml", manifest),
    ];
    let archive = packed(&files);
    let digest = sha256(&archive);
    let index =
        format!("apiVersion: v1\nentries:\n  web: [{{name: web, version: 0.2.0, digest: {digest}, urls: [w.tgz]}}]\n");
    site.bytes("/index.yaml", index);
    site.bytes("/w.tgz", archive);
    let build = |folder: &str, url: &str| {
        let entry = format!("{{name: web, version: 0.2.0, repo: \"{url}\", releaseName: r}}");
        room.write(&format!("{folder}/kustomization.yaml"), format!("namePrefix: p-\nhelmCharts:\n- {entry}\n"));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onepane"));
        command.args(["kustomize", "build", "--enable-helm", folder]).current_dir(&room.path);
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME"] {
            command.env(name, room.variable(name).expect("it has a folder"));
        }
        let output = command.output().expect("it starts");
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.success(), out, err)
    };
    let (good, out, err) = build("k", &site.address);
    assert!(good, "{err}");
    assert_eq!(out, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p-r-1\n");
    let fetched = room.files("k/charts");
    assert!(fetched.contains(&"web-0.2.0/web/Chart.yaml".to_owned()), "{fetched:?}");
    let asked = site.seen().len();
    assert_eq!(build("k", &site.address), (true, out, err), "what is there is taken as it is");
    assert_eq!(site.seen().len(), asked, "and nobody is asked again");

    let (good, out, err) = build("none", &format!("{}/none", site.address));
    assert!(!good && out.is_empty());
    assert!(err.contains("the chart 'web' can't be fetched") && err.contains("none/kustomization.yaml:3"), "{err}");
    assert_eq!(room.files("none"), ["kustomization.yaml"]);
}

#[test]
fn a_password_is_asked_for_on_a_terminal_only() {
    let room = Room::new();
    for line in
        ["registry login 127.0.0.1:1", "registry login 127.0.0.1:1 -u u", "repo add r http://127.0.0.1:1 --username u"]
    {
        let output = ours(&room, &line.split(' ').collect::<Vec<_>>());
        assert!(!output.status.success(), "{line}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("there is no terminal to ask for them on: give --username and --password-stdin"),
            "{said}"
        );
    }
}

#[test]
fn values_come_from_addresses() {
    let (site, room, peer) = (Site::start(), Room::new(), Room::new());
    site.bytes("/values.yaml", "a: 2\nb: {c: 3}\n");
    site.bytes("/broken.yaml", "a: [\n");
    site.bytes("/text", "one\ntwo\n");
    for room in [&room, &peer] {
        room.write("own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 0.1.0\n");
        room.write("own/templates/a.yaml", "kind: A\nvalues: {{ .Values | toJson }}\n");
    }
    let lines = [
        "template x own -f URL/values.yaml",
        "template x own -f URL/values.yaml --set b.c=4 --set-file t=URL/text",
        "template x own -f URL/none.yaml",
        "template x own --set-file t=URL/none",
        "template x own -f URL/broken.yaml",
        "lint own -f URL/values.yaml",
    ];
    let lines: Vec<String> = lines.iter().map(|line| line.replace("URL", &site.address)).collect();
    assert!(
        String::from_utf8_lossy(&ours(&room, &lines[0].split(' ').collect::<Vec<_>>()).stdout).contains("{\"a\":2,")
    );
    compare(&room, &peer, &lines);
}
