//! Flags of Helm's that need more than a chart: programs, signatures, servers that want to be known. Where the real Helm
//! is there, it runs the same lines.

mod side_by_side;

use side_by_side::support::{Room, stderr, stdout};
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
    ]
    .map(str::to_owned);
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
