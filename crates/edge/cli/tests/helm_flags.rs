//! Flags of Helm's that need more than a chart: programs, signatures, servers that want to be known. Where the real Helm
//! is there, it runs the same lines.

mod side_by_side;

use onepane_provenance::{Keyring, sign};
use pgp::composed::{KeyType, SecretKeyParamsBuilder};
use pgp::ser::Serialize;
use side_by_side::support::{Room, Site, chart, index, registry, sha256, stderr, stdout};
use side_by_side::{compare, ours};

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";

const TEMPLATE: &str = "# head\nkind: ConfigMap\nmetadata:\n    name: a # line\n    annotations: {}\ndata:\n  x:\n    - 1\n\
                        ---\nkind: Secret\nmetadata: {name: b}\n--- # cut\nkind: List\nitems:\n- kind: X\n";

const HOOK: &str = "kind: Pod\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: test}\n";

/// A plugin that runs `script`.
fn post_renderer(room: &Room, name: &str, script: &str) {
    let text = format!(
        "apiVersion: v1\nname: {name}\ntype: postrenderer/v1\nversion: 1.0.0\nruntime: subprocess\nruntimeConfig:\n  \
         platformCommand:\n  - command: sh\n    args: [\"-c\", {script:?}]\n"
    );
    room.write(&format!("data/plugins/{name}/plugin.yaml"), text);
}

#[test]
#[cfg(unix)]
fn post_renderers_are_plugins() {
    let (room, peer) = (Room::new(), Room::new());
    for room in [&room, &peer] {
        room.write("c/Chart.yaml", CHART);
        room.write("c/templates/a.yaml", TEMPLATE);
        room.write("c/templates/h.yaml", HOOK);
        room.write("bad/Chart.yaml", CHART);
        room.write("bad/templates/a.yaml", "hello\n");
        for (name, script) in [
            ("same", "cat"),
            ("more", "cat; echo ---; echo kind: Added"),
            ("says", "cat >/dev/null; echo args: $0-$1; echo plugin: $HELM_PLUGIN_NAME; echo in: ${HELM_PLUGIN_DIR}"),
            ("fails", "echo oops >&2; exit 3"),
            ("deaf", "exec <&-; echo kind: Own"),
            ("empty", "cat >/dev/null; echo"),
            ("broken", "cat >/dev/null; printf 'a: b\\n c: d\\n'"),
            ("odd", "cat >/dev/null; printf 'a: 1\\n--- x\\nb: 1\\n'"),
        ] {
            post_renderer(room, name, script);
        }
        room.write("data/plugins/old/plugin.yaml", "name: old\nversion: 0.1.0\ncommand: $HELM_PLUGIN_DIR/x\n");
        room.write("data/plugins/wrong/plugin.yaml", "apiVersion: v7\n");
    }
    let lines = [
        "template r c --post-renderer same",
        "template r c --post-renderer same --no-hooks",
        "template r c --post-renderer same --output-dir out",
        "template r c --post-renderer more --skip-tests",
        "template r c --post-renderer more -s templates/h.yaml",
        "template r c --post-renderer says --post-renderer-args x --post-renderer-args y",
        "template r c --post-renderer fails",
        "template r c --post-renderer deaf",
        "template r c --post-renderer empty",
        "template r c --post-renderer broken",
        "template r c --post-renderer odd",
        "template r c --post-renderer none",
        "template r c --post-renderer old",
        "template r c --post-renderer=",
        "template r c --post-renderer same --post-renderer more",
        "template r bad --post-renderer same",
        "plugin list",
        "plugin ls --type cli/v1",
        "completion nonsense --nonsense",
    ]
    .map(str::to_owned);
    let missing = stderr(&ours(&room, &["plugin", "install", "x"]));
    assert!(missing.contains("does not have yet"), "{missing}");
    if compare(&room, &peer, &lines).is_some() {
        assert_eq!(room.files("out"), peer.files("out"));
        assert_eq!(room.read("out/c/templates/h.yaml"), peer.read("out/c/templates/h.yaml"));
    }
}

#[test]
#[cfg(unix)]
fn helm_3_takes_any_program_and_leaves_hooks_out() {
    let room = Room::new();
    room.write("c/Chart.yaml", CHART);
    room.write("c/templates/a.yaml", "kind: ConfigMap\n");
    room.write("c/templates/h.yaml", HOOK);
    let run = |more: &[&str]| ours(&room, &[&["template", "r", "c", "--compat", "helm3"], more].concat());
    let shown = stdout(&run(&["--post-renderer", "sed", "--post-renderer-args", "s/ConfigMap/Changed/;s/Pod/No/"]));
    assert!(shown.contains("kind: Changed\n") && shown.contains("kind: Pod\n"), "{shown}");
    let missing = stderr(&run(&["--post-renderer", "no-such-program"]));
    let wanted = "Error: invalid argument \"no-such-program\" for \"--post-renderer\" flag: unable to find binary at \
                  no-such-program: exec: \"no-such-program\": executable file not found in $PATH\n";
    assert_eq!(missing, wanted);
    let failing =
        stderr(&run(&["--post-renderer", "sh", "--post-renderer-args", "-c", "--post-renderer-args", "exit 3"]));
    assert!(failing.contains("error while running post render on files: error while running command /"), "{failing}");
    assert!(failing.contains("exit status 3\n\nUse --debug flag"), "{failing}");
}

#[test]
fn values_are_picked_by_jsonpath() {
    let (room, peer) = (Room::new(), Room::new());
    for room in [&room, &peer] {
        room.write("c/Chart.yaml", CHART);
        let values = "a:\n- {name: p, port: 80}\n- {name: q, port: 81.5}\nb: {x: [1, 2.5], h: <a&b>}\nbig: 123456789012\n\
                      nothing: null\nempty: \"\"\n\"k.ey\": dotted\n";
        room.write("c/values.yaml", values);
    }
    let lines = [
        "{.a[0].name}",
        "{.a[*].port}",
        "{.a[-1:].name}",
        "{..name}",
        "{.b}",
        "{.b.h}|{.big}|{.nothing}|{.empty}|{.k\\.ey}",
        "{range_.a[*]}{.name}={.port};{end}",
        "{.a[?(@.port>80.0)].name}",
        "{.a[?(@.name!='p')]}",
        "{['big','empty']}",
        "{.none}",
        "{.a[7]}",
        "{end}",
        "{",
        "{.a[}",
        "{.a[?(@.x}",
        "{.a[x]}",
        "{'x",
        "plain",
    ];
    // Command lines are parted at spaces.
    let lines = lines.map(|path| format!("show values c --jsonpath {}", path.replace("range_", "range@")));
    compare(&room, &peer, &lines);
}

/// A key of Ann's: secret and public, as keyring files.
fn keys() -> (Vec<u8>, Vec<u8>) {
    let mut builder = SecretKeyParamsBuilder::default();
    builder.key_type(KeyType::Ed25519Legacy).can_sign(true).can_certify(true);
    builder.primary_user_id("Ann <ann@example.com>".to_owned());
    let parameters = builder.build().expect("the parameters are whole");
    let secret = parameters.generate(rand::rngs::OsRng).expect("a key can be made");
    let public = secret.to_public_key().to_bytes().expect("it is a key");
    (secret.to_bytes().expect("it is a key"), public)
}

fn signed(archive: &[u8], name: &str, secret: &[u8]) -> String {
    let keyring = Keyring::parse(secret).expect("it is a keyring");
    let key = keyring.signing_key("ann@").expect("the key is there");
    sign(archive, name, "apiVersion: v2\nname: x\nversion: 1.0.0\n", &key, b"").expect("it can be signed")
}

#[test]
fn fetched_charts_are_verified() {
    let (secret, public) = keys();
    let site = Site::start();
    let (room, peer) = (Room::new(), Room::new());
    for name in ["good", "bare", "changed", "foreign"] {
        let archive = chart(name, "1.0.0");
        let file = format!("{name}-1.0.0.tgz");
        site.bytes(&format!("/{name}/index.yaml"), index(name, "1.0.0", &file, &sha256(&archive)));
        let provenance = match name {
            "good" => Some(signed(&archive, &file, &secret)),
            "changed" => Some(signed(b"other", &file, &secret)),
            "foreign" => Some(signed(&archive, &file, &keys().0)),
            _ => None,
        };
        if let Some(provenance) = provenance {
            site.bytes(&format!("/{name}/{file}.prov"), provenance);
        }
        site.bytes(&format!("/{name}/{file}"), archive);
        for room in [&room, &peer] {
            let text = format!(
                "apiVersion: v2\nname: p\nversion: 0.1.0\ndependencies:\n- {{name: {name}, version: 1.0.0, repository: \
                 \"{}/{name}\"}}\n",
                site.address
            );
            room.write(&format!("p-{name}/Chart.yaml"), text);
        }
    }
    for room in [&room, &peer] {
        room.write("ring.gpg", &public);
        room.write("empty.gpg", "");
    }
    let mut lines = Vec::new();
    for name in ["good", "changed", "foreign", "bare"] {
        lines.push(format!("template x {name} --repo URL/{name} --verify --keyring ring.gpg"));
        lines.push(format!("show chart {name} --repo URL/{name} --verify --keyring ring.gpg"));
        if name != "good" {
            // Where it succeeds, Helm wonders aloud why a provenance file is no archive.
            lines.push(format!("dependency update p-{name} --verify --keyring ring.gpg"));
        }
    }
    lines.push("pull good --repo URL/good --verify --keyring ring.gpg -d out".to_owned());
    lines.push("pull good --repo URL/good --verify --keyring ring.gpg --untar --untardir out/u".to_owned());
    lines.push("pull good --repo URL/good --verify --keyring none.gpg -d out".to_owned());
    lines.push("pull good --repo URL/good --prov -d out".to_owned());
    let lines: Vec<String> = lines.into_iter().map(|line| line.replace("URL", &site.address)).collect();
    let update = ["dependency", "update", "p-good", "--verify", "--keyring", "ring.gpg"];
    stdout(&ours(&room, &update));
    if compare(&room, &peer, &lines).is_some() {
        peer.helm(&update);
        assert_eq!(room.files("out"), peer.files("out"));
        for name in ["good", "changed", "foreign", "bare"] {
            let charts = format!("p-{name}/charts");
            assert_eq!(room.files(&charts), peer.files(&charts), "{name}");
        }
    }
    // Helm leaves what it could not verify where it was to go; here is nothing then.
    for name in ["changed", "foreign", "bare"] {
        let repository = format!("{}/{name}", site.address);
        for more in [["-d", "out/none"], ["--untar", "--untardir=out/none"]] {
            let pull = ["pull", name, "--repo", &repository, "--verify", "--keyring", "ring.gpg"];
            std::fs::create_dir_all(room.path.join("out/none")).expect("it can be made");
            stderr(&ours(&room, &[pull.as_slice(), &more].concat()));
            assert_eq!(room.files("out/none"), [""; 0], "{name}");
        }
    }
}

#[test]
fn charts_of_registries_are_verified() {
    let Some(registry) = registry() else { return };
    let (secret, public) = keys();
    let (room, peer) = (Room::new(), Room::new());
    for room in [&room, &peer] {
        room.write("ring.gpg", &public);
        for (name, is_signed) in [("good", true), ("bare", false)] {
            let archive = chart(name, "1.0.0");
            if is_signed {
                room.write(&format!("{name}-1.0.0.tgz.prov"), signed(&archive, "good-1.0.0.tgz", &secret));
            }
            room.write(&format!("{name}-1.0.0.tgz"), archive);
        }
    }
    let access = "--plain-http --username u --password p";
    for name in ["good", "bare"] {
        let line = format!("push {name}-1.0.0.tgz oci://{}/c {access}", registry.host);
        stdout(&ours(&room, &line.split(' ').collect::<Vec<_>>()));
    }
    let lines = [
        "pull oci://HOST/c/good --version 1.0.0 --verify --keyring ring.gpg -d out",
        "template x oci://HOST/c/good --version 1.0.0 --verify --keyring ring.gpg",
        "show chart oci://HOST/c/bare --version 1.0.0 --verify --keyring ring.gpg",
    ]
    .map(|line| format!("{} {access}", line.replace("HOST", &registry.host)));
    if compare(&room, &peer, &lines).is_some() {
        assert_eq!(room.files("out"), peer.files("out"));
    }
}
